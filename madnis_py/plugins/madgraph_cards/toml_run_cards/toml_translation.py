"""Translation of MadGraph 7's run_card.toml to a card: one function per table of our card.

Cuts are translated in `toml_cuts`; an entry that is new goes to the function of its table here, or
to `toml_entries.NEUTRAL`. Everything that a card lacks has the default of MadGraph 7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import product

from madnis_py.card.card import Card, parse_toml
from madnis_py.physics.model.text_lines import shortened
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.cuts_of_processes import final_states, put_cuts_together
from madnis_py.plugins.madgraph_cards.final_particles import (
    FinalParticles,
    depends_on_alpha_s,
    put_decay_products,
    put_resonance_widths,
)
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.systematics_weights import put_scale_pairs, without_weights
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_cuts import TomlCuts
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_entries import NEUTRAL
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_values import TomlValues

_SCALES: Mapping[str, str] = {
    "transverse_energy": "sum_et",
    "transverse_mass": "sum_mt",
    "half_transverse_mass": "sum_mt/2",
    "partonic_energy": "sqrt_s",
}
"""Values of beam.dynamical_scale_choice -> our names of the scales."""

_PRIORS: Mapping[str, str] = {"diagrams": "diagram", "denominators": "propagator"}
"""Values of phasespace.sde_strategy -> our priors of the channels."""


def translate_toml(text: str, source: str, card: ImportedCard) -> None:
    """Put a run_card.toml into a card.

    Args:
        text: of the file.
        source: file, for messages.
        card: with process and parameters; takes the translation.

    Raises:
        CardError: the text is no TOML, or a value is of another kind.
    """
    values = TomlValues(parse_toml(text, source), source)
    given = values.names
    card.options["--events"] = values.whole("generation.events", 100_000)
    seed = values.whole("run.seed", -1)
    if seed != -1:
        card.options["--seed"] = seed
    leptonic = _translate_beams(values, card)
    base = Card.parse(card.tables, source)
    model = model_from_card(base)
    scale_free = leptonic and not any(
        depends_on_alpha_s(Process.from_card(base.of_process(text)))
        for text in base.process.definitions
    )
    _translate_scales(values, card, scale_free, leptonic)
    if prior := _PRIORS.get(values.text("phasespace.sde_strategy", "diagrams")):
        card.put("channels", "prior", prior)
    energies = card.tables["beams"]["energy"]
    partonic = leptonic and energies[0] == energies[1]
    finals = final_states(base, model)
    parts = [(one, _cuts(values, one, partonic)) for one in finals]
    cut_decays = values.flag("phasespace.cut_decays", False)
    put_cuts_together(parts, model, card, cut_decays)
    put_decay_products(finals, cut_decays, card)
    widths = values.number("phasespace.bw_cutoff", 15.0)
    put_resonance_widths(finals, widths, card, lambda: f"phasespace.bw_cutoff = {widths:g}")
    if (least := values.number("postprocessing.time_of_flight", -1.0)) >= 0:
        card.put("events", "lifetimes", least)
    _translate_systematics(values, card)
    _refuse_others(values, card)
    lost = {re.split(r"[ ,=]", one.entry)[0] for one in card.untranslated}
    for name in given:
        if name not in lost:
            (card.neutral if name in NEUTRAL else card.taken).append(name)


def _cuts(values: TomlValues, final: FinalParticles, partonic: bool) -> ImportedCard:
    """The cuts for a final state, in a card of their own."""
    alone = ImportedCard()
    TomlCuts(values.copy(), final, alone, partonic).translate()
    return alone


def _translate_beams(values: TomlValues, card: ImportedCard) -> bool:
    """Translate the beams; returns whether they have no parton densities."""
    half = values.number("beam.e_cm", 13_000.0) / 2
    card.put("beams", "energy", [values.number(f"beam.ebeam{beam}", half) for beam in (1, 2)])
    leptonic = values.flag("beam.leptonic", False)
    both = values.text("beam.pdf", "NNPDF40_lo_as_01180")
    pdfs = [values.text(f"beam.pdf{beam}", both) for beam in (1, 2)]
    if not leptonic and card.pdf is None and pdfs[0] != pdfs[1]:
        entry = f"beam.pdf1 = {pdfs[0]}, beam.pdf2 = {pdfs[1]}"
        card.refuse("beams", entry, "each beam has its own densities", "set the same set for both")
    card.put("beams", "pdf", "none" if leptonic else (card.pdf or pdfs[0]))
    return leptonic


def _translate_scales(
    values: TomlValues, card: ImportedCard, scale_free: bool, leptonic: bool
) -> None:
    """Translate the scales, unless nothing depends on them."""
    fixed_r, fixed_f = (values.flag(f"beam.fixed_{kind}_scale", False) for kind in ("ren", "fact"))
    mu_r, mu_f1, mu_f2 = (
        values.number(f"beam.{name}", 91.188)
        for name in ("ren_scale", "fact_scale1", "fact_scale2")
    )
    choice = values.text("beam.dynamical_scale_choice", "half_transverse_mass")
    factor = values.number("beam.scale_factor", 1.0)
    if scale_free:
        return
    if leptonic:
        meaning = "alpha_s is that of a set of parton densities, here the parameter aS"
        way_out = "set aS of the param_card to alpha_s at the scale that you want"
        card.refuse("scales", "beam.leptonic = true", meaning, way_out)
        return
    if fixed_f and mu_f1 != mu_f2:
        entry = f"beam.fact_scale1 = {mu_f1:g}, beam.fact_scale2 = {mu_f2:g}"
        meaning = "each beam has its own factorisation scale"
        card.refuse("scales", entry, meaning, "set the same one for both")
    if choice not in _SCALES and not (fixed_r and fixed_f):
        values.refuse("beam.dynamical_scale_choice", f"one of {', '.join(_SCALES)}", choice)
    for key, fixed, scale in (
        ("renormalization", fixed_r, mu_r),
        ("factorization", fixed_f, mu_f1),
    ):
        card.put("scales", key, scale if fixed else _SCALES[choice])
        if not fixed and factor != 1.0:
            card.put("scales", f"{key}_factor", factor)


def _translate_systematics(values: TomlValues, card: ImportedCard) -> None:
    in_events = values.flag("systematics.enable", True)
    enabled = in_events and values.flag("generation.systematics", True)
    mu_r, mu_f = (values.take(f"systematics.{name}", [0.5, 1, 2]) for name in ("mur", "muf"))
    members = values.take("systematics.pdf", ["errorset"])
    together = values.flag("systematics.together", True)
    dynamical = values.take("systematics.dynamical_scale", [])
    if not enabled:
        without_weights(card)
        return
    factors = [one for one in (mu_r, mu_f) if _are_factors(one)]
    known = members in (["errorset"], ["central"], [])
    if len(factors) < 2 or not known or dynamical or not together:
        meaning = "weights other than those of factors of mu_R and mu_F and of members of the set"
        same = 'together = true, dynamical_scale = [] and pdf = ["errorset"]'
        way_out = f"set enable = false, or {same}"
        card.refuse("systematics", "systematics", meaning, way_out)
        return
    put_scale_pairs(product(mu_r, mu_f), card)
    card.put("systematics", "pdf_members", members == ["errorset"])


def _are_factors(values: object) -> bool:
    return isinstance(values, list) and all(
        type(one) in (int, float) and 0 < one < math.inf for one in values
    )


def _refuse_others(values: TomlValues, card: ImportedCard) -> None:
    """Refuse what else changes the results, and entries that are unknown."""
    if values.flag("postprocessing.systematics", False):
        entry, meaning = "postprocessing.systematics", "another program makes weights of events"
        card.refuse("systematics", entry, meaning, "use the table [systematics] instead")
    for name in ("muf", "mur", "pdf", "str_options"):
        values.take(f"postprocessing.systematics_{name}")
    if values.flag("run.dummy_matrix_element", False):
        entry = "run.dummy_matrix_element = true"
        card.refuse("process", entry, "there is no |M|^2", "set it to false")
    for name, value in values.left.items():
        entry = f"{name} = {shortened(str(value)[:100])}"
        card.refuse("process", entry, "it is not known, what it changes neither", "leave it out")
