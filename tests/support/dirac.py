"""Dirac matrices in the chiral representation with numpy, and spinors made with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.complex128]
Vector = NDArray[np.float64] | NDArray[np.complex128]

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])

_SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_ZERO, _ONE = np.zeros((2, 2)), np.eye(2)

GAMMA = np.array(
    [np.block([[_ZERO, _ONE], [_ONE, _ZERO]])]
    + [np.block([[_ZERO, sigma], [-sigma, _ZERO]]) for sigma in _SIGMA]
).astype(complex)
"""gamma^mu, upper index first."""

GAMMA5 = np.diag([-1.0, -1, 1, 1]).astype(complex)

SIDES = ((np.eye(4) - GAMMA5) / 2, (np.eye(4) + GAMMA5) / 2)
"""P_L and P_R."""


def slash(p: Vector) -> Matrix:
    """p_mu gamma^mu of a vector with upper index."""
    return np.asarray(np.einsum("m,mij->ij", METRIC @ p, GAMMA))


def barred(matrix: Matrix) -> Matrix:
    """gamma^0 M^dagger gamma^0."""
    return np.asarray(GAMMA[0] @ matrix.conj().T @ GAMMA[0])


def dot(p: Vector, q: Vector) -> complex:
    """p.q"""
    return complex(p @ METRIC @ q)


C = 1j * GAMMA[2] @ GAMMA[0]
"""C gamma^mu^T C^-1 = -gamma^mu."""


def particles(p: Vector, mass: float) -> list[Matrix]:
    """u(p) of two orthogonal states, sum u u-bar = p-slash + m."""
    return _states(slash(p) + mass * np.eye(4), 1)


def antiparticles(p: Vector, mass: float) -> list[Matrix]:
    """v(p) = C u-bar(p)^T of the states of `particles`, sum v v-bar = p-slash - m."""
    return [np.asarray(C @ bar(u)) for u in particles(p, mass)]


def bar(psi: Matrix) -> Matrix:
    """psi-bar of a column."""
    return np.asarray(psi.conj() @ GAMMA[0])


def _states(projector: Matrix, sign: int) -> list[Matrix]:
    """Columns whose sum of psi psi-bar is a projector of rank two, times a number."""
    values, vectors = np.linalg.eigh(projector @ GAMMA[0])
    return [np.sqrt(sign * values[k]) * vectors[:, k] for k in (2, 3)]
