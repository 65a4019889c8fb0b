"""Picture of the strongest correlation of a channel: points as drawn, and as they should be."""

from __future__ import annotations

from html import escape

import numpy as np

from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import WIDTH, picture
from madnis_py.report.pictures.weight_picture import COLOURS
from madnis_py.run.diagnostics.correlations import Correlation, Points

_SIDE, _GAP, _LEFT, _TOP = 152.0, 16.0, 30.0, 36.0


def correlation_picture(found: Correlation) -> Figure:
    """Two squares for each sampler: its points, and those of them that weights select."""
    first, second = found.coordinates
    parts = []
    for row, (name, cloud) in enumerate(found.clouds.items()):
        words, colour = COLOURS[name]
        y = _TOP + row * (_SIDE + 40)
        squares = (
            (f"{words}, as drawn", cloud.drawn, cloud.drawn_information, colour),
            ("as it should be", cloud.wanted, cloud.wanted_information, "ink"),
        )
        for column, (title, points, information, of_points) in enumerate(squares):
            x = _LEFT + column * (_SIDE + _GAP)
            parts.append(_square(points, x, y, of_points))
            parts.append(f'<text class="n {of_points}" x="{x:.0f}" y="{y - 18:.0f}">{title}</text>')
            text = f"{information:.2g} bit" if information >= 0.005 else "&lt; 0.005 bit"
            parts.append(f'<text class="t" x="{x:.0f}" y="{y - 5:.0f}">{text}</text>')
            parts.append(_coordinate(first, x + _SIDE, y + _SIDE + 15, "end"))
        parts.append(_coordinate(second, _LEFT - 6, y + 9, "end"))
    height = _TOP + len(found.clouds) * (_SIDE + 40) - 18
    channel = f'<span class="name">{escape(found.channel)}</span>'
    note = (
        f"Coordinates {first} and {second} of the unit cube in channel {channel}, the pair that "
        "costs VEGAS most. A product of grids has no mutual information, given in bits; what the "
        "right squares have and the left ones lack spreads the weights."
    )
    svg = picture("".join(parts), WIDTH, height, "Points in two coordinates of a channel")
    return Figure("The strongest correlation", svg, note)


def _square(points: Points, x: float, y: float, colour: str) -> str:
    a, b = (np.array(column) for column in points)
    dots = "".join(
        f"M{x + u * _SIDE:.1f} {y + (1 - v) * _SIDE:.1f}h0" for u, v in zip(a, b, strict=True)
    )
    frame = f'<path class="a" d="M{x:.1f} {y:.1f}h{_SIDE}v{_SIDE}h-{_SIDE}z"/>'
    return f'{frame}<path class="d {colour}" d="{dots or "M0 0"}"/>'


def _coordinate(number: int, x: float, y: float, anchor: str) -> str:
    letters = f'<tspan font-style="italic">x</tspan><tspan dy="3" font-size="8">{number}</tspan>'
    return f'<text class="al" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{letters}</text>'
