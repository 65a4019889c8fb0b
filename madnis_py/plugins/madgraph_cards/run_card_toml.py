"""MadGraph 7's run_card.toml as a card of ours.

Its cuts are entries `<group>[_rank][-<group>]-<observable>.min|max` of groups of PDG codes in
[multiparticles]; an entry that is not there is no cut. Everything else that it lacks has the
default of MadGraph 7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import combinations_with_replacement, product
from typing import Any, NoReturn

from madnis_py.card.card import Card, parse_toml
from madnis_py.errors import CardError
from madnis_py.physics.diagrams.definition import Definition
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.text_lines import shortened
from madnis_py.physics.process.process import Process
from madnis_py.plugins.madgraph_cards.final_particles import (
    FinalParticles,
    Place,
    depends_on_alpha_s,
    is_alone,
)
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.run_card_cuts import put_windows

_SCALES: Mapping[str, str] = {
    "transverse_energy": "sum_et",
    "transverse_mass": "sum_mt",
    "half_transverse_mass": "sum_mt/2",
    "partonic_energy": "sqrt_s",
}
_PRIORS: Mapping[str, str] = {"diagrams": "diagram", "denominators": "propagator"}
_GROUPS: Mapping[str, tuple[int, ...]] = {
    "jet": (1, 2, 3, 4, -1, -2, -3, -4, 21),
    "bottom": (5, -5),
    "lepton": (11, 13, 15, -11, -13, -15),
    "missing": (12, 14, 16, -12, -14, -16),
    "photon": (22,),
}
_HOW_IT_WORKS = (
    "run",
    "gridpack",
    "generation",
    "vegas",
    "phasespace",
    "madnis",
    "histograms",
    "multiparticles",
)
"""Tables about how MadGraph works; what is physics in them is taken by name."""

_CUT = re.compile(
    r"(?P<groups>(?:(?!sum-)[a-z][a-z0-9]*(?:_\d)?-)*)(?P<sum>sum-)?"
    r"(?P<observable>pt|eta_abs|y_abs|e|delta_r|pair_mass|sfos_pair_mass|mass|pt-sum|sqrt_s)\.(?P<end>min|max)"
)
_NO_CUT = ("no cut of ours does this", "write the cut into the card by hand")
_SINGLE: Mapping[str, str] = {"pt": "pt", "eta_abs": "eta", "y_abs": "rapidity", "e": "energy"}


class _Values:
    """The entries of a run_card.toml, "table.key" -> value.

    Args:
        content: of the file.
        source: file, for messages.
    """

    def __init__(self, content: Mapping[str, Any], source: str) -> None:
        self._left = dict(_flat(content))
        self.source = source

    def take(self, name: str, default: Any = None) -> Any:
        """A value, of which nobody else asks again."""
        return self._left.pop(name, default)

    def number(self, name: str, default: float) -> float:
        """A finite number."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
            self.refuse(name, "a number", value)
        return float(value)

    def whole(self, name: str, default: int) -> int:
        """A whole number."""
        value = self.number(name, default)
        return int(value) if value.is_integer() else self.refuse(name, "a whole number", value)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self.take(name, default)
        return value if isinstance(value, bool) else self.refuse(name, "true or false", value)

    def text(self, name: str, default: str) -> str:
        """A text."""
        value = self.take(name, default)
        return value if isinstance(value, str) else self.refuse(name, "text", value)

    def refuse(self, name: str, expected: str, got: object) -> NoReturn:
        """Raise an error at an entry."""
        raise CardError(
            f"{self.source}: {name}: expected {expected}; got {shortened(str(got)[:100])}"
        )

    def in_table(self, table: str) -> dict[str, Any]:
        """What is left of a table, by the rest of the name."""
        return {
            name[len(table) + 1 :]: value
            for name, value in self._left.items()
            if name.startswith(f"{table}.")
        }

    @property
    def left(self) -> dict[str, Any]:
        """What nobody took and is not about how MadGraph works."""
        neutral = tuple(f"{table}." for table in (*_HOW_IT_WORKS, "cuts"))
        return {name: value for name, value in self._left.items() if not name.startswith(neutral)}


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Keys with dots between the names of their tables."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        found += (
            _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
        )
    return found


