"""Tables of a tape: their rows, its constants, and the places of its currents in the workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py._core import WaveKind
from madnis_py.physics.amplitudes.tapes.currents import WIDE, LorentzForm, Node
from madnis_py.physics.lorentz.factor_programs import with_form_factor
from madnis_py.physics.lorentz.form_factors import NO_FORM_FACTOR
from madnis_py.physics.lorentz.gaussian import Gaussian
from madnis_py.physics.lorentz.programs import MOMENTUM, Program, program_of
from madnis_py.physics.model.model import Model

ONE_EXPRESSION, IMAGINARY_UNIT = "1", "1j"
"""Expressions of the numbers that any tape may have, times rational ones."""

Arrays = dict[str, Any]
"""numpy arrays by name: int32 tables, float64 factors."""

_Bools = NDArray[np.bool_]
_Ints = NDArray[np.int32]


class Constants:
    """The numbers of a tape as expressions of the model: values change without a new tape.

    Attributes:
        entries: (expression, factor), in the order of the array.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[str, Fraction]] = []
        self._known: dict[tuple[tuple[str, Fraction], ...], int] = {}

    def add(self, *entries: tuple[str, Fraction]) -> int:
        """Position of the first of these entries, which stand one after the other."""
        if entries not in self._known:
            self._known[entries] = len(self.entries)
            self.entries += entries
        return self._known[entries]

    def mass(self, name: str) -> int:
        """Position of a mass or width; "" is zero."""
        return self.add((name or "0", Fraction(1)))

    def parts(self, number: Gaussian) -> list[int]:
        """Positions of the real and the imaginary part of a number, as far as there are."""
        parts = (ONE_EXPRESSION, number.re), (IMAGINARY_UNIT, number.im)
        return [self.add(part) for part in parts if part[1]]


def constant_values(entries: Sequence[tuple[str, Fraction]], model: Model) -> NDArray[np.float64]:
    """The array of constants, real and imaginary parts.

    Two zeros end it, for kernels that read three constants at once.
    """
    values = [model.coupling(expression) * float(factor) for expression, factor in entries]
    return np.array([*values, 0.0, 0.0], dtype=np.complex128).view(np.float64)


class PlacedCurrents:
    """Places of the instances of currents in the workspace of a tape.

    Args:
        nodes: the graph.
        needed: per node, which of its helicities are needed; None where nothing is.

    Attributes:
        zeros: numbers at its beginning that are zero, an instance of any kind that vanishes.
        workspace: size of the workspace in numbers.
    """

    def __init__(self, nodes: Sequence[Node], needed: Sequence[_Bools | None]) -> None:
        self.zeros = max(_core.WAVE_NUMBERS, *(numbers_of(node) for node in nodes))
        self.workspace = self.zeros
        self._nodes = nodes
        self._offsets: dict[int, int] = {}
        self._instances: dict[int, _Ints] = {}
        for number, wanted in enumerate(needed):
            if wanted is not None and wanted.any():
                index = np.full(wanted.shape, -1, np.int32)
                index[wanted] = np.arange(wanted.sum(), dtype=np.int32)
                self._instances[number] = index
                self._offsets[number] = self.workspace
                self.workspace += int(wanted.sum()) * numbers_of(nodes[number])

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
        found = index[indices_of(helicities, index.shape)]
        places = self._offsets[node] + numbers_of(self._nodes[node]) * found
        return np.where(found >= 0, places, 0).astype(np.int32)


Row = Mapping[str, int]
"""A row of a table of a tape by the names of its columns."""


def table(name: str, rows: Sequence[Row]) -> _Ints:
    """A table of a tape with its columns in the order of the kernels, int32 (rows, columns)."""
    columns = _core.TAPE_COLUMNS[name]
    return np.array([itemgetter(*columns)(row) for row in rows], np.int32).reshape(-1, len(columns))


class Momenta:
    """Slots of momenta; the first are those of the legs."""

    def __init__(self, n_legs: int) -> None:
        self.slots = {1 << leg: leg for leg in range(n_legs)}
        self.rows: list[Row] = []

    def add(self, legs: int, parts: Sequence[int]) -> int:
        """The slot of a set of legs, made of parts that have slots."""
        if legs not in self.slots:
            rest = legs ^ parts[0]
            second = self.add(rest, parts[1:]) if len(parts) > 2 else self.slots[rest]
            self.rows.append({"a": self.slots[parts[0]], "b": second})
            self.slots[legs] = len(self.slots)
        return self.slots[legs]


