"""Colour of vertices: what comes out of a vertex, by the colour of what goes in.

Octets are matrices in colour space. The source of an octet is W with S^a = Tr(T^a W), so that the
completeness relation leaves 1/2 W for what its propagator brings to a generator of the next vertex,
and none for a contraction with another octet. Its second term is the U(1) octet, the unit matrix
times -Tr(W) / (2 N), which enters every generator of the next vertex like any other matrix:
commutators, and so f, do not see it. Sextets are pairs of columns, antisextets pairs of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import permutations, product
from typing import NamedTuple

from madnis_py.physics.colour.colour import (
    FIRST_EPSILON,
    IN_TRACE,
    OPEN,
    Closed,
    Gluons,
    String,
    closed,
    joined,
    simplified,
    trace,
)
from madnis_py.physics.colour.colour_strings import structures_of
from madnis_py.physics.diagrams.vertex_table import DirectedVertex
from madnis_py.physics.model.model import Model


class ColourStructure(NamedTuple):
    """One monomial of the colour of a current.

    Attributes:
        closed: strings between external legs, and traces.
        open: strings of which an end belongs to the current, and those that share an epsilon; ()
            for a singlet and for the U(1) octet.
    """

    closed: Closed
    open: Closed = ()


def conjugate(representation: int) -> int:
    """The representation of the antiparticle."""
    return representation if representation in (1, 8) else -representation


def representation_of(model: Model, pdg: int) -> int:
    """1, 3, 6 or 8, -3 and -6 for the conjugate ones."""
    colour = model.particle(pdg).colour
    return colour if pdg > 0 else conjugate(colour)


def external_colour(leg: int, representation: int) -> ColourStructure:
    """The colour of an external leg."""
    match representation:
        case 8:
            return ColourStructure((), (String(OPEN, (leg,), OPEN),))
        case 3 | 6:
            return ColourStructure((), (String(OPEN, (), leg),) * (representation // 3))
        case -3 | -6:
            return ColourStructure((), (String(leg, (), OPEN),) * (-representation // 3))
    return ColourStructure(())


class VertexColours:
    """Colour of what goes on from the vertices of a model.

    Args:
        model: its particles and vertices.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._representations: dict[int, tuple[int, ...]] = {}

    def of(
        self, vertex: DirectedVertex, children: Sequence[ColourStructure], singlet: bool
    ) -> list[tuple[ColourStructure, Fraction]]:
        """The colour of the particle that goes on from a vertex.

        Args:
            vertex: with the slots of the particles from below.
            children: colour of these particles.
            singlet: whether the U(1) part of an octet goes on.

        Returns:
            Monomials with their factors; empty if nothing goes on.
        """
        return _put_in(
            _products_of_vertex(
                vertex.term.colour,
                self._of_particles(vertex.number),
                vertex.slots,
                vertex.out,
                singlet,
                tuple(_shape(child.open) for child in children),
            ),
            children,
        )

    def _of_particles(self, number: int) -> tuple[int, ...]:
        if number not in self._representations:
            self._representations[number] = tuple(
                representation_of(self._model, self._model.pdg_of[name])
                for name in self._model.vertices[number].particles
            )
        return self._representations[number]


def closed_colour(
    representation: int, current: ColourStructure, source: ColourStructure
) -> list[tuple[Closed, Fraction]]:
    """A current times a source, all indices summed.

    Args:
        representation: of the current; 1 for the U(1) part of an octet.
        current: its colour.
        source: of the conjugate particle.
    """
    shapes = _shape(current.open), _shape(source.open)
    return [
        (closed(structure.closed, structure.open), factor)
        for structure, factor in _put_in(
            _products_of_pair(representation, shapes), (current, source)
        )
    ]


_Shape = tuple[tuple[int, int], ...]
"""Ends of the open strings of a structure, 0 for those at external legs."""

_LEG, _SOCKET = 0, 1
"""End of a string at an external leg, and at the vertex."""


def _shape(strings: Closed) -> _Shape:
    return tuple([(min(string.antiquark, _LEG), min(string.quark, _LEG)) for string in strings])


class _Product(NamedTuple):
    """A monomial of what goes on, whatever the external legs of the strings that meet.

    Attributes:
        factor: its coefficient.
        closed: strings of external legs; their gluons are places of strings that meet, and an end
            0 is that of the first or last of these.
        open: the same for the other strings.
        ordered: whether nothing remains to be put in order, no trace and no epsilon.
    """

    factor: Fraction
    closed: Closed
    open: Closed
    ordered: bool


def _put_in(
    products: Sequence[_Product], children: Sequence[ColourStructure]
) -> list[tuple[ColourStructure, Fraction]]:
    """The monomials for strings that meet."""
    strings = [string for child in children for string in child.open]
    inherited = [string for child in children for string in child.closed]
    found = []
    for one in products:
        closed_ = [_whole(string, strings) for string in one.closed]
        open_ = [_whole(string, strings) for string in one.open]
        if one.ordered:
            colour = ColourStructure(closed(inherited, closed_), closed(open_))
            found.append((colour, one.factor))
            continue
        for product_, factor in simplified([*closed_, *open_]).items():
            closed_ = [string for string in product_ if not _is_open(string)]
            open_ = [string for string in product_ if _is_open(string)]
            colour = ColourStructure(closed(inherited, closed_), closed(open_))
            found.append((colour, one.factor * factor))
    return found


def _whole(string: String, strings: Sequence[String]) -> String:
    gluons: Gluons = ()
    for place in string.gluons:
        gluons += strings[place].gluons
    left, right = string.antiquark, string.quark
    if left == _LEG:
        left = strings[string.gluons[0]].antiquark
    if right == _LEG:
        right = strings[string.gluons[-1]].quark
    return String(left, gluons, right)


