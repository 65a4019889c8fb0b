"""Colour lines of structures in the numbers of the Les Houches format."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from madnis_py.physics.colour.colour import Closed

FIRST_LINE = 501


def flow_lines(flow: Closed, incoming: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """Colour and anticolour of every leg in the numbers of the Les Houches format, from 501 on.

    A sextet has two colours, the second as negative anticolour, an antisextet two anticolours, the
    second as negative colour, as Pythia reads them. The three lines of an epsilon end there: their
    numbers occur at one leg only.

    Args:
        flow: strings and traces over the positions of the legs.
        incoming: which legs come in; their lines are those of the outgoing antiparticle, crossed.

    Returns:
        (colour, anticolour) per leg, 0 where there is none.
    """
    lines = [[0, 0] for _ in incoming]
    line = FIRST_LINE
    for string in flow:
        ends = [string.antiquark, *string.gluons, string.quark]
        if string.is_trace:
            ends = [*string.gluons, string.gluons[0]]
        for first, second in pairwise(ends):
            if first >= 0:
                _enter(lines[first], 0, line)
            if second >= 0:
                _enter(lines[second], 1, line)
            line += 1
    return tuple(
        (b, a) if inside else (a, b) for (a, b), inside in zip(lines, incoming, strict=True)
    )


def _enter(leg: list[int], side: int, line: int) -> None:
    """Give a leg a line; the second one of a side is a sextet's."""
    if leg[side]:
        side, line = 1 - side, -line
    leg[side] = line
