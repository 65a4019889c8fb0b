"""Tapes: currents with the helicities of their legs, written as the arrays that the kernels run (cpp/amplitudes/tape.hpp).

A current has one instance per combination of the helicities of its legs, shared by all helicities
of the process that agree on them. Instances that vanish because of chirality, and those that
nothing needs, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py._core import Operation, WaveKind
from madnis_py.physics.amplitudes.currents import Currents, Node, Vertex
from madnis_py.physics.model.model import Model

CHOSEN = _core.CHOSEN_HELICITY
"""The helicity state of a leg whose helicity is given with every event."""

MOMENTUM = _core.MOMENTUM_HELICITY
"""The state of a massless vector whose polarisation is p / E: gauge invariance makes the amplitude
vanish."""

_Bools = NDArray[np.bool_]
_Ints = NDArray[np.int32]
Arrays = dict[str, Any]
"""numpy arrays by name: int32 tables, float64 factors."""

_FINISH = {kind: _core.Finish[kind.name] for kind in WaveKind}
"""Propagator of a current of each kind, a massless one of vectors."""


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

    def write(self) -> tuple[Arrays, PlacedCurrents]:
        """The arrays of all nodes that are required, directly or by others, and their places."""
        for number in range(len(self._nodes) - 1, -1, -1):
            self._pass_on(number)
        placed = PlacedCurrents(self._nodes, self._needed)
        rows = _Rows(placed, self._momentum_slots(placed))
        for number in placed:
            self._write(number, rows)
        arrays = {
            "sizes": np.array([len(self._legs), placed.workspace], np.int32),
            "externals": table("externals", rows.externals),
            "momenta": table("momenta", rows.momenta.rows),
            "propagators": table("propagators", rows.propagator_rows),
            "nodes": table("nodes", rows.nodes),
            "terms": table("terms", rows.terms),
            "index": np.concatenate([*rows.index, np.zeros(0, np.int32)]),
        }
        return arrays, placed

    # -- which instances vanish

    def _activity(self, node: Node) -> _Active:
        if not node.terms:
            return self._external_activity(node)
        parts = [self._term_activity(vertex) for vertex, _ in node.terms]
        upper = np.logical_or.reduce([part.upper for part in parts])
        lower = np.logical_or.reduce([part.lower for part in parts])
        if node.propagated and node.kind in (WaveKind.ket, WaveKind.bra):
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
            node.kind not in (WaveKind.ket, WaveKind.bra)
            or self._model.mass(node.pdg) > 0
            or CHOSEN in states
        ):
            everything = np.ones(shape, bool)
            return _Active(everything, everything)
        antiparticle = self._legs[leg].pdg < 0
        right = (states > 0) != antiparticle  # chirality of the field
        lower = right if node.kind == WaveKind.ket else ~right
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

    def _momentum_slots(self, placed: PlacedCurrents) -> _Momenta:
        """A slot for the momentum of every set of legs, the sum of those of a current below and of the rest."""
        momenta = _Momenta(len(self._legs))
        for number in placed:
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
        propagator, finish = 0, _core.Finish.raw
        if node.propagated:
            propagator = rows.propagator(
                momentum, self.constants.mass(mass), self.constants.mass(width)
            )
            massive = node.kind == WaveKind.vector and mass
            finish = _core.Finish.massive_vector if massive else _FINISH[node.kind]
        first = len(rows.terms)
        coordinates = np.argwhere(rows.placed.instances(number) >= 0)
        for vertex, coefficients in _merged(node.terms):
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
                "mass": self.constants.mass(mass),
            }
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
        offset, _ = rows.placed.whole(number)
        mass = self.constants.mass(self._pole(node)[0])
        spin = (
            len(helicity_states(self._model, leg.pdg)) - 1
            if node.kind == WaveKind.vector
            else int(node.kind != WaveKind.scalar)
        )
        indices = rows.placed.instances(number).reshape(-1)
        for state, index in zip(leg.states, indices, strict=True):
            if index >= 0:
                rows.externals.append(
                    {
                        "leg": position,
                        "kind": node.kind,
                        "antiparticle": int(leg.pdg < 0),
                        "incoming": int(leg.incoming),
                        "helicity": state,
                        "spin": spin,
                        "mass": mass,
                        "offset": offset + int(index) * _size(node),
                    }
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
            found = rows.placed.instances(child)
            index[:, column] = found[_coordinates(coordinates, found.shape)]
        index[~live] = -1
        a, b, c = [*(rows.placed.whole(child)[0] for child in vertex.arguments), 0][:3]
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


class PlacedCurrents:
    """Where the instances of the currents of a written tape stand in its workspace.

    Args:
        nodes: the graph.
        needed: per node, which of its helicities are needed; None where nothing is.

    Attributes:
        workspace: size of the workspace in numbers.
    """

    def __init__(self, nodes: Sequence[Node], needed: Sequence[_Bools | None]) -> None:
        self.workspace = _core.ZERO_NUMBERS
        self._nodes = nodes
        self._offsets: dict[int, int] = {}
        self._instances: dict[int, _Ints] = {}
        for number, wanted in enumerate(needed):
            if wanted is not None and wanted.any():
                index = np.full(wanted.shape, -1, np.int32)
                index[wanted] = np.arange(wanted.sum(), dtype=np.int32)
                self._instances[number] = index
                self._offsets[number] = self.workspace
                self.workspace += int(wanted.sum()) * _size(nodes[number])

    def __iter__(self) -> Iterator[int]:
        """The nodes of which anything is left, in order."""
        return iter(self._offsets)

    def __contains__(self, node: int) -> bool:
        return node in self._offsets

    def instances(self, node: int) -> _Ints:
        """Number of the instance for each combination of helicities, -1 where there is none."""
        return self._instances[node]

    def whole(self, node: int) -> tuple[int, int]:
        """Offset and number of instances of a node."""
        return self._offsets[node], int((self._instances[node] >= 0).sum())

    def offsets(self, node: int, helicities: _Ints) -> _Ints:
        """Offsets of the instances of a node, where none is that of the zeros.

        Args:
            node: number in the graph.
            helicities: positions among the helicities of the legs, shape (n, n_legs).

        Returns:
            int32, shape (n,).
        """
        index = self._instances[node]
        found = index[_coordinates(helicities, index.shape)]
        places = self._offsets[node] + _size(self._nodes[node]) * found
        return np.where(found >= 0, places, 0).astype(np.int32)


Row = Mapping[str, int]
"""A row of a table of a tape by the names of its columns."""


def table(name: str, rows: Sequence[Row]) -> _Ints:
    """A table of a tape, int32, shape (rows, columns), in the order of columns that the kernels read."""
    columns = _core.TAPE_COLUMNS[name]
    return np.array([itemgetter(*columns)(row) for row in rows], np.int32).reshape(-1, len(columns))


class _Momenta:
    """Slots of momenta; the first are those of the legs."""

    def __init__(self, n_legs: int) -> None:
        self.slots = {1 << leg: leg for leg in range(n_legs)}
        self.rows: list[Row] = []

    def add(self, legs: int, parts: Sequence[int]) -> int:
        """The slot of a set of legs that consists of parts which have slots."""
        if legs not in self.slots:
            rest = legs ^ parts[0]
            second = self.add(rest, parts[1:]) if len(parts) > 2 else self.slots[rest]
            self.rows.append({"a": self.slots[parts[0]], "b": second})
            self.slots[legs] = len(self.slots)
        return self.slots[legs]


class _Rows:
    """Rows of the tables as they are written."""

    def __init__(self, placed: PlacedCurrents, momenta: _Momenta) -> None:
        self.placed = placed
        self.momenta = momenta
        self.externals: list[Row] = []
        self.nodes: list[Row] = []
        self.terms: list[Row] = []
        self._propagators: dict[tuple[int, int, int], int] = {}
        self.index: list[_Ints] = []
        self._patterns: dict[bytes, int] = {}
        self._size = 0

    def propagator(self, momentum: int, mass: int, width: int) -> int:
        """Where a propagator stands; equal ones are kept once."""
        return self._propagators.setdefault((momentum, mass, width), len(self._propagators))

    @property
    def propagator_rows(self) -> list[Row]:
        """Rows of the propagators, in order."""
        names = ("momentum", "mass", "width")
        return [dict(zip(names, key, strict=True)) for key in self._propagators]

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
    return _core.SCALAR_NUMBERS if node.kind == WaveKind.scalar else _core.WAVE_NUMBERS


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
