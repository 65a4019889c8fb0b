"""Which vertices of other models are computed, and what the others lack."""

from __future__ import annotations

from collections.abc import Sequence

from madnis_py.physics.colour.colour_strings import structures_of
from madnis_py.physics.model.particles import Vertex
from madnis_py.physics.ufo.ufo_rows import UfoParticle

_SPINS = (1, 2, 3, 4, 5)
"""2 s + 1 of particles with wave functions and propagators."""


def lacking(vertex: Vertex, incoming: Sequence[UfoParticle]) -> str:
    """What of a vertex is not computed, a phrase for messages; "" where all is.

    Args:
        vertex: in tables.
        incoming: its particles, in its order.
    """
    for row in incoming:
        if row.spin not in _SPINS:
            return f"particles of spin {(row.spin - 1) / 2:g}"
    for term in vertex.terms:
        try:
            structures_of(term.colour, tuple(row.colour for row in incoming))
        except ValueError as error:
            return f"another colour factor, {error}"
    return ""
