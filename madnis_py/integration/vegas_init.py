"""Start of a flow from trained VEGAS grids, Section 5.1.3 of the MadNIS thesis, so that training begins where they end.

A grid is the piecewise linear map of its bins. "grid" puts that map itself between the flow and the data: the flow
starts with exactly the density of the grid, never worse, and its networks see features in which narrow peaks are wide.
"merge" and "fit" write splines with fewer bins than the grid into the last two coupling blocks. They are smooth, but
the fewer bins may lose a narrow peak, and no bin is smaller than `splines.MIN_BIN_SIZE`.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.flow import SplineFlow
from madnis_py.integration.vegas import VegasFlow

Method = Literal["grid", "smooth", "merge", "fit"]

FIT_NODES = 3
"""Points per bin of a grid at which a spline is compared with it, Gauss-Legendre."""

FIT_STEPS = 200
"""Steps of the fit of the splines at most."""

FIT_ROWS = 256
"""Splines that are fitted together."""


class Knots(NamedTuple):
    """Splines by their bins.

    Attributes:
        width: along the data, sum 1, float64, shape (rows, bins).
        height: along the latent variable, sum 1, float64, shape (rows, bins).
        derivative: of latent by data at the knots, float64, shape (rows, bins + 1).
    """

    width: Tensor
    height: Tensor
    derivative: Tensor

    @property
    def theta(self) -> Tensor:
        """Parameters of the splines, float64, shape (3 bins + 1, rows)."""
        return splines.parameters(self.width.T, self.height.T, self.derivative.T)


def initialise_from_vegas(flow: SplineFlow, vegas: VegasFlow, method: Method = "grid") -> None:
    """Make a flow start from VEGAS grids; what it has learned before is forgotten.

    Args:
        flow: a flow of splines, or any for the method "grid".
        vegas: trained grids, one per channel.
        method: "grid", the map of the grid between flow and data; "merge", Eqs. (5.21)-(5.23); "fit", the splines of
            the smallest variance of the grid's density over theirs.

    Raises:
        InputError: the flow is for another number of channels or dimensions, or not of splines.
    """
    if method == "grid":
        flow.start_from_grid(GridBlock(vegas.grid))
        return
    if method == "smooth":
        flow.start_from_grid(GridBlock.smooth(vegas.grid))
        return
    if flow.settings.transform != "spline":
        raise InputError(f"VEGAS start: method '{method}' needs a flow of splines; got '{flow.settings.transform}'")
    if (flow.n_channels, flow.dim) != (vegas.n_channels, vegas.dim):
        shapes = f"{(vegas.n_channels, vegas.dim)}; got {(flow.n_channels, flow.dim)}"
        raise InputError(f"VEGAS start: expected a flow of (n_channels, dim) = {shapes}")
    make = merged if method == "merge" else fitted
    theta = make(vegas.grid.flatten(0, 1), flow.settings.bins)
    flow.start_from_splines(theta.view(-1, flow.n_channels, flow.dim))


def merged(edges: Tensor, bins: int) -> Tensor:
    """Splines of a grid with neighbouring bins merged until `bins` are left, Eqs. (5.21)-(5.23).

    The most similar neighbours go first. A pair that would become wider or higher than 2 / bins is spared as long as
    there is another.

    Args:
        edges: of the bins of the grids, float64, shape (rows, n + 1).
        bins: of the splines. A grid with fewer is split first.

    Returns:
        parameters, float64, shape (3 bins + 1, rows).
    """
    knots = knots_of_grid(_split(edges, bins))
    while knots.width.shape[1] > bins:
        knots = _merge_most_similar(knots, 2.0 / bins)
    return knots.theta


def knots_of_grid(edges: Tensor) -> Knots:
    """Splines through the edges of grids, Eq. (5.21): bins of equal height, at each knot the mean density around it."""
    width = edges.diff(dim=1).clamp(min=torch.finfo(torch.float64).eps)
    height = torch.full_like(width, 1.0 / width.shape[1])
    outer = torch.cat((width[:, :1], width, width[:, -1:]), dim=1)
    return Knots(width, height, 2.0 * height[0, 0] / (outer[:, :-1] + outer[:, 1:]))


def _split(edges: Tensor, bins: int) -> Tensor:
    """Grids of at least `bins` bins with the same density."""
    parts = math.ceil(bins / (edges.shape[1] - 1))
    fraction = torch.arange(parts, dtype=edges.dtype) / parts
    inner = edges[:, :-1, None] + fraction * edges.diff(dim=1).unsqueeze(2)
    return torch.cat((inner.flatten(1), edges[:, -1:]), dim=1)


def _merge_most_similar(knots: Knots, limit: float) -> Knots:
    """Remove from each row the inner knot with the least change of slope, Eq. (5.22)."""
    change = (knots.width / knots.height).diff(dim=1).abs()
    spared = torch.zeros_like(change)
    for size in (knots.width, knots.height):
        spared += size[:, :-1] + size[:, 1:] >= limit
    k = torch.where(spared > 0, change + change.sum(1, keepdim=True), change).argmin(1, keepdim=True)
    width, height = (_without(size.scatter_add(1, k + 1, size.gather(1, k)), k) for size in (knots.width, knots.height))
    return Knots(width, height, _without(knots.derivative, k + 1))


def _without(rows: Tensor, k: Tensor) -> Tensor:
    """Each row without its entry k."""
    keep = torch.arange(rows.shape[1]) != k
    return rows[keep].view(len(rows), -1)


def fitted(edges: Tensor, bins: int) -> Tensor:
    """Splines that minimise the variance of the grid's density over theirs, int g^2 / q, from `merged` on.

    Args:
        edges: of the bins of the grids, float64, shape (rows, n + 1).
        bins: of the splines.

    Returns:
        parameters, float64, shape (3 bins + 1, rows).
    """
    parts = [_fit(part, merged(part, bins)) for part in edges.split(FIT_ROWS)]
    return torch.cat(parts, dim=1)


def _fit(edges: Tensor, start: Tensor) -> Tensor:
    """L-BFGS in float64: the same grids give the same splines."""
    theta = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([theta], max_iter=FIT_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = excess_variance(edges, theta).log1p().sum()
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        better = excess_variance(edges, theta) < excess_variance(edges, start)
        return torch.where(better, theta, start)


def excess_variance(edges: Tensor, theta: Tensor) -> Tensor:
    """Relative variance of the weights g / q for the density g of grids and q of splines, int g^2 / q dx - 1.

    Args:
        edges: of the bins of the grids, float64, shape (rows, n + 1).
        theta: parameters of the splines, float64, shape (3 K + 1, rows).

    Returns:
        float64, shape (rows,); differentiable in theta.
    """
    width = edges.diff(dim=1).unsqueeze(2)
    position, share = (torch.from_numpy(part) / 2 for part in np.polynomial.legendre.leggauss(FIT_NODES))
    x = (edges[:, :-1, None] + (position + 0.5) * width).flatten(1).T
    _, log_q = splines.forward(x, theta.unsqueeze(1).expand(-1, len(x), -1))
    density = 1.0 / (width.shape[1] * width)
    mass = (share / width.shape[1]).expand(*width.shape[:2], -1).flatten(1).T
    return (mass * density.expand(-1, -1, FIT_NODES).flatten(1).T * torch.exp(-log_q)).sum(0) - 1.0
