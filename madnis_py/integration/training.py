"""Training of the flow and the channel weights, one resumable step at a time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from madnis_py.errors import CheckpointError, InputError, MadnisError
from madnis_py.integration import allocation
from madnis_py.integration.adam import FlatAdam, Memory, copied
from madnis_py.integration.averages import RunningAverages
from madnis_py.integration.buffer import Batch, SampleBuffer, StoredBatch
from madnis_py.integration.channel_weights import ChannelWeights
from madnis_py.integration.dropping import survivors
from madnis_py.integration.estimate import MINIMUM_POINTS, Estimate, Moments
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.losses import DENSITY_LOSSES, LOSSES
from madnis_py.integration.progress import Callback, Progress
from madnis_py.integration.random_streams import stream
from madnis_py.integration.schedule import Draw, Replay, Reuse, schedule
from madnis_py.integration.settings import TrainingSettings
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training_state import TrainingState, modules

TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True)
class _Finished:
    """What the last finished step left behind."""

    step: int
    averages: RunningAverages
    active: Tensor
    buffer: SampleBuffer
    memory: Memory
    spare: Memory


class Trainer:
    """Trains the flow and the weights of an integrator in place, Section 5.1.2 of the MadNIS thesis.

        trainer = Trainer(integrator, TrainingSettings.preset("quick"))
        try:
            trainer.run(callback)
        except KeyboardInterrupt:
            ...  # trainer.state and the integrator are those of the last finished step

    A step either happens completely or, when it raises or is interrupted, not at all.

    Args:
        integrator: whose flow and weights are trained, and whose channels are dropped.
        settings: of the training; the preset `standard` by default.
        state: where to continue; from the integrator's present parameters by default.

    Attributes:
        reuse: how often points were used since this trainer was made; `str(trainer.reuse)` says it in words.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model or other settings.
    """

    _finished: _Finished
    _averages: RunningAverages
    _buffer: SampleBuffer

    def __init__(
        self, integrator: Integrator, settings: TrainingSettings | None = None, state: TrainingState | None = None
    ) -> None:
        self.integrator = integrator
        self.settings = settings or TrainingSettings()
        self.reuse = Reuse()
        self._n_channels = integrator.integrand.n_channels
        self._groups = ChannelGroups.of(integrator.integrand)
        self._schedule = schedule(self.settings)
        self._adam = FlatAdam(self._trained_parameters(), averaged=self.settings.averaging is not None)
        if state is None:
            self._start()
        else:
            self._continue(state)
        self._allocate(drawn=0)  # refuses a batch that is too small for the channels

    @property
    def state(self) -> TrainingState:
        """The state after the last finished step; later steps do not change it."""
        tensors = {f"average.{name}": tensor for name, tensor in self._averages.tensors().items()}
        tensors["active"] = self.integrator.active
        for prefix, module in modules(self.integrator).items():
            tensors |= {f"{prefix}.{name}": tensor.clone() for name, tensor in module.state_dict().items()}
        tensors |= {f"adam.{name}": tensor.clone() for name, tensor in self._adam.tensors().items()}
        tensors |= {f"buffer.{name}": tensor for name, tensor in self._buffer.tensors().items()}
        return TrainingState(self._finished.step, tensors)

    def run(self, callback: Callback | None = None) -> TrainingState:
        """Do the steps that are left; the callback may stop by raising KeyboardInterrupt."""
        while self._finished.step < self.settings.steps:
            progress = self.step()
            if callback:
                callback(progress)
        return self.state

    def step(self) -> Progress:
        """Take a batch, fresh or from the buffer, and move the parameters against the gradient of the loss.

        Raises:
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
            MadnisError: the loss or its gradient is not finite.
        """
        try:
            return self._step(self._finished.step)
        except BaseException:
            self._go_back()
            raise

    def _step(self, step: int) -> Progress:
        start = time.perf_counter()
        move = self._schedule.at(step)
        if isinstance(move, Draw):
            loss, fresh = self._draw(move, step)
            reuse = self.reuse.after_draw(time.perf_counter() - start)
        else:
            loss, fresh = self._learn(self._recall(move), step), None
            reuse = self.reuse.after_replay(time.perf_counter() - start)
        self._average_parameters(step)
        self._finish(step + 1, self._finished.spare, self._finished.memory)
        self.reuse = reuse
        return self._progress(loss, fresh)

    def _draw(self, move: Draw, step: int) -> tuple[float, Estimate]:
        """Learn from a fresh batch, keep it if there is a buffer, and drop channels when it is time.

        Returns:
            loss: of the step.
            estimate: of the integral, from the batch alone.
        """
        drawn = self._schedule.draws_before(step)
        counts = self._allocate(drawn)
        samples = self.integrator.sample(counts, "train", step)
        moments = Moments.of(samples.channel, samples.weight, self._n_channels)
        self._averages = self._averages.updated(samples, moments, drawn)
        batch = Batch.of(samples, counts)
        loss = self._learn(batch, step, fresh=True)
        if move.slot is not None:
            self._buffer = self._buffer.stored(move.slot, StoredBatch.of(batch, self.settings.buffer_weights))
        self._drop(drawn + 1)
        return loss, moments.estimate()

    def _recall(self, move: Replay) -> Batch:
        order = stream(self.integrator.seed, "buffer", move.sweep)
        return self._buffer.at(move.position, order).restored()

    def _learn(self, batch: Batch, step: int, fresh: bool = False) -> float:
        """One optimiser step; a batch without any value teaches nothing."""
        if len(batch) == 0:
            return 0.0
        loss, norm = torch.stack(self._update(batch, step, fresh)).tolist()
        for name, value in (("loss", loss), ("gradient", norm)):
            if not math.isfinite(value):
                self._go_back()
                raise MadnisError(f"training: {name} is {value} at step {step}, {self._suspect(batch)}")
        return float(loss)

    def _update(self, batch: Batch, step: int, fresh: bool) -> tuple[Tensor, Tensor]:
        """Move the batch to the device of the parameters, and these against the gradient; waits for nothing there.

        Returns:
            the loss and the norm of its gradient, float64 scalars on the device.
        """
        loss = self._loss(batch, fresh)
        norm = self._adam.take_gradient(loss)
        largest = self.settings.gradient_clip
        scale = 1.0 if largest is None else (largest / norm.clamp(min=TINY)).clamp(max=1.0)
        self._adam.step(self.settings.learning_rate_at(step), scale)
        return loss.detach(), norm

    def _loss(self, batch: Batch, fresh: bool = False) -> Tensor:
        """The loss in units of the integral of |f|, so that it has no dimension and Adam's epsilon no meaning."""
        size = self._averages.size.sum()
        stratum, value, counts = self._groups.strata(batch.channel, batch.value, batch.counts)
        there = replace(batch, value=value / torch.where(size > 0, size, 1.0), counts=counts).to(self._adam.device)
        log_q = self.integrator.flow.log_prob(there.x, batch.channel, there.log_q if fresh else None)
        stratum = stratum.to(self._adam.device, non_blocking=True)
        return LOSSES[self.settings.loss](log_q, self._alpha(there), there.value, there.log_q, stratum, there.counts)

    def _alpha(self, batch: Batch) -> Tensor:
        """Weight of each point's own channel."""
        alpha: Tensor = self.integrator.weights(batch.features, batch.prior)
        return alpha.gather(1, batch.channel.unsqueeze(1)).squeeze(1)

    def _suspect(self, batch: Batch) -> str:
        with torch.no_grad():
            weight = self._alpha(batch) * batch.value * torch.exp(-batch.log_q)
        worst = int(weight.abs().argmax())
        return f"largest weight {weight[worst].item():.3g} in channel {int(batch.channel[worst])}"

    def _allocate(self, drawn: int) -> Tensor:
        """Points per channel: evenly at first, then r evenly and the rest in proportion to sigma_i."""
        warming = drawn < self.settings.warmup_steps
        sigma = self._groups.mean(self._averages.variance).sqrt()
        return allocation.proportional(
            self.settings.batch(self._n_channels),
            torch.ones_like(sigma) if warming else sigma,
            self.settings.uniform_fraction,
            MINIMUM_POINTS,
            self.integrator.active,
        )

    def _drop(self, drawn: int) -> None:
        """Give up channels that have become negligible, also in what is remembered."""
        past = drawn - self.settings.warmup_steps
        if not self.settings.dropping_cutoff or past <= 0 or past % self.settings.dropping_interval:
            return
        active = self.integrator.active & survivors(self._averages.size, self.settings.dropping_cutoff, self._groups)
        if torch.equal(active, self.integrator.active):
            return
        self.integrator.active = active
        self._averages = self._averages.without(~active)
        self._buffer = self._buffer.purged(active)

    def _average_parameters(self, step: int) -> None:
        """Follow the parameters with a slower mean, which takes their place after the last step."""
        if self.settings.averaging is None:
            return
        self._adam.follow(max(1 - self.settings.averaging, 1 / (step + 1)))
        if step + 1 == self.settings.steps:
            self._adam.adopt_mean()

    def _progress(self, loss: float, fresh: Estimate | None) -> Progress:
        return Progress(
            step=self._finished.step,
            total=self.settings.steps,
            loss=loss,
            value=float(self._averages.value.sum()),
            relative_std=self._averages.relative_std,
            points_per_second=self.reuse.draws * self.settings.batch(self._n_channels) / self.reuse.seconds,
            efficiency=self._averages.efficiency,
            active_channels=int(self.integrator.active.sum()),
            reuse=self.reuse,
            batch_value=fresh.value if fresh else None,
            batch_error=fresh.error if fresh else None,
        )

    def _trained_parameters(self) -> dict[str, nn.Parameter]:
        trained = modules(self.integrator)
        if self.settings.loss in DENSITY_LOSSES:
            del trained["weights"]
        found = {f"{prefix}.{name}": p for prefix, m in trained.items() for name, p in m.named_parameters()}
        if not found:
            raise InputError(
                f"training: nothing to train with the loss '{self.settings.loss}', flow or weights are fixed"
            )
        return found

    def _standardise(self) -> None:
        """Scale the features of new channel weights by a first batch."""
        weights = self.integrator.weights
        if not isinstance(weights, ChannelWeights) or weights.standardised:
            return
        counts = allocation.uniform(self.settings.batch(self._n_channels), self._n_channels)
        samples = self.integrator.sample(counts, "standardise")
        live = samples.target.nonzero().squeeze(1)
        if len(live):
            weights.standardise(samples.features[live])

    def _start(self) -> None:
        self._standardise()
        self._averages = RunningAverages.zeros(self._n_channels)
        self._buffer = SampleBuffer()
        self._finish(0, copied(self._adam.memory), copied(self._adam.memory))

    def _continue(self, state: TrainingState) -> None:
        state.load_into(self.integrator)
        self._averages = state.averages(self._n_channels)
        self._buffer = self._buffer_of(state)
        state.load_into_optimiser(self._adam)
        self._finish(state.step, copied(self._adam.memory), copied(self._adam.memory))

    def _finish(self, step: int, memory: Memory, spare: Memory) -> None:
        """Make this the state to go back to; one assignment, so that an interruption comes before or after it."""
        copied(self._adam.memory, memory)
        self._finished = _Finished(step, self._averages, self.integrator.active, self._buffer, memory, spare)

    def _go_back(self) -> None:
        last = self._finished
        copied(last.memory, self._adam.memory)
        self._averages, self.integrator.active, self._buffer = last.averages, last.active, last.buffer

    def _buffer_of(self, state: TrainingState) -> SampleBuffer:
        buffer = state.buffer
        expected = 0 if self.settings.buffer == "none" else min(state.step, self.settings.buffer_size)
        if len(buffer) != expected:
            raise CheckpointError(f"training state: expected {expected} batches in its buffer; got {len(buffer)}")
        return buffer


def train(
    integrator: Integrator,
    settings: TrainingSettings | None = None,
    callback: Callback | None = None,
    state: TrainingState | None = None,
) -> TrainingState:
    """Train the flow and the weights of an integrator in place.

    Args:
        integrator: whose flow and weights are trained, and whose channels are dropped.
        settings: of the training; the preset `standard` by default.
        callback: told the `Progress` of each step. To stop early and keep the state, use a `Trainer`.
        state: where to continue; from the integrator's present parameters by default.

    Returns:
        the final state; its `sigma` is what `Integrator.integrate` wants to know.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model or other settings.
        IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        MadnisError: the loss or its gradient is not finite.
    """
    return Trainer(integrator, settings, state).run(callback)
