"""Amplitudes of colour flows as products of currents, every current shared.

The currents are those of the Berends-Giele recursion, for any particles: one per set of legs and colour structure. An
amplitude is closed in its middle, so that no current holds more legs than needed: at the vertex all of whose branches
hold fewer than half of the legs, or at the propagator that has half of them on either side. Every diagram has exactly
one of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from madnis_py.physics.color import (
    N_COLOURS,
    Bra,
    Closed,
    Dyad,
    Ket,
    Matrix,
    Structure,
    Word,
    act,
    act_left,
    closed,
    join,
    multiply,
    trace_of_product,
)
from madnis_py.physics.currents import Currents, Kind, Scaled, Vertex
from madnis_py.physics.diagrams import Field, Join, Meeting, Powers, Recursion, add, positions

GLUON = 21
_Parts = tuple[int, ...]
_Coloured = Mapping[Structure, Scaled]


@dataclass(frozen=True)
class Contraction:
    """One contribution to the amplitude of a flow: a current times the source of all other legs.

    Attributes:
        flow: its colour.
        powers: of the couplings.
        current: propagated node.
        source: node without propagator.
        factor: rational.
    """

    flow: Closed
    powers: Powers
    current: int
    source: int
    factor: Fraction


class FlowCurrents:
    """The currents of one step of a process by their colour.

    Args:
        step: which fields the units can form.
        currents: where the nodes go.
    """

    def __init__(self, step: Recursion, currents: Currents) -> None:
        self._step, self._currents = step, currents
        self._decays = {
            number: FlowCurrents(unit.decay, currents)
            for number, unit in enumerate(step.units)
            if unit.decay is not None
        }
        self._known: dict[tuple[int, Field, bool], _Coloured] = {}
        self._n = len(step.units)

    def contractions(self) -> Iterator[Contraction]:
        """All contributions to the amplitude."""
        goals = {goal.total for goal in self._step.goals}
        everything = self._step.everything
        for units in range(1, everything):
            if 2 * units.bit_count() > self._n or (2 * units.bit_count() == self._n and not units & 1):
                continue
            for field in self._step.fields(units):
                for other in self._step.fields(everything ^ units):
                    if self._anti(field.pdg) == other.pdg and add(field.total, other.total) in goals:
                        yield from self._close(units, field, other)

    def _close(self, units: int, field: Field, other: Field) -> Iterator[Contraction]:
        rest = self._step.everything ^ units
        powers = add(field.total, other.total)
        for singlet in (False, True) if field.pdg == GLUON else (False,):
            sources = self._currents_of(
                rest, self._sources(rest, other, singlet, self._closing(units)), other, 1, False
            )
            for (a, current), (b, source) in product(self.current(units, field, singlet).items(), sources.items()):
                nodes = self._currents.nodes
                order = [current.node, source.node]
                if nodes[current.node].kind == Kind.ket:
                    order.reverse()
                factor = self._currents.fermion_sign(order) * current.factor * source.factor
                yield Contraction(_close_colour(a, b), powers, current.node, source.node, factor)

    def _closing(self, units: int) -> Callable[[_Parts], bool]:
        """Which partitions of the other units have their middle where `units` are attached."""
        if 2 * units.bit_count() == self._n:
            return lambda parts: True
        size = (units.bit_count(), units)
        return lambda parts: all(2 * part.bit_count() < self._n and (part.bit_count(), part) < size for part in parts)

    def current(self, units: int, field: Field, singlet: bool = False) -> _Coloured:
        """The propagated currents of a field by colour; `singlet` chooses the U(1) part of a gluon."""
        key = units, field, singlet
        if key not in self._known:
            self._known[key] = dict(self._build(units, field, singlet))
        return self._known[key]

    def _build(self, units: int, field: Field, singlet: bool) -> _Coloured:
        if units.bit_count() > 1:
            return self._propagated(units, field, singlet)
        number = units.bit_length() - 1
        if number in self._decays:
            return self._decays[number].decayed(field.inner)
        if singlet:
            return {}
        node = self._currents.external(self._step.units[number].legs, field.pdg)
        return {Structure((), self._open(number, field.pdg)): Scaled(Fraction(1), node)}

    def _open(self, number: int, pdg: int) -> Ket | Bra | Word | None:
        """The colour index of an external leg."""
        leg = self._step.units[number].legs.bit_length() - 1
        match self._currents.model.particle(pdg).colour:
            case 3:
                return Ket((), leg) if pdg > 0 else Bra(leg, ())
            case 8:
                return Word((leg,))
        return None

    def decayed(self, powers: Powers) -> _Coloured:
        """The currents of the particle whose decay this step is."""
        merged: dict[Structure, dict[Vertex, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        goals = [goal for goal in self._step.goals if goal.total == powers]
        for goal in goals:
            for structure, terms in self._sources(self._step.everything, goal, False).items():
                for vertex, number in terms.items():
                    merged[structure][vertex] += number
        return self._currents_of(self._step.everything, merged, goals[0], 1, True)

    def _propagated(self, units: int, field: Field, singlet: bool) -> _Coloured:
        factor = Fraction(1)
        if field.pdg == GLUON:
            factor = Fraction(-1, 2 * N_COLOURS) if singlet else Fraction(1, 2)
        return self._currents_of(units, self._sources(units, field, singlet), field, factor, True)

    def _currents_of(
        self,
        units: int,
        sources: Mapping[Structure, Mapping[Vertex, Fraction]],
        field: Field,
        factor: Fraction | int,
        propagated: bool,
    ) -> _Coloured:
        legs = self._step.legs(units)
        made = {
            structure: self._currents.add(legs, field.pdg, terms, propagated) for structure, terms in sources.items()
        }
        return {
            structure: Scaled(factor * current.factor, current.node)
            for structure, current in made.items()
            if current is not None
        }

    def _sources(
        self, units: int, field: Field, singlet: bool, allowed: Callable[[_Parts], bool] = lambda parts: True
    ) -> dict[Structure, dict[Vertex, Fraction]]:
        """The sum of vertices in which units become a field, by colour."""
        sources: dict[Structure, dict[Vertex, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        for meeting in self._step.meetings(units).get(field, ()):
            if allowed(tuple(part for part, _ in meeting.parts)):
                self._add(meeting, singlet, sources)
        return sources

    def _add(self, meeting: Meeting, singlet: bool, sources: dict[Structure, dict[Vertex, Fraction]]) -> None:
        """Add one vertex for every combination of the colours of what meets there."""
        for children in product(*(list(self._children(part, field)) for part, field in meeting.parts)):
            colours = _combine(meeting.join, [structure for structure, _ in children], singlet)
            if not colours:
                continue
            vertices = self._currents.vertex(meeting.join, [current.node for _, current in children])
            factor = Fraction(1)
            for _, current in children:
                factor *= current.factor
            for structure, number in colours:
                for vertex, sign in vertices:
                    sources[structure][vertex] += number * sign * factor

    def _children(self, units: int, field: Field) -> Iterator[tuple[Structure, Scaled]]:
        yield from self.current(units, field).items()
        if field.pdg == GLUON:
            yield from self.current(units, field, singlet=True).items()

    def _anti(self, pdg: int) -> int:
        return self._currents.model.anti(pdg)


def _combine(vertex: Join, children: Sequence[Structure], singlet: bool) -> list[tuple[Structure, Fraction | int]]:
    """The colour of what goes on from a vertex; gluons as matrices, without the factor of their completeness relation."""
    below = dict(zip(vertex.slots, (child.open for child in children), strict=True))
    strings = [child.closed for child in children]
    return [
        (Structure(closed(*strings, more), opened), number)
        for opened, more, number in _open_colour(vertex.structure.colour, vertex.out, below, singlet)
    ]


_Result = list[tuple[Ket | Bra | Matrix | None, Closed, int]]


def _open_colour(colour: str, out: int, below: Mapping[int, object], singlet: bool) -> _Result:
    if colour == "1":
        return [(None, (), 1)]
    if colour in ("delta", "T"):
        return _quark_colour(out, below, singlet or colour == "delta")
    if singlet or not all(isinstance(matrix, Word | Dyad) for matrix in below.values()):
        return []  # the U(1) gluon commutes with all matrices
    m: dict[int, Matrix] = {slot: matrix for slot, matrix in below.items() if isinstance(matrix, Word | Dyad)}
    if colour == "f":
        return _products({(m[(out + 1) % 3], m[(out + 2) % 3]): -2, (m[(out + 2) % 3], m[(out + 1) % 3]): 2})
    return _contact_colour(colour, out, m)


def _quark_colour(out: int, below: Mapping[int, object], singlet: bool) -> _Result:
    """delta_ij or T^a_ij between the conjugate spinor (slot 0) and the spinor (slot 1)."""
    bra, ket, gluon = below.get(0), below.get(1), below.get(2)
    if out == 2:
        assert isinstance(bra, Bra) and isinstance(ket, Ket)
        return [(None, (join(bra, ket),), 1)] if singlet else [(Dyad(ket, bra), (), 1)]
    if gluon is None:
        return [(ket, (), 1)] if isinstance(ket, Ket) else [(bra, (), 1)] if isinstance(bra, Bra) else []
    assert isinstance(gluon, Word | Dyad)
    opened, strings = (
        act(gluon, ket) if isinstance(ket, Ket) else act_left(bra, gluon) if isinstance(bra, Bra) else (None, ())
    )
    return [(opened, strings, 1)]


def _contact_colour(colour: str, out: int, m: Mapping[int, Matrix]) -> _Result:
    """f^{abe} f^{cde} T^d = -[[T^a, T^b], T^c] and its like, twice."""
    pairs = {"f12f34": ((0, 1), (2, 3)), "f13f24": ((0, 2), (1, 3)), "f14f23": ((0, 3), (1, 2))}[colour]
    mine, other = (pairs[0], pairs[1]) if out in pairs[0] else (pairs[1], pairs[0])
    third = next(slot for slot in mine if slot != out)
    sign = -2 if out == mine[1] else 2
    a, b, c = m[other[0]], m[other[1]], m[third]
    return [
        entry
        for order, factor in (((a, b, c), 1), ((b, a, c), -1), ((c, a, b), -1), ((c, b, a), 1))
        for entry in _products({order: sign * factor})
    ]


def _products(factors: Mapping[tuple[Matrix, ...], int]) -> _Result:
    result: _Result = []
    for matrices, factor in factors.items():
        value, strings = matrices[0], ()
        for matrix in matrices[1:]:
            value, more = multiply(value, matrix)
            strings = closed(strings, more)
        result.append((value, strings, factor))
    return result


def _close_colour(current: Structure, source: Structure) -> Closed:
    """All indices summed."""
    a, b = current.open, source.open
    if isinstance(a, Word | Dyad) and isinstance(b, Word | Dyad):
        more: Closed = trace_of_product(a, b)
    elif isinstance(a, Ket) and isinstance(b, Bra):
        more = (join(b, a),)
    elif isinstance(a, Bra) and isinstance(b, Ket):
        more = (join(a, b),)
    else:
        more = ()
    return closed(current.closed, source.closed, more)
