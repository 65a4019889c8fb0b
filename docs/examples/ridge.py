"""A ridge along the diagonal of eight dimensions: vegas, and ours in its place.

python ridge.py [EVALUATIONS]    at most so many in each of ten iterations, 100,000 by default
"""

from __future__ import annotations

import math
import sys

import gvar
import numpy as np
import vegas

import madnis_py.vegas

DIM, WIDTH = 8, 0.07
CENTRES = np.linspace(0.4, 0.6, 50)
REGION = [[0, 1]] * DIM


@vegas.lbatchintegrand
def ridge(x):
    """Gaussians along a part of the diagonal; the integral is 1 but for a few per mille."""
    squares = ((x[:, None] - CENTRES[:, None]) ** 2).sum(axis=2)
    return np.exp(-squares / (2 * WIDTH**2)).mean(axis=1) / (math.sqrt(2 * math.pi) * WIDTH) ** DIM


def main(evaluations=100_000):
    """Integrate with both; returns the two results."""
    gvar.ranseed(1)
    theirs = vegas.Integrator(REGION)(ridge, nitn=10, neval=evaluations)
    ours = madnis_py.vegas.Integrator(REGION)(ridge, nitn=10, neval=evaluations)
    print(f"vegas {theirs}, ours {ours}: error {theirs.sdev / ours.sdev:.1f} times smaller")
    print(ours.summary())
    return theirs, ours


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
