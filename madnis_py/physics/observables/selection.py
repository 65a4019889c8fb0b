"""The cuts of a card as cuts on positions of particles, for every combination of flavours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.tables import EVENT, CutTable, closest
from madnis_py.physics.diagrams.definition import Definition
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import AnyCut, Bools, Cut, Cuts, Ranked, RankedCut
from madnis_py.physics.observables.momenta import select

CLASSES = ("jet", "bottom", "lepton", "photon", "missing")
RANKED = re.compile(r"(.+)\[([1-9]\d{0,3})\]")


@dataclass(frozen=True)
class Selection:
    """What events have to pass; it may depend on the flavours where a final particle has several.

    Attributes:
        common: what every combination of flavours has to pass.
        further: sets of other cuts.
        index: for every combination of flavours, in their order, which of these sets it has to
            pass.
    """

    common: tuple[AnyCut, ...]
    further: tuple[tuple[AnyCut, ...], ...]
    index: tuple[int, ...]

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """The cuts on particles at fixed positions that hold for all flavours: what a phase-space map may rely on."""
        return tuple(cut for cut in self.common if isinstance(cut, Cut))

    def of(self, flavours: int) -> tuple[AnyCut, ...]:
        """All cuts of one combination of flavours."""
        return (*self.common, *self.further[self.index[flavours]])

    def unchanged_by(self, exchange: Sequence[int]) -> bool:
        """Whether events pass alike with particle k at position exchange[k], for every combination of flavours."""
        return all(
            {_key(cut, exchange) for cut in cuts}
            == {_key(cut, range(len(exchange))) for cut in cuts}
            for cuts in (self.common, *self.further)
        )


def _key(cut: AnyCut, exchange: Sequence[int]) -> object:
    """What a cut asks for, with particle k at position exchange[k]."""
    ranked = (one if isinstance(one, Ranked) else Ranked((one,)) for one in cut.particles)
    particles = frozenset(
        (frozenset(exchange[k] for k in one.particles), one.rank) for one in ranked
    )
    return cut.observable, particles, cut.minimum, cut.maximum


def selection_of(
    definition: Definition, flavours: Sequence[tuple[int, ...]], card: Card, model: Model
) -> Selection:
    """The cuts of a card.

    Args:
        definition: for what names may mean.
        flavours: PDG codes of the external legs, incoming first, of every combination of flavours.
        card: its table [cuts].
        model: knows the particles.

    Raises:
        CardError: a name is unknown or names no particle of the final state, or a rank that no
            event has.
    """
    entries = [
        _Entry.read(names, table, definition, card, model) for names, table in card.cuts.items()
    ]
    for entry in entries:
        entry.check_ranks(flavours, card)
    finals = {legs: legs[definition.n_incoming :] for legs in flavours}
    lists = {
        final: tuple(dict.fromkeys(cut for entry in entries for cut in entry.cuts(final)))
        for final in finals.values()
    }
    first = next(iter(lists.values()))
    common = tuple(cut for cut in first if all(cut in cuts for cuts in lists.values()))
    rest = {final: tuple(cut for cut in cuts if cut not in common) for final, cuts in lists.items()}
    further = tuple(dict.fromkeys(rest.values()))
    return Selection(common, further, tuple(further.index(rest[finals[legs]]) for legs in flavours))


class Acceptance:
    """Which events pass.

    Args:
        selection: what they have to pass.
    """

    def __init__(self, selection: Selection) -> None:
        self._common = Cuts(selection.common)
        self._further = [Cuts(cuts) for cuts in selection.further]
        self._index = np.array(selection.index)
        self._same = not any(selection.further)

    def passes(self, p: Array) -> Bools:
        """Whether each event passes for some flavours at least, (n,); p as for `Cuts.passes`."""
        passed = self._common.passes(p)
        if not self._same:
            rows = np.flatnonzero(passed)
            passed[rows] = self._sets(select(p, rows)).any(axis=1)
        return passed

    def restrict(self, p: Array, densities: Array) -> Array:
        """Set to zero what fails its further cuts.

        Args:
            p: momenta of events that pass the common cuts.
            densities: per combination of flavours, (n, n_flavours).
        """
        return densities if self._same else np.where(self._sets(p)[:, self._index], densities, 0.0)

    def _sets(self, p: Array) -> Bools:
        return np.stack([cuts.passes(p) for cuts in self._further], axis=1)


@dataclass(frozen=True)
class _Name:
    """A class or particle, perhaps with a rank.

    Attributes:
        meaning: PDG codes.
        rank: among these by transverse momentum; None for all of them.
        first: position of the first final particle.
    """

    meaning: frozenset[int]
    rank: int | None
    first: int

    def members(self, final: Sequence[int]) -> tuple[int, ...]:
        """Positions of the final particles that it means."""
        return tuple(
            position for position, pdg in enumerate(final, start=self.first) if pdg in self.meaning
        )

    def particles(self, final: Sequence[int]) -> list[Ranked]:
        """The particles that it means, one by one."""
        members = self.members(final)
        if self.rank is None:
            return [Ranked((position,)) for position in members]
        return [Ranked(members, self.rank)] if self.rank <= len(members) else []


@dataclass(frozen=True)
class _Entry:
    """One entry of [cuts]."""

    text: str
    names: tuple[_Name, ...]
    table: CutTable
    model: Model

    @classmethod
    def read(
        cls, text: str, table: CutTable, definition: Definition, card: Card, model: Model
    ) -> _Entry:
        names = (
            _name(part.strip(), definition, card, model, f'cuts."{text}"')
            for part in text.split(",")
        )
        return cls(text, tuple(names), table, model)

    def check_ranks(self, flavours: Sequence[tuple[int, ...]], card: Card) -> None:
        for name in self.names:
            most = max(len(name.members(legs[name.first :])) for legs in flavours)
            if name.rank is not None and 0 < most < name.rank:
                raise card.error(
                    f'cuts."{self.text}"', f"expected a rank of at most {most}; got {name.rank}"
                )

    def cuts(self, final: tuple[int, ...]) -> Iterator[AnyCut]:
        """The cuts on a final state; none on what it does not have."""
        for observable, limits in self.table.ranges().items():
            match observable:
                case "ht":
                    yield from _system("ht", self.names[0].members(final), limits)
                case "sqrt_s":
                    yield from _system("mass", self.names[0].members(final), limits)
                case "missing_pt":
                    yield from _system("pt_sum", self._invisible(final), limits)
                case "sfos_mass":
                    for pair in self._opposite_pairs(final):
                        yield Cut("mass", pair, *limits)
                case _:
                    yield from self._one_by_one(observable, final, limits)

    def _invisible(self, final: tuple[int, ...]) -> tuple[int, ...]:
        return _Name(codes_of("missing", self.model), None, self.names[0].first).members(final)

    def _opposite_pairs(self, final: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        name = self.names[0]
        for a, b in combinations(name.members(final), 2):
            if final[a - name.first] == -final[b - name.first]:
                yield a, b

    def _one_by_one(
        self, observable: str, final: tuple[int, ...], limits: tuple[float, float]
    ) -> Iterator[AnyCut]:
        """The cut for every set of particles that the names mean."""
        choices = product(*(name.particles(final) for name in self.names))
        sets = {
            tuple(sorted(choice, key=_order))
            for choice in choices
            if len(set(choice)) == len(choice)
        }
        for particles in sorted(sets, key=lambda one: tuple(_order(particle) for particle in one)):
            if all(len(particle.particles) == 1 for particle in particles):
                yield Cut(
                    observable, tuple(particle.particles[0] for particle in particles), *limits
                )
            else:
                yield RankedCut(observable, particles, *limits)


def _order(particle: Ranked) -> tuple[tuple[int, ...], int]:
    return particle.particles, particle.rank


def _system(
    observable: str, particles: tuple[int, ...], limits: tuple[float, float]
) -> Iterator[Cut]:
    """A cut on a system, which may be one particle, or none: then there is nothing to cut on."""
    if len(particles) == 1 and observable != "mass":
        yield Cut("pt", particles, *limits)
    elif len(particles) > 1:
        yield Cut(observable, particles, *limits)


def _name(text: str, definition: Definition, card: Card, model: Model, path: str) -> _Name:
    ranked = RANKED.fullmatch(text)
    name, rank = (ranked[1].strip(), int(ranked[2])) if ranked else (text, None)
    first = definition.n_incoming
    present = {pdg for alternatives in definition.outgoing for pdg in alternatives}
    if text == EVENT:
        return _Name(frozenset(present), None, first)
    meaning = codes_of(name, model)
    if not meaning:
        known = [*model.pdg_of, *CLASSES]
        raise card.error(path, f'unknown particle or class "{name}"{closest(name, known)}')
    if name not in CLASSES and not meaning & present:
        final = ", ".join(
            dict.fromkeys(
                model.particle_name(pdg)
                for alternatives in definition.outgoing
                for pdg in alternatives
            )
        )
        raise card.error(
            path, f'expected a class or one of the final particles {final}; got "{name}"'
        )
    return _Name(meaning, rank, first)


def codes_of(name: str, model: Model) -> frozenset[int]:
    """The PDG codes that a class or a particle name stands for; bottom quarks without mass are jets too."""
    if name not in CLASSES:
        return frozenset({model.pdg_of[name]} if name in model.pdg_of else ())
    members = [row.pdg for row in model.particles if row.group == name]
    if name == "jet":
        members += [
            row.pdg for row in model.particles if row.group == "bottom" and model.mass(row.pdg) == 0
        ]
    return frozenset(sign * pdg for pdg in members for sign in (1, -1))
