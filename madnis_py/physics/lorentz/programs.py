"""Programs of structures: the component of one leg from the waves of all others, in few steps.

A sparse tensor is contracted with one wave after the other; what remains after each, a linear
combination of products, is kept in a register and shared by all that need a multiple of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from madnis_py.physics.lorentz.gaussian import ONE, Gaussian
from madnis_py.physics.lorentz.structures import leg_axes, read_structure
from madnis_py.physics.lorentz.tensors import (
    METRIC,
    Momenta,
    Tensor,
    conjugated_at,
    expanded,
    without_momentum,
)

MOMENTUM = 16
"""Component 0 of the momentum of a child, behind the components of its wave."""

UNIT = (-1, 0)
"""Child and component of a load that is the number one."""

PRODUCT = "product"
"""What a step of a structure does."""

_MOST_ORDERS = 3
"""Number of contractions up to which all orders are tried."""

_Pair = tuple[int, int | None]
"""Two registers that are multiplied, or one."""

_Value = tuple[Gaussian, int | None]
"""A number times a register, or a number alone."""


@dataclass(frozen=True)
class ProgramStep:
    """One addition, register[target] += number x register[a] x register[b].

    Attributes:
        target: register.
        number: a Gaussian rational, or an expression of parameters.
        a: register.
        b: register; None for a factor of one.
        function: `PRODUCT`, or that of register a which the target becomes; "choice" makes it
            register b where the real part of a is above zero.
    """

    target: int
    number: Gaussian | str
    a: int
    b: int | None
    function: str = PRODUCT


@dataclass(frozen=True)
class Program:
    """How a component of one leg follows from the waves of the others.

    Attributes:
        loads: (child, component of its wave, or `MOMENTUM` + mu) of the first registers.
        steps: those of one target stand together, behind the steps of the registers they use.
        outputs: (component, number, register).
        n_registers: number of registers.
        classes: for the leg that comes out and each child, which pair of the spinor components (0
            for the upper, 1 for the lower one; 0 for other waves) goes with which, of all entries.
    """

    loads: tuple[tuple[int, int], ...]
    steps: tuple[ProgramStep, ...]
    outputs: tuple[tuple[int, Gaussian, int], ...]
    n_registers: int
    classes: frozenset[tuple[int, ...]]


@cache
def program_of(text: str, spins: tuple[int, ...], out: int, conjugated: frozenset[int]) -> Program:
    """The program of a structure.

    Args:
        text: of the structure, over the legs 1, 2, ...
        spins: 2 s + 1 of the legs.
        out: position of the leg that comes out, from 0 on; with upper indices.
        conjugated: positions of spinors that are columns where the structure has a row, or rows
            where it has a column.

    Raises:
        ValueError: the structure cannot be read.
    """
    tensor = without_momentum(expanded(read_structure(text, spins), spins), out + 1, len(spins))
    rows = {
        factor.axes[k][1]
        for product in read_structure(text, spins)
        for factor in product.factors
        for k in range(len(factor.axes) - 1)
        if factor.axes[k][0] == "S"
    }
    for leg in conjugated:
        tensor = conjugated_at(tensor, leg, leg + 1 in rows, leg == out)
    return _best_program(_raised(tensor, out, spins), out, spins)


def _raised(tensor: Tensor, out: int, spins: Sequence[int]) -> Tensor:
    """The tensor with the Lorentz indices of a leg raised."""
    kinds = [kind for kind, _ in leg_axes(out + 1, spins[out])]

    def sign(component: int) -> int:
        result = 1
        for kind in reversed(kinds):
            component, value = divmod(component, 4)
            result *= METRIC[value] if kind == "L" else 1
        return result

    return {key: number if sign(key[0][out]) > 0 else -number for key, number in tensor.items()}


def _best_program(tensor: Tensor, out: int, spins: Sequence[int]) -> Program:
    children = [leg for leg in range(len(spins)) if leg != out]
    entries = {
        (components[out], tuple(components[leg] for leg in children), _children(momenta, out)): one
        for (components, momenta), one in tensor.items()
    }
    classes = frozenset(
        tuple(
            component % 4 // 2 if spin % 2 == 0 else 0
            for component, spin in zip(
                (out_component, *components),
                (spins[out], *(spins[leg] for leg in children)),
                strict=True,
            )
        )
        for out_component, components, _ in entries
    )
    stages = list(range(len(children)))
    if any(momenta for _, _, momenta in entries):
        stages.append(len(children))
    orders = (
        list(permutations(stages))
        if len(stages) <= _MOST_ORDERS
        else [tuple(stages), tuple(reversed(stages)), (stages[-1], *stages[:-1])]
    )
    found = [_Compiler(entries, order).program(classes) for order in orders]
    return min(found, key=lambda program: sum(1 if step.b is None else 3 for step in program.steps))


def _children(momenta: Momenta, out: int) -> Momenta:
    """Momenta by the number of the child."""
    return tuple((leg - 1 if leg - 1 < out else leg - 2, mu) for leg, mu in momenta)


class _Compiler:
    """Contracts a tensor with waves and momenta in a given order.

    Args:
        entries: (component out, components of the children, momenta) -> coefficient.
        order: children, and their number for all momenta.
    """

    def __init__(
        self,
        entries: Mapping[tuple[int, tuple[int, ...], Momenta], Gaussian],
        order: Sequence[int],
    ) -> None:
        self._loads: dict[tuple[int, int], int] = {}
        self._known: dict[tuple[tuple[Gaussian, int, int | None], ...], int] = {}
        self._entries, self._order = entries, order
        self._collect_loads()

    def _collect_loads(self) -> None:
        for _, components, momenta in self._entries:
            for child, component in enumerate(components):
                self._loads.setdefault((child, component), len(self._loads))
            if not momenta and len(components) in self._order:
                self._loads.setdefault(UNIT, len(self._loads))
            for child, mu in momenta:
                self._loads.setdefault((child, MOMENTUM + mu), len(self._loads))

    def program(self, classes: frozenset[tuple[int, ...]]) -> Program:
        """The program."""
        values: dict[tuple[object, ...], _Value] = {}
        for (component, components, momenta), number in self._entries.items():
            values[component, *components, momenta] = number, None
        remaining = [*range(len(next(iter(self._entries))[1]) + 1)] if self._entries else []
        for stage in self._order:
            place = 1 + remaining.index(stage)
            remaining.remove(stage)
            values = self._contracted(values, place, stage)
        outputs = []
        for key, (number, register) in sorted(values.items(), key=lambda item: str(item[0])):
            assert isinstance(key[0], int)
            assert register is not None
            outputs.append((key[0], number, register))
        first = len(self._loads)
        steps = [
            ProgramStep(first + place, number, a, b)
            for place, terms in enumerate(self._known)
            for number, a, b in terms
        ]
        return Program(
            tuple(self._loads), tuple(steps), tuple(outputs), first + len(self._known), classes
        )

    def _contracted(
        self, values: Mapping[tuple[object, ...], _Value], place: int, stage: int
    ) -> dict[tuple[object, ...], _Value]:
        """Sums over one index of all values."""
        sums: dict[tuple[object, ...], dict[_Pair, Gaussian]] = defaultdict(
            lambda: defaultdict(Gaussian)
        )
        for key, (number, register) in values.items():
            index = key[place]
            rest = key[:place] + key[place + 1 :]
            factor = self._register(index, stage)
            factors = [one for one in (register, factor) if one is not None] or [self._unit()]
            pair = max(factors), min(factors) if len(factors) > 1 else None
            sums[rest][pair] += number
        return {key: self._sum(terms) for key, terms in sums.items() if any(terms.values())}

    def _unit(self) -> int:
        """Register of the number one."""
        return self._loads[UNIT]

    def _register(self, index: object, stage: int) -> int | None:
        """Register of a component of a child, or of a product of momenta; None for one."""
        if isinstance(index, int):
            return self._loads[stage, index]
        assert isinstance(index, tuple)
        register: int | None = None
        for child, mu in index:
            factor = self._loads[child, MOMENTUM + mu]
            register = (
                factor
                if register is None
                else self._new(((ONE, max(register, factor), min(register, factor)),))
            )
        return register

    def _sum(self, terms: Mapping[_Pair, Gaussian]) -> _Value:
        kept = sorted(
            ((number, a, b) for (a, b), number in terms.items() if number),
            key=lambda one: (one[1], -1 if one[2] is None else one[2]),
        )
        scale = kept[0][0]
        normalised = tuple((number / scale, a, b) for number, a, b in kept)
        if len(normalised) == 1 and normalised[0][2] is None:
            return scale, normalised[0][1]
        return scale, self._new(normalised)

    def _new(self, terms: tuple[tuple[Gaussian, int, int | None], ...]) -> int:
        return len(self._loads) + self._known.setdefault(terms, len(self._known))
