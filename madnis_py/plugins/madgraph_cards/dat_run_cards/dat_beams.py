"""Beams of a run_card.dat: kinds, energies and parton densities."""

from __future__ import annotations

import re
from collections.abc import Mapping

from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.lhapdf_numbers import BUILT_IN, set_of_number

_PARTICLES: Mapping[int, str] = {1: "p", -1: "p~"}
"""Values of lpp with parton densities -> our names of the particle of the beam."""


def translate_beams(run: RunCard, card: ImportedCard) -> tuple[bool, bool]:
    """Translate the beams.

    Args:
        run: the run card.
        card: takes the beams, and what cannot be translated.

    Returns:
        whether each beam has parton densities.
    """
    card.put("beams", "energy", [_energy(run, beam) for beam in (1, 2)])
    kinds = run.whole("lpp1"), run.whole("lpp2")
    for beam, kind in enumerate(kinds, start=1):
        if kind not in (0, *_PARTICLES):
            meaning = _OTHER_BEAMS.get(abs(kind), "this kind of beam is not known here")
            way_out = "set 0 (no parton densities), 1 (proton) or -1 (antiproton)"
            card.refuse("beams", run.shown(f"lpp{beam}"), meaning, way_out)
    _translate_polarization(run, card, kinds)
    densities = kinds[0] != 0, kinds[1] != 0
    if not any(densities):
        card.put("beams", "pdf", "none")
        return densities
    names = (card.pdf,) if card.pdf else _densities(run, card)
    sets = [names[0] if one else "none" for one in densities]
    card.put("beams", "pdf", sets[0] if all(densities) else sets)
    if -1 in kinds:
        particles = [_PARTICLES.get(kind) for kind in kinds]
        if None in particles:
            meaning = "the other beam has no parton densities, and its particle is to be named"
            card.refuse("beams", run.shown("lpp1"), meaning, "write [beams] particle by hand")
        else:
            card.put("beams", "particle", particles)
    if names[1:] and run.flag("use_syst"):
        card.put("systematics", "pdf_sets", list(names[1:]))
    return densities


def _energy(run: RunCard, beam: int) -> float:
    """Energy of a beam in GeV; MadGraph's proton at rest has its mass, or 0, here it has 0."""
    energy = run.number(f"ebeam{beam}")
    at_rest = run.whole(f"lpp{beam}") != 0 and energy == _PROTON_MASS
    return 0.0 if at_rest else energy


_PROTON_MASS = 0.938

_OTHER_BEAMS: Mapping[int, str] = {
    2: "the beam is a photon that an intact proton radiates",
    3: "the beam is made of what an electron radiates",
    4: "the beam is made of what a muon radiates",
    9: "the beam is that of a plug-in",
}


def _translate_polarization(run: RunCard, card: ImportedCard, kinds: tuple[int, int]) -> None:
    """Translate the polarisations of beams, in percent."""
    names = ("polbeam1", "polbeam2")
    degrees = [run.number(name) for name in names]
    for name, degree, kind in zip(names, degrees, kinds, strict=True):
        if degree and abs(kind) in (1, 2):
            meaning = "protons, and photons of protons, are not polarised"
            card.refuse("beams", run.shown(name), meaning, f"set {name} = 0")
        elif abs(degree) > 100:
            meaning = "it is a percentage from -100 to 100"
            card.refuse("beams", run.shown(name), meaning, f"set {name} = 0")
        elif degree:
            card.put("beams", "polarization", [one / 100 for one in degrees])


def _densities(run: RunCard, card: ImportedCard) -> tuple[str, ...]:
    """Names of the sets of pdlabel and lhaid, the central one first."""
    given = [name for name in run.names if name in ("pdlabel", "pdlabel1", "pdlabel2")]
    by_beam = given and given[-1] != "pdlabel"  # of pdlabel and those of each beam the last counts
    labels = ["pdlabel1", "pdlabel2"] if by_beam else ["pdlabel"]
    texts = {run.text(name).lower() for name in labels}
    shown = ", ".join(map(run.shown, labels))
    if len(texts) != 1:
        return (_without_set(card, shown, "each beam has its own densities"),)
    label = texts.pop()
    if label in BUILT_IN:
        return (_numbered(card, str(BUILT_IN[label]), shown),)
    if label != "lhapdf":
        return (_without_set(card, shown, "this set is not known here"),)
    numbers = re.findall(r"[^\s,'\"\[\]()]+", run.text("lhaid"))
    if not numbers:
        return (_without_set(card, run.shown("lhaid"), "it names no set"),)
    return tuple(_numbered(card, number, run.shown("lhaid")) for number in numbers)


def _numbered(card: ImportedCard, text: str, shown: str) -> str:
    """The set with a number of LHAPDF, also "306000@0" for a member."""
    found = re.fullmatch(r"(\d{1,9})(?:@(\d{1,4}))?", text)
    if found is None:
        return _without_set(card, shown, "this is no number of LHAPDF")
    name = set_of_number(int(found[1]) + int(found[2] or 0))
    if name is None:
        meaning = "no set of LHAPDF's index, and none that is installed, has this number"
        return _without_set(card, f"lhaid = {found[1]}", meaning)
    return name


def _without_set(card: ImportedCard, entry: str, meaning: str) -> str:
    """Refuse an entry; returns the name of a set that there is not."""
    way_out = "name the set with --pdf, or set pdlabel = lhapdf and lhaid"
    card.refuse("beams", entry, meaning, way_out)
    return "unknown"
