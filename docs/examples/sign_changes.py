"""An integrand that changes its sign like a loop amplitude, and how much of it cancels.

python sign_changes.py [STEPS]    of the training, 400 by default
"""

from __future__ import annotations

import cmath
import math
import sys

import torch

import madnis_py as mn

DIM, DAMPING, FREQUENCY = 3, 3.0, 2.5


def oscillating(x):
    """exp(-a sum x) (cos(b sum x) + ridge between the first two variables), x: (n, 3)."""
    total = x.sum(dim=1)
    ridge = (
        20 * torch.sin(FREQUENCY * (x[:, 0] - x[:, 1])) * torch.exp(-200 * (x[:, 0] - x[:, 1]) ** 2)
    )
    return torch.exp(-DAMPING * total) * (torch.cos(FREQUENCY * total) + ridge)


def exact():
    """The ridge is odd under an exchange of the first two variables and integrates to 0."""
    pole = complex(-DAMPING, FREQUENCY)
    return (((cmath.exp(pole) - 1) / pole) ** DIM).real


def main(steps=400):
    """Train and integrate; returns the estimates before and after, and the exact value."""
    integrator = mn.Integrator(oscillating, dim=DIM, seed=4)
    before = integrator.integrate(100_000)
    integrator.train(steps, batch_size=2048, warmup_steps=20)
    after = integrator.integrate(100_000)
    points = integrator.sample(100_000)
    floor = points.weight.abs().mean().item() / abs(exact())
    print(
        f"{before}  ->  {after}, exactly {exact():.5f}; "
        f"error {before.error / after.error:.1f} times smaller"
    )
    print(
        f"integral of |f| over integral of f: {floor:.1f}; no density can bring the relative "
        "standard"
    )
    print(
        f"deviation of signed weights below sqrt({floor:.1f}^2 - 1) = {math.sqrt(floor**2 - 1):.1f}"
    )
    return before, after, exact()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
