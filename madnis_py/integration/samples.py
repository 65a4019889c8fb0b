"""Weighted points, the currency between sampling, training, estimates and unweighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Weighted points of a multi-channel integral, sorted by channel.

    sigma = sum_i mean over the points of channel i of their weights, Eq. (5.11) of the MadNIS
    thesis. Events are made in proportion to the magnitudes, with the sign of the part of the
    integrand that they are drawn from.

    Attributes:
        channel: sorted, int64, shape (n,).
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

    def select(self, index: Tensor) -> Samples:
        """The points of the given positions, int64."""
        return Samples(*(getattr(self, field.name)[index] for field in fields(self)))

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
        """The same points without coordinates, features and prior.

        The last dimension of these becomes 0.
        """
        n = len(self)
        return replace(
            self,
            x=self.x.new_empty(n, 0),
            features=self.x.new_empty(n, 0),
            prior=self.x.new_empty(n, 0),
        )

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
        return Samples(
            *(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Samples))
        )
