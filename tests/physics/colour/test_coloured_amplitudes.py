"""Amplitudes of particles of any colour against sums over all of their colours.

The particles are scalars whose vertices are numbers: what a flow is multiplied by is a number, too,
and the whole amplitude, one component for each colour of each leg, is built once more by a
recursion that carries the tensors of all vertices with their indices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import pytest
from explicit_colours import DIMENSIONS, Tensor, explicit, vertex_tensor

from madnis_py._core import Operation, WaveKind
from madnis_py.physics.amplitudes.tapes.colour_flows import FlowCurrents
from madnis_py.physics.amplitudes.tapes.currents import AppliedVertex, Currents
from madnis_py.physics.colour.colour import FIRST_EPSILON, Closed
from madnis_py.physics.colour.colour_matrix import colour_matrix
from madnis_py.physics.colour.colour_vertices import representation_of
from madnis_py.physics.diagrams.recursion import Field, Recursion, Unit
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.diagrams.vertex_table import DirectedVertex, VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import ModelTables, Particle, Vertex, VertexTerm

COLOURS = {
    **{"a": 8, "b": 8, "c": 8, "e": 8},
    **{"q": 3, "r": 3, "s": 3, "x": -3},
    **{"six": 6, "sex": 6, "hex": 6},
    "n": 1,
}
OWN = {"a", "b", "c", "e", "n"}
PDG = {name: number for number, name in enumerate(COLOURS, start=1)}
SCALARS = tuple(
    Particle(name, name if name in OWN else f"{name}~", PDG[name], 1, colour, 0.0)
    for name, colour in COLOURS.items()
)

THREE_SEXTETS = "K6(1,-1,-2)*K6(2,-3,-4)*K6(3,-5,-6)*Epsilon(-1,-3,-5)*Epsilon(-2,-4,-6)"
INTERACTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((f"{q} {q}~ {octet}", ("T(3,2,1)",)) for q in "qrs" for octet in "ab"),
    ("x x~ a", ("T(3,1,2)",)),
    ("q r~ c", ("T(3,2,1)",)),
    ("r q~ c", ("T(3,2,1)",)),
    ("q~ x~ n", ("Identity(1,2)",)),
    ("q x n", ("Identity(2,1)",)),
    ("a b c", ("f(1,2,3)", "d(1,2,3)")),
    ("a b e", ("f(1,2,3)",)),
    ("a b n", ("Identity(1,2)",)),
    ("a a b", ("d(1,2,3)",)),
    ("a b s s~", ("T(1,-1,3)*T(2,4,-1)", "T(2,-1,3)*T(1,4,-1)", "Identity(1,2)*Identity(3,4)")),
    ("a c s s~", ("d(1,2,-1)*T(-1,4,3)", "f(1,2,-1)*T(-1,4,3)")),
    ("a b c e", ("f(1,2,-1)*f(3,4,-1)", "d(1,3,-1)*d(2,4,-1)", "Identity(1,2)*Identity(3,4)")),
    ("q~ r~ s~", ("Epsilon(1,2,3)",)),
    ("q r s", ("EpsilonBar(1,2,3)",)),
    ("q~ r~ s~ n", ("Epsilon(1,2,3)",)),
    ("q r s n", ("EpsilonBar(3,2,1)",)),
    ("q~ r~ s~ a", ("Epsilon(1,2,-1)*T(4,3,-1)", "Epsilon(1,-1,3)*T(4,2,-1)")),
    ("six q~ r~", ("K6Bar(1,2,3)",)),
    ("six~ q r", ("K6(1,2,3)",)),
    ("six q~ q~", ("K6Bar(1,2,3)",)),
    ("six~ q q", ("K6(1,2,3)",)),
    ("a six~ six", ("T6(1,2,3)",)),
    ("b six~ six", ("T6(1,2,3)",)),
    ("a b six~ six", ("T6(1,3,-1)*T6(2,-1,4)", "T6(2,3,-1)*T6(1,-1,4)")),
    ("n six~ six", ("Identity(2,3)",)),
    ("six~ q~ c", ("Epsilon(2,-1,-2)*K6(1,-1,-3)*T(3,-3,-2)",)),
    ("six q c", ("EpsilonBar(2,-1,-2)*K6Bar(1,-1,-3)*T(3,-2,-3)",)),
    ("six~ sex~ hex~", (THREE_SEXTETS,)),
    ("six sex hex", (THREE_SEXTETS.replace("(", "Bar("),)),
    ("sex r~ s~", ("K6Bar(1,2,3)",)),
    ("hex q~ s~", ("K6Bar(1,2,3)",)),
    ("a b c q q~", ("f(1,2,-1)*T(3,-2,4)*T(-1,5,-2)", "d(1,2,3)*Identity(4,5)")),
    ("a b q q~ r r~", ("T(1,4,3)*T(2,6,5)", "T(1,4,5)*T(2,6,3)")),
)


class ScalarModel(Model):
    """The scalars and their vertices, all of one order; some vertices alone if asked for."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.name, self.particles = "scalars", SCALARS
        self.tables = ModelTables((), SCALARS, ())
        self.__dict__["vertices"] = tuple(
            Vertex(
                tuple(particles.split()),
                tuple(VertexTerm(text, "", (text,)) for text in texts),
                (0, 0),
            )
            for particles, texts in INTERACTIONS
            if not names or particles in names
        )


