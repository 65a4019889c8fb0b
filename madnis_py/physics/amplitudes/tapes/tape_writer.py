"""Writer of tapes: currents with the helicities of their legs as the tables that kernels run.

A current has one instance per combination of the helicities of its legs, shared by all helicities
of the process that agree on them. Instances that vanish by `Chirality`, and those that nothing
needs, are left out. `cpp/amplitudes/tape.hpp` says what the columns mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py._core import Operation, WaveKind
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.currents import (
    WIDE,
    AppliedVertex,
    Currents,
    Node,
    own_propagator,
)
from madnis_py.physics.amplitudes.tapes.helicities import Chirality, ExternalLeg, HelicityBasis
from madnis_py.physics.amplitudes.tapes.tape_tables import (
    ONE_EXPRESSION,
    Arrays,
    Constants,
    Momenta,
    PlacedCurrents,
    TapeRows,
    indices_of,
    numbers_of,
    table,
)
from madnis_py.physics.diagrams.polarisation import Polarisation, helicity_states
from madnis_py.physics.diagrams.trees import PropagatorKey

_Bools = NDArray[np.bool_]

_FINISH = {kind: _core.Finish[kind.name] for kind in WaveKind}
"""Propagator of a current of each kind, a massless one of vectors."""

_POLARISED = {
    WaveKind.vector: _core.Finish.polarised_vector,
    WaveKind.ket: _core.Finish.polarised_ket,
    WaveKind.bra: _core.Finish.polarised_bra,
}
"""Propagator of definite polarisation of a current of each kind."""

_COMPLEX = {
    WaveKind.scalar: _core.Finish.scalar,
    WaveKind.vector: _core.Finish.complex_vector,
    WaveKind.ket: _core.Finish.complex_ket,
    WaveKind.bra: _core.Finish.complex_bra,
}
"""Propagator of a current of each kind with a complex mass, of spins up to 1."""

_NO_CONTACTS = [("0", Fraction(1))] * 3
"""Couplings of the contractions of three vectors before any is known."""

_NO_SCALE = -1
"""No constant that multiplies a wavefunction."""


class TapeWriter:
    """Writes currents with helicities.

    Args:
        currents: the graph.
        legs: external particles, incoming first.
        without_width: propagators that have none.
        basis: what helicities refer to.
    """

    def __init__(
        self,
        currents: Currents,
        legs: Sequence[ExternalLeg],
        without_width: Set[PropagatorKey],
        basis: HelicityBasis,
    ) -> None:
        self._nodes = currents.nodes
        self._model = currents.model
        self._legs = tuple(legs)
        self._without_width, self._basis = without_width, basis
        self.constants = Constants()
        self._chirality = Chirality(currents, self._legs)
        self._needed: list[_Bools | None] = [None] * len(self._nodes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of helicities of every leg."""
        return tuple(len(leg.states) for leg in self._legs)

    def joint(self, current: int, source: int) -> _Bools:
        """Helicities for which the product of two nodes does not vanish."""
        return self._chirality.of_product(current, source)

    def require(self, node: int, helicities: _Bools | None = None) -> None:
        """Ask for the instances of a node.

        Args:
            node: number in the graph.
            helicities: of the process, one axis per leg; all for which the node does not vanish if
                None.
        """
        wanted = self._chirality.of(node).any
        if helicities is not None:
            axes = tuple(axis for axis, size in enumerate(wanted.shape) if size == 1)
            wanted = wanted & helicities.any(axis=axes, keepdims=True)
        known = self._needed[node]
        self._needed[node] = wanted if known is None else known | wanted

    def write(self) -> tuple[Arrays, PlacedCurrents]:
        """The arrays of all nodes that are required, directly or by others, and their places."""
        for number in reversed(range(len(self._nodes))):
            needed = self._needed[number]
            if needed is None:
                continue
            for vertex, _ in self._nodes[number].terms:
                used = needed & self._chirality.of_term(vertex).any
                for child in vertex.arguments:
                    self.require(child, used)
        placed = PlacedCurrents(self._nodes, self._needed)
        momenta = Momenta(len(self._legs))
        for node in (self._nodes[number] for number in placed):
            if node.terms and node.propagated:
                momenta.add(node.legs, self._parts(node, placed))
        rows = TapeRows(placed, momenta, self.constants)
        for number in placed:
            self._write(number, rows)
        arrays = {
            "sizes": np.array([len(self._legs), placed.workspace], np.int32),
            "frame": np.array(self._basis.frame, np.int32),
            "externals": table("externals", rows.externals),
            "momenta": table("momenta", rows.momenta.rows),
            "propagators": table("propagators", rows.propagator_rows),
            "nodes": table("nodes", rows.nodes),
            "terms": table("terms", rows.terms),
            "index": np.concatenate([*rows.index, np.zeros(0, np.int32)]),
            "registers": np.array([placed.zeros, rows.programs.n_registers], np.int32),
            **{name: table(name, found) for name, found in rows.programs.tables.items()},
        }
        return arrays, placed

    def _parts(self, node: Node, placed: PlacedCurrents) -> list[int]:
        """Sets of legs that become those of a node."""
        arguments = _live(node, placed)[0][0].arguments
        if len(arguments) == 1:
            return self._parts(self._nodes[arguments[0]], placed)
        return [self._nodes[child].legs for child in arguments]

    def _write(self, number: int, rows: TapeRows) -> None:
        node = self._nodes[number]
        if not node.terms:
            self._write_external(number, node, rows)
            return
        (mass, width), complex_mass = self._pole(node), self._complex_mass(node)
        momentum = rows.momenta.slots[node.legs] if node.propagated else 0
        propagator, finish = 0, _core.Finish.raw
        if node.propagated:
            propagator = rows.propagator(
                momentum,
                self._modulus(node, mass),
                self.constants.mass(width),
                *self._polynomial(node),
            )
            finish = self._finish(node)
        first = len(rows.terms)
        coordinates = np.argwhere(rows.placed.instances(number) >= 0)
        for vertex, coefficients in _merged(_live(node, rows.placed)):
            self._write_term(vertex, coefficients, coordinates, rows)
        offset, instances = rows.placed.whole(number)
        rows.nodes.append(
            {
                "kind": node.kind,
                "finish": finish,
                "offset": offset,
                "instances": instances,
                "first_term": first,
                "terms": len(rows.terms) - first,
                "propagator": propagator,
                "momentum": momentum,
                "mass": self.constants.mass(complex_mass or mass),
                "states": sum(_core.state_bit(state) for state in self._polarisation(node)),
                "brings": node.legs & 1,
            }
        )

    def _complex_mass(self, node: Node) -> str:
        """Name of the parameter that is a complex mass, "" for a real one."""
        complex_mass = self._model.has_complex_mass(node.pdg)
        return self._model.particle(node.pdg).mass if complex_mass else ""

    def _finish(self, node: Node) -> _core.Finish:
        if self._model.has_complex_mass(node.pdg):
            return self._finish_with_complex_mass(node)
        if own_propagator(self._model, node.pdg) is not None:
            return _core.Finish.factor
        if self._polarisation(node):
            return _POLARISED[node.kind]
        massless = self._model.mass(node.pdg) == 0
        if node.kind == WaveKind.vector and not massless:
            return _core.Finish.massive_vector
        if node.kind in WIDE and massless:
            name = self._model.particle_name(node.pdg)
            raise InputError(
                f"expected propagators of massive particles of spin 3/2; got one of {name}"
            )
        return _FINISH[node.kind]

    def _finish_with_complex_mass(self, node: Node) -> _core.Finish:
        name = self._model.particle(node.pdg).name
        expected = f"expected complex masses for usual propagators of spin 0 to 1; {name} has"
        if own_propagator(self._model, node.pdg) is not None:
            raise InputError(f"{expected} one of its own")
        if self._polarisation(node):
            raise InputError(f"{expected} one of definite polarisation")
        if node.kind not in _COMPLEX:
            raise InputError(f"{expected} a higher spin")
        return _COMPLEX[node.kind]

    def _polarisation(self, node: Node) -> Polarisation:
        """The states of a propagator, () for all."""
        return self._basis.lines.get(self._key(node), ()) if node.propagated else ()

    def _pole(self, node: Node) -> tuple[str, str]:
        """Expressions of the real mass and the width of a propagator, "" for zero."""
        particle = self._model.particle(node.pdg)
        mass = self._model.real_mass(node.pdg) if self._model.mass(node.pdg) != 0 else ""
        return mass, particle.width if mass and self._key(node) not in self._without_width else ""

    def _polynomial(self, node: Node) -> tuple[int, int]:
        """First coefficient and degree of the denominator of an unusual propagator."""
        custom = own_propagator(self._model, node.pdg)
        if custom is None:
            return 0, 0
        coefficients = ((text, Fraction(1)) for text in custom.denominator)
        return self.constants.add(*coefficients), len(custom.denominator) - 1

    def _modulus(self, node: Node, mass: str) -> int:
        """The absolute value of a mass, whose sign belongs to spinors and numerators alone."""
        sign = -1 if self._model.has_negative_mass(node.pdg) else 1
        return self.constants.add((mass or "0", Fraction(sign)))

    def _key(self, node: Node) -> PropagatorKey:
        side = node.legs ^ (1 << len(self._legs)) - 1 if node.legs & 1 else node.legs
        return self._model.particle(node.pdg).pdg, side

    def _write_external(self, number: int, node: Node, rows: TapeRows) -> None:
        position = node.legs.bit_length() - 1
        leg = self._legs[position]
        offset, _ = rows.placed.whole(number)
        mass = self.constants.mass(self._pole(node)[0])
        spin = (
            len(helicity_states(self._model, leg.pdg)) - 1
            if node.kind in (WaveKind.vector, *WIDE)
            else int(node.kind != WaveKind.scalar)
        )
        is_ket = node.kind in (WaveKind.ket, WaveKind.vector_ket)
        indices = rows.placed.instances(number).reshape(-1)
        for state, scale, index in zip(leg.states, self._scales(leg), indices, strict=True):
            if index >= 0:
                rows.externals.append(
                    {
                        "leg": position,
                        "kind": node.kind,
                        "antiparticle": int(is_ket != leg.incoming),
                        "incoming": int(leg.incoming),
                        "helicity": state,
                        "spin": spin,
                        "mass": mass,
                        "scale": scale,
                        "offset": offset + int(index) * numbers_of(node),
                    }
                )

    def _scales(self, leg: ExternalLeg) -> list[int]:
        """Constants that the wavefunctions of a leg are multiplied by."""
        if not leg.weights:
            return [_NO_SCALE] * len(leg.states)
        return [
            self.constants.add((ONE_EXPRESSION, Fraction(math.sqrt(one)))) for one in leg.weights
        ]

    def _write_term(
        self,
        vertex: AppliedVertex,
        coefficients: Sequence[tuple[str, Fraction]],
        coordinates: NDArray[np.integer],
        rows: TapeRows,
    ) -> None:
        active = self._chirality.of_term(vertex).any
        live = active[indices_of(coordinates, active.shape)]
        columns = 3 if vertex.form is None else len(vertex.arguments)
        index = np.zeros((len(coordinates), columns), np.int32)
        for column, child in enumerate(vertex.arguments):
            found = rows.placed.instances(child)
            index[:, column] = found[indices_of(coordinates, found.shape)]
        index[~live] = -1
        a, b, c = [*(rows.placed.whole(child)[0] for child in vertex.arguments), 0, 0][:3]
        if vertex.form is not None:
            a, b = self._operands(vertex, rows), rows.programs.program(vertex.form)
        momenta = (0, 0)
        if vertex.operation in (Operation.vvv, Operation.vss_scalar, Operation.vss_vector):
            first, second = (
                rows.momenta.slots[self._nodes[child].legs] for child in vertex.arguments
            )
            momenta = first, second
        is_complex = any(
            self._model.coupling(expression).imag != 0 for expression, _ in coefficients
        )
        constant = self.constants.add(*coefficients)
        rows.terms.append(
            {
                "operation": vertex.operation,
                "complex": int(is_complex),
                "a": a,
                "b": b,
                "c": c,
                "momentum_a": momenta[0],
                "momentum_b": momenta[1],
                "coefficient": constant,
                "index": rows.pattern(index),
            }
        )

    def _operands(self, vertex: AppliedVertex, rows: TapeRows) -> int:
        """Position of the first of the children of a term with a program."""
        children = ((child, self._nodes[child]) for child in vertex.arguments)
        return rows.programs.operands(
            [
                {
                    "offset": rows.placed.whole(child)[0],
                    "numbers": numbers_of(node),
                    "momentum": rows.momenta.slots.get(node.legs, 0),
                }
                for child, node in children
            ]
        )


