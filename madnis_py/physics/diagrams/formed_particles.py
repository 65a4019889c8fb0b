"""Particles that external ones can become together, whatever the order of their legs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product

from madnis_py.physics.diagrams.coupling_orders import (
    OrderLimit,
    Powers,
    added,
    lowest,
    no_powers,
)
from madnis_py.physics.diagrams.vertex_table import VertexTable

Particles = tuple[int, ...]
"""PDG codes as incoming at a vertex, ascending."""

Formed = tuple[int, Powers]
"""A particle as incoming at the next vertex, and the powers of the couplings that it takes."""


class FormedParticles:
    """What external particles become in trees, with the powers of couplings.

    It depends on the particles alone, not on their positions, so that all reactions of a definition
    share one table. Powers may be negative: what is over a limit here may be brought below it by
    the vertices outside, of which there are as many as legs are left.

    Args:
        vertices: those of the model.
        orders: limits on the powers of couplings inside.
        lowest: whether to keep the lowest WEIGHTED order alone, of each particle and of each
            power of the orders that the model limits.
        n_external: number of external particles of the amplitudes; 0 where no power is negative.
    """

    def __init__(
        self,
        vertices: VertexTable,
        orders: tuple[OrderLimit, ...],
        lowest: bool,
        n_external: int = 0,
    ) -> None:
        self._vertices, self._orders, self._lowest = vertices, orders, lowest
        self._model_orders = vertices.model.orders
        self._n_external = n_external
        limited = [one for one in self._model_orders if one.is_limited]
        self._most = [(one.column, one.expansion) for one in limited]
        self._limits = [OrderLimit(one.name, one.expansion) for one in limited] + [*orders]
        self._outside: dict[tuple[OrderLimit, int], float] = {}
        self._known: dict[Particles, frozenset[Formed]] = {}

    def of(self, particles: Iterable[int]) -> frozenset[Formed]:
        """What particles become, PDG codes as incoming at a vertex, in any order."""
        return self._of(tuple(sorted(particles)))

    def _of(self, particles: Particles) -> frozenset[Formed]:
        if particles not in self._known:
            alone = {(particles[0], no_powers(self._model_orders))}
            formed = alone if len(particles) == 1 else self._made(particles)
            self._known[particles] = frozenset(formed)
        return self._known[particles]

    def _made(self, particles: Particles) -> Iterable[Formed]:
        made = set()
        for parts in _splittings(particles, self._vertices.most_below):
            for below in product(*map(self._of, parts)):
                meeting = self._vertices.meeting(tuple(pdg for pdg, _ in below))
                for onward, own in {(vertex.pdg, vertex.powers) for vertex in meeting}:
                    powers = own
                    for _, inside in below:
                        powers = added(powers, inside)
                    if self._allows_inside(powers, len(particles)):
                        made.add((onward, powers))
        return self._lowest_of(made) if self._lowest else made

    def _allows_inside(self, powers: Powers, size: int) -> bool:
        """Whether some particles may take these powers, by the definition and the model."""
        return all(
            limit.allows_inside(powers, self._model_orders, self._least_outside(limit, size))
            for limit in self._limits
        )

    def _least_outside(self, limit: OrderLimit, size: int) -> float:
        """The least that all that is outside of some particles adds to a limited power.

        Vertices of n legs outside share one unit per leg that is left, n - 2 each.
        """
        if not self._n_external:
            return 0
        key = limit, size
        if key not in self._outside:
            units = self._n_external - 1 - size
            if limit.squared:  # and what the other amplitude adds
                units += self._n_external - 2
            self._outside[key] = min(
                0,
                *(
                    units * limit.power_of(vertex.orders, self._model_orders) / (n_legs - 2)
                    for vertex in self._vertices.model.vertices
                    if (n_legs := len(vertex.particles))
                ),
            )
        return self._outside[key]

    def _lowest_of(self, made: Iterable[Formed]) -> Iterator[Formed]:
        """Those of the lowest WEIGHTED order.

        A limited order that is cheap may be used up elsewhere: each of its powers counts for
        itself.
        """
        kinds: dict[tuple[int, ...], set[Powers]] = defaultdict(set)
        for pdg, powers in made:
            kinds[pdg, *(powers[column] for column, _ in self._most)].add(powers)
        for (pdg, *_), found in kinds.items():
            yield from ((pdg, powers) for powers in lowest(found, self._model_orders))


def formed_particles(
    vertices: VertexTable, orders: tuple[OrderLimit, ...], lowest: bool, n_external: int
) -> FormedParticles:
    """The table that all reactions with these orders share; see `FormedParticles`."""
    return _shared(vertices, orders, lowest, n_external if vertices.has_negative_powers else 0)


_shared = lru_cache(maxsize=8)(FormedParticles)


def _splittings(particles: Particles, most: int) -> set[tuple[Particles, ...]]:
    """All ways to split particles into two to `most` parts, equal particles taken as one kind."""
    found: set[tuple[Particles, ...]] = set()
    for first, rest in _first_parts(particles):
        found.add(tuple(sorted((first, rest))))
        if most > 2 and len(rest) > 1:
            found |= {tuple(sorted((first, *more))) for more in _splittings(rest, most - 1)}
    return found


def _first_parts(particles: Particles) -> set[tuple[Particles, Particles]]:
    """All parts, not empty nor everything, that the first particle belongs to, and what is left."""
    first, *others = particles
    parts: set[tuple[Particles, Particles]] = {((first,), ())}
    for pdg in others:
        parts = {
            split for part, rest in parts for split in (((*part, pdg), rest), (part, (*rest, pdg)))
        }
    return {(part, rest) for part, rest in parts if rest}
