"""Where a grid of parton densities ends, and what part of a cross section lies beyond."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.tables import SystematicsTable
from madnis_py.physics.pdf.pdf import AbstractPdf, load_pdf

Quantity = Literal["factorization scale", "renormalization scale", "x"]

LARGEST_SHARE = 0.01
"""Part of a cross section that may come from beyond a limit."""

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Limit:
    """One end of what a set knows; densities and couplings beyond are continued, and are 0 above the largest x.

    Attributes:
        quantity: what is limited.
        side: on which side of the bound nothing is known.
        bound: of the quantity itself, without the factor, in GeV for a scale.
        pdf: name of the set.
        factor: by which a variation of the events multiplies the scale.
        varied: whether only variations of the events go beyond.
    """

    quantity: Quantity
    side: Literal["below", "above"]
    bound: float
    pdf: str
    factor: float = 1.0
    varied: bool = False

    def beyond(self, smallest: Array, largest: Array) -> NDArray[np.bool_]:
        """Which events go beyond, by the smallest and the largest value of the quantity in each, bool (n,)."""
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
    def cure(self) -> str:
        """What to change in the card."""
        other = "beams.pdf: a set that reaches further"
        if self.varied:
            return f"systematics.scale_factors and pdf_sets: others, or {other}"
        if self.quantity == "x":
            return f"{other}, or cuts that keep the events inside"
        return f"scales.{self.quantity.partition(' ')[0]}: another scale, or {other}"


@dataclass(frozen=True)
class Outside:
    """What lies beyond a limit.

    Attributes:
        limit: the limit.
        share: part of the cross section, flavours counted positive.
        points: part of the points that pass the cuts.
    """

    limit: Limit
    share: float
    points: float

    @property
    def too_much(self) -> bool:
        """Whether the result depends on what is not known; above the largest x there is no cross section to weigh."""
        empty = self.limit.quantity == "x" and self.limit.side == "above"
        return (self.points if empty else self.share) > LARGEST_SHARE

    def __str__(self) -> str:
        who = "variations of the events" if self.limit.varied else "the cross section"
        shares = f"{100 * self.share:.3g} % of the cross section, {100 * self.points:.3g} % of the points"
        return f"{who} with {self.limit}: {shares}"

    @property
    def refusal(self) -> str:
        """Why there is no result, and what to do."""
        return f"expected at most {LARGEST_SHARE:.0%} beyond their ends; got {self}. To change: {self.limit.cure}"


def limits_of(pdf: AbstractPdf, with_coupling: bool) -> list[Limit]:
    """The limits of a set.

    Args:
        pdf: a member of it.
        with_coupling: whether the strong coupling matters.
    """
    ends: list[tuple[Quantity, float, float]] = [
        ("factorization scale", pdf.q_min, pdf.q_max),
        ("x", pdf.x_min, pdf.x_max),
    ]
    if with_coupling:
        ends.append(("renormalization scale", *pdf.coupling_range))
    below = [Limit(quantity, "below", low, pdf.name) for quantity, low, _ in ends if low > 0]
    return below + [
        Limit(quantity, "above", high, pdf.name) for quantity, _, high in ends if np.isfinite(high)
    ]


def varied_limits(
    limits: Sequence[Limit], systematics: SystematicsTable, with_coupling: bool
) -> list[Limit]:
    """Limits that only variations of the events reach: of each kind the one that is reached first.

    Args:
        limits: of the set itself; its members have the same.
        systematics: the variations.
        with_coupling: whether the strong coupling matters.

    Raises:
        PdfError: a set cannot be loaded.
    """
    scaled = [
        Limit(one.quantity, one.side, one.bound / factor, one.pdf, factor, varied=True)
        for one in limits
        for factor in systematics.scale_factors
        if one.quantity != "x" and factor != 1.0
    ]
    of_others = [
        Limit(one.quantity, one.side, one.bound, one.pdf, varied=True)
        for name in systematics.pdf_sets
        for one in limits_of(load_pdf(name), with_coupling)
    ]
    firsts: dict[tuple[str, str], Limit] = {(one.quantity, one.side): one for one in limits}
    for one in (*scaled, *of_others):
        kind = one.quantity, one.side
        if kind not in firsts or _reached_before(one, firsts[kind]):
            firsts[kind] = one
    return [one for one in firsts.values() if one.varied]


def _reached_before(one: Limit, other: Limit) -> bool:
    return one.bound > other.bound if one.side == "below" else one.bound < other.bound


def shares_outside(
    limits: Iterable[Limit], passes: NDArray[np.bool_], beyond: NDArray[np.bool_], weight: Array
) -> list[Outside]:
    """What lies beyond the limits, of those that anything is beyond.

    Args:
        limits: the limits.
        passes: which points pass the cuts, bool (n,).
        beyond: which points are beyond each limit, bool (n, n_limits).
        weight: what each point adds to the cross section, not negative, float64 (n,).
    """
    whole, number = weight.sum() or 1.0, max(int(passes.sum()), 1)
    found = [
        Outside(limit, float(weight[mask].sum() / whole), float((mask & passes).sum() / number))
        for limit, mask in zip(limits, beyond.T, strict=True)
    ]
    return [one for one in found if one.points > 0]
