"""Feynman diagrams of a process, at tree level: all of them, from the recursion over its legs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from madnis_py.physics.diagrams.coupling_orders import Powers
from madnis_py.physics.diagrams.recursion import Recursion
from madnis_py.physics.diagrams.trees import Tree, positions


@dataclass(frozen=True)
class Diagram:
    """One Feynman diagram.

    Attributes:
        amplitudes: its trees, rooted at leg 0, one per choice of structures in four-point vertices
            that have several.
    """

    amplitudes: tuple[Tree, ...]

    @property
    def tree(self) -> Tree:
        """The diagram, rooted at leg 0."""
        return self.amplitudes[0]

    @property
    def powers(self) -> Powers:
        """Powers of the strong and of the electroweak coupling."""
        return self.tree.powers

    @property
    def propagators(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(|PDG code|, positions of the legs on the side without leg 0) of every propagator."""
        inside = [
            tree
            for tree in self.tree.subtrees()
            if tree.vertex is not None and tree is not self.tree
        ]
        return tuple(sorted((abs(tree.pdg), positions(tree.legs)) for tree in inside))

    @property
    def off_shell(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """The `propagators` that the definition does not let be on their mass shell."""
        inside = [tree for tree in self.tree.subtrees() if tree.off_shell]
        return tuple(sorted((abs(tree.pdg), positions(tree.legs)) for tree in inside))

    @property
    def max_vertex(self) -> int:
        """The largest number of particles that meet at a vertex."""
        return max(1 + len(tree.children) for tree in self.tree.subtrees() if tree.children)


def diagrams_of(step: Recursion) -> tuple[Diagram, ...]:
    """The diagrams of a process, each with its amplitudes."""
    by_shape: dict[object, list[Tree]] = defaultdict(list)
    for tree in step.final_trees():
        by_shape[tree.shape].append(tree)
    return tuple(Diagram(tuple(trees)) for trees in by_shape.values())
