"""Selection of the events of chunks for a file, while the maxima may grow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.events.channel_maxima import raised_maximum
from madnis_py.events.chunk import StoredChunk
from madnis_py.events.overweights import Encoding
from madnis_py.events.unweighting import UnweightingTally


@dataclass
class EventSelection:
    """The events of the chunks so far that go to the file, under maxima that may grow.

    The maxima grow as far as the share of the cross section above them is larger than allowed.

    Args:
        encoding: treatment of weights above the maxima.
        share: share of the cross section that may lie above them.
        most: largest factor by which they may grow.

    Attributes:
        chunks: the chunks so far, in their order.
        factor: factor by which the maxima have grown.
    """

    encoding: Encoding
    share: float
    most: float

    def __post_init__(self) -> None:
        self.chunks: list[StoredChunk] = []
        self.factor = 1.0
        self._tally = UnweightingTally()
        self._excess: list[Array] = []
        self._counts: list[int] = []

    def add(self, chunk: StoredChunk) -> None:
        """Add a chunk; the events of earlier ones are selected anew if the maxima grow."""
        size = np.abs(chunk.ratio)
        self.chunks.append(chunk)
        self._tally += chunk.tally
        self._excess.append(size[size > 1])
        factor = raised_maximum(
            np.concatenate(self._excess), self._tally.magnitude, self.share, self.most
        )
        if factor > self.factor:
            self.factor = factor
            self._counts = [int(self.copies(one).sum()) for one in self.chunks]
        else:
            self._counts.append(int(self.copies(chunk).sum()))

    @property
    def events(self) -> int:
        """Number of events selected so far."""
        return sum(self._counts)

    @property
    def trials(self) -> int:
        """Number of trials behind them."""
        return round(self._tally.trials)

    @property
    def efficiency(self) -> float:
        """Cross section over the sum of the maxima."""
        return self._tally.magnitude / (self.factor * self._tally.trials)

    @property
    def overweight_share(self) -> float:
        """Share of the cross section that lies above the maxima."""
        return self._above / self._tally.magnitude

    @property
    def mean_weight(self) -> float:
        """Expected weight of an event, 1 where all are positive and below the maxima.

        From all trials, so that it is known better than from the events of a file; rounded to
        twelve digits, because sums of the same weights in another order differ beyond.
        """
        events = self.encoding.expected_events(self._tally.magnitude, self._above)
        return round(self._tally.ratio / events, 12)

    @property
    def _above(self) -> float:
        """Sum of what exceeds the grown maxima, over the maxima as they were at first."""
        above = np.maximum(np.concatenate(self._excess) - self.factor, 0.0)
        return float(above.sum())

    @property
    def cut_acceptance(self) -> float:
        """Share of the trials with a weight other than 0."""
        return self._tally.live / self._tally.trials

    @property
    def mean_ratio(self) -> tuple[float, float]:
        """Mean of w / M_i over all trials and its error, with the maxima as they were at first.

        It is the cross section over the sum of these maxima.
        """
        trials = self._tally.trials
        mean = self._tally.ratio / trials
        variance = max(self._tally.squared / trials - mean**2, 0.0)  # but for rounding
        return mean, float(np.sqrt(variance / trials))

    def copies(self, chunk: StoredChunk) -> NDArray[np.int64]:
        """Copies of each event of a chunk that go to the file, int64, shape (k,)."""
        return self.encoding.copies(chunk.ratio / self.factor, chunk.uniform)

    def weights(self, ratio: Array) -> Array:
        """Signed weights of events with these w / M_i, 1 below the maximum."""
        return self.encoding.weight(ratio / self.factor)
