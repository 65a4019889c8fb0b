"""The strong coupling of a PDF set in its three forms: a table, a formula in Lambda, or the solution of its equation.

    d a / d log(mu^2) = -(b_0 a^2 + b_1 a^3 + b_2 a^4 + ...),  a = alpha_s(mu^2)

`AlphaS_OrderQCD` is the number of the b_i, as in LHAPDF: 0 for a constant. Flavours enter at the
thresholds, those of `AlphaS_ThresholdX` or `ThresholdX` if all are there, else the masses
`AlphaS_MX` or `MX`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import zeta

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.lhagrid import Metadata

_QUARKS = ("Down", "Up", "Strange", "Charm", "Bottom", "Top")
_MASSES = {
    "MDown": 0.005,
    "MUp": 0.002,
    "MStrange": 0.1,
    "MCharm": 1.29,
    "MBottom": 4.19,
    "MTop": 172.9,
}
_MZ = 91.1876
"""Masses in GeV of LHAPDF's own configuration, for sets that name none."""

_KNOTS_PER_DECADE = 200
_LARGEST = 2.0
"""Nothing can be said of a coupling above this; it is continued as below a table."""


class Coupling(Protocol):
    """alpha_s at a scale."""

    def evaluate(self, q2: Array) -> Array:
        """The coupling at Q^2 in GeV^2, float64 (n,); NaN where Q^2 is NaN or negative."""


@dataclass(frozen=True)
class RunningCoupling:
    """A coupling with the scales between which it is known; below and above it is continued.

    Attributes:
        coupling: at any scale.
        q_min, q_max: in GeV.
    """

    coupling: Coupling
    q_min: float
    q_max: float


def running_coupling(metadata: Metadata) -> RunningCoupling | None:
    """The coupling of a set; None where it has none.

    A set without `AlphaS_Type` has that of what it gives: a table, else Lambda.

    Raises:
        PdfError: entries are missing or cannot be used.
    """
    kind = metadata.text("AlphaS_Type", "").lower()
    if not kind:
        kind = next(
            (name for name, key in _GIVEN.items() if any(one in metadata for one in key)), ""
        )
    if not kind:
        return None
    if kind not in _KINDS:
        raise metadata.error("AlphaS_Type", f"expected {', '.join(_KINDS)}; got {kind}")
    return _KINDS[kind](metadata)


def _table(metadata: Metadata) -> RunningCoupling:
    q, values = metadata.numbers("AlphaS_Qs"), metadata.numbers("AlphaS_Vals")
    if len(q) != len(values):
        raise metadata.error(
            "AlphaS_Vals", f"expected {len(q)} numbers as in AlphaS_Qs; got {len(values)}"
        )
    if len(q) < 2 or q[0] <= 0 or np.any(np.diff(q) < 0) or q[-2] == q[-1]:
        raise metadata.error(
            "AlphaS_Qs", "expected at least two positive numbers in ascending order"
        )
    if np.any(values <= 0):
        raise metadata.error("AlphaS_Vals", "expected positive numbers")
    return RunningCoupling(_core.AlphaSTable(q * q, values), float(q[0]), float(q[-1]))


@dataclass(frozen=True)
class _Flavours:
    """How many flavours there are at a scale.

    Attributes:
        thresholds: in GeV, by the number of flavours above it; empty for a fixed number.
        most: flavours, at any scale.
    """

    thresholds: Mapping[int, float]
    most: int

    @classmethod
    def of(cls, metadata: Metadata) -> _Flavours:
        scheme = metadata.text(
            "AlphaS_FlavorScheme", metadata.text("FlavorScheme", "variable")
        ).lower()
        key = "AlphaS_NumFlavors" if "AlphaS_NumFlavors" in metadata else "NumFlavors"
        most = metadata.integer(key, 5)
        if not 3 <= most <= 6:
            raise metadata.error(key, f"expected 3 to 6; got {most}")
        if scheme == "fixed":
            return cls({}, most)
        thresholds = _of_quarks(metadata, ("AlphaS_Threshold", "Threshold", "AlphaS_M", "M"))
        return cls({number: thresholds[number] for number in range(4, most + 1)}, most)

    def at(self, q2: Array) -> NDArray[np.int64]:
        """Number of flavours, int64 (n,)."""
        if not self.thresholds:
            return np.full(np.shape(q2), self.most)
        return np.asarray(3 + np.searchsorted(np.square(list(self.thresholds.values())), q2))


