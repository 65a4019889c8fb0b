"""Automatic bins of histograms, from values of observables in some weighted points or events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.tables import HistogramTable
from madnis_py.events.histograms.histogram import Binning
from madnis_py.integration.samples import Samples
from madnis_py.physics.cross_section.sampled_states import Parts, SampledStates
from madnis_py.physics.observables.observable import Observable

EqualBins = tuple[float, float, int]
"""Lower end, upper end and number of bins of equal width."""

BINS = 50
"""Bins of a histogram whose card gives only the range."""

_SHARE_BELOW, _SHARE_ABOVE = 0.002, 0.005
"""Shares of the cross section that may lie below and above the bins."""

_ROUND_WIDTHS = np.array([1.0, 2.0, 2.5, 5.0, 10.0])
"""Widths of bins, up to powers of ten."""

_FIXED: dict[str, EqualBins] = {"phi": (-np.pi, np.pi, 40), "dphi": (0.0, np.pi, 40)}
_FROM_ZERO = ("pt", "pt_sum", "missing_pt", "dr", "deta")
_SYMMETRIC = ("eta", "rapidity")
"""Kinds of observables whose bins are fixed, begin at 0, or are symmetric around 0."""

_RESOLUTION = 1e-6
"""Values that differ less, relative to their size, are one value."""


@dataclass(frozen=True, eq=False)
class WeightedValues:
    """The values of an observable in some events.

    Attributes:
        values: GeV or dimensionless, float64, shape (n,).
        weights: without signs, float64, shape (n,).
    """

    values: Array
    weights: Array

    @classmethod
    def of(cls, observable: Observable, parts: Parts, weight: Array) -> WeightedValues:
        """Values in final states, and the parts of the weights of their events.

        Args:
            observable: what is measured.
            parts: final states with their shares of the weights.
            weight: of the events, float64, shape (n,).
        """
        values = [observable.values(final) for final, _ in parts]
        weights = [
            np.broadcast_to(np.abs(weight * share)[:, None], of_part.shape)
            for of_part, (_, share) in zip(values, parts, strict=True)
        ]
        every, weight_of_every = (
            np.concatenate([np.empty(0), *(array.ravel() for array in arrays)])
            for arrays in (values, weights)
        )
        used = np.isfinite(every) & (weight_of_every > 0)
        return cls(every[used], weight_of_every[used])

    @classmethod
    def concatenate(cls, parts: Iterable[WeightedValues]) -> WeightedValues:
        """The values of several parts of the events."""
        values, weights = zip(*((part.values, part.weights) for part in parts), strict=True)
        return cls(np.concatenate(values), np.concatenate(weights))

    @property
    def is_constant(self) -> bool:
        """Whether there is at most one value."""
        if not len(self.values):
            return True
        return bool(np.ptp(self.values) <= _RESOLUTION * np.abs(self.values).max())

    def bins(self, kind: str) -> EqualBins:
        """Lower end, upper end and number of bins with round widths that hold all but the tails."""
        if kind in _FIXED:
            return _FIXED[kind]
        if self.is_constant:
            centre = float(self.values[0]) if len(self.values) else 0.0
            return centre - 0.5, centre + 0.5, 1
        low, high = np.quantile(
            self.values,
            [_SHARE_BELOW, 1 - _SHARE_ABOVE],
            weights=self.weights,
            method="inverted_cdf",
        )
        if kind in _SYMMETRIC:
            high = max(abs(low), abs(high))
            low = -high
        elif kind in _FROM_ZERO:
            low = 0.0
        return _round_bins(float(low), float(high))


def _round_bins(low: float, high: float) -> EqualBins:
    """Bins of a round width whose ends are multiples of it, from half of `BINS` to one more."""
    least = max(high - low, _RESOLUTION * abs(high)) / BINS
    power = 10.0 ** np.floor(np.log10(least))
    width = float(power * _ROUND_WIDTHS[np.searchsorted(_ROUND_WIDTHS * power, least * (1 - 1e-9))])
    first, last = np.floor(low / width), np.ceil(high / width)
    return float(first * width), float(last * width), int(last - first)


@dataclass(frozen=True)
class PointValues:
    """Values of weighted points, for the workers of a sampler.

    Attributes:
        states: final states of points.
        observables: what is measured.
        counts: points of every channel, int64, shape (n_channels,).
    """

    states: SampledStates
    observables: tuple[Observable, ...]
    counts: NDArray[np.int64]

    def __call__(self, samples: Samples) -> list[WeightedValues]:
        """The values of each observable."""
        live = self.states.of_live(samples)
        weight = live.magnitude / self.counts[live.channel]
        return [
            WeightedValues.of(observable, live.parts, weight) for observable in self.observables
        ]


def binnings(
    usual: Sequence[Observable],
    asked: Sequence[tuple[Observable, HistogramTable]],
    values: Sequence[WeightedValues],
) -> list[Binning]:
    """The bins of all histograms: those of the card, and usual ones that have more than one value.

    Args:
        usual: observables of every process; the card may set the bins of one.
        asked: observables of the card.
        values: values of `usual`, then of `asked`.
    """
    tables = {str(observable): table for observable, table in asked}
    observables = [*usual, *(observable for observable, _ in asked)]
    found: dict[str, Binning] = {}
    for observable, of_observable in zip(observables, values, strict=True):
        text = str(observable)
        if text in found or (text not in tables and of_observable.is_constant):
            continue
        table = tables.get(text, HistogramTable())
        if table.range is not None:
            low, high, number = *table.range, BINS
        else:
            low, high, number = of_observable.bins(observable.kind)
        edges = np.linspace(low, high, (table.bins or number) + 1)
        found[text] = Binning(observable, edges)
    return list(found.values())
