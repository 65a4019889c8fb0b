"""Placement of the points of vegas: through a flow, through maps of channels, or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import vegas
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.plugins.vegas.channel_maps import ChannelMaps
from madnis_py.plugins.vegas.weighted_points import CubePoints, PointHistory


@dataclass(frozen=True)
class Region:
    """A box.

    Attributes:
        low: lower ends, float64, shape (dim,).
        size: lengths of the sides, float64, shape (dim,).
    """

    low: Array
    size: Array

    @classmethod
    def of(cls, grid: vegas.AdaptiveMap) -> Region:
        """The region that a map of vegas covers."""
        low, high = np.array(grid.region(), dtype=float).T
        return cls(low, high - low)

    def unit(self, x: Array) -> Array:
        """Points of the box as points of the unit cube, shape (n, dim)."""
        y = (x - self.low) / self.size
        return np.clip(y, 0.0, 1.0, out=y)

    def points(self, y: Array) -> Array:
        """Points of the unit cube as points of the box, shape (n, dim)."""
        return self.low + self.size * y


class TrainableMap(Protocol):
    """A flow between the unit cube of vegas and the one behind it; see `learned_map.LearnedMap`."""

    def to_data(self, z: Array, channel: NDArray[np.int64]) -> tuple[Array, Array]:
        """Points z of the cube of vegas, shape (n, dim), as points v, with |dv/dz|, shape (n,)."""

    def learn(
        self, history: PointHistory, steps: int, learning_rate: float, rng: np.random.Generator
    ) -> bool:
        """Train with points of past iterations; returns whether the flow has become better."""


@dataclass(frozen=True)
class Placement:
    """The maps between vegas and the integrand.

    With channels, the first axis of vegas chooses the channel and the others are a unit cube;
    without, its axes are those of the region. A flow maps this unit cube to itself, so that vegas
    sees a flat integrand.

    Attributes:
        region: of the axes of vegas.
        channels: maps to the region of the integrand.
        flow: trained, if there is one.
    """

    region: Region
    channels: ChannelMaps | None = None
    flow: TrainableMap | None = None

    @property
    def straight(self) -> bool:
        """Whether the points of vegas are those of the integrand."""
        return self.flow is None and self.channels is None

    def place(self, x: Array, weight: Array) -> CubePoints:
        """Points of vegas in the cube behind the flow, and where channels map them.

        Args:
            x: points of vegas, float64, shape (n, axes).
            weight: of vegas, float64, shape (n,).
        """
        y = self.region.unit(x)
        if self.channels is None:
            v, channel = y, np.zeros(len(y), dtype=np.int64)
        else:
            v, channel = np.ascontiguousarray(y[:, 1:]), self.channels.chosen(y[:, 0])
        if self.flow is not None:
            v, factor = self.flow.to_data(v, channel)
            weight = weight * factor
        if self.channels is None:
            return CubePoints(v, channel, weight, np.full(len(v), self.region.size.prod()))
        points, volume = self.channels.place(v, channel)
        return CubePoints(v, channel, weight * volume, volume, points)


@dataclass(frozen=True)
class PlacedBatch:
    """The batch of vegas that the integrand is evaluated at.

    Attributes:
        placement: what maps it.
        vegas_points: float64, shape (n, axes).
        vegas_weight: float64, shape (n,).
    """

    placement: Placement
    vegas_points: Array
    vegas_weight: Array

    @cached_property
    def cube(self) -> CubePoints:
        """All points in the cube behind the flow."""
        return self.placement.place(self.vegas_points, self.vegas_weight)

    @property
    def integrand_points(self) -> Array:
        """Points for the integrand, C-contiguous float64, shape (n, dim)."""
        x = self.cube.x
        return np.ascontiguousarray(self.placement.region.points(self.cube.v) if x is None else x)

    def selected(self, index: NDArray[np.int64]) -> CubePoints:
        """Some of the points in the cube behind the flow.

        Where the points of vegas are those of the integrand, only these are placed: the others
        cost nothing.
        """
        if self.placement.straight:
            return self.placement.place(self.vegas_points[index], self.vegas_weight[index])
        return self.cube.where(index)
