"""Dirac matrices in the chiral representation with numpy, and spinors of any phase from them."""

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
