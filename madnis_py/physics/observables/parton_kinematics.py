"""Kinematics of the incoming partons: s-hat and the flux factor.

`features` measures final particles for the networks, `observable` for histograms, `scales` for
alpha_s and the PDFs.
"""

from __future__ import annotations

import numpy as np

from madnis_py.arrays import Array


def s_hat(p: Array) -> Array:
    """Squared energy of the partonic collision, (p_1 + p_2)^2, without cancellation if massless.

    Args:
        p: momenta in GeV, float64 (n, n_particles, 4), two incoming along z first.

    Returns:
        GeV^2, float64 (n,).
    """
    energy, pz = p[:, :2, 0], p[:, :2, 3]
    squares = ((energy - pz) * (energy + pz)).sum(axis=1)
    return np.asarray(squares + 2 * (energy[:, 0] * energy[:, 1] - pz[:, 0] * pz[:, 1]))


def decay_flux(p: Array) -> Array:
    """Flux factor 1 / (2 M) of a particle that decays at rest.

    Args:
        p: momenta in GeV, float64 (n, n_particles, 4), the particle first.

    Returns:
        GeV^-1, float64 (n,).
    """
    return np.asarray(1 / (2 * p[:, 0, 0]))


def flux(p: Array) -> Array:
    """Flux factor 1 / (2 lambda^(1/2)(s, m_1^2, m_2^2)).

    lambda^(1/2) / 2 = ((p_1 p_2)^2 - m_1^2 m_2^2)^(1/2) = |E_1 p_2z - E_2 p_1z| of particles along
    one axis, which is Moeller's form (Kinematics review of the PDG) and invariant under boosts
    along it.

    Args:
        p: momenta in GeV, float64 (n, n_particles, 4), two incoming along z first.

    Returns:
        GeV^-2, float64 (n,).
    """
    energy, pz = p[:, :2, 0], p[:, :2, 3]
    return np.asarray(1 / (4 * np.abs(energy[:, 0] * pz[:, 1] - energy[:, 1] * pz[:, 0])))
