"""Weighted points of a block: the unit of parallel work, with a random stream of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from madnis_py.errors import IntegrandError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.integration.channel_weights import AbstractChannelWeights
from madnis_py.integration.dropping import restricted
from madnis_py.integration.estimate import ROUNDING
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.samples import Samples
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.parallel.random_streams import stream

T = TypeVar("T")

BLOCK_POINTS = 2**14
"""Points of a block at most; fixed, because the numbers drawn depend on it."""

BLOCK_PRIORS = 2**21
"""Prior weights of a block at most: with more than 128 channels the blocks get shorter."""


@dataclass(frozen=True)
class PointBlock:
    """A piece of a sorted vector of channels.

    Attributes:
        index: position among the blocks.
        start: position of its first point in the vector.
        counts: points per channel, int64, shape (n_channels,).
    """

    index: int
    start: int
    counts: Tensor


def blocks_of(counts: Tensor) -> Iterator[PointBlock]:
    """The blocks that so many points per channel, int64, shape (n_channels,), are cut into."""
    n = int(counts.sum())
    size = min(BLOCK_POINTS, max(BLOCK_PRIORS // len(counts), 1))
    edges = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    for index, start in enumerate(range(0, n, size)):
        yield PointBlock(index, start, edges.clamp(start, min(start + size, n)).diff())


@dataclass(frozen=True)
class BlockSampler:
    """Draws and weights the points of one block, a function of the seed, the path and the block.

    Attributes:
        once: the integrand, which workers unpickle once.
        flow: density per channel.
        weights: channel weights.
        active: channels that have not been dropped, bool, shape (n_channels,).
        seed: first part of the names of the random streams.
    """

    once: PickledOnce[AbstractIntegrand]
    flow: AbstractFlow
    weights: AbstractChannelWeights
    active: Tensor
    seed: int

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: flow and weights as copies.

        Parameters in training are views of a memory that need not travel.
        """
        return {**self.__dict__, "flow": deepcopy(self.flow), "weights": deepcopy(self.weights)}

    def __call__(
        self, keep: Callable[[Samples], T], path: tuple[str | int, ...], block: PointBlock
    ) -> T:
        """Sample the block without gradients and return what `keep` makes of its points.

        Raises:
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        """
        with torch.no_grad():
            return keep(self._sample(path, block))

    def _sample(self, path: tuple[str | int, ...], block: PointBlock) -> Samples:
        integrand = self.once.value
        channel = torch.repeat_interleave(torch.arange(integrand.n_channels), block.counts)
        x, log_q = self.flow.sample(channel, stream(self.seed, *path, block.index))
        evaluation = integrand.evaluate(x, channel)
        check = _EvaluationCheck(integrand, x, channel, block.start)
        check.evaluation(evaluation)
        prior = restricted(evaluation.prior, self.active)
        rows = self._weighted(evaluation, prior, channel, log_q)
        weight, magnitude = rows[0], rows[-1].abs()
        check.finite("weight", weight)
        check.finite("magnitude", magnitude)
        return Samples(
            channel, x, log_q, evaluation.target, evaluation.features, prior, weight, magnitude
        )

    def magnitudes(self, samples: Samples) -> Tensor:
        """Magnitudes that points of another sampler would have; see `Integrator.magnitudes`."""
        with torch.no_grad():
            evaluation = Evaluation(samples.target, samples.features, samples.prior)
            log_q = self.flow.log_prob(samples.x, samples.channel)
            prior = restricted(samples.prior, self.active)
            return self._weighted(evaluation, prior, samples.channel, log_q)[0].abs()

    def _weighted(
        self, evaluation: Evaluation, prior: Tensor, channel: Tensor, log_q: Tensor
    ) -> Tensor:
        """alpha_i f J_i / q_i of the value and, in a second row, of the magnitude if there is one.

        alpha is evaluated only where f is not 0.
        """
        values = evaluation.value[None]
        if evaluation.magnitude is not None:
            values = torch.stack([evaluation.value, evaluation.magnitude])
        live = evaluation.target.nonzero().squeeze(1)
        if len(live) == len(channel):
            return self._times_alpha(values, evaluation.features, prior, channel, log_q)
        parts = (part[live] for part in (evaluation.features, prior, channel, log_q))
        return torch.zeros_like(values).index_copy(
            1, live, self._times_alpha(values[:, live], *parts)
        )

    def _times_alpha(
        self, values: Tensor, features: Tensor, prior: Tensor, channel: Tensor, log_q: Tensor
    ) -> Tensor:
        alpha: Tensor = self.weights(features, prior)
        return alpha.gather(1, channel.unsqueeze(1)).squeeze(1) * values * torch.exp(-log_q)


@dataclass(frozen=True)
class _EvaluationCheck:
    """Refuses what an integrand must not return, naming channel, event and point.

    Attributes:
        integrand: whose evaluation is checked.
        x: its points, shape (n, dim).
        channel: their channels, shape (n,).
        start: number of the first of these events.
    """

    integrand: AbstractIntegrand
    x: Tensor
    channel: Tensor
    start: int

    def evaluation(self, evaluation: Evaluation) -> None:
        n = len(self.x)
        self.shape("value", evaluation.value, (n,))
        self.shape("features", evaluation.features, (n, self.integrand.n_features))
        self.shape("prior", evaluation.prior, (n, self.integrand.n_channels))
        self.finite("value", evaluation.value)
        self.finite("features", evaluation.features)
        self.finite("prior", evaluation.prior)
        if evaluation.magnitude is not None:
            self.shape("magnitude", evaluation.magnitude, (n,))
            self.finite("magnitude", evaluation.magnitude)
            less = evaluation.magnitude < evaluation.value.abs() * (1 - ROUNDING)
            self.refuse(less, "magnitude is less than the size of the value")
        prior = evaluation.prior
        if not prior.numel() or prior.amin() > 0:
            return
        self.refuse((prior < 0).any(dim=1), "prior is negative")
        orphan = (prior.amax(dim=1) == 0) & (evaluation.target != 0)
        self.refuse(orphan, "prior of every channel is 0 although the value is not")

    def shape(self, name: str, array: Tensor, expected: tuple[int, ...]) -> None:
        if array.dtype != torch.float64 or array.shape != expected:
            got = f"{array.dtype} {tuple(array.shape)}"
            raise IntegrandError(
                f"integrand: expected {name} as torch.float64 {expected}; got {got}"
            )

    def finite(self, name: str, array: Tensor) -> None:
        if array.sum().isfinite():
            return
        bad = ~array.isfinite()
        if bad.any():
            self.refuse(bad.reshape(len(bad), -1).any(dim=1), f"{name} is {array[bad][0].item()}")

    def refuse(self, bad: Tensor, what: str) -> None:
        if bad.any():
            i = int(bad.nonzero()[0])
            where = (
                f"channel {int(self.channel[i])}, event {self.start + i}, x = {self.x[i].tolist()}"
            )
            raise IntegrandError(f"integrand: {what} in {where}")