def translate_toml(text: str, source: str, card: ImportedCard) -> None:
    """Put a run_card.toml into a card.

    Args:
        text: of the file.
        source: file, for messages.
        card: with process and parameters.

    Raises:
        CardError: it is no TOML, or a value is of another kind.
    """
    values = _Values(parse_toml(text, source), source)
    _options(values, card)
    leptonic = _beams(values, card)
    base = Card.parse(card.tables, source)
    model = Model.from_card(base)
    _scales(values, card, leptonic and not depends_on_alpha_s(Process.from_card(base)), leptonic)
    final = FinalParticles(Definition.parse(base, model), model)
    widths = values.number("phasespace.bw_cutoff", 15.0)
    put_windows(final, widths, card, lambda: f"phasespace.bw_cutoff = {widths:g}")
    card.put("events", "resonance_widths", max(widths, 0.0))
    if prior := _PRIORS.get(values.text("phasespace.sde_strategy", "diagrams")):
        card.put("channels", "prior", prior)
    energies = card.tables["beams"]["energy"]
    _TomlCuts(values, final, card, leptonic and energies[0] == energies[1]).translate()
    _systematics(values, card)
    _rest(values, card)


def _options(values: _Values, card: ImportedCard) -> None:
    card.options["--events"] = values.whole("generation.events", 100_000)
    seed = values.whole("run.seed", -1)
    if seed != -1:
        card.options["--seed"] = seed


def _beams(values: _Values, card: ImportedCard) -> bool:
    """The beams; returns whether they have no parton densities."""
    half = values.number("beam.e_cm", 13_000.0) / 2
    card.put("beams", "energy", [values.number(f"beam.ebeam{beam}", half) for beam in (1, 2)])
    leptonic = values.flag("beam.leptonic", False)
    both = values.text("beam.pdf", "NNPDF40_lo_as_01180")
    pdfs = [values.text(f"beam.pdf{beam}", both) for beam in (1, 2)]
    if not leptonic and pdfs[0] != pdfs[1]:
        entry = f"beam.pdf1 = {pdfs[0]}, beam.pdf2 = {pdfs[1]}"
        card.refuse("beams", entry, "each beam has its own densities", "set the same set for both")
    card.put("beams", "pdf", "none" if leptonic else pdfs[0])
    return leptonic


def _scales(values: _Values, card: ImportedCard, neutral: bool, leptonic: bool) -> None:
    fixed_r, fixed_f = (values.flag(f"beam.fixed_{kind}_scale", False) for kind in ("ren", "fact"))
    mu_r, first, second = (
        values.number(f"beam.{name}", 91.188)
        for name in ("ren_scale", "fact_scale1", "fact_scale2")
    )
    choice = values.text("beam.dynamical_scale_choice", "half_transverse_mass")
    factor = values.number("beam.scale_factor", 1.0)
    if neutral:
        return
    if leptonic:
        way_out = "set aS of the param_card to alpha_s at the scale that you want"
        entry = "beam.leptonic = true"
        card.refuse(
            "scales",
            entry,
            "alpha_s is that of a set of parton densities, here the parameter aS",
            way_out,
        )
        return
    if fixed_f and first != second:
        entry = f"beam.fact_scale1 = {first:g}, beam.fact_scale2 = {second:g}"
        card.refuse(
            "scales",
            entry,
            "each beam has its own factorisation scale",
            "set the same one for both",
        )
    if choice not in _SCALES and not (fixed_r and fixed_f):
        values.refuse("beam.dynamical_scale_choice", f"one of {', '.join(_SCALES)}", choice)
    for key, fixed, scale in (
        ("renormalization", fixed_r, mu_r),
        ("factorization", fixed_f, first),
    ):
        card.put("scales", key, scale if fixed else _SCALES[choice])
        if not fixed and factor != 1.0:
            card.put("scales", f"{key}_factor", factor)


