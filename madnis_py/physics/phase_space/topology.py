"""Topologies of diagrams: the clusters that leave the line between the incoming particles.

Sets of legs are bit masks over positions, as in `diagrams`: incoming 0 and 1, for a decay 0 alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.trees import Tree, positions

_FIRST, _SECOND = 1, 2
"""Bit masks of the two incoming legs."""


@dataclass(frozen=True)
class Cluster:
    """Final particles that come from one line.

    Attributes:
        legs: bit mask over positions of legs (incoming 0 and 1).
        pdg: |PDG code| of the line, of the particle itself for an external leg.
        children: the two clusters that it decays to, () for an external leg, ordered by lowest leg.
        off_shell: whether the line may not be on its mass shell.
    """

    legs: int
    pdg: int
    children: tuple[Cluster, ...] = ()
    off_shell: bool = False

    @classmethod
    def of(cls, tree: Tree) -> Cluster:
        """The final particles of a part of a diagram."""
        children = _ordered(cls.of(child) for child in tree.children)
        return cls(tree.legs, abs(tree.pdg), children, tree.off_shell)

    def permuted(self, legs: Sequence[int]) -> Cluster:
        """The same with leg k at position legs[k]."""
        children = _ordered(child.permuted(legs) for child in self.children)
        moved = sum(1 << legs[k] for k in positions(self.legs))
        return Cluster(moved, self.pdg, children, self.off_shell)

    def decaying(self) -> Iterator[Cluster]:
        """The lines inside, this one included; external legs are none."""
        if self.children:
            yield self
        for child in self.children:
            yield from child.decaying()


def _ordered(clusters: Iterator[Cluster]) -> tuple[Cluster, ...]:
    return tuple(sorted(clusters, key=lambda cluster: cluster.legs & -cluster.legs))


@dataclass(frozen=True)
class Propagator:
    """A line of a topology.

    Attributes:
        kind: "s" decays to final particles, "t" connects the incoming ones.
        pdg: |PDG code|.
        legs: "s": positions of the legs that it decays to; "t": of those on the side of leg 0, leg
            0 included.
    """

    kind: Literal["s", "t"]
    pdg: int
    legs: tuple[int, ...]


@dataclass(frozen=True)
class Topology:
    """A diagram with three lines at every vertex, read from one incoming particle to the other.

    Attributes:
        clusters: in the order in which they leave the line from incoming leg 0 to incoming leg 1. A
            single cluster is a pure s channel (its pdg is the line that carries all of s-hat), or
            the particle that decays.
        exchanges: |PDG code| of the len(clusters) - 1 t-channel propagators between them.
    """

    clusters: tuple[Cluster, ...]
    exchanges: tuple[int, ...]

    @classmethod
    def of(cls, diagram: Diagram, n_incoming: int = 2) -> Topology | None:
        """The topology of a diagram, None if a vertex joins four lines.

        Args:
            diagram: rooted at leg 0.
            n_incoming: 1 for a decay of leg 0, whose other legs are all final.
        """
        if diagram.max_vertex > 3:
            return None
        line = diagram.tree
        if n_incoming == 1:
            return cls((Cluster.of(line),), ())
        clusters, exchanges = [], []
        while line.children:
            left, right = line.children
            line, leaving = (left, right) if left.legs & _SECOND else (right, left)
            clusters.append(Cluster.of(leaving))
            exchanges.append(abs(line.pdg))
        return cls(tuple(clusters), tuple(exchanges[:-1]))  # the last is leg 1 itself

    def permuted(self, legs: Sequence[int]) -> Topology:
        """The same with leg k at position legs[k].

        If that exchanges the incoming ones, the line between them is read from the other end.
        """
        step = -1 if legs[0] == 1 else 1
        return Topology(
            tuple(cluster.permuted(legs) for cluster in self.clusters[::step]),
            self.exchanges[::step],
        )

    @property
    def is_decay(self) -> bool:
        """Whether leg 1 is a final particle."""
        return bool(self.clusters[0].legs & _SECOND)

    @property
    def propagators(self) -> tuple[Propagator, ...]:
        """All lines but the external ones, t channel first."""
        sides = accumulate((cluster.legs for cluster in self.clusters[:-1]), initial=_FIRST)
        next(sides)
        exchanged = [
            Propagator("t", pdg, positions(legs))
            for pdg, legs in zip(self.exchanges, sides, strict=True)
        ]
        decaying = [one for cluster in self.clusters for one in cluster.decaying()]
        lines = decaying[1:] if self.is_decay else decaying
        return (*exchanged, *(Propagator("s", one.pdg, positions(one.legs)) for one in lines))
