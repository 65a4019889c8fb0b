"""Colour algebra of SU(3), exact, in the basis of strings and traces of generators T^a.

The generators have Tr(T^a T^b) = 1/2. A closed colour structure is a product of strings
(T^a1 ... T^ak)_{i j} between external quarks and of traces of external gluons. An open one also
carries the index of the current that it belongs to. Internal gluons are written as matrices in
colour space by the completeness relation

    T^a_{ij} T^a_{kl} = 1/2 (delta_il delta_kj - delta_ij delta_kl / N),

whose second part only quarks see: it becomes a particle of its own, the U(1) gluon, without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

N_COLOURS = 3

Gluons = tuple[int, ...]
"""Positions of external gluons, in the order of their generators."""


@dataclass(frozen=True, order=True)
class Ket:
    """(T^gluons)_{i quark}: an open colour index i of a line that ends on an external quark."""

    gluons: Gluons
    quark: int


@dataclass(frozen=True, order=True)
class Bra:
    """(T^gluons)_{antiquark j}: the conjugate of `Ket`."""

    antiquark: int
    gluons: Gluons


@dataclass(frozen=True, order=True)
class Word:
    """(T^gluons)_{kl}, a matrix with two open indices made of gluons alone."""

    gluons: Gluons


@dataclass(frozen=True, order=True)
class Dyad:
    """ket_k bra_l, a matrix with two open indices that end on different quarks."""

    ket: Ket
    bra: Bra


Matrix = Word | Dyad
"""A matrix in colour space: the colour of an internal gluon."""

Open = Ket | Bra | Word | Dyad | None
"""The open colour of a current; None for a colour singlet."""


@dataclass(frozen=True, order=True)
class String:
    """(T^gluons)_{antiquark quark}, closed; a trace where both ends are -1."""

    antiquark: int
    gluons: Gluons
    quark: int

    @property
    def is_trace(self) -> bool:
        """Whether the string closes in itself."""
        return self.quark < 0


Closed = tuple[String, ...]
"""A product of strings, sorted."""


@dataclass(frozen=True)
class ColourStructure:
    """One monomial of colour: closed strings times one open object, None for a colour singlet."""

    closed: Closed
    open: Open = None


def trace(gluons: Gluons) -> String:
    """Tr(T^gluons), with the lowest gluon first."""
    start = gluons.index(min(gluons))
    return String(-1, gluons[start:] + gluons[:start], -1)


def closed(*parts: Iterable[String]) -> Closed:
    """The product of closed structures."""
    return tuple(sorted(string for part in parts for string in part))


def act(matrix: Matrix, ket: Ket) -> tuple[Ket, Closed]:
    """matrix_{kl} ket_l."""
    if isinstance(matrix, Word):
        return Ket(matrix.gluons + ket.gluons, ket.quark), ()
    return matrix.ket, (string_between(matrix.bra, ket),)


def act_left(bra: Bra, matrix: Matrix) -> tuple[Bra, Closed]:
    """bra_k matrix_{kl}."""
    if isinstance(matrix, Word):
        return Bra(bra.antiquark, bra.gluons + matrix.gluons), ()
    return matrix.bra, (string_between(bra, matrix.ket),)


def string_between(bra: Bra, ket: Ket) -> String:
    """bra_k ket_k, a closed string between the quarks of both."""
    return String(bra.antiquark, bra.gluons + ket.gluons, ket.quark)


def multiply(a: Matrix, b: Matrix) -> tuple[Matrix, Closed]:
    """a_{km} b_{ml}."""
    if isinstance(a, Word) and isinstance(b, Word):
        return Word(a.gluons + b.gluons), ()
    if isinstance(a, Word):
        assert isinstance(b, Dyad)
        ket, strings = act(a, b.ket)
        return Dyad(ket, b.bra), strings
    bra, strings = act_left(a.bra, b)
    return Dyad(a.ket, bra), strings


def trace_of_product(a: Matrix, b: Matrix) -> Closed:
    """a_{kl} b_{lk}."""
    product, strings = multiply(a, b)
    if isinstance(product, Word):
        return closed(strings, (trace(product.gluons),))
    return closed(strings, (string_between(product.bra, product.ket),))


def flow_lines(flow: Closed, incoming: Sequence[bool]) -> tuple[tuple[int, int], ...]:
    """Colour and anticolour of every leg in the numbers of the Les Houches format, from 501 on.

    Args:
        flow: strings and traces over the positions of the legs.
        incoming: which legs come in; their lines are those of the outgoing antiparticle, crossed.

    Returns:
        (colour, anticolour) per leg, 0 where there is none.
    """
    lines = [[0, 0] for _ in incoming]
    line = 500
    for string in flow:
        ends = [string.antiquark, *string.gluons, string.quark]
        if string.is_trace:
            ends = [*string.gluons, string.gluons[0]]
        for first, second in pairwise(ends):
            line += 1
            lines[first][0] = lines[second][1] = line
    return tuple(
        (b, a) if inside else (a, b) for (a, b), inside in zip(lines, incoming, strict=True)
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
            known[key] = _contract(_loops(*key))
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


def _loops(a: Closed, b: Closed) -> tuple[Gluons, ...]:
    """The traces whose product is a times the conjugate of b, quark colours summed."""
    loops = [string.gluons for string in a if string.is_trace]
    loops += [string.gluons[::-1] for string in b if string.is_trace]
    strings = {string.antiquark: string for string in a if not string.is_trace}
    back = {string.quark: string for string in b if not string.is_trace}
    while strings:
        start, string = strings.popitem()
        word: Gluons = ()
        while True:
            returning = back[string.quark]
            word += string.gluons + returning.gluons[::-1]
            if returning.antiquark == start:
                break
            string = strings.pop(returning.antiquark)
        loops.append(word)
    return tuple(loops)


def _contract(loops: tuple[Gluons, ...]) -> Fraction:
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
    return value / 2 * (_contract(leading) - _contract(singlet) / N_COLOURS)
