"""Channels that are equal up to a permutation of particles and share what is learned about them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from madnis_py.integration.integrand import AbstractIntegrand


class ChannelGroups:
    """Symmetry groups of channels, Section 5.1.2 of the MadNIS thesis.

    I_i and sigma_i are the same within a group.

    Args:
        groups: group of each channel, 0 ... n_groups - 1; each channel is its own when None.
        n_channels: number of channels.

    Attributes:
        index: group of each channel, int64, shape (n_channels,).
        sizes: channels of each group, int64, shape (n_groups,).
    """

    def __init__(self, groups: Sequence[int] | None, n_channels: int) -> None:
        self.index = (
            torch.arange(n_channels) if groups is None else torch.tensor(groups, dtype=torch.int64)
        )
        self.sizes = torch.bincount(self.index)
        self._shared = groups is not None

    @classmethod
    def of(cls, integrand: AbstractIntegrand) -> ChannelGroups:
        """The groups of an integrand's channels."""
        return cls(integrand.groups, integrand.n_channels)

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.sizes)

    def total(self, x: Tensor) -> Tensor:
        """Sum over the channels of each group: (n_channels,) -> (n_groups,)."""
        return x.new_zeros(len(self)).index_add(0, self.index, x)

    def mean(self, x: Tensor) -> Tensor:
        """Each channel's value replaced by the mean of its group, shape (n_channels,)."""
        if not self._shared:
            return x
        return (self.total(x) / self.sizes)[self.index]

    def strata(
        self, channel: Tensor, value: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See the points of a group as those of one channel, which has one sigma in the loss.

        The values are scaled by N_group / N_i, which leaves the sum over the channels what it is.

        Args:
            channel: int64, shape (n,), on the CPU or a device.
            value: f J_i, float64, shape (n,), on the same.
            counts: points drawn per channel, int64, shape (n_channels,), CPU.

        Returns:
            the group of each point, the scaled values, and the points drawn per group.
        """
        if not self._shared:
            return channel, value, counts
        group_counts = self.total(counts)
        scale = group_counts[self.index].double() / counts.clamp(min=1)
        index, scale = (part.to(channel.device, non_blocking=True) for part in (self.index, scale))
        return index[channel], value * scale[channel], group_counts
