"""Start of a flow from trained VEGAS grids, Section 5.1.3 of the MadNIS thesis, so that training begins where they end.

A grid is the piecewise linear map of its bins, with a density that jumps from bin to bin.

- "fit" writes the splines closest to the grid into the last two coupling blocks, where they are
  trained on.
- "merge" writes splines made by merging bins of the grid, which costs no time and follows a peak
  less well.
- "grid" puts the map of the grid itself between the flow and the data. The flow starts with exactly
  the density of the grid, and its networks see features in which narrow peaks are wide; but they
  cannot smooth the jumps, nor the statistical fluctuations of the bins, whatever they learn.
- "smooth" puts splines through all edges of the grid there: the content of every bin is the grid's,
  the density is continuous. It trains better than "grid" and worse than the splines that are part
  of the flow.

The splines of "fit" and "merge" have fewer bins than the grid and none smaller than
`splines.MIN_BIN_SIZE`: most densities they follow better than the grid does, because they are
smooth; a very narrow peak they lose. Given points of the grid, every feature for which these points
say that the grid is better keeps the map of the grid, so that the flow never starts worse than the
grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.flow import channel_counts
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.samples import Samples

START_POINTS = 1000
"""Points per grid by which a start is judged."""

VegasStart = Literal["smooth", "grid", "merge", "fit"]

FIT_NODES = 4
"""Points per bin of a grid at which a spline is compared with it, Gauss-Legendre."""

FIT_STEPS = 100
"""Steps of the fit of the splines at most."""

FIT_ROWS = 32
"""Splines that are fitted together."""

TOLERANCE = 0.005
"""By how much a feature alone may seem to raise the second moment of the weights; together none
may."""


def initialise_from_vegas(
    flow: SplineFlow, vegas: VegasFlow, method: VegasStart = "fit", samples: Samples | None = None
) -> None:
    """Make a flow start from VEGAS grids; what it has learned before is forgotten.

    Args:
        flow: whose density becomes that of the grids; of splines for the methods "fit" and "merge".
        vegas: trained grids, one per density of the flow, shared by the same channels.
        method: one of those above.
        samples: points of the grids, by which each feature of each channel is judged; all follow
            the method when None.

    Raises:
        InputError: the flow is for another number of channels or dimensions, or not of splines; or
            it is not the same channels that share a density and a grid.
    """
    if (flow.n_channels, flow.dim) != (vegas.n_channels, vegas.dim):
        shapes = f"{(vegas.n_channels, vegas.dim)} of the grids; got {(flow.n_channels, flow.dim)}"
        raise InputError(f"VEGAS start: expected a flow of (n_channels, dim) = {shapes}")
    shared = torch.arange(flow.n_channels) if flow.groups is None else flow.groups
    if not torch.equal(shared, vegas.groups):
        raise InputError(
            "VEGAS start: expected channels that share a density to share a grid, and no others"
        )
    if method in ("fit", "merge") and not flow.has_splines:
        raise InputError(
            f"VEGAS start: method '{method}' needs a flow of splines; got '{flow.settings.transform}'"
        )
    grid = GridBlock(vegas.grid)
    start = _start(method, grid, flow.settings)
    if samples is not None:
        start = _Judge(grid, samples, vegas.groups).improved(start)
    flow.start_from(start.theta, start.grid)


def points_of_grids(integrator: Integrator) -> Samples:
    """Points by which to judge a start, without features and prior, which are large for many channels.

    Args:
        integrator: with the grids as its flow.
    """
    counts = VegasSettings(points=START_POINTS).counts(integrator.integrand)
    return Samples.concatenate(list(integrator.map_blocks(_lean, counts, "vegas start")))


def _lean(samples: Samples) -> Samples:
    return replace(samples, features=samples.features[:, :0], prior=samples.prior[:, :0])


@dataclass(frozen=True)
class _Start:
    """What a flow starts from.

    Attributes:
        theta: parameters of the splines in the last two blocks, float64, shape (3 K + 1, n_flows,
            dim).
        grid: map between them and the data, if any.
    """

    theta: Tensor
    grid: GridBlock | None = None

    def log_density(self, x: Tensor, counts: list[int]) -> Tensor:
        """Log density feature by feature, shape (dim, n) from (dim, n)."""
        log_grid: Tensor | float = 0.0
        if self.grid is not None:
            x, log_grid = self.grid.map(x, counts)
        parts = zip(self.theta.unbind(1), torch.split(x, counts, dim=1), strict=True)
        return log_grid + torch.cat(
            [splines.forward(part, _repeated(theta, part))[1] for theta, part in parts], dim=1
        )

    def where(self, chosen: Tensor, grid: GridBlock) -> _Start:
        """The same with the map of the grid for features where `chosen`, bool, shape (n_flows, dim), is not true."""
        if bool(chosen.all()):
            return self
        own = self.grid or GridBlock(
            torch.linspace(0, 1, grid.edges.shape[2], dtype=torch.float64).expand_as(grid.edges)
        )
        wide = chosen.unsqueeze(2)
        edges, ends = (
            torch.where(wide, own.edges, grid.edges),
            torch.where(wide, own.ends, grid.ends),
        )
        return _Start(torch.where(chosen, self.theta, 0.0), GridBlock(edges, ends))


def _start(method: VegasStart, grid: GridBlock, settings: FlowSettings) -> _Start:
    n_flows, dim, _ = grid.edges.shape
    bins = settings.bins
    if method in ("grid", "smooth"):
        identity = torch.zeros(splines.parameter_count(bins), n_flows, dim, dtype=torch.float64)
        return _Start(identity, grid if method == "grid" else GridBlock.smooth(grid.edges))
    rows = grid.edges.flatten(0, 1)
    theta = merged(rows, bins) if method == "merge" else fitted(rows, bins)
    return _Start(_closed(theta.view(-1, n_flows, dim), settings.periodic))


def _closed(theta: Tensor, angles: Sequence[int]) -> Tensor:
    """Splines with equal derivatives at both ends for features that are angles."""
    first, last = 2 * (len(theta) // 3), -1
    for angle in angles:
        theta[[first, last], :, angle] = theta[[first, last], :, angle].mean(0)
    return theta


def _repeated(theta: Tensor, x: Tensor) -> Tensor:
    """Parameters of a spline per feature (3 K + 1, dim), for each of the points (dim, n)."""
    return theta.unsqueeze(2).expand(-1, *x.shape)


class _Judge:
    """Finds where a start is worse than the grids, by the second moments of the weights of points of theirs.

    With another density a point counts w^2 times the ratio of its densities, that of the grid over
    the other.
    """

    def __init__(self, grid: GridBlock, samples: Samples, groups: Tensor) -> None:
        self.flow, order = groups[samples.channel].sort(stable=True)
        self.grid = grid
        self.counts = channel_counts(self.flow, len(grid.edges))
        self.x = samples.x[order].T.contiguous()
        _, self.log_density = grid.map(self.x, self.counts)
        self.square = (
            samples.magnitude[order].square()
            * (samples.log_q[order] - self.log_density.sum(0)).exp()
        )

    def improved(self, start: _Start) -> _Start:
        """The start, with the map of the grid for features where that is better."""
        alone = torch.stack([self._moments(row) for row in self._log_ratio(start)], dim=1)
        chosen = ~(alone > 1.0 + TOLERANCE)
        chosen = torch.where(self._worse(start, chosen), ~(alone > 1.0), chosen)
        return start.where(chosen & ~self._worse(start, chosen), self.grid)

    def _worse(self, start: _Start, chosen: Tensor) -> Tensor:
        """Flows that are worse than their grid with all features together, bool, shape (n_flows, 1)."""
        return (
            self._moments(self._log_ratio(start.where(chosen, self.grid)).sum(0)) > 1.0
        ).unsqueeze(1)

    def _log_ratio(self, start: _Start) -> Tensor:
        return self.log_density - start.log_density(self.x, self.counts)

    def _moments(self, log_ratio: Tensor) -> Tensor:
        """Second moments in units of those of the grids, shape (n_flows,); NaN for a flow without any weight."""
        zero = self.square.new_zeros(len(self.counts))
        new = zero.index_add(0, self.flow, self.square * log_ratio.exp())
        return new / zero.index_add(0, self.flow, self.square)


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


def fitted(edges: Tensor, bins: int) -> Tensor:
    """Splines that minimise the variance of the smoothed grid's density over theirs, found from `merged` on.

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
        """Relative variance of the weights g / q of the splines q: int (g - q)^2 / q dx, shape (rows,)."""
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
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return torch.where(target.variance(theta) < target.variance(start), theta, start)


def _knots_of_grid(edges: Tensor) -> Knots:
    """Splines through the edges of grids, Eq. (5.21): bins of equal height, the mean density of two bins at a knot."""
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
    """Remove from each row the inner knot with the least change of slope, Eqs. (5.22) and (5.23)."""
    change = (knots.width / knots.height).diff(dim=1).abs()
    large = [size[:, :-1] + size[:, 1:] >= limit for size in (knots.width, knots.height)]
    spared = (large[0] | large[1]) * (1.0 + change.amax(1, keepdim=True))
    k = (change + spared).argmin(1, keepdim=True)
    width, height = (
        _without(size.scatter_add(1, k + 1, size.gather(1, k)), k)
        for size in (knots.width, knots.height)
    )
    return Knots(width, height, _without(knots.derivative, k + 1))


def _without(rows: Tensor, k: Tensor) -> Tensor:
    """Each row without its entry k."""
    return rows[torch.arange(rows.shape[1]) != k].view(len(rows), -1)
