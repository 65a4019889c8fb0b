"""Running strong coupling of a PDF set: a table, a formula in Lambda, or an evolution.

`AlphaS_OrderQCD` is the number of the b_i of `alpha_s_evolution`, as in LHAPDF: 0 for a constant.
Flavours enter at the thresholds, those of `AlphaS_ThresholdX` or `ThresholdX` if all are there,
else the masses `AlphaS_MX` or `MX`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.alpha_s_evolution import (
    LARGEST,
    ActiveFlavours,
    AnalyticAlphaS,
    evolved,
)
from madnis_py.physics.pdf.pdf_metadata import Metadata

_QUARKS = ("Down", "Up", "Strange", "Charm", "Bottom", "Top")

_MASSES = {
    "MDown": 0.005,
    "MUp": 0.002,
    "MStrange": 0.1,
    "MCharm": 1.29,
    "MBottom": 4.19,
    "MTop": 172.9,
}
"""Masses of the quarks in GeV in LHAPDF's own configuration, for sets that name none."""

_MZ = 91.1876
"""Mass of the Z in GeV in LHAPDF's own configuration, for sets that name none."""

_KNOTS_PER_DECADE = 200
"""Knots of a solved coupling in Q, where the set names none."""


class AlphaS(Protocol):
    """alpha_s at a scale."""

    def evaluate(self, q2: Array) -> Array:
        """The coupling at Q^2 in GeV^2, float64 (n,); NaN where Q^2 is NaN or negative."""


@dataclass(frozen=True)
class RunningCoupling:
    """The strong coupling of a set with the range in which it is known, continued outside.

    Attributes:
        alpha_s: the coupling at any scale.
        q_min: lower end of the range in GeV.
        q_max: upper end of the range in GeV.
    """

    alpha_s: AlphaS
    q_min: float
    q_max: float


def running_from(value: float, scale: float) -> AlphaS:
    """The coupling at two loops through a value at one scale, for beams without a PDF set.

    Flavours enter at 1.42 and 4.7 GeV, as in MadGraph, and there are five of them at most.

    Args:
        value: alpha_s at the scale.
        scale: in GeV, above the last threshold.
    """
    flavours = ActiveFlavours({4: 1.42, 5: 4.7}, 5)
    masses = {number: flavours.thresholds.get(number, 0.0) for number in range(1, 7)}
    q2, values = evolved(scale**2, value, flavours, masses, 2, _default_knots())
    usable = values < LARGEST
    return _core.AlphaSTable(q2[usable], values[usable])


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


def _flavours(metadata: Metadata) -> ActiveFlavours:
    scheme = metadata.text("AlphaS_FlavorScheme", metadata.text("FlavorScheme", "variable")).lower()
    key = "AlphaS_NumFlavors" if "AlphaS_NumFlavors" in metadata else "NumFlavors"
    most = metadata.integer(key, 5)
    if not 3 <= most <= 6:
        raise metadata.error(key, f"expected 3 to 6; got {most}")
    if scheme == "fixed":
        return ActiveFlavours({}, most)
    thresholds = _quark_scales(metadata, ("AlphaS_Threshold", "Threshold", "AlphaS_M", "M"))
    return ActiveFlavours({number: thresholds[number] for number in range(4, most + 1)}, most)


def _quark_scales(metadata: Metadata, prefixes: Sequence[str]) -> dict[int, float]:
    """Masses or thresholds of the quarks in GeV, numbered from 1.

    They stand under the first of the prefixes that all of them have.
    """
    names = next((p for p in prefixes if all(f"{p}{quark}" in metadata for quark in _QUARKS)), "M")
    values = [metadata.number(f"{names}{quark}", _MASSES[f"M{quark}"]) for quark in _QUARKS]
    if not 0 < values[3] < values[4] < values[5]:
        got = ", ".join(f"{value:g}" for value in values[3:])
        raise PdfError(
            f"{metadata.file}: expected GeV > 0 that ascend as "
            f"{names}Charm, {names}Bottom, {names}Top; got {got}"
        )
    return dict(enumerate(values, start=1))


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
    coupling = AnalyticAlphaS(lambdas, _flavours(metadata), order)
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
    if not (scale > 0 and 0 < value < LARGEST):
        raise metadata.error(
            "AlphaS_Type",
            f"expected a coupling in (0, {LARGEST:g}) at a scale > 0; got {value:g} at {scale:g}",
        )
    return scale, value


def _constant(metadata: Metadata) -> RunningCoupling:
    _, value = _reference(metadata)
    return RunningCoupling(_core.AlphaSTable(np.array([1.0, 10.0]), np.full(2, value)), 0.0, np.inf)


def _ode(metadata: Metadata) -> RunningCoupling:
    """The solution of the evolution equation on knots, interpolated as any other table."""
    order = _order(metadata, 3)
    if order == 0:
        return _constant(metadata)
    flavours = _flavours(metadata)
    masses = _quark_scales(metadata, ("AlphaS_M", "M"))
    scale, value = _reference(metadata)
    q2, values = evolved(scale**2, value, flavours, masses, order, _knots(metadata))
    usable = values < LARGEST
    q2, values = q2[usable], values[usable]
    if len(q2) < 2:
        raise metadata.error(
            "AlphaS_Type",
            f"ode: expected a solution below {LARGEST:g} at two scales or more; got none",
        )
    return RunningCoupling(
        _core.AlphaSTable(q2, values), float(np.sqrt(q2[0])), float(np.sqrt(q2[-1]))
    )


def _knots(metadata: Metadata) -> Array:
    """Q^2 of the knots of a solved coupling in GeV^2: those of `AlphaS_Qs` if there are any."""
    if "AlphaS_Qs" in metadata:
        q = np.unique(metadata.numbers("AlphaS_Qs"))
        if len(q) < 2 or q[0] <= 0:
            raise metadata.error(
                "AlphaS_Qs", "expected at least two positive numbers in ascending order"
            )
        return q**2
    return _default_knots()


def _default_knots() -> Array:
    return np.geomspace(0.5, 1e5, round(_KNOTS_PER_DECADE * np.log10(2e5))) ** 2


_GIVEN = {
    "ipol": ("AlphaS_Vals",),
    "analytic": ("AlphaS_Lambda3", "AlphaS_Lambda4", "AlphaS_Lambda5"),
}
_KINDS = {"ipol": _table, "analytic": _analytic, "ode": _ode}
