"""Gaussian rationals: complex numbers with rational parts, exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, order=True)
class Gaussian:
    """re + i im.

    Attributes:
        re: real part.
        im: imaginary part.
    """

    re: Fraction = Fraction(0)
    im: Fraction = Fraction(0)

    def __add__(self, other: Gaussian) -> Gaussian:
        return Gaussian(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Gaussian) -> Gaussian:
        return Gaussian(self.re - other.re, self.im - other.im)

    def __mul__(self, other: Gaussian) -> Gaussian:
        if not (self.im or other.im):
            return Gaussian(self.re * other.re)
        return Gaussian(
            self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        )

    def __truediv__(self, other: Gaussian) -> Gaussian:
        norm = other.re * other.re + other.im * other.im
        return self * Gaussian(other.re / norm, -other.im / norm)

    def __neg__(self) -> Gaussian:
        return Gaussian(-self.re, -self.im)

    def __bool__(self) -> bool:
        return bool(self.re or self.im)

    def __str__(self) -> str:
        """An expression that Python and the parser of structures read."""
        if not self.im:
            return _text(self.re)
        return f"{_text(self.im)}*1j" if not self.re else f"({_text(self.re)}+{_text(self.im)}*1j)"


ZERO, ONE = Gaussian(), Gaussian(Fraction(1))


def _text(number: Fraction) -> str:
    if number.denominator == 1:
        return str(number.numerator)
    return f"({number.numerator}/{number.denominator})"
