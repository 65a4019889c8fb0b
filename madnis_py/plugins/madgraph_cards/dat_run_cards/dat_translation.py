"""Translation of a run_card.dat to a card: one function per table of our card.

Cuts are translated in `dat_cuts` and `dat_event_cuts`; `dat_entries` lists all entries.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from madnis_py.card.card import Card
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.text_lines import shortened
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.cuts_of_processes import final_states, put_cuts_together
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_beams import translate_beams
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_bias import is_unbiased, translate_bias
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_cuts import (
    CutEntries,
    end_of,
    translate_particle_cuts,
)
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_entries import (
    NEUTRAL,
    NEXT_TO_LEADING,
    REFUSED,
    UNCUT,
)
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_event_cuts import translate_event_cuts
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_merging import (
    put_cuts_between_jets,
    translate_merging,
)
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_reader import RunCard
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_scales import translate_scales
from madnis_py.plugins.madgraph_cards.dat_run_cards.dat_systematics import translate_systematics
from madnis_py.plugins.madgraph_cards.final_particles import (
    depends_on_alpha_s,
    put_decay_products,
    put_resonance_widths,
)
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard

_PRIORS: Mapping[str, str] = {"1": "diagram", "2": "propagator"}
"""Values of sde_strategy -> our priors of the channels."""


class DatTranslation:
    """A run_card.dat on its way into a card of ours.

    Args:
        run: the run card.
        card: with process and parameters; takes the translation.
    """

    def __init__(self, run: RunCard, card: ImportedCard) -> None:
        self._run, self._card = run, card

    def translate(self) -> None:
        """Translate all entries, and note those that cannot be translated."""
        run, card = _at_rest(self._run, self._card), self._card
        self._refuse_unknown()
        card.options["--events"] = run.whole("nevents", 0)
        if seed := abs(run.whole("iseed")):
            card.options["--seed"] = seed
        densities = translate_beams(run, card)
        self._frame()
        base = Card.parse(card.tables, run.source)
        model = model_from_card(base)
        self._refuse_unpolarised_neutrinos(base, model)
        if any(densities) or _depends_on_alpha_s(base):
            translate_scales(run, card, densities)
        if run.whole("ickkw") not in (0, 1):
            meaning = "samples are those for CKKW matching in MadEvent"
            card.refuse("merging", run.shown("ickkw"), meaning, "set 0, or 1 for MLM")
        uncut = translate_merging(run, card)
        energies = card.tables["beams"]["energy"]
        partonic = not any(densities) and energies[0] == energies[1]
        finals = final_states(base, model)
        put_cuts_between_jets(run, finals, all(densities), card)
        cuts = [CutEntries(uncut, final, ImportedCard(), partonic) for final in finals]
        parts = [(one.final, _translated(one)) for one in cuts]
        translate_bias(run, cuts, card)
        put_cuts_together(parts, model, card, run.flag("cut_decays"))
        put_decay_products(finals, run.flag("cut_decays"), card)
        widths = run.number("bwcutoff")
        put_resonance_widths(finals, widths, card, lambda: run.shown("bwcutoff"))
        if (least := run.number("time_of_flight")) >= 0:
            card.put("events", "lifetimes", least)
        if prior := _PRIORS.get(run.text("sde_strategy")):
            card.put("channels", "prior", prior)
        translate_systematics(run, card)
        self._refuse_without_counterpart()
        self._note_entries()

    def _frame(self) -> None:
        """Translate the frame of polarised particles, MadGraph's default being ours."""
        legs = self._run.items("me_frame")
        if not legs or not all(leg.isdecimal() for leg in legs):
            meaning = "it is no list of legs"
            self._card.refuse("process", self._run.shown("me_frame"), meaning, "leave it out")
        elif sorted(legs) != ["1", "2"]:
            self._card.put("process", "me_frame", [int(leg) for leg in legs])

    def _refuse_unpolarised_neutrinos(self, base: Card, model: Model) -> None:
        """MadGraph divides by two helicities of a neutrino where its beam is not polarised."""
        definitions = [
            definition_of(base.of_process(text), model) for text in base.process.definitions
        ]
        for beam in range(min(one.n_incoming for one in definitions)):
            name = f"polbeam{beam + 1}"
            incoming = {pdg for one in definitions for pdg in one.incoming[beam]}
            if self._run.number(name) == 0 and any(map(model.is_left_handed, incoming)):
                meaning = "half of the neutrinos would have a helicity that there is not"
                way_out = f"set {name} = -100, for antineutrinos 100"
                self._card.refuse("beams", self._run.shown(name), meaning, way_out)

    def _refuse_unknown(self) -> None:
        """Refuse entries that no run card for leading order has."""
        unknown = {name: f"{name} = {shortened(text)}" for name, text in self._run.unknown.items()}
        other = next((entry for name, entry in unknown.items() if name in NEXT_TO_LEADING), None)
        if other:
            card = "only run cards for next-to-leading order have it"
            meaning = f"{card}, and their entries mean other things"
            way_out = "take the run card of the process at leading order"
            self._card.refuse("process", other, meaning, way_out)
            return
        for entry in unknown.values():
            meaning = "it is not known, what it changes neither"
            self._card.refuse("process", entry, meaning, "leave it out")

    def _refuse_without_counterpart(self) -> None:
        """Refuse entries of `dat_entries.REFUSED` that do not have a neutral value."""
        run = self._run
        for name, entry in REFUSED.items():
            if entry.neutral_up_to is not None:
                neutral = run.number(name) <= entry.neutral_up_to
            elif isinstance(entry.default, bool):
                neutral = run.flag(name) == entry.default
            elif isinstance(entry.default, str):
                neutral = run.text(name).lower() in ("", entry.default.lower())
            else:
                neutral = run.number(name) == entry.default
            if not neutral:
                way_out = f"set {name} = {entry.default}"
                self._card.refuse("process", run.shown(name), entry.meaning, way_out)

    def _note_entries(self) -> None:
        """Note which entries were taken, and which change no results."""
        lost = {re.split(r"[ ,=]", one.entry)[0] for one in self._card.untranslated}
        for name in self._run.names:
            is_neutral = name in NEUTRAL or name in REFUSED or _is_off(self._run, name)
            notes = self._card.neutral if is_neutral else self._card.taken
            if name not in lost:
                notes.append(self._run.shown(name))


