"""Points that vegas has drawn and the integrand has seen, kept for the flow to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array

KEPT_POINTS = 200_000
"""Points of an iteration that are kept; of longer ones every second, third, ... point."""

KEPT_ITERATIONS = 10
"""Iterations whose points are kept."""


@dataclass(frozen=True)
class Drawn:
    """A batch of points on its way to the integrand.

    Attributes:
        v: in the unit cube behind the flow, float64, shape (n, dim).
        channel: int64, shape (n,).
        weight: of vegas; its sum over an iteration with the integrand is an estimate, float64,
            shape (n,).
        volume: what makes the integrand a function on this cube, alpha_i |dx/dv|, float64, shape
            (n,).
        x: points of the integrand where channels mapped them, float64, shape (n, dim).
    """

    v: Array
    channel: NDArray[np.int64]
    weight: Array
    volume: Array
    x: Array | None = None

    def where(self, index: NDArray[np.int64]) -> Drawn:
        """Some of the points, without x."""
        return Drawn(self.v[index], self.channel[index], self.weight[index], self.volume[index])


@dataclass(frozen=True)
class Lap:
    """How an iteration went.

    Attributes:
        relative_std: relative error times the root of the evaluations; stratification counts.
        evaluations: of the integrand.
        seconds: that sampling and integrand took.
    """

    relative_std: float
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Points:
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
        """Square of the relative standard deviation that no density can beat, (sum |w| / sum w)^2 - 1."""
        total = abs(float(self.weight.sum()))
        return (float(np.abs(self.weight).sum()) / total) ** 2 - 1.0 if total else np.inf


class Recorder:
    """Collects the batches of an iteration."""

    def __init__(self, neval: int) -> None:
        self._stride = -(-neval // KEPT_POINTS)
        self._parts: list[tuple[Array, NDArray[np.int64], Array, Array]] = []

    def chosen(self, value: Array) -> NDArray[np.int64]:
        """Which points of a batch to keep, by the integrand's first component, float64, shape (n,)."""
        return np.flatnonzero((value != 0.0) & np.isfinite(value))[:: self._stride]

    def add(self, drawn: Drawn, value: Array) -> None:
        """Keep points with the integrand's first component, float64, shape (n,)."""
        self._parts.append(
            (drawn.v, drawn.channel, drawn.weight * value, drawn.volume * np.abs(value))
        )

    @property
    def points(self) -> Points:
        """What was collected."""
        return Points(*(np.concatenate(part) for part in zip(*self._parts, strict=True)))


@dataclass(frozen=True)
class Memory:
    """Points of some iterations, the oldest first."""

    iterations: tuple[Points, ...] = ()

    def remembering(self, points: Points) -> Memory:
        """With one more, and without those that are too old."""
        return Memory((*self.iterations, points)[-KEPT_ITERATIONS:])

    @property
    def size(self) -> int:
        """Number of points."""
        return sum(len(points.v) for points in self.iterations)

    @property
    def effective(self) -> float:
        """Effective points of all iterations."""
        return sum(points.effective for points in self.iterations)

    @property
    def last(self) -> Points:
        """Those of the newest iteration."""
        return self.iterations[-1]

    def pooled(self) -> Pool:
        """All points together.

        An iteration counts by its effective points: early ones, whose few heavy weights say little,
        hardly at all.
        """
        probability = np.concatenate(
            [points.share * points.effective for points in self.iterations]
        )
        v, channel, height = (
            np.concatenate([getattr(p, n) for p in self.iterations]) for n in Pool.COLUMNS
        )
        return Pool(v, channel, height, probability / probability.sum())


@dataclass(frozen=True)
class Pool:
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

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Pool:
        """Some of the points, sorted by channel."""
        index = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        index = index[np.argsort(self.channel[index], kind="stable")]
        return Pool(self.v[index], self.channel[index], self.height[index], self.probability[index])

    def drawn(self, n: int, rng: np.random.Generator) -> Pool:
        """N points with these probabilities, sorted by channel."""
        chosen = np.searchsorted(self._cumulated, self._cumulated[-1] * rng.random(n))
        return self.where(chosen.clip(max=len(self.v) - 1))

    @cached_property
    def _cumulated(self) -> Array:
        return np.cumsum(self.probability)
