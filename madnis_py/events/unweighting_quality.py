"""Quality of unweighting: efficiencies with bootstrapped and with truncated maxima.

Every truncated figure comes from points that had no part in the maxima it uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import ceil, expm1, log

import numpy as np

from madnis_py.arrays import Array
from madnis_py.events.channel_maxima import channel_maxima, magnitudes_by_channel
from madnis_py.events.unweighting import Unweighter, UnweightingTally
from madnis_py.integration.samples import Samples

SHARES = (0.001, 0.01)
"""Overweight shares whose figures every run reports."""


@dataclass(frozen=True)
class UnweightingQuality:
    """Figures of unweighting fresh points with given maxima.

    Attributes:
        efficiency: mean of |w| / M.
        overweight_share: share of the absolute cross section above the maxima.
        n_eff: Kish's effective number of events, per event.
    """

    efficiency: float
    overweight_share: float
    n_eff: float

    @classmethod
    def of(cls, tally: UnweightingTally) -> UnweightingQuality:
        """The figures of expectations; zeros where there is nothing to accept."""
        if not tally.accepted:
            return cls(0.0, 0.0, 0.0)
        summary = tally.summary(1, 0.0)
        return cls(summary.efficiency, summary.overweight_share, summary.n_eff)


@dataclass(frozen=True)
class TruncatedQuality:
    """Figures of the truncated maxima of a given overweight share.

    Attributes:
        share: overweight share that the maxima were made for.
        combined: all channels, drawn in proportion to their maxima.
        channels: each channel by itself.
    """

    share: float
    combined: UnweightingQuality
    channels: tuple[UnweightingQuality, ...]


def truncated_quality(halves: Sequence[Samples], n_channels: int, share: float) -> TruncatedQuality:
    """Figures of the truncated maxima, found in each half of the points and applied to the other.

    Args:
        halves: two independent samples, sorted by channel.
        n_channels: number of channels.
        share: overweight share of the maxima; 0.001 needs 10^5 points per channel or more to mean
            it.
    """
    first, second = halves
    combined: list[UnweightingTally] = []
    by_channel: list[list[UnweightingTally]] = []
    for scan, fresh in (first, second), (second, first):
        maxima = channel_maxima(scan, n_channels, share)
        # a channel whose scan has no weight, though the fresh points have, gets their largest
        largest = [weight.max(initial=0.0) for weight in magnitudes_by_channel(fresh, n_channels)]
        unweighter = Unweighter(np.where(maxima > 0, maxima, largest))
        combined.append(unweighter.expect(fresh))
        by_channel.append(unweighter.expect_by_channel(fresh))
    channels = (
        reduce(UnweightingTally.__add__, tallies) for tallies in zip(*by_channel, strict=True)
    )
    total = reduce(UnweightingTally.__add__, combined)
    return TruncatedQuality(
        share, UnweightingQuality.of(total), tuple(map(UnweightingQuality.of, channels))
    )


def bootstrap_maximum(weight: Array, size: int) -> float:
    """Median, over all replicas of a sample, of the largest weight in a replica.

    A replica has `size` points that are drawn with replacement. The largest of N draws from n
    sorted weights is at most the k-th with probability (k / n)^N, so the median is the weight
    k = ceil(n 2^(-1/N)): no replica has to be drawn.

    Args:
        weight: all absolute weights of a channel, at least one, shape (n,).
        size: points per replica, N.
    """
    n = len(weight)
    rank = max(1, ceil(n + n * expm1(-log(2.0) / size)))
    return float(np.partition(weight, rank - 1)[rank - 1])


def bootstrap_efficiencies(samples: Samples, n_channels: int, replica_size: int) -> Array:
    """Unweighting efficiency of every channel, eps_i = mean_i |w| / w_max,i.

    The maximum w_max,i is the median of the replica maxima; see `bootstrap_maximum`. Where the
    replicas miss all weights, it is the largest weight.

    Args:
        samples: weighted points, more than a replica has.
        n_channels: number of channels.
        replica_size: points of a channel per replica, such as its points in the last step of the
            training.

    Returns:
        float64, shape (n_channels,); 0 for a channel without weights.
    """
    efficiencies = np.zeros(n_channels)
    for channel, size in enumerate(magnitudes_by_channel(samples, n_channels)):
        if size.any():
            maximum = bootstrap_maximum(size, replica_size) or size.max()
            efficiencies[channel] = size.mean() / maximum
    return efficiencies


def bootstrap_efficiency(samples: Samples, n_channels: int, replica_size: int) -> float:
    """Unweighting efficiency of Eq. (2.67), mean of |w| / w_max.

    The maximum w_max is the median of the replica maxima. The channels combine to
    sum_i I_i eps_i / sum_i I_i with I_i = mean_i |w|. It is the limit of many replicas, where the
    average over replicas is the one over all weights. Args are those of `bootstrap_efficiencies`.
    """
    integral = np.array(
        [size.mean() if len(size) else 0.0 for size in magnitudes_by_channel(samples, n_channels)]
    )
    return float(
        integral @ bootstrap_efficiencies(samples, n_channels, replica_size) / integral.sum()
    )
