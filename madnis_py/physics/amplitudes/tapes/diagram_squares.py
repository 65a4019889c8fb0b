"""|M_i|^2 of single diagrams, without sums over the helicities of the whole process.

A diagram is cut at one propagator into a current J and a source G. Its helicity sum is a product of
two density matrices, sum |J.G|^2 = sum_{mu nu} (sum J^mu J^nu*) (sum G^mu G^nu*), each over the
helicities of its own legs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.currents import WIDE, Currents, Scaled
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
        self._known: dict[tuple[Tree, bool], Scaled] = {}

    def pair(self, number: int, amplitude: Tree, first: Tree) -> SquarePair:
        """Cut one amplitude where the sides are most equal.

        Args:
            number: of its diagram.
            amplitude: rooted at the first leg.
            first: the first leg.

        Raises:
            InputError: all lines have spin 2 or 3/2.
        """
        n_legs = amplitude.n_legs + 1
        narrow = [
            tree for tree in amplitude.subtrees() if self._currents.kind(tree.pdg) not in WIDE
        ]
        if not narrow:
            raise InputError(
                "expected a particle of spin 0, 1/2 or 1 in every diagram; got one that has spin 2 "
                "and 3/2 alone"
            )
        cut = min(narrow, key=lambda tree: _cost(tree, n_legs))
        sides = cut, self._rest(amplitude, first, cut)
        small, large = sorted(sides, key=lambda side: side.n_legs)
        current, source = self._node(small, True), self._node(large, False)
        return SquarePair(number, current.node, source.node, (current.factor * source.factor) ** 2)

    def _rest(self, tree: Tree, rest: Tree, cut: Tree) -> Tree:
        """All of a diagram but the line `cut` and what is below.

        Args:
            tree: a part of the diagram that `cut` is in.
            rest: the diagram without that part.
            cut: where to cut.
        """
        while tree is not cut:
            position = next(
                k for k, child in enumerate(tree.children) if child.legs & cut.legs == cut.legs
            )
            tree, rest = tree.children[position], self._turned(tree, rest, position)
        return rest

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
        if (tree, propagated) not in self._known:
            self._known[tree, propagated] = self._made(tree, propagated)
        return self._known[tree, propagated]

    def _made(self, tree: Tree, propagated: bool) -> Scaled:
        if tree.vertex is None:
            return Scaled(Fraction(1), self._currents.external(tree.legs, tree.pdg))
        children = [self._node(child, True) for child in tree.children]
        factor = Fraction(1)
        for child in children:
            factor *= child.factor
        terms = {
            vertex: factor * sign
            for vertex, sign in self._currents.vertex(
                tree.vertex, [child.node for child in children], propagated
            )
        }
        current = self._currents.add(tree.legs, tree.pdg, terms, propagated)
        assert current is not None
        return current


def _cost(cut: Tree, n_legs: int) -> tuple[int, int]:
    """Legs on the larger side of a cut; of equal cuts the one with the lowest legs is taken."""
    return max(cut.n_legs, n_legs - cut.n_legs), cut.legs


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