def _live(node: Node, placed: PlacedCurrents) -> list[tuple[AppliedVertex, Fraction]]:
    """The terms of a node whose arguments do not vanish for all helicities."""
    return [term for term in node.terms if all(child in placed for child in term[0].arguments)]


def _merged(
    terms: Sequence[tuple[AppliedVertex, Fraction]],
) -> list[tuple[AppliedVertex, tuple[tuple[str, Fraction], ...]]]:
    """Terms with the coefficients of their kernels; contractions of three vectors become one."""
    merged: list[tuple[AppliedVertex, tuple[tuple[str, Fraction], ...]]] = []
    contacts: dict[tuple[tuple[int, ...], int], list[tuple[str, Fraction]]] = {}
    for vertex, number in terms:
        if vertex.operation == Operation.vvvv:
            a, b, c = nodes = tuple(sorted(vertex.arguments))
            place = {c: 0, b: 1, a: 2}[vertex.arguments[2]]
            several = 0
            while contacts.get((nodes, several), _NO_CONTACTS)[place][0] != "0":
                several += 1
            entries = contacts.setdefault((nodes, several), [*_NO_CONTACTS])
            entries[place] = (vertex.couplings[0], number)
        else:
            merged.append((vertex, tuple((coupling, number) for coupling in vertex.couplings)))
    merged += [
        (AppliedVertex(Operation.vvvv, nodes, ()), tuple(entries))
        for (nodes, _), entries in contacts.items()
    ]
    return merged
