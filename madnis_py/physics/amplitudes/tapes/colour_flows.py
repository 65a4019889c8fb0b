"""Colour flows: their amplitudes as products of currents, every current shared.

The currents are those of the Berends-Giele recursion, for any particles: one per set of legs and
colour structure. An amplitude is closed in its middle, so that no current holds more legs than
needed: at the vertex all of whose branches hold fewer than half of the legs, or at the propagator
that has half of them on either side. Every diagram has exactly one of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from madnis_py._core import WaveKind
from madnis_py.physics.amplitudes.tapes.currents import AppliedVertex, Currents, Scaled
from madnis_py.physics.colour.colour import N_COLOURS, Closed
from madnis_py.physics.colour.colour_vertices import (
    ColourStructure,
    VertexColours,
    closed_colour,
    external_colour,
    representation_of,
)
from madnis_py.physics.diagrams.coupling_orders import Powers, added
from madnis_py.physics.diagrams.recursion import Field, Meeting, Recursion

_Parts = tuple[int, ...]
_Coloured = Mapping[ColourStructure, Scaled]


@dataclass(frozen=True)
class Contraction:
    """One contribution to the amplitude of a flow: a current times the source of all other legs.

    Attributes:
        flow: its colour.
        powers: of the couplings.
        own: powers of the couplings of the step without its decays.
        current: propagated node.
        source: node without propagator.
        factor: rational.
    """

    flow: Closed
    powers: Powers
    own: Powers
    current: int
    source: int
    factor: Fraction


class FlowCurrents:
    """The currents of one step of a process by their colour.

    Args:
        step: which fields the units can form.
        currents: where the nodes go.
        colours: of the vertices; those of the model of the currents if None.
    """

    def __init__(
        self, step: Recursion, currents: Currents, colours: VertexColours | None = None
    ) -> None:
        self._step, self._currents = step, currents
        self._colours = colours or VertexColours(currents.model)
        self._decays = {
            number: FlowCurrents(unit.decay, currents, self._colours)
            for number, unit in enumerate(step.units)
            if unit.decay is not None
        }
        self._known: dict[tuple[int, Field, bool], _Coloured] = {}
        self._n = len(step.units)

    def contractions(self) -> Iterator[Contraction]:
        """All contributions to the amplitude."""
        everything = self._step.everything
        for units in range(1, everything):
            if 2 * units.bit_count() > self._n or (
                2 * units.bit_count() == self._n and not units & 1
            ):
                continue
            for field in self._step.fields(units):
                for other in self._step.fields(everything ^ units):
                    if self._step.completes(field, other):
                        yield from self._closed(units, field, other)

    def _closed(self, units: int, field: Field, other: Field) -> Iterator[Contraction]:
        """The products of the currents of `units` with the sources of all other units."""
        rest = self._step.everything ^ units
        powers, own = added(field.total, other.total), added(field.powers, other.powers)
        nodes = self._currents.nodes
        for singlet in (False, True) if self._is_octet(field.pdg) else (False,):
            sums = self._sources(rest, other, singlet, False, self._has_middle(units))
            sources = self._currents_of(rest, sums, other, 1, False)
            currents = self.current(units, field, singlet)
            representation = 1 if singlet else self._representation(field.pdg)
            for (a, current), (b, source) in product(currents.items(), sources.items()):
                order = [current.node, source.node]
                if nodes[current.node].kind in (WaveKind.ket, WaveKind.vector_ket):
                    order.reverse()
                factor = self._currents.fermion_sign(order) * current.factor * source.factor
                for flow, number in closed_colour(representation, a, b):
                    yield Contraction(flow, powers, own, current.node, source.node, number * factor)

    def _has_middle(self, units: int) -> Callable[[_Parts], bool]:
        """Test of partitions of the other units: whether their middle is where `units` attach."""
        if 2 * units.bit_count() == self._n:
            return lambda parts: True
        size = (units.bit_count(), units)
        return lambda parts: all(
            2 * part.bit_count() < self._n and (part.bit_count(), part) < size for part in parts
        )

    def current(self, units: int, field: Field, singlet: bool = False) -> _Coloured:
        """The propagated currents of a field by colour.

        Args:
            units: the set that becomes the field.
            field: one of `Recursion.fields`.
            singlet: whether to take the U(1) part of an octet.
        """
        key = units, field, singlet
        if key not in self._known:
            if units.bit_count() == 1:
                number = units.bit_length() - 1
                self._known[key] = self._current_of_unit(number, field, singlet)
            else:
                sources = self._sources(units, field, singlet, True)
                factor = self._completeness(field.pdg, singlet)
                self._known[key] = self._currents_of(units, sources, field, factor, True)
        return self._known[key]

    def _completeness(self, pdg: int, singlet: bool) -> Fraction:
        """The factor of the propagator of a particle from its colour."""
        if self._representation(pdg) != 8:
            return Fraction(1)
        return Fraction(-1, 2 * N_COLOURS) if singlet else Fraction(1, 2)

    def _current_of_unit(self, number: int, field: Field, singlet: bool) -> _Coloured:
        if number in self._decays:
            return self._decays[number].decayed(field.inner, singlet)
        if singlet:
            return {}
        node = self._currents.external(self._step.units[number].legs, field.pdg)
        leg = self._step.units[number].legs.bit_length() - 1
        colour = external_colour(leg, self._representation(field.pdg))
        return {colour: Scaled(Fraction(1), node)}

    def decayed(self, powers: Powers, singlet: bool) -> _Coloured:
        """The currents of the particle whose decay this step is."""
        merged: dict[ColourStructure, dict[AppliedVertex, Fraction]] = defaultdict(
            lambda: defaultdict(Fraction)
        )
        goals = [goal for goal in self._step.goals if goal.total == powers]
        for goal in goals:
            sources = self._sources(self._step.everything, goal, singlet, True)
            for structure, terms in sources.items():
                for vertex, number in terms.items():
                    merged[structure][vertex] += number
        factor = self._completeness(goals[0].pdg, singlet)
        return self._currents_of(self._step.everything, merged, goals[0], factor, True)

    def _currents_of(
        self,
        units: int,
        sources: Mapping[ColourStructure, Mapping[AppliedVertex, Fraction]],
        field: Field,
        factor: Fraction | int,
        propagated: bool,
    ) -> _Coloured:
        legs = self._step.legs(units)
        made = {
            structure: self._currents.add(legs, field.pdg, terms, propagated)
            for structure, terms in sources.items()
        }
        return {
            structure: Scaled(factor * current.factor, current.node)
            for structure, current in made.items()
            if current is not None
        }

    def _sources(
        self,
        units: int,
        field: Field,
        singlet: bool,
        propagated: bool,
        allowed: Callable[[_Parts], bool] = lambda parts: True,
    ) -> dict[ColourStructure, dict[AppliedVertex, Fraction]]:
        """The sum of vertices in which units become a field, by colour."""
        sources: dict[ColourStructure, dict[AppliedVertex, Fraction]] = defaultdict(
            lambda: defaultdict(Fraction)
        )
        for meeting in self._step.meetings(units).get(field, ()):
            if allowed(tuple(part for part, _ in meeting.parts)):
                self._add(meeting, singlet, propagated, sources)
        return sources

    def _add(
        self,
        meeting: Meeting,
        singlet: bool,
        propagated: bool,
        sources: dict[ColourStructure, dict[AppliedVertex, Fraction]],
    ) -> None:
        """Add one vertex for every combination of the colours of what meets there."""
        below = [
            [
                *self.current(units, field).items(),
                *(self.current(units, field, True).items() if self._is_octet(field.pdg) else ()),
            ]
            for units, field in meeting.parts
        ]
        for children in product(*below):
            colours = self._colours.of(
                meeting.vertex, [structure for structure, _ in children], singlet
            )
            if not colours:
                continue
            vertices = self._currents.vertex(
                meeting.vertex, [current.node for _, current in children], propagated
            )
            factor = Fraction(1)
            for _, current in children:
                factor *= current.factor
            for structure, number in colours:
                for vertex, sign in vertices:
                    sources[structure][vertex] += number * sign * factor

    def _is_octet(self, pdg: int) -> bool:
        return self._representation(pdg) == 8

    def _representation(self, pdg: int) -> int:
        return representation_of(self._currents.model, pdg)
