"""Contraction of the indices of a product of strings that are summed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from madnis_py.physics.colour.colour import (
    N_COLOURS,
    OPEN,
    Gluons,
    String,
    joined,
    ways_to_join,
)

_Cut = tuple[int, int]
"""Places of the pieces on both sides of a generator that was taken out."""


def without_inner_legs(
    strings: Sequence[String], inner: Set[int]
) -> Iterator[tuple[Fraction, list[String]]]:
    """The sum of products that a product is, once some of its legs are summed over.

    Octets are T^a_{ij} T^a_{kl} = 1/2 (delta_il delta_kj - delta_ij delta_kl / N).

    Args:
        strings: a product.
        inner: legs that occur twice: an octet in two generators, a triplet at a right and a left
            end, a sextet at two of either.
    """
    cut = _CutStrings()
    for string in strings:
        cut.add(string, inner)
    halves = [
        (
            (Fraction(1, 2), {first[0]: second[1], second[0]: first[1]}),
            (Fraction(-1, 2 * N_COLOURS), dict((first, second))),
        )
        for first, second in cut.octets.values()
    ]
    for weight, ends in ways_to_join(cut.rights, cut.lefts):
        for chosen in product(*halves):
            factor, following = weight, dict(ends)
            for share, links in chosen:
                factor *= share
                following |= links
            yield factor, joined(cut.pieces, following)


@dataclass
class _CutStrings:
    """Strings without the generators of inner octets.

    Attributes:
        pieces: what is left of them.
        octets: inner octet -> its two cuts.
        rights: other inner leg -> places of the pieces that end there.
        lefts: other inner leg -> places of the pieces that begin there.
    """

    pieces: list[String] = field(default_factory=list)
    octets: dict[int, list[_Cut]] = field(default_factory=lambda: defaultdict(list))
    rights: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    lefts: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, string: String, inner: Set[int]) -> None:
        """Cut a string at its inner octets."""
        cuts = [place for place, gluon in enumerate(string.gluons) if gluon in inner]
        first = len(self.pieces)
        if string.is_trace and cuts:
            turn = cuts[0] + 1
            gluons = string.gluons[turn:] + string.gluons[:turn]
            self._cut(String(OPEN, gluons[:-1], OPEN), inner)
            self.octets[gluons[-1]].append((len(self.pieces) - 1, first))
            return
        self._cut(string, inner)
        if string.quark in inner:
            self.rights[string.quark].append(len(self.pieces) - 1)
        if string.antiquark in inner:
            self.lefts[string.antiquark].append(first)

    def _cut(self, string: String, inner: Set[int]) -> None:
        """Add the pieces of a string that is no trace with inner octets."""
        left = string.antiquark
        gluons: Gluons = ()
        for gluon in string.gluons:
            if gluon not in inner:
                gluons += (gluon,)
                continue
            self.octets[gluon].append((len(self.pieces), len(self.pieces) + 1))
            self.pieces.append(String(left, gluons, OPEN))
            left, gluons = OPEN, ()
        self.pieces.append(String(left, gluons, string.quark))