def _of_quarks(metadata: Metadata, prefixes: Sequence[str]) -> dict[int, float]:
    """GeV of the quarks, numbered from 1, under the first prefix that all of them have."""
    names = next((p for p in prefixes if all(f"{p}{quark}" in metadata for quark in _QUARKS)), "M")
    values = [metadata.number(f"{names}{quark}", _MASSES[f"M{quark}"]) for quark in _QUARKS]
    if not 0 < values[3] < values[4] < values[5]:
        got = ", ".join(f"{value:g}" for value in values[3:])
        raise PdfError(
            f"{metadata.file}: expected GeV > 0 that ascend as {names}Charm, {names}Bottom, {names}Top; got {got}"
        )
    return dict(enumerate(values, start=1))


def beta(n_flavours: NDArray[np.int64] | int) -> list[Array]:
    """b_0 to b_3 of the equation above, hep-ph/9701390."""
    n, zeta_3 = np.asarray(n_flavours, np.float64), float(zeta(3))
    return [
        (33 - 2 * n) / (12 * np.pi),
        (153 - 19 * n) / (24 * np.pi**2),
        (2857 - 5033 / 9 * n + 325 / 27 * n**2) / (128 * np.pi**3),
        (
            149753 / 6
            + 3564 * zeta_3
            - (1078361 / 162 + 6508 / 27 * zeta_3) * n
            + (50065 / 162 + 6472 / 81 * zeta_3) * n**2
            + 1093 / 729 * n**3
        )
        / (256 * np.pi**4),
    ]


class AnalyticCoupling:
    """The expansion in 1 / log(Q^2 / Lambda^2), Eq. (9.5) of the QCD review of the PDG, as in LHAPDF's `analytic`.

    Args:
        lambdas: Lambda in GeV by the number of flavours.
        flavours: at each scale; no more and no fewer than there are Lambdas for.
        order: number of the b_i, 1 to 4.
    """

    def __init__(self, lambdas: Mapping[int, float], flavours: _Flavours, order: int) -> None:
        self._lambdas, self._flavours, self._order = lambdas, flavours, order

    def evaluate(self, q2: Array) -> Array:
        """See `Coupling.evaluate`; infinite at and below Lambda."""
        q2 = np.asarray(q2, np.float64)
        n = np.clip(self._flavours.at(q2), min(self._lambdas), max(self._lambdas))
        known = np.array(
            [max((k for k in self._lambdas if k <= number), default=0) for number in range(7)]
        )
        scale = np.array([self._lambdas.get(number, np.nan) for number in range(7)])[known[n]]
        b_0, b_1, b_2, b_3 = beta(n)
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.log(q2 / scale**2)
            log = np.log(t)
        terms = [
            np.ones_like(t),
            -b_1 / b_0**2 * log / t,
            (b_1**2 * (log**2 - log - 1) + b_0 * b_2) / (b_0**4 * t**2),
            (
                b_1**3 * (-(log**3) + 2.5 * log**2 + 2 * log - 0.5)
                - 3 * b_0 * b_1 * b_2 * log
                + b_0**2 * b_3 / 2
            )
            / (b_0**6 * t**3),
        ]
        value = sum(terms[: self._order]) / (b_0 * t)
        return np.where(q2 >= 0, np.where(t > 0, value, np.inf), np.nan)


def _analytic(metadata: Metadata) -> RunningCoupling:
    keys = {number: f"AlphaS_Lambda{number}" for number in (3, 4, 5)}
    lambdas = {number: metadata.number(key) for number, key in keys.items() if key in metadata}
    if not lambdas:
        raise metadata.error(
            "AlphaS_Type",
            "expected AlphaS_Lambda3, AlphaS_Lambda4 or AlphaS_Lambda5 for analytic; got none",
        )
    for number, value in lambdas.items():
        if value <= 0:
            raise metadata.error(keys[number], f"expected GeV > 0; got {value:g}")
    order = _order(metadata, 4)
    if order == 0:
        return _constant(metadata)
    coupling = AnalyticCoupling(lambdas, _Flavours.of(metadata), order)
    return RunningCoupling(coupling, max(lambdas.values()), np.inf)


def _order(metadata: Metadata, highest: int) -> int:
    order = metadata.integer("AlphaS_OrderQCD")
    if not 0 <= order <= highest:
        raise metadata.error("AlphaS_OrderQCD", f"expected 0 to {highest}; got {order}")
    return order


def _reference(metadata: Metadata) -> tuple[float, float]:
    """A scale in GeV and the coupling there."""
    if "AlphaS_Reference" in metadata and "AlphaS_MassReference" in metadata:
        scale, value = metadata.number("AlphaS_MassReference"), metadata.number("AlphaS_Reference")
    else:
        scale, value = metadata.number("MZ", _MZ), metadata.number("AlphaS_MZ")
    if not (scale > 0 and 0 < value < _LARGEST):
        raise metadata.error(
            "AlphaS_Type",
            f"expected a coupling in (0, {_LARGEST:g}) at a scale > 0; got {value:g} at {scale:g}",
        )
    return scale, value


