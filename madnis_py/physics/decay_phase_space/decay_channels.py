"""Channels of the decay of one particle, one for each set of propagators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.physics.decay_phase_space.decay_mapping import DecayMapping
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.phase_space.channel import Channel, PropagatorFactor, kept_names
from madnis_py.physics.phase_space.channel_builder import Contribution
from madnis_py.physics.phase_space.channel_topologies import channel_topologies
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.phase_space.topology_mapping import (
    TopologyMapping,
    diagram_mapping,
    flat_mapping,
)


def decay_channels(
    contributions: Sequence[Contribution], model: Model, cuts: Iterable[Cut], card: Card
) -> tuple[Channel, ...]:
    """The channels of a decay in the order of its diagrams, each its own symmetry group.

    Args:
        contributions: matrix elements with one incoming leg.
        model: masses and widths.
        cuts: at fixed positions, which hold for all flavours.
        card: for channels to omit, or for flat phase space.

    Raises:
        CardError: the products have several masses or weigh too much, or the cuts leave nothing.
    """
    masses = {tuple(map(model.mass, one.legs)) for one in contributions}
    if len(masses) > 1:
        expected = "expected a process whose particles have one mass in all flavours"
        raise card.error("process.definition", f'{expected}; got "{card.definition}"')
    (mass, *final) = masses.pop()
    if sum(final) >= mass:
        expected = f"expected products of less than the {mass:g} GeV of the particle that decays"
        raise card.error("process.definition", f"{expected}; got {sum(final):g} GeV")
    return _DecayChannels(mass, final, model, cuts, card).build(contributions)


class _DecayChannels:
    """Builds channels; see `decay_channels`.

    Positions of particles are one more for the map, where two partons come in.
    """

    def __init__(
        self, mass: float, final: Sequence[float], model: Model, cuts: Iterable[Cut], card: Card
    ) -> None:
        shifted = [replace(cut, particles=tuple(leg + 1 for leg in cut.particles)) for cut in cuts]
        self._mass, self._model, self._card = mass, model, card
        self._limits = MassLimits((0.0, 0.0, *final), shifted, mass)
        self._beams = CollidingBeams.partons((mass / 2, mass / 2))

    def build(self, contributions: Sequence[Contribution]) -> tuple[Channel, ...]:
        """The channels that the card does not omit."""
        found = (
            () if self._card.channels.phase_space == "flat" else self._by_diagrams(contributions)
        )
        if not found:
            columns = sum(len(one.diagrams) for one in contributions)
            return (Channel("flat", self._flat(), tuple(range(columns)), (), 0),)
        names = kept_names([channel.name for channel in found], self._card)
        kept = [channel for channel in found if channel.name in names]
        return tuple(replace(channel, group=group) for group, channel in enumerate(kept))

    def _by_diagrams(self, contributions: Sequence[Contribution]) -> tuple[Channel, ...]:
        """A channel for each set of propagators; none if four lines meet in all diagrams."""
        columns: dict[object, list[int]] = defaultdict(list)
        topologies: dict[object, Topology] = {}
        for one in contributions:
            for channel in channel_topologies(one.diagrams, one.legs, self._model, n_incoming=1):
                key = frozenset(self._propagators(channel.topology))
                topologies.setdefault(key, channel.topology)
                columns[key] += [one.offset + column for column in channel.diagrams]
        return tuple(
            Channel(
                name=self._name(topology.clusters[0]),
                mapping=self._following(topology),
                diagrams=tuple(columns[key]),
                propagators=self._propagators(topology),
                group=0,
            )
            for key, topology in topologies.items()
        )

    def _propagators(self, topology: Topology) -> tuple[PropagatorFactor, ...]:
        mass, width = self._model.mass, self._model.width
        return tuple(
            PropagatorFactor(line.kind, line.legs, mass(line.pdg), width(line.pdg))
            for line in topology.propagators
        )

    def _following(self, topology: Topology) -> DecayMapping:
        """The map that follows the propagators of a diagram."""
        poles = {
            row.pdg: (self._model.mass(row.pdg), self._model.width(row.pdg))
            for row in self._model.particles
        }
        shifted = Topology((_shifted(topology.clusters[0]),), ())
        return self._possible(lambda: diagram_mapping(shifted, self._limits, poles, self._beams))

    def _flat(self) -> DecayMapping:
        return self._possible(lambda: flat_mapping(self._limits, self._beams))

    def _possible(self, mapping: Callable[[], TopologyMapping]) -> DecayMapping:
        """The map, if the cuts leave room for it."""
        try:
            return DecayMapping(mapping(), self._mass)
        except InputError as error:
            raise self._card.error("cuts", str(error)) from None

    def _name(self, cluster: Cluster) -> str:
        """Lines with the legs that they carry, counted from 1: "z(2 w+(3 4))"."""
        if not cluster.children:
            return str(cluster.legs.bit_length())
        inside = " ".join(map(self._name, cluster.children))
        return f"{self._model.particle_name(cluster.pdg)}({inside})"


def _shifted(cluster: Cluster) -> Cluster:
    """A cluster behind one more incoming leg."""
    return Cluster(cluster.legs << 1, cluster.pdg, tuple(map(_shifted, cluster.children)))
