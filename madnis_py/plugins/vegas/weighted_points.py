"""Points that vegas drew, with the values of the integrand there: what a flow learns from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array

KEPT_POINTS = 200_000
"""Most points that are kept of an iteration; of longer ones every second, third, ... point."""

KEPT_ITERATIONS = 10
"""Number of iterations whose points are kept, the newest ones."""


@dataclass(frozen=True)
class CubePoints:
    """A batch of points on its way to the integrand.

    Attributes:
        v: in the unit cube behind the flow, float64, shape (n, dim).
        channel: int64, shape (n,).
        weight: of vegas; the sum of weight times integrand over an iteration estimates the
            integral, float64, shape (n,).
        volume: alpha_i |dx/dv|, the factor that makes the integrand a function on this cube,
            float64, shape (n,).
        x: points of the integrand where channels mapped them, float64, shape (n, dim).
    """

    v: Array
    channel: NDArray[np.int64]
    weight: Array
    volume: Array
    x: Array | None = None

    def where(self, index: NDArray[np.int64]) -> CubePoints:
        """Some of the points, without x."""
        return CubePoints(
            self.v[index], self.channel[index], self.weight[index], self.volume[index]
        )


@dataclass(frozen=True)
class IterationPoints:
    """The points of one iteration at which the first component of the integrand is not 0.

    Attributes:
        v: in the unit cube behind the flow, float64, shape (n, dim).
        channel: int64, shape (n,).
        weight: integrand times weight of vegas, float64, shape (n,).
        height: absolute value of the integrand on this cube, float64, shape (n,).
    """

    v: Array
    channel: NDArray[np.int64]
    weight: Array
    height: Array

    @cached_property
    def share(self) -> Array:
        """|weight| with sum 1, float64, shape (n,)."""
        size = np.abs(self.weight)
        return size / size.sum() if len(size) else size

    @cached_property
    def effective(self) -> float:
        """Number of points of equal weight that say as much, (sum |w|)^2 / sum w^2."""
        return 1.0 / float(np.square(self.share).sum()) if len(self.share) else 0.0

    @property
    def cancellation(self) -> float:
        """Square of the relative standard deviation that no density can beat.

        (sum |w| / sum w)^2 - 1.
        """
        total = abs(float(self.weight.sum()))
        return (float(np.abs(self.weight).sum()) / total) ** 2 - 1.0 if total else np.inf


class PointRecorder:
    """Collects the points of an iteration, batch by batch.

    Args:
        neval: evaluations in the iteration, which decide whether all points are kept.
    """

    def __init__(self, neval: int) -> None:
        self._stride = -(-neval // KEPT_POINTS)
        self._parts: list[tuple[Array, NDArray[np.int64], Array, Array]] = []

    def chosen(self, value: Array) -> NDArray[np.int64]:
        """Indices of the points of a batch to keep.

        Args:
            value: first component of the integrand, float64, shape (n,).
        """
        return np.flatnonzero((value != 0.0) & np.isfinite(value))[:: self._stride]

    def add(self, drawn: CubePoints, value: Array) -> None:
        """Keep some points.

        Args:
            drawn: the points.
            value: first component of the integrand there, float64, shape (n,).
        """
        self._parts.append(
            (drawn.v, drawn.channel, drawn.weight * value, drawn.volume * np.abs(value))
        )

    @property
    def points(self) -> IterationPoints:
        """The points of all batches."""
        return IterationPoints(*(np.concatenate(part) for part in zip(*self._parts, strict=True)))


@dataclass(frozen=True)
class PointHistory:
    """Points of past iterations, the oldest first."""

    iterations: tuple[IterationPoints, ...] = ()

    def with_iteration(self, points: IterationPoints) -> PointHistory:
        """The history with one more iteration, and without those that are too old."""
        return PointHistory((*self.iterations, points)[-KEPT_ITERATIONS:])

    @property
    def size(self) -> int:
        """Number of points."""
        return sum(len(points.v) for points in self.iterations)

    @property
    def effective(self) -> float:
        """Effective points of all iterations."""
        return sum(points.effective for points in self.iterations)

    @property
    def last(self) -> IterationPoints:
        """Points of the newest iteration."""
        return self.iterations[-1]

    def pooled(self) -> TrainingPoints:
        """All points together, to draw batches of a training from.

        An iteration counts by its effective points: early ones, whose few heavy weights say little,
        hardly at all.
        """
        probability = np.concatenate(
            [points.share * points.effective for points in self.iterations]
        )
        v, channel, height = (
            np.concatenate([getattr(p, n) for p in self.iterations]) for n in TrainingPoints.COLUMNS
        )
        return TrainingPoints(v, channel, height, probability / probability.sum())


@dataclass(frozen=True)
class TrainingPoints:
    """Points and how often each should be drawn for the draws to follow the integrand.

    Attributes:
        v: in the unit cube behind the flow, float64, shape (n, dim).
        channel: int64, shape (n,).
        height: absolute value of the integrand on this cube, float64, shape (n,).
        probability: sum 1, float64, shape (n,).
    """

    COLUMNS: ClassVar = ("v", "channel", "height")

    v: Array
    channel: NDArray[np.int64]
    height: Array
    probability: Array

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> TrainingPoints:
        """Some of the points, sorted by channel."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        index = index[np.argsort(self.channel[index], kind="stable")]
        return TrainingPoints(
            self.v[index], self.channel[index], self.height[index], self.probability[index]
        )

    def drawn(self, n: int, rng: np.random.Generator) -> TrainingPoints:
        """N points with these probabilities, sorted by channel."""
        chosen = np.searchsorted(self._cumulated, self._cumulated[-1] * rng.random(n))
        return self.where(chosen.clip(max=len(self.v) - 1))

    @cached_property
    def _cumulated(self) -> Array:
        return np.cumsum(self.probability)
