"""Online training of the flow and the channel weights, one resumable step at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from madnis_py.errors import CheckpointError, InputError, MadnisError
from madnis_py.integration import allocation, losses
from madnis_py.integration.channel_weights import ChannelWeights
from madnis_py.integration.estimate import MINIMUM_POINTS, Moments, estimate
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.progress import Callback, Progress
from madnis_py.integration.samples import Samples

AVERAGING_STEPS = 100
"""Running averages are plain means of the first steps, then forget with this time constant."""

LOSSES = {"variance": losses.variance, "kl": losses.kullback_leibler}


class TrainingSettings(BaseModel):
    """How a flow and channel weights are trained; defaults are those of the preset `standard`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(3000, ge=0, description="Optimiser steps, each on a fresh batch.")
    batch_size: int | None = Field(
        None, ge=1, description="Points per batch over all channels; when not given max(m, min(200 n_c^0.8, 10000))."
    )
    minimum_batch_size: int = Field(1000, ge=1, description="The m of that rule for n_c channels.")
    learning_rate: float = Field(1e-3, gt=0, description="Learning rate of Adam at the first step.")
    final_learning_rate: float = Field(1e-4, gt=0, description="Learning rate after the last step.")
    loss: Literal["variance", "kl"] = Field("variance", description="What is minimised; kl trains the flow alone.")
    gradient_clip: float | None = Field(
        None, gt=0, description="Largest norm of the gradient; unlimited when not given."
    )

    @classmethod
    def preset(cls, name: str) -> TrainingSettings:
        """Settings of `PRESETS` by name.

        Raises:
            InputError: there is no such preset.
        """
        if name not in PRESETS:
            raise InputError(f"training preset: expected one of {', '.join(PRESETS)}; got '{name}'")
        return PRESETS[name]

    def batch(self, n_channels: int) -> int:
        """Points per batch."""
        return self.batch_size or max(self.minimum_batch_size, min(int(200 * n_channels**0.8), 10_000))

    def learning_rate_at(self, step: int) -> float:
        """Inverse time decay lr_0 / (1 + d t / T) with d = lr_0 / lr_final - 1, step t of T."""
        decay = self.learning_rate / self.final_learning_rate - 1
        return self.learning_rate / (1 + decay * step / self.steps)


PRESETS = {
    "quick": TrainingSettings(steps=500, learning_rate=3e-3, final_learning_rate=1e-3),
    "standard": TrainingSettings(steps=3000),
    "paper": TrainingSettings(steps=88_000, minimum_batch_size=1),
}
"""`paper` is Tab. A.6 of the MadNIS thesis; `quick` learns faster because a few hundred small steps get nowhere."""


@dataclass(frozen=True)
class TrainingState:
    """Everything that the next step depends on; continuing from it changes no bit of the result.

    Attributes:
        step: steps finished.
        tensors: by name: `flow.*` and `weights.*` of the model, `adam.*` of the optimiser, and the running averages
            `average.*` of `RunningAverages`, all shape (n_channels,).
    """

    step: int
    tensors: Mapping[str, Tensor]

    @property
    def sigma(self) -> Tensor:
        """Running sigma_i, float64, shape (n_channels,): the `sigma` of `Integrator.integrate`."""
        return self.tensors["average.variance"].sqrt()

    def load_into(self, integrator: Integrator) -> None:
        """Give the integrator's flow and weights the trained parameters.

        Raises:
            CheckpointError: the state belongs to another flow or other weights.
        """
        for prefix, module in _modules(integrator).items():
            try:
                module.load_state_dict(self.under(prefix))
            except RuntimeError as error:
                raise CheckpointError(f"training state: made for another {prefix}: {error}") from error

    def under(self, prefix: str) -> dict[str, Tensor]:
        """Tensors whose name starts with the prefix and a dot, under the rest of their name."""
        start = f"{prefix}."
        return {name.removeprefix(start): tensor for name, tensor in self.tensors.items() if name.startswith(start)}


