"""Splines and networks in a few lines of numpy, as the papers print them."""

from __future__ import annotations

import numpy as np

from madnis_py.flows import splines
from madnis_py.flows.networks import StackedMLP

Vector = np.ndarray


def knots(theta: Vector) -> tuple[Vector, Vector, Vector]:
    """Widths, heights and derivatives of a spline, Eq. (3.50), minimum size as documented."""
    k = len(theta) // 3
    sizes = []
    for part in (theta[:k], theta[k : 2 * k]):
        softmax = np.exp(part - part.max()) / np.exp(part - part.max()).sum()
        sizes.append(splines.MIN_BIN_SIZE + (1 - k * splines.MIN_BIN_SIZE) * softmax)
    return sizes[0], sizes[1], np.log1p(np.exp(theta[2 * k :])) / np.log(2)


def reference_spline(x: float, theta: Vector) -> tuple[float, float]:
    """Value and derivative of one spline by the textbook bin function."""
    w, h, d = knots(theta)
    corner_x, corner_y = (np.concatenate(([0.0], np.cumsum(size))) for size in (w, h))
    k = min(max(int(np.searchsorted(corner_x, x, side="right")) - 1, 0), len(w) - 1)
    s, xi = h[k] / w[k], (x - corner_x[k]) / w[k]
    denominator = s + (d[k] + d[k + 1] - 2 * s) * xi * (1 - xi)
    y = corner_y[k] + h[k] * (s * xi**2 + d[k] * xi * (1 - xi)) / denominator
    slope = (
        s**2 * (d[k + 1] * xi**2 + 2 * s * xi * (1 - xi) + d[k] * (1 - xi) ** 2) / denominator**2
    )
    return y, slope


def reference_network(x: Vector, weights: list[Vector], biases: list[Vector]) -> Vector:
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = weight @ (np.where(x > 0, x, 0.01 * x) if i else x) + bias
    return x


def layers_of(network: StackedMLP, channel: int) -> tuple[list[Vector], list[Vector]]:
    weights, biases = (
        [p[channel].detach().numpy() for p in parameters]
        for parameters in (network.weights, network.biases)
    )
    return weights, biases