class ScalarCurrents(Currents):
    """Currents whose vertices are products of numbers."""

    def vertex(
        self, vertex: DirectedVertex, nodes: Sequence[int], propagated: bool
    ) -> list[tuple[AppliedVertex, int]]:
        couplings = (str(vertex.number), vertex.term.colour)
        return [(AppliedVertex(Operation.sss, tuple(sorted(nodes)), couplings), 1)]

    def kind(self, pdg: int, propagated: bool = True) -> WaveKind:
        return WaveKind.scalar


def some_number(*what: object) -> complex:
    """A number that belongs to its arguments."""
    rng = np.random.default_rng(sum(k * ord(letter) for k, letter in enumerate(repr(what), 1)))
    return complex(rng.normal(), rng.normal())


def propagator(legs: int, everything: int, pdg: int) -> complex:
    """The same from both sides of a line."""
    return some_number("propagator", min(legs, everything ^ legs), abs(pdg))


def values(currents: Currents, everything: int) -> list[complex]:
    """The number that every node is."""
    found: list[complex] = []
    for node in currents.nodes:
        value = complex(not node.terms)
        for vertex, factor in node.terms:
            number, text = vertex.couplings
            term = float(factor) * some_number(int(number), text)
            value += term * prod(found[child] for child in vertex.arguments)
        if node.terms and node.propagated:
            value *= propagator(node.legs, everything, node.pdg)
        found.append(value)
    return found


class ExplicitRecursion:
    """Currents with the indices of all colours: that of the current first, then of all legs.

    Args:
        step: the process, or a decay in it.
        everything: all legs of the process.
    """

    def __init__(self, step: Recursion, everything: int) -> None:
        self._step, self._everything = step, everything
        self._model = step.vertices.model

    def _current(self, units: int, field: Field, propagated: bool = True) -> Tensor:
        unit = self._step.units[units.bit_length() - 1]
        if units.bit_count() == 1 and unit.decay is None:
            kind = representation_of(self._model, unit.pdg)
            return np.eye(DIMENSIONS[kind], dtype=complex)
        if units.bit_count() == 1 and unit.decay is not None:
            return ExplicitRecursion(unit.decay, self._everything).decayed()
        total: Tensor = np.sum(
            [self._joined(way.vertex, way.parts) for way in self._step.meetings(units)[field]],
            axis=0,
        )
        line = propagator(self._step.legs(units), self._everything, field.pdg)
        return total * line if propagated else total

    def _joined(self, vertex: DirectedVertex, parts: Sequence[tuple[int, Field]]) -> Tensor:
        names = self._model.vertices[vertex.number].particles
        kinds = [representation_of(self._model, self._model.pdg_of[name]) for name in names]
        text = vertex.term.colour
        tensor = some_number(vertex.number, text) * vertex_tensor(text, kinds)
        operands: list[Any] = [tensor, list(range(len(kinds)))]
        axes: list[int] = []
        for slot, (units, field) in zip(vertex.slots, parts, strict=True):
            below = [10 + leg for leg in positions(self._step.legs(units))]
            operands += [self._current(units, field), [slot, *below]]
            axes += below
        return np.asarray(np.einsum(*operands, [vertex.out, *sorted(axes)], optimize=True))

    def decayed(self) -> Tensor:
        """The current of the particle whose decay the step is."""
        everything = self._step.everything
        goals = [self._current(everything, goal) for goal in self._step.goals]
        return np.asarray(np.sum(goals, axis=0))

    def amplitude(self) -> Tensor:
        """The amplitude, one axis per leg; the first leg is external."""
        rest = self._step.everything ^ 1
        goals = [self._current(rest, goal, False) for goal in self._step.goals]
        return np.asarray(np.sum(goals, axis=0))


