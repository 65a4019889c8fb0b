"""Mixed events: those of several processes in one random order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.events.event_batch import EventBatch
from madnis_py.run.stages.event_file import SelectedEvents

_BLOCK = 16_384
"""Number of events that are put in order at a time."""


@dataclass(frozen=True)
class MixedEvents:
    """Events of several processes, each in its own order, mixed as their labels say.

    The weights of a process have the sum that its cross section wants: they are scaled by a common
    factor, 1 or nearly so, by what the maxima leave above them.

    Attributes:
        labels: process of each event, int64, shape (n,).
        selected: process -> its events, as many as it has labels; none for a process without.
        means: process -> what the mean weight of its events has to be, in a common unit.
    """

    labels: NDArray[np.int64]
    selected: Mapping[int, SelectedEvents]
    means: Mapping[int, float]

    @cached_property
    def _factors(self) -> dict[int, float]:
        """Process -> factor of its weights."""
        found = {label: one.selection.mean_weight for label, one in self.selected.items()}
        for label, mean in found.items():
            if not mean * self.means[label] > 0:
                expected = "generate: expected weights whose sum has the sign of the cross section"
                raise GenerationError(f"{expected}; got {mean:.2g} on average of a process")
        return {label: self.means[label] / mean for label, mean in found.items()}

    @cached_property
    def weights(self) -> Array:
        """Signed weights in a common unit, float64, shape (n,).

        Raises:
            GenerationError: those of a process add up to nothing.
        """
        weights = np.empty(len(self.labels))
        for label, one in self.selected.items():
            weights[self.labels == label] = self._factors[label] * one.weights
        return weights

    def batches(self, unit: float) -> Iterator[EventBatch]:
        """The events in their order, with their weights in `unit`."""
        sources = {
            label: EventQueue(one.batches(unit * self._factors[label]))
            for label, one in self.selected.items()
        }
        for begin in range(0, len(self.labels), _BLOCK):
            yield in_order_of(self.labels[begin : begin + _BLOCK], sources)


def in_order_of(labels: NDArray[np.int64], sources: Mapping[int, EventQueue]) -> EventBatch:
    """The next events of several processes in one order.

    Args:
        labels: process of each event, int64, shape (n,).
        sources: process -> its events.
    """
    found, counts = np.unique(labels, return_counts=True)
    taken = [sources[label].take(count) for label, count in zip(found, counts, strict=True)]
    return EventBatch.concatenate(taken).select(_places(labels))


def _places(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of each event where those of every label follow each other in ascending order."""
    places = np.empty_like(labels)
    places[np.argsort(labels, kind="stable")] = np.arange(len(labels))
    return places


class EventQueue:
    """Events of a process, a number at a time.

    Args:
        batches: of any sizes.
    """

    def __init__(self, batches: Iterator[EventBatch]) -> None:
        self._batches = batches
        self._left: EventBatch | None = None

    def take(self, count: int) -> EventBatch:
        """The next events, as many as there are at least."""
        taken: list[EventBatch] = []
        while count > 0:
            batch = next(self._batches) if self._left is None else self._left
            taken.append(batch.select(slice(0, count)))
            count -= len(taken[-1])
            rest = batch.select(slice(len(taken[-1]), None))
            self._left = rest if len(rest) else None
        return EventBatch.concatenate(taken)
