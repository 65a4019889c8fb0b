"""Rounding of numbers that are drawn, not computed with."""

from __future__ import annotations

from collections.abc import Iterable

DIGITS = 5
"""Significant digits that a picture needs."""


def rounded(values: Iterable[float], digits: int = DIGITS) -> tuple[float, ...]:
    """Numbers with so many significant digits."""
    return tuple(float(f"{value:.{digits}g}") for value in values)
