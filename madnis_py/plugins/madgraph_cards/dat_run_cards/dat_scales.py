"""Scales of a run_card.dat, and the coupling where beams have no parton densities."""

from __future__ import annotations

from collections.abc import Mapping

from madnis_py.card.card import Card
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard

_SCALES: Mapping[int, str] = {
    -1: "clustering",
    1: "sum_et",
    2: "sum_mt",
    3: "sum_mt/2",
    4: "sqrt_s",
}
"""Values of dynamical_scale_choice -> our names of the scales."""


_OTHER_CARRIERS = (2, 3, 4)
"""|lpp| of whole protons, electrons and muons that photons or leptons come from."""


def translate_scales(run: RunCard, card: ImportedCard, densities: tuple[bool, bool]) -> None:
    """Translate the scales of a process that depends on them.

    Args:
        run: the run card.
        card: takes the scales, and what cannot be translated.
        densities: whether each beam has parton densities.
    """
    dynamical = _dynamical(run, card)
    if run.flag("fixed_ren_scale"):
        card.put("scales", "renormalization", run.number("scale"))
    else:
        _put_dynamical(run, card, "renormalization", dynamical)
    if any(densities):
        _put_factorization(run, card, densities, dynamical)
    if not Card.parse(card.tables, run.source).beams.sets:
        card.put("scales", "alpha_s_running", True)


def _dynamical(run: RunCard, card: ImportedCard) -> str:
    """Our name of the dynamical scale; a refusal where an event has one and it has no name."""
    choice = run.whole("dynamical_scale_choice")
    if choice not in _SCALES and not (run.flag("fixed_ren_scale") and all(_fixed(run))):
        known = {0: "the scale is a Fortran function"}
        meaning = known.get(choice, "this scale is not known here")
        choices = "-1 (clustering), 1 (sum of E_T), 2 (sum of m_T), 3 (half of it) or 4 (sqrt(s))"
        way_out = f"set {choices}, or fixed scales; --force takes 3"
        card.refuse("scales", run.shown("dynamical_scale_choice"), meaning, way_out)
    return _SCALES.get(choice, "sum_mt/2")


def _put_dynamical(run: RunCard, card: ImportedCard, key: str, scale: str) -> None:
    card.put("scales", key, scale)
    factor = run.number("scalefact")
    if factor == 1.0:
        return
    card.put("scales", f"{key}_factor", factor)
    note = "scalefact counts beside use_syst = T, as in MadGraph 3.7; 3.1 and before took 1"
    if run.flag("use_syst") and note not in card.taken:
        card.taken.append(note)
    if scale == "clustering" and run.whole("ickkw") == 1 and run.flag("pdfwgt"):
        meaning = "with ickkw = 1 MadEvent has it twice in some factorisation scales"
        card.refuse("scales", run.shown("scalefact"), meaning, "set scalefact = 1, or pdfwgt = F")


def _fixed(run: RunCard) -> tuple[bool, bool]:
    """Whether the factorisation scale of each beam is fixed.

    That of photons or leptons of a lepton or a whole proton is where the other beam is a proton,
    unless the card says it of each beam.
    """
    own = ("fixed_fac_scale1", "fixed_fac_scale2")
    first, second = (run.flag(one if run.has(one) else "fixed_fac_scale") for one in own)
    kinds = [abs(run.whole(f"lpp{beam}")) for beam in (1, 2)]
    if not any(map(run.has, own)) and 1 in kinds:
        return first or kinds[0] in _OTHER_CARRIERS, second or kinds[1] in _OTHER_CARRIERS
    return first, second


def _put_factorization(
    run: RunCard, card: ImportedCard, densities: tuple[bool, bool], dynamical: str
) -> None:
    """Put one scale, or one for each beam; that of a beam without densities does not matter."""
    fixed = _fixed(run)
    scales = [
        run.number(f"dsqrt_q2fact{beam + 1}") if fixed[beam] else dynamical for beam in (0, 1)
    ]
    first, second = (scales[beam if densities[beam] else 1 - beam] for beam in (0, 1))
    if dynamical in (first, second):
        _put_dynamical(run, card, "factorization", dynamical)
    if first != second and run.number("scalefact") != 1.0 and dynamical in (first, second):
        meaning = "it multiplies the scale of one beam alone"
        card.refuse("scales", run.shown("scalefact"), meaning, "set scalefact = 1")
    card.put("scales", "factorization", first if first == second else [first, second])
