"""Vertices of a model with a direction, found by the particles that meet there.

Every particle at a vertex is taken as incoming: an incoming leg enters as itself, an outgoing one
as its antiparticle, and a propagator that collects the legs S enters the next vertex as one
particle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from madnis_py.physics.diagrams.coupling_orders import Powers
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import VertexTerm


@dataclass(frozen=True)
class DirectedVertex:
    """One term of a vertex with a direction: all of its particles but one come from below.

    Attributes:
        number: of the vertex, its position in `Model.vertices`.
        term: colour, Lorentz structure and couplings.
        slots: position inside the vertex of each particle from below.
        out: position of the remaining one.
        pdg: what goes on, as an incoming particle of the next vertex.
        powers: of the couplings.
    """

    number: int
    term: VertexTerm
    slots: tuple[int, ...]
    out: int
    pdg: int
    powers: Powers


class VertexTable:
    """The vertices of a model by the particles that meet there.

    Args:
        model: particles and vertices.

    Attributes:
        model: as given.
        most_below: the largest number of particles from below at a vertex.
        has_negative_powers: whether a vertex lowers a power of couplings.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.most_below = max(len(vertex.particles) for vertex in model.vertices) - 1
        self.has_negative_powers = any(min(one.orders) < 0 for one in model.vertices)
        self._by_particles: dict[tuple[int, ...], list[DirectedVertex]] = defaultdict(list)
        for number, vertex in enumerate(model.vertices):
            pdg = [model.pdg_of[name] for name in vertex.particles]
            for out in range(len(pdg)):
                if pdg[out] not in pdg[:out]:  # equal particles of a vertex are interchangeable
                    self._enter(number, pdg, out)

    def _enter(self, number: int, pdg: Sequence[int], out: int) -> None:
        vertex = self.model.vertices[number]
        rest = [slot for slot in range(len(pdg)) if slot != out]
        assignments = {tuple(pdg[slot] for slot in slots): slots for slots in permutations(rest)}
        for particles, slots in assignments.items():
            for term in vertex.terms:
                onward = self.model.anti(pdg[out])
                self._by_particles[particles].append(
                    DirectedVertex(number, term, slots, out, onward, vertex.orders)
                )

    def meeting(self, particles: tuple[int, ...]) -> Sequence[DirectedVertex]:
        """What can become of particles that meet, all incoming, in this order."""
        return self._by_particles.get(particles, ())

    def turned(self, vertex: DirectedVertex, slots: tuple[int, ...], out: int) -> DirectedVertex:
        """The same vertex with another particle going on."""
        pdg = self.model.pdg_of[self.model.vertices[vertex.number].particles[out]]
        return DirectedVertex(
            vertex.number, vertex.term, slots, out, self.model.anti(pdg), vertex.powers
        )


@lru_cache(maxsize=8)
def vertex_table(model: Model) -> VertexTable:
    """The table that all reactions of a model share."""
    return VertexTable(model)
