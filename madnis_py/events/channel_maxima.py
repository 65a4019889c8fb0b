"""Maxima of the event weights per channel: which ones an overweight share allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError, InputError
from madnis_py.integration.samples import Samples


def channel_maxima(samples: Samples, n_channels: int, overweight_share: float) -> Array:
    """Truncated maximum weight of every channel, with the smallest sum that the share allows.

    The excess above the maxima M_i is sum_i mean_i max(0, |w| - M_i) and must not exceed
    overweight_share * sum_i mean_i |w|. Lowering M_i costs P_i(|w| > M_i) of it, so at the minimum
    of sum_i M_i this probability is the same in all channels. The excess is linear between
    neighbouring weights: the segments of all channels are spent in the order of their slope until
    the share is used up, which is exact. No maximum falls below the mean of the channel's weights
    without the zeros, so a channel that hardly counts is still drawn and its overweights stay
    moderate.

    Weights may be negative: parton densities are, here and there. |w| is the sum over the flavours
    of the sizes of their weights, `Samples.magnitude`.

    Take fresh points, not those of the training. The top weight alone exceeds a share of 1 % below
    about 10^4 points per channel, and one is back at the true maximum; a share of 0.1 % needs
    correspondingly more.

    Args:
        samples: weighted points.
        n_channels: number of channels.
        overweight_share: share of the cross section that may lie above the maxima, in [0, 1); 0
            gives the true maxima.

    Returns:
        maxima in the unit of the weights, float64, shape (n_channels,); 0 for a channel without
        weights.

    Raises:
        InputError: the share is outside [0, 1).
        GenerationError: all weights are 0.
    """
    if not 0 <= overweight_share < 1:
        raise InputError(f"overweight_share: expected a number in [0, 1); got {overweight_share}")
    weights = [ChannelWeightList.of(w) for w in magnitudes_by_channel(samples, n_channels)]
    total = sum(channel.mean for channel in weights)
    if not total > 0:
        raise GenerationError(
            "unweighting: no point has a weight, so there are no events to generate"
        )
    spent = _cheapest_segments(
        [channel.segments() for channel in weights], overweight_share * total
    )
    return np.array([channel.top - cut for channel, cut in zip(weights, spent, strict=True)])


@dataclass(frozen=True)
class ChannelWeightList:
    """The magnitudes of one channel, largest first, shape (n,); n may be 0."""

    descending: Array

    @classmethod
    def of(cls, magnitude: Array) -> ChannelWeightList:
        """Sort the magnitudes of a channel."""
        return cls(np.sort(magnitude)[::-1])

    @property
    def top(self) -> float:
        """The largest weight."""
        return float(self.descending[0]) if len(self.descending) else 0.0

    @property
    def mean(self) -> float:
        """Mean over all points."""
        return float(self.descending.mean()) if len(self.descending) else 0.0

    @property
    def floor(self) -> float:
        """Mean without the zeros."""
        return float(self.descending.sum()) / max(int(np.count_nonzero(self.descending)), 1)

    def segments(self) -> tuple[Array, Array]:
        """Pieces between neighbouring weights, from the top down to the floor.

        Returns:
            slopes P(w > M), by which the excess grows as the maximum sinks, and lengths, both of
            shape (n - 1,).
        """
        n = len(self.descending)
        knots = np.maximum(self.descending, self.floor)
        return np.arange(1, n) / max(n, 1), knots[:-1] - knots[1:]


def _cheapest_segments(segments: list[tuple[Array, Array]], budget: float) -> Array:
    """Lengths by which the maxima sink when the budget pays for the smallest slopes first.

    An example: channel A has the weights 10, 6, 4, 4 and channel B the weights 8, 7, 1, 0.

        A: floor 24 / 4 = 6     slopes 1/4 1/2 3/4, lengths 4 0 0, costs 1    0    0
        B: floor 16 / 3 = 5.33  slopes 1/4 1/2 3/4, lengths 1 1.67 0, costs 0.25 0.83 0

    The mean weights are 6 and 4, so an overweight share of 0.15 is a budget of 1.5. The two
    segments of slope 1/4 cost 1.25; the remaining 0.25 pays for 0.3 of the segment of slope 1/2 of
    B. The maximum of A sinks by 4 from 10 to 6, that of B by 1 + 0.3 * 1.67 = 1.5 from 8 to 6.5.

    Args:
        segments: slopes and lengths of each channel.
        budget: excess above the maxima that is allowed, sum of slope times length.

    Returns:
        length spent in each channel, float64, shape (n_channels,).
    """
    slope, length = (np.concatenate(parts) for parts in zip(*segments, strict=True))
    channel = np.repeat(np.arange(len(segments)), [len(slopes) for slopes, _ in segments])
    order = np.argsort(slope, kind="stable")
    cost = (slope * length)[order]
    before = np.cumsum(cost) - cost
    share = np.clip(budget - before, 0.0, cost) / np.where(cost > 0, cost, 1.0)
    spent = np.bincount(channel[order], weights=share * length[order], minlength=len(segments))
    return spent.astype(np.float64)


def magnitudes_by_channel(samples: Samples, n_channels: int) -> list[Array]:
    """Magnitudes of each channel, float64."""
    counts = torch.bincount(samples.channel, minlength=n_channels).numpy()
    return np.split(samples.magnitude.numpy(), np.cumsum(counts)[:-1])


def raised_maximum(excess: Array, magnitude: float, share: float, most: float) -> float:
    """The factor by which all maxima have to grow to keep the overweight share.

    It is the same for all channels, because the channels of trials were drawn in proportion to the
    maxima. A trial that was accepted with |w| / M > u stays if |w| / (c M) > u, so the events are
    those of a run with the larger maxima.

    Args:
        excess: |w| / M_i of all trials above 1, in any order, float64 (k,).
        magnitude: sum of |w| / M_i over all trials.
        share: share of it that may lie above the maxima.
        most: largest factor; weights above even then are overweight.

    Returns:
        the smallest c in [1, most] with sum max(0, |w| / M_i - c) <= share * magnitude, or `most`.
    """
    descending = np.sort(excess)[::-1]
    above = np.cumsum(descending)
    count = np.arange(1, len(descending) + 1)
    needed = (above - share * magnitude) / count  # c if exactly the first `count` lie above it
    return float(np.clip(needed.max(initial=1.0), 1.0, most))