PROCESSES = (
    *("q q~ a b", "a b c e", "a a a a", "q q~ q q~", "q q~ r r~", "q q~ b s s~", "q~ r c a b"),
    *("x x~ q q~", "q x n a", "a b s s~", "a c s s~ e", "a b b c e", "a b c q q~"),
    *("q q~ c c", "q a r~ c", "a a b b", "q q~ c c a"),
    *("q r s", "q r s a", "q r s n", "q r q~ r~", "q r s a b", "q r q~ r~ a", "q r r s q s"),
    *("six~ q r", "six~ q r a", "six~ q q a", "six six~ a b", "six six~ q q~", "q q q~ q~"),
    *("q q q~ q~ a", "six~ q q r r~", "sex hex six six six~"),
    *("six~ q q a b", "six six~ six six~", "six q c a", "six q six~ q~", "six sex hex a"),
    "a b q q~ r r~",
    *("q q~ (a > r r~)", "a b (c > q~ r) (e > a b)", "q r (s > (a > q q~) s)"),
    *("a b (s > q~ r~) (s~ > q r)", "q q~ (s > q~ r~) (s~ > q r)"),
    *("q q~ (six > q r) (six~ > q~ q~)", "q x (n > a b)", "a (b > q q~) (c > a b)"),
)
"""Legs, all incoming; (parent > products) for a decay, and the parent is what the products make."""


def units_of(text: str, table: VertexTable, first: int = 0) -> tuple[Unit, ...]:
    """The units of a process, their legs numbered from `first` on."""
    units: list[Unit] = []
    words = text.replace("(", "( ").replace(")", " )").split()
    while words:
        word = words.pop(0)
        if word != "(":
            units.append(Unit(1 << first, table.model.pdg_of[word]))
            first += 1
            continue
        depth, end = 1, 0
        while depth:
            depth += {"(": 1, ")": -1}.get(words[end], 0)
            end += 1
        parent, _, *inside = words[: end - 1]
        words = words[end:]
        products = units_of(" ".join(inside), table, first)
        root = table.model.pdg_of[parent]
        legs = sum(one.legs for one in products)
        units.append(Unit(legs, root, Recursion(table, products, root=root)))
        first += legs.bit_count()
    return tuple(units)


@pytest.mark.parametrize("text", PROCESSES)
def test_flows_times_their_amplitudes_are_the_sum_over_diagrams_with_all_indices(text: str) -> None:
    model = ScalarModel()
    units = units_of(text, VertexTable(model))
    step = Recursion(VertexTable(model), units)
    everything = step.legs(step.everything)
    assert step.goals
    expected = ExplicitRecursion(step, everything).amplitude()

    currents = ScalarCurrents(model, 0)
    contractions = list(FlowCurrents(step, currents).contractions())
    numbers = values(currents, everything)
    amplitudes: dict[Closed, complex] = defaultdict(complex)
    for one in contractions:
        amplitudes[one.flow] += float(one.factor) * numbers[one.current] * numbers[one.source]
    pdg = {node.legs.bit_length() - 1: node.pdg for node in currents.nodes if not node.terms}
    kinds = [representation_of(model, pdg[leg]) for leg in range(everything.bit_count())]
    coloured = [leg for leg, kind in enumerate(kinds) if kind != 1]
    sextets = [leg for leg in coloured if abs(kinds[leg]) == 6]
    tensors = [explicit(flow, coloured, sextets) for flow in amplitudes]
    vector = np.array(list(amplitudes.values()))
    found = np.tensordot(vector, np.array(tensors), axes=1).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max())

    matrix = np.array(colour_matrix(list(amplitudes)), float)
    square = np.sum(np.abs(expected) ** 2)
    assert square > 0
    assert (vector @ matrix @ vector.conj()).real == pytest.approx(square, rel=1e-10)


def test_squarks_that_decay_through_junctions_keep_both_of_them() -> None:
    """All lines between the decays carry gluons, but for the trace of both gluons."""
    model = ScalarModel()
    step = Recursion(VertexTable(model), units_of("a b (s > q~ r~) (s~ > q r)", VertexTable(model)))
    flows = {one.flow for one in FlowCurrents(step, ScalarCurrents(model, 0)).contractions()}
    junctions = [
        (
            {one.antiquark <= FIRST_EPSILON for one in flow},
            {one.quark <= FIRST_EPSILON for one in flow},
        )
        for flow in flows
    ]
    assert junctions.count(({True, False}, {True, False})) == 2
    assert all(
        any(one.is_trace for one in flow) or True in left
        for flow, (left, _) in zip(flows, junctions, strict=True)
    )
