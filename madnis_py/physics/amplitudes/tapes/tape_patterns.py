"""Patterns of tapes: all that the tapes of a reaction depend on, with numbers for names.

A tape knows particles and couplings by the constants that it reads. Reactions whose particles are
alike but for the names of masses, widths and couplings, as u u~ > z g g and d d~ > z g g, have one
pattern, and tapes that differ in the names of their constants alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from madnis_py.physics.amplitudes.tapes.currents import Expressions
from madnis_py.physics.amplitudes.tapes.helicities import ExternalLeg, HelicityBasis
from madnis_py.physics.amplitudes.tapes.tape_tables import IMAGINARY_UNIT, ONE_EXPRESSION
from madnis_py.physics.diagrams.recursion import Meeting, Recursion
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import DirectedVertex
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle

_ZERO = "0"
"""The mass and width of massless particles."""


@dataclass(frozen=True)
class TapePattern:
    """What the tapes of a reaction depend on.

    Attributes:
        text: equal for reactions whose tapes are the same but for `names`.
        names: the expressions of the model that constants have, in the order in which they come.
    """

    text: str
    names: tuple[str, ...]


def tape_pattern(
    recursion: Recursion,
    legs: Sequence[ExternalLeg],
    without_width: Set[PropagatorKey],
    basis: HelicityBasis,
) -> TapePattern:
    """The pattern of a reaction.

    Args:
        recursion: of the reaction.
        legs: external particles with their helicities, incoming first.
        without_width: propagators that have none.
        basis: what helicities refer to.
    """
    model, steps = recursion.vertices.model, list(_steps(recursion))
    vertices = _vertices(steps)
    expressions = [text for vertex in vertices for text in vertex.term.expressions]
    particles = _Particles(steps, model)
    always = _ZERO, ONE_EXPRESSION, IMAGINARY_UNIT
    names = tuple(dict.fromkeys([*always, *expressions, *particles.names]))
    content = (
        [_value(name, model) for name in names],
        particles.properties(names),
        [(particles[leg.pdg], leg.incoming, leg.states, leg.weights) for leg in legs],
        basis.frame,
        sorted((*particles.line(key), states) for key, states in basis.lines.items()),
        sorted(particles.line(key) for key in without_width if key[0] in particles),
        _orders(vertices, model),
        [_content(step, particles, names) for step in steps],
    )
    return TapePattern(repr(content), names)


def _steps(recursion: Recursion) -> Iterator[Recursion]:
    """A reaction and its decays."""
    yield recursion
    for unit in recursion.units:
        if unit.decay is not None:
            yield from _steps(unit.decay)


def _meetings(step: Recursion) -> Iterator[Meeting]:
    for units in step.sets:
        for ways in step.meetings(units).values():
            yield from ways


def _vertices(steps: Iterable[Recursion]) -> dict[DirectedVertex, int]:
    """The vertices of all diagrams, numbered in the order in which they come."""
    found = dict.fromkeys(way.vertex for step in steps for way in _meetings(step))
    return {vertex: number for number, vertex in enumerate(found)}


def _orders(vertices: Iterable[DirectedVertex], model: Model) -> list[int]:
    """The place of the couplings of each vertex among all of the same particles.

    The terms of a current that come from the same particles are in alphabetical order.
    """
    particles = {vertex: sorted(model.vertices[vertex.number].particles) for vertex in vertices}
    couplings: dict[object, set[Expressions]] = defaultdict(set)
    for vertex, names in particles.items():
        couplings[tuple(names)].add(vertex.term.couplings)
    return [
        sorted(couplings[tuple(names)]).index(vertex.term.couplings)
        for vertex, names in particles.items()
    ]


class _Particles:
    """Numbers of the particles of a process, in the order in which they come.

    Args:
        steps: of the process.
        model: of the particles.
    """

    def __init__(self, steps: Iterable[Recursion], model: Model) -> None:
        found: dict[int, None] = {}
        for step in steps:
            found |= dict.fromkeys(abs(unit.pdg) for unit in step.units)
            found |= dict.fromkeys(abs(way.field.pdg) for way in _meetings(step))
        self._model = model
        self._numbers = {pdg: number for number, pdg in enumerate(found, start=1)}

    def __contains__(self, pdg: int) -> bool:
        return abs(pdg) in self._numbers

    def __getitem__(self, pdg: int) -> int:
        """The number of a particle, with the sign of its PDG code."""
        return self._numbers[abs(pdg)] * (1 if pdg > 0 else -1)

    def line(self, key: PropagatorKey) -> tuple[int, int]:
        """A propagator with the number of its particle."""
        return self[key[0]], key[1]

    @property
    def names(self) -> list[str]:
        """Names of masses and widths, and the expressions of propagators of their own."""
        rows = [self._model.particle(pdg) for pdg in self._numbers]
        massive = [row for row in rows if self._model.mass(row.pdg) != 0]
        names = [name or _ZERO for row in massive for name in self._poles(row)]
        own = [row.propagator for row in rows if row.propagator is not None]
        return names + [name for one in own for name in one.expressions]

    def _poles(self, row: Particle) -> tuple[str, str, str]:
        """Mass, which may be complex, real mass and width."""
        return row.mass, self._model.real_mass(row.pdg), row.width

    def properties(self, names: Sequence[str]) -> list[object]:
        """What tapes know of each particle."""
        found: list[object] = []
        for pdg in self._numbers:
            row = self._model.particle(pdg)
            poles = self._poles(row) if self._model.mass(pdg) != 0 else ()
            numbers = [names.index(one or _ZERO) for one in poles]
            both, negative = self._model.anti(pdg) == pdg, self._model.has_negative_mass(pdg)
            own = row.propagator and (
                [structure for structure, _ in row.propagator.numerator],
                [names.index(one) for one in row.propagator.expressions],
            )
            found.append((row.spin, row.colour, both, numbers, negative, own))
        return found


def _value(name: str, model: Model) -> tuple[bool, bool]:
    """Whether an expression vanishes, and whether it is complex."""
    value = model.coupling(name)
    return value == 0, value.imag != 0


def _content(step: Recursion, particles: _Particles, names: Sequence[str]) -> object:
    """Which fields the sets of units of a step become, and how, in order."""
    vertices = _vertices([step])
    positions = {
        units: {field: place for place, field in enumerate(step.fields(units))}
        for units in step.sets
    }
    numbers: dict[int, int] = {}
    return (
        [(unit.legs, particles[unit.pdg], unit.decay is not None) for unit in step.units],
        [_vertex(vertex, names, numbers) for vertex in vertices],
        [
            (
                units,
                (particles[field.pdg], field.powers, field.inner),
                sorted(particles[pdg] for pdg in field.present if pdg in particles),
                [
                    (
                        vertices[way.vertex],
                        [(part, positions[part][one]) for part, one in way.parts],
                    )
                    for way in step.meetings(units).get(field, ())
                ],
            )
            for units in step.sets
            for field in step.fields(units)
        ],
        [(particles[goal.pdg], goal.powers, goal.inner) for goal in step.goals],
        [(str(order), step.vertices.model.orders) for order in step.squared_orders],
    )


def _vertex(vertex: DirectedVertex, names: Sequence[str], numbers: dict[int, int]) -> object:
    """A vertex: which of the model, in the order in which they come, and what happens there."""
    term = vertex.term
    couplings = [names.index(text) for text in term.expressions]
    lorentz = term.lorentz, term.form_factor.text
    number = numbers.setdefault(vertex.number, len(numbers))
    return number, term.colour, lorentz, couplings, vertex.slots, vertex.out
