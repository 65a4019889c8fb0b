"""From weighted points to unweighted events: maxima per channel, hit or miss, and how efficient it was."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.errors import GenerationError, InputError
from madnis_py.integration.samples import Samples

Floats = NDArray[np.float64]


def channel_maxima(samples: Samples, n_channels: int, overweight_share: float) -> Floats:
    """Truncated maximum weight of every channel: the smallest sum of maxima that the overweight share allows.

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

    descending: Floats

    @classmethod
    def of(cls, magnitude: Floats) -> ChannelWeightList:
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

    def segments(self) -> tuple[Floats, Floats]:
        """Slopes P(w > M) and lengths of the pieces between neighbouring weights, from the top to the floor."""
        n = len(self.descending)
        knots = np.maximum(self.descending, self.floor)
        return np.arange(1, n) / max(n, 1), knots[:-1] - knots[1:]


def _cheapest_segments(segments: list[tuple[Floats, Floats]], budget: float) -> Floats:
    """Length per channel of the segments with the smallest slopes that the budget, slope times length, pays for."""
    slope, length = (np.concatenate(parts) for parts in zip(*segments, strict=True))
    channel = np.repeat(np.arange(len(segments)), [len(slopes) for slopes, _ in segments])
    order = np.argsort(slope, kind="stable")
    cost = (slope * length)[order]
    before = np.cumsum(cost) - cost
    share = np.clip(budget - before, 0.0, cost) / np.where(cost > 0, cost, 1.0)
    spent = np.bincount(channel[order], weights=share * length[order], minlength=len(segments))
    return spent.astype(np.float64)


def magnitudes_by_channel(samples: Samples, n_channels: int) -> list[Floats]:
    """Magnitudes of each channel, float64."""
    counts = torch.bincount(samples.channel, minlength=n_channels).numpy()
    return np.split(samples.magnitude.numpy(), np.cumsum(counts)[:-1])


@dataclass(frozen=True)
class UnweightingSummary:
    """What unweighting costs and how good its events are.

    Attributes:
        efficiency: mean of |w| / M_i when channels are drawn in proportion to their maxima M_i;
            sigma / sum_i M_i where no weight is negative.
        efficiency_bootstrap: the same with the maxima of Eq. (2.67); see
            `quality.bootstrap_efficiency`.
        overweight_share: share of the absolute cross section above the maxima.
        n_eff: Kish's effective number of the events, (sum w)^2 / sum w^2 with the signed weights of
            Eq. (2.66); a share f of negative events alone leaves (1 - 2 f)^2 of them.
        negative_share: share of the events with a negative weight.
        cut_acceptance: share of the trials that may become events.
    """

    efficiency: float
    efficiency_bootstrap: float
    overweight_share: float
    n_eff: float
    negative_share: float
    cut_acceptance: float

    def to_dict(self) -> dict[str, float]:
        """The entries of the `unweighting` table of run.json."""
        return asdict(self)