def _systematics(values: _Values, card: ImportedCard) -> None:
    enabled = values.flag("systematics.enable", True) and values.flag(
        "generation.systematics", True
    )
    others = {
        name: values.take(f"systematics.{name}", default)
        for name, default in (("mur", [0.5, 1, 2]), ("muf", [0.5, 1, 2]), ("pdf", ["errorset"]))
    }
    together, dynamical = (
        values.flag("systematics.together", True),
        values.take("systematics.dynamical_scale", []),
    )
    values.take("systematics.write_inputs")
    if not enabled:
        card.tables["systematics"] = {"scale_factors": [], "pdf_members": False}
        return
    factors, members = others["mur"], others["pdf"]
    numbers = isinstance(factors, list) and all(
        type(one) in (int, float) and 0 < one < math.inf for one in factors
    )
    if (
        not numbers
        or factors != others["muf"]
        or members not in (["errorset"], ["central"], [])
        or dynamical
        or not together
    ):
        card.refuse(
            "systematics",
            "systematics",
            "weights other than those of all pairs of factors of mu_R and mu_F and of the members of the set",
            'set enable = false, or mur and muf to the same factors, together = true and pdf = ["errorset"]',
        )
        return
    card.tables["systematics"] = {"scale_factors": factors, "pdf_members": members == ["errorset"]}


def _rest(values: _Values, card: ImportedCard) -> None:
    if values.number("postprocessing.time_of_flight", -1.0) > -1.0:
        way_out = "set it to -1"
        card.refuse(
            "process",
            "postprocessing.time_of_flight",
            "lifetimes are written to the events",
            way_out,
        )
    for name in values.in_table("postprocessing"):
        values.take(f"postprocessing.{name}")
    if values.flag("run.dummy_matrix_element", False):
        card.refuse(
            "process", "run.dummy_matrix_element = true", "there is no |M|^2", "set it to false"
        )
    for name, value in values.left.items():
        entry = f"{name} = {shortened(str(value)[:100])}"
        card.refuse("process", entry, "it is not known, what it changes neither", "leave it out")


