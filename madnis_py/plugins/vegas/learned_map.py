"""A flow that learns from the points of vegas, and the map between unit cubes that it is."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import torch
import vegas
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.flows.flow import FlowSettings, SplineFlow
from madnis_py.integration.grids.flow_start import initialise_from_vegas
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.plugins.vegas.map_choice import BATCH, blocks_for
from madnis_py.plugins.vegas.weighted_points import Memory, Points, Pool

GRID_BINS = 64
"""Bins per axis of the grids that a flow starts from."""

JUDGED = 2000
"""Points by which it is judged whether splines follow these grids."""

LARGEST_RATIO = 20.0
"""Points where the flow is too low by more than this factor, compared with the others, count like
those at it."""

HELD_OUT = 0.1
"""Share of the points that judge a training instead of taking part in it."""


class LearnedMap:
    """A spline flow per channel between the unit cube of vegas and the one behind it.

    Args:
        dim: dimension of the cube.
        n_channels: number of channels.
    """

    def __init__(self, dim: int, n_channels: int) -> None:
        self.flow = SplineFlow(dim, n_channels, FlowSettings(blocks=blocks_for(dim)))

    @classmethod
    def from_grid(cls, grid: vegas.AdaptiveMap, n_channels: int, points: Points) -> Self:
        """Begin with the density of a grid of vegas, the same in all channels.

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
        initialise_from_vegas(made.flow, grids, samples=_judges(grids, points))
        return made

    def __getstate__(self) -> dict[str, Any]:
        """The parameters as arrays; those in training are views of a memory that need not be kept."""
        state = {
            name: tensor.detach().numpy().copy() for name, tensor in self.flow.state_dict().items()
        }
        return {"dim": self.flow.dim, "n_channels": self.flow.n_channels, "state": state}

    def __setstate__(self, stored: dict[str, Any]) -> None:
        """What `__getstate__` gave."""
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
        self, memory: Memory, steps: int, learning_rate: float, rng: np.random.Generator
    ) -> bool:
        """Lower the variance, by points that are drawn from the memory as the integrand would draw them.

        Args:
            memory: of points with their weights.
            steps: of the optimiser; its rate falls from `learning_rate` along half a period of a
                cosine.
            learning_rate: at the first step.
            rng: draws the batches.

        Returns:
            whether points that took no part became more likely; if not, the flow is as it was.
        """
        pool = memory.pooled()
        held = rng.random(len(pool.v)) < HELD_OUT
        judges, kept = pool.where(held), self.__getstate__()
        before = self._likelihood(judges)
        self._train(pool.where(~held), steps, learning_rate, rng)
        better = self._likelihood(judges) > before
        if not better:
            self.__setstate__(kept)
        return better

    def _train(
        self, pool: Pool, steps: int, learning_rate: float, rng: np.random.Generator
    ) -> None:
        adam = FlatAdam(dict(self.flow.named_parameters()))
        for step in range(steps):
            adam.take_gradient(self._loss(pool.drawn(BATCH, rng)))
            adam.step(learning_rate * (1.0 + math.cos(math.pi * step / steps)) / 2.0, 1.0)

    def _loss(self, batch: Pool) -> Tensor:
        """Its gradient is that of the variance, -<f/q grad log q> over points that follow f, large f/q compressed."""
        log_q = self._log_q(batch)
        ratio = torch.exp(torch.from_numpy(np.log(batch.height)) - log_q.detach())
        ratio = (ratio / ratio.mean()).clamp(max=LARGEST_RATIO)
        return -(ratio * log_q).mean()

    def _log_q(self, pool: Pool) -> Tensor:
        return self.flow.log_prob(torch.from_numpy(pool.v), torch.from_numpy(pool.channel))

    @torch.no_grad()
    def _likelihood(self, pool: Pool) -> float:
        """Mean log density of the points, each with its probability."""
        return float(pool.probability @ self._log_q(pool).numpy())


def _sorted(v: Array, channel: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    order = np.argsort(channel, kind="stable")
    return torch.from_numpy(v[order]), torch.from_numpy(channel[order])


def _judges(grids: VegasFlow, points: Points) -> Samples:
    """Some of the points, as if the grids alone had drawn them."""
    some = slice(None, None, max(1, len(points.v) // JUDGED))
    x, channel = _sorted(points.v[some], points.channel[some])
    order = np.argsort(points.channel[some], kind="stable")
    weight = torch.from_numpy(points.weight[some][order])
    log_q = grids.log_prob(x, channel)
    nothing = x.new_empty(len(x), 0)
    return Samples(channel, x, log_q, weight * log_q.exp(), nothing, nothing, weight, weight.abs())
