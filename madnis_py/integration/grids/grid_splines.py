"""Splines of the shape of VEGAS grids: by merging their bins, or fitted to their density."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from madnis_py.flows import splines
from madnis_py.flows.blocks import GridBlock

FIT_NODES = 4
"""Gauss-Legendre points per bin of a grid at which a spline is compared with it."""

FIT_STEPS = 100
"""Largest number of steps of a fit."""

FIT_ROWS = 32
"""Number of splines that are fitted together."""


def merged(edges: Tensor, bins: int) -> Tensor:
    """Splines of a grid with neighbouring bins merged until `bins` are left, Eqs. (5.21)-(5.23).

    The most similar neighbours go first. A pair that would become wider or higher than 2 / bins is
    spared as long as there is another.

    Args:
        edges: of the bins of the grids, float64, shape (rows, n + 1).
        bins: of the splines. A grid with fewer is split first.

    Returns:
        parameters, float64, shape (3 bins + 1, rows).
    """
    knots = _knots_of_grid(_split(edges, bins))
    while knots.width.shape[1] > bins:
        knots = _merge_most_similar(knots, 2.0 / bins)
    return splines.parameters(knots.width.T, knots.height.T, knots.derivative.T)


class _Knots(NamedTuple):
    """Splines given by their bins.

    Attributes:
        width: along the data, sum 1, float64, shape (rows, bins).
        height: along the latent variable, sum 1, float64, shape (rows, bins).
        derivative: of latent by data at the knots, float64, shape (rows, bins + 1).
    """

    width: Tensor
    height: Tensor
    derivative: Tensor


def _knots_of_grid(edges: Tensor) -> _Knots:
    """Splines through the edges of grids, Eq. (5.21).

    The bins have equal height, and at a knot the density is the mean of two bins.
    """
    width = edges.diff(dim=1).clamp(min=torch.finfo(torch.float64).eps)
    height = torch.full_like(width, 1.0 / width.shape[1])
    outer = torch.cat((width[:, :1], width, width[:, -1:]), dim=1)
    return _Knots(width, height, 2.0 * height[0, 0] / (outer[:, :-1] + outer[:, 1:]))


def _split(edges: Tensor, bins: int) -> Tensor:
    """Grids of at least `bins` bins with the same density."""
    parts = math.ceil(bins / (edges.shape[1] - 1))
    fraction = torch.arange(parts, dtype=edges.dtype) / parts
    inner = edges[:, :-1, None] + fraction * edges.diff(dim=1).unsqueeze(2)
    return torch.cat((inner.flatten(1), edges[:, -1:]), dim=1)


def _merge_most_similar(knots: _Knots, limit: float) -> _Knots:
    """Remove from each row the inner knot with the least change of slope.

    Eqs. (5.22) and (5.23) of the MadNIS thesis.
    """
    change = (knots.width / knots.height).diff(dim=1).abs()
    large = [size[:, :-1] + size[:, 1:] >= limit for size in (knots.width, knots.height)]
    spared = (large[0] | large[1]) * (1.0 + change.amax(1, keepdim=True))
    k = (change + spared).argmin(1, keepdim=True)
    width, height = (
        _without(size.scatter_add(1, k + 1, size.gather(1, k)), k)
        for size in (knots.width, knots.height)
    )
    return _Knots(width, height, _without(knots.derivative, k + 1))


def _without(rows: Tensor, k: Tensor) -> Tensor:
    """Each row without its entry k."""
    return rows[torch.arange(rows.shape[1]) != k].view(len(rows), -1)


def fitted(edges: Tensor, bins: int) -> Tensor:
    """Splines closest to the smoothed grids, found by minimisation from `merged` on.

    What is minimised is the variance of the density of the smoothed grid over that of the splines.

    Args:
        edges: of the bins of the grids, float64, shape (rows, n + 1).
        bins: of the splines.

    Returns:
        parameters, float64, shape (3 bins + 1, rows).
    """
    return torch.cat(
        [_fit(_Target(rows), merged(rows, bins)) for rows in torch.split(edges, FIT_ROWS)], dim=1
    )


class _Target:
    """The density of smoothed grids at the nodes of a quadrature.

    Attributes:
        x: nodes, float64, shape (nodes, rows).
        volume: their weights, float64, shape (nodes, rows).
        density: float64, shape (nodes, rows).
    """

    def __init__(self, edges: Tensor) -> None:
        width = edges.diff(dim=1).unsqueeze(2)
        position, share = (
            torch.from_numpy(part) / 2.0 for part in np.polynomial.legendre.leggauss(FIT_NODES)
        )
        self.x = (edges[:, :-1, None] + (position + 0.5) * width).flatten(1).T
        self.volume = (share * width).flatten(1).T
        nodes, rows = self.x.shape
        _, log_density = GridBlock.smooth(edges.unsqueeze(1)).map(
            self.x.T.reshape(1, -1), [nodes] * rows
        )
        self.density = log_density.exp().view(rows, nodes).T

    def variance(self, theta: Tensor) -> Tensor:
        """Relative variance of the weights g / q of splines q, shape (rows,).

        It is int (g - q)^2 / q dx.
        """
        _, log_q = splines.forward(self.x, theta.unsqueeze(1).expand(-1, len(self.x), -1))
        q = log_q.exp()
        return (self.volume * (self.density - q).square() / q).sum(0)


def _fit(target: _Target, start: Tensor) -> Tensor:
    """L-BFGS in float64: the same grids give the same splines."""
    theta = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([theta], max_iter=FIT_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = target.variance(theta).log1p().sum()
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        return torch.where(target.variance(theta) < target.variance(start), theta, start)
