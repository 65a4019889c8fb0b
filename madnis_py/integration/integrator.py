"""Multi-channel importance sampling: integrand, flow and channel weights in, weighted points and integrals out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from copy import deepcopy
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any, TypeVar

import torch
from torch import Tensor

from madnis_py.errors import InputError, IntegrandError
from madnis_py.flows.flow import AbstractFlow, FlowSettings, SplineFlow
from madnis_py.integration import allocation
from madnis_py.integration.channel_weights import (
    AbstractChannelWeights,
    ChannelWeights,
    ChannelWeightSettings,
    PriorWeights,
)
from madnis_py.integration.dropping import restricted
from madnis_py.integration.estimate import MINIMUM_POINTS, ROUNDING, Estimate, Moments, combine
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.parallel.random_streams import stream
from madnis_py.parallel.shipped import Shipped

T = TypeVar("T")
Item = TypeVar("Item")

BLOCK_POINTS = 2**14
"""Points of a block, the unit of parallel work; fixed, because the numbers drawn depend on it."""

BLOCK_PRIORS = 2**21
"""Prior weights of a block at most: with many channels the blocks get shorter."""

UNIFORM_FRACTION = 0.05
"""Share of the points of an integration that is spread evenly, against channels whose sigma_i was underestimated.

It raises the variance by 5 % at most.
"""


@dataclass(frozen=True)
class Block:
    """A piece of a sorted vector of channels.

    Attributes:
        index: position among the blocks.
        start: position of its first point in the vector.
        counts: points per channel, int64, shape (n_channels,).
    """

    index: int
    start: int
    counts: Tensor


@dataclass(frozen=True)
class BlockSampler:
    """Draws and weights the points of one block; a function of the seed, the path and the block alone."""

    shipped: Shipped[AbstractIntegrand]
    flow: AbstractFlow
    weights: AbstractChannelWeights
    active: Tensor
    seed: int

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: copies, because parameters in training are views of a memory that need not go there."""
        return {**self.__dict__, "flow": deepcopy(self.flow), "weights": deepcopy(self.weights)}

    @property
    def integrand(self) -> AbstractIntegrand:
        """What is sampled."""
        return self.shipped.value

    def __call__(
        self, reduce: Callable[[Samples], T], path: tuple[str | int, ...], block: Block
    ) -> T:
        """Sample the block without gradients and return what `reduce` keeps of it."""
        with torch.no_grad():
            return reduce(self._sample(path, block))

    def weigh(self, samples: Samples) -> Tensor:
        """Magnitudes that points of another sampler would have here; see `Integrator.weigh`."""
        with torch.no_grad():
            evaluation = Evaluation(samples.target, samples.features, samples.prior)
            log_q = self.flow.log_prob(samples.x, samples.channel)
            prior = restricted(samples.prior, self.active)
            return self._weights(evaluation, prior, samples.channel, log_q)[0].abs()

    def _sample(self, path: tuple[str | int, ...], block: Block) -> Samples:
        channel = torch.repeat_interleave(torch.arange(self.integrand.n_channels), block.counts)
        x, log_q = self.flow.sample(channel, stream(self.seed, *path, block.index))
        evaluation = self.integrand.evaluate(x, channel)
        check = _Check(self.integrand, x, channel, block.start)
        check.evaluation(evaluation)
        prior = restricted(evaluation.prior, self.active)
        weights = self._weights(evaluation, prior, channel, log_q)
        weight, magnitude = weights[0], weights[-1].abs()
        check.finite("weight", weight)
        check.finite("magnitude", magnitude)
        return Samples(
            channel, x, log_q, evaluation.target, evaluation.features, prior, weight, magnitude
        )

    def _weights(
        self, evaluation: Evaluation, prior: Tensor, channel: Tensor, log_q: Tensor
    ) -> Tensor:
        """alpha_i f J_i / q_i of the value and, in a second row, of the magnitude where there is one.

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


class Integrator:
    """Integrates and samples any integrand on the unit cube with one density per channel.

        integrator = Integrator(lambda x: torch.exp(-x.square().sum(dim=1)), dim=4)
        print(integrator.integrate(100_000))

    The same seed gives the same numbers for every executor: work is cut into fixed blocks, each
    with a random stream of its own, and results are taken in the order of the blocks.

    Args:
        integrand: an `AbstractIntegrand`, or a function x (n, dim) -> (n,) together with `dim`.
        flow: density per channel; an untrained `SplineFlow`, which is uniform, by default.
        weights: channel weights; trainable `ChannelWeights` by default, the bare prior when there
            is one channel.
        dim: dimension of the unit cube, for an integrand that is a function.
        seed: names every random number drawn; also the seed of the default flow and weights.
        executor: runs the blocks; one after the other in this thread by default.

    Attributes:
        active: channels that get points, bool, shape (n_channels,), all True at first. The others
            have alpha = 0 and those that are left share the whole integral.

    Raises:
        InputError: the flow is for another number of dimensions or channels, or `dim` is missing.
    """

    def __init__(
        self,
        integrand: AbstractIntegrand | Callable[[Tensor], Tensor],
        flow: AbstractFlow | None = None,
        weights: AbstractChannelWeights | None = None,
        *,
        dim: int | None = None,
        seed: int = 0,
        executor: Executor | None = None,
    ) -> None:
        self.integrand = _as_integrand(integrand, dim)
        self._shipped = Shipped(self.integrand)
        self.flow = flow if flow is not None else _default_flow(self.integrand, seed)
        self.weights = weights if weights is not None else _default_weights(self.integrand, seed)
        self.active = torch.ones(self.integrand.n_channels, dtype=torch.bool)
        self.seed = seed
        self.executor = executor
        expected, got = (
            (self.integrand.dim, self.integrand.n_channels),
            (self.flow.dim, self.flow.n_channels),
        )
        if got != expected:
            raise InputError(
                f"flow: expected (dim, n_channels) = {expected} of the integrand; got {got}"
            )

    def without_executor(self) -> Integrator:
        """The same integrator that does all its work itself, for one that is itself a piece of work."""
        alone = Integrator(self.integrand, self.flow, self.weights, seed=self.seed)
        alone.active = self.active
        return alone

    def stream(self, *path: str | int, block: int) -> torch.Generator:
        """The random stream that a block of `map_blocks` draws from, counted from 0."""
        return stream(self.seed, *path, block)

    def sample(self, counts: Tensor, *path: str | int) -> Samples:
        """Draw weighted points.

        Args:
            counts: points per channel, int64, shape (n_channels,).
            path: names the random stream; the same path gives the same points.

        Returns:
            counts.sum() points, sorted by channel.

        Raises:
            InputError: `counts` has the wrong shape, a negative entry or no point at all.
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        """
        return Samples.concatenate(list(self.map_blocks(_whole, counts, *path)))

    def map_blocks(
        self, reduce: Callable[[Samples], T], counts: Tensor, *path: str | int
    ) -> Iterator[T]:
        """Draw the points of `sample` block by block and keep only `reduce` of each: memory for any number of points.

        Args:
            reduce: called in the executor's workers.
            counts: points per channel, int64, shape (n_channels,).
            path: names the random stream.

        Returns:
            the results in the order of the blocks.
        """
        self._check_counts(counts)
        return self._each(partial(self._sampler, reduce, path), _blocks(counts))

    @property
    def _sampler(self) -> BlockSampler:
        return BlockSampler(self._shipped, self.flow, self.weights, self.active, self.seed)

    def _each(self, work: Callable[[Item], T], items: Iterable[Item]) -> Iterator[T]:
        """The work on each item, in the executor's workers if there are any."""
        return self.executor.map(Shipped(work), items) if self.executor else map(work, items)

    def weigh(self, samples: Samples) -> Tensor:
        """Magnitudes that points of another sampler of the same integrand would have if they had been drawn here.

        Args:
            samples: sorted by channel, shape (n,); neither `log_q` nor `weight` nor `magnitude` is
                used.

        Returns:
            the magnitudes with the flow and the channel weights of this integrator, float64, shape
            (n,); 0 in channels that are not active.
        """
        starts = range(0, len(samples), BLOCK_POINTS)
        blocks = [
            samples.select(torch.arange(start, min(start + BLOCK_POINTS, len(samples))))
            for start in starts
        ]
        return torch.cat(list(self._each(self._sampler.weigh, blocks)))

    def moments(self, counts: Tensor, *path: str | int) -> Moments:
        """Mean and squared deviations of the weights of `sample(counts, *path)`, without keeping the points."""
        return reduce(
            Moments.merged,
            self.map_blocks(self._moments, counts, *path),
            Moments.empty(len(counts)),
        )

    def integrate(self, n: int, iterations: int = 10, sigma: Tensor | None = None) -> Estimate:
        """Integrate with n points, spread over the channels in proportion to their standard deviations.

        The allocation of an iteration uses only earlier ones, and each counts with its share of the
        points, so the result is unbiased. Channels whose sigma_i is negligible still get a few
        points.

        Args:
            n: points in all.
            iterations: parts that n is cut into; the agreement between them is the chi^2 of the
                result.
            sigma: what is known of sigma_i beforehand, e.g. from training, shape (n_channels,);
                used for the first iteration, which otherwise is uniform.

        Raises:
            InputError: too few points for the channels, or no iterations.
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        """
        results: list[Estimate] = []
        for k, points in enumerate(_split(n, iterations)):
            counts = self._allocate(points, results, sigma)
            results.append(self.moments(counts, "integrate", k).estimate())
        return combine(results)

    def iterations(
        self, n: int, iterations: int = 10, sigma: Tensor | None = None
    ) -> Iterator[Samples]:
        """The points of `integrate` one iteration after another, for those who need more of them than the integral.

        Args and errors are those of `integrate`.
        """
        results: list[Estimate] = []
        for k, points in enumerate(_split(n, iterations)):
            samples = self.sample(self._allocate(points, results, sigma), "integrate", k)
            results.append(self._moments(samples).estimate())
            yield samples

    def _allocate(self, n: int, results: Sequence[Estimate], sigma: Tensor | None) -> Tensor:
        if results:
            sigma = combine(results).channel_stds
        if sigma is None:
            sigma = torch.ones(self.integrand.n_channels, dtype=torch.float64)
        return allocation.proportional(n, sigma, UNIFORM_FRACTION, MINIMUM_POINTS, self.active)

    @property
    def _moments(self) -> Callable[[Samples], Moments]:
        return partial(_moments_of, self.integrand.n_channels)

    def _check_counts(self, counts: Tensor) -> None:
        shape = (self.integrand.n_channels,)
        if (
            counts.dtype != torch.int64
            or counts.shape != shape
            or (counts < 0).any()
            or not counts.any()
        ):
            got = f"{counts.dtype} {tuple(counts.shape)} of sum {int(counts.sum())}"
            raise InputError(
                f"counts: expected int64 {shape}, not negative, with at least one point; got {got}"
            )


