"""Sums over the weights of each channel, made on a device where the weights are."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.devices.kernels import Kernels

_PARTS = 1024
"""Partial sums of a channel: as many threads work on it."""


class ChannelSums:
    """Points of a batch by their channels, for sums over weights that are on a device.

    Nothing waits for the device. The sums of a batch are the same bit by bit whenever they are made
    on the same device.

    Args:
        counts: points of each channel, which are sorted by channel, int64, shape (n_channels,),
            CPU.
        kernels: of the device where the weights are.
    """

    def __init__(self, counts: Tensor, kernels: Kernels) -> None:
        self._kernels, self._n_channels = kernels, len(counts)
        bounds = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        self._bounds = bounds.to(kernels.torch_device, non_blocking=True)

    def means(self, weight: Tensor, unit: float = 1.0) -> tuple[Tensor, Tensor]:
        """Mean weights.

        Args:
            weight: float64, shape (n,), contiguous, on the device.
            unit: that the means are in.

        Returns:
            means: float64, shape (n_channels,), on the device; 0 without points.
            largest: size of a weight, not in the unit, float64, shape ().
        """
        sums, largest = self.totals(weight, unit)
        return sums / self._bounds.diff().clamp(min=1), largest.amax()

    def totals(self, weight: Tensor, unit: float = 1.0) -> tuple[Tensor, Tensor]:
        """Sums of the weights, and the largest size of one, of each channel.

        Args:
            weight: float64, shape (n,), contiguous, on the device.
            unit: that the sums are in.

        Returns:
            sums and sizes, which are not in the unit, both float64, shape (n_channels,), on the
            device; 0 without points.
        """
        sums, largest = self._parts(), self._parts()
        self._launch("channel_sums", weight, self._bounds, unit, sums, largest)
        return sums.sum(dim=1), largest.amax(dim=1)

    def squares(self, weight: Tensor, means: Tensor, unit: float = 1.0) -> Tensor:
        """Sums of (w - mean)^2, float64, shape (n_channels,), on the device.

        Args:
            weight: float64, shape (n,), contiguous, on the device.
            means: in the unit, float64, shape (n_channels,).
            unit: that the squares are in the square of.
        """
        sums = self._parts()
        self._launch("channel_squares", weight, self._bounds, unit, means, sums)
        return sums.sum(dim=1)

    def _parts(self) -> Tensor:
        shape = (self._n_channels, _PARTS)
        return torch.empty(shape, dtype=torch.float64, device=self._kernels.torch_device)

    def _launch(self, name: str, *arguments: Tensor | float) -> None:
        threads = self._n_channels * _PARTS
        self._kernels.launch("sampling", name, threads, *arguments, _PARTS, self._n_channels)
