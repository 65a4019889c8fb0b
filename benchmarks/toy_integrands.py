"""Integrands of Section 5.2 of the MadNIS thesis: camel back, crossed ring, Drell-Yan with a Z'."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from madnis_py.card import card as cards
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process


@dataclass(frozen=True, eq=False)
class CamelBack(AbstractIntegrand):
    """Two Gaussians under two Breit-Wigner maps, Eqs. (5.24)-(5.28).

    The integral is 1 without a cut.

    Attributes:
        optimal_prior: the weights g_i / sum_j g_j of Eq. (5.27) instead of 1/2.
        cut: the function is 0 below; the integral is then smaller.
    """

    optimal_prior: bool = False
    cut: float = -math.inf

    dim = 1
    n_channels = 2
    n_features = 1
    mean: ClassVar[Tensor] = torch.tensor([2.0, 5.0], dtype=torch.float64)
    width: ClassVar[Tensor] = torch.tensor([0.5, 0.1], dtype=torch.float64)
    area: ClassVar[Tensor] = torch.tensor([0.35, 0.65], dtype=torch.float64)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Function over the density of the channel's map; see `AbstractIntegrand.evaluate`."""
        p = self.mean[channel] + math.sqrt(2) * self.width[channel] * torch.tan(
            math.pi * (x[:, 0] - 0.5)
        )
        g = self.density(p)
        value = self.function(p) / g.gather(1, channel.unsqueeze(1)).squeeze(1)
        return Evaluation(value, self.features(p), g if self.optimal_prior else torch.ones_like(g))

    @staticmethod
    def features(p: Tensor) -> Tensor:
        """Features of the channel weights, shape (n, 1): p, but for the far tails of the maps."""
        return p.unsqueeze(1).clamp(-20, 20)

    def function(self, p: Tensor) -> Tensor:
        """Eq. (5.24) with the cut (5.28) at points of the real line, shape (n,)."""
        pull = (p.unsqueeze(1) - self.mean) / self.width
        peaks = self.area / (math.sqrt(2 * math.pi) * self.width) * torch.exp(-pull.square() / 2)
        return peaks.sum(dim=1) * (p >= self.cut)

    def density(self, p: Tensor) -> Tensor:
        """g_i of Eq. (5.25), shape (n, 2)."""
        distance = p.unsqueeze(1) - self.mean
        return math.sqrt(2) * self.width / math.pi / (distance.square() + 2 * self.width.square())


class PlaneMapping(ABC):
    """A map of the unit square to the plane."""

    @abstractmethod
    def points(self, y: Tensor) -> Tensor:
        """Points of the plane, shape (n, 2), of points y in the unit square."""

    @abstractmethod
    def density(self, x: Tensor) -> Tensor:
        """Density |dy/dx| at points of the plane, shape (n,)."""


RING_RADIUS, RING_WIDTH = 1.0, 0.05
LINE_LENGTH, LINE_WIDTH = 3.0, 0.05
BREIT_WIGNER = math.sqrt(40)
"""Half width of the Breit-Wigner maps in units of that of the Gaussian, Eq. (5.36)."""


class FlatMapping(PlaneMapping):
    """The square |x_j| < 10, outside which lie 2.4e-6 of the line's integral."""

    half_width = 10.0

    def points(self, y: Tensor) -> Tensor:
        """See `PlaneMapping.points`."""
        return self.half_width * (2 * y - 1)

    def density(self, x: Tensor) -> Tensor:
        """See `PlaneMapping.density`; 0 outside the square."""
        return (x.abs() <= self.half_width).all(dim=1).double() / (2 * self.half_width) ** 2


class LineMapping(PlaneMapping):
    """Breit-Wigner distributions along and across the line, Eqs. (5.30)-(5.32)."""

    gamma = BREIT_WIGNER * torch.tensor([LINE_LENGTH, LINE_WIDTH], dtype=torch.float64)

    @classmethod
    def unit(cls, x: Tensor) -> Tensor:
        """The point of the unit square that is mapped to x, shape (n, 2)."""
        return torch.atan(line_coordinates(x) / cls.gamma) / math.pi + 0.5

    def points(self, y: Tensor) -> Tensor:
        """See `PlaneMapping.points`."""
        along, across = (self.gamma * torch.tan(math.pi * (y - 0.5))).unbind(dim=1)
        return torch.stack([across + along, across - along], dim=1) / math.sqrt(2)

    def density(self, x: Tensor) -> Tensor:
        """See `PlaneMapping.density`."""
        return (self.gamma / math.pi / (self.gamma.square() + line_coordinates(x).square())).prod(
            dim=1
        )


class RingMapping(PlaneMapping):
    """A Breit-Wigner distribution of the radius, Eqs. (5.33)-(5.35), with Jacobian 1 / r."""

    gamma = BREIT_WIGNER * RING_WIDTH
    offset = math.atan(RING_RADIUS / gamma) / math.pi
    scale = 0.5 + offset

    @classmethod
    def unit_radius(cls, r: Tensor) -> Tensor:
        """The first coordinate of the points of the unit square that are mapped to radius r."""
        return (torch.atan((r - RING_RADIUS) / cls.gamma) / math.pi + cls.offset) / cls.scale

    def points(self, y: Tensor) -> Tensor:
        """See `PlaneMapping.points`."""
        r = RING_RADIUS + self.gamma * torch.tan(math.pi * (self.scale * y[:, 0] - self.offset))
        theta = 2 * math.pi * y[:, 1]
        return torch.stack([r * torch.cos(theta), r * torch.sin(theta)], dim=1)

    def density(self, x: Tensor) -> Tensor:
        """See `PlaneMapping.density`."""
        r: Tensor = torch.linalg.vector_norm(x, dim=1)
        norm = 2 * math.pi**2 * self.scale / self.gamma
        return 1 / (norm * (self.gamma**2 + (r - RING_RADIUS).square()) * r)


