"""Mirrored matrix elements: both orders of the incoming particles share one tape."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.trees import Tree
from madnis_py.physics.observables.momenta import exchanged


class Mirrored(MatrixElement):
    """|M|^2 of b a > X by the matrix element of a b > X at exchanged incoming momenta.

    Attributes:
        element: that of the other order.
        columns: for every diagram of this order, its position among those of the other one.
    """

    def __init__(self, element: MatrixElement, columns: Sequence[int]) -> None:
        self.element, self.columns = element, list(columns)
        self.n_diagrams, self.n_particles = element.n_diagrams, element.n_particles
        self.alpha_s_power = element.alpha_s_power
        self.flows = tuple((second, first, *rest) for first, second, *rest in element.flows)
        self.helicities = element.helicities[:, [1, 0, *range(2, self.n_particles)]]

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """See `MatrixElement.evaluate`."""
        me2, squares = self.element.evaluate(exchanged(p), alpha_s)
        return me2, squares[:, self.columns]

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        """See `MatrixElement.squared`."""
        return self.element.squared(exchanged(p), alpha_s)

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """See `MatrixElement.weights`."""
        return self.element.weights(exchanged(p), alpha_s)

    def parts(self, p: Array, alpha_s: Array | float) -> dict[SquaredOrders, Array]:
        """See `MatrixElement.parts`."""
        return self.element.parts(exchanged(p), alpha_s)

    @property
    def identity(self) -> Hashable:
        """See `MatrixElement.identity`."""
        return "mirrored", self.element.identity, tuple(self.columns)


def mirror(reaction: Reaction) -> Reaction:
    """The reaction with its incoming particles exchanged."""
    return replace(
        reaction, incoming=reaction.incoming[::-1], polarisations=reaction.polarisations[::-1]
    )


def mirrored_columns(ours: Sequence[Diagram], theirs: Sequence[Diagram]) -> list[int] | None:
    """Positions of the diagrams of a process among those with exchanged incoming particles.

    None if some diagrams have no counterpart.
    """
    places = {_content(diagram, (1, 0)): place for place, diagram in enumerate(theirs)}
    columns = [places.get(_content(diagram, (0, 1))) for diagram in ours]
    found = [column for column in columns if column is not None]
    return found if len(set(found)) == len(ours) == len(theirs) else None


def _content(diagram: Diagram, order: tuple[int, int]) -> frozenset[object]:
    """The vertices with the lines that meet there, whatever leg the diagram is rooted at."""
    everything = diagram.tree.legs | 1

    def line(tree: Tree) -> tuple[int, int]:
        """The legs on the side without leg 0 and |PDG code|."""
        legs = (tree.legs & ~3) | sum((tree.legs >> k & 1) << order[k] for k in (0, 1))
        return (everything ^ legs if legs & 1 else legs), abs(tree.pdg)

    return frozenset(
        (tree.vertex.number, frozenset(line(part) for part in (tree, *tree.children)))
        for tree in diagram.tree.subtrees()
        if tree.vertex is not None
    )
