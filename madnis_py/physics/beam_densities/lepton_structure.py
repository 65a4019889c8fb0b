"""Leptons after initial-state radiation: soft photons to all orders, hard ones to the third.

Eqs. (2.44) and (2.45) of A. Denner, S. Dittmaier, M. Roth, D. Wackeroth, hep-ph/0302198, after
E. A. Kuraev, V. S. Fadin and M. Skrzypek, S. Jadach; MadGraph's `isronlyll`.
"""

from __future__ import annotations

import math

import numpy as np
import scipy  # loads its parts when they are needed

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.beam_densities.beam_density import BeamDensity


def radiation_power(q2: Array | float, mass: float, alpha: float) -> Array:
    """Beta = alpha / pi (log(Q^2 / m^2) - 1): densities have a peak (1 - x)^(beta - 1).

    Args:
        q2: Q^2 in GeV^2.
        mass: of the lepton in GeV.
        alpha: electromagnetic coupling.
    """
    return np.asarray(alpha / math.pi * (np.log(np.asarray(q2) / mass**2) - 1))


class RadiatingLepton(BeamDensity):
    """The density of a lepton in a beam of such leptons that radiate photons.

    Below 1 - x = `LEAST_REST` it is its mean in the measure of a map with the peak
    (1 - x)^(power - 1), as `PeakedShare` of cpp/phase_space/collision.hpp needs it.

    Args:
        mass: of the lepton in GeV.
        alpha: electromagnetic coupling.
        power: of the peak of the map.
    """

    def __init__(self, mass: float, alpha: float, power: float) -> None:
        self._mass, self._alpha, self._power = mass, alpha, power

    def evaluate(self, x: Array, q2: Array) -> Array:
        """See `BeamDensity.evaluate`, (n, 1)."""
        return (x * self.density(x, q2))[:, None]

    def density(self, x: Array, q2: Array) -> Array:
        """D(x, Q^2), (n,); 0 for x outside of (0, 1]."""
        beta = self.power(q2)
        unresolved = 1 - x <= _core.LEAST_REST
        rest = np.maximum(1 - x, _core.LEAST_REST)
        peak = np.where(unresolved, self._power, beta) * rest ** (beta - 1)
        inside = (x > 0) & (x <= 1 + 1e-12)
        return np.where(inside, peak * self.without_peak(np.where(inside, x, 0.5), rest, q2), 0.0)

    def power(self, q2: Array) -> Array:
        """Beta at Q^2 in GeV^2."""
        return radiation_power(q2, self._mass, self._alpha)

    def without_peak(self, x: Array, rest: Array, q2: Array) -> Array:
        """D(x, Q^2) over beta (1 - x)^(beta - 1), which is smooth up to x = 1.

        Args:
            x: shares in (0, 1].
            rest: 1 - x, in more digits.
            q2: Q^2 in GeV^2.
        """
        beta = self.power(q2)
        norm = np.exp(beta * (0.75 - np.euler_gamma)) / scipy.special.gamma(1 + beta)
        resolved = rest > _core.LEAST_REST
        hard = _hard(np.where(resolved, x, 0.5), beta) * rest ** (1 - beta) / beta
        return np.asarray(norm + np.where(resolved, hard, 0.0))


def _hard(x: Array, beta: Array) -> Array:
    """Terms without the peak, of the orders beta, beta^2 and beta^3."""
    rest, log, log_rest = 1 - x, np.log(x), np.log1p(-x)
    first = (1 + x) / 2
    second = ((1 + 3 * x**2) / rest * log + 4 * (1 + x) * log_rest + 5 + x) / 8
    third = (
        (1 + x) * (6 * scipy.special.spence(rest) + 12 * log_rest**2 - 3 * np.pi**2)
        + (
            1.5 * (1 + 8 * x + 3 * x**2) * log
            + 6 * (x + 5) * rest * log_rest
            + 12 * (1 + x**2) * log * log_rest
            - 0.5 * (1 + 7 * x**2) * log**2
            + 0.25 * (39 - 24 * x - 15 * x**2)
        )
        / rest
    ) / 48
    return np.asarray(-beta * first - beta**2 * second - beta**3 * third)