def _is_open(string: String) -> bool:
    return min(string.antiquark, string.quark) <= OPEN


@cache
def _products_of_vertex(
    text: str,
    representations: tuple[int, ...],
    slots: tuple[int, ...],
    out: int,
    singlet: bool,
    shapes: tuple[_Shape, ...],
) -> tuple[_Product, ...]:
    """What comes out of a vertex; arguments as of `VertexColours.of`."""
    fillings = {out: _outgoing(representations[out], singlet)}
    first = 0
    for slot, shape in zip(slots, shapes, strict=True):
        fillings[slot] = _incoming(representations[slot], shape, first)
        first += len(shape)
    return _products(structures_of(text, representations), fillings)


@cache
def _products_of_pair(representation: int, shapes: tuple[_Shape, _Shape]) -> tuple[_Product, ...]:
    """What is left where a current meets the source of its antiparticle."""
    structure: Closed = ()
    if representation == 8:
        structure = (trace((0, 1)),)
    elif representation != 1:
        ends = (1, (), 0) if representation > 0 else (0, (), 1)
        structure = (String(*ends),) * (abs(representation) // 3)
    fillings = {
        0: _incoming(representation, shapes[0], 0),
        1: _incoming(conjugate(representation), shapes[1], len(shapes[0])),
    }
    return _products([(structure, Fraction(1))], fillings)


_UNIT_MATRIX = String(_SOCKET, (), _SOCKET)


def _incoming(representation: int, shape: _Shape, first: int) -> list[String]:
    """The strings of a child; their gluons are places of strings that meet, from `first` on."""
    ends = {OPEN: _SOCKET, _LEG: _LEG}

    def end(code: int) -> int:
        return ends.get(code, code - 3 * first)

    strings = [
        String(end(left), (first + place,), end(right)) for place, (left, right) in enumerate(shape)
    ]
    if representation == 8 and not any(OPEN in one for one in shape):
        strings.append(_UNIT_MATRIX)
    return strings


def _outgoing(representation: int, singlet: bool) -> list[String]:
    """The open ends in the place of the particle that goes on."""
    row, column = String(_SOCKET, (), OPEN), String(OPEN, (), _SOCKET)
    match representation:
        case 8:
            return [_UNIT_MATRIX] if singlet else [column, row]
        case 3 | 6:
            return [row] * (representation // 3)
        case -3 | -6:
            return [column] * (-representation // 3)
    return []


def _products(
    structures: Sequence[tuple[Closed, Fraction]], fillings: Mapping[int, Sequence[String]]
) -> tuple[_Product, ...]:
    """Structures over the particles of a vertex with strings in the places of these."""
    strings = [string for filling in fillings.values() for string in filling]
    slots = [slot for slot, filling in fillings.items() for _ in filling]
    lefts: dict[int, list[int]] = defaultdict(list)
    rights: dict[int, list[int]] = defaultdict(list)
    for place, (slot, string) in enumerate(zip(slots, strings, strict=True)):
        if string.antiquark == _SOCKET:
            lefts[slot].append(place)
        if string.quark == _SOCKET:
            rights[slot].append(place)
    orders = list(product(_orders(lefts), _orders(rights)))
    total: dict[Closed, Fraction] = defaultdict(Fraction)
    for structure, factor in structures:
        for left, right in orders:
            whole = closed(_inserted(structure, strings, left, right))
            total[whole] += factor / len(orders)
    return tuple(_split(rest, factor) for rest, factor in total.items() if factor)


def _orders(places: Mapping[int, Sequence[int]]) -> list[dict[int, list[int]]]:
    """The places of the ends of every slot in all orders: those of sextets are symmetrised."""
    return [
        {slot: list(order) for slot, order in zip(places, chosen, strict=True)}
        for chosen in product(*(permutations(ends) for ends in places.values()))
    ]


def _inserted(
    structure: Closed,
    strings: Sequence[String],
    lefts: Mapping[int, Sequence[int]],
    rights: Mapping[int, Sequence[int]],
) -> list[String]:
    """One structure with strings in the places of its particles.

    Args:
        structure: over the slots of the vertex.
        strings: those that meet.
        lefts: slot -> places of the strings whose left end it has, in the order of their use.
        rights: the same for right ends.
    """
    whole, following = list(strings), dict[int, int]()
    left_of, right_of = (
        {slot: iter(ends) for slot, ends in side.items()} for side in (lefts, rights)
    )
    for antiquark, gluons, quark in structure:
        if antiquark == IN_TRACE:
            before = rights[gluons[-1]][0]
        elif antiquark <= FIRST_EPSILON:
            before = len(whole)
            whole.append(String(antiquark - 3 * len(strings), (), _SOCKET))
        else:
            before = next(right_of[antiquark])
        for gluon in gluons:
            following[before] = lefts[gluon][0]
            before = rights[gluon][0]
        if quark >= 0:
            following[before] = next(left_of[quark])
        elif quark <= FIRST_EPSILON:
            following[before] = len(whole)
            whole.append(String(_SOCKET, (), quark - 3 * len(strings)))
    return joined(whole, following)


def _split(strings: Closed, factor: Fraction) -> _Product:
    open_ = tuple(string for string in strings if _is_open(string))
    closed_ = tuple(string for string in strings if not _is_open(string))
    in_order_already = not any(one.is_trace or _touches_epsilon(one) for one in strings)
    return _Product(factor, closed_, open_, in_order_already)


def _touches_epsilon(string: String) -> bool:
    return min(string.antiquark, string.quark) <= FIRST_EPSILON
