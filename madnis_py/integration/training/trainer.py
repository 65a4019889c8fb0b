"""Training of the flow and the channel weights, one resumable step at a time."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import replace

import torch
from torch import Tensor

from madnis_py.devices.device import CPU
from madnis_py.errors import CheckpointError, MadnisError
from madnis_py.integration import allocation
from madnis_py.integration.channel_weights import ChannelWeights
from madnis_py.integration.dropping import remaining_channels
from madnis_py.integration.estimate import MINIMUM_POINTS, Estimate, Measurement, Moments, unit_of
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.step_progress import Callback, Reuse, StepProgress
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training.adam import Memory, copied
from madnis_py.integration.training.buffer import Batch, SampleBuffer, StoredBatch
from madnis_py.integration.training.channel_averages import ChannelAverages
from madnis_py.integration.training.parameter_update import ParameterUpdate
from madnis_py.integration.training.rollback import (
    HEAVY,
    LOST,
    MOST_ROLLBACKS,
    POINTS,
    Deficit,
    IntegralCheck,
    batches_per_look,
    rollback_sentences,
)
from madnis_py.integration.training.schedule import Draw, schedule
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.training_state import FinishedStep, Snapshot, TrainingState
from madnis_py.parallel.random_streams import stream


class Trainer:
    """Trains flow and weights of a sampler in place, Section 5.1.2 of the thesis.

        trainer = Trainer(sampler, TrainingSettings.preset("quick"))
        try:
            trainer.run(callback)
        except KeyboardInterrupt:
            ...  # trainer.state and the sampler are those of the last finished step

    A step either happens completely or, when it raises or is interrupted, not at all. A training
    that loses a part of the integral, see `rollback`, goes back to the last trusted state and on
    from there with a smaller learning rate; after `MOST_ROLLBACKS` of these it ends there.

    Args:
        sampler: whose flow and weights are trained, and whose channels are dropped.
        settings: of the training; the preset `standard` by default.
        state: where to continue; from the sampler's present parameters by default.
        survey: what is known of the integral beforehand.

    Attributes:
        reuse: how often points were used since this trainer was made; `str(trainer.reuse)` says it
            in words.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model or other settings, or there are steps
            left and those before had other random numbers.
    """

    _finished: FinishedStep
    _averages: ChannelAverages
    _buffer: SampleBuffer
    _check: IntegralCheck
    _unit: float

    def __init__(
        self,
        sampler: ImportanceSampler,
        settings: TrainingSettings | None = None,
        state: TrainingState | None = None,
        survey: Measurement | None = None,
    ) -> None:
        self.sampler = sampler
        self.settings = settings or TrainingSettings()
        self.survey = survey
        self.reuse = Reuse()
        self._n_channels = sampler.integrand.n_channels
        self._groups = ChannelGroups.of(sampler.integrand)
        self._schedule = schedule(self.settings)
        draws, points = (
            self._schedule.draws_before(self.settings.steps),
            self.settings.batch(self._n_channels),
        )
        self._batches_per_look = batches_per_look(draws, points)
        self._update = ParameterUpdate(sampler, self.settings)
        if state is None:
            self._start()
        else:
            self._continue(state)
        self._allocate(drawn=0)  # refuses a batch that is too small for the channels

    @property
    def state(self) -> TrainingState:
        """The state after the last finished step; later steps do not change it."""
        return TrainingState.of(
            self._finished, self.sampler, self._update.adam, self._unit, ended=self.finished
        )

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self._finished.step >= self.settings.steps or self.ended

    @property
    def ended(self) -> bool:
        """Whether the training went back so often that it goes no further."""
        return len(self._finished.rollbacks) > MOST_ROLLBACKS

    @property
    def place(self) -> tuple[int, int]:
        """How often the training went back, and the steps that are finished since it began."""
        return len(self._finished.rollbacks), self._finished.step

    @property
    def kept_steps(self) -> set[int]:
        """Steps of the states that the training may go back to."""
        return {self._finished.recent.step, self._finished.trusted.step}

    @property
    def evaluations(self) -> int:
        """Points drawn so far, those of steps that were given up included."""
        draws = self._schedule.draws_before
        given_up = sum(draws(one.step) - draws(one.to) for one in self._finished.rollbacks)
        return (draws(self._finished.step) + given_up) * self.settings.batch(self._n_channels)

    @property
    def sentences(self) -> list[str]:
        """A sentence about a training that went back; none for others."""
        return rollback_sentences(self._finished.rollbacks, self.settings.steps)

    def run(self, callback: Callback | None = None) -> TrainingState:
        """Do the steps that are left; the callback may stop by raising KeyboardInterrupt."""
        while not self.finished:
            progress = self.step()
            if callback:
                callback(progress)
        return self.state

    def step(self) -> StepProgress:
        """Learn from a batch, fresh or from the buffer.

        Raises:
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
            MadnisError: the loss or its gradient is not finite.
        """
        try:
            return self._step(self._finished.step)
        except BaseException:
            self._go_back()
            raise

    def _step(self, step: int) -> StepProgress:
        start = time.perf_counter()
        move = self._schedule.at(step)
        fresh = None
        if isinstance(move, Draw):
            loss, fresh = self._draw(move, step)
            reuse = self.reuse.after_draw(time.perf_counter() - start)
        else:
            order = stream(self.sampler.seed, "buffer", move.sweep)
            batch = self._buffer.at(move.position, order).restored()
            learned = self._update_with(batch, self._averages.size.sum(), step)
            loss = self._loss(learned, batch, step)
            reuse = self.reuse.after_replay(time.perf_counter() - start)
        self._update.average(step)
        deficit = self._look(step, fresh is not None)
        if lost := deficit is not None and deficit.size > LOST:
            reason = deficit.in_unit(1.0 / self._unit)
            self._finished = self._finished.rolled_back(step + 1, reason)
            self._go_back()
        else:
            if step + 1 == self.settings.steps:
                self._update.adopt_average()
            self._finish(step + 1, deficit is not None and self._check.trusts(deficit))
        self.reuse = reuse
        return self._progress(loss, fresh, lost)

    def _look(self, step: int, fresh: bool) -> Deficit | None:
        """The largest deficit of the batches since the last look; None between two looks."""
        batches = self._schedule.draws_before(step + 1) % self._batches_per_look
        if batches == 0 and fresh:
            batches = self._batches_per_look
        elif (
            step + 1 < self.settings.steps
            or batches * self.settings.batch(self._n_channels) < POINTS
        ):
            return None
        self._check = self._check.after_look(batches)
        return self._check.largest_deficit(self.survey and self.survey.in_unit(self._unit))

    def _draw(self, move: Draw, step: int) -> tuple[float, Estimate]:
        """Learn from a fresh batch, store it in a buffer, and drop channels when it is time.

        Returns:
            loss: of the step.
            estimate: of the integral, from the batch alone.
        """
        drawn = self._schedule.draws_before(step)
        counts = self._allocate(drawn)
        path = ("train", step, *self._finished.attempt)
        samples = self.sampler.sample_ahead(counts, *path)
        if drawn == 0:
            self._unit = unit_of(samples.weight.cpu().numpy())
        samples = samples.in_unit(self._unit)
        batch, learned = Batch.of(samples, counts), None
        if not samples.x.is_cpu:  # the device is at work before the host looks at the points
            size = self._averages.size_with(samples, counts, drawn)
            learned = self._update_with(batch, size, step, fresh=True)
        device = self.sampler.device
        moments = Moments.of_samples(samples, self._n_channels, device)
        if moments.means.isnan().any():
            self.sampler.sample(counts, *path)  # tells why
        self._averages = self._averages.updated(samples, moments, drawn, device)
        heavy = HEAVY * self._batches_per_look * float(self._averages.size.sum())
        self._check = self._check.with_batch(samples, moments, heavy, device)
        if learned is None:
            learned = self._update_with(batch, self._averages.size.sum(), step, fresh=True)
        loss = self._loss(learned, batch, step)
        if move.slot is not None:
            self._buffer = self._buffer.stored(
                move.slot, StoredBatch.of(batch, self.settings.buffer_weights)
            )
        self._drop(drawn + 1)
        return loss, replace(moments, unit=self._unit).estimate()

    def _update_with(self, batch: Batch, size: Tensor, step: int, fresh: bool = False) -> Tensor:
        """One optimiser step, which no host waits for; a batch without any value teaches nothing.

        Returns:
            the loss and the norm of its gradient, float64, shape (2,), where the parameters are.
        """
        if len(batch) == 0:
            return torch.zeros(2, dtype=torch.float64)
        return torch.stack(self._update(batch, size, self._learning_rate(step), fresh))

    def _learning_rate(self, step: int) -> float:
        """Learning rate of a step, smaller after each rollback."""
        return self._finished.learning_rate_factor * self.settings.learning_rate_at(step)

    def _loss(self, learned: Tensor, batch: Batch, step: int) -> float:
        """The loss of an optimiser step, whose result is looked at here."""
        loss, norm = learned.tolist()
        for name, value in (("loss", loss), ("gradient", norm)):
            if not math.isfinite(value):
                self._go_back()
                raise MadnisError(
                    f"training: {name} is {value} at step {step}, "
                    f"{self._update.largest_weight(batch)}"
                )
        return float(loss)

    def _allocate(self, drawn: int) -> Tensor:
        """Points per channel: evenly at first, then r evenly and the rest by sigma_i."""
        warming = drawn < self.settings.warmup_steps
        sigma = self._groups.mean(self._averages.variance).sqrt()
        return allocation.proportional(
            self.settings.batch(self._n_channels),
            torch.ones_like(sigma) if warming else sigma,
            self.settings.uniform_fraction,
            MINIMUM_POINTS,
            self.sampler.active,
        )

    def _drop(self, drawn: int) -> None:
        """Give up channels that have become negligible, also in what is remembered."""
        past = drawn - self.settings.warmup_steps
        if not self.settings.dropping_cutoff or past <= 0 or past % self.settings.dropping_interval:
            return
        active = self.sampler.active & remaining_channels(
            self._averages.size, self.settings.dropping_cutoff, self._groups
        )
        if torch.equal(active, self.sampler.active):
            return
        self.sampler.active = active
        self._averages = self._averages.without(~active)
        self._buffer = self._buffer.purged(active)

    def _progress(self, loss: float, fresh: Estimate | None, rolled_back: bool) -> StepProgress:
        return StepProgress(
            step=self._finished.step,
            total=self.settings.steps,
            loss=loss,
            value=float(self._averages.value.sum()) * self._unit,
            relative_std=self._averages.relative_std,
            points_per_second=self.reuse.draws
            * self.settings.batch(self._n_channels)
            / self.reuse.seconds,
            efficiency=self._averages.efficiency,
            active_channels=int(self.sampler.active.sum()),
            reuse=self.reuse,
            batch_value=fresh.value if fresh else None,
            batch_error=fresh.error if fresh else None,
            rolled_back=rolled_back,
            rollbacks=len(self._finished.rollbacks),
            learning_rate=self._learning_rate(max(self._finished.step - 1, 0)),
        )

    def _standardise(self) -> None:
        """Scale the features of new channel weights by a first batch."""
        weights = self.sampler.weights
        if not isinstance(weights, ChannelWeights) or weights.standardised:
            return
        counts = allocation.uniform(self.settings.batch(self._n_channels), self._n_channels)
        samples = self.sampler.sample(counts, "standardise")
        live = samples.target.nonzero().squeeze(1)
        if len(live):
            weights.standardise(samples.features[live])

    def _start(self) -> None:
        self._standardise()
        self._averages = ChannelAverages.zeros(self._n_channels)
        self._buffer = SampleBuffer()
        self._check = IntegralCheck.start()
        self._unit = 1.0
        now, kept = (self._snapshot(0, copied(self._update.adam.memory)) for _ in range(2))
        self._finished = FinishedStep.at(now, kept, kept, ())

    def _continue(self, state: TrainingState) -> None:
        adam = self._update.adam
        state.load_into(self.sampler)
        self._averages = state.averages(self._n_channels)
        self._buffer = state.buffer.to(self._place)
        full = 0 if self.settings.buffer == "none" else self.settings.buffer_size
        expected = min(state.step, full)
        if len(self._buffer) != expected:
            raise CheckpointError(
                f"training state: expected {expected} batches in its buffer; "
                f"got {len(self._buffer)}"
            )
        self._check = state.check
        self._unit = state.unit
        state.load_into_optimiser(adam)
        now, same = (self._snapshot(state.step, copied(adam.memory)) for _ in range(2))
        recent, trusted = (
            then and replace(then, buffer=then.buffer.to(self._place))
            for name in ("recent", "sound")
            for then in [state.snapshot(name, self._n_channels, full, adam.memory)]
        )
        recent = recent or same
        trusted = trusted or recent
        self._finished = FinishedStep.at(now, recent, trusted, state.rollbacks)
        if not self.finished:
            state.require_random_numbers()

    @property
    def _place(self) -> torch.device:
        """Where points are drawn."""
        device = self.sampler.device
        return CPU if device is None else device.torch_device

    def _snapshot(self, step: int, memory: Memory) -> Snapshot:
        return Snapshot(
            step, self._averages, self.sampler.active, self._buffer, self._check, memory
        )

    def _finish(self, step: int, trusted: bool) -> None:
        """Make this the state to go back to.

        It is one assignment, so that an interruption comes before or after it.
        """
        now = self._snapshot(step, copied(self._update.adam.memory, self._finished.spare))
        self._finished = self._finished.after(now, trusted)

    def _go_back(self) -> None:
        """Return to the last finished step."""
        last = self._finished
        copied(last.memory, self._update.adam.memory)
        self._averages, self._buffer, self._check = last.averages, last.buffer, last.check
        self.sampler.active = last.active


def train(
    sampler: ImportanceSampler,
    settings: TrainingSettings | None = None,
    callback: Callback | None = None,
    state: TrainingState | None = None,
) -> TrainingState:
    """Train the flow and the weights of a sampler in place.

    A training that had to go back says so in a warning.

    Args:
        sampler: whose flow and weights are trained, and whose channels are dropped.
        settings: of the training; the preset `standard` by default.
        callback: called with the `StepProgress` after each step. To stop early and keep the state,
            use a `Trainer`.
        state: where to continue; from the sampler's present parameters by default.

    Returns:
        the final state; its `sigma` is what `ImportanceSampler.integrate` wants to know.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model or other settings, or there are steps
            left and those before had other random numbers.
        IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        MadnisError: the loss or its gradient is not finite.
    """
    trainer = Trainer(sampler, settings, state)
    try:
        return trainer.run(callback)
    finally:
        for sentence in trainer.sentences:
            warnings.warn(sentence, stacklevel=2)
