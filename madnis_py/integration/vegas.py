"""VEGAS grids, one per channel: the baseline and the survey before training."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from itertools import pairwise

import numpy as np
import torch
import vegas
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from madnis_py.errors import CheckpointError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.estimate import Estimate, Moments, combine
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.progress import Callback, Progress
from madnis_py.integration.samples import Samples

Weights = tuple[Tensor, Tensor]
"""Channel and weight of some points."""


class VegasSettings(BaseModel):
    """How VEGAS grids are trained; defaults of the pre-training of the MadNIS thesis, Tab. A.6.

    Its baseline runs use 7 iterations of 50000 points, 128 bins and damping 0.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    iterations: int = Field(7, ge=1, description="Number of times the grid is refined.")
    points: int = Field(20_000, ge=2, description="Points per channel and iteration.")
    bins: int = Field(64, ge=1, description="Bins of each dimension.")
    damping: float = Field(0.7, ge=0.0, description="Exponent of the refinement; 0 leaves the grid as it is.")

    @classmethod
    def for_channels(cls, n_channels: int) -> VegasSettings:
        """The defaults with fewer points per channel where there are many: 300 000 per iteration, 500 per channel."""
        return cls(points=min(20_000, max(500, 300_000 // n_channels)))


class VegasFlow(AbstractFlow):
    """Piecewise constant densities, a product over the dimensions, one `vegas.AdaptiveMap` per channel.

    Args:
        grid: edges of the bins, ascending from 0 to 1, float64, shape (n_channels, dim, bins + 1).
    """

    grid: Tensor

    def __init__(self, grid: Tensor) -> None:
        super().__init__()
        self.n_channels, self.dim, _ = grid.shape
        self.register_buffer("grid", grid.clone())
        self._build_maps()
        self.register_load_state_dict_post_hook(VegasFlow._build_maps)  # type: ignore[no-untyped-call]

    @classmethod
    def uniform(cls, dim: int, n_channels: int, bins: int) -> VegasFlow:
        """Equal bins, the density is 1 everywhere."""
        return cls(torch.linspace(0, 1, bins + 1, dtype=torch.float64).expand(n_channels, dim, -1))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> VegasFlow:
        """Restore a flow from its `state_tensors`.

        Raises:
            CheckpointError: there is no grid, or it is not one.
        """
        grid = tensors.get("grid")
        if grid is None or grid.ndim != 3 or grid.dtype != torch.float64 or not (grid.diff(dim=2) >= 0).all():
            raise CheckpointError("VEGAS grid: expected ascending float64 edges (n_channels, dim, bins + 1) as 'grid'")
        return cls(grid)

    def state_tensors(self) -> dict[str, Tensor]:
        """Everything that defines the flow: the grid."""
        return {"grid": self.grid}

    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Map uniform numbers to the grid; see `AbstractFlow.sample`."""
        y = self.numbers(len(channel), generator)
        x, jacobian = np.empty_like(y), np.empty(len(channel))
        for i, points in self._channels(channel):
            self._maps[i].map(y[points], x[points], jacobian[points])
        return torch.from_numpy(x), -torch.from_numpy(jacobian).log()

    def log_prob(self, x: Tensor, channel: Tensor, known: Tensor | None = None) -> Tensor:
        """Log density; has no parameters and no gradient. See `AbstractFlow.log_prob`."""
        return -torch.from_numpy(self._inverse(x.cpu(), channel)[1]).log().to(x.device)

    def numbers(self, n: int, generator: torch.Generator) -> NDArray[np.float64]:
        """The numbers that `sample` maps to n points, shape (n, dim)."""
        uniform: NDArray[np.float64] = torch.rand(n, self.dim, generator=generator, dtype=torch.float64).numpy()
        return uniform

    def add_training_data(self, channel: Tensor, y: NDArray[np.float64], weight: Tensor) -> None:
        """Collect <w^2> per bin, Eq. (2.41) of the MadNIS thesis, for the next `adapt`.

        Args:
            channel: sorted, int64, shape (n,).
            y: the uniform numbers of points drawn from this flow, float64, shape (n, dim).
            weight: integrand over density, float64, shape (n,).
        """
        square = weight.square().numpy()
        for i, points in self._channels(channel):
            self._maps[i].add_training_data(y[points], square[points])

    def adapt(self, damping: float) -> None:
        """Refine the grids with the collected data and forget the data."""
        for adaptive_map, edges in zip(self._maps, self.grid, strict=True):
            adaptive_map.adapt(alpha=damping)
            edges.copy_(torch.from_numpy(np.asarray(adaptive_map.grid)))

    def _build_maps(self, *_: object) -> None:
        self._maps = [vegas.AdaptiveMap(edges) for edges in self.grid.numpy()]

    def _inverse(self, x: Tensor, channel: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        points_x = np.ascontiguousarray(x.numpy())
        y, jacobian = np.empty_like(points_x), np.empty(len(x))
        for i, points in self._channels(channel):
            self._maps[i].invmap(points_x[points], y[points], jacobian[points])
        return y, jacobian

    def _channels(self, channel: Tensor) -> list[tuple[int, slice]]:
        """Channels that have points, with the slice of theirs."""
        edges = [0, *torch.bincount(channel, minlength=self.n_channels).cumsum(0).tolist()]
        slices = [slice(start, stop) for start, stop in pairwise(edges)]
        return [(i, points) for i, points in enumerate(slices) if points.start < points.stop]


def train_vegas(
    integrand: AbstractIntegrand,
    settings: VegasSettings | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    executor: Executor | None = None,
) -> tuple[VegasFlow, Estimate]:
    """Adapt a VEGAS grid per channel, with the normalised prior as channel weights.

    Args:
        integrand: what is integrated.
        settings: iterations, points, bins and damping.
        seed: of the random streams ("vegas", iteration).
        callback: told the `Progress` of each iteration.
        executor: runs the blocks of points.

    Returns:
        flow: the grids after the last refinement.
        estimate: of the second half of the iterations. Each is unbiased, as its grid comes from earlier ones, but on a
            grid that has not found the peaks yet the error is large or, worse, underestimated.

    Raises:
        IntegrandError: the integrand returned NaN, infinity or a wrong shape.
    """
    settings = settings or VegasSettings()
    flow = VegasFlow.uniform(integrand.dim, integrand.n_channels, settings.bins)
    integrator = Integrator(integrand, flow, PriorWeights(), seed=seed, executor=executor)
    estimates = []
    for iteration in range(settings.iterations):
        start = time.perf_counter()
        estimates.append(_refine(integrator, flow, settings, iteration))
        if callback:
            callback(_progress(estimates, settings, time.perf_counter() - start))
    return flow, combine(estimates[settings.iterations // 2 :])


def _refine(integrator: Integrator, flow: VegasFlow, settings: VegasSettings, iteration: int) -> Estimate:
    counts = torch.full((flow.n_channels,), settings.points)
    moments = Moments.empty(flow.n_channels)
    path = ("vegas", iteration)
    for index, (channel, weight) in enumerate(integrator.map_blocks(_weights, counts, *path)):
        # The numbers drawn again cost a tenth of finding the bins of the points.
        flow.add_training_data(channel, flow.numbers(len(channel), integrator.stream(*path, block=index)), weight)
        moments = moments.merged(Moments.of(channel, weight, flow.n_channels))
    flow.adapt(settings.damping)
    return moments.estimate()


def _weights(samples: Samples) -> Weights:
    return samples.channel, samples.weight


def _progress(estimates: list[Estimate], settings: VegasSettings, seconds: float) -> Progress:
    last = estimates[-1]
    return Progress(
        step=len(estimates),
        total=settings.iterations,
        loss=last.relative_std**2,
        value=last.value,
        relative_std=last.relative_std,
        points_per_second=last.n / seconds,
        batch_value=last.value,
        batch_error=last.error,
    )