def _constant(metadata: Metadata) -> RunningCoupling:
    _, value = _reference(metadata)
    return RunningCoupling(_core.AlphaSTable(np.array([1.0, 10.0]), np.full(2, value)), 0.0, np.inf)


def _ode(metadata: Metadata) -> RunningCoupling:
    """Solved on knots, those of `AlphaS_Qs` if there are any; between them as any other table."""
    order = _order(metadata, 3)
    if order == 0:
        return _constant(metadata)
    flavours = _Flavours.of(metadata)
    masses = _of_quarks(metadata, ("AlphaS_M", "M"))
    scale, value = _reference(metadata)
    q2, values = _solved(scale**2, value, flavours, masses, order, _knots(metadata))
    usable = values < _LARGEST
    q2, values = q2[usable], values[usable]
    if len(q2) < 2:
        raise metadata.error(
            "AlphaS_Type",
            f"ode: expected a solution below {_LARGEST:g} at two scales or more; got none",
        )
    return RunningCoupling(
        _core.AlphaSTable(q2, values), float(np.sqrt(q2[0])), float(np.sqrt(q2[-1]))
    )


def _knots(metadata: Metadata) -> Array:
    """Q^2 in GeV^2."""
    if "AlphaS_Qs" in metadata:
        q = np.unique(metadata.numbers("AlphaS_Qs"))
        if len(q) < 2 or q[0] <= 0:
            raise metadata.error(
                "AlphaS_Qs", "expected at least two positive numbers in ascending order"
            )
        return q**2
    return np.geomspace(0.5, 1e5, round(_KNOTS_PER_DECADE * np.log10(2e5))) ** 2


def _solved(
    start: float,
    value: float,
    flavours: _Flavours,
    masses: Mapping[int, float],
    order: int,
    knots: Array,
) -> tuple[Array, Array]:
    """Q^2 at the knots, the start and twice at each threshold, ascending, and the coupling there."""
    up, down = (
        _Outwards(direction, flavours, masses, order, knots).path(start, value)
        for direction in (1, -1)
    )
    q2, values = (
        np.concatenate([d[::-1], [s], u]) for d, s, u in zip(down, (start, value), up, strict=True)
    )
    new = np.append(True, (np.diff(q2) != 0) | (np.diff(values) != 0))  # a start on a threshold
    return q2[new], values[new]


@dataclass(frozen=True)
class _Outwards:
    """The solution from one scale on, upwards (direction +1) or downwards (-1), with a jump at each threshold."""

    direction: int
    flavours: _Flavours
    masses: Mapping[int, float]
    order: int
    knots: Array

    def path(self, at: float, value: float) -> tuple[Array, Array]:
        """Q^2 and the coupling in the order of the way, without its start."""
        q2: list[float] = []
        values: list[float] = []
        n = int(self.flavours.at(np.array([at]))[0])
        while True:
            end = self.flavours.thresholds.get(n + (self.direction > 0))
            targets = self._targets(at, None if end is None else end**2)
            found = _integrated(at, value, targets, n, self.order)
            q2, values = [*q2, *targets], [*values, *found]
            if end is None or found[-1] >= _LARGEST:
                return np.array(q2), np.array(values)
            at, value = end**2, found[-1] * self._matching(found[-1], end, n)
            q2, values = [*q2, at], [*values, value]
            n += self.direction

    def _targets(self, at: float, end: float | None) -> Array:
        ahead = self.knots[:: self.direction]
        ahead = ahead[self.direction * (ahead - at) > 0]
        return ahead if end is None else np.append(ahead[self.direction * (end - ahead) > 0], end)

    def _matching(self, a: float, threshold: float, n_flavours: int) -> float:
        """The coupling behind a threshold over that before, hep-ph/9706430 with masses of MSbar, order by order."""
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
    """The coupling at scales in the order of the way, float64 (len(targets),); `_LARGEST` where it is more."""
    if not len(targets) or targets[-1] == start:
        return np.full(len(targets), value)
    b = [float(one) for one in beta(n_flavours)[:order]]

    def slope(_: float, a: Array) -> Array:
        return np.asarray(-sum(one * a ** (k + 2) for k, one in enumerate(b)))

    def room(_: float, a: Array) -> float:
        return float(_LARGEST - a[0])

    room.terminal = True  # type: ignore[attr-defined]
    t = np.log(targets)
    found = solve_ivp(
        slope, (np.log(start), t[-1]), [value], "DOP853", t, events=room, rtol=1e-11, atol=1e-13
    )
    values = np.full(len(targets), _LARGEST)
    values[: found.y.shape[1]] = found.y[0]
    return values


_GIVEN = {
    "ipol": ("AlphaS_Vals",),
    "analytic": ("AlphaS_Lambda3", "AlphaS_Lambda4", "AlphaS_Lambda5"),
}
_KINDS = {"ipol": _table, "analytic": _analytic, "ode": _ode}
