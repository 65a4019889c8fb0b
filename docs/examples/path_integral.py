"""A path integral: the amplitude of a harmonic oscillator to return to the origin.

python path_integral.py [EVALUATIONS]    at most in each of ten iterations, 100,000 by default
"""

from __future__ import annotations

import math
import sys

import gvar
import numpy as np

from madnis_py import vegas

SLICES, TIME, REACH = 8, 4.0, 3.0
STEP = TIME / SLICES


@vegas.rbatchintegrand
def paths(x):
    """exp(-S) with the lattice action of x_0 = 0, x_1, ..., x_8 = 0; x: (SLICES - 1, n)."""
    ends = np.zeros((1, x.shape[1]))
    path = np.concatenate([ends, x, ends])
    kinetic = ((path[1:] - path[:-1]) ** 2).sum(axis=0) / (2 * STEP)
    return np.exp(-kinetic - STEP * (path[:-1] ** 2).sum(axis=0) / 2) / (2 * math.pi * STEP) ** (
        SLICES / 2
    )


def exact():
    """The same Gaussian integral from its determinant."""
    diagonal = np.full(SLICES - 1, 2 / STEP + STEP)
    matrix = (
        np.diag(diagonal)
        - np.diag(np.full(SLICES - 2, 1 / STEP), 1)
        - np.diag(np.full(SLICES - 2, 1 / STEP), -1)
    )
    volume = (2 * math.pi) ** ((SLICES - 1) / 2) / math.sqrt(np.linalg.det(matrix))
    return volume / (2 * math.pi * STEP) ** (SLICES / 2)


def main(evaluations=100_000):
    """Integrate over all paths; returns the result and the exact value."""
    gvar.ranseed(2)
    result = vegas.Integrator([[-REACH, REACH]] * (SLICES - 1))(paths, nitn=10, neval=evaluations)
    print(f"<0| exp(-H t) |0> = {result}, exactly {exact():.6f}")
    print(result.summary())
    return result, exact()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
