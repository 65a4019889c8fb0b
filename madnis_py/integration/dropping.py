"""Dropping of channels that contribute next to nothing; the others take over their part."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.integration.symmetry import ChannelGroups


def remaining_channels(size: Tensor, cutoff: float, groups: ChannelGroups) -> Tensor:
    """The channels that are left when the smallest are dropped, Section 5.1.2 of the MadNIS thesis.

    From the smallest I_i on, groups of channels are dropped as long as all of them together have
    less than the cutoff. The integral stays unbiased because the weights alpha of the others are
    normalised to 1 again.

    Args:
        size: <|w|>_i, float64, shape (n_channels,); 0 for channels that are dropped already.
        cutoff: share of the integral, below 1; 0 drops none.
        groups: symmetry groups, which stay or go as a whole.

    Returns:
        bool, shape (n_channels,); never all False.
    """
    totals, order = groups.total(size).sort(stable=True)
    small = totals.cumsum(0) < cutoff * totals.sum()
    dropped = torch.zeros_like(small).scatter(0, order, small)
    return ~dropped[groups.index]


def restricted(prior: Tensor, active: Tensor) -> Tensor:
    """The prior of the active channels alone, which `AbstractChannelWeights` normalises to 1 again.

    A point whose whole prior belongs to dropped channels is shared evenly by the active ones, so
    that no part of the integral is lost with the channels.

    Args:
        prior: float64, non-negative, shape (n, n_channels).
        active: bool, shape (n_channels,).
    """
    if active.all():
        return prior
    active = active.to(prior.device, non_blocking=True)
    kept = prior * active
    orphan = (kept.amax(dim=1) == 0) & (prior.amax(dim=1) > 0)
    return torch.where(orphan.unsqueeze(1), active.to(prior.dtype), kept)
