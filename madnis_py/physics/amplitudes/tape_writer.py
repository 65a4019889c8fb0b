"""Tapes: currents with the helicities of their legs, written as the arrays that the kernels run (cpp/.../tape.hpp).

A current has one instance per combination of the helicities of its legs, shared by all helicities
of the process that agree on them. Instances that vanish because of chirality, and those that
nothing needs, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.physics.amplitudes.currents import Currents, Kind, Node, Operation, Vertex
from madnis_py.physics.model.model import Model

CHOSEN = 2
"""The helicity state of a leg whose helicity is given with every event."""

MOMENTUM = 3
"""The state of a massless vector whose polarisation is p / E: gauge invariance makes the amplitude
vanish."""

_Bools = NDArray[np.bool_]
_Ints = NDArray[np.int32]
Arrays = dict[str, Any]
"""numpy arrays by name: int32 tables, float64 factors."""

_ZERO_REGION = 8
_FINISH = {Kind.scalar: 1, Kind.vector: 2, Kind.ket: 4, Kind.bra: 5}
_MASSIVE_VECTOR = 3


@dataclass(frozen=True)
class ExternalLeg:
    """An external particle.

    Attributes:
        pdg: its PDG code.
        incoming: whether it comes in.
        states: helicities, twice their value for fermions, ascending; (CHOSEN,) where events bring
            their own.
    """

    pdg: int
    incoming: bool
    states: tuple[int, ...]


def helicity_states(model: Model, pdg: int) -> tuple[int, ...]:
    """The helicities of a particle, twice their value for fermions."""
    spin = model.particle(pdg).spin
    if spin == 3 and model.mass(pdg) > 0:
        return (-1, 0, 1)
    return (0,) if spin == 1 else (-1, 1)


@dataclass(frozen=True)
class _Active:
    """For which helicities of its legs a current does not vanish, per pair of spinor components.

    Attributes:
        upper: of components 0 and 1 of a spinor, of the whole for others; one axis per leg, of
            length 1 for legs that the current does not hold.
        lower: of components 2 and 3; equal to `upper` for others.
    """

    upper: _Bools
    lower: _Bools

    @property
    def any(self) -> _Bools:
        """Whether anything is left."""
        return self.upper | self.lower


class Constants:
    """The numbers of a tape as expressions of the model: values change without a new tape.

    Attributes:
        entries: (expression, factor), in the order of the array.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[str, Fraction]] = []
        self._known: dict[tuple[tuple[str, Fraction], ...], int] = {}

    def add(self, *entries: tuple[str, Fraction]) -> int:
        """Where these entries stand, one after the other."""
        if entries not in self._known:
            self._known[entries] = len(self.entries)
            self.entries += entries
        return self._known[entries]

    def mass(self, name: str) -> int:
        """Where a mass or width stands; "" is zero."""
        return self.add((name or "0", Fraction(1)))


def constant_values(entries: Sequence[tuple[str, Fraction]], model: Model) -> NDArray[np.float64]:
    """The array of constants, real and imaginary parts, with room for kernels that read three at once."""
    values = [model.coupling(expression) * float(factor) for expression, factor in entries]
    return np.array([*values, 0.0, 0.0], dtype=np.complex128).view(np.float64)