@dataclass(frozen=True)
class RunningAverages:
    """Per-channel averages over recent steps.

    Attributes:
        value: I_i, float64, shape (n_channels,).
        variance: sigma_i^2, float64, shape (n_channels,).
        size: <|w|>_i, float64, shape (n_channels,); positive even where an integrand changes sign.
        largest: largest |w|_i of a step, float64, shape (n_channels,).
    """

    value: Tensor
    variance: Tensor
    size: Tensor
    largest: Tensor

    @classmethod
    def zeros(cls, n_channels: int) -> RunningAverages:
        """Before the first step."""
        return cls(*torch.zeros(len(fields(cls)), n_channels, dtype=torch.float64))

    @classmethod
    def of(cls, state: TrainingState, n_channels: int) -> RunningAverages:
        """The averages in a state.

        Raises:
            CheckpointError: they are missing or made for another number of channels.
        """
        stored = state.under("average")
        tensors = [stored.get(field.name, torch.empty(0)) for field in fields(cls)]
        if any(tensor.shape != (n_channels,) for tensor in tensors):
            raise CheckpointError(f"training state: expected running averages of {n_channels} channels")
        return cls(*tensors)

    def updated(self, samples: Samples, step: int) -> RunningAverages:
        """Averages with one more batch, counted from step 0."""
        n_channels = len(self.value)
        size = samples.weight.abs()
        moments = Moments.of(samples.channel, samples.weight, n_channels)
        sizes = Moments.of(samples.channel, size, n_channels).means
        largest = torch.zeros_like(sizes).scatter_reduce(0, samples.channel, size, "amax")
        share = max(1 / (step + 1), 1 / AVERAGING_STEPS)
        batch = (moments.means, moments.variances, sizes, largest)
        old = self.tensors().values()
        return RunningAverages(*(mean + share * (new - mean) for mean, new in zip(old, batch, strict=True)))

    @property
    def relative_std(self) -> float:
        """sum_i sigma_i / |I|."""
        return float(self.variance.sqrt().sum() / self.value.sum().abs())

    @property
    def efficiency(self) -> float:
        """Unweighting efficiency with as many points as a step has, sum_i <|w|>_i over the sum of the largest |w|_i."""
        return float(self.size.sum() / self.largest.sum())

    def tensors(self) -> dict[str, Tensor]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Trainer:
    """Trains the flow and the weights of an integrator in place, Fig. 5.1 of the MadNIS thesis.

        trainer = Trainer(integrator, TrainingSettings.preset("quick"))
        try:
            trainer.run(callback)
        except KeyboardInterrupt:
            ...  # trainer.state and the integrator are those of the last finished step

    A step either happens completely or, when it raises or is interrupted, not at all.

    Args:
        integrator: whose flow and weights are trained.
        settings: of the training; the preset `standard` by default.
        state: where to continue; from the integrator's present parameters by default.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model.
    """

    _state: TrainingState
    _averages: RunningAverages

    def __init__(
        self, integrator: Integrator, settings: TrainingSettings | None = None, state: TrainingState | None = None
    ) -> None:
        self.integrator = integrator
        self.settings = settings or TrainingSettings()
        self._counts = self._allocate()
        self._parameters = self._trained_parameters()
        self._optimizer = torch.optim.Adam(list(self._parameters.values()), lr=self.settings.learning_rate)
        if state is None:
            self._standardise()
            state = self._snapshot(0, RunningAverages.zeros(integrator.integrand.n_channels))
        self._return_to(state)

    @property
    def state(self) -> TrainingState:
        """The state after the last finished step; later steps do not change it."""
        return self._state

    def run(self, callback: Callback | None = None) -> TrainingState:
        """Do the steps that are left; the callback may stop by raising KeyboardInterrupt."""
        while self._state.step < self.settings.steps:
            progress = self.step()
            if callback:
                callback(progress)
        return self._state

    def step(self) -> Progress:
        """Draw a batch, evaluate the integrand, and move the parameters against the gradient of the loss.

        Raises:
            IntegrandError: the integrand returned NaN, infinity or a wrong shape.
            MadnisError: the loss or its gradient is not finite.
        """
        try:
            return self._step()
        except BaseException:
            self._return_to(self._state)
            raise

    def _step(self) -> Progress:
        start = time.perf_counter()
        step = self._state.step
        samples = self.integrator.sample(self._counts, "train", step)
        averages = self._averages.updated(samples, step)
        loss = self._learn(samples.select(samples.value.nonzero().squeeze(1)), averages, step)
        self._averages = averages
        self._state = self._snapshot(step + 1, averages)
        batch = estimate(samples, len(self._counts))
        return Progress(
            step=step + 1,
            total=self.settings.steps,
            loss=loss,
            value=float(averages.value.sum()),
            relative_std=averages.relative_std,
            points_per_second=len(samples) / (time.perf_counter() - start),
            efficiency=averages.efficiency,
            batch_value=batch.value,
            batch_error=batch.error,
        )

    def _learn(self, live: Samples, averages: RunningAverages, step: int) -> float:
        """One optimiser step on the points with a value; a batch without any teaches nothing."""
        if len(live) == 0:
            return 0.0
        loss = self._loss(live, float(averages.size.sum()) or 1.0, step)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._parameters.values(), self.settings.gradient_clip or torch.inf)
        if not norm.isfinite():
            raise MadnisError(f"training: gradient is {norm.item()} at step {step}, {self._suspect(live)}")
        for group in self._optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(step)
        self._optimizer.step()
        return loss.item()

    def _loss(self, live: Samples, size: float, step: int) -> Tensor:
        """The loss in units of the integral of |f|, so that it has no dimension and Adam's epsilon no meaning."""
        log_q = self.integrator.flow.log_prob(live.x, live.channel)
        alpha = self.integrator.weights(live.features, live.prior).gather(1, live.channel.unsqueeze(1)).squeeze(1)
        loss = LOSSES[self.settings.loss](log_q, alpha, live.value / size, live.log_q, live.channel, self._counts)
        if not loss.isfinite():
            raise MadnisError(f"training: loss is {loss.item()} at step {step}, {self._suspect(live)}")
        return loss

    @staticmethod
    def _suspect(live: Samples) -> str:
        worst = int(live.weight.abs().argmax())
        return f"largest weight {live.weight[worst].item():.3g} in channel {int(live.channel[worst])}"

    def _allocate(self) -> Tensor:
        n_channels = self.integrator.integrand.n_channels
        even = torch.ones(n_channels, dtype=torch.float64)
        return allocation.proportional(self.settings.batch(n_channels), even, minimum=MINIMUM_POINTS)

    def _trained_parameters(self) -> dict[str, nn.Parameter]:
        modules = _modules(self.integrator)
        if self.settings.loss == "kl":
            del modules["weights"]
        found = {f"{prefix}.{name}": p for prefix, m in modules.items() for name, p in m.named_parameters()}
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
        samples = self.integrator.sample(self._counts, "standardise")
        live = samples.value.nonzero().squeeze(1)
        if len(live):
            weights.standardise(samples.features[live])

    def _snapshot(self, step: int, averages: RunningAverages) -> TrainingState:
        tensors = {f"average.{name}": tensor for name, tensor in averages.tensors().items()}
        for prefix, module in _modules(self.integrator).items():
            tensors |= {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}
        for name, parameter in self._parameters.items():
            moments = self._optimizer.state.get(parameter, {})
            tensors |= {f"adam.{name}.{key}": tensor for key, tensor in moments.items()}
        return TrainingState(step, {name: tensor.clone() for name, tensor in tensors.items()})

    def _return_to(self, state: TrainingState) -> None:
        state.load_into(self.integrator)
        self._averages = RunningAverages.of(state, len(self._counts))
        self._optimizer.state.clear()
        for name, parameter in self._parameters.items():
            moments = state.under(f"adam.{name}")
            if moments:
                self._optimizer.state[parameter] = {key: tensor.clone() for key, tensor in moments.items()}
        self._state = state


def train(
    integrator: Integrator,
    settings: TrainingSettings | None = None,
    callback: Callback | None = None,
    state: TrainingState | None = None,
) -> TrainingState:
    """Train the flow and the weights of an integrator in place.

    Args:
        integrator: whose flow and weights are trained.
        settings: of the training; the preset `standard` by default.
        callback: told the `Progress` of each step. To stop early and keep the state, use a `Trainer`.
        state: where to continue; from the integrator's present parameters by default.

    Returns:
        the final state; its `sigma` is what `Integrator.integrate` wants to know.

    Raises:
        InputError: nothing can be trained, or the batch is too small for the channels.
        CheckpointError: the state belongs to another model.
        IntegrandError: the integrand returned NaN, infinity or a wrong shape.
        MadnisError: the loss or its gradient is not finite.
    """
    return Trainer(integrator, settings, state).run(callback)


def _modules(integrator: Integrator) -> dict[str, nn.Module]:
    return {"flow": integrator.flow, "weights": integrator.weights}
