"""Parameters of a UFO model: their order, and values of couplings at chosen external ones."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from madnis_py.physics.model.expressions import (
    FUNCTIONS,
    ExpressionError,
    Function,
    Names,
    Number,
    functions_in,
    names_in,
    value_of,
)
from madnis_py.physics.ufo.statements import UfoError
from madnis_py.physics.ufo.ufo_rows import UfoParameter, UfoRows

UNIT_ALPHA_S = 1 / (4 * math.pi)
"""alpha_s at g_s = 1."""

_AtTwoScales = tuple[Mapping[str, complex], Mapping[str, complex]]
"""Name -> value, at g_s = 1 and at g_s = 2."""

Expressions = Mapping[str, str]
"""Name of a parameter or coupling -> its expression."""


class ParameterValues:
    """Values of the parameters and couplings of a model, which follow from its external ones.

    Args:
        rows: parameters, couplings, functions.
        defaults: values of the external parameters.
        fixed: expressions of external parameters that are none any more.

    Attributes:
        expressions: of everything that follows, in the order in which it can be computed.
        strong: name of the external parameter alpha_s, "" if there is none.

    Raises:
        UfoError: an expression cannot be read or has unknown names, or parameters follow from each
            other; names file and line.
    """

    def __init__(self, rows: UfoRows, defaults: Mapping[str, float], fixed: Expressions) -> None:
        self._rows = rows
        self.external = {name: value for name, value in defaults.items() if name not in fixed}
        internal = {one.name: one for one in rows.parameters.values() if one.value is None}
        given = {
            **fixed,
            **{name: one.expression for name, one in internal.items()},
            **{one.name: one.expression for one in rows.couplings.values()},
        }
        places = {
            **{name: one.place for name, one in internal.items()},
            **{one.name: one.place for one in rows.couplings.values()},
        }
        _check_functions(given, rows.functions, places)
        self.expressions = _in_order(given, self.external, places)
        self.strong = _strong(rows.parameters.values(), self.external, self.expressions)

    @property
    def functions(self) -> Mapping[str, Function]:
        """Those that the model defines."""
        return self._rows.functions

    @cached_property
    def at_defaults(self) -> Mapping[str, complex]:
        """Name -> value, at g_s = 1; NaN for what has none."""
        return self._values(self.external, 1)

    def at(self, alpha_s: float) -> Mapping[str, complex]:
        """Name -> value, at some alpha_s; NaN for what has none."""
        return self._values(self.external, alpha_s / UNIT_ALPHA_S)

    @cached_property
    def of_strong(self) -> frozenset[str]:
        """Names of everything that depends on alpha_s."""
        return frozenset(_following(self.strong, self.expressions) if self.strong else ())

    def power(self, coupling: str) -> int | None:
        """The power of g_s of a coupling; None if it is no power of it."""
        if coupling not in self.of_strong:
            return 0
        for unrelated in (True, False):
            once, twice = self._two_scales_unrelated if unrelated else self._two_scales
            if once[coupling] != 0 and cmath.isfinite(once[coupling]):
                ratio = twice[coupling] / once[coupling]
                power = round(math.log2(abs(ratio))) if 1e-9 < abs(ratio) < 1e9 else 0
                return power if abs(ratio - 2.0**power) < 1e-9 * 2.0**power else None
        return None

    @cached_property
    def _two_scales_unrelated(self) -> _AtTwoScales:
        """For values of all parameters that have nothing to do with each other."""
        unrelated = {
            name: value * (1.07 + 0.013 * place) if value else 0.37 + 0.011 * place
            for place, (name, value) in enumerate(self.external.items())
        }
        return self._values(unrelated, 1), self._values(unrelated, 4)

    @cached_property
    def _two_scales(self) -> _AtTwoScales:
        return self.at_defaults, self._values(self.external, 4)

    def _values(self, external: Mapping[str, float], scale: float) -> Mapping[str, complex]:
        """Values at alpha_s = scale / (4 pi)."""
        numbers: dict[str, Number] = {**external}
        if self.strong:
            numbers[self.strong] = scale * UNIT_ALPHA_S
        names = Names(numbers, self.functions)
        for name, expression in self.expressions.items():
            numbers[name] = _value(expression, names)
        return {name: complex(value) for name, value in numbers.items()}


def _value(expression: str, names: Names) -> Number:
    try:
        return value_of(expression, names)
    except (ArithmeticError, ValueError, ExpressionError):
        return math.nan


def _check_functions(
    given: Expressions, functions: Mapping[str, Function], places: Mapping[str, str]
) -> None:
    """Refuse functions that are not known."""
    known = {*FUNCTIONS, *functions}
    for name, expression in given.items():
        place = places.get(name, "restriction")
        try:
            unknown = functions_in(expression) - known
        except ExpressionError as error:
            raise UfoError(f"{place}: {name}: {error}") from None
        if unknown:
            raise UfoError(f"{place}: {name}: expected known functions; got {min(unknown)}")


def _in_order(
    given: Expressions, external: Iterable[str], places: Mapping[str, str]
) -> dict[str, str]:
    """Expressions, each behind those that it needs."""
    known = {*external, "pi"}
    needed: dict[str, frozenset[str]] = {}
    for name, expression in given.items():
        place = places.get(name, "restriction")
        needed[name] = names_in(expression) - known
        for other in (one for one in needed[name] if one not in given):
            raise UfoError(f'{place}: {name}: expected names of parameters; got "{other}"')
    try:
        order = TopologicalSorter(needed).static_order()
        return {name: given[name] for name in order}
    except CycleError as error:
        circle = " <- ".join(error.args[1])
        place = places.get(error.args[1][0], "restriction")
        raise UfoError(f"{place}: expected parameters in no circle; got {circle}") from None


def _strong(
    parameters: Iterable[UfoParameter], external: Iterable[str], expressions: Expressions
) -> str:
    """The name of alpha_s: as UFO calls it, or what g_s follows from at its place in SLHA files.

    The place alone does not tell: models count the inputs of SMINPUTS as they like.
    """
    known = {*external}
    if "aS" in known:
        return "aS"
    for one in parameters:
        at_place = (one.block, one.code) == ("SMINPUTS", (3,)) and one.name in known
        if at_place and "G" in _following(one.name, expressions):
            return one.name
    return ""


def _following(parameter: str, expressions: Expressions) -> set[str]:
    """A parameter and everything that depends on it."""
    found = {parameter}
    for name, expression in expressions.items():
        if names_in(expression) & found:
            found.add(name)
    return found