def line_coordinates(x: Tensor) -> Tensor:
    """Coordinates along and across the line x_1 = -x_2, shape (n, 2).

    They are (x_1 -+ x_2) / sqrt(2) of Eq. (5.29).
    """
    return torch.stack([x[:, 0] - x[:, 1], x[:, 0] + x[:, 1]], dim=1) / math.sqrt(2)


Z_PRIME = "Z'"
"""Name of its channel."""

MAPPINGS: dict[str, PlaneMapping] = {
    "flat": FlatMapping(),
    "line": LineMapping(),
    "ring": RingMapping(),
}
"""The maps by the names of Tab. 5.2."""

MapName = Literal["flat", "line", "ring"]


@dataclass(frozen=True, eq=False)
class CrossedRing(AbstractIntegrand):
    """A Gaussian ring crossed by a Gaussian line in the plane, Eq. (5.29); the integral is 1.

    The channel weights see where a point lies in the maps: the radius in the ring's and both
    coordinates in the line's, all between 0 and 1 and with their resolution at the peaks.

    Attributes:
        maps: the map of each channel.
        shapes: None for a flat prior; or a map per channel, whose density is the channel's prior.
    """

    maps: tuple[MapName, ...]
    shapes: tuple[MapName, ...] | None = None

    dim = 2
    n_features = 3
    line_norm: ClassVar[float] = 1 / (2 * math.pi * LINE_LENGTH * LINE_WIDTH)
    ring_norm: ClassVar[float] = 1 / (
        2 * math.pi * math.sqrt(2 * math.pi) * RING_RADIUS * RING_WIDTH
    )
    """Exact but for exp(-200), the part of the radial Gaussian below r = 0."""

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        """One channel per map."""
        return len(self.maps)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Function over the density of the channel's map; see `AbstractIntegrand.evaluate`."""
        p = self.points(x, channel)
        value = self.function(p) / self._densities(p, self.maps).gather(
            1, channel.unsqueeze(1)
        ).squeeze(1)
        return Evaluation(value, self.features(p), self.prior(p))

    def points(self, x: Tensor, channel: Tensor) -> Tensor:
        """Points of the plane, shape (n, 2), each by the map of its channel."""
        return torch.cat(
            [MAPPINGS[name].points(x[channel == i]) for i, name in enumerate(self.maps)]
        )

    @staticmethod
    def features(p: Tensor) -> Tensor:
        """What the channel weights see, shape (n, 3)."""
        return torch.cat(
            [LineMapping.unit(p), RingMapping.unit_radius(p.norm(dim=1, keepdim=True))], dim=1
        )

    def prior(self, p: Tensor) -> Tensor:
        """Channel weights before training, shape (n, n_channels); 0 where a map does not reach."""
        reached = (self._densities(p, self.maps) > 0).double()
        return reached * self._densities(p, self.shapes) if self.shapes else reached

    @staticmethod
    def _densities(p: Tensor, maps: tuple[MapName, ...]) -> Tensor:
        return torch.stack([MAPPINGS[name].density(p) for name in maps], dim=1)

    @classmethod
    def function(cls, p: Tensor) -> Tensor:
        """Eq. (5.29) at points of the plane, shape (n,)."""
        along, across = (
            (line_coordinates(p) / torch.tensor([LINE_LENGTH, LINE_WIDTH])).square().unbind(dim=1)
        )
        distance = (p.norm(dim=1) - RING_RADIUS) / RING_WIDTH
        line = cls.line_norm * torch.exp(-(along + across) / 2)
        return (line + cls.ring_norm * torch.exp(-distance.square() / 2)) / 2


@dataclass(frozen=True, eq=False)
class ZPrime(AbstractIntegrand):
    """p p -> gamma*, Z, Z' -> e+ e- at 13 TeV, Section 5.2.3, on the shipped card.

    Attributes:
        width: of the Z' of 400 GeV, in GeV.
        prior: channel weights before training, by the names of the card.
        mapped: whether there is a channel that maps the peak of the Z'.
    """

    width: float = 0.5
    prior: str = "diagram"
    mapped: bool = True

    dim = 4
    unit = "pb"

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        """Photon, Z and, unless it is left out, Z'."""
        return 2 + self.mapped

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Those of the cross section."""
        return self.cross_section.n_features

    @cached_property
    def cross_section(self) -> CrossSection:
        """The integrand of the process, built where it is first used."""
        card = cards.load("drell_yan_zprime")
        omitted = () if self.mapped else (Z_PRIME,)
        changes: dict[str, dict[str, Any]] = {
            "parameters": {"WZP": self.width},
            "channels": {"prior": self.prior, "omit": omitted},
        }
        return CrossSection(Process.from_card(card.updated(changes)))

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """See `AbstractIntegrand.evaluate`."""
        return self.cross_section.evaluate(x, channel)
