"""Plots as SVG: axes, and what is drawn between them.

A plot is as wide as a telephone and never scaled down, so letters keep their size. Colours are
classes of the page, which knows light and dark; letters are text, which can be read aloud.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from madnis_py.arrays import Array
from madnis_py.report.pictures import typesetting

WIDTH = 360.0
"""Width of every plot in pixels."""

FONT = 11.0
"""Size of letters in pixels."""

BOLD = 1.15
"""How much wider letters of names are than those of numbers."""

_LEFT, _RIGHT = 46.0, 12.0
"""Room beside the frame for the numbers of the axis."""


@dataclass(frozen=True)
class Axis:
    """A range of numbers, linear or logarithmic.

    Attributes:
        low: at the left or below.
        high: at the right or above.
        logarithmic: whether equal distances are equal factors.
    """

    low: float
    high: float
    logarithmic: bool = False

    def at(self, values: Array) -> Array:
        """Places of values: 0 at `low`, 1 at `high`, less than one length outside for others."""
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high, there = (
                (np.log10(self.low), np.log10(self.high), np.log10(np.maximum(values, 1e-300)))
                if self.logarithmic
                else (self.low, self.high, values)
            )
        place = np.nan_to_num((there - low) / (high - low), nan=-0.9)
        return np.asarray(np.clip(place, -0.9, 1.9))

    def ticks(self, number: int) -> list[tuple[float, str]]:
        """Round numbers on the axis, about so many, with their labels in mathtext."""
        if self.logarithmic:
            return self._decades(number)
        step = _round_step(0.75 * (self.high - self.low) / number)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(k * step, _number(k * step, digits)) for k in range(first, last + 1)]

    def _decades(self, number: int) -> list[tuple[float, str]]:
        first, last = (
            math.ceil(math.log10(self.low) - 1e-9),
            math.floor(math.log10(self.high) + 1e-9),
        )
        if last - first < 1:
            ticks = [k * 10.0**e for e in range(first - 1, last + 1) for k in (1, 2, 5)]
            inside = [tick for tick in ticks if self.low <= tick <= self.high]
            return [(tick, _short(tick)) for tick in inside]
        step = -(-(last - first) // number) or 1
        return [(10.0**e, _power(e)) for e in range(first, last + 1) if (e - last) % step == 0]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(k * power for k in (1.0, 2.0, 5.0, 10.0) if k * power >= least * (1 - 1e-9))


def _number(value: float, digits: int) -> str:
    if abs(value) >= 1e5 or (digits > 3 and value):
        return _short(value)
    text = f"{abs(value):,.{digits}f}".replace(",", "\u202f")
    return f"−{text}" if value < 0 and float(f"{value:.{digits}f}") else text


def _short(value: float) -> str:
    """A number with few digits; far from 1 with a power of ten."""
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:g}".replace("-", "−")
    mantissa, exponent = (
        f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else (f"{value:.3g}", "")
    )
    return rf"{mantissa}$\times 10^{{{int(exponent)}}}$" if exponent else mantissa


def _power(exponent: int) -> str:
    plain = {-2: "0.01", -1: "0.1", 0: "1", 1: "10", 2: "100"}
    return plain.get(exponent, f"$10^{{{exponent}}}$")


def covering(values: Iterable[float], *, zero: bool = False, room: float = 0.08) -> Axis:
    """A linear axis with room around values.

    Args:
        values: finite ones.
        zero: whether it begins at 0.
        room: beyond them, as a share of their range.
    """
    low, high = _ends(values)
    if zero:
        low = min(low, 0.0)
    margin = room * (high - low) or abs(high) * room or 1.0
    return Axis(low if zero and low == 0 else low - margin, high + margin)


def covering_decades(values: Iterable[float], most: float = 6.0) -> Axis:
    """A logarithmic axis around positive values, so many decades at most."""
    low, high = _ends(value for value in values if value > 0)
    if high <= 0:
        return Axis(0.1, 1.0, logarithmic=True)
    low = max(low, high / 10**most)
    return Axis(low / 1.6, high * 1.6, logarithmic=True)


def _ends(values: Iterable[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (0.0, 1.0)


class Plot:
    """One plot, or several below each other that share the horizontal axis.

    Args:
        x: horizontal axis.
        panels: vertical axis and height in pixels of each, from above.
        x_label: below the axis at the right, in mathtext.
        y_labels: above each panel at the left.
        x_ticks: about how many numbers the axis has.
        left: room for the numbers of the vertical axes.
    """

    def __init__(
        self,
        x: Axis,
        panels: Sequence[tuple[Axis, float]],
        x_label: str,
        y_labels: Sequence[str],
        x_ticks: int = 5,
        left: float = _LEFT,
    ) -> None:
        self._x, self._left = x, left
        self._width = WIDTH - left - _RIGHT
        self._panels: list[tuple[Axis, float, float]] = []
        self._inside: list[list[str]] = [[] for _ in panels]
        self._frame: list[str] = []
        self._above: list[str] = []
        top = 20.0
        for (axis, height), label in zip(panels, y_labels, strict=True):
            self._panels.append((axis, top, height))
            self._text(2, top - 8, label, "al")
            top += height + 24.0
        self._bottom = top - 24.0
        self._height = self._bottom + 38.0
        self._grid(x_ticks)
        self._text(WIDTH - _RIGHT, self._height - 7, x_label, "al", "end")

    def _grid(self, x_ticks: int) -> None:
        right = self._left + self._width
        for panel, (axis, top, height) in enumerate(self._panels):
            for value, label in axis.ticks(max(2, round(height / 34))):
                y = self._y(np.array([value]), panel)[0]
                self._frame.append(_path(f"M{self._left:.1f} {y:.1f}H{right:.1f}", "g"))
                self._text(self._left - 5, y + 3.6, label, "t", "end")
            bottom = top + height
            self._frame.append(_path(f"M{self._left:.1f} {bottom:.1f}H{right:.1f}", "a"))
        for value, label in self._x.ticks(x_ticks):
            x = self._at(np.array([value]))[0]
            for _, top, height in self._panels:
                self._frame.append(_path(f"M{x:.1f} {top + height:.1f}v4", "a"))
            self._text(x, self._bottom + 16, label, "t", "middle")

    def _at(self, x: Array) -> Array:
        return self._left + self._x.at(x) * self._width

    def _y(self, y: Array, panel: int) -> Array:
        axis, top, height = self._panels[panel]
        return np.asarray(top + (1 - axis.at(y)) * height)

    def _text(self, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
        turned = "" if anchor == "start" else f' text-anchor="{anchor}"'
        if anchor == "middle":
            half = typesetting.width(text, FONT) / 2
            x = min(max(x, half), WIDTH - half)
        content = typesetting.svg(text, FONT)
        self._above.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{turned}>{content}</text>')

    def line(self, x: Array, y: Array, colour: str, panel: int = 0, kind: str = "l") -> None:
        """A line through points.

        Args:
            x: shape (n,).
            y: shape (n,).
            colour: class of the page.
            panel: where.
            kind: class of the line.
        """
        self._inside[panel].append(
            _path(_through(self._at(x), self._y(y, panel)), f"{kind} {colour}")
        )

    def steps(self, edges: Array, y: Array, colour: str, panel: int = 0, kind: str = "l") -> None:
        """The outline of bins.

        Args:
            edges: shape (B + 1,).
            y: shape (B,).
            colour: class of the page.
            panel: where.
            kind: class of the line.
        """
        self._inside[panel].append(
            _path(_outline(self._at(edges), self._y(y, panel)), f"{kind} {colour}")
        )

    def between(self, edges: Array, low: Array, high: Array, colour: str, panel: int = 0) -> None:
        """The area between two outlines of bins, shape (B,) each."""
        x = self._at(edges)
        above, below = (self._y(values, panel) for values in (high, low))
        back = _outline(x[::-1], below[::-1]).replace("M", "L", 1)
        self._inside[panel].append(_path(f"{_outline(x, above)}{back}Z", f"f {colour}"))

    def dots(self, x: Array, y: Array, colour: str, panel: int = 0) -> None:
        """Points, shape (n,) each."""
        places = zip(self._at(x), self._y(y, panel), strict=True)
        self._inside[panel].append(
            _path("".join(f"M{a:.1f} {b:.1f}h0" for a, b in places), f"d {colour}")
        )

    def errors(self, x: Array, low: Array, high: Array, colour: str, panel: int = 0) -> None:
        """Vertical bars, shape (n,) each."""
        bars = zip(self._at(x), self._y(low, panel), self._y(high, panel), strict=True)
        path = "".join(f"M{a:.1f} {b:.1f}V{c:.1f}" for a, b, c in bars)
        self._inside[panel].append(_path(path, f"e {colour}"))

    def vertical(self, x: float, label: str, colour: str = "ink") -> None:
        """A line at a value, from below to above, with a label beside it."""
        place = float(self._at(np.array([x]))[0])
        top = self._panels[0][1]
        self._above.append(_path(f"M{place:.1f} {top:.1f}V{self._bottom:.1f}", f"v {colour}"))
        fits = place + 4 + BOLD * typesetting.width(label, FONT) < WIDTH
        shift, anchor = (4, "start") if fits else (-4, "end")
        self._text(place + shift, top + 9, label, f"n {colour}", anchor)

    def horizontal(self, y: float, panel: int = 0, colour: str = "ink") -> None:
        """A line at a value, from left to right."""
        place = float(self._y(np.array([y]), panel)[0])
        path = f"M{self._left:.1f} {place:.1f}H{self._left + self._width:.1f}"
        self._inside[panel].append(_path(path, f"v {colour}"))

    def name(
        self, x: float, y: float, text: str, colour: str, panel: int = 0, anchor: str = "start",
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """A name beside what it names; it stays inside of the frame.

        Args:
            x: value.
            y: value.
            text: in mathtext.
            colour: class of the page.
            panel: where.
            anchor: which part of the text is at the place: start, middle or end.
            shift: from there, in pixels to the right and down.
        """
        _, top, height = self._panels[panel]
        wide = BOLD * typesetting.width(text, FONT)
        before = {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        left = float(self._at(np.array([x]))[0]) + shift[0] - before
        left = min(max(left, self._left + 2), self._left + self._width - wide)
        place = float(self._y(np.array([y]), panel)[0]) + shift[1]
        self._text(left, min(max(place, top + 8), top + height - 4), text, f"n {colour}")

    def legend(
        self, entries: Sequence[tuple[str, str]], panel: int = 0, right: bool = True
    ) -> None:
        """Names below each other in a corner above, each in its colour.

        Args:
            entries: name in mathtext and colour.
            panel: where.
            right: whether at the right.
        """
        _, top, _ = self._panels[panel]
        x = self._left + self._width - 2 if right else self._left + 6
        for number, (text, colour) in enumerate(entries):
            self._text(x, top + 9 + 13 * number, text, f"n {colour}", "end" if right else "start")

    def svg(self, title: str) -> str:
        """The picture.

        Args:
            title: what it shows, for those who listen to the page.
        """
        panels = [
            self._clipped("".join(inside), top, height)
            for inside, (_, top, height) in zip(self._inside, self._panels, strict=True)
        ]
        content = "".join((*self._frame, *panels, *self._above))
        return picture(content, WIDTH, self._height, title)

    def _clipped(self, content: str, top: float, height: float) -> str:
        """What is drawn in a panel; nothing leaves it but half the width of a line."""
        x, y, wide, high = self._left - 1, top - 1, self._width + 2, height + 2
        return (
            f'<svg x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{high:.0f}" '
            f'viewBox="{x:.0f} {y:.0f} {wide:.0f} {high:.0f}">{content}</svg>'
        )


def picture(content: str, width: float, height: float, title: str) -> str:
    """An SVG element of the page.

    Args:
        content: what is in it.
        width: in pixels.
        height: in pixels.
        title: what it shows, for those who listen to the page.
    """
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'role="img" aria-label="{escape(title)}">{content}</svg>'
    )


def _path(path: str, kind: str) -> str:
    return f'<path class="{kind}" d="{path}"/>'


def _through(x: Array, y: Array) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _outline(x: Array, y: Array) -> str:
    """Outline of bins with ends x (B + 1,) at heights y (B,)."""
    first = f"M{x[0]:.1f} {y[0]:.1f}"
    return first + "".join(
        f"V{height:.1f}H{end:.1f}" if number else f"H{end:.1f}"
        for number, (height, end) in enumerate(zip(y, x[1:], strict=True))
    )
