"""Selection of events: the table [cuts] as cuts on positions, per combination of flavours.

`cuts` has the cuts themselves, which know positions and momenta; here names of particles become
positions, and `Acceptance` tells which events pass for which flavours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.cut_tables import CutTable, IsolationTable
from madnis_py.card.observable_names import EVENT
from madnis_py.card.process_tables import MergingTable
from madnis_py.physics.clustering.diagram_clustering import largest_jet_flavour
from madnis_py.physics.clustering.merging_cuts import least_kinematics, merging_jets
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import (
    AnyCut,
    Bools,
    Cut,
    Cuts,
    Isolation,
    Ranked,
    RankedCut,
)
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.observables.particle_names import (
    CLASSES,
    ParticleName,
    codes_of,
    split_kinds,
    split_rank,
    unknown_name,
)


@dataclass(frozen=True)
class Selection:
    """Cuts that events have to pass, which may depend on the flavours of final particles.

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
        """Cuts at fixed positions that hold for all flavours; phase-space maps may rely on them."""
        return tuple(cut for cut in self.common if isinstance(cut, Cut))

    def of(self, flavours: int) -> tuple[AnyCut, ...]:
        """All cuts of one combination of flavours."""
        return (*self.common, *self.further[self.index[flavours]])

    def unchanged_by(self, exchange: Sequence[int]) -> bool:
        """Whether events pass alike with particle k at position exchange[k], for all flavours."""
        return all(
            {_key(cut, exchange) for cut in cuts}
            == {_key(cut, range(len(exchange))) for cut in cuts}
            for cuts in (self.common, *self.further)
        )


def _key(cut: AnyCut, exchange: Sequence[int]) -> object:
    """Content of a cut with particle k at position exchange[k], equal for equal cuts."""
    if isinstance(cut, Isolation):
        others = frozenset(exchange[k] for k in cut.others)
        return exchange[cut.particle], others, cut.radius, cut.exponent, cut.epsilon
    ranked = (one if isinstance(one, Ranked) else Ranked((one,)) for one in cut.particles)
    particles = frozenset(
        (frozenset(exchange[k] for k in one.particles), one.rank) for one in ranked
    )
    return cut.observable, particles, cut.minimum, cut.maximum


def selection_of(
    definition: Definition,
    flavours: Sequence[tuple[int, ...]],
    reactions: Sequence[Reaction],
    card: Card,
    model: Model,
) -> Selection:
    """The cuts of a card, on jets of a sample for merging too, and mass windows of its decays.

    Args:
        definition: for what names may mean.
        flavours: PDG codes of the external legs, incoming first, of every combination of flavours.
        reactions: with the decays of every combination of flavours.
        card: its tables [cuts] and [merging], and `process.bwcutoff`.
        model: knows the particles.

    Raises:
        CardError: a name is unknown or names no particle of the final state, or a rank that no
            event has.
    """
    entries = [*_entries(definition, card, model)]
    finals = [legs[definition.n_incoming :] for legs in flavours]
    for entry in entries:
        entry.check_ranks(finals, card)
    states = [*zip(finals, reactions, strict=True)]
    cuts_of = {state: _cuts(entries, *state, card, model) for state in {*states}}
    of_jets = _jet_cuts(flavours, reactions, card.merging)
    lists = [
        tuple(dict.fromkeys([*cuts_of[state], *jets]))
        for state, jets in zip(states, of_jets, strict=True)
    ]
    different = {*lists}
    common = tuple(cut for cut in lists[0] if all(cut in cuts for cuts in different))
    rest = {cuts: tuple(cut for cut in cuts if cut not in common) for cuts in different}
    further = tuple(dict.fromkeys(rest[cuts] for cuts in lists))
    return Selection(common, further, tuple(further.index(rest[cuts]) for cuts in lists))


def _entries(definition: Definition, card: Card, model: Model) -> Iterator[_CardCut]:
    """The entries of the table [cuts]."""
    for text, table in card.cuts.by_name.items():
        yield _CardCut.read(text, table, definition, card, model)


