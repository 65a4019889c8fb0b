"""A ring with a line across it: two channels with maps of our own, trained together.

python crossed_ring.py [STEPS]    of the training, 400 by default
"""

from __future__ import annotations

import math
import sys

import torch
from scipy.integrate import dblquad

import madnis_py as mn

RADIUS, WIDTH, LENGTH = 1.0, 0.05, 3.0


def crossed(p):
    """Gaussians around a circle and around a piece of the x axis; p has shape (n, 2)."""
    ring = torch.exp(-((p.norm(dim=1) - RADIUS) ** 2) / (2 * WIDTH**2))
    line = torch.exp(-(p[:, 1] ** 2) / (2 * WIDTH**2)) * (p[:, 0].abs() < LENGTH)
    return ring + line


def peak(z):
    """A point at a Cauchy distance of the peak, and the Jacobian."""
    t = WIDTH * torch.tan(math.pi * (z - 0.5))
    return t, math.pi * (WIDTH**2 + t**2) / WIDTH


def density(t):
    """The density of `peak`."""
    return WIDTH / (math.pi * (WIDTH**2 + t**2))


def ring_map(x):
    """Radius around the circle, any angle; returns points and Jacobians, 0 for radii below 0."""
    t, jacobian = peak(x[:, 0])
    r, phi = RADIUS + t, 2 * math.pi * x[:, 1]
    p = torch.stack([r * torch.cos(phi), r * torch.sin(phi)], dim=1)
    return p, jacobian * r.clamp(min=0) * 2 * math.pi


def line_map(x):
    """Anywhere along the line, close to it."""
    t, jacobian = peak(x[:, 0])
    return torch.stack([LENGTH * (2 * x[:, 1] - 1), t], dim=1), jacobian * 2 * LENGTH


def densities(p):
    """1 / Jacobian of both maps at given points, shape (n, 2): the prior of the channel weights."""
    r = p.norm(dim=1)
    ring = density(r - RADIUS) / (2 * math.pi * r)
    line = density(p[:, 1]) * (p[:, 0].abs() < LENGTH) / (2 * LENGTH)
    return torch.stack([ring, line], dim=1)


class CrossedRing(mn.AbstractIntegrand):
    """What the integrator needs to know."""

    dim, n_channels, n_features = 2, 2, 2

    def evaluate(self, x, channel):
        """F J, what the channel weights see, and their prior."""
        ring, line = ring_map(x), line_map(x)
        first = channel == 0
        p, jacobian = (
            torch.where(first[:, None], ring[0], line[0]),
            torch.where(first, ring[1], line[1]),
        )
        return mn.Evaluation(crossed(p) * jacobian, p.clamp(-10, 10), densities(p))


def exact():
    """Both integrals one by one."""
    ring, _ = dblquad(
        lambda r, _: r * math.exp(-((r - RADIUS) ** 2) / (2 * WIDTH**2)), 0, 2 * math.pi, 0, 2
    )
    return ring + 2 * LENGTH * math.sqrt(2 * math.pi) * WIDTH


def main(steps=400):
    """Train and integrate; returns the estimates before and after, and the exact value."""
    integrator = mn.Integrator(CrossedRing(), seed=3)
    before = integrator.integrate(50_000)
    integrator.train(steps, batch_size=2048, warmup_steps=20)
    after = integrator.integrate(50_000)
    print(
        f"{before}  ->  {after}, exactly {exact():.5f}; "
        f"error {before.error / after.error:.1f} times smaller"
    )
    return before, after, exact()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