def _at_rest(run: RunCard, card: ImportedCard) -> RunCard:
    """The run card of a decay: no beams, and scales that are the mass, as in MadEvent."""
    alone = Card.parse({**card.tables, "beams": {"pdf": "none"}}, run.source)
    text, model = alone.process.definitions[0], model_from_card(alone)
    incoming = text.partition(">")[0].split()
    if len(incoming) > 1:
        return run
    parent = definition_of(alone.of_process(text), model).incoming[0][0]
    entries = {"lpp1": "0", "lpp2": "0", "use_syst": "F", "fixed_fac_scale": "T"}
    if not run.flag("fixed_ren_scale"):
        entries |= {"fixed_ren_scale": "T", "scale": f"{model.mass(parent):.12g}"}
    return run.updated(entries)


def _translated(cuts: CutEntries) -> ImportedCard:
    """The cuts for a final state, in a card of their own."""
    translate_particle_cuts(cuts)
    translate_event_cuts(cuts)
    return cuts.card


def _is_off(run: RunCard, name: str) -> bool:
    """Whether an entry is a cut that cuts nothing, a bias that is none, or lifetimes of 0."""
    if name == "time_of_flight":
        return run.number(name) < 0
    if name in ("bias_module", "bias_parameters"):
        return is_unbiased(run)
    if name not in UNCUT or name == "cut_decays":
        return False
    if name.endswith("_pdg"):
        return not run.of_particles(name)
    value = run.number(name)
    return value < 0 if end_of(name) == "max" else value <= 0


def _depends_on_alpha_s(card: Card) -> bool:
    """Whether one of the processes of a card has a strong coupling."""
    return any(
        depends_on_alpha_s(Process.from_card(card.of_process(text)))
        for text in card.process.definitions
    )
