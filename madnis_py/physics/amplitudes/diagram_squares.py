"""|M_i|^2 of single diagrams, without sums over the helicities of the whole process.

A diagram is cut at one propagator into a current J and a source G. Its helicity sum is a product of
two density matrices, sum |J.G|^2 = sum_{mu nu} (sum J^mu J^nu*) (sum G^mu G^nu*), each over the
helicities of its own legs alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from madnis_py.physics.amplitudes.currents import Currents, Scaled
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.trees import Tree
from madnis_py.physics.diagrams.vertex_table import VertexTable


@dataclass(frozen=True)
class SquarePair:
    """The helicity sum of one amplitude of a diagram.

    Attributes:
        diagram: its number.
        current: propagated node.
        source: node of all other legs without propagator.
        factor: of the square.
    """

    diagram: int
    current: int
    source: int
    factor: Fraction


class DiagramCurrents:
    """The currents of diagrams, one by one.

    Args:
        vertices: the vertices of the model.
        currents: where the nodes go.
    """

    def __init__(self, vertices: VertexTable, currents: Currents) -> None:
        self._vertices, self._currents = vertices, currents

    def pair(self, number: int, amplitude: Tree, first: Tree) -> SquarePair:
        """Cut one amplitude where the sides are most equal.

        Args:
            number: of its diagram.
            amplitude: rooted at the first leg.
            first: the first leg.
        """
        n_legs = amplitude.n_legs + 1
        cuts = (
            (max(tree.n_legs, n_legs - tree.n_legs), tree.legs, tree, rest)
            for tree, rest in self._cuts(amplitude, first)
        )
        _, _, tree, rest = min(cuts, key=lambda cut: cut[:2])
        small, large = sorted((tree, rest), key=lambda side: side.n_legs)
        current, source = self._node(small, True), self._node(large, False)
        return SquarePair(number, current.node, source.node, (current.factor * source.factor) ** 2)

    def _cuts(self, tree: Tree, rest: Tree) -> Iterator[tuple[Tree, Tree]]:
        """Both sides of every line of a tree: inside, external ones included, and below."""
        yield tree, rest
        for position, child in enumerate(tree.children):
            yield from self._cuts(child, self._turned(tree, rest, position))

    def _turned(self, tree: Tree, rest: Tree, position: int) -> Tree:
        """The last vertex of a tree, with the rest of the diagram in the place of a child."""
        assert tree.vertex is not None
        slots = [slot for k, slot in enumerate(tree.vertex.slots) if k != position]
        others = [child for k, child in enumerate(tree.children) if k != position]
        vertex = self._vertices.turned(
            tree.vertex, (*slots, tree.vertex.out), tree.vertex.slots[position]
        )
        legs = rest.legs | sum(child.legs for child in others)
        return Tree(legs, vertex.pdg, (0, 0), vertex, (*others, rest))

    def _node(self, tree: Tree, propagated: bool) -> Scaled:
        if tree.vertex is None:
            return Scaled(Fraction(1), self._currents.external(tree.legs, tree.pdg))
        children = [self._node(child, True) for child in tree.children]
        factor = Fraction(1)
        for child in children:
            factor *= child.factor
        terms = {
            vertex: factor * sign
            for vertex, sign in self._currents.vertex(
                tree.vertex, [child.node for child in children]
            )
        }
        current = self._currents.add(tree.legs, tree.pdg, terms, propagated)
        assert current is not None
        return current


def square_pairs(
    diagrams: tuple[Diagram, ...], vertices: VertexTable, currents: Currents, first_pdg: int
) -> list[SquarePair]:
    """The helicity sums of all amplitudes of all diagrams.

    Args:
        diagrams: as `diagrams_of` gives them.
        vertices: the vertices of the model.
        currents: where the nodes go.
        first_pdg: PDG code of the first leg, incoming.
    """
    builder = DiagramCurrents(vertices, currents)
    first = Tree(1, first_pdg, (0, 0))
    return [
        builder.pair(number, amplitude, first)
        for number, diagram in enumerate(diagrams)
        for amplitude in diagram.amplitudes
    ]