@dataclass(frozen=True)
class UnweightingTally:
    """Sums over trials with r = w / M_i and |r| = |w| / M_i, expected rather than drawn; tallies of chunks add up.

    An event of a trial is positive with probability (|r| + r) / 2 |r|, so that r is the expectation
    of its weight.

    Attributes:
        trials: number of trials, or 1 where the sums are expectations per trial.
        live: trials with |r| > 0.
        accepted: sum of min(1, |r|), the expected number of events.
        negative: the part of it whose weights are negative.
        ratio: sum of r, the expected sum of the event weights.
        magnitude: sum of |r|, the expected sum of the absolute event weights.
        magnitude_squared: sum of |r| max(1, |r|), the expected sum of the squared event weights.
        squared: sum of r^2.
    """

    trials: float = 0.0
    live: float = 0.0
    accepted: float = 0.0
    negative: float = 0.0
    ratio: float = 0.0
    magnitude: float = 0.0
    magnitude_squared: float = 0.0
    squared: float = 0.0

    @classmethod
    def of(cls, ratio: Floats, size: Floats, measure: Floats) -> UnweightingTally:
        """Sums over trials with r and |r| that count as often as their measure says; all float64, shape (n,)."""
        kept = np.minimum(size, 1.0)
        negative = (size - ratio) / np.where(size > 0, 2 * size, 1.0)
        weighted = size * np.maximum(size, 1.0)
        columns = (
            np.ones_like(ratio),
            size > 0,
            kept,
            kept * negative,
            ratio,
            size,
            weighted,
            ratio * ratio,
        )
        return cls(
            *(float((measure * column).sum()) for column in columns)
        )  # not BLAS, which sums by threads

    def __add__(self, other: UnweightingTally) -> UnweightingTally:
        """Sums over the trials of both."""
        return UnweightingTally(
            *(a + b for a, b in zip(astuple(self), astuple(other), strict=True))
        )

    @property
    def accepted_fraction(self) -> float:
        """Events per trial, <min(1, |w| / M_i)>."""
        return self.accepted / self.trials

    @property
    def mean_event_weight(self) -> float:
        """Expected mean of the event weights; an event weight times sigma over this is XWGTUP in pb."""
        return self.ratio / self.accepted

    def summary(self, n_events: int, efficiency_bootstrap: float) -> UnweightingSummary:
        """The figures of a run.

        Args:
            n_events: number of events that were or shall be made.
            efficiency_bootstrap: from `quality.bootstrap_efficiency`.
        """
        return UnweightingSummary(
            efficiency=self.magnitude / self.trials,
            efficiency_bootstrap=efficiency_bootstrap,
            overweight_share=1.0 - self.accepted / self.magnitude,
            n_eff=n_events * self.ratio**2 / (self.accepted * self.magnitude_squared),
            negative_share=self.negative / self.accepted,
            cut_acceptance=self.live / self.trials,
        )


@dataclass(frozen=True)
class Accepted:
    """The trials that became events.

    Attributes:
        index: positions in the samples, ascending, int64, shape (k,).
        ratio: |w| / M_i with the sign of w, float64, shape (k,). Where parts of both signs make w,
            the part that the event is drawn from says its sign.
        uniform: the random numbers that accepted them, below |ratio|, float64, shape (k,).
        tally: what all trials add to the figures of the run.
    """

    index: Tensor
    ratio: Floats
    uniform: Floats
    tally: UnweightingTally


def raised_maximum(excess: Floats, magnitude: float, share: float, most: float) -> float:
    """The factor by which all maxima have to grow to keep the overweight share.

    All channels grow alike: trials that are made already were shared out in proportion to the
    maxima. A trial that was accepted with |w| / M > u stays if |w| / (c M) > u, so the events are
    those of a run with the larger maxima.

    Args:
        excess: |w| / M_i of all trials above 1, in any order, float64 (k,).
        magnitude: sum of |w| / M_i over all trials.
        share: of it that may lie above the maxima.
        most: largest factor; what lies above even so is overweight.

    Returns:
        the smallest c in [1, most] with sum max(0, |w| / M_i - c) <= share * magnitude, or `most`.
    """
    descending = np.sort(excess)[::-1]
    above = np.cumsum(descending)
    count = np.arange(1, len(descending) + 1)
    needed = (above - share * magnitude) / count  # c if exactly the first `count` lie above it
    return float(np.clip(needed.max(initial=1.0), 1.0, most))


class Encoding(ABC):
    """How events above the maximum keep their share of the cross section."""

    @abstractmethod
    def copies(self, ratio: Floats, uniform: Floats) -> NDArray[np.int64]:
        """How often each trial comes as an event.

        Args:
            ratio: w / M, float64 (k,).
            uniform: the number in [0, 1) that decides, float64 (k,).
        """

    @abstractmethod
    def weight(self, ratio: Floats) -> Floats:
        """The weight of each of its events, 1 below the maximum, with the sign of w, float64 (k,)."""


class KeptWeights(Encoding):
    """One event that keeps its weight |w| / M, Eq. (2.66)."""

    def copies(self, ratio: Floats, uniform: Floats) -> NDArray[np.int64]:
        """See `Encoding.copies`."""
        return (uniform < np.abs(ratio)).astype(np.int64)

    def weight(self, ratio: Floats) -> Floats:
        """See `Encoding.weight`."""
        return np.copysign(np.maximum(np.abs(ratio), 1.0), ratio)


