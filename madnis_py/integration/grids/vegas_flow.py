"""VEGAS grids, one per channel or group of channels, and their adaptation.

They are the baseline, and the survey before a training.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np
import torch
import vegas
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from madnis_py.devices.device import Device
from madnis_py.errors import CheckpointError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.estimate import MINIMUM_POINTS, Estimate, Moments, combine, unit_of
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.integration.step_progress import Callback, StepProgress
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.parallel.random_streams import RandomStream

Weights = tuple[Tensor, Tensor, Tensor]
"""Channel, weight and magnitude of some points, on the CPU."""


POINTS_PER_BIN = 40
"""Points of a grid for each of its bins, on average.

Bins that no point has met count as empty and grow, those with a single large weight shrink. With 1
point for each of 64 bins the grids of w4j find a tenth or a fifth of the cross section, and with 20
in place of 40 the standard deviation for ttbar_2j is 10 % larger.
"""

LEAST_BINS = 8
"""Number of bins of grids with few points."""


class VegasSettings(BaseModel):
    """How VEGAS grids are trained; defaults of the pre-training of the MadNIS thesis, Tab. A.6.

    Its baseline runs use 7 iterations of 50000 points, 128 bins and damping 0.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int = Field(7, ge=1, description="Number of times the grids are refined.")
    points: int = Field(
        20_000,
        ge=2,
        description="Points per grid and iteration, shared by the channels of the grid.",
    )
    bins: int = Field(
        64, ge=1, description="Bins of each dimension at most; fewer where points are few."
    )
    damping: float = Field(
        0.7, ge=0.0, description="Exponent of the refinement; 0 leaves the grid as it is."
    )

    @classmethod
    def for_integrand(cls, integrand: AbstractIntegrand) -> VegasSettings:
        """The defaults, with fewer points per grid where there are many grids.

        About 300 000 points per iteration, but at least 500 per grid.
        """
        return cls(points=min(20_000, max(500, 300_000 // len(ChannelGroups.of(integrand)))))

    @property
    def used_bins(self) -> int:
        """Bins that the points can fill: one for 40 points, at least 8.

        No more than the settings ask for.
        """
        return min(self.bins, max(LEAST_BINS, self.points // POINTS_PER_BIN))

    def counts(self, integrand: AbstractIntegrand) -> Tensor:
        """Points of each channel in an iteration, int64, shape (n_channels,)."""
        groups = ChannelGroups.of(integrand)
        size = groups.sizes[groups.index]
        return ((self.points + size - 1) // size).clamp(min=MINIMUM_POINTS)

    def evaluations(self, integrand: AbstractIntegrand) -> int:
        """Points of all iterations."""
        return self.iterations * int(self.counts(integrand).sum())


class VegasFlow(AbstractFlow):
    """Piecewise constant densities, a product over the dimensions.

    There is one `vegas.AdaptiveMap` per group of channels.

    Args:
        grid: edges of the bins, ascending from 0 to 1, float64, shape (n_grids, dim, bins + 1).
        groups: grid of each channel, int64, shape (n_channels,); one each when None.

    Attributes:
        grid: edges, as given.
        groups: grid of each channel, int64, shape (n_channels,).
    """

    grid: Tensor
    groups: Tensor

    def __init__(self, grid: Tensor, groups: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("grid", grid.clone())
        self.register_buffer(
            "groups", torch.arange(len(grid)) if groups is None else groups.clone()
        )
        self.n_channels, self.dim = len(self.groups), grid.shape[1]
        self._build_maps()
        self.register_load_state_dict_post_hook(VegasFlow._build_maps)  # type: ignore[no-untyped-call]

    @classmethod
    def uniform(
        cls, dim: int, n_channels: int, bins: int, groups: Sequence[int] | None = None
    ) -> VegasFlow:
        """Equal bins, the density is 1 everywhere; `groups` as of an integrand."""
        index = ChannelGroups(groups, n_channels).index
        edges = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
        return cls(edges.expand(int(index.max()) + 1, dim, -1), index)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> VegasFlow:
        """Restore a flow from its `state_tensors`.

        Raises:
            CheckpointError: there is no grid, or it is not one.
        """
        grid, groups = tensors.get("grid"), tensors.get("groups")
        if (
            grid is None
            or grid.ndim != 3
            or grid.dtype != torch.float64
            or not (grid.diff(dim=2) >= 0).all()
        ):
            raise CheckpointError(
                "VEGAS grid: expected ascending float64 edges (n_grids, dim, bins + 1) as 'grid'"
            )
        if groups is None or groups.ndim != 1 or set(groups.tolist()) != set(range(len(grid))):
            raise CheckpointError(
                f"VEGAS grid: expected one of {len(grid)} grids for each channel as 'groups'"
            )
        return cls(grid, groups)

    def state_tensors(self) -> dict[str, Tensor]:
        """Everything that defines the flow: the grids, and which channel has which."""
        return {"grid": self.grid, "groups": self.groups}

    def sample(self, channel: Tensor, stream: RandomStream) -> tuple[Tensor, Tensor]:
        """Map uniform numbers to the grid; see `AbstractFlow.sample`."""
        y = self.numbers(len(channel), stream)
        x, jacobian = np.empty_like(y), np.empty(len(channel))
        for adaptive_map, points in self._channels(channel):
            adaptive_map.map(y[points], x[points], jacobian[points])
        return torch.from_numpy(x), -torch.from_numpy(jacobian).log()

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density; has no parameters and no gradient. See `AbstractFlow.log_prob`."""
        points = np.ascontiguousarray(x.cpu().numpy())
        y, jacobian = np.empty_like(points), np.empty(len(points))
        for adaptive_map, rows in self._channels(channel):
            adaptive_map.invmap(points[rows], y[rows], jacobian[rows])
        return -torch.from_numpy(jacobian).log().to(x.device)

    def numbers(self, n: int, stream: RandomStream) -> NDArray[np.float64]:
        """The numbers that `sample` maps to n points, shape (n, dim)."""
        uniform: NDArray[np.float64] = stream.uniform(n, self.dim).numpy()
        return uniform

    def add_training_data(self, channel: Tensor, y: NDArray[np.float64], weight: Tensor) -> None:
        """Collect <w^2> per bin, Eq. (2.41) of the MadNIS thesis, for the next `adapt`.

        Args:
            channel: sorted, int64, shape (n,).
            y: the uniform numbers of points drawn from this flow, float64, shape (n, dim).
            weight: integrand over density, float64, shape (n,).
        """
        square = weight.square().numpy()
        for adaptive_map, points in self._channels(channel):
            adaptive_map.add_training_data(y[points], square[points])

    def adapt(self, damping: float) -> None:
        """Refine the grids with the collected data and forget the data."""
        for adaptive_map, edges in zip(self._maps, self.grid, strict=True):
            adaptive_map.adapt(alpha=damping)
            edges.copy_(torch.from_numpy(np.asarray(adaptive_map.grid)))

    def _build_maps(self, *_: object) -> None:
        self._maps = [vegas.AdaptiveMap(edges) for edges in self.grid.numpy()]

    def _channels(self, channel: Tensor) -> list[tuple[vegas.AdaptiveMap, slice]]:
        """The map of each channel that has points, with the slice of these."""
        edges = [0, *torch.bincount(channel, minlength=self.n_channels).cumsum(0).tolist()]
        slices = [slice(start, stop) for start, stop in pairwise(edges)]
        pairs = zip(self.groups.tolist(), slices, strict=True)
        return [
            (self._maps[group], points) for group, points in pairs if points.start < points.stop
        ]


def train_vegas(
    integrand: AbstractIntegrand,
    settings: VegasSettings | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
) -> tuple[VegasFlow, Estimate]:
    """Adapt a VEGAS grid per symmetry group of channels.

    The channel weights are the normalised prior.

    Args:
        integrand: what is integrated.
        settings: iterations, points, bins and damping.
        seed: of the random streams ("vegas", iteration).
        callback: called with the `StepProgress` after each iteration.
        executor: runs the blocks of points.
        device: where the integrand takes its points; None for the CPU, where the grids are.

    Returns:
        flow: the grids after the last refinement.
        estimate: of the second half of the iterations. Each is unbiased, as its grid comes from
            earlier ones, but on a grid that has not found the peaks yet the error is large or,
            worse, underestimated.

    Raises:
        IntegrandError: the integrand returned NaN, infinity or a wrong shape.
    """
    settings = settings or VegasSettings()
    flow = VegasFlow.uniform(
        integrand.dim, integrand.n_channels, settings.used_bins, integrand.groups
    )
    sampler = ImportanceSampler(
        integrand, flow, PriorWeights(), seed=seed, executor=executor, device=device
    )
    estimates = []
    for iteration in range(settings.iterations):
        start = time.perf_counter()
        estimates.append(_refine(sampler, flow, settings, iteration))
        if callback:
            callback(_progress(estimates, settings, time.perf_counter() - start))
    return flow, combine(estimates[settings.iterations // 2 :])


def _refine(
    sampler: ImportanceSampler, flow: VegasFlow, settings: VegasSettings, iteration: int
) -> Estimate:
    counts = settings.counts(sampler.integrand)
    moments = Moments.empty(flow.n_channels)
    path, unit = ("vegas", iteration), 0.0
    for index, (channel, weight, magnitude) in enumerate(
        sampler.map_blocks(_weights, counts, *path)
    ):
        unit = unit or unit_of(magnitude.numpy())
        # The numbers drawn again cost a tenth of finding the bins of the points.
        numbers = flow.numbers(len(channel), sampler.stream(*path, block=index))
        flow.add_training_data(channel, numbers, magnitude / unit)
        moments = moments.merged(Moments.of(channel, weight, flow.n_channels))
    flow.adapt(settings.damping)
    return moments.estimate()


def _weights(samples: Samples) -> Weights:
    return samples.channel, samples.weight.cpu(), samples.magnitude.cpu()


def _progress(estimates: list[Estimate], settings: VegasSettings, seconds: float) -> StepProgress:
    last = estimates[-1]
    return StepProgress(
        step=len(estimates),
        total=settings.iterations,
        loss=last.relative_std**2,
        value=last.value,
        relative_std=last.relative_std,
        points_per_second=last.n / seconds,
        batch_value=last.value,
        batch_error=last.error,
    )
