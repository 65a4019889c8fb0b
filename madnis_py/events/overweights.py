"""Overweight events: how weights above the maximum keep their share of the cross section."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array


class Encoding(ABC):
    """Treatment of weights above the maximum, which leaves every expectation unchanged."""

    @abstractmethod
    def copies(self, ratio: Array, uniform: Array) -> NDArray[np.int64]:
        """Number of events that each trial becomes.

        Args:
            ratio: w / M, float64 (k,).
            uniform: the number in [0, 1) that decides, float64 (k,).
        """

    @abstractmethod
    def weight(self, ratio: Array) -> Array:
        """Weight of each event of a trial, with the sign of w, 1 below the maximum.

        Args:
            ratio: w / M, float64 (k,).

        Returns:
            float64, shape (k,).
        """

    @abstractmethod
    def expected_events(self, magnitude: float, above: float) -> float:
        """Expected number of events of many trials.

        Args:
            magnitude: sum of |w| / M over the trials.
            above: the part of it above 1, sum of max(0, |w| / M - 1).
        """


class KeptWeights(Encoding):
    """One event that keeps its weight |w| / M, Eq. (2.66)."""

    def copies(self, ratio: Array, uniform: Array) -> NDArray[np.int64]:
        """See `Encoding.copies`."""
        return (uniform < np.abs(ratio)).astype(np.int64)

    def weight(self, ratio: Array) -> Array:
        """See `Encoding.weight`."""
        return np.copysign(np.maximum(np.abs(ratio), 1.0), ratio)

    def expected_events(self, magnitude: float, above: float) -> float:
        """See `Encoding.expected_events`."""
        return magnitude - above


class SpreadCopies(Encoding):
    """|w| / M copies of weight 1, rounded up or down at random with the right average."""

    def copies(self, ratio: Array, uniform: Array) -> NDArray[np.int64]:
        """See `Encoding.copies`."""
        size = np.abs(ratio)
        whole = np.floor(size)
        return (whole + (uniform < size - whole)).astype(np.int64)

    def weight(self, ratio: Array) -> Array:
        """See `Encoding.weight`."""
        return np.copysign(1.0, ratio)

    def expected_events(self, magnitude: float, above: float) -> float:
        """See `Encoding.expected_events`."""
        return magnitude


ENCODINGS: Mapping[str, Encoding] = {"keep": KeptWeights(), "copies": SpreadCopies()}
"""Name of the card -> encoding."""
