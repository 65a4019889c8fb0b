"""Cuts of MadGraph 7's run_card.toml, for the final particles of a process.

Entries are `<group>[_rank][-<group>]-<observable>.min|max` of groups of PDG codes in
[multiparticles]; an entry that is not there is no cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations_with_replacement, product

from madnis_py.physics.model.text_lines import shortened
from madnis_py.plugins.madgraph_cards.final_particles import FinalParticles, Place, is_alone
from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard
from madnis_py.plugins.madgraph_cards.toml_run_cards.toml_values import TomlValues

_GROUPS: Mapping[str, tuple[int, ...]] = {
    "jet": (1, 2, 3, 4, -1, -2, -3, -4, 21),
    "bottom": (5, -5),
    "lepton": (11, 13, 15, -11, -13, -15),
    "missing": (12, 14, 16, -12, -14, -16),
    "photon": (22,),
}
"""Groups that a card has without [multiparticles] -> PDG codes."""

_CUT = re.compile(
    r"(?P<groups>(?:(?!sum-)[a-z][a-z0-9]*(?:_\d)?-)*)(?P<sum>sum-)?"
    r"(?P<observable>pt|eta_abs|y_abs|e|delta_r|pair_mass|sfos_pair_mass|mass|pt-sum|sqrt_s)"
    r"\.(?P<end>min|max)"
)
"""Names of cuts."""

_SINGLE: Mapping[str, str] = {"pt": "pt", "eta_abs": "eta", "y_abs": "rapidity", "e": "energy"}
"""Observables of a single particle -> our names."""

_BY_HAND = "write the cut into the card by hand"
"""Advice where no cut of ours does the same."""


class TomlCuts:
    """The table [cuts] of a run_card.toml, put into a card of ours.

    Args:
        values: of the run card.
        final: the particles that it can cut on.
        card: takes the cuts, and what cannot be translated.
        partonic: whether the laboratory is the frame of the partons.

    Raises:
        CardError: a group of [multiparticles] is no list of PDG codes.
    """

    def __init__(
        self, values: TomlValues, final: FinalParticles, card: ImportedCard, partonic: bool
    ) -> None:
        self._values, self._final, self._card, self._partonic = values, final, card, partonic
        self._groups = {name: frozenset(codes) for name, codes in _GROUPS.items()}
        for name, codes in values.in_table("multiparticles").items():
            if not isinstance(codes, list) or not all(type(code) is int for code in codes):
                values.refuse(f"multiparticles.{name}", "a list of PDG codes", codes)
            self._groups[name] = frozenset(codes)
        self._cut_decays = values.flag("phasespace.cut_decays", False)

    def translate(self) -> None:
        """Translate all cuts.

        Raises:
            CardError: a value is no number, or there is no such group.
        """
        for name in self._values.in_table("cuts"):
            match = _CUT.fullmatch(name)
            if match is None:
                self._refuse(name, self._values.take(f"cuts.{name}"))
                continue
            value = self._values.number(f"cuts.{name}", 0.0)
            if match["end"] == "max" or value > 0:
                self._cut(name, match, value)

    def _cut(self, name: str, match: re.Match[str], value: float) -> None:
        observable, end = match["observable"], match["end"]
        groups = [one for one in match["groups"].split("-") if one]
        ranks = [re.fullmatch(r"(.*)_([1-9])", one) for one in groups]
        for rank, group in zip(ranks, groups, strict=True):
            if (rank[1] if rank else group) not in self._groups:
                known = f"one of the groups {', '.join(self._groups)}"
                self._values.refuse(f"cuts.{name}", known, rank[1] if rank else group)
        plain = not match["sum"] and not any(ranks)
        match observable, len(groups):
            case "sqrt_s", 0:
                self._card.cut("event", f"sqrt_s_{end}", value)
            case (("pt" | "eta_abs" | "y_abs" | "e"), 1) if plain:
                self._cut_each(name, groups[0], f"{_SINGLE[observable]}_{end}", value)
            case (("pt" | "eta_abs" | "y_abs"), 1) if ranks[0] and not match["sum"]:
                key = f"{_SINGLE[observable]}_{end}"
                self._cut_rank(name, ranks[0][1], int(ranks[0][2]), key, value)
            case "delta_r", (1 | 2) if plain:
                self._cut_distance(name, (groups * 2)[:2], end, value)
            case "pair_mass", (1 | 2) if plain:
                self._cut_pairs(name, (groups * 2)[:2], f"mass_{end}", value)
            case "sfos_pair_mass", 1 if plain:
                key = f"sfos_mass_{end}"
                self._cut_class(name, groups[0], "", key, value, self._cut_decays)
            case "pt-sum", 1 if plain:
                self._cut_class(name, groups[0], "", f"ht_{end}", value)
            case "pt-sum", (2 | 3 | 4) if not match["sum"]:
                self._cut_system(name, groups, f"ht_{end}", value)
            case (("pt" | "mass"), 1) if match["sum"] and not any(ranks):
                self._cut_class(name, groups[0], "", f"system_{observable}_{end}", value)
            case (("pt" | "mass"), (2 | 3 | 4)) if match["sum"]:
                key = {"pt": "pt_sum", "mass": "mass"}[observable]
                self._cut_system(name, groups, f"{key}_{end}", value)
            case _:
                self._refuse(name, value)

    def _places(self, group: str) -> frozenset[Place]:
        return self._final.places(self._groups[group], self._cut_decays)

    def _names(self, name: str, group: str, value: float) -> tuple[str, ...]:
        """Our names of a group; none where it has no particles here, or is refused."""
        found = self._final.names(group, self._places(group), self._cut_decays)
        if found is None:
            self._refuse_mixed(name, value)
        return found or ()

    def _cut_each(self, name: str, group: str, key: str, value: float) -> None:
        """Put a cut on each particle of a group."""
        names = self._names(name, group, value)
        if names and key.startswith("energy") and not self._partonic:
            self._refuse(name, value, "the frame of the energy is not told")
            return
        for one in names:
            self._card.cut(one, key, value)

    def _cut_distance(self, name: str, groups: list[str], end: str, value: float) -> None:
        """Put a cut on Delta R of pairs of massless particles."""
        places = [self._places(group) for group in groups]
        if all(places) and any(self._final.massive(place) for place in places):
            meaning = "distances of massive particles may be meant in another way"
            self._refuse(name, value, meaning)
        else:
            self._cut_pairs(name, groups, f"dr_{end}", value)

    def _cut_pairs(self, name: str, groups: list[str], key: str, value: float) -> None:
        """Put a cut on every pair of particles of two groups."""
        same = groups[0] == groups[1]
        if not all(map(self._places, groups)) or (same and is_alone(self._places(groups[0]))):
            return
        first, second = (self._names(name, group, value) for group in groups)
        for pair in combinations_with_replacement(first, 2) if same else product(first, second):
            self._card.cut(",".join(pair), key, value)

    def _cut_class(
        self, name: str, group: str, rank: str, key: str, value: float, decayed: bool = True
    ) -> None:
        """Put a cut on a group as one name, if it has particles here.

        Args:
            name: of the entry.
            group: of particles.
            rank: of the particle, "[2]", or nothing.
            key: of our cut.
            value: of the cut.
            decayed: whether our cut holds for decay products, too.
        """
        one_name = self._final.one_name(group, self._places(group), decayed)
        if one_name is None:
            self._refuse_mixed(name, value)
        elif one_name:
            self._card.cut(f"{one_name}{rank}", key, value)

    def _cut_system(self, name: str, groups: list[str], key: str, value: float) -> None:
        """Put a cut on every set of particles, one of each group, which may have ranks."""
        names = []
        for one in groups:
            group, rank = _split_rank(one)
            found = self._final.one_name(group, self._places(group))
            if found is None:
                self._refuse_mixed(name, value)
                return
            names.append(f"{found}{rank}" if found else "")
        if all(names):
            self._card.cut(",".join(names), key, value)

    def _cut_rank(self, name: str, group: str, rank: int, key: str, value: float) -> None:
        """Put a cut on the rank-th particle of a group by transverse momentum."""
        least, most = self._final.count(self._groups[group])
        if least < rank and most > 0:
            meaning = f"it asks for {rank} particles, the process has {least} for sure"
            self._refuse(name, value, meaning, "leave the cut out")
        else:
            self._cut_class(name, group, f"[{rank}]", key, value)

    def _refuse_mixed(self, name: str, value: float) -> None:
        """Refuse an entry about particles that no names of our cards mean alone."""
        particles = "it is about particles that no names of a card mean alone"
        meaning = f"{particles} (decay products, or other groups)"
        way_out = "set phasespace.cut_decays = true, or write the cut by hand"
        self._refuse(name, value, meaning, way_out)

    def _refuse(
        self,
        name: str,
        value: object,
        meaning: str = "no cut of ours does this",
        way_out: str = _BY_HAND,
    ) -> None:
        self._card.refuse("cuts", f"cuts.{name} = {shortened(str(value)[:100])}", meaning, way_out)


def _split_rank(text: str) -> tuple[str, str]:
    """A group and its rank as our cards write it: "jet_2" -> ("jet", "[2]")."""
    ranked = re.fullmatch(r"(.*)_([1-9])", text)
    return (ranked[1], f"[{ranked[2]}]") if ranked else (text, "")