class TapeRows:
    """Rows of the tables as they are written."""

    def __init__(self, placed: PlacedCurrents, momenta: Momenta, constants: Constants) -> None:
        self.placed = placed
        self.momenta = momenta
        self.programs = ProgramRows(constants)
        self.externals: list[Row] = []
        self.nodes: list[Row] = []
        self.terms: list[Row] = []
        self._propagators: dict[tuple[int, ...], int] = {}
        self.index: list[_Ints] = []
        self._patterns: dict[bytes, int] = {}
        self._size = 0

    def propagator(
        self, momentum: int, mass: int, width: int, first: int = 0, degree: int = 0
    ) -> int:
        """Position of a propagator; equal ones are kept once."""
        key = momentum, mass, width, first, degree
        return self._propagators.setdefault(key, len(self._propagators))

    @property
    def propagator_rows(self) -> list[Row]:
        """Rows of the propagators, in order."""
        names = ("momentum", "mass", "width", "first", "degree")
        return [dict(zip(names, key, strict=True)) for key in self._propagators]

    def pattern(self, index: _Ints) -> int:
        """Position of a table of instances; equal ones are kept once."""
        key = index.tobytes()
        if key not in self._patterns:
            self._patterns[key] = self._size
            self.index.append(index.reshape(-1))
            self._size += index.size
        return self._patterns[key]


def has_wide_waves(arrays: Arrays) -> bool:
    """Whether a tape has waves of sixteen components, of spin 2 or 3/2."""
    return int(arrays["registers"][0]) > _core.WAVE_NUMBERS


def has_form_factors(arrays: Arrays) -> bool:
    """Whether a tape has steps other than sums of products."""
    place = _core.TAPE_COLUMNS["steps"].index("function")
    return bool((arrays["steps"][:, place] != _core.StepFunction.product).any())


class ProgramRows:
    """Rows of the programs of Lorentz structures.

    Args:
        constants: where the numbers of steps go.

    Attributes:
        tables: rows by the name of their table.
        n_registers: of the largest program.
    """

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._known: dict[LorentzForm, int] = {}
        self.tables: dict[str, list[Row]] = {
            name: [] for name in ("programs", "operands", "loads", "steps", "outputs")
        }
        self.n_registers = 0

    def program(self, form: LorentzForm) -> int:
        """Position of the program of a structure; each is kept once."""
        if form not in self._known:
            self._known[form] = len(self._known)
            arguments = form.structure, form.spins, form.out, frozenset(form.conjugated)
            program, n_legs = program_of(*arguments), len(form.spins)
            if form.factor != NO_FORM_FACTOR:
                program = with_form_factor(program, form.factor, form.out, n_legs)
            self._add(program, n_legs - 1)
        return self._known[form]

    def operands(self, rows: Sequence[Row]) -> int:
        """Position of the first of the children of a term."""
        self.tables["operands"] += rows
        return len(self.tables["operands"]) - len(rows)

    def _add(self, program: Program, children: int) -> None:
        assert MOMENTUM == _core.MOMENTUM_COMPONENT
        tables, parts = self.tables, self._parts
        tables["programs"].append(
            {
                "children": children,
                "first_load": len(tables["loads"]),
                "loads": len(program.loads),
                "first_step": len(tables["steps"]),
                "steps": sum(len(parts(step.number)) for step in program.steps),
                "first_output": len(tables["outputs"]),
                "outputs": sum(len(parts(scale)) for _, scale, _ in program.outputs),
            }
        )
        tables["loads"] += [{"child": child, "component": part} for child, part in program.loads]
        filled: set[int] = set()
        for step in program.steps:
            for number in parts(step.number):
                tables["steps"].append(
                    {
                        "target": step.target,
                        "first": int(step.target not in filled),
                        "number": number,
                        "a": step.a,
                        "b": -1 if step.b is None else step.b,
                        "function": _core.StepFunction[step.function],
                    }
                )
                filled.add(step.target)
        tables["outputs"] += [
            {"component": component, "number": number, "source": register}
            for component, scale, register in program.outputs
            for number in parts(scale)
        ]
        self.n_registers = max(self.n_registers, program.n_registers)

    def _parts(self, number: Gaussian | str) -> list[int]:
        if isinstance(number, Gaussian):
            return self._constants.parts(number)
        return [self._constants.add((number, Fraction(1)))]


def numbers_of(node: Node) -> int:
    """Numbers of one instance of a node."""
    if node.kind in WIDE:
        return _core.WIDE_NUMBERS
    return _core.SCALAR_NUMBERS if node.kind == WaveKind.scalar else _core.WAVE_NUMBERS


def indices_of(
    rows: NDArray[np.integer], shape: tuple[int, ...]
) -> tuple[NDArray[np.integer], ...]:
    """Index of rows of coordinates in an array, some of whose axes have length 1."""
    return tuple(
        rows[:, axis] if size > 1 else np.zeros(len(rows), np.int32)
        for axis, size in enumerate(shape)
    )
