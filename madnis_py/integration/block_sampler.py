"""Weighted points of a block: the unit of parallel work, with a random stream of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from madnis_py.devices.device import Device
from madnis_py.errors import IntegrandError
from madnis_py.flows.flow import AbstractFlow, channel_there
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
        device: where the integrand takes its points; None for the CPU.
    """

    once: PickledOnce[AbstractIntegrand]
    flow: AbstractFlow
    weights: AbstractChannelWeights
    active: Tensor
    seed: int
    device: Device | None = None

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
            samples = self.ahead(path, block)
            if not samples.weight.is_cpu and bool(samples.weight.isnan().any()):
                samples = self._sample(path, block, _EvaluationCheck)
            return keep(samples)

    def ahead(self, path: tuple[str | int, ...], block: PointBlock) -> Samples:
        """The points of a block, without waiting for a device to say whether they can be used.

        All weights are NaN where the integrand returned on a device what a call would refuse.

        Raises:
            IntegrandError: it returned that on the CPU, or a wrong shape.
        """
        waits = self.device is None or self.device.torch_device.type == "cpu"
        with torch.no_grad():
            return self._sample(path, block, _EvaluationCheck if waits else _LaterCheck)

    def _sample(
        self, path: tuple[str | int, ...], block: PointBlock, checked: type[_EvaluationCheck]
    ) -> Samples:
        integrand = self.once.value
        channel = torch.repeat_interleave(torch.arange(integrand.n_channels), block.counts)
        x, log_q = self.flow.sample(channel, stream(self.seed, *path, block.index))
        if self.device is not None:  # grids draw on the CPU
            x, log_q = (part.to(self.device.torch_device) for part in (x, log_q))
        evaluation = integrand.evaluate(x, channel)
        check = checked(integrand, x, channel, block.start)
        check.evaluation(evaluation)
        prior = restricted(evaluation.prior, self.active)
        rows = self._weighted(evaluation, prior, channel, log_q)
        weight, magnitude = rows[0], rows[-1].abs()
        check.finite("weight", weight)
        check.finite("magnitude", magnitude)
        return Samples(
            channel,
            x,
            log_q,
            evaluation.target,
            evaluation.features,
            prior,
            check.usable(weight),
            magnitude,
        )

    def magnitudes(self, samples: Samples) -> Tensor:
        """Magnitudes of points of another sampler; see `ImportanceSampler.magnitudes`."""
        if self.device is not None:
            samples = samples.to(self.device.torch_device)
        with torch.no_grad():
            evaluation = Evaluation(samples.target, samples.features, samples.prior)
            log_q = self.flow.log_prob(samples.x, samples.channel)
            prior = restricted(samples.prior, self.active)
            return self._weighted(evaluation, prior, samples.channel, log_q)[0].abs().cpu()

    def _weighted(
        self, evaluation: Evaluation, prior: Tensor, channel: Tensor, log_q: Tensor
    ) -> Tensor:
        """alpha_i f J_i / q_i of the value and, in a second row, of the magnitude if there is one.

        On the CPU alpha is evaluated only where f is not 0: a device is sooner done with all points
        than the host knows which these are.
        """
        values = evaluation.value[None]
        if evaluation.magnitude is not None:
            values = torch.stack([evaluation.value, evaluation.magnitude])
        if not values.is_cpu:
            rows = self._times_alpha(values, evaluation.features, prior, channel, log_q)
            return torch.where(values == 0, 0.0, rows)
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
        own = channel_there(channel, alpha.device).unsqueeze(1)
        return alpha.gather(1, own).squeeze(1) * values * torch.exp(-log_q)


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
            if not self.integrand.biased:
                less = evaluation.magnitude < evaluation.value.abs() * (1 - ROUNDING)
                self.refuse(less, "magnitude is less than the size of the value")
        prior = evaluation.prior
        if not prior.numel() or not self.perhaps(prior.amin() <= 0):
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

    def perhaps(self, found: Tensor) -> bool:
        """Whether a closer look is due."""
        return bool(found)

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

    def usable(self, weight: Tensor) -> Tensor:
        """The weights of points that have passed."""
        return weight


@dataclass(frozen=True)
class _LaterCheck(_EvaluationCheck):
    """Notes on a device what is to be refused, and makes all weights NaN if there is anything."""

    _found: list[Tensor] = field(default_factory=list)

    def perhaps(self, found: Tensor) -> bool:
        """True: the host does not know it yet."""
        return True

    def finite(self, name: str, array: Tensor) -> None:
        self._found.append(~array.isfinite().all())

    def refuse(self, bad: Tensor, what: str) -> None:
        self._found.append(bad.any())

    def usable(self, weight: Tensor) -> Tensor:
        """The weights, or NaN."""
        return torch.where(torch.stack(self._found).any(), torch.nan, weight)
