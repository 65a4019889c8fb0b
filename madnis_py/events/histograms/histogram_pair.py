"""Pairs of histograms of one observable: of weighted points and of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from madnis_py.events.histograms.histogram import Histogram
from madnis_py.events.histograms.shape_comparison import Comparison, compare
from madnis_py.events.histograms.uncertainty_bands import Band, bands
from madnis_py.events.les_houches.weight_groups import WeightGroup


@dataclass(frozen=True, eq=False)
class HistogramPair:
    """Histograms of one observable in the same bins; one of the two may be missing.

    Attributes:
        weighted: from weighted points.
        events: from events.
        groups: what the variations of the events stand for.
        unit: of the contents: pb, or GeV for the width of a decay.
    """

    weighted: Histogram | None
    events: Histogram | None
    groups: tuple[WeightGroup, ...] = ()
    unit: str = "pb"

    @property
    def histogram(self) -> Histogram:
        """The histogram of the events, else that of the points."""
        found = self.events or self.weighted
        assert found is not None
        return found

    @property
    def name(self) -> str:
        """The observable as a card calls it."""
        return str(self.histogram.observable)

    @cached_property
    def comparison(self) -> Comparison | None:
        """Agreement of points and events, if there are both."""
        if self.weighted is None or self.events is None:
            return None
        return compare(self.weighted, self.events)

    @cached_property
    def bands(self) -> dict[str, Band]:
        """The bands of the variations of the events, by group."""
        return bands(self.events, self.groups) if self.events else {}

    def record(self) -> dict[str, Any]:
        """Entry of histograms.json, plain Python values; see docs/histograms.md."""
        histogram = self.histogram
        record: dict[str, Any] = {
            "observable": self.name,
            "label": histogram.observable.symbol,
            "unit": histogram.observable.unit,
            "edges": histogram.edges.tolist(),
        }
        if self.weighted is not None:
            record["weighted"] = _contents(self.weighted)
        if self.events is not None:
            ends = {
                name: {"low": low[1:-2].tolist(), "high": high[1:-2].tolist()}
                for name, (low, high) in self.bands.items()
            }
            record["events"] = _contents(self.events) | {"bands": ends}
        if (found := self.comparison) is not None:
            record["comparison"] = {
                "chi2": found.chi2,
                "dof": found.dof,
                "p_value": found.p_value,
                "bins": found.bins,
            }
        return record


def histogram_pairs(
    weighted: Sequence[Histogram], events: Sequence[Histogram], groups: tuple[WeightGroup, ...] = ()
) -> Iterator[HistogramPair]:
    """Pairs of histograms, observable by observable; one of the lists may be empty."""
    for number in range(max(len(weighted), len(events))):
        yield HistogramPair(
            weighted[number] if weighted else None,
            events[number] if events else None,
            groups,
        )


def _contents(histogram: Histogram) -> dict[str, Any]:
    errors = histogram.all_errors
    places = {"underflow": 0, "overflow": -2, "total": -1}
    outside = {
        name: [float(histogram.contents[place]), float(errors[place])]
        for name, place in places.items()
    }
    return {"values": histogram.values.tolist(), "errors": histogram.errors.tolist(), **outside}