class _Check:
    """Refuses what an integrand must not return, naming channel, event and point."""

    def __init__(
        self, integrand: AbstractIntegrand, x: Tensor, channel: Tensor, start: int
    ) -> None:
        self.integrand = integrand
        self.x = x
        self.channel = channel
        self.start = start

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


def _whole(samples: Samples) -> Samples:
    return samples


def _moments_of(n_channels: int, samples: Samples) -> Moments:
    return Moments.of(samples.channel, samples.weight, n_channels)


def _split(n: int, iterations: int) -> list[int]:
    if iterations < 1:
        raise InputError(f"integrate: expected at least 1 iteration; got {iterations}")
    sizes: list[int] = allocation.uniform(n, iterations).tolist()
    return sizes


def _blocks(counts: Tensor) -> Iterable[Block]:
    n = int(counts.sum())
    size = min(BLOCK_POINTS, max(BLOCK_PRIORS // len(counts), 1))
    edges = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    for index, start in enumerate(range(0, n, size)):
        yield Block(index, start, edges.clamp(start, min(start + size, n)).diff())


def _as_integrand(
    integrand: AbstractIntegrand | Callable[[Tensor], Tensor], dim: int | None
) -> AbstractIntegrand:
    if isinstance(integrand, AbstractIntegrand):
        return integrand
    if dim is None:
        raise InputError(
            "integrator: an integrand that is a function needs dim, the dimension of the unit cube"
        )
    return FunctionIntegrand(integrand, dim)


def _default_flow(integrand: AbstractIntegrand, seed: int) -> AbstractFlow:
    return SplineFlow(
        integrand.dim, integrand.n_channels, FlowSettings(seed=seed), integrand.groups
    )


def _default_weights(integrand: AbstractIntegrand, seed: int) -> AbstractChannelWeights:
    if integrand.n_channels == 1:
        return PriorWeights()
    return ChannelWeights(
        integrand.n_features, integrand.n_channels, ChannelWeightSettings(seed=seed)
    )
