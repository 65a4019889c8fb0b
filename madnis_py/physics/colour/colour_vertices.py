"""Colour of vertices: what comes out of a vertex, by the colour of what goes in.

Gluons are matrices in colour space. The source of a gluon carries twice the matrix W^a T^a of what
its vertices give, or ket_k bra_l for a quark line, so that the completeness relation leaves a
factor 1/2 for its propagator and none for a contraction with another gluon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from madnis_py.physics.colour.colour import (
    Bra,
    Closed,
    ColourStructure,
    Dyad,
    Ket,
    Matrix,
    Open,
    Word,
    act,
    act_left,
    closed,
    multiply,
    string_between,
    trace_of_product,
)
from madnis_py.physics.diagrams.vertex_table import DirectedVertex

_Terms = list[tuple[Open, Closed, int]]
"""A sum of monomials: the open object, closed strings, factor."""

_PAIRS = {"f12f34": ((0, 1), (2, 3)), "f13f24": ((0, 2), (1, 3)), "f14f23": ((0, 3), (1, 2))}
"""Colour of a vertex of four gluons -> the slots of its two structure constants."""


def colour_of(
    vertex: DirectedVertex, children: Sequence[ColourStructure], singlet: bool
) -> list[tuple[ColourStructure, int]]:
    """The colour of the particle that goes on from a vertex.

    Args:
        vertex: with the slots of the particles from below.
        children: colour of these particles.
        singlet: whether the U(1) part of a gluon goes on.

    Returns:
        Monomials with their factors; empty if nothing goes on.
    """
    below = dict(zip(vertex.slots, (child.open for child in children), strict=True))
    strings = [child.closed for child in children]
    return [
        (ColourStructure(closed(*strings, more), opened), number)
        for opened, more, number in _terms(vertex.term.colour, vertex.out, below, singlet)
    ]


def closed_colour(current: ColourStructure, source: ColourStructure) -> Closed:
    """A current times a source, all indices summed."""
    match current.open, source.open:
        case (Word() | Dyad()) as a, (Word() | Dyad()) as b:
            more: Closed = trace_of_product(a, b)
        case (Ket() as ket, Bra() as bra) | (Bra() as bra, Ket() as ket):
            more = (string_between(bra, ket),)
        case _:
            more = ()
    return closed(current.closed, source.closed, more)


def _terms(colour: str, out: int, below: Mapping[int, Open], singlet: bool) -> _Terms:
    if colour == "1":
        return [(None, (), 1)]
    if colour in ("delta", "T"):
        return [_on_quark_line(out, below, singlet or colour == "delta")]
    matrices = {slot: matrix for slot, matrix in below.items() if isinstance(matrix, Word | Dyad)}
    if singlet or len(matrices) < len(below):
        return []  # the U(1) gluon commutes with all matrices
    if colour == "f":
        a, b = matrices[(out + 1) % 3], matrices[(out + 2) % 3]
        return [_product((a, b), -2), _product((b, a), 2)]  # -i f^{abc} T^c = -[T^a, T^b], twice
    return _double_commutator(_PAIRS[colour], out, matrices)


def _on_quark_line(out: int, below: Mapping[int, Open], singlet: bool) -> tuple[Open, Closed, int]:
    """delta_ij or T^a_ij between the conjugate spinor (slot 0) and the spinor (slot 1)."""
    match below.get(0), below.get(1), below.get(2):
        case Bra() as bra, Ket() as ket, None if out == 2:
            return (None, (string_between(bra, ket),), 1) if singlet else (Dyad(ket, bra), (), 1)
        case None, Ket() as ket, None:
            return ket, (), 1
        case Bra() as bra, None, None:
            return bra, (), 1
        case None, Ket() as ket, (Word() | Dyad()) as gluon:
            return *act(gluon, ket), 1
        case Bra() as bra, None, (Word() | Dyad()) as gluon:
            return *act_left(bra, gluon), 1
    raise NotImplementedError(f"colour of a quark line with {below}")


def _double_commutator(
    pairs: tuple[tuple[int, int], tuple[int, int]], out: int, matrices: Mapping[int, Matrix]
) -> _Terms:
    """f^{abe} f^{cde} T^d = -[[T^a, T^b], T^c] and its like, twice."""
    mine, other = pairs if out in pairs[0] else pairs[::-1]
    third = matrices[next(slot for slot in mine if slot != out)]
    factor = -2 if out == mine[1] else 2
    a, b = matrices[other[0]], matrices[other[1]]
    orders = {
        (a, b, third): factor,
        (b, a, third): -factor,
        (third, a, b): -factor,
        (third, b, a): factor,
    }
    return [_product(order, number) for order, number in orders.items()]


def _product(matrices: Sequence[Matrix], factor: int) -> tuple[Open, Closed, int]:
    value = matrices[0]
    strings: Closed = ()
    for matrix in matrices[1:]:
        value, more = multiply(value, matrix)
        strings = closed(strings, more)
    return value, strings, factor
