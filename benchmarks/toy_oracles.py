"""Figures that the toys must reach, by quadrature.

Integrals, errors of given channel weights, and the least possible errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import optimize
from toy_integrands import CamelBack, CrossedRing

from madnis_py.arrays import Array


@dataclass(frozen=True)
class CamelBackOracle:
    """Integral and errors of the camel back for any channel weights, on Gauss-Legendre panels.

    The least error is found without a network. For given r = sigma_1 / sigma_2 and c = I_1 - r I_2,
    and r = 1 for flat counts, the weights that leave the loss stationary are

        alpha_1 = (r / g_2 + c / f) / (1 / g_1 + r / g_2), clipped to [0, 1],

    so that the least loss over all functions alpha is the least over these numbers.

    Attributes:
        integrand: the function and its maps; the prior does not matter.
    """

    integrand: CamelBack

    @cached_property
    def _nodes(self) -> tuple[Array, Array]:
        start = max(self.integrand.cut, -3.0)
        return gauss_panels(
            np.unique(np.concatenate([[start], np.arange(-3.0, 8.0, 0.02)])).clip(start), 12
        )

    @cached_property
    def _function(self) -> Array:
        return self.integrand.function(torch.from_numpy(self._nodes[0])).numpy()

    @cached_property
    def _densities(self) -> Array:
        return self.integrand.density(torch.from_numpy(self._nodes[0])).numpy()

    @cached_property
    def integral(self) -> float:
        """Of the function."""
        return float(self._nodes[1] @ self._function)

    def sigmas(self, alpha: Array) -> Array:
        """sigma_i of both channels, Eq. (5.5), for the weight of the first channel at the nodes."""
        weight, f = self._nodes[1], self._function
        shares = np.stack([alpha, 1 - alpha], axis=1) * f[:, None]
        second = weight @ (shares**2 / self._densities)
        return np.sqrt(np.maximum(second - (weight @ shares) ** 2, 0.0))

    def uniform(self) -> Array:
        """alpha_1 = 1/2 at the nodes."""
        return np.full(len(self._function), 0.5)

    def optimal(self) -> Array:
        """alpha_1 of Eq. (5.27) at the nodes."""
        first, second = self._densities.T
        return np.asarray(first / (first + second))

    def flat_error(self, alpha: Array, n: int = 10_000) -> float:
        """Relative error of n points, half of them in each channel."""
        return math.sqrt(2 / n * float((self.sigmas(alpha) ** 2).sum())) / self.integral

    def stratified_error(self, alpha: Array, n: int = 10_000) -> float:
        """Relative error of n points in proportion to sigma_i."""
        return float(self.sigmas(alpha).sum()) / math.sqrt(n) / self.integral

    @cached_property
    def flat_floor(self) -> float:
        """The least `flat_error` of all weights."""
        found = optimize.minimize_scalar(
            lambda c: self.flat_error(self._stationary(1.0, c)), bounds=(-1, 1)
        )
        return float(found.fun)

    @cached_property
    def stratified_floor(self) -> float:
        """The least `stratified_error` of all weights."""
        found = optimize.minimize(
            lambda v: self.stratified_error(self._stationary(math.exp(v[0]), v[1])),
            [0.0, 0.0],
            method="Nelder-Mead",
        )
        return float(found.fun)

    def _stationary(self, r: float, c: float) -> Array:
        f, (g1, g2) = np.maximum(self._function, 1e-300), self._densities.T
        alpha: Array = (r / g2 + c / f) / (1 / g1 + r / g2)
        return alpha.clip(0.0, 1.0)


def crossed_ring_integral() -> float:
    """The integral of the crossed ring in polar coordinates, in one of which the ring is narrow."""
    r, r_weight = gauss_panels(
        np.concatenate([np.arange(0, 1.5, 0.05), np.arange(1.5, 18.1, 0.5)]), 12
    )
    # The line is narrow in the angle to it, exp(-(r cos)^2 / 18 - (r sin)^2 / 0.005), and four
    # times the same.
    edges = np.concatenate([[0.0], np.geomspace(1e-4, math.pi / 2, 60)])
    theta, theta_weight = gauss_panels(edges, 8)
    angle = theta - math.pi / 4
    points = np.stack([r[:, None] * np.cos(angle), r[:, None] * np.sin(angle)], axis=2).reshape(
        -1, 2
    )
    f = CrossedRing.function(torch.from_numpy(points)).numpy().reshape(len(r), len(theta))
    return 4 * float((r_weight * r) @ f @ theta_weight)


def gauss_panels(edges: Array, order: int) -> tuple[Array, Array]:
    """Nodes and weights of the Gauss-Legendre rule on each panel between ascending edges."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    centre, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (centre[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()
