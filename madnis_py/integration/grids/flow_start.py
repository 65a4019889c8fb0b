"""Start of a flow from trained VEGAS grids, Section 5.1.3 of the MadNIS thesis.

Training then begins where the grids end.

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

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from madnis_py.devices.device import CPU
from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.flow import channel_counts
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.grids.grid_splines import fitted, merged
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples

START_POINTS = 1000
"""Points per grid that show whether a start is worse than the grid."""

VegasStart = Literal["smooth", "grid", "merge", "fit"]
"""Names of the methods above."""

TOLERANCE = 0.005
"""Largest relative rise of the second moment of the weights by a feature alone.

All features together may not raise it at all.
"""


def initialise_from_vegas(
    flow: SplineFlow, vegas: VegasFlow, method: VegasStart = "fit", samples: Samples | None = None
) -> None:
    """Make a flow start from VEGAS grids; what it has learned before is forgotten.

    Args:
        flow: whose density becomes that of the grids; of splines for the methods "fit" and "merge".
        vegas: trained grids, one per density of the flow, shared by the same channels.
        method: "fit", "merge", "grid" or "smooth".
        samples: points of the grids, which decide for each feature of each channel; all follow the
            method when None.

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
            f"VEGAS start: method '{method}' needs a flow of splines; "
            f"got '{flow.settings.transform}'"
        )
    grid = GridBlock(vegas.grid)
    start = _start(method, grid, flow.settings)
    if samples is not None:
        start = _GridPoints(grid, samples, vegas.groups).improved(start)
    flow.start_from(start.theta, start.grid)


def _start(method: VegasStart, grid: GridBlock, settings: FlowSettings) -> _Start:
    n_flows, dim, _ = grid.edges.shape
    bins = settings.bins
    if method in ("grid", "smooth"):
        identity = torch.zeros(splines.parameter_count(bins), n_flows, dim, dtype=torch.float64)
        return _Start(identity, grid if method == "grid" else GridBlock.smooth(grid.edges))
    rows = grid.edges.flatten(0, 1)
    theta = (merged(rows, bins) if method == "merge" else fitted(rows, bins)).view(-1, n_flows, dim)
    first, last = 2 * (len(theta) // 3), -1
    for angle in settings.periodic:  # the derivatives at both ends are equal
        theta[[first, last], :, angle] = theta[[first, last], :, angle].mean(0)
    return _Start(theta)


def points_of_grids(sampler: ImportanceSampler) -> Samples:
    """Points for `initialise_from_vegas`, without features and prior.

    These are large for many channels.

    Args:
        sampler: with the grids as its flow.

    Returns:
        the points, on the CPU.
    """
    counts = VegasSettings(points=START_POINTS).counts(sampler.integrand)
    return Samples.concatenate(list(sampler.map_blocks(_without_features, counts, "vegas start")))


def _without_features(samples: Samples) -> Samples:
    kept = replace(samples, features=samples.features[:, :0], prior=samples.prior[:, :0])
    return kept.to(CPU)


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
        log_jacs = [
            splines.forward(part, theta.unsqueeze(2).expand(-1, *part.shape))[1]
            for theta, part in parts
        ]
        return log_grid + torch.cat(log_jacs, dim=1)

    def where(self, chosen: Tensor, grid: GridBlock) -> _Start:
        """This start for the chosen features, and the map of the grid for the others.

        Args:
            chosen: bool, shape (n_flows, dim).
            grid: map of the grids.
        """
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


class _GridPoints:
    """Points of the grids, which show where a start is worse than the grids.

    What counts is the second moment of the weights: with another density a point counts w^2 times
    the ratio of its densities, that of the grid over the other.
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
        chosen = ~(alone > 1.0 + TOLERANCE)  # NaN, of a flow without any weight, keeps the start
        chosen = torch.where(self._worse(start, chosen), ~(alone > 1.0), chosen)
        return start.where(chosen & ~self._worse(start, chosen), self.grid)

    def _worse(self, start: _Start, chosen: Tensor) -> Tensor:
        """Flows worse than their grid with all features together, bool, shape (n_flows, 1)."""
        return (
            self._moments(self._log_ratio(start.where(chosen, self.grid)).sum(0)) > 1.0
        ).unsqueeze(1)

    def _log_ratio(self, start: _Start) -> Tensor:
        return self.log_density - start.log_density(self.x, self.counts)

    def _moments(self, log_ratio: Tensor) -> Tensor:
        """Second moments in units of those of the grids, shape (n_flows,).

        NaN for a flow without any weight.
        """
        zero = self.square.new_zeros(len(self.counts))
        new = zero.index_add(0, self.flow, self.square * log_ratio.exp())
        return new / zero.index_add(0, self.flow, self.square)
