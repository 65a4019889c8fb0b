"""Limits of the grids of parton densities, and the shares of a cross section that lie beyond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.tables import SystematicsTable
from madnis_py.physics.pdf.pdf import AbstractPdf, load_pdf
from madnis_py.physics.pdf.pdf_sets import named_members

Quantity = Literal["factorization scale", "renormalization scale", "x"]

LARGEST_SHARE = 0.01
"""Largest part of a cross section that may come from beyond a limit."""

_ROUNDING = 1e-9
"""Relative distance from a limit within which a value counts as inside."""


@dataclass(frozen=True)
class GridLimit:
    """An end of the range in which a PDF set knows its densities or its coupling.

    Beyond it they are continued; densities above the largest x are 0.

    Attributes:
        quantity: what is limited.
        side: on which side of the bound nothing is known.
        bound: of the quantity itself, without the factor, in GeV for a scale.
        pdf: name of the set.
        beams: those that have the set.
        factor: by which a variation of the events multiplies the scale.
        varied: whether only variations of the events go beyond.
    """

    quantity: Quantity
    side: Literal["below", "above"]
    bound: float
    pdf: str
    beams: tuple[int, ...] = (0, 1)
    factor: float = 1.0
    varied: bool = False

    def beyond(self, smallest: Array, largest: Array) -> NDArray[np.bool_]:
        """Which events go beyond, bool (n,).

        Args:
            smallest: value of the quantity in each event, float64 (n,).
            largest: value of the quantity in each event, float64 (n,).
        """
        if self.side == "below":
            return smallest < self.bound * (1 - _ROUNDING)
        return largest > self.bound * (1 + _ROUNDING)

    def __str__(self) -> str:
        named = self.quantity if self.quantity == "x" else f"the {self.quantity}"
        times = "" if self.factor == 1.0 else f"{self.factor:g} times "
        unit = "" if self.quantity == "x" else " GeV"
        ends = "begins" if self.side == "below" else "ends"
        what = "coupling" if self.quantity == "renormalization scale" else "grid"
        at = f"{self.bound * self.factor:.6g}{unit}"
        return f'{times}{named} {self.side} {at}, where the {what} of "{self.pdf}" {ends}'

    @property
    def advice(self) -> str:
        """Keys of the card to change."""
        other = "beams.pdf: a set that reaches further"
        if self.varied:
            return f"systematics.scale_factors and pdf_sets: others, or {other}"
        if self.quantity == "x":
            return f"{other}, or cuts that keep the events inside"
        return f"scales.{self.quantity.partition(' ')[0]}: another scale, or {other}"


@dataclass(frozen=True)
class ShareOutside:
    """A share of a cross section that lies beyond a limit.

    Attributes:
        limit: the limit.
        share: part of the cross section, flavours counted positive.
        points: part of the points that pass the cuts.
    """

    limit: GridLimit
    share: float
    points: float

    @property
    def too_much(self) -> bool:
        """Whether the result depends on densities that are not known.

        Above the largest x, where they are 0, points are counted instead.
        """
        empty = self.limit.quantity == "x" and self.limit.side == "above"
        return (self.points if empty else self.share) > LARGEST_SHARE

    def __str__(self) -> str:
        who = "variations of the events" if self.limit.varied else "the cross section"
        share, points = f"{100 * self.share:.3g} %", f"{100 * self.points:.3g} %"
        return f"{who} with {self.limit}: {share} of the cross section, {points} of the points"

    @property
    def refusal(self) -> str:
        """A sentence that says why there is no result, and what to change."""
        expected = f"expected at most {LARGEST_SHARE:.0%} beyond their ends"
        return f"{expected}; got {self}. To change: {self.limit.advice}"


def grid_limits_of(
    pdf: AbstractPdf, with_coupling: bool, beams: tuple[int, ...] = (0, 1)
) -> list[GridLimit]:
    """The limits of a PDF set.

    Args:
        pdf: a member of it.
        with_coupling: whether the strong coupling matters.
        beams: those that have the set.
    """
    ends: list[tuple[Quantity, float, float]] = [
        ("factorization scale", pdf.q_min, pdf.q_max),
        ("x", pdf.x_min, pdf.x_max),
    ]
    if with_coupling:
        ends.append(("renormalization scale", *pdf.coupling_range))
    below = [
        GridLimit(quantity, "below", low, pdf.name, beams) for quantity, low, _ in ends if low > 0
    ]
    return below + [
        GridLimit(quantity, "above", high, pdf.name, beams)
        for quantity, _, high in ends
        if np.isfinite(high)
    ]


def varied_limits(
    limits: Sequence[GridLimit], systematics: SystematicsTable, with_coupling: bool
) -> list[GridLimit]:
    """Limits that only variations of the events reach, the first of each kind that is reached.

    Args:
        limits: of the set itself; its members have the same.
        systematics: the variations.
        with_coupling: whether the strong coupling matters.

    Raises:
        PdfError: a set cannot be loaded.
    """
    scaled = [
        replace(one, bound=one.bound / factor, factor=factor, varied=True)
        for one in limits
        for factor in _factors(systematics, one.quantity)
        if factor != 1.0
    ]
    of_others = [
        replace(one, beams=limits[0].beams, varied=True)
        for name in named_members(systematics.pdf_sets)
        for one in grid_limits_of(load_pdf(name), with_coupling)
    ]
    firsts: dict[tuple[str, str], GridLimit] = {(one.quantity, one.side): one for one in limits}
    for one in (*scaled, *of_others):
        known = firsts.get((one.quantity, one.side))
        inward = 1 if one.side == "below" else -1
        if known is None or inward * one.bound > inward * known.bound:
            firsts[one.quantity, one.side] = one
    return [one for one in firsts.values() if one.varied]


def _factors(systematics: SystematicsTable, quantity: Quantity) -> list[float]:
    """What multiplies a scale in one of the variations."""
    if quantity == "x":
        return []
    scale = 0 if quantity == "renormalization scale" else 1
    return list(dict.fromkeys(pair[scale] for pair in systematics.scale_pairs))


def shares_outside(
    limits: Iterable[GridLimit], passes: NDArray[np.bool_], beyond: NDArray[np.bool_], weight: Array
) -> list[ShareOutside]:
    """The shares beyond those limits that anything is beyond.

    Args:
        limits: the limits.
        passes: which points pass the cuts, bool (n,).
        beyond: which points are beyond each limit, bool (n, n_limits).
        weight: what each point adds to the cross section, not negative, float64 (n,).
    """
    whole, number = weight.sum() or 1.0, max(int(passes.sum()), 1)
    found = [
        ShareOutside(
            limit, float(weight[mask].sum() / whole), float((mask & passes).sum() / number)
        )
        for limit, mask in zip(limits, beyond.T, strict=True)
    ]
    return [one for one in found if one.points > 0]
