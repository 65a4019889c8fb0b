"""Builder of the channels of a process from its diagrams: topologies, symmetry groups, mappings."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.selection import Selection
from madnis_py.physics.phase_space.channel import Channel, PropagatorFactor, kept_names
from madnis_py.physics.phase_space.channel_topologies import ChannelTopology, channel_topologies
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.on_shell_mapping import OnShellMapping
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.phase_space.topology_mapping import diagram_mapping, flat_mapping

_SYMMETRIC = 1e-9
"""Relative difference of |M|^2 at exchanged momenta below which an exchange counts as a
symmetry."""


@dataclass(frozen=True)
class Contribution:
    """Properties of a matrix element that channels depend on.

    Attributes:
        legs: PDG codes, incoming first.
        diagrams: its Feynman diagrams.
        offset: number of its first diagram among the columns of the integrand.
        squared: momenta -> |M|^2, for tests of symmetries.
    """

    legs: tuple[int, ...]
    diagrams: tuple[Diagram, ...]
    offset: int
    squared: Callable[[Array], Array]


class ChannelBuilder:
    """Builds the channels of a process.

    Args:
        contributions: its matrix elements.
        model: masses and widths.
        selection: what events have to pass.
        beams: what collides.
        card: for channels to omit.

    Raises:
        CardError: there is no phase-space mapping for the process.
    """

    def __init__(
        self,
        contributions: Sequence[Contribution],
        model: Model,
        selection: Selection,
        beams: CollidingBeams,
        card: Card,
    ) -> None:
        self._contributions, self._model = tuple(contributions), model
        self._selection, self._card = selection, card
        masses = {tuple(model.mass(pdg) for pdg in one.legs) for one in contributions}
        if len(masses) > 1:
            raise self._refused("whose particles have one mass in all flavours")
        self._masses = masses.pop()
        self._beams = beams
        if self._masses[:2] != beams.masses:
            raise self._refused("with massless incoming particles where beams have densities")
        if len(self._masses) == 3 and beams.shares != ("smooth", "smooth"):
            raise self._refused("with two smooth parton densities or two or more final particles")
        self._limits = MassLimits(self._masses, selection.cuts, math.sqrt(self._beams.s))

    def build(self) -> tuple[Channel, ...]:
        """The channels, in the order of their diagrams, without those that the card omits."""
        if len(self._masses) == 3:
            on_shell = self._possible(
                "beams.energy", lambda: OnShellMapping(self._beams.energies, self._masses[2])
            )
            return (self._whole("s", on_shell),)
        self._check_room()
        if self._card.channels.phase_space == "flat":
            return self._flat()
        several = len(self._contributions) > 1
        topologies = self._shared_topologies() if several else self._grouped_topologies()
        if not topologies:  # contact terms alone
            return self._flat()
        representatives = {one.group: one for one in reversed(topologies)}
        channels = [self._channel(one, representatives[one.group]) for one in topologies]
        names = kept_names([channel.name for channel in channels], self._card)
        kept = [channel for channel in channels if channel.name in names]
        groups = list(dict.fromkeys(channel.group for channel in kept))  # numbered without gaps
        return tuple(replace(channel, group=groups.index(channel.group)) for channel in kept)

    def _flat(self) -> tuple[Channel, ...]:
        mapping = self._possible("cuts", lambda: flat_mapping(self._limits, self._beams))
        return (self._whole("flat", mapping),)

    def _check_room(self) -> None:
        """The final particles, and what is cut on, need less energy than the beams have."""
        energy, final = math.sqrt(self._beams.s), range(2, len(self._masses))
        masses, least = sum(self._masses[2:]), self._limits.least_energy(final)
        if masses >= energy:
            expected = f"expected sqrt(s) above the masses of the final particles, {masses:g} GeV"
            raise self._card.error("beams.energy", f"{expected}; got {energy:g} GeV")
        if least >= energy:
            expected = f"expected cuts that leave room below sqrt(s) = {energy:g} GeV"
            raise self._card.error(
                "cuts", f"{expected}; got some that ask for {least:g} GeV or more"
            )

    def _whole(self, name: str, mapping: ChannelMapping) -> Channel:
        """A single channel for all diagrams."""
        columns = sum(len(one.diagrams) for one in self._contributions)
        return Channel(name, mapping, tuple(range(columns)), (), 0)

    def _possible(self, place: str, mapping: Callable[[], ChannelMapping]) -> ChannelMapping:
        """The mapping that is made, if this place of the card leaves room for it."""
        try:
            return mapping()
        except InputError as error:
            raise self._card.error(place, str(error)) from None

    def _refused(self, expected: str) -> Exception:
        definition = self._card.definition
        return self._card.error(
            "process.definition", f'expected a process {expected} to integrate; got "{definition}"'
        )

    def _grouped_topologies(self) -> tuple[ChannelTopology, ...]:
        """The channels of a single matrix element in symmetry groups.

        Groups are as large as cuts and |M|^2 allow: exchanges of all final particles that are
        alike, else of identical ones, else none.
        """
        (one,) = self._contributions
        grouped = channel_topologies(one.diagrams, one.legs, self._model)
        if self._symmetric(grouped, one):
            return grouped
        identical = channel_topologies(one.diagrams, one.legs, self._model, identical_only=True)
        if self._symmetric(identical, one):
            return identical
        identity = tuple(range(len(one.legs)))
        return tuple(
            replace(channel, group=number, permutation=identity)
            for number, channel in enumerate(identical)
        )

    def _symmetric(self, channels: Sequence[ChannelTopology], one: Contribution) -> bool:
        """Whether exchanges inside the groups of channels change neither cuts nor |M|^2."""
        exchanges = {channel.permutation for channel in channels}
        if not all(self._selection.unchanged_by(exchange) for exchange in exchanges):
            return False
        p = generic_momenta(self._masses, 2)
        there = one.squared(p)
        return all(
            np.allclose(one.squared(_exchanged(p, exchange)), there, rtol=_SYMMETRIC, atol=0)
            for exchange in exchanges
        )

    def _shared_topologies(self) -> tuple[ChannelTopology, ...]:
        """The channels of several matrix elements, one for equal lines; each is its own group."""
        columns: dict[object, list[int]] = defaultdict(list)
        topologies: dict[object, Topology] = {}
        for one in self._contributions:
            for channel in channel_topologies(one.diagrams, one.legs, self._model):
                key = frozenset(self._propagators(channel.topology))
                topologies.setdefault(key, channel.topology)
                columns[key] += [one.offset + column for column in channel.diagrams]
        identity = tuple(range(len(self._masses)))
        return tuple(
            ChannelTopology(tuple(columns[key]), topology, group, identity)
            for group, (key, topology) in enumerate(topologies.items())
        )

    def _channel(self, own: ChannelTopology, representative: ChannelTopology) -> Channel:
        poles = {
            row.pdg: (self._model.mass(row.pdg), self._model.width(row.pdg))
            for row in self._model.particles
        }
        arguments = representative.topology, self._limits, poles, self._beams, own.permutation
        return Channel(
            name=self._name(own.topology),
            mapping=self._possible("cuts", lambda: diagram_mapping(*arguments)),
            diagrams=own.diagrams,
            propagators=self._propagators(own.topology),
            group=own.group,
        )

    def _propagators(self, topology: Topology) -> tuple[PropagatorFactor, ...]:
        mass, width = self._model.mass, self._model.width
        return tuple(
            PropagatorFactor(line.kind, line.legs, mass(line.pdg), width(line.pdg))
            for line in topology.propagators
        )

    def _name(self, topology: Topology) -> str:
        """Lines with the legs that they carry, counted from 1.

        An example is "z(3 4)"; along the line between the incoming particles, "3 -t- g(4 5)".
        """
        if len(topology.clusters) == 1:
            return self._cluster_name(topology.clusters[0])
        names = [self._cluster_name(cluster) for cluster in topology.clusters]
        lines = [self._model.particle_name(pdg) for pdg in topology.exchanges]
        return names[0] + "".join(
            f" -{line}- {name}" for line, name in zip(lines, names[1:], strict=True)
        )

    def _cluster_name(self, cluster: Cluster) -> str:
        if not cluster.children:
            return str(cluster.legs.bit_length())
        inside = " ".join(self._cluster_name(child) for child in cluster.children)
        return f"{self._model.particle_name(cluster.pdg)}({inside})"


def _exchanged(p: Array, exchange: Sequence[int]) -> Array:
    """Momenta with particle k at position exchange[k], in the layout of the kernels."""
    moved = np.empty_like(p.transpose(1, 2, 0))
    moved[list(exchange)] = p.transpose(1, 2, 0)
    return moved.transpose(2, 0, 1)
