"""A sum over subprocesses and helicities beside an integral, with a density over both.

python categories.py [STEPS]    of the training, 300 by default
"""

from __future__ import annotations

import math
import sys

import torch

import madnis_py as mn

SUBPROCESSES, HELICITIES, WIDTH = 16, 4, 0.05
generator = torch.Generator().manual_seed(3)
SIZE, PLACE = torch.rand(2, SUBPROCESSES, HELICITIES, generator=generator, dtype=torch.float64)
SIZE, PEAK = SIZE**6, 0.2 + 0.6 * PLACE  # a few of the 64 categories dominate


def emission(x):
    """The first two columns of x (n, 3) pick subprocess and helicity, the third is the energy."""
    subprocess, helicity = (SUBPROCESSES * x[:, 0]).long(), (HELICITIES * x[:, 1]).long()
    pull = (x[:, 2] - PEAK[subprocess, helicity]) / WIDTH
    return SIZE[subprocess, helicity] * torch.exp(-0.5 * pull**2)


def exact():
    """The average over the categories; at most 3e-5 of a peak lies outside of the cube."""
    return SIZE.mean().item() * WIDTH * math.sqrt(2 * math.pi)


def main(steps=300):
    """Train two flows and integrate; returns estimates before and after, and the exact value."""
    settings = {"batch_size": 1000, "learning_rate": 1e-2, "final_learning_rate": 1e-3}
    categories = mn.MixedFlow([SUBPROCESSES, HELICITIES], continuous=1, n_channels=1)
    integrator = mn.Integrator(emission, categories, dim=3, seed=2)
    smooth = mn.Integrator(emission, dim=3, seed=2)
    before = integrator.integrate(50_000)
    for one in (integrator, smooth):
        one.train(steps, **settings)
    after, without = integrator.integrate(50_000), smooth.integrate(50_000)
    print(f"{before}  ->  {after}, exactly {exact():.6f}")
    print(
        f"error {before.error / after.error:.1f} times smaller; with a flow that does not know of"
    )
    print(f"categories {before.error / without.error:.1f} times")
    return before, after, without, exact()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
