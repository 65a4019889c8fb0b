"""Limits of the invariant masses of sets of final particles that energy and cuts leave."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from madnis_py.physics.observables.cuts import Cut

WIDTHS_OF_PEAK = 15
"""Distance from its pole at which a resonance ends, in widths: beyond, the width changes
|propagator|^2 by less than 1 / 900."""

_ROUNDING = 1e-9
"""Distance in masses at which a pole without width still counts as reached: rounding of the limits
alone."""

_ANGLES = ("eta", "rapidity")

_LARGEST_GAP = 100.0
"""Distance in rapidity that no collider reaches; its cosh is finite."""


class MassLimits:
    """Limits that follow from masses and cuts, whatever the momenta are.

    A particle of mass m_1 and a massless one with p_T have 2 p_1.p_2 >= 2 p_T m_1^2 / sqrt(s). A
    pair has p_1.p_2 = m_T1 m_T2 cosh(Delta y) - p_T1 p_T2 cos(Delta phi), so that 2 p_1.p_2 is at
    least 2 p_T1 p_T2 (1 - cos R) for Delta R > R, R < pi, as for Delta phi > R, and at least
    2 p_T1 p_T2 (cosh(Delta) - 1) for Delta y > Delta, or Delta eta if both are massless. Every
    particle adds at least its transverse mass, and its energy in the rest frame of the collision,
    to the energy of that.

    Args:
        masses: of the legs in GeV, incoming first.
        cuts: what every event has to pass.
        energy: of the collision in GeV, at most; a fixed one is a cut on the mass of all final
            particles too.
        n_incoming: 1 for a decay.
    """

    def __init__(
        self,
        masses: Sequence[float],
        cuts: Iterable[Cut],
        energy: float = math.inf,
        n_incoming: int = 2,
    ) -> None:
        self.masses = tuple(masses)
        self._energy, self._n_incoming = energy, n_incoming
        cuts = tuple(cuts)
        self.pt = [
            _least_pt(mass, [cut for cut in cuts if cut.particles == (leg,)])
            for leg, mass in enumerate(self.masses)
        ]
        self._least_masses = _largest_minima(cut for cut in cuts if cut.observable == "mass")
        self._greatest_masses = _least_maxima(cut for cut in cuts if cut.observable == "mass")
        self._angles = _largest_minima(cut for cut in cuts if cut.observable in ("dr", "dphi"))
        self._rapidities = _largest_minima(
            cut for cut in cuts if cut.observable == "dy" or self._is_eta_gap(cut)
        )
        self._energies = _largest_minima(cut for cut in cuts if cut.observable == "partonic_energy")

    def least_mass(self, legs: Iterable[int]) -> float:
        """The least mass of a set of final particles in GeV."""
        legs = tuple(legs)
        squares = sum(self.masses[leg] ** 2 for leg in legs)
        squares += sum(self._least_product(a, b) for a, b in combinations(legs, 2))
        systems = [minimum for system, minimum in self._least_masses.items() if system <= set(legs)]
        return max(math.sqrt(squares), sum(self.masses[leg] for leg in legs), _largest(systems))

    def least_energy(self, legs: Iterable[int]) -> float:
        """The least energy in GeV of a collision that makes a set of particles."""
        legs = tuple(legs)
        energies = (
            max(
                math.hypot(self.masses[leg], self.pt[leg]),
                self._energies.get(frozenset((leg,)), 0.0),
            )
            for leg in legs
        )
        return max(self.least_mass(legs), sum(energies))

    def greatest_mass(self, legs: Iterable[int]) -> float:
        """The greatest mass in GeV that the other particles leave to a set of final ones."""
        legs = set(legs)
        others = set(range(self._n_incoming, len(self.masses))) - legs
        return min(self._energy - self.least_energy(others), self.cut_on_mass(legs))

    def cut_on_mass(self, legs: Iterable[int]) -> float:
        """The greatest mass in GeV that cuts on masses leave to a set of final particles."""
        legs = frozenset(legs)
        maxima = [
            maximum - self.least_mass(system - legs)
            for system, maximum in self._greatest_masses.items()
            if legs <= system
        ]
        return min([math.inf, *maxima])

    def reaches_pole(self, legs: Iterable[int], mass: float, width: float = 0.0) -> bool:
        """Whether a propagator can be on its mass shell, or so near that its width matters.

        Args:
            legs: the final particles whose momenta add up to its own.
            mass: in GeV.
            width: in GeV; without one the mass itself has to be within the limits, their ends
                included.
        """
        legs = tuple(legs)
        reach = max(WIDTHS_OF_PEAK * width, _ROUNDING * mass)
        return self.least_mass(legs) <= mass + reach and mass - reach <= self.greatest_mass(legs)

    def _least_product(self, a: int, b: int) -> float:
        """Lower limit of 2 p_a.p_b in GeV^2."""
        product = max(
            2 * self.masses[a] * self.masses[b], self._collinear(a, b), self._collinear(b, a)
        )
        both = frozenset((a, b))
        angle = min(self._angles.get(both, 0.0), math.pi)
        if angle:
            product = max(product, 2 * self.pt[a] * self.pt[b] * (1 - math.cos(angle)))
        gap = min(self._rapidities.get(both, 0.0), _LARGEST_GAP)
        if gap:
            product = max(product, 2 * self.pt[a] * self.pt[b] * (math.cosh(gap) - 1))
        pair = self._least_masses.get(both, 0.0)
        return max(product, pair**2 - self.masses[a] ** 2 - self.masses[b] ** 2)

    def _is_eta_gap(self, cut: Cut) -> bool:
        """Whether a cut separates two massless particles in pseudorapidity."""
        return cut.observable == "deta" and not any(self.masses[leg] for leg in cut.particles)

    def _collinear(self, a: int, b: int) -> float:
        """Lower limit of 2 p_a.p_b in GeV^2 for momenta in one direction.

        2 p_a.p_b >= 2 (E_a - |p_a|) p_Tb, E_a - |p_a| = m_a^2 / (E_a + |p_a|), where E_a is at most
        half of the energy.
        """
        return 2 * self.pt[b] * self.masses[a] ** 2 / self._energy if self.pt[b] else 0.0


def _least_pt(mass: float, cuts: Sequence[Cut]) -> float:
    """The least transverse momentum in GeV that cuts on a particle leave to it.

    Its own cut, or p = p_T cosh(eta) and E = m_T cosh(y).
    """
    pt, energy = (
        _largest(cut.minimum for cut in cuts if cut.observable == name) for name in ("pt", "energy")
    )
    eta, rapidity = (
        min([math.inf, *(cut.maximum for cut in cuts if cut.observable == name)])
        for name in _ANGLES
    )
    if energy <= mass:
        return pt
    momentum = math.sqrt(energy**2 - mass**2)
    by_rapidity = max((energy * _inverse_cosh(rapidity)) ** 2 - mass**2, 0.0)
    return max(pt, momentum * _inverse_cosh(eta), math.sqrt(by_rapidity))


def _inverse_cosh(x: float) -> float:
    """1 / cosh(x), 0 at infinity."""
    return 2 * math.exp(-x) / (1 + math.exp(-2 * x))


def _largest_minima(cuts: Iterable[Cut]) -> dict[frozenset[int], float]:
    """The largest minimum that cuts ask of each set of particles."""
    minima: dict[frozenset[int], float] = {}
    for cut in cuts:
        particles = frozenset(cut.particles)
        minima[particles] = max(cut.minimum, minima.get(particles, 0.0))
    return minima


def _least_maxima(cuts: Iterable[Cut]) -> dict[frozenset[int], float]:
    """The smallest maximum that cuts ask of each set of particles."""
    maxima: dict[frozenset[int], float] = {}
    for cut in cuts:
        particles = frozenset(cut.particles)
        maxima[particles] = min(cut.maximum, maxima.get(particles, math.inf))
    return maxima


def _largest(values: Iterable[float]) -> float:
    return max([0.0, *values])
