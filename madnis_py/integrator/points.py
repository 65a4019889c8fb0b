"""Points that an integrator hands out: weighted ones, and unweighted events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, repr=False)
class WeightedPoints:
    """Points of the region of integration, whose mean weight estimates the integral.

    The expectation of any g(x) times the integrand is the mean of `weight * g(x)`. All columns are
    torch tensors, on the device of the integrator, or numpy arrays where the integrand takes these.

    Attributes:
        x: points within the bounds, or in the unit cube of their channel where an integrand has
            maps of its own; float64, shape (n, dim).
        channel: channel of each point, sorted, int64, shape (n,).
        weight: float64, shape (n,).
        value: f(x), times the Jacobian of the channel where an integrand has maps, float64, shape
            (n,).
        log_prob: log density of the point in its channel, as `Integrator.log_prob(x, channel)`
            gives it; float64, shape (n,).
    """

    x: Any
    channel: Any
    weight: Any
    value: Any
    log_prob: Any

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"WeightedPoints({len(self):,} points, mean weight {float(self.weight.mean()):.6g})"


@dataclass(frozen=True, repr=False)
class UnweightedPoints:
    """Points distributed as the size of the integrand is, in random order.

    Where parts of an integrand of both signs cancel, they follow the sum of the sizes of the parts.
    The expectation of any g(x) under the integrand is the sum of `weight * g(x)` over the sum of
    `weight`. Columns are tensors or arrays as in `WeightedPoints`.

    Attributes:
        x: as in `WeightedPoints`, float64, shape (n, dim).
        channel: channel of each point, int64, shape (n,).
        weight: 1, or above for the few points whose weight exceeds the maximum of their channel,
            with the sign of the integrand; float64, shape (n,).
        efficiency: unweighted points over trials, expected.
        overweight_share: share of the integral of |f| above the maxima.
    """

    x: Any
    channel: Any
    weight: Any
    efficiency: float
    overweight_share: float

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return (
            f"UnweightedPoints({len(self):,} points, efficiency {self.efficiency:.3g}, "
            f"overweights {self.overweight_share:.2g})"
        )
