"""Spline flow that learns from the points of vegas: a map between two unit cubes."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import torch
import vegas
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.grids.flow_start import initialise_from_vegas
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.plugins.vegas.flow_decision import BATCH, blocks_for
from madnis_py.plugins.vegas.weighted_points import IterationPoints, PointHistory, TrainingPoints

GRID_BINS = 64
"""Bins per axis of the grids that a flow starts from."""

COMPARED = 2000
"""Points by which the splines of the start are compared with the grids that they replace."""

LARGEST_RATIO = 20.0
"""Largest weight f/q of a point in the loss, in units of the mean of the batch; larger ones count
as this one."""

HELD_OUT = 0.1
"""Share of the points that take no part in a training and tell whether it has helped."""


class LearnedMap:
    """A spline flow per channel between the unit cube of vegas and the one behind it.

    Args:
        dim: dimension of the cube.
        n_channels: number of channels.
    """

    def __init__(self, dim: int, n_channels: int) -> None:
        self.flow = SplineFlow(dim, n_channels, FlowSettings(blocks=blocks_for(dim)))

    @classmethod
    def from_grid(cls, grid: vegas.AdaptiveMap, n_channels: int, points: IterationPoints) -> Self:
        """A flow with the density of a grid of vegas, the same in all channels.

        Args:
            grid: its last axes are those of the cube, whatever their ends.
            n_channels: number of channels.
            points: of the last iteration.
        """
        dim = points.v.shape[1]
        even = vegas.AdaptiveMap(grid)
        even.adapt(ninc=GRID_BINS)
        edges = torch.from_numpy(np.array(even.grid)[-dim:])
        edges = ((edges - edges[:, :1]) / (edges[:, -1:] - edges[:, :1])).clamp(0.0, 1.0)
        grids = VegasFlow(edges.expand(n_channels, -1, -1))
        made = cls(dim, n_channels)
        initialise_from_vegas(made.flow, grids, samples=_comparison_samples(grids, points))
        return made

    def __getstate__(self) -> dict[str, Any]:
        """The parameters as arrays: those in training are views of a buffer of the optimiser."""
        state = {
            name: tensor.detach().numpy().copy() for name, tensor in self.flow.state_dict().items()
        }
        return {"dim": self.flow.dim, "n_channels": self.flow.n_channels, "state": state}

    def __setstate__(self, stored: dict[str, Any]) -> None:
        """Undo `__getstate__`."""
        LearnedMap.__init__(self, stored["dim"], stored["n_channels"])
        self.flow.load_state_dict(
            {name: torch.from_numpy(array) for name, array in stored["state"].items()}
        )

    def to_data(self, z: Array, channel: NDArray[np.int64]) -> tuple[Array, Array]:
        """Map points of the cube of vegas.

        Args:
            z: float64, shape (n, dim).
            channel: int64, shape (n,).

        Returns:
            v: float64, shape (n, dim).
            jacobian: |dv/dz|, float64, shape (n,).
        """
        order = np.argsort(channel, kind="stable")
        v, log_q = self.flow.transform(torch.from_numpy(z[order]), torch.from_numpy(channel[order]))
        back = np.argsort(order)
        return v.numpy()[back], np.exp(-log_q.numpy()[back])

    def learn(
        self, history: PointHistory, steps: int, learning_rate: float, rng: np.random.Generator
    ) -> bool:
        """Lower the variance, with points drawn from past iterations in proportion to |integrand|.

        Args:
            history: of the points.
            steps: of the optimiser; its rate falls from `learning_rate` along half a period of a
                cosine.
            learning_rate: at the first step.
            rng: draws the batches.

        Returns:
            whether points that took no part have become more likely; if not, the flow is as before.
        """
        pool = history.pooled()
        held = rng.random(len(pool.v)) < HELD_OUT
        held_out, before_training = pool.where(held), self.__getstate__()
        before = self._likelihood(held_out)
        self._train(pool.where(~held), steps, learning_rate, rng)
        better = self._likelihood(held_out) > before
        if not better:
            self.__setstate__(before_training)
        return better

    def _train(
        self, pool: TrainingPoints, steps: int, learning_rate: float, rng: np.random.Generator
    ) -> None:
        adam = FlatAdam(dict(self.flow.named_parameters()))
        for step in range(steps):
            adam.take_gradient(self._loss(pool.drawn(BATCH, rng)))
            adam.step(learning_rate * (1.0 + math.cos(math.pi * step / steps)) / 2.0, 1.0)

    def _loss(self, batch: TrainingPoints) -> Tensor:
        """Loss whose gradient is that of the variance, -<f/q grad log q> over points that follow f.

        Large f/q are limited, see LARGEST_RATIO.
        """
        log_q = self._log_q(batch)
        ratio = torch.exp(torch.from_numpy(np.log(batch.height)) - log_q.detach())
        ratio = (ratio / ratio.mean()).clamp(max=LARGEST_RATIO)
        return -(ratio * log_q).mean()

    def _log_q(self, pool: TrainingPoints) -> Tensor:
        return self.flow.log_prob(torch.from_numpy(pool.v), torch.from_numpy(pool.channel))

    @torch.no_grad()
    def _likelihood(self, pool: TrainingPoints) -> float:
        """Mean log density of the points, each with its probability."""
        return float(pool.probability @ self._log_q(pool).numpy())


def _comparison_samples(grids: VegasFlow, points: IterationPoints) -> Samples:
    """Some of the points, as if the grids alone had drawn them."""
    some = np.arange(0, len(points.v), max(1, len(points.v) // COMPARED))
    some = some[np.argsort(points.channel[some], kind="stable")]
    v, channel, weight = (
        torch.from_numpy(column[some]) for column in (points.v, points.channel, points.weight)
    )
    log_q = grids.log_prob(v, channel)
    nothing = v.new_empty(len(v), 0)
    return Samples(channel, v, log_q, weight * log_q.exp(), nothing, nothing, weight, weight.abs())