def _cuts(
    entries: Iterable[_CardCut],
    final: tuple[int, ...],
    reaction: Reaction,
    card: Card,
    model: Model,
) -> tuple[AnyCut, ...]:
    """All cuts on a final state, whose decays are those of a reaction."""
    spared = reaction.decay_products if card.cuts.spare_decay_products else frozenset[int]()
    cuts = [cut for entry in entries for cut in entry.cuts(final, spared)]
    return tuple(dict.fromkeys([*cuts, *_decay_windows(reaction, card, model)]))


def _decay_windows(reaction: Reaction, card: Card, model: Model) -> Iterator[Cut]:
    """Cuts that keep each particle that decays, if it has a width, near its mass."""
    for decay in reaction.decays:
        mass = model.mass(decay.pdg)
        reach = card.process.widths_of_resonance * model.width(decay.pdg)
        if reach > 0:
            yield Cut("mass", decay.legs, max(mass - reach, 0.0), mass + reach)


def _jet_cuts(
    flavours: Sequence[tuple[int, ...]], reactions: Sequence[Reaction], merging: MergingTable | None
) -> list[list[Cut]]:
    """Cuts on the jets of a sample for merging, for every combination of flavours."""
    pt, mass = (0.0, 0.0) if merging is None else least_kinematics(merging)
    if merging is None or pt == 0:
        return [[] for _ in flavours]
    largest = largest_jet_flavour(flavours)
    found = []
    for legs, reaction in zip(flavours, reactions, strict=True):
        jets = merging_jets(legs, reaction, merging, largest)
        pairs = (Cut("mass", pair, mass, math.inf) for pair in combinations(jets, 2))
        found.append([*(Cut("pt", (jet,), pt, math.inf) for jet in jets), *pairs])
    return found