class _TomlCuts:
    """The table [cuts] of a run_card.toml, put into a card of ours."""

    def __init__(
        self, values: _Values, final: FinalParticles, card: ImportedCard, partonic: bool
    ) -> None:
        self._values, self._final, self._card, self._partonic = values, final, card, partonic
        self._groups = {name: frozenset(codes) for name, codes in _GROUPS.items()}
        for name, codes in values.in_table("multiparticles").items():
            if not isinstance(codes, list) or not all(type(code) is int for code in codes):
                values.refuse(f"multiparticles.{name}", "a list of PDG codes", codes)
            self._groups[name] = frozenset(codes)
        self._cut_decays = values.flag("phasespace.cut_decays", False)

    def translate(self) -> None:
        """All of them."""
        for name in self._values.in_table("cuts"):
            match = _CUT.fullmatch(name)
            if match is None:
                value = self._values.take(f"cuts.{name}")
                self._refuse(name, value, *_NO_CUT)
                continue
            value = self._values.number(f"cuts.{name}", 0.0)
            if match["end"] == "min" and value <= 0:
                continue
            self._cut(name, match, value)

    def _cut(self, name: str, match: re.Match[str], value: float) -> None:
        groups, observable, end = (
            [one for one in match["groups"].split("-") if one],
            match["observable"],
            match["end"],
        )
        ranks = [re.fullmatch(r"(.*)_([1-9])", one) for one in groups]
        self._check_groups(
            name, [rank[1] if rank else one for rank, one in zip(ranks, groups, strict=True)]
        )
        plain = not match["sum"] and not any(ranks)
        match observable, len(groups):
            case "sqrt_s", 0:
                self._card.cut("event", f"sqrt_s_{end}", value)
            case (("pt" | "eta_abs" | "y_abs" | "e"), 1) if plain:
                self._each(name, groups[0], f"{_SINGLE[observable]}_{end}", value)
            case (("pt" | "eta_abs" | "y_abs"), 1) if ranks[0] and not match["sum"]:
                self._rank(
                    name, ranks[0][1], int(ranks[0][2]), f"{_SINGLE[observable]}_{end}", value
                )
            case "delta_r", (1 | 2) if plain:
                self._distance(name, (groups * 2)[:2], end, value)
            case "pair_mass", (1 | 2) if plain:
                self._pairs(name, (groups * 2)[:2], f"mass_{end}", value)
            case "sfos_pair_mass", 1 if plain:
                self._class(name, groups[0], groups[0], f"sfos_mass_{end}", value)
            case "pt-sum", 1 if plain:
                self._class(name, groups[0], groups[0], f"ht_{end}", value)
            case _:
                self._refuse(name, value, *_NO_CUT)

    def _check_groups(self, name: str, groups: list[str]) -> None:
        for group in groups:
            if group not in self._groups:
                self._values.refuse(
                    f"cuts.{name}", f"one of the groups {', '.join(self._groups)}", group
                )

    def _places(self, group: str) -> frozenset[Place]:
        return self._final.places(self._groups[group], self._cut_decays)

    def _names(self, name: str, group: str, value: float) -> tuple[str, ...]:
        """Our names of a group; none where it has no particles here, or is refused."""
        found = self._final.names(group, self._places(group))
        if found is None:
            self._mixed(name, value)
        return found or ()

    def _each(self, name: str, group: str, key: str, value: float) -> None:
        names = self._names(name, group, value)
        if names and key.startswith("energy") and not self._partonic:
            self._refuse(name, value, "the frame of the energy is not told", _NO_CUT[1])
            return
        for one in names:
            self._card.cut(one, key, value)

    def _distance(self, name: str, groups: list[str], end: str, value: float) -> None:
        if any(self._final.massive(self._places(group)) for group in groups) and all(
            map(self._places, groups)
        ):
            self._refuse(
                name,
                value,
                "distances of massive particles may be meant in another way",
                _NO_CUT[1],
            )
        else:
            self._pairs(name, groups, f"dr_{end}", value)

    def _pairs(self, name: str, groups: list[str], key: str, value: float) -> None:
        if not all(map(self._places, groups)) or (
            groups[0] == groups[1] and is_alone(self._places(groups[0]))
        ):
            return
        first, second = (self._names(name, group, value) for group in groups)
        pairs = (
            combinations_with_replacement(first, 2)
            if groups[0] == groups[1]
            else product(first, second)
        )
        for pair in pairs:
            self._card.cut(",".join(pair), key, value)

    def _class(self, name: str, group: str, names: str, key: str, value: float) -> None:
        """A cut that needs a class of ours, if there are such particles."""
        places = self._places(group)
        if self._final.names(group, places) == (group,):
            self._card.cut(names, key, value)
        elif places:
            self._mixed(name, value)

    def _rank(self, name: str, group: str, rank: int, key: str, value: float) -> None:
        least, most = self._final.count(self._groups[group])
        if least < rank and most > 0:
            meaning = f"it asks for {rank} particles, the process has {least} for sure"
            self._refuse(name, value, meaning, "leave the cut out")
        else:
            self._class(name, group, f"{group}[{rank}]", key, value)

    def _mixed(self, name: str, value: float) -> None:
        meaning = "it is about particles that no names of a card mean alone (decay products, or other groups)"
        self._refuse(
            name, value, meaning, "set phasespace.cut_decays = true, or write the cut by hand"
        )

    def _refuse(self, name: str, value: object, meaning: str, way_out: str) -> None:
        self._card.refuse("cuts", f"cuts.{name} = {shortened(str(value)[:100])}", meaning, way_out)
