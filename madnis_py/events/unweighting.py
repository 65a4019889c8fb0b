"""From weighted points to unweighted events: hit or miss, and how efficient it was."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass

import numpy as np
import torch
from torch import Tensor

from madnis_py.arrays import Array, Flags
from madnis_py.errors import GenerationError, InputError
from madnis_py.integration.samples import Samples
from madnis_py.parallel.random_streams import RandomStream


@dataclass(frozen=True)
class UnweightingSummary:
    """Costs of unweighting and quality of its events.

    Attributes:
        efficiency: mean of |w| / M_i when channels are drawn in proportion to their maxima M_i;
            sigma / sum_i M_i where no weight is negative.
        efficiency_bootstrap: the same with the maxima of Eq. (2.67); see
            `unweighting_quality.bootstrap_efficiency`.
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
    """Sums over trials with r = w / M_i and |r| = |w| / M_i; those of chunks add up.

    They are expectations: nothing in them depends on which trials were accepted. An event of a
    trial is positive with probability (|r| + r) / 2 |r|, so that r is the expectation of its
    weight.

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
    def of(cls, ratio: Array, size: Array, measure: Array) -> UnweightingTally:
        """Sums over trials that count as often as their measure says.

        Args:
            ratio: r, float64, shape (n,).
            size: |r|, float64, shape (n,).
            measure: of each trial, float64, shape (n,).
        """

        def total(column: Array | Flags) -> float:
            return float((measure * column).sum())  # not BLAS, which sums by threads

        kept = np.minimum(size, 1.0)
        return cls(
            trials=total(np.ones_like(ratio)),
            live=total(size > 0),
            accepted=total(kept),
            negative=total(kept * ((size - ratio) / np.where(size > 0, 2 * size, 1.0))),
            ratio=total(ratio),
            magnitude=total(size),
            magnitude_squared=total(size * np.maximum(size, 1.0)),
            squared=total(ratio * ratio),
        )

    def __add__(self, other: UnweightingTally) -> UnweightingTally:
        """Sums over the trials of both."""
        return UnweightingTally(
            *(a + b for a, b in zip(astuple(self), astuple(other), strict=True))
        )

    def summary(self, n_events: int, efficiency_bootstrap: float) -> UnweightingSummary:
        """The figures of a run.

        Args:
            n_events: number of events that were or shall be made.
            efficiency_bootstrap: from `unweighting_quality.bootstrap_efficiency`.
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
            the part that the event is drawn from gives the sign.
        uniform: the random numbers that accepted them, below |ratio|, float64, shape (k,).
        tally: sums over all trials, for the figures of the run.
    """

    index: Tensor
    ratio: Array
    uniform: Array
    tally: UnweightingTally


class Unweighter:
    """Hit or miss, Eq. (2.66).

    Every trial draws a channel in proportion to its maximum M_i and a point of that channel. It is
    accepted with probability min(1, |w| / M_i); an `overweights.Encoding` says what becomes of
    weights above the maximum. No weight is clipped, so every expectation stays what it was.

        counts = unweighter.trials(n, stream)
        samples = sampler.sample(counts, ...)
        accepted = unweighter.accept(samples, uniform)

    Accepted events are sorted by channel. Shuffle them before some of them are left out.

    Args:
        maxima: M_i >= 0 in the unit of the weights, float64, shape (n_channels,); channels with 0
            are never drawn.

    Raises:
        InputError: maxima that are negative, not finite or all zero.
    """

    def __init__(self, maxima: Array) -> None:
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
    def shares(self) -> Array:
        """Probability of every channel in a trial, shape (n_channels,)."""
        shares: Array = self.maxima / self.maxima.sum()
        return shares

    def trials(self, n: int, stream: RandomStream) -> Tensor:
        """Draw how many of n trials every channel gets; int64, shape (n_channels,), sum n."""
        return torch.bincount(stream.choices(self.shares, n), minlength=self.n_channels)

    def accept(self, samples: Samples, uniform: Tensor) -> Accepted:
        """Decide for every trial.

        Args:
            samples: the points of the trials, shape (n,).
            uniform: random numbers in [0, 1), float64, shape (n,).

        Raises:
            GenerationError: a channel whose maximum is 0 has a weight.
        """
        (ratio, size), number = self.ratios(samples), uniform.numpy()
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
            *self.ratios(samples), (self.shares / np.maximum(counts, 1))[channel]
        )

    def expect_by_channel(self, samples: Samples) -> list[UnweightingTally]:
        """Expectations per trial in each channel by itself; zeros for a channel without points."""
        counts = np.bincount(samples.channel.numpy(), minlength=self.n_channels)
        ratios, sizes = (
            np.split(values, np.cumsum(counts)[:-1]) for values in self.ratios(samples)
        )
        return [
            UnweightingTally.of(ratio, size, np.full(len(ratio), 1 / max(len(ratio), 1)))
            for ratio, size in zip(ratios, sizes, strict=True)
        ]

    def ratios(self, samples: Samples) -> tuple[Array, Array]:
        """Weights and magnitudes over the maxima of their channels, both of shape (n,).

        Raises:
            GenerationError: a channel whose maximum is 0 has a weight.
        """
        channel, magnitude = samples.channel.cpu().numpy(), samples.magnitude.cpu().numpy()
        maximum = self.maxima[channel]
        lost = np.where(maximum == 0, magnitude, 0.0)
        if lost.any():
            worst = lost.argmax()
            expected = f"unweighting: channel {channel[worst]} has the maximum 0"
            raise GenerationError(f"{expected} but a weight of {magnitude[worst]}")
        divisor = np.where(maximum > 0, maximum, 1.0)
        return samples.weight.cpu().numpy() / divisor, magnitude / divisor
