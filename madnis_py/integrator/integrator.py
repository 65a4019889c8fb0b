"""The integrator of any function on a box, or of an integrand with channels and maps of its own."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from madnis_py.counts import whole_number
from madnis_py.devices.device import Device
from madnis_py.errors import InputError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.integration import allocation
from madnis_py.integration.channel_weights import AbstractChannelWeights
from madnis_py.integration.estimate import MINIMUM_POINTS, Estimate
from madnis_py.integration.importance_sampler import UNIFORM_FRACTION, ImportanceSampler
from madnis_py.integration.integrand import (
    AbstractIntegrand,
    Arrays,
    Bounds,
    Box,
    FunctionIntegrand,
    in_arrays,
)
from madnis_py.integration.step_progress import Callback, StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.integration.training.training_state import TrainingState, modules
from madnis_py.integrator.arguments import Rng, seed_of, training_settings
from madnis_py.integrator.hit_or_miss import HitOrMiss
from madnis_py.integrator.metrics import SHARES, Metrics
from madnis_py.integrator.mixture_density import MixtureDensity
from madnis_py.integrator.points import UnweightedPoints, WeightedPoints
from madnis_py.integrator.progress_line import progress_line
from madnis_py.integrator.stored_integrator import StoredIntegrator
from madnis_py.integrator.training_history import TrainingHistory
from madnis_py.notebook import html_table
from madnis_py.parallel.random_streams import derived_seed

SCAN_POINTS = 50_000
"""Points from which the maxima of the weights are found before unweighting."""


class Integrator:
    """Neural multi-channel importance sampling of an integrand.

        integrator = Integrator(lambda x: np.exp(-(x**2).sum(axis=1)), bounds=[(-1, 1)] * 4)
        history = integrator.train(steps=500)
        print(integrator.integrate(1e5))
        events = integrator.unweight(10_000)
        integrator.save("gauss.safetensors")

    Every call draws new points. Two integrators of the same seed that are asked for the same things
    in the same order give the same numbers, for every executor; `rng` makes one call a function of
    a seed or of a generator instead.

    Args:
        integrand: a function f(x) of points (n, dim), or an `AbstractIntegrand`. A function that
            calls numpy gets numpy arrays, and points come back as such; any other gets torch
            tensors.
        flow: density per channel; an untrained `SplineFlow`, which is uniform, by default.
        weights: channel weights; trainable `ChannelWeights` by default, the bare prior when there
            is one channel.
        dim: dimension of the unit cube, where the integrand is a function without bounds.
        bounds: (lower, upper) of each dimension, for a function.
        arrays: "torch" or "numpy" for a function, where it shall not be found out by a call of it
            with two points.
        seed: names every random number drawn; also the seed of the default flow and weights.
        executor: runs blocks of points; one after the other in this thread by default.
        device: where everything from random numbers to weights is computed, with points as tensors
            there: a `Device` or its name; the CPU by default.

    Attributes:
        steps: of training so far.

    Raises:
        InputError: the flow is for another number of dimensions or channels, dimension and bounds
            do not fit, or there is no such device.
        DeviceError: the device cannot be used.
    """

    def __init__(
        self,
        integrand: AbstractIntegrand | Callable[[Any], Any],
        flow: AbstractFlow | None = None,
        weights: AbstractChannelWeights | None = None,
        *,
        dim: int | None = None,
        bounds: Bounds | None = None,
        arrays: Arrays | None = None,
        seed: int = 0,
        executor: Executor | None = None,
        device: Device | str | None = None,
    ) -> None:
        if not isinstance(integrand, AbstractIntegrand):
            integrand = FunctionIntegrand(integrand, dim, bounds=bounds, arrays=arrays)
        elif bounds is not None or dim not in (None, integrand.dim):
            raise InputError(
                "integrator: dim and bounds are for functions; this integrand has the dimension "
                f"{integrand.dim}"
            )
        self._sampler = ImportanceSampler(
            integrand, flow, weights, seed=seed, executor=executor, device=device
        )
        self._sigma: Tensor | None = None
        self._calls = 0
        self.steps = 0

    @property
    def integrand(self) -> AbstractIntegrand:
        """What is integrated."""
        return self._sampler.integrand

    @property
    def flow(self) -> AbstractFlow:
        """Density per channel on the unit cube."""
        return self._sampler.flow

    @property
    def weights(self) -> AbstractChannelWeights:
        """Channel weights."""
        return self._sampler.weights

    @property
    def active(self) -> Tensor:
        """Channels that get points, bool, shape (n_channels,); training drops negligible ones."""
        return self._sampler.active

    @property
    def seed(self) -> int:
        """Seed of the random numbers."""
        return self._sampler.seed

    @property
    def device(self) -> Device | None:
        """Where points are drawn; None for the CPU."""
        return self._sampler.device

    def integrate(self, n: float, iterations: float = 10, *, rng: Rng | None = None) -> Estimate:
        """Integrate with n new points.

        Args:
            n: points in all, spread over the channels by the standard deviations of their weights.
            iterations: parts that n is cut into; the agreement between them is the chi^2.
            rng: makes the points a function of it: a seed, or a generator of torch or numpy.

        Raises:
            InputError: a number is none, or there are too few points for the channels.
            IntegrandError: the integrand returned NaN, infinity, a wrong shape or no real numbers.
        """
        n, parts = whole_number("n", n), whole_number("iterations", iterations)
        channels = int(self.active.sum())
        if n // parts < MINIMUM_POINTS * channels:
            needed = MINIMUM_POINTS * channels * parts
            raise InputError(
                f"integrate: expected at least {needed} points, {MINIMUM_POINTS} for each of "
                f"{channels} channels in each of {parts} iterations; got {n}"
            )
        return self._fresh(rng).integrate(n, parts, self._sigma)

    def sample(self, n: float, *, rng: Rng | None = None) -> WeightedPoints:
        """Draw n new weighted points.

        Args:
            n: points in all, at least one for each channel.
            rng: makes the points a function of it: a seed, or a generator of torch or numpy.

        Returns:
            points whose mean weight estimates the integral, sorted by channel.

        Raises:
            InputError: n is no number, or too small for the channels.
            IntegrandError: the integrand returned NaN, infinity, a wrong shape or no real numbers.
        """
        counts = self._counts(whole_number("n", n), minimum=1)
        samples = self._fresh(rng).sample(counts, "sample")
        per_point = (int(counts.sum()) / counts.clamp(min=1))[samples.channel]
        columns = (
            self._box.points(samples.x),
            samples.channel,
            samples.weight * per_point.to(samples.weight.device),
            samples.target / self._box.volume,
            samples.log_q - math.log(self._box.volume),
        )
        return WeightedPoints(*map(self._handed_out, columns))

    def unweight(
        self,
        n: float,
        *,
        overweight_share: float = 0.001,
        scan: float = SCAN_POINTS,
        rng: Rng | None = None,
    ) -> UnweightedPoints:
        """Draw n new unweighted points, by hit or miss with a maximum per channel, Eq. (2.66).

        Args:
            n: unweighted points.
            overweight_share: share of the integral of |f| that may lie above the maxima; 0 takes
                the largest weights of the scan.
            scan: weighted points from which the maxima are found.
            rng: makes the points a function of it: a seed, or a generator of torch or numpy.

        Raises:
            InputError: a number is none or out of range.
            GenerationError: the integrand is 0 wherever it was looked at.
            IntegrandError: the integrand returned NaN, infinity, a wrong shape or no real numbers.
        """
        n, counts = whole_number("n", n), self._counts(whole_number("scan", scan))
        hits = HitOrMiss.scanned(self._fresh(rng), counts, overweight_share).hits(n)
        columns = self._box.points(hits.x), hits.channel, hits.weight
        x, channel, weight = (self._handed_out(column[:n]) for column in columns)
        return UnweightedPoints(x, channel, weight, hits.efficiency, hits.overweight_share)

    def log_prob(self, x: Any, channel: Any = None) -> Any:
        """Log density of points, normalised over the region of integration.

        Without a channel it is that of the mixture p(x) = sum_i s_i q_i(x) that `sample` draws
        from, where s_i is the share of the points that channel i gets. With maps of its own each
        channel has a unit cube of its own, in which x lies, and the channel has to be said.

        Args:
            x: points, shape (n, dim), numbers of any kind; the density is 0 outside of the region.
            channel: one number, or one for each point, shape (n,).

        Returns:
            float64, shape (n,): a tensor where x is one, else an array of numpy.

        Raises:
            InputError: x or channel has the wrong shape, or there is no such channel.
        """
        if channel is None and len(self.active) > 1 and not self._shares_one_box:
            raise InputError(
                "log_prob: expected the channel of the points, since each channel of "
                f"{type(self.integrand).__name__} has a unit cube of its own; got none"
            )
        shares = allocation.shares(self._known_sigma, UNIFORM_FRACTION, self.active)
        points = torch.as_tensor(x, dtype=torch.float64)
        log_p = MixtureDensity(self.flow, self._box, shares).log_prob(points, channel)
        return log_p if isinstance(x, Tensor) else log_p.cpu().numpy()

    def metrics(
        self, n: float, shares: Sequence[float] = SHARES, *, rng: Rng | None = None
    ) -> Metrics:
        """Figures of n new weighted points: std/mean, effective points, unweighting efficiencies.

        Args:
            n: points in all.
            shares: overweight shares of the maxima.
            rng: makes the points a function of it: a seed, or a generator of torch or numpy.

        Raises:
            InputError: n is no number or too small for the channels, or a share is outside [0, 1).
            GenerationError: the integrand is 0 wherever it was looked at.
            IntegrandError: the integrand returned NaN, infinity, a wrong shape or no real numbers.
        """
        counts, sampler = self._counts(max(whole_number("n", n) // 2, 1)), self._fresh(rng)
        halves = [sampler.sample(counts, "metrics", k).weights_only() for k in range(2)]
        return Metrics.of(halves, len(self.active), shares)

    def train(
        self,
        steps: float | None = None,
        preset: str | TrainingSettings = "standard",
        *,
        progress: bool = False,
        callback: Callback | None = None,
        rng: Rng | None = None,
        **settings: Any,
    ) -> TrainingHistory:
        """Train the flow and the channel weights in place; another call goes on from there.

            integrator.train(steps=500, batch_size=2048, learning_rate=1e-3, progress=True)

        A training that is interrupted, or whose callback raises, leaves the integrator as its last
        step did. One that had to go back says so in a warning.

        Args:
            steps: optimiser steps; those of the preset when not given.
            preset: "quick", "standard" or "paper", or settings to start from.
            progress: whether to show a line on the standard error.
            callback: called with the `StepProgress` after each step.
            rng: makes the points a function of it: a seed, or a generator of torch or numpy.
            settings: anything that `TrainingSettings` has.

        Raises:
            InputError: a setting is unknown or wrong, nothing can be trained, or the batch is too
                small for the channels.
            IntegrandError: the integrand returned NaN, infinity, a wrong shape or no real numbers.
            MadnisError: the loss or its gradient is not finite.
        """
        if steps is not None:
            settings["steps"] = whole_number("steps", steps, least=0)
        trainer = Trainer(self._fresh(rng), training_settings(preset, settings))
        seen: list[StepProgress] = []
        try:
            with progress_line(progress) as line:
                trainer.run(_each_of(seen.append, line, *([callback] if callback else [])))
        finally:
            state = trainer.state
            self._sampler.active, self._sigma = state.active, state.sigma
            self.steps += state.step
            for sentence in trainer.sentences:
                warnings.warn(sentence, stacklevel=2)
        return TrainingHistory.of(seen)

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything but the integrand to a file, as safetensors.

        Raises:
            OutputError: it cannot be written.
        """
        tensors = {"active": self.active} | ({} if self._sigma is None else {"sigma": self._sigma})
        for prefix, module in modules(self._sampler).items():
            tensors |= {f"{prefix}.{name}": part for name, part in module.state_dict().items()}
        description = StoredIntegrator.of(self._sampler, self._calls, self.steps)
        description.write(Path(path), tensors)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        integrand: AbstractIntegrand | Callable[[Any], Any],
        flow: AbstractFlow | None = None,
        weights: AbstractChannelWeights | None = None,
        *,
        executor: Executor | None = None,
        device: Device | str | None = None,
    ) -> Integrator:
        """The integrator that `save` wrote, which goes on with the same numbers.

        Args:
            path: of the file.
            integrand: the one that it was trained for; of a function, dimension and bounds are in
                the file.
            flow: an untrained one, where it is of a class of your own.
            weights: the same for channel weights.
            executor: as in the constructor.
            device: as in the constructor.

        Raises:
            CheckpointError: the file is missing, damaged or something else, or made for another
                integrand.
        """
        stored, tensors = StoredIntegrator.read(Path(path))
        if not isinstance(integrand, AbstractIntegrand):
            integrand = FunctionIntegrand(integrand, stored.dim, bounds=stored.bounds)
        stored.require(integrand, str(path))
        integrator = cls(
            integrand,
            flow or stored.new_flow(tensors, str(path)),
            weights or stored.new_weights(str(path)),
            seed=stored.seed,
            executor=executor,
            device=device,
        )
        TrainingState(stored.steps, tensors).load_into(integrator._sampler)
        integrator._sigma = stored.sigma(tensors, str(path))
        integrator._calls, integrator.steps = stored.calls, stored.steps
        return integrator

    def __repr__(self) -> str:
        (_, what), *others = self._facts()
        return f"Integrator({what}; {'; '.join(value for _, value in others)})"

    def _repr_html_(self) -> str:
        return html_table("Integrator", self._facts())

    def _facts(self) -> list[tuple[str, str]]:
        """What there is to say about it, name and value."""
        integrand, n_channels = self.integrand, len(self.active)
        function = getattr(integrand, "function", None)
        name = getattr(function, "__name__", type(function or integrand).__name__)
        flow = sum(part.numel() for part in self.flow.parameters())
        channels = f"{int(self.active.sum())} of {n_channels} channels" if n_channels > 1 else ""
        return [
            ("integrand", f"{name} of {integrand.dim} dimensions"),
            *([("channels", f"{channels}, {type(self.weights).__name__}")] if channels else []),
            ("flow", f"{type(self.flow).__name__} of {flow:,} parameters"),
            ("training", f"{self.steps:,} steps" if self.steps else "untrained"),
        ]

    def _fresh(self, rng: Rng | None) -> ImportanceSampler:
        """The sampler with the random numbers of one call."""
        if rng is not None:
            return self._sampler.with_seed(seed_of(rng))
        self._calls += 1
        return self._sampler.with_seed(derived_seed(self.seed, "call", self._calls))

    @property
    def _known_sigma(self) -> Tensor:
        """sigma_i as the training left them; without one the channels are alike."""
        alike = torch.ones(len(self.active), dtype=torch.float64)
        return alike if self._sigma is None else self._sigma

    def _counts(self, n: int, minimum: int = MINIMUM_POINTS) -> Tensor:
        """Points per channel."""
        return allocation.proportional(n, self._known_sigma, UNIFORM_FRACTION, minimum, self.active)

    def _handed_out(self, tensor: Tensor) -> Any:
        """A column in the arrays of the integrand."""
        return in_arrays(tensor, getattr(self.integrand, "arrays", "torch"))

    @property
    def _shares_one_box(self) -> bool:
        """Whether all channels draw points of the same region."""
        return isinstance(self.integrand, FunctionIntegrand)

    @property
    def _box(self) -> Box:
        """The region that points lie in."""
        integrand = self.integrand
        if isinstance(integrand, FunctionIntegrand):
            return integrand.box
        return Box.of(None, integrand.dim)


def _each_of(*watchers: Callback) -> Callback:
    """Calls all of them."""

    def watch(progress: StepProgress) -> None:
        for watcher in watchers:
            watcher(progress)

    return watch
