"""What a training knows about the channels: running averages over recent fresh batches."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from madnis_py.devices.channel_sums import ChannelSums
from madnis_py.devices.device import Device
from madnis_py.integration.estimate import Moments
from madnis_py.integration.samples import Samples

AVERAGING_STEPS = 100
"""Running averages are plain means of the first steps, then forget with this time constant."""


@dataclass(frozen=True)
class ChannelAverages:
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
    def zeros(cls, n_channels: int) -> ChannelAverages:
        """Before the first step."""
        return cls(*torch.zeros(len(fields(cls)), n_channels, dtype=torch.float64))

    def updated(
        self, samples: Samples, moments: Moments, step: int, device: Device | None = None
    ) -> ChannelAverages:
        """Averages with one more batch.

        Args:
            samples: of the batch.
            moments: of their weights.
            step: counted from 0.
            device: where the samples are; None for the CPU.
        """
        totals, largest = _sizes(samples, moments.counts, device)
        sizes = totals / moments.counts.clamp(min=1)
        share = _share(step)
        old = torch.stack(list(self.tensors().values()))
        return ChannelAverages(
            *old.lerp(torch.stack((moments.means, moments.variances, sizes, largest)), share)
        )

    def size_with(self, samples: Samples, counts: Tensor, step: int) -> Tensor:
        """Sum of the sizes that `updated` will find, a float64 scalar where the samples are.

        Args:
            samples: of the batch.
            counts: points per channel, int64, shape (n_channels,), CPU.
            step: counted from 0.
        """
        points = counts.to(samples.x.device, non_blocking=True)[samples.channel_there]
        return torch.lerp(
            self.size.sum().to(samples.x.device, non_blocking=True),
            (samples.magnitude / points).sum(),
            _share(step),
        )

    def without(self, dropped: Tensor) -> ChannelAverages:
        """Averages that are 0 for dropped channels, bool, shape (n_channels,)."""
        return ChannelAverages(
            *(tensor.masked_fill(dropped, 0.0) for tensor in self.tensors().values())
        )

    @property
    def relative_std(self) -> float:
        """sum_i sigma_i / |I|."""
        return float(self.variance.sqrt().sum() / self.value.sum().abs())

    @property
    def efficiency(self) -> float:
        """Unweighting efficiency with as many points as a step has.

        It is sum_i <|w|>_i over the sum of the largest |w_i|.
        """
        return float(self.size.sum() / self.largest.sum())

    def tensors(self) -> dict[str, Tensor]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _sizes(samples: Samples, counts: Tensor, device: Device | None) -> tuple[Tensor, Tensor]:
    """Sum and largest of the magnitudes of each channel, all that comes from a device."""
    if device is None:
        zeros = samples.magnitude.new_zeros(len(counts))
        return (
            zeros.index_add(0, samples.channel, samples.magnitude),
            zeros.scatter_reduce(0, samples.channel, samples.magnitude, "amax"),
        )
    both = ChannelSums(counts, device.kernels).totals(samples.magnitude)
    totals, largest = torch.stack(both).cpu()
    return totals, largest


def _share(step: int) -> float:
    """Weight of the batch of a step in the averages."""
    return max(1 / (step + 1), 1 / AVERAGING_STEPS)
