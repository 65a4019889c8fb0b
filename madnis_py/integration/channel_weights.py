"""Channel weights alpha_i(x): how the channels share the integrand at a point."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from madnis_py.devices.device import Device
from madnis_py.devices.device_module import DeviceModule
from madnis_py.errors import MadnisError
from madnis_py.flows.networks import MLP, NetworkSize
from madnis_py.integration.channel_weights_on_device import ChannelWeightsOnDevice
from madnis_py.parallel.random_streams import torch_generator

ROUNDING = 1e-12
"""A feature whose deviation is a smaller share of its mean does not vary."""


class AbstractChannelWeights(DeviceModule, ABC):
    """Non-negative weights with sum_i alpha_i(x) = 1, and alpha_i = 0 where the prior is 0.

    Any such weights leave the integral unchanged, Eq. (5.4) of the MadNIS thesis; they only move
    variance.
    """

    @abstractmethod
    def forward(self, features: Tensor, prior: Tensor) -> Tensor:
        """Evaluate the weights.

        Args:
            features: float64, finite, shape (n, n_features).
            prior: float64, non-negative, rows not necessarily normalised, shape (n, n_channels).

        Returns:
            alpha: float64, shape (n, n_channels); rows sum to one, a row is 0 where the whole row
                of the prior is 0.
        """


class PriorWeights(AbstractChannelWeights):
    """The normalised prior, nothing to train."""

    def forward(self, features: Tensor, prior: Tensor) -> Tensor:
        """Normalise the prior; see `AbstractChannelWeights.forward`."""
        return _normalised(prior)


class ChannelWeightSettings(BaseModel):
    """Shape of the network of `ChannelWeights`; defaults of the MadNIS thesis, Tab. A.6."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layers: int = Field(
        3, ge=1, description="Linear layers of the network, the output layer included."
    )
    units: int = Field(64, ge=1, description="Width of the hidden layers.")
    seed: int = Field(0, ge=0, description="Seed of the initial parameters.")


class ChannelWeights(AbstractChannelWeights):
    """Trainable weights alpha_i ~ prior_i exp(Delta_i(features)), Eq. (5.8) of the MadNIS thesis.

    The last layer starts at zero, so that the untrained weights are the normalised prior to the
    last bit: the network multiplies the prior by exp(0) = 1 and nothing else is rounded. The
    network runs in float32, the weights in float64.

    Args:
        n_features: numbers per point that the network sees.
        n_channels: number of channels.
        settings: shape and seed of the network.

    Attributes:
        settings: as given, or the defaults.
    """

    mean: Tensor
    std: Tensor
    standardised: Tensor
    _fused: ChannelWeightsOnDevice | None

    def __init__(
        self, n_features: int, n_channels: int, settings: ChannelWeightSettings | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or ChannelWeightSettings()
        generator = torch_generator(self.settings.seed, "channel weights")
        size = NetworkSize(self.settings.layers, self.settings.units)
        self.network = MLP(n_features, n_channels, size, generator, zero_output=True)
        self.register_buffer("mean", torch.zeros(n_features, dtype=torch.float64))
        self.register_buffer("std", torch.ones(n_features, dtype=torch.float64))
        self.register_buffer("standardised", torch.tensor(False))
        self._fused = None

    def standardise(self, features: Tensor) -> None:
        """Set, once, the mean and standard deviation that scale features for the network.

        Args:
            features: a representative set, float64, shape (n, n_features); a feature that does not
                vary keeps scale 1.

        Raises:
            MadnisError: they are set already; other values would change what the network has
                learned.
        """
        if self.standardised:
            raise MadnisError("channel weights: the scale of the features is set already")
        std, mean = torch.std_mean(features, dim=0, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > ROUNDING * mean.abs(), std, 1.0))
        self.standardised.fill_(True)

    def forward(self, features: Tensor, prior: Tensor) -> Tensor:
        """Evaluate the weights; see `AbstractChannelWeights.forward`.

        Differentiable in the parameters of the network; without gradients one kernel on a device.
        """
        if self.device is not None and not torch.is_grad_enabled():
            return self._compiled(self.device)(features, self.mean, self.std, prior)
        scaled = ((features.to(self.mean.device) - self.mean) / self.std).float()
        delta = self.network(scaled).double().to(prior.device)
        # Subtracting the largest Delta that counts keeps exp from overflowing and cancels in the
        # normalisation.
        largest = delta.detach().masked_fill(prior <= 0, -torch.inf).amax(dim=1, keepdim=True)
        shift = torch.where(largest.isfinite(), largest, 0.0)
        return _normalised(prior * torch.exp((delta - shift).clamp(max=0.0)))

    def _compiled(self, device: Device) -> ChannelWeightsOnDevice:
        if self._fused is None or not self._fused.serves():
            self._fused = ChannelWeightsOnDevice(self.network.stack, device.kernels)
        return self._fused

    def __getstate__(self) -> dict[str, object]:
        """Without addresses in the memory of this process."""
        return {**self.__dict__, "_fused": None}


def _normalised(weights: Tensor) -> Tensor:
    total = weights.sum(dim=1, keepdim=True)
    return weights / torch.where(total > 0, total, 1.0)
