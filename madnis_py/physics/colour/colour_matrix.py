"""Colour matrix: sums over all colours of one structure times the conjugate of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

from madnis_py.physics.colour.colour import (
    FIRST_EPSILON,
    N_COLOURS,
    Closed,
    Gluons,
    String,
    closed,
    joined,
    trace,
    ways_to_join,
    without_epsilon_pairs,
)


def colour_matrix(flows: Sequence[Closed]) -> list[list[Fraction]]:
    """Sum over all colours of flow_a times the conjugate of flow_b, exact.

    Args:
        flows: closed structures over the same legs.

    Returns:
        Symmetric matrix of fractions.
    """
    known: dict[tuple[Closed, Closed], Fraction] = {}

    def element(a: Closed, b: Closed) -> Fraction:
        order = {
            gluon: number
            for number, gluon in enumerate(gluon for string in a for gluon in string.gluons)
        }
        key = _renamed(a, order), _renamed(b, order)
        if key not in known:
            known[key] = _sum_over_colours(*key)
        return known[key]

    matrix = [[Fraction(0)] * len(flows) for _ in flows]
    for row, a in enumerate(flows):
        for column, b in enumerate(flows[: row + 1]):
            matrix[row][column] = matrix[column][row] = element(a, b)
    return matrix


def _renamed(flow: Closed, order: dict[int, int]) -> Closed:
    strings = ((string, tuple(order[gluon] for gluon in string.gluons)) for string in flow)
    return closed(
        trace(gluons) if string.is_trace else String(string.antiquark, gluons, string.quark)
        for string, gluons in strings
    )


def _sum_over_colours(a: Closed, b: Closed) -> Fraction:
    strings = [*a, *(_conjugate(one, 3 * len(a)) for one in b)]
    rights: dict[int, list[int]] = defaultdict(list)
    lefts: dict[int, list[int]] = defaultdict(list)
    for place, string in enumerate(strings):
        if string.quark >= 0:
            rights[string.quark].append(place)
        if string.antiquark >= 0:
            lefts[string.antiquark].append(place)
    return sum(
        (
            weight * sign * _contracted(tuple(loop.gluons for loop in loops))
            for weight, following in ways_to_join(rights, lefts)
            for sign, loops in without_epsilon_pairs(joined(strings, following))
        ),
        Fraction(0),
    )


def _conjugate(string: String, ends: int) -> String:
    """The conjugate string, the numbers of its ends at epsilons moved by `ends`."""
    left, right = (
        end - ends if end <= FIRST_EPSILON else end for end in (string.antiquark, string.quark)
    )
    return String(right, string.gluons[::-1], left)


def _contracted(loops: tuple[Gluons, ...]) -> Fraction:
    """A product of traces in which every gluon occurs twice."""
    value = Fraction(N_COLOURS) ** sum(not loop for loop in loops)
    loops = tuple(loop for loop in loops if loop)
    if not loops:
        return value
    first, others = loops[0], loops[1:]
    gluon, rest = first[0], first[1:]
    if gluon in rest:
        middle = rest.index(gluon)
        x, y = rest[:middle], rest[middle + 1 :]
        leading, singlet = (x, y, *others), (x + y, *others)
    else:
        partner = next(loop for loop in others if gluon in loop)
        others = tuple(loop for loop in others if loop is not partner)
        middle = partner.index(gluon)
        y = partner[middle + 1 :] + partner[:middle]
        leading, singlet = (rest + y, *others), (rest, y, *others)
    return value / 2 * (_contracted(leading) - _contracted(singlet) / N_COLOURS)
