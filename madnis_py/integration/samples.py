"""Weighted points, the currency between sampling, training, estimates and unweighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch
from torch import Tensor

from madnis_py.devices.device import CPU
from madnis_py.flows.flow import channel_there


@dataclass(frozen=True)
class Samples:
    """Weighted points of a multi-channel integral, sorted by channel.

    Channels are on the CPU; the other columns are where the points were made, and come to the CPU
    by `to`, or where samples are sent to another process.

    sigma = sum_i mean over the points of channel i of their weights, Eq. (5.11) of the MadNIS
    thesis. Events are made in proportion to the magnitudes, with the sign of the part of the
    integrand that they are drawn from.

    Attributes:
        channel: sorted, int64, shape (n,), CPU.
        x: points in [0, 1], float64, shape (n, dim).
        log_q: log density of the point in its channel when it was drawn, float64, shape (n,).
        target: `Evaluation.target`, float64, shape (n,).
        features: float64, shape (n, n_features).
        prior: 0 for channels that are not active, float64, shape (n, n_channels).
        weight: alpha_i f J_i / q_i with the channel weights of the moment of drawing, float64,
            shape (n,).
        magnitude: the same of `Evaluation.magnitude`, |weight| where no parts cancel, float64,
            shape (n,).
    """

    channel: Tensor
    x: Tensor
    log_q: Tensor
    target: Tensor
    features: Tensor
    prior: Tensor
    weight: Tensor
    magnitude: Tensor

    def __len__(self) -> int:
        """Number of points."""
        return len(self.channel)

    def __reduce__(self) -> tuple[object, ...]:
        return Samples, tuple(self.to(CPU)._columns)

    @property
    def _columns(self) -> list[Tensor]:
        return [getattr(self, field.name) for field in fields(self)]

    @cached_property
    def channel_there(self) -> Tensor:
        """The channels where the other columns are."""
        return channel_there(self.channel, self.x.device)

    def to(self, device: torch.device) -> Samples:
        """The same points with their columns on a device."""
        if device == self.x.device:
            return self
        channel, *others = self._columns
        return Samples(channel, *(column.to(device) for column in others))

    def select(self, index: Tensor) -> Samples:
        """The points of the given positions, int64, on the CPU or where the points are."""
        channel, *others = self._columns
        there = index.to(self.x.device)
        return Samples(channel[index.cpu()], *(column[there] for column in others))

    def in_unit(self, unit: float) -> Samples:
        """The same points with the integrand in another unit."""
        if unit == 1.0:
            return self
        return replace(
            self,
            target=self.target / unit,
            weight=self.weight / unit,
            magnitude=self.magnitude / unit,
        )

    def weights_only(self) -> Samples:
        """The same points on the CPU, without coordinates, features and prior.

        The last dimension of these becomes 0.
        """
        nothing = self.x.new_empty(len(self), 0)
        return replace(self, x=nothing, features=nothing, prior=nothing).to(CPU)

    def sorted_by_channel(self) -> Samples:
        """The same points in the order of their channels, otherwise in the order they have."""
        return self.select(torch.argsort(self.channel, stable=True))

    @staticmethod
    def concatenate(parts: Sequence[Samples]) -> Samples:
        """Join samples end to end.

        The result is sorted if the channels ascend from each part to the next.
        """
        if len(parts) == 1:
            return parts[0]
        return Samples(*map(torch.cat, zip(*(part._columns for part in parts), strict=True)))