class SpreadCopies(Encoding):
    """|w| / M copies of weight 1, rounded up or down at random so that their number is right on average."""

    def copies(self, ratio: Floats, uniform: Floats) -> NDArray[np.int64]:
        """See `Encoding.copies`."""
        size = np.abs(ratio)
        whole = np.floor(size)
        return (whole + (uniform < size - whole)).astype(np.int64)

    def weight(self, ratio: Floats) -> Floats:
        """See `Encoding.weight`."""
        return np.copysign(1.0, ratio)


ENCODINGS: Mapping[str, Encoding] = {"keep": KeptWeights(), "copies": SpreadCopies()}
"""By the names of the card."""


class Unweighter:
    """Hit or miss, Eq. (2.66).

    Every trial draws a channel in proportion to its maximum M_i and a point of that channel. It is
    accepted with probability min(1, |w| / M_i); an `Encoding` says what becomes of weights above
    the maximum. No weight is clipped, so every expectation stays what it was.

        counts = unweighter.trials(n, generator)
        samples = integrator.sample(counts, ...)
        accepted = unweighter.accept(samples, uniform)

    Accepted events are sorted by channel. Shuffle them before some of them are left out.

    Args:
        maxima: M_i >= 0 in the unit of the weights, float64, shape (n_channels,); channels with 0
            are never drawn.

    Raises:
        InputError: maxima that are negative, not finite or all zero.
    """

    def __init__(self, maxima: Floats) -> None:
        if not (np.isfinite(maxima).all() and (maxima >= 0).all() and maxima.any()):
            raise InputError(
                f"unweighting: expected finite maxima >= 0, one at least > 0; got {maxima.tolist()}"
            )
        self.maxima = maxima

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.maxima)

    @property
    def shares(self) -> Floats:
        """Probability of every channel in a trial, shape (n_channels,)."""
        shares: Floats = self.maxima / self.maxima.sum()
        return shares

    def trials(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw how many of n trials every channel gets; int64, shape (n_channels,), sum n."""
        drawn = torch.multinomial(
            torch.from_numpy(self.shares), n, replacement=True, generator=generator
        )
        return torch.bincount(drawn, minlength=self.n_channels)

    def accept(self, samples: Samples, uniform: Tensor) -> Accepted:
        """Decide for every trial.

        Args:
            samples: the points of the trials, shape (n,).
            uniform: random numbers in [0, 1), float64, shape (n,).

        Raises:
            GenerationError: a channel whose maximum is 0 has a weight.
        """
        (ratio, size), number = self._ratios(samples), uniform.numpy()
        index = np.flatnonzero(number < size)
        tally = UnweightingTally.of(ratio, size, np.ones_like(ratio))
        return Accepted(
            torch.from_numpy(index), np.copysign(size, ratio)[index], number[index], tally
        )

    def expect(self, samples: Samples) -> UnweightingTally:
        """Expectations per trial from weighted points with any number of points per channel.

        Channels with a positive maximum must have points.
        """
        channel = samples.channel.numpy()
        counts = np.bincount(channel, minlength=self.n_channels)
        return UnweightingTally.of(
            *self._ratios(samples), (self.shares / np.maximum(counts, 1))[channel]
        )

    def expect_by_channel(self, samples: Samples) -> list[UnweightingTally]:
        """Expectations per trial in each channel by itself; nothing for a channel without points."""
        counts = np.bincount(samples.channel.numpy(), minlength=self.n_channels)
        ratios, sizes = (
            np.split(values, np.cumsum(counts)[:-1]) for values in self._ratios(samples)
        )
        return [
            UnweightingTally.of(ratio, size, np.full(len(ratio), 1 / max(len(ratio), 1)))
            for ratio, size in zip(ratios, sizes, strict=True)
        ]

    def _ratios(self, samples: Samples) -> tuple[Floats, Floats]:
        """Weights and magnitudes over the maxima of their channels, both of shape (n,)."""
        channel, magnitude = samples.channel.numpy(), samples.magnitude.numpy()
        maximum = self.maxima[channel]
        lost = np.where(maximum == 0, magnitude, 0.0)
        if lost.any():
            worst = lost.argmax()
            expected = f"unweighting: channel {channel[worst]} has the maximum 0"
            raise GenerationError(f"{expected} but a weight of {magnitude[worst]}")
        divisor = np.where(maximum > 0, maximum, 1.0)
        return samples.weight.numpy() / divisor, magnitude / divisor
