"""Trees: parts of Feynman diagrams in which external legs become one particle.

Sets of legs are bit masks, bit k being the leg at position k, incoming legs first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from madnis_py.physics.diagrams.coupling_orders import Powers
from madnis_py.physics.diagrams.vertex_table import DirectedVertex

PropagatorKey = tuple[int, int]
"""A propagator: its |PDG code|, and the bit mask of the legs on the side without leg 0."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A part of a diagram: external legs that become one particle.

    Attributes:
        legs: bit mask.
        pdg: the particle, as incoming at the next vertex.
        powers: of the couplings inside.
        vertex: the last one; None for an external leg.
        children: what meets there.
        off_shell: whether the definition does not let the particle be on its mass shell.
        shape: equal for trees that differ in the structures of their vertices alone.
    """

    legs: int
    pdg: int
    powers: Powers
    vertex: DirectedVertex | None = None
    children: tuple[Tree, ...] = ()
    off_shell: bool = False

    @cached_property
    def shape(self) -> object:
        """A key; see above."""
        return (
            self.legs,
            self.pdg,
            self.vertex and self.vertex.number,
            tuple(child.shape for child in self.children),
        )

    def subtrees(self) -> Iterator[Tree]:
        """All trees inside, this one included, external legs too, parents before children."""
        ahead = [self]
        while ahead:
            tree = ahead.pop()
            yield tree
            ahead.extend(reversed(tree.children))

    @property
    def n_legs(self) -> int:
        """How many external legs it holds."""
        return self.legs.bit_count()


@lru_cache(maxsize=4096)
def positions(legs: int) -> tuple[int, ...]:
    """The positions of a set of legs, ascending."""
    return tuple(position for position in range(legs.bit_length()) if legs >> position & 1)
