"""MadGraph's run cards as ours: run_card.dat of MG5aMC and run_card.toml of MG7.

What changes the results and has no counterpart is an error, never left out in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.diagrams.definition import Definition
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.text_lines import read_lines, shortened
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles, depends_on_alpha_s
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.lhapdf_numbers import BUILT_IN, set_of_number
from madnis_py.plugins.madgraph_cards.run_card_cuts import RunCardCuts
from madnis_py.plugins.madgraph_cards.run_card_entries import (
    DEFAULTS,
    NEXT_TO_LEADING,
    RunCard,
    read_run_card,
)
from madnis_py.plugins.madgraph_cards.run_card_toml import translate_toml

_SCALES: Mapping[int, str] = {1: "sum_et", 2: "sum_mt", 3: "sum_mt/2", 4: "sqrt_s"}
_PRIORS: Mapping[str, str] = {"1": "diagram", "2": "propagator"}

_NOT_HERE: Mapping[str, str] = {
    "ickkw": "jets are matched to a shower (MLM)",
    "xqcut": "partons are apart by a kt measure, for matching",
    "ktdurham": "partons are apart by Durham's measure, for merging",
    "ptlund": "partons are apart by Pythia's evolution scale, for merging",
    **dict.fromkeys(("polbeam1", "polbeam2"), "the beam is polarised"),
    **dict.fromkeys(
        ("nb_proton1", "nb_proton2", "nb_neutron1", "nb_neutron2"), "the beam is an ion"
    ),
    **dict.fromkeys(("mass_ion1", "mass_ion2"), "the beam is an ion"),
    "bias_module": "events are biased",
    "custom_fcts": "functions in Fortran replace cuts, scales or weights",
    "boost_event": "events are boosted to another frame",
    "event_norm": "weights of events are normalised in another way",
    "time_of_flight": "lifetimes are written to the events",
    "fixed_couplings": "couplings run",
    "small_width_treatment": "narrow particles get a larger width",
}
"""What entries do that must have their neutral value, which is their default."""

_NEUTRAL_UP_TO: Mapping[str, float] = {
    **{
        "xqcut": 0.0,
        "ktdurham": 0.0,
        "ptlund": 0.0,
        "time_of_flight": -1.0,
        "small_width_treatment": 1e-6,
    },
    **{"mass_ion1": 1.0, "mass_ion2": 1.0},  # a proton
}
"""Entries of these that are neutral at every value up to one."""


def import_run_card(
    path: Path, definition: str, param_card: Path | None = None, force: bool = False
) -> tuple[Card, ImportedCard]:
    """Translate a run card of MadGraph.

    Args:
        path: run_card.dat, or a run_card.toml.
        definition: the process, which run cards do not know.
        param_card: with the parameters of the model; named in the card.
        force: translate the rest where something cannot be translated.

    Returns:
        the card, and what else the run card said.

    Raises:
        CardError: a file cannot be read, an entry is no value of its kind, or, unless forced, one
            that changes the results cannot be translated; names every such entry, what it does and
            what to do instead.
    """
    imported = ImportedCard({"process": {"definition": definition, "t_channel_widths": False}})
    if param_card is not None:
        imported.put("parameters", "param_card", str(param_card))
    lines = read_lines(path, "run card")
    if path.suffix == ".toml":
        translate_toml("\n".join(lines), path.name, imported)
    else:
        _RunCardTranslation(read_run_card(lines, path.name), imported).translate()
    if imported.untranslated and not force:
        reasons = ". ".join(map(str, imported.untranslated))
        raise CardError(f"{path.name}: {reasons}. --force writes a card with all the rest")
    return Card.parse(imported.tables, path.name), imported


class _RunCardTranslation:
    """A run_card.dat, put into a card of ours.

    Args:
        run: the run card.
        card: with process and parameters.
    """

    def __init__(self, run: RunCard, card: ImportedCard) -> None:
        self._run, self._card = run, card
        self._hadronic = True

    def translate(self) -> None:
        """All of it."""
        self._unknown()
        self._options()
        self._beams()
        base = Card.parse(self._card.tables, self._run.source)
        model = Model.from_card(base)
        final = FinalParticles(Definition.parse(base, model), model)
        self._scales(base)
        energies = self._card.tables["beams"]["energy"]
        partonic = not self._hadronic and energies[0] == energies[1]
        RunCardCuts(self._run, final, self._card, partonic).translate()
        self._events_and_channels()
        self._systematics()
        self._not_here()

    def _options(self) -> None:
        self._card.options["--events"] = self._run.whole("nevents", 0)
        if seed := abs(self._run.whole("iseed")):
            self._card.options["--seed"] = seed

    def _beams(self) -> None:
        run = self._run
        self._card.put("beams", "energy", [run.number("ebeam1"), run.number("ebeam2")])
        kinds = (run.whole("lpp1"), run.whole("lpp2"))
        self._hadronic = kinds != (0, 0)
        if kinds not in ((0, 0), (1, 1)):
            self._refuse(
                "beams",
                f"{run.shown('lpp1')}, {run.shown('lpp2')}",
                "beams other than two protons (1) or two particles without parton densities (0)",
                "set both to 0 or both to 1",
            )
        self._card.put("beams", "pdf", self._parton_densities() if self._hadronic else "none")

    def _parton_densities(self) -> str:
        run = self._run
        labels = [name for name in ("pdlabel", "pdlabel1", "pdlabel2") if run.has(name)]
        texts = {run.text(name).lower() for name in labels}
        if len(texts) > 1 and {"pdlabel1", "pdlabel2"} <= set(labels):
            texts = {run.text("pdlabel1").lower(), run.text("pdlabel2").lower()}
        if len(texts) != 1:
            entry = ", ".join(map(run.shown, labels)) or "pdlabel is not set"
            meaning = (
                "versions of MadGraph differ in its default"
                if not labels
                else "each beam has its own densities"
            )
            self._refuse("beams", entry, meaning, "set pdlabel = lhapdf and lhaid")
            return "unknown"
        label = texts.pop()
        if label != "lhapdf" and label not in BUILT_IN:
            self._refuse(
                "beams",
                run.shown(labels[0]),
                "this set is not known here",
                "set pdlabel = lhapdf and lhaid",
            )
            return label
        return self._set_of_number(BUILT_IN[label]) if label in BUILT_IN else self._numbered_set()

    def _numbered_set(self) -> str:
        run = self._run
        if not run.has("lhaid"):
            self._refuse(
                "beams", "lhaid is not set", "versions of MadGraph differ in its default", "set it"
            )
            return "unknown"
        first = next(iter(run.items("lhaid")), "")
        if not re.fullmatch(r"\d{1,9}", first):
            self._refuse(
                "beams",
                run.shown("lhaid"),
                "this is no number of LHAPDF",
                "set the number of the set",
            )
            return "unknown"
        return self._set_of_number(int(first))

    def _set_of_number(self, number: int) -> str:
        name = set_of_number(number)
        if name is None:
            self._refuse(
                "beams",
                f"lhaid = {number}",
                "the name of this set is not known, and no installed set has this number",
                f"install it (lhapdf get {number}), or set the number of the central member of another one",
            )
        return name or f"lhaid-{number}"

    def _scales(self, base: Card) -> None:
        if self._hadronic:
            self._fixed_or_dynamical()
        elif depends_on_alpha_s(process := Process.from_card(base)):
            self._scale_of_alpha_s(process.model["MZ"])

    def _scale_of_alpha_s(self, mass: float) -> None:
        """Without parton densities alpha_s is the parameter aS here; in MadGraph it runs from the mass of the Z."""
        run = self._run
        if run.flag("fixed_ren_scale") and math.isclose(run.number("scale"), mass, rel_tol=1e-4):
            self._card.put("scales", "renormalization", run.number("scale"))
            return
        entry = run.shown("scale" if run.flag("fixed_ren_scale") else "fixed_ren_scale")
        way_out = "set fixed_ren_scale = T and scale = M_Z, and aS of the param_card to alpha_s at the scale that you want"
        self._refuse(
            "scales",
            entry,
            "alpha_s runs from M_Z to this scale, here it is the parameter aS",
            way_out,
        )

    def _fixed_or_dynamical(self) -> None:
        run = self._run
        dynamical = []
        if run.flag("fixed_ren_scale"):
            self._card.put("scales", "renormalization", run.number("scale"))
        else:
            dynamical.append("renormalization")
        fixed = self._fixed_factorization()
        if fixed is None:
            dynamical.append("factorization")
        else:
            self._card.put("scales", "factorization", fixed)
        if dynamical:
            self._dynamical(dynamical)

    def _fixed_factorization(self) -> float | None:
        """The fixed factorisation scale, None for a dynamical one."""
        run = self._run
        names = [
            one if run.has(one) else "fixed_fac_scale"
            for one in ("fixed_fac_scale1", "fixed_fac_scale2")
        ]
        flags = [run.flag(name) for name in names]
        scales = [run.number(name) for name in ("dsqrt_q2fact1", "dsqrt_q2fact2")]
        if flags[0] != flags[1] or (flags[0] and scales[0] != scales[1]):
            entries = ", ".join(
                map(run.shown, dict.fromkeys([*names, "dsqrt_q2fact1", "dsqrt_q2fact2"]))
            )
            self._refuse(
                "scales",
                entries,
                "each beam has its own factorisation scale",
                "set the same one for both",
            )
        return scales[0] if flags[0] else None

    def _dynamical(self, keys: list[str]) -> None:
        run = self._run
        choice, factor = run.whole("dynamical_scale_choice"), run.number("scalefact")
        if choice not in _SCALES:
            meaning = {
                -1: "the scale is that of MadGraph's clustering of the event",
                0: "the scale is a Fortran function",
            }
            self._refuse(
                "scales",
                run.shown("dynamical_scale_choice"),
                meaning.get(choice, "this scale is not known here"),
                "set 1 (sum of E_T), 2 (sum of m_T), 3 (half of it) or 4 (sqrt(s)), or fixed scales; --force takes 3",
            )
        for key in keys:
            self._card.put("scales", key, _SCALES.get(choice, "sum_mt/2"))
            if factor != 1.0:
                self._card.put("scales", f"{key}_factor", factor)

    def _events_and_channels(self) -> None:
        if (widths := self._run.number("bwcutoff")) >= 0:
            self._card.put("events", "resonance_widths", widths)
        if prior := _PRIORS.get(self._run.text("sde_strategy")):
            self._card.put("channels", "prior", prior)

    def _systematics(self) -> None:
        run = self._run
        program = run.text("systematics_program").lower()
        if not run.flag("use_syst") or program == "none":
            self._card.tables["systematics"] = {"scale_factors": [], "pdf_members": False}
            return
        if program not in ("systematics", "auto"):
            self._refuse(
                "systematics",
                run.shown("systematics_program"),
                "weights of another program",
                "set use_syst = F",
            )
            return
        options = dict(
            one.lstrip("-").partition("=")[::2] for one in run.items("systematics_arguments")
        )
        factors = [_factors(options.pop(name, "1")) for name in ("mur", "muf")]
        members = options.pop("pdf", "central").lower()
        if (
            options
            or factors[0] != factors[1]
            or not factors[0]
            or members not in ("errorset", "central")
        ):
            self._refuse(
                "systematics",
                run.shown("systematics_arguments"),
                "weights other than those of all pairs of factors of mu_R and mu_F and of the members of the set",
                "set use_syst = F, or --mur and --muf to the same factors and --pdf=errorset",
            )
            return
        self._card.tables["systematics"] = {
            "scale_factors": factors[0],
            "pdf_members": members == "errorset",
        }

    def _not_here(self) -> None:
        """Entries that are neutral at one value only."""
        for name, meaning in _NOT_HERE.items():
            if not _is_neutral(self._run, name):
                self._refuse(
                    "process", self._run.shown(name), meaning, f"set {name} = {DEFAULTS[name]}"
                )

    def _unknown(self) -> None:
        """Entries that no run card for leading order has."""
        unknown = {name: f"{name} = {shortened(text)}" for name, text in self._run.unknown.items()}
        if other := next(
            (entry for name, entry in unknown.items() if name in NEXT_TO_LEADING), None
        ):
            meaning = "only run cards for next-to-leading order have it, and their entries mean other things"
            self._refuse(
                "process", other, meaning, "take the run card of the process at leading order"
            )
            return
        for entry in unknown.values():
            self._refuse(
                "process", entry, "it is not known, what it changes neither", "leave it out"
            )

    def _refuse(self, table: str, entry: str, meaning: str, way_out: str) -> None:
        self._card.refuse(table, entry, meaning, way_out)


def _is_neutral(run: RunCard, name: str) -> bool:
    default = DEFAULTS[name]
    if name in _NEUTRAL_UP_TO:
        return run.number(name) <= _NEUTRAL_UP_TO[name]
    if isinstance(default, bool):
        return run.flag(name) == default
    if isinstance(default, str):
        return run.text(name).lower() in ("", default.lower())
    return run.number(name) == default


def _factors(text: str) -> list[float]:
    """Factors "0.5,1,2"; none where they are no positive numbers."""
    try:
        factors = [float(one) for one in text.split(",")]
    except ValueError:
        return []
    return factors if all(0 < factor < math.inf for factor in factors) else []
