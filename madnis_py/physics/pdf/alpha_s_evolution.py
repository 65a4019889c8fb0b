"""Evolution of the strong coupling with the scale, through the thresholds of the quarks.

d a / d log(mu^2) = -(b_0 a^2 + b_1 a^3 + b_2 a^4 + ...),  a = alpha_s(mu^2)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import scipy  # loads its parts when they are needed: solve_ivp takes half a second
from numpy.typing import NDArray

from madnis_py.arrays import Array

if TYPE_CHECKING:
    from torch import Tensor

Numbers = TypeVar("Numbers", Array, "Tensor")

_ZETA_3 = 1.2020569031595942
"""Sum of 1 / n^3."""

LARGEST = 2.0
"""Coupling above which perturbation theory says nothing; it is continued as below a table."""


@dataclass(frozen=True)
class ActiveFlavours:
    """Numbers of flavours that run in the coupling, by scale.

    Attributes:
        thresholds: in GeV, by the number of flavours above it; empty for a fixed number.
        most: flavours, at any scale.
    """

    thresholds: Mapping[int, float]
    most: int

    def at(self, q2: Array) -> NDArray[np.int64]:
        """Number of flavours, int64 (n,)."""
        if not self.thresholds:
            return np.full(np.shape(q2), self.most)
        return np.asarray(3 + np.searchsorted(np.square(list(self.thresholds.values())), q2))


def beta(n_flavours: NDArray[np.int64] | int) -> list[Array]:
    """b_0 to b_3 of the equation above, hep-ph/9701390."""
    n = np.asarray(n_flavours, np.float64)
    return [
        (33 - 2 * n) / (12 * np.pi),
        (153 - 19 * n) / (24 * np.pi**2),
        (2857 - 5033 / 9 * n + 325 / 27 * n**2) / (128 * np.pi**3),
        (
            149753 / 6
            + 3564 * _ZETA_3
            - (1078361 / 162 + 6508 / 27 * _ZETA_3) * n
            + (50065 / 162 + 6472 / 81 * _ZETA_3) * n**2
            + 1093 / 729 * n**3
        )
        / (256 * np.pi**4),
    ]


class AnalyticAlphaS:
    """The expansion in 1 / log(Q^2 / Lambda^2), as in LHAPDF's `analytic`.

    Eq. (9.5) of the QCD review of the PDG.

    Args:
        lambdas: Lambda in GeV by the number of flavours.
        flavours: at each scale; no more and no fewer than there are Lambdas for.
        order: number of the b_i, 1 to 4.

    Attributes:
        flavours, order: as given.
        lambdas: Lambda in GeV for 0 to 6 flavours, float64 (7,).
        betas: b_0 to b_3 for as many, float64 (4, 7).
    """

    def __init__(self, lambdas: Mapping[int, float], flavours: ActiveFlavours, order: int) -> None:
        self.flavours, self.order = flavours, order
        numbers = np.clip(np.arange(7), min(lambdas), max(lambdas))
        self.lambdas = np.array([lambdas[max(k for k in lambdas if k <= n)] for n in numbers])
        self.betas = np.stack(beta(numbers))

    def evaluate(self, q2: Array) -> Array:
        """See `AlphaS.evaluate`; infinite at and below Lambda."""
        q2 = np.asarray(q2, np.float64)
        n = self.flavours.at(q2)
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.log(q2 / self.lambdas[n] ** 2)
            log = np.log(t)
        value = expansion(t, log, list(self.betas[:, n]), self.order)
        return np.where(q2 >= 0, np.where(t > 0, value, np.inf), np.nan)


def expansion(t: Numbers, log: Numbers, b: Sequence[Numbers], order: int) -> Numbers:
    """Eq. (9.5) of the QCD review of the PDG.

    Args:
        t: log(Q^2 / Lambda^2).
        log: log(t).
        b: b_0 to b_3.
        order: number of terms, 1 to 4.
    """
    b_0, b_1, b_2, b_3 = b
    corrections = [
        -b_1 / b_0**2 * log / t,
        (b_1**2 * (log**2 - log - 1) + b_0 * b_2) / (b_0**4 * t**2),
        (
            b_1**3 * (-(log**3) + 2.5 * log**2 + 2 * log - 0.5)
            - 3 * b_0 * b_1 * b_2 * log
            + b_0**2 * b_3 / 2
        )
        / (b_0**6 * t**3),
    ]
    return sum(corrections[: order - 1], start=1.0) / (b_0 * t)


def evolved(
    start: float,
    value: float,
    flavours: ActiveFlavours,
    masses: Mapping[int, float],
    order: int,
    knots: Array,
) -> tuple[Array, Array]:
    """The solution of the evolution equation on knots.

    Args:
        start: scale squared in GeV^2 where the coupling is known.
        value: the coupling there.
        flavours: at each scale.
        masses: of the quarks in GeV, numbered from 1.
        order: number of the b_i, 1 to 3.
        knots: Q^2 in GeV^2, ascending, float64 (n,).

    Returns:
        Q^2 at the knots, the start and twice at each threshold, ascending, and the coupling there,
        `LARGEST` where it is more.
    """
    up, down = (
        _Evolution(direction, flavours, masses, order, knots).path(start, value)
        for direction in (1, -1)
    )
    q2, values = (
        np.concatenate([d[::-1], [s], u]) for d, s, u in zip(down, (start, value), up, strict=True)
    )
    new = np.append(True, (np.diff(q2) != 0) | (np.diff(values) != 0))  # a start on a threshold
    return q2[new], values[new]


@dataclass(frozen=True)
class _Evolution:
    """The solution from one scale on, with a jump at each threshold.

    Attributes:
        direction: of the scale, +1 or -1.
        flavours, masses, order, knots: see `evolved`.
    """

    direction: int
    flavours: ActiveFlavours
    masses: Mapping[int, float]
    order: int
    knots: Array

    def path(self, at: float, value: float) -> tuple[Array, Array]:
        """Q^2 and the coupling from the start on, which is left out."""
        q2: list[float] = []
        values: list[float] = []
        n = int(self.flavours.at(np.array([at]))[0])
        while True:
            end = self.flavours.thresholds.get(n + (self.direction > 0))
            ahead = self.knots[:: self.direction]
            ahead = ahead[self.direction * (ahead - at) > 0]
            targets = (
                ahead
                if end is None
                else np.append(ahead[self.direction * (end**2 - ahead) > 0], end**2)
            )
            found = _integrated(at, value, targets, n, self.order)
            q2, values = [*q2, *targets], [*values, *found]
            if end is None or found[-1] >= LARGEST:
                return np.array(q2), np.array(values)
            at, value = end**2, found[-1] * self._matching(found[-1], end, n)
            q2, values = [*q2, at], [*values, value]
            n += self.direction

    def _matching(self, a: float, threshold: float, n_flavours: int) -> float:
        """The coupling behind a threshold over that before, order by order.

        hep-ph/9706430 with masses of MSbar.
        """
        light = n_flavours if self.direction > 0 else n_flavours - 1
        log = 2 * np.log(threshold / self.masses[light + 1])
        up = [
            log / 6,
            -11 / 72 + 11 / 24 * log + log**2 / 36,
            -0.972057 + 0.0846515 * light + (1.53067 - 0.116319 * light) * log
            + (0.289931 + 0.0277778 * light) * log**2 + log**3 / 216,
        ]  # fmt: skip
        down = [
            -log / 6,
            11 / 72 - 11 / 24 * log + log**2 / 36,
            0.972057 - 0.0846515 * light + (-1.65799 + 0.116319 * light) * log
            + (0.0920139 - 0.0277778 * light) * log**2 - log**3 / 216,
        ]  # fmt: skip
        terms = up if self.direction > 0 else down
        return float(
            1 + sum(term * (a / np.pi) ** k for k, term in enumerate(terms[: self.order], start=1))
        )


def _integrated(start: float, value: float, targets: Array, n_flavours: int, order: int) -> Array:
    """The coupling at scales ahead, float64 (len(targets),); `LARGEST` where it is more."""
    if not len(targets) or targets[-1] == start:
        return np.full(len(targets), value)
    b = [float(one) for one in beta(n_flavours)[:order]]

    def slope(_: float, a: Array) -> Array:
        return np.asarray(-sum(one * a ** (k + 2) for k, one in enumerate(b)))

    def room(_: float, a: Array) -> float:
        return float(LARGEST - a[0])

    room.terminal = True  # type: ignore[attr-defined]
    t = np.log(targets)
    found = scipy.integrate.solve_ivp(
        slope, (np.log(start), t[-1]), [value], "DOP853", t, events=room, rtol=1e-11, atol=1e-13
    )
    values = np.full(len(targets), LARGEST)
    values[: found.y.shape[1]] = found.y[0]
    return values
