"""Colour algebra of SU(3), exact, in the basis of strings and traces of generators T^a.

The generators have Tr(T^a T^b) = 1/2. A colour structure is a product of traces and of strings
(T^a1 ... T^ak)_{ij} of external octets. The left index i of a string belongs to an antitriplet or
is one of the two of an antisextet, the right one j to a triplet or a sextet, or they are those of a
tensor epsilon. Sextets are symmetric pairs of indices, normalised to

    K^s_{ij} Kbar_s^{kl} = 1/2 (delta_ik delta_jl + delta_il delta_jk),

so two strings that end at one sextet stand for the sum over both of its ends, halved. Products of
epsilon and its conjugate are determinants of deltas; what is left has one of the two kinds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, permutations, product
from math import factorial, prod
from typing import NamedTuple

N_COLOURS = 3

Gluons = tuple[int, ...]
"""Positions of external octets, in the order of their generators."""

IN_TRACE = -1
"""Both ends of a trace."""

OPEN = -2
"""End of a string that belongs to the current itself."""

FIRST_EPSILON = -3
"""End of a string at the first index of a tensor epsilon, -4 and -5 at its others; -6 and so on at
the indices of a second tensor."""


class String(NamedTuple):
    """(T^gluons)_{antiquark quark}.

    Attributes:
        antiquark: position of the leg of the left index, an antitriplet or antisextet; or one of
            the numbers above.
        gluons: positions of octets.
        quark: position of the leg of the right index, a triplet or sextet; or like `antiquark`.
    """

    antiquark: int
    gluons: Gluons
    quark: int

    @property
    def is_trace(self) -> bool:
        """Whether the string closes in itself."""
        return self.quark == IN_TRACE


Closed = tuple[String, ...]
"""A product of strings, sorted."""

Sum = dict[Closed, Fraction]
"""Products with their coefficients."""

Following = Mapping[int, int]
"""Place of a string -> place of the string whose left end its right end is contracted with."""


def trace(gluons: Gluons) -> String:
    """Tr(T^gluons), with the lowest gluon first."""
    start = gluons.index(min(gluons)) if gluons else 0
    return String(IN_TRACE, gluons[start:] + gluons[:start], IN_TRACE)


def closed(*parts: Iterable[String]) -> Closed:
    """The product of closed structures."""
    return tuple(sorted(string for part in parts for string in part))


def joined(strings: Sequence[String], following: Following) -> list[String]:
    """The strings and traces that are left after contractions, in the order of their beginnings."""
    continued = set(following.values())
    beginnings = [place for place in range(len(strings)) if place not in continued]
    found, used = [], set()
    for first in (*beginnings, *following):
        if first in used:
            continue
        places = _chain(first, following)
        used.update(places)
        gluons = tuple(gluon for place in places for gluon in strings[place].gluons)
        found.append(
            trace(gluons)
            if first in continued
            else String(strings[first].antiquark, gluons, strings[places[-1]].quark)
        )
    return found


def _chain(first: int, following: Following) -> list[int]:
    places = [first]
    while (after := following.get(places[-1], first)) != first:
        places.append(after)
    return places


def ways_to_join(
    rights: Mapping[int, Sequence[int]], lefts: Mapping[int, Sequence[int]]
) -> Iterator[tuple[Fraction, dict[int, int]]]:
    """All contractions of the ends of particles, with their factors.

    Args:
        rights: particle -> places of the strings whose right ends it has, two for a sextet.
        lefts: the same of left ends, as many.
    """
    weight = Fraction(1, prod(factorial(len(places)) for places in rights.values()))
    for orders in product(*(permutations(lefts[leg]) for leg in rights)):
        yield (
            weight,
            {
                right: left
                for leg, order in zip(rights, orders, strict=True)
                for right, left in zip(rights[leg], order, strict=True)
            },
        )


def without_epsilon_pairs(strings: Sequence[String]) -> Iterator[tuple[int, Sequence[String]]]:
    """A product as a sum of products, with signs, that have no epsilon beside its conjugate."""
    left = next((one.antiquark for one in strings if one.antiquark <= FIRST_EPSILON), 0)
    right = next((one.quark for one in strings if one.quark <= FIRST_EPSILON), 0)
    if not (left and right):
        yield 1, strings
        return
    for sign, product_ in _determinant(strings, left, right):
        for other, rest in without_epsilon_pairs(product_):
            yield sign * other, rest


def without_joined_epsilons(strings: Sequence[String]) -> Iterator[tuple[int, Sequence[String]]]:
    """The same for an epsilon and its conjugate that have an index in common."""
    for antiquark, gluons, quark in strings:
        if not gluons and max(antiquark, quark) <= FIRST_EPSILON:
            for sign, product_ in _determinant(strings, antiquark, quark):
                for other, rest in without_joined_epsilons(product_):
                    yield sign * other, rest
            return
    yield 1, strings


def _determinant(
    strings: Sequence[String], left: int, right: int
) -> Iterator[tuple[int, Sequence[String]]]:
    """The tensors at a left and at a right end as the determinant of deltas of their indices."""
    begins = {one.antiquark: place for place, one in enumerate(strings)}
    ends = {one.quark: place for place, one in enumerate(strings)}
    lefts = [begins[index] for index in _indices(left)]
    rights = [ends[index] for index in _indices(right)]
    for order in permutations(range(3)):
        following = {place: lefts[k] for place, k in zip(rights, order, strict=True)}
        yield parity(order), joined(strings, following)


def _indices(end: int) -> list[int]:
    """The ends at the indices of the tensor that has this end."""
    first = FIRST_EPSILON - (FIRST_EPSILON - end) // 3 * 3
    return [first, first - 1, first - 2]


def simplified(strings: Sequence[String]) -> Sum:
    """The normal form of a product: no index that two epsilons have in common, all in order."""
    found: Sum = defaultdict(Fraction)
    for sign, rest in without_joined_epsilons(strings):
        ordered, factor = _in_order(rest)
        found[ordered] += sign * factor
    return {ordered: factor for ordered, factor in found.items() if factor}


def _in_order(strings: Sequence[String]) -> tuple[Closed, Fraction]:
    """A product with its strings, traces and tensors in order, and its factor."""
    factor = Fraction(1)
    plain: list[String] = []
    for string in strings:
        if not string.is_trace:
            plain.append(string)
        elif len(string.gluons) > 1:
            plain.append(trace(string.gluons))
        else:
            factor *= 0 if string.gluons else N_COLOURS
    sign, renamed = _tensors_in_order(plain)
    return closed(
        String(renamed.get(left, left), gluons, renamed.get(right, right))
        for left, gluons, right in plain
    ), factor * sign


def _tensors_in_order(strings: Sequence[String]) -> tuple[int, dict[int, int]]:
    """Sign and new ends of the indices of tensors, in the order of the strings that they have."""
    keys: dict[int, String] = {}
    for string in strings:
        left, right = (max(end, FIRST_EPSILON) for end in (string.antiquark, string.quark))
        for end in {string.antiquark, string.quark}:
            if end <= FIRST_EPSILON:
                keys[end] = String(left, string.gluons, right)
    sign = 1
    tensors: list[tuple[list[String], list[int]]] = []
    for first in dict.fromkeys(_indices(end)[0] for end in keys):
        indices = sorted(_indices(first), key=lambda end: (keys[end], -end))
        found = [keys[end] for end in indices]
        sign *= parity([first - end for end in indices])
        if any(a == b and max(a.antiquark, a.quark) >= 0 for a, b in pairwise(found)):
            sign = 0
        tensors.append((found, indices))
    ordered = [end for _, indices in sorted(tensors) for end in indices]
    return sign, {end: FIRST_EPSILON - place for place, end in enumerate(ordered)}


def parity(order: Sequence[int]) -> int:
    """Sign of a permutation."""
    exchanges = sum(a > b for k, a in enumerate(order) for b in order[k + 1 :])
    return -1 if exchanges % 2 else 1
