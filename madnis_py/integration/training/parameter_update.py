"""Update of the parameters of flow and channel weights: loss of a batch, its gradient, Adam."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from madnis_py.devices.stratum_sums import StratumSums
from madnis_py.errors import InputError
from madnis_py.flows.flow import channel_there
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.integration.training.buffer import Batch
from madnis_py.integration.training.losses import DENSITY_LOSSES, LOSSES, LossInput
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.training_state import modules

TINY = torch.finfo(torch.float64).tiny


class ParameterUpdate:
    """Moves the parameters of a sampler against the gradient of a loss.

    Args:
        sampler: whose flow and weights are trained.
        settings: loss, clipping of the gradient, averaging.

    Attributes:
        adam: the optimiser, which holds the parameters.

    Raises:
        InputError: nothing can be trained.
    """

    def __init__(self, sampler: ImportanceSampler, settings: TrainingSettings) -> None:
        self._sampler = sampler
        self._settings = settings
        self._groups = ChannelGroups.of(sampler.integrand)
        self.adam = FlatAdam(self.parameters(), averaged=settings.averaging is not None)

    def parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by their names in a state.

        Raises:
            InputError: there are none.
        """
        trained = modules(self._sampler)
        if self._settings.loss in DENSITY_LOSSES:
            del trained["weights"]
        found = {
            f"{prefix}.{name}": p
            for prefix, m in trained.items()
            for name, p in m.named_parameters()
        }
        if not found:
            raise InputError(
                f"training: nothing to train with the loss '{self._settings.loss}', "
                "flow or weights are fixed"
            )
        return found

    def __call__(
        self, batch: Batch, size: Tensor, learning_rate: float, fresh: bool
    ) -> tuple[Tensor, Tensor]:
        """Move the batch to the device of the parameters, and these against the gradient.

        The host waits for nothing there.

        Args:
            batch: at least one point.
            size: integral of |f|, a float64 scalar, on the CPU or the device; 0 if not known.
            learning_rate: of this step.
            fresh: whether the batch was drawn with the present parameters.

        Returns:
            the loss and the norm of its gradient, float64 scalars on the device.
        """
        loss = self.loss(batch, size, fresh)
        norm = self.adam.take_gradient(loss)
        largest = self._settings.gradient_clip
        scale = 1.0 if largest is None else (largest / norm.clamp(min=TINY)).clamp(max=1.0)
        self.adam.step(learning_rate, scale)
        return loss.detach(), norm

    def loss(self, batch: Batch, size: Tensor, fresh: bool = False) -> Tensor:
        """The loss in units of the integral of |f|; arguments as those of a call.

        So it has no dimension, and Adam's epsilon no meaning.
        """
        device = self.adam.device
        there, own = batch.to(device), channel_there(batch.channel, device)
        stratum, value, counts = self._groups.strata(own, there.value, batch.counts)
        flow = self._sampler.flow
        log_q = (
            flow.log_prob_of_sample(there.x, batch.channel, there.log_q)
            if fresh
            else flow.log_prob(there.x, batch.channel)
        )
        points = LossInput(
            log_q,
            self._alpha(there),
            value / torch.where(size > 0, size, 1.0),
            there.log_q,
            stratum,
            counts.to(device, non_blocking=True),
            self._sums(stratum, counts),
        )
        return LOSSES[self._settings.loss](points)

    def _sums(self, stratum: Tensor, counts: Tensor) -> StratumSums | None:
        """Sums over strata that are the same from run to run; those of the CPU are anyway.

        A batch on a device has all points that were drawn, also of value 0.
        """
        device = self._sampler.device
        if device is None or stratum.is_cpu:
            return None
        return StratumSums(stratum, counts, device.kernels)

    def _alpha(self, batch: Batch) -> Tensor:
        """Weight of each point's own channel."""
        alpha: Tensor = self._sampler.weights(batch.features, batch.prior)
        own = channel_there(batch.channel, alpha.device)
        return alpha.gather(1, own.unsqueeze(1)).squeeze(1)

    @torch.no_grad()
    def largest_weight(self, batch: Batch) -> str:
        """The largest weight of a batch and its channel in words, for an error."""
        weight = self._alpha(batch) * batch.value * torch.exp(-batch.log_q)
        worst = int(weight.abs().argmax())
        return f"largest weight {weight[worst].item():.3g} in channel {int(batch.channel[worst])}"

    def average(self, step: int) -> None:
        """Follow the parameters with a slower mean, if the settings ask for it."""
        if self._settings.averaging is not None:
            self.adam.follow(max(1 - self._settings.averaging, 1 / (step + 1)))

    def adopt_average(self) -> None:
        """Give the parameters the values of their slower mean, if there is one."""
        if self._settings.averaging is not None:
            self.adam.adopt_mean()
