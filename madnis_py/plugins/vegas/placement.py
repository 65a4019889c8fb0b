"""From the points of vegas to those of the integrand: through a flow, through the maps of channels, or straight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import vegas
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.plugins.vegas.channel_cube import Channels
from madnis_py.plugins.vegas.weighted_points import Drawn

if TYPE_CHECKING:
    from madnis_py.plugins.vegas.learned_map import LearnedMap


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


@dataclass(frozen=True)
class Placement:
    """What lies between vegas and the integrand.

    With channels, the first axis of vegas chooses the channel and the others are a unit cube;
    without, its axes are those of the region. A flow maps this unit cube to itself, so that vegas
    sees a flat integrand.

    Attributes:
        region: of the axes of vegas.
        channels: maps to the region of the integrand.
        flow: trained, if there is one.
    """

    region: Region
    channels: Channels | None = None
    flow: LearnedMap | None = None

    @property
    def straight(self) -> bool:
        """Whether the points of vegas are those of the integrand."""
        return self.flow is None and self.channels is None

    def drawn(self, x: Array, weight: Array) -> Drawn:
        """Points of vegas, shape (n, axes), with its weights, shape (n,), in the cube behind the flow."""
        v, channel = self._split(self.region.unit(x))
        if self.flow is not None:
            v, factor = self.flow.to_data(v, channel)
            weight = weight * factor
        if self.channels is None:
            return Drawn(v, channel, weight, np.full(len(v), self.region.size.prod()), None)
        points, volume = self.channels.place(v, channel)
        return Drawn(v, channel, weight * volume, volume, points)

    def points(self, drawn: Drawn) -> Array:
        """Where the integrand wants them, float64, shape (n, dim)."""
        return self.region.points(drawn.v) if drawn.x is None else drawn.x

    def _split(self, y: Array) -> tuple[Array, NDArray[np.int64]]:
        if self.channels is None:
            return y, np.zeros(len(y), dtype=np.int64)
        return np.ascontiguousarray(y[:, 1:]), self.channels.chosen(y[:, 0])