class Acceptance:
    """Test of events: which pass a selection.

    Args:
        selection: its cuts.
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
class _CardCut:
    """An entry of [cuts].

    Attributes:
        path: where it stands on the card.
        names: particles that it cuts on.
        ranges: observable -> least and greatest value.
        invisible: PDG codes of neutrinos.
        first: position of the first final particle.
        isolation: how each particle is isolated, if it is.
        isolated_from: sets of PDG codes, from each of which it is isolated.
    """

    path: str
    names: tuple[ParticleName, ...]
    ranges: Mapping[str, tuple[float, float]]
    invisible: frozenset[int]
    first: int
    isolation: IsolationTable | None
    isolated_from: tuple[frozenset[int], ...]

    @classmethod
    def read(
        cls, text: str, table: CutTable, definition: Definition, card: Card, model: Model
    ) -> _CardCut:
        path = f'cuts."{text}"'
        names = (_name(part.strip(), definition, card, model, path) for part in text.split(","))
        invisible, isolation, isolated_from = codes_of("missing", model), table.isolation, []
        if isolation is not None:
            place = f"{path}.isolation.partons"
            isolated_from = [_name(isolation.partons, definition, card, model, place).codes]
        if isolation is not None and isolation.electromagnetic:
            isolated_from += [codes_of("photon", model) | codes_of("lepton", model)]
        return cls(
            path,
            tuple(names),
            table.ranges(),
            invisible,
            definition.n_incoming,
            isolation,
            tuple(isolated_from),
        )

    def check_ranks(self, finals: Iterable[Sequence[int]], card: Card) -> None:
        for name in self.names:
            most = max(len(self._members(name.codes, final)) for final in finals)
            if name.rank is not None and 0 < most < name.rank:
                raise card.error(self.path, f"expected a rank of at most {most}; got {name.rank}")

    def cuts(self, final: tuple[int, ...], spared: frozenset[int]) -> Iterator[AnyCut]:
        """The cuts on a final state; none on what it does not have.

        Args:
            final: PDG codes.
            spared: positions of particles that pass cuts on single particles and on pairs, other
                than on sums of transverse momenta.
        """
        members = self._members(self.names[0].codes, final)
        for observable, limits in self.ranges.items():
            match observable:
                case "ht" if len(self.names) == 1:
                    yield from _system("ht", members, limits)
                case "sqrt_s" | "system_mass":
                    yield from _system("mass", members, limits)
                case "system_pt":
                    yield from _system("pt_sum", members, limits)
                case "partonic_energy" if self.first == 1:  # the frame of a decay
                    yield from self._one_by_one("energy", final, limits, spared)
                case "missing_pt":
                    yield from _system("pt_sum", self._members(self.invisible, final), limits)
                case "sfos_mass":
                    for a, b in combinations([k for k in members if k not in spared], 2):
                        if final[a - self.first] == -final[b - self.first]:
                            yield Cut("mass", (a, b), *limits)
                case "pt_sum" | "ht":
                    yield from self._one_by_one(observable, final, limits, frozenset())
                case _:
                    kept = spared if len(self.names) <= 2 else frozenset[int]()
                    yield from self._one_by_one(observable, final, limits, kept)
        if self.isolation is not None:
            yield from self._isolations(members, final, self.isolation)

    def _isolations(
        self, members: tuple[int, ...], final: tuple[int, ...], table: IsolationTable
    ) -> Iterator[Isolation]:
        """Isolation of each particle, from partons and from what radiates photons."""
        for particle, codes in product(members, self.isolated_from):
            others = tuple(other for other in self._members(codes, final) if other != particle)
            if others:
                yield Isolation(particle, others, table.radius, table.exponent, table.epsilon)

    def _members(self, codes: frozenset[int], final: Sequence[int]) -> tuple[int, ...]:
        """Positions of the final particles with some PDG codes."""
        return tuple(
            position for position, pdg in enumerate(final, start=self.first) if pdg in codes
        )

    def _one_by_one(
        self,
        observable: str,
        final: tuple[int, ...],
        limits: tuple[float, float],
        spared: frozenset[int],
    ) -> Iterator[AnyCut]:
        """The cut for every set of different particles, one for each name."""
        choices = product(*(self._particles(name, final, spared) for name in self.names))
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

    def _particles(
        self, name: ParticleName, final: Sequence[int], spared: frozenset[int]
    ) -> list[Ranked]:
        """The particles that a name means, one by one; ranks spare none."""
        members = self._members(name.codes, final)
        if name.rank is None:
            return [Ranked((position,)) for position in members if position not in spared]
        return [Ranked(members, name.rank)] if name.rank <= len(members) else []


def _name(text: str, definition: Definition, card: Card, model: Model, path: str) -> ParticleName:
    """What a name of a cut means: final particles of the process, or a class."""
    present = {pdg for alternatives in definition.outgoing for pdg in alternatives}
    if text == EVENT:
        return ParticleName(frozenset(present))
    name, rank = split_rank(text)
    codes: set[int] = set()
    for kind in split_kinds(name):
        found = codes_of(kind, model)
        if not found:
            raise card.error(path, unknown_name(kind, model))
        if kind not in CLASSES and not found & present:
            names = (model.particle_name(pdg) for legs in definition.outgoing for pdg in legs)
            final = ", ".join(dict.fromkeys(names))
            raise card.error(
                path, f'expected a class or one of the final particles {final}; got "{kind}"'
            )
        codes |= found
    return ParticleName(frozenset(codes), rank)


def _system(
    observable: str, particles: tuple[int, ...], limits: tuple[float, float]
) -> Iterator[Cut]:
    """A cut on a system, which may be one particle, or none: then there is nothing to cut on."""
    if len(particles) == 1 and observable != "mass":
        yield Cut("pt", particles, *limits)
    elif len(particles) > 1:
        yield Cut(observable, particles, *limits)


def _order(particle: Ranked) -> tuple[tuple[int, ...], int]:
    return particle.particles, particle.rank
