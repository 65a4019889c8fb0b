"""What follows from momenta alone; they are in GeV, event-fastest float64 (n, P, 4), two incoming along z first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array


def select(p: Array, rows: NDArray[np.intp]) -> Array:
    """Some of the events, in the layout of the kernels: events fastest in memory."""
    return np.take(p.transpose(1, 2, 0), rows, axis=2).transpose(2, 0, 1)


def exchanged(p: Array) -> Array:
    """The events with the two incoming particles in the place of each other, in the layout of the kernels."""
    order = [1, 0, *range(2, p.shape[1])]
    return np.take(p.transpose(1, 2, 0), order, axis=0).transpose(2, 0, 1)


def s_hat(p: Array) -> Array:
    """(p_1 + p_2)^2 of the incoming particles in GeV^2, float64 (n,), without cancellation for massless ones."""
    energy, pz = p[:, :2, 0], p[:, :2, 3]
    squares = ((energy - pz) * (energy + pz)).sum(axis=1)
    return np.asarray(squares + 2 * (energy[:, 0] * energy[:, 1] - pz[:, 0] * pz[:, 1]))


def flux(p: Array) -> Array:
    """The flux factor 1 / (2 lambda^(1/2)(s, m_1^2, m_2^2)) in GeV^-2, float64 (n,).

    lambda^(1/2) / 2 = ((p_1 p_2)^2 - m_1^2 m_2^2)^(1/2) = |E_1 p_2z - E_2 p_1z| of particles along
    one axis, which is Moeller's form (Kinematics review of the PDG) and invariant under boosts
    along it.
    """
    energy, pz = p[:, :2, 0], p[:, :2, 3]
    return np.asarray(1 / (4 * np.abs(energy[:, 0] * pz[:, 1] - energy[:, 1] * pz[:, 0])))