class TapeWriter:
    """Writes currents with helicities.

    Args:
        currents: the graph.
        legs: external particles, incoming first.
        without_width: propagators, as `widths.Line`.
    """

    def __init__(
        self,
        currents: Currents,
        legs: Sequence[ExternalLeg],
        without_width: Set[tuple[int, int]] = frozenset(),
    ) -> None:
        self._nodes = currents.nodes
        self._model = currents.model
        self._legs = tuple(legs)
        self._without_width = without_width
        self.constants = Constants()
        self._active = [_Active(np.empty(0, bool), np.empty(0, bool))] * len(self._nodes)
        for number, node in enumerate(self._nodes):
            self._active[number] = self._activity(node)
        self._needed: list[_Bools | None] = [None] * len(self._nodes)
        self._offsets: dict[int, int] = {}
        self._index: dict[int, _Ints] = {}
        self._workspace = _ZERO_REGION

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of helicities of every leg."""
        return tuple(len(leg.states) for leg in self._legs)

    def joint(self, current: int, source: int) -> _Bools:
        """For which helicities the product of two nodes does not vanish."""
        a, b = self._active[current], self._active[source]
        return (a.upper & b.upper) | (a.lower & b.lower)

    def require(self, node: int, helicities: _Bools | None = None) -> None:
        """Ask for the instances of a node that these helicities of the process use; all that do not vanish if None."""
        active = self._active[node].any
        wanted = active if helicities is None else active & _reduced(helicities, active.shape)
        known = self._needed[node]
        self._needed[node] = wanted if known is None else known | wanted

    def offsets(self, node: int, helicities: _Ints) -> _Ints:
        """Where the instances of a node stand for rows of positions among the helicities of the legs."""
        index = self._index[node]
        found = index[_coordinates(helicities, index.shape)]
        return np.where(
            found >= 0, self._offsets[node] + _size(self._nodes[node]) * found, 0
        ).astype(np.int32)

    def has(self, node: int) -> bool:
        """Whether anything of a node is left after `write`."""
        return node in self._offsets

    def whole(self, node: int) -> tuple[int, int]:
        """Offset and number of instances of a node."""
        return self._offsets[node], int((self._index[node] >= 0).sum())

    def write(self) -> Arrays:
        """The arrays of all nodes that are required, directly or by others."""
        for number in range(len(self._nodes) - 1, -1, -1):
            self._pass_on(number)
        kept = [
            number
            for number, needed in enumerate(self._needed)
            if needed is not None and needed.any()
        ]
        for number in kept:
            self._place(number)
        rows = _Rows(self._momentum_slots(kept))
        for number in kept:
            self._write(number, rows)
        return {
            "sizes": np.array([len(self._legs), self._workspace], np.int32),
            "externals": _table(rows.externals, 8),
            "momenta": _table(rows.momenta.rows, 2),
            "propagators": _table(list(rows.propagators), 3),
            "nodes": _table(rows.nodes, 9),
            "terms": _table(rows.terms, 9),
            "index": np.concatenate([*rows.index, np.zeros(0, np.int32)]),
        }

    # -- which instances vanish

    def _activity(self, node: Node) -> _Active:
        if not node.terms:
            return self._external_activity(node)
        parts = [self._term_activity(vertex) for vertex, _ in node.terms]
        upper = np.logical_or.reduce([part.upper for part in parts])
        lower = np.logical_or.reduce([part.lower for part in parts])
        if node.propagated and node.kind in (Kind.ket, Kind.bra):
            if self._model.mass(node.pdg) > 0:
                upper = lower = upper | lower
            else:
                upper, lower = lower, upper
        return _Active(upper, lower)

    def _external_activity(self, node: Node) -> _Active:
        leg = node.legs.bit_length() - 1
        states = np.array(self._legs[leg].states)
        shape = [1] * len(self._legs)
        shape[leg] = len(states)
        if (
            node.kind not in (Kind.ket, Kind.bra)
            or self._model.mass(node.pdg) > 0
            or CHOSEN in states
        ):
            everything = np.ones(shape, bool)
            return _Active(everything, everything)
        antiparticle = self._legs[leg].pdg < 0
        right = (states > 0) != antiparticle  # chirality of the field
        lower = right if node.kind == Kind.ket else ~right
        return _Active((~lower).reshape(shape), lower.reshape(shape))

    def _term_activity(self, vertex: Vertex) -> _Active:
        below = [self._active[node] for node in vertex.arguments]
        left, right = (
            self._model.coupling(expression) != 0
            for expression in (*vertex.couplings, "0", "0")[:2]
        )
        a, b = below[0], below[1]
        match vertex.operation:
            case Operation.ffv_vector:
                both = (a.upper & b.lower & right) | (a.lower & b.upper & left)
                return _Active(both, both)
            case Operation.ffs_scalar:
                both = (a.upper & b.upper & left) | (a.lower & b.lower & right)
                return _Active(both, both)
            case Operation.ffv_ket:
                return _Active(a.lower & b.any & right, a.upper & b.any & left)
            case Operation.ffv_bra:
                return _Active(a.lower & b.any & left, a.upper & b.any & right)
            case Operation.ffs_ket | Operation.ffs_bra:
                return _Active(a.upper & b.any & left, a.lower & b.any & right)
        everything = np.logical_and.reduce(np.broadcast_arrays(*(part.any for part in below)))
        return _Active(everything, everything)

    def _pass_on(self, number: int) -> None:
        """Require what a node is made of."""
        needed = self._needed[number]
        if needed is None:
            return
        for vertex, _ in self._nodes[number].terms:
            used = needed & self._term_activity(vertex).any
            for child in vertex.arguments:
                self.require(child, used)

    # -- arrays

    def _place(self, number: int) -> None:
        needed = self._needed[number]
        assert needed is not None
        index = np.full(needed.shape, -1, np.int32)
        index[needed] = np.arange(needed.sum(), dtype=np.int32)
        self._index[number] = index
        self._offsets[number] = self._workspace
        self._workspace += int(needed.sum()) * _size(self._nodes[number])

    def _momentum_slots(self, kept: Sequence[int]) -> _Momenta:
        """A slot for the momentum of every set of legs, the sum of those of a current below and of the rest."""
        momenta = _Momenta(len(self._legs))
        for number in kept:
            node = self._nodes[number]
            if node.terms and node.propagated:
                momenta.add(
                    node.legs, [self._nodes[child].legs for child in node.terms[0][0].arguments]
                )
        return momenta

    def _write(self, number: int, rows: _Rows) -> None:
        node = self._nodes[number]
        if not node.terms:
            self._write_external(number, node, rows)
            return
        mass, width = self._pole(node)
        momentum = rows.momenta.slots[node.legs] if node.propagated else 0
        propagator, finish = 0, 0
        if node.propagated:
            key = momentum, self.constants.mass(mass), self.constants.mass(width)
            propagator = rows.propagators.setdefault(key, len(rows.propagators))
            finish = _MASSIVE_VECTOR if node.kind == Kind.vector and mass else _FINISH[node.kind]
        first = len(rows.terms)
        coordinates = np.argwhere(self._index[number] >= 0)
        for vertex, coefficients in _merged(node.terms):
            self._write_term(vertex, coefficients, coordinates, rows)
        terms = len(rows.terms) - first
        offset, instances = self.whole(number)
        rows.nodes.append(
            (
                node.kind,
                finish,
                offset,
                instances,
                first,
                terms,
                propagator,
                momentum,
                self.constants.mass(mass),
            )
        )

    def _pole(self, node: Node) -> tuple[str, str]:
        """Names of the mass and the width of a propagator, "" for zero."""
        particle = self._model.particle(node.pdg)
        mass = particle.mass if self._model.mass(node.pdg) > 0 else ""
        side = node.legs ^ (1 << len(self._legs)) - 1 if node.legs & 1 else node.legs
        return mass, particle.width if mass and (
            particle.pdg,
            side,
        ) not in self._without_width else ""

    def _write_external(self, number: int, node: Node, rows: _Rows) -> None:
        position = node.legs.bit_length() - 1
        leg = self._legs[position]
        offset, _ = self.whole(number)
        mass = self.constants.mass(self._pole(node)[0])
        spin = (
            len(helicity_states(self._model, leg.pdg)) - 1
            if node.kind == Kind.vector
            else int(node.kind != Kind.scalar)
        )
        for state, index in zip(leg.states, self._index[number].reshape(-1), strict=True):
            if index >= 0:
                place = offset + int(index) * _size(node)
                antiparticle, incoming = int(leg.pdg < 0), int(leg.incoming)
                rows.externals.append(
                    (position, node.kind, antiparticle, incoming, state, spin, mass, place)
                )

    def _write_term(
        self,
        vertex: Vertex,
        coefficients: Sequence[tuple[str, Fraction]],
        coordinates: NDArray[np.integer],
        rows: _Rows,
    ) -> None:
        active = self._term_activity(vertex).any
        live = active[_coordinates(coordinates, active.shape)]
        index = np.zeros((len(coordinates), 3), np.int32)
        for column, child in enumerate(vertex.arguments):
            found = self._index[child]
            index[:, column] = found[_coordinates(coordinates, found.shape)]
        index[~live] = -1
        places = [self._offsets[child] for child in vertex.arguments] + [0]
        momenta = (0, 0)
        if vertex.operation == Operation.vvv:
            first, second = (
                rows.momenta.slots[self._nodes[child].legs] for child in vertex.arguments
            )
            momenta = first, second
        is_complex = any(
            self._model.coupling(expression).imag != 0 for expression, _ in coefficients
        )
        constant = self.constants.add(*coefficients)
        rows.terms.append(
            (
                vertex.operation,
                int(is_complex),
                *places[:3],
                *momenta,
                constant,
                rows.pattern(index),
            )
        )


class _Momenta:
    """Slots of momenta; the first are those of the legs."""

    def __init__(self, n_legs: int) -> None:
        self.slots = {1 << leg: leg for leg in range(n_legs)}
        self.rows: list[tuple[int, int]] = []

    def add(self, legs: int, parts: Sequence[int]) -> int:
        """The slot of a set of legs that consists of parts which have slots."""
        if legs not in self.slots:
            rest = legs ^ parts[0]
            second = self.add(rest, parts[1:]) if len(parts) > 2 else self.slots[rest]
            self.rows.append((self.slots[parts[0]], second))
            self.slots[legs] = len(self.slots)
        return self.slots[legs]


class _Rows:
    """Rows of the tables as they are written."""

    def __init__(self, momenta: _Momenta) -> None:
        self.momenta = momenta
        self.externals: list[tuple[int, ...]] = []
        self.propagators: dict[tuple[int, int, int], int] = {}
        self.nodes: list[tuple[int, ...]] = []
        self.terms: list[tuple[int, ...]] = []
        self.index: list[_Ints] = []
        self._patterns: dict[bytes, int] = {}
        self._size = 0

    def pattern(self, index: _Ints) -> int:
        """Where a table of instances stands; equal ones are kept once."""
        key = index.tobytes()
        if key not in self._patterns:
            self._patterns[key] = self._size
            self.index.append(index.reshape(-1))
            self._size += index.size
        return self._patterns[key]


def _merged(
    terms: Sequence[tuple[Vertex, Fraction]],
) -> list[tuple[Vertex, tuple[tuple[str, Fraction], ...]]]:
    """Terms with the coefficients that their kernels want; the three contractions of three vectors become one."""
    merged: list[tuple[Vertex, tuple[tuple[str, Fraction], ...]]] = []
    contacts: dict[tuple[int, ...], list[tuple[str, Fraction]]] = {}
    for vertex, number in terms:
        if vertex.operation == Operation.vvvv:
            a, b, c = sorted(vertex.arguments)
            place = {c: 0, b: 1, a: 2}[vertex.arguments[2]]
            entries = contacts.setdefault((a, b, c), [("0", Fraction(1))] * 3)
            if entries[place][0] != "0":
                raise NotImplementedError("two couplings of one contraction of four vectors")
            entries[place] = (vertex.couplings[0], number)
        else:
            merged.append((vertex, tuple((coupling, number) for coupling in vertex.couplings)))
    merged += [
        (Vertex(Operation.vvvv, nodes, ()), tuple(entries)) for nodes, entries in contacts.items()
    ]
    return merged


def _size(node: Node) -> int:
    return 2 if node.kind == Kind.scalar else 8


def _reduced(helicities: _Bools, shape: tuple[int, ...]) -> _Bools:
    """Any over the axes of length 1 of a shape."""
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return np.asarray(helicities.any(axis=axes, keepdims=True))


def _coordinates(
    rows: NDArray[np.integer], shape: tuple[int, ...]
) -> tuple[NDArray[np.integer], ...]:
    """Columns of coordinates for an array some of whose axes have length 1."""
    return tuple(
        rows[:, axis] if size > 1 else np.zeros(len(rows), np.int32)
        for axis, size in enumerate(shape)
    )


def _table(rows: Sequence[tuple[int, ...]], columns: int) -> _Ints:
    return np.array(rows, np.int32).reshape(-1, columns)
