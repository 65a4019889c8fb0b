"""The least invariant masses that cuts leave to sets of final particles: limits of phase-space maps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from madnis_py.physics.cuts import Cut


class MassFloors:
    """Lower limits that follow from masses and cuts, whatever the momenta are.

    A particle of mass m_1 and a massless one with p_T have 2 p_1.p_2 >= 2 p_T m_1^2 / sqrt(s), a pair with Delta R > R
    has 2 p_1.p_2 >= 2 p_T1 p_T2 (1 - cos R) for R < pi, and every particle adds at least
    its transverse mass to the energy of the collision.

    Args:
        masses: of the legs in GeV, incoming first.
        cuts: what every event has to pass.
        energy: of the collision in GeV, at most.
    """

    def __init__(self, masses: Sequence[float], cuts: Iterable[Cut], energy: float = math.inf) -> None:
        self.masses = tuple(masses)
        self._energy = energy
        cuts = tuple(cuts)
        self.pt = [
            _largest(cut.minimum for cut in cuts if cut.observable == "pt" and cut.particles == (leg,))
            for leg in range(len(masses))
        ]
        self._systems = _strictest(cut for cut in cuts if cut.observable == "mass")
        self._separations = _strictest(cut for cut in cuts if cut.observable == "dr")

    def least_mass(self, legs: Iterable[int]) -> float:
        """The least mass of a set of final particles in GeV."""
        legs = tuple(legs)
        squares = sum(self.masses[leg] ** 2 for leg in legs)
        squares += sum(self._least_product(a, b) for a, b in combinations(legs, 2))
        systems = [minimum for system, minimum in self._systems.items() if system <= set(legs)]
        return max(math.sqrt(squares), sum(self.masses[leg] for leg in legs), _largest(systems))

    def least_energy(self, legs: Iterable[int]) -> float:
        """The least energy in GeV of a collision that makes a set of particles."""
        legs = tuple(legs)
        return max(self.least_mass(legs), sum(math.hypot(self.masses[leg], self.pt[leg]) for leg in legs))

    def _least_product(self, a: int, b: int) -> float:
        """Lower limit of 2 p_a.p_b in GeV^2."""
        product = max(2 * self.masses[a] * self.masses[b], self._collinear(a, b), self._collinear(b, a))
        separation = min(self._separations.get(frozenset((a, b)), 0.0), math.pi)
        if separation:
            product = max(product, 2 * self.pt[a] * self.pt[b] * (1 - math.cos(separation)))
        pair = self._systems.get(frozenset((a, b)), 0.0)
        return max(product, pair**2 - self.masses[a] ** 2 - self.masses[b] ** 2)

    def _collinear(self, a: int, b: int) -> float:
        """2 p_a.p_b >= 2 (E_a - |p_a|) p_Tb, E_a - |p_a| = m_a^2 / (E_a + |p_a|), E_a at most half of the energy."""
        return 2 * self.pt[b] * self.masses[a] ** 2 / self._energy


def _strictest(cuts: Iterable[Cut]) -> dict[frozenset[int], float]:
    """The largest minimum that cuts ask of each set of particles."""
    minima: dict[frozenset[int], float] = {}
    for cut in cuts:
        particles = frozenset(cut.particles)
        minima[particles] = max(cut.minimum, minima.get(particles, 0.0))
    return minima


def _largest(values: Iterable[float]) -> float:
    return max([0.0, *values])
