"""Multi-channel importance sampling: integrand, flow and channel weights in, integrals out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from copy import copy
from functools import partial, reduce
from typing import TypeVar

import torch
from torch import Tensor

from madnis_py.devices.device import Device, device_of
from madnis_py.errors import InputError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration import allocation
from madnis_py.integration.block_sampler import BLOCK_POINTS, BlockSampler, PointBlock, blocks_of
from madnis_py.integration.channel_weights import (
    AbstractChannelWeights,
    ChannelWeights,
    ChannelWeightSettings,
    PriorWeights,
)
from madnis_py.integration.estimate import MINIMUM_POINTS, Estimate, Moments, combine, estimate
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.parallel.random_streams import RandomStream, stream

T = TypeVar("T")
Item = TypeVar("Item")

UNIFORM_FRACTION = 0.05
"""Share of the points of an integration that is spread evenly over the channels.

It protects against channels whose sigma_i was underestimated, and raises the variance by 5 % at
most.
"""


class ImportanceSampler:
    """Integrates and samples any integrand on the unit cube with one density per channel.

        sampler = ImportanceSampler(lambda x: torch.exp(-x.square().sum(dim=1)), dim=4)
        print(sampler.integrate(100_000))

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
        device: where everything from random numbers to weights is computed, with points and weights
            as tensors there: a `Device` or its name; the CPU by default. Flow and channel weights
            move there.

    Attributes:
        device: None for the CPU.
        active: channels that get points, bool, shape (n_channels,), all True at first. The others
            have alpha = 0 and those that are left share the whole integral.

    Raises:
        InputError: the flow is for another number of dimensions or channels, `dim` is missing, or
            there is no such device.
        DeviceError: the device cannot be used.
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
        device: Device | str | None = None,
    ) -> None:
        if not isinstance(integrand, AbstractIntegrand):
            integrand = FunctionIntegrand(integrand, dim)
        if flow is None:
            settings = FlowSettings(seed=seed)
            flow = SplineFlow(integrand.dim, integrand.n_channels, settings, integrand.groups)
        if weights is None and integrand.n_channels == 1:
            weights = PriorWeights()
        elif weights is None:
            adaptive = ChannelWeightSettings(seed=seed)
            weights = ChannelWeights(integrand.n_features, integrand.n_channels, adaptive)
        self.integrand = integrand
        self._once = PickledOnce(integrand)
        self.flow = flow
        self.weights = weights
        self.active = torch.ones(self.integrand.n_channels, dtype=torch.bool)
        self.seed = seed
        self.executor = executor
        self.device = device_of(device) if isinstance(device, str) else device
        expected, got = (
            (self.integrand.dim, self.integrand.n_channels),
            (self.flow.dim, self.flow.n_channels),
        )
        if got != expected:
            raise InputError(
                f"flow: expected (dim, n_channels) = {expected} of the integrand; got {got}"
            )
        if self.device is not None:
            for module in (self.flow, self.weights):
                move_to(module, self.device)

    def without_executor(self) -> ImportanceSampler:
        """The same sampler without executor, for use inside of a task of one."""
        alone = ImportanceSampler(
            self.integrand, self.flow, self.weights, seed=self.seed, device=self.device
        )
        alone.active = self.active
        return alone

    def with_seed(self, seed: int) -> ImportanceSampler:
        """The same sampler, flow and weights shared, that draws from streams of another seed."""
        other = copy(self)
        other.seed = seed
        return other

    def stream(self, *path: str | int, block: int) -> RandomStream:
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
        return self._joined(self.map_blocks(_whole, counts, *path))

    def sample_ahead(self, counts: Tensor, *path: str | int) -> Samples:
        """`sample` that does not wait for a device; arguments and errors are those of `sample`.

        Where the integrand returned on a device what `sample` refuses, all weights of a block are
        NaN, and `sample` with the same arguments tells why.
        """
        return self._joined(
            self._each(partial(self._block_sampler.ahead, path), self._blocks(counts))
        )

    def _joined(self, parts: Iterable[Samples]) -> Samples:
        """The points of blocks, which come to the CPU where another process has made them."""
        samples = Samples.concatenate(list(parts))
        return samples if self.device is None else samples.to(self.device.torch_device)

    def map_blocks(
        self, keep: Callable[[Samples], T], counts: Tensor, *path: str | int
    ) -> Iterator[T]:
        """Draw the points of `sample` block by block, with the memory for one block.

        Args:
            keep: makes of the points of a block what is kept of them; called in the executor's
                workers.
            counts: points per channel, int64, shape (n_channels,).
            path: names the random stream.

        Returns:
            what `keep` returned, in the order of the blocks.

        Raises:
            InputError: `counts` has the wrong shape, a negative entry or no point at all.
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        """
        return self._each(partial(self._block_sampler, keep, path), self._blocks(counts))

    def _blocks(self, counts: Tensor) -> Iterator[PointBlock]:
        """The blocks of so many points per channel; see `sample` for what is refused."""
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
        return blocks_of(counts)

    @property
    def _block_sampler(self) -> BlockSampler:
        return BlockSampler(
            self._once, self.flow, self.weights, self.active, self.seed, self.device
        )

    def _each(self, work: Callable[[Item], T], items: Iterable[Item]) -> Iterator[T]:
        """The work on each item, in the executor's workers if there are any."""
        return self.executor.map(PickledOnce(work), items) if self.executor else map(work, items)

    def magnitudes(self, samples: Samples) -> Tensor:
        """Magnitudes of points of another sampler, as if they had been drawn here.

        Args:
            samples: points of the same integrand, sorted by channel, shape (n,); neither `log_q`
                nor `weight` nor `magnitude` is used.

        Returns:
            the magnitudes with the flow and the channel weights of this sampler, float64, shape
            (n,), CPU; 0 in channels that are not active.
        """
        starts = range(0, len(samples), BLOCK_POINTS)
        blocks = [
            samples.select(torch.arange(start, min(start + BLOCK_POINTS, len(samples))))
            for start in starts
        ]
        return torch.cat(list(self._each(self._block_sampler.magnitudes, blocks)))

    def moments(self, counts: Tensor, *path: str | int) -> Moments:
        """Moments of the weights of `sample(counts, *path)`, without keeping the points."""
        moments = partial(
            Moments.of_samples, n_channels=self.integrand.n_channels, device=self.device
        )
        blocks = self.map_blocks(moments, counts, *path)
        return reduce(Moments.merged, blocks, Moments.empty(len(counts)))

    def integrate(self, n: int, iterations: int = 10, sigma: Tensor | None = None) -> Estimate:
        """Integrate with n points, spread over the channels by their standard deviations.

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
        """The points of `integrate`, one iteration after another.

        Args and errors are those of `integrate`.
        """
        results: list[Estimate] = []
        for k, points in enumerate(_split(n, iterations)):
            samples = self.sample(self._allocate(points, results, sigma), "integrate", k)
            results.append(estimate(samples, self.integrand.n_channels))
            yield samples

    def _allocate(self, n: int, results: Sequence[Estimate], sigma: Tensor | None) -> Tensor:
        if results:
            sigma = combine(results).channel_stds
        if sigma is None:
            sigma = torch.ones(self.integrand.n_channels, dtype=torch.float64)
        return allocation.proportional(n, sigma, UNIFORM_FRACTION, MINIMUM_POINTS, self.active)


def move_to(module: AbstractFlow | AbstractChannelWeights, device: Device) -> None:
    """Let a flow or channel weights compute on a device.

    What has no parameters stays: its input comes to it, and its output goes back.
    """
    if any(True for _ in module.parameters()):
        module.compute_on(device)


def _whole(samples: Samples) -> Samples:
    return samples


def _split(n: int, iterations: int) -> list[int]:
    if iterations < 1:
        raise InputError(f"integrate: expected at least 1 iteration; got {iterations}")
    sizes: list[int] = allocation.uniform(n, iterations).tolist()
    return sizes
