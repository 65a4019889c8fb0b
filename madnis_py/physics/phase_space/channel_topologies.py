"""Topologies of channels: diagrams that become channels, and symmetry groups of these.

The rules are those of MadGraph, and their counts those of Tab. 5.3 of the MadNIS thesis:

- a diagram in which four lines meet is no channel;
- diagrams with one topology whose lines agree in colour, mass and width are one channel: d and s
  quarks behind a CKM matrix are, a gluon and a photon in one place are not;
- a Z or a Higgs boson between the incoming particles counts as a photon, there being no peak to
  tell them apart. It has a channel of its own only where there is no photon;
- channels are alike if exchanges of final particles turn one into the other, particles and lines
  being equal where spin, colour, mass and width are, and charges up to a sign for those without
  colour. The t and t~ of g g > t t~ g may thus change places, or d and u~, but never the incoming
  particles, which differ in their parton densities.

For identical particles, and where charge conjugation or CP helps as in the processes of that table,
|M|^2 and the shares |M_i|^2 / sum_j |M_j|^2 are the same for all members of a group. Elsewhere, as
for the e- and e+ of u u~ > e- e+ a, members have phase space in common and no more; with
`identical_only` groups have equal integrals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.model.model import Model
from madnis_py.physics.phase_space.topology import Cluster, Propagator, Topology

_PHOTON = 22
_AS_PHOTON = (23, 25)
"""Particles that count as photons in the t channel."""

Kind = tuple[float, ...]
"""Numbers that two particles have in common that may change places."""
Shape = tuple[Any, ...]
"""A topology without the names of its legs, its particles replaced by their kinds."""


@dataclass(frozen=True)
class ChannelTopology:
    """The topology of a channel, its symmetry group and the diagrams whose peaks it follows.

    Attributes:
        diagrams: columns of |M_i|^2 that belong to it, ascending.
        topology: that of one of these diagrams, with the lightest t-channel particles.
        group: number of its symmetry group; the first channel of a group represents it.
        permutation: leg k of the representative stands at position permutation[k] here. The
            topology of the representative, so permuted, is this one, up to codes of particles with
            equal mass, width and colour.
    """

    diagrams: tuple[int, ...]
    topology: Topology
    group: int
    permutation: tuple[int, ...]


def channel_topologies(
    diagrams: Sequence[Diagram],
    legs: Sequence[int],
    model: Model,
    *,
    n_incoming: int = 2,
    photon_only_t_channel: bool = True,
    identical_only: bool = False,
) -> tuple[ChannelTopology, ...]:
    """The topologies of the channels of one reaction, in the order of their first diagrams.

    Args:
        diagrams: of the reaction.
        legs: PDG codes, incoming first.
        model: spins, colours, masses and widths.
        n_incoming: how many legs come in.
        photon_only_t_channel: whether a t-channel Z or Higgs boson counts as a photon; older
            versions of MadGraph tell them apart.
        identical_only: whether groups take identical final particles alone to be alike.

    Returns:
        The channels; none if four lines meet in every diagram.
    """
    kind = _LineKinds(model, _AS_PHOTON if photon_only_t_channel else ())
    members: dict[object, list[tuple[int, Topology]]] = defaultdict(list)
    for column, diagram in enumerate(diagrams):
        topology = Topology.of(diagram, n_incoming)
        if topology is not None:
            key = frozenset((line.kind, line.legs, kind(line)) for line in topology.propagators)
            members[key].append((column, topology))
    kinds: list[Kind] = [(pdg,) if identical_only else leg_kind(pdg, model) for pdg in legs]
    groups = _SymmetryGroups(kinds, model)
    channels = []
    for found in members.values():
        topology = groups.preferred([topology for _, topology in found])
        columns = tuple(column for column, _ in found)
        channels.append(ChannelTopology(columns, topology, *groups.place(topology)))
    return tuple(channels)


class _LineKinds:
    """Kinds of lines by what phase space depends on.

    Args:
        model: colours, masses and widths.
        as_photon: particles that count as photons in the t channel.
    """

    def __init__(self, model: Model, as_photon: Sequence[int]) -> None:
        self._model, self._as_photon = model, as_photon
        self._known: dict[tuple[str, int], Kind] = {}

    def __call__(self, line: Propagator) -> Kind:
        key = line.kind, line.pdg
        if key not in self._known:
            photon = line.kind == "t" and line.pdg in self._as_photon
            self._known[key] = line_kind(_PHOTON if photon else line.pdg, self._model)
        return self._known[key]


def line_kind(pdg: int, model: Model) -> Kind:
    """Colour, mass and width: propagators that agree in these are alike."""
    return model.particle(pdg).colour, model.mass(pdg), model.width(pdg)


def leg_kind(pdg: int, model: Model) -> Kind:
    """Spin, charge and kind as a line: final particles that agree in these are alike.

    The charge counts up to its sign, and not for particles with colour.
    """
    particle = model.particle(pdg)
    charge = abs(particle.charge) if particle.colour == 1 else 0.0
    return particle.spin, charge, *line_kind(pdg, model)


class _SymmetryGroups:
    """Sorts topologies into groups that exchanges of final particles connect.

    Args:
        legs: kind of each leg, incoming first; legs of equal kinds may change places.
        model: colours, masses and widths of lines.
    """

    def __init__(self, legs: Sequence[Kind], model: Model) -> None:
        self._model, self._legs = model, legs
        self._lines: dict[int, Kind] = {}
        self._representatives: dict[Shape, tuple[int, tuple[int, ...]]] = {}

    def place(self, topology: Topology) -> tuple[int, tuple[int, ...]]:
        """The group of a topology and the permutation from its representative.

        The topology founds a new group if it is in none.
        """
        shape, leaves = self._read(topology)
        group, origin = self._representatives.setdefault(
            shape, (len(self._representatives), leaves)
        )
        permutation = list(range(len(self._legs)))
        for position, there in zip(origin, leaves, strict=True):
            permutation[position] = there
        return group, tuple(permutation)

    def preferred(self, topologies: Sequence[Topology]) -> Topology:
        """The topology that stands for one channel, whatever the names of its legs."""
        return topologies[0] if len(topologies) == 1 else min(topologies, key=self._preference)

    def _preference(self, topology: Topology) -> tuple[float, Shape]:
        return sum(self._model.mass(pdg) for pdg in topology.exchanges), self._read(topology)[0]

    def _read(self, topology: Topology) -> tuple[Shape, tuple[int, ...]]:
        """The shape of a topology, and its final legs in the order in which the shape has them."""
        shapes, leaves = zip(*map(self._read_cluster, topology.clusters), strict=True)
        return (shapes, tuple(map(self._line, topology.exchanges))), sum(leaves, ())

    def _read_cluster(self, cluster: Cluster) -> tuple[Shape, tuple[int, ...]]:
        if not cluster.children:
            position = cluster.legs.bit_length() - 1
            return (self._legs[position],), (position,)
        shapes, leaves = zip(*sorted(map(self._read_cluster, cluster.children)), strict=True)
        return (self._line(cluster.pdg), *shapes), sum(leaves, ())

    def _line(self, pdg: int) -> Kind:
        if pdg not in self._lines:
            self._lines[pdg] = line_kind(pdg, self._model)
        return self._lines[pdg]
