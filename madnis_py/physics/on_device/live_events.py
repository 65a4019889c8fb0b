"""Events of a batch that live on: where they lie and how many, known to the device alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LiveEvents:
    """Events that kernels still work on, as `LiveEvents` of `cpp/cuda/launch.hpp` takes them.

    A launch has a thread for each of the n events of the batch, because only the device knows how
    many live on; nothing waits for it.

    Attributes:
        mask: which events they are, bool, shape (n,).
        positions: of the events in the batch, int64, shape (n,), of which the first `count` are
            ascending and the others have no meaning.
        count: of the events that live on, int64, shape (1,), on the same device.
    """

    mask: Tensor
    positions: Tensor
    count: Tensor

    @classmethod
    def of(cls, mask: Tensor) -> LiveEvents:
        """The events where a mask says so.

        Args:
            mask: bool, shape (n,), on the device.
        """
        n = len(mask)
        place = torch.where(mask, mask.cumsum(dim=0) - 1, n)  # the dead share one place at the end
        events = torch.arange(n, device=mask.device)
        positions = events.new_zeros(n + 1).scatter_(0, place, events)[:n]
        return cls(mask, positions, mask.sum().reshape(1))

    @classmethod
    def all(cls, n: int, device: torch.device) -> LiveEvents:
        """All events of a batch of n."""
        return cls.of(torch.ones(n, dtype=torch.bool, device=device))

    @property
    def n(self) -> int:
        """Events of the batch, dead ones counted."""
        return len(self.mask)
