"""Photons of a proton or a lepton that stays whole: the equivalent-photon approximation.

Factorisation scales are the largest virtuality of the photon, Q^2 <= mu_F^2, as in MadGraph.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.beam_densities.beam_density import BeamDensity
from madnis_py.physics.beam_densities.masses import MASSES, PROTON

_ALPHA = 1 / 137.035999
"""Fine-structure constant at Q^2 = 0."""

_DIPOLE = 0.71
"""Q_0^2 of the dipole form of the form factors of a proton, in GeV^2."""

_MOMENT = 2.792847
"""Magnetic moment of the proton."""


class PhotonFlux(BeamDensity):
    """A flux of photons that depends on x and on their largest virtuality.

    Args:
        mass: of the particle that radiates, in GeV.
    """

    def __init__(self, mass: float) -> None:
        self._mass = mass

    def evaluate(self, x: Array, q2: Array) -> Array:
        """X f(x, Q^2), (n, 1); 0 where photons have to be further from their mass shell than Q."""
        inside = (x > 0) & (x < 1)
        share = np.where(inside, x, 0.5)
        least = (self._mass * share) ** 2 / (1 - share)
        inside &= least < q2
        flux = self._momentum_flux(share, np.where(inside, least, 1.0), np.where(inside, q2, 2.0))
        return np.where(inside, np.maximum(flux, 0.0), 0.0)[:, None]

    @abstractmethod
    def _momentum_flux(self, x: Array, least: Array, most: Array) -> Array:
        """X f(x) of photons with virtualities between two limits in GeV^2."""


class LeptonPhotons(PhotonFlux):
    """Photons of a lepton, Weizsaecker-Williams with the term of its mass.

    Eq. (26) of S. Frixione, M. L. Mangano, P. Nason, G. Ridolfi, hep-ph/9310350, without angles.
    """

    def _momentum_flux(self, x: Array, least: Array, most: Array) -> Array:
        """See `PhotonFlux`."""
        log = (1 + (1 - x) ** 2) * np.log(most / least)
        mass = 2 * (self._mass * x) ** 2 * (1 / most - 1 / least)
        return np.asarray(_ALPHA / (2 * np.pi) * (log + mass))


class ProtonPhotons(PhotonFlux):
    """Elastic photons of a proton with form factors of dipole form.

    Eq. (D.7) of V. M. Budnev, I. F. Ginzburg, G. V. Meledin, V. G. Serbo, Phys. Rept. 15 (1975)
    181.
    """

    def __init__(self) -> None:
        super().__init__(MASSES[PROTON])

    def _momentum_flux(self, x: Array, least: Array, most: Array) -> Array:
        """See `PhotonFlux`."""
        change = _phi(x, most / _DIPOLE) - _phi(x, least / _DIPOLE)
        return np.asarray(_ALPHA / np.pi * (1 - x) * change)


def _phi(x: Array, q: Array) -> Array:
    """Phi of Eq. (D.7) at Q^2 / Q_0^2."""
    ratio = 4 * MASSES[PROTON] ** 2 / _DIPOLE
    a, b = (1 + _MOMENT**2) / 4 + ratio, 1 - ratio
    c = (_MOMENT**2 - 1) / b**4
    y, above = x * x / (1 - x), 1 + q
    return np.asarray(
        (1 + a * y) * (-np.log1p(1 / q) + sum(1 / (k * above**k) for k in (1, 2, 3)))
        + y * (1 - b) / (4 * q * above**3)
        + c
        * (1 + y / 4)
        * (np.log((above - b) / above) + sum((b / above) ** k / k for k in (1, 2, 3)))
    )
