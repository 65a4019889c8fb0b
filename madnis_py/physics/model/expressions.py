"""Expressions of parameters and couplings: their text is evaluated, never executed as Python.

The notation is that of Python, as models in tables and UFO files have it (C. Degrande et al.,
arXiv:1108.2040): numbers, names, arithmetic, comparisons, `a if condition else b`, functions such
as `cmath.sqrt`, and `.real`, `.imag` and `.conjugate()`. Powers are of real or complex numbers,
never whole: none fills the memory.
"""

from __future__ import annotations

import ast
import cmath
import math
import operator
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, NamedTuple

from madnis_py.errors import InputError

Number = float | complex

Value = Callable[["Names"], Number]
"""What an expression is turned into: its value for the numbers that its names stand for."""

REAL_MASSES = "at_real_masses"
"""Function that has the value of its argument where masses are real."""

LONGEST = 1_000_000
"""Characters of an expression; those of models have a few thousand at most."""

_DEEPEST = 200
"""Brackets in each other; sums and products may have any number of terms."""


class ExpressionError(InputError):
    """An expression cannot be read, or has no value; says what was expected and what came."""


@dataclass(frozen=True)
class Function:
    """A function that a model defines, by those of `FUNCTIONS`.

    Attributes:
        arguments: their names.
        expression: its value in these names.
    """

    arguments: tuple[str, ...]
    expression: str


@dataclass(frozen=True)
class Names:
    """What the names of an expression stand for.

    Attributes:
        numbers: name -> value.
        functions: those that a model defines, before those of `FUNCTIONS`.
        continued: where masses are complex, the values at others; None where they are real.
    """

    numbers: Mapping[str, Number]
    functions: Mapping[str, Function] = field(default_factory=dict)
    continued: Continuation | None = None

    @property
    def mirrored(self) -> Names:
        """The names where complex masses have their conjugate values."""
        if self.continued is None:
            return self
        continued = Continuation(self.numbers, self.continued.real)
        return Names(self.continued.mirrored, self.functions, continued)

    @property
    def real(self) -> Names:
        """The names where masses are real."""
        return self if self.continued is None else Names(self.continued.real, self.functions)


@dataclass(frozen=True)
class Continuation:
    """Values beside those at complex masses, which make expressions analytic in the masses.

    The conjugate of f(m) becomes conj(f(conj(m))), and conditions are those of real masses.

    Attributes:
        mirrored: name -> value where complex masses have their conjugate values.
        real: name -> value where they are real.
    """

    mirrored: Mapping[str, Number]
    real: Mapping[str, Number]


def value_of(text: str, names: Names) -> Number:
    """Value of an expression.

    Raises:
        ExpressionError: it cannot be read, contains an unknown name, or compares complex numbers.
        ArithmeticError: it divides by zero or overflows.
        ValueError: a function has no value there.
    """
    return _compiled(text).value(names)


def names_in(text: str) -> frozenset[str]:
    """The names of numbers in an expression, those of its functions left out.

    Raises:
        ExpressionError: it cannot be read.
    """
    return _compiled(text).names


def functions_in(text: str) -> frozenset[str]:
    """The names of functions in an expression, those of cmath left out.

    Raises:
        ExpressionError: it cannot be read.
    """
    return _compiled(text).functions


class _Compiled(NamedTuple):
    """An expression as a function, and the names of numbers and functions in it."""

    value: Value
    names: frozenset[str]
    functions: frozenset[str]


@lru_cache(maxsize=16384)
def _compiled(text: str) -> _Compiled:
    compiler = _Compiler()
    try:
        value = compiler.value(_parsed(text), 0)
    except RecursionError:
        raise ExpressionError(f"expected an expression; got {_quoted(text)}") from None
    return _Compiled(value, frozenset(compiler.names), frozenset(compiler.functions))


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ExpressionError(
            f"expected an expression of at most {LONGEST:,} characters; got {len(text):,}"
        )
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"expected an expression; got {_quoted(text)}") from None


class _Compiler:
    """Turns the nodes of one expression into functions of names.

    Attributes:
        names: of numbers, those that have been met.
        functions: names of functions, those of cmath left out.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.functions: set[str] = set()

    def value(self, node: ast.expr, depth: int) -> Value:
        """The function that a node is."""
        if depth > _DEEPEST:
            raise ExpressionError(f"expected at most {_DEEPEST} brackets in each other; got more")
        match node:
            case ast.Constant(value=int() | float() | complex() as number) if not isinstance(
                number, bool
            ):
                return _constant(number)
            case ast.Name(id=name):
                self.names.add(name)
                return _named(name)
            case ast.BinOp(op=op) if type(op) in _ARITHMETIC:
                return self._arithmetic(node, depth)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                operand = self.value(inner, depth + 1)
                return lambda names: -operand(names)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.value(inner, depth + 1)
            case ast.IfExp(test=test, body=body, orelse=other):
                return _choice(*(self.value(one, depth + 1) for one in (test, body, other)))
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                return self._condition(node, depth)
            case ast.Attribute(value=ast.Name(id=module), attr="pi" | "e" as name) if (
                module in _MODULES
            ):
                return _constant(math.pi if name == "pi" else math.e)
            case ast.Attribute(value=inner, attr="real" | "imag" as part):
                return _PARTS[part](self.value(inner, depth + 1))
            case ast.Call(func=function, args=arguments, keywords=[]):
                return self._call(function, arguments, depth)
        raise ExpressionError(
            "expected numbers, names, arithmetic, conditions and functions in an expression; "
            f"got {_quoted(ast.unparse(node))}"
        )

    def _arithmetic(self, node: ast.BinOp, depth: int) -> Value:
        """A sum or product of any number of terms, from left to right as Python does."""
        steps: list[tuple[Callable[[Any, Any], Any], Value]] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and type(first.op) in _ARITHMETIC:
            steps.append((_ARITHMETIC[type(first.op)], self.value(first.right, depth + 1)))
            first = first.left
        start = self.value(first, depth + 1)
        if len(steps) == 1:
            ((operation, other),) = steps
            return lambda names: operation(start(names), other(names))
        steps.reverse()

        def value(names: Names) -> Number:
            total = start(names)
            for operation, other in steps:
                total = operation(total, other(names))
            return total

        return value

    def _condition(self, node: ast.Compare | ast.BoolOp | ast.UnaryOp, depth: int) -> Value:
        if isinstance(node, ast.UnaryOp):
            operand = self.value(node.operand, depth + 1)
            return lambda names: not operand(names)
        if isinstance(node, ast.BoolOp):
            parts = [self.value(one, depth + 1) for one in node.values]
            chosen = all if isinstance(node.op, ast.And) else any
            return lambda names: chosen(bool(part(names)) for part in parts)
        if not all(type(op) in _COMPARISONS for op in node.ops):
            raise ExpressionError(
                f"expected a comparison of numbers; got {_quoted(ast.unparse(node))}"
            )
        sides = [self.value(one, depth + 1) for one in (node.left, *node.comparators)]
        compared = [_COMPARISONS[type(op)] for op in node.ops]
        ordered = any(one not in (operator.eq, operator.ne) for one in compared)

        def value(names: Names) -> Number:
            numbers = [side(names) for side in sides]
            if ordered:
                numbers = [_real(number) for number in numbers]
            return all(
                one(a, b) for one, a, b in zip(compared, numbers[:-1], numbers[1:], strict=True)
            )

        return value

    def _call(self, function: ast.expr, arguments: list[ast.expr], depth: int) -> Value:
        values = [self.value(one, depth + 1) for one in arguments]
        match function:
            case ast.Attribute(value=inner, attr="conjugate") if not arguments:
                return _conjugated(self.value(inner, depth + 1))
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (
                module in _MODULES and name in _CMATH
            ):
                return _of_library(name, values)
            case ast.Name(id=name):
                self.functions.add(name)
                return _of_model(name, values)
        raise ExpressionError(f"expected a known function; got {_quoted(ast.unparse(function))}")


def _constant(number: complex) -> Value:
    if isinstance(number, int) and number > sys.float_info.max:
        raise ExpressionError("expected numbers below 1e308; got a larger one")
    return lambda names: number


def _named(name: str) -> Value:
    def value(names: Names) -> Number:
        try:
            return names.numbers[name]
        except KeyError:
            if name == "pi":
                return math.pi
            raise ExpressionError(f'expected names of parameters; got "{name}"') from None

    return value


def _power(base: Number, exponent: Number) -> Number:
    power: Number = (float(base) if isinstance(base, int) else base) ** exponent
    return power


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
}


def _choice(test: Value, body: Value, other: Value) -> Value:
    return lambda names: body(names) if test(names.real) else other(names)


def _conjugated(whole: Value) -> Value:
    return lambda names: whole(names.mirrored).conjugate()


def _real_part(whole: Value) -> Value:
    conjugate = _conjugated(whole)

    def value(names: Names) -> Number:
        number = whole(names)
        return float(number.real) if names.continued is None else (number + conjugate(names)) / 2

    return value


def _imaginary_part(whole: Value) -> Value:
    conjugate = _conjugated(whole)

    def value(names: Names) -> Number:
        number = whole(names)
        return float(number.imag) if names.continued is None else (number - conjugate(names)) / 2j

    return value


_PARTS = {"real": _real_part, "imag": _imaginary_part}


def _modulus(whole: Value) -> Value:
    conjugate = _conjugated(whole)
    return lambda names: cmath.sqrt(whole(names) * conjugate(names))


def _phase(whole: Value) -> Value:
    conjugate = _conjugated(whole)
    return lambda names: cmath.log(whole(names) / conjugate(names)) / 2j


def _zero_choice(number: Value, zero: Value, other: Value) -> Value:
    return _choice(lambda names: number(names) == 0, zero, other)


_CONTINUED: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "abs": _modulus,
        "arg": _phase,
        "complexconjugate": _conjugated,
        "cond": _zero_choice,
        "conj": _conjugated,
        "im": _imaginary_part,
        "phase": _phase,
        "re": _real_part,
        "theta_function": _choice,
        REAL_MASSES: lambda whole: lambda names: whole(names.real),
    }
)
"""Functions that are not analytic, as they are continued to complex masses."""


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _real(number: Number) -> float:
    if number.imag:
        raise ExpressionError(f"expected a real number to compare; got {number:g}")
    return number.real


def _conjugate(number: Number) -> Number:
    return complex(number).conjugate()


def _complex(real: Number, imaginary: Number = 0.0) -> complex:
    return complex(real, imaginary)


def _theta(condition: Number, yes: Number, no: Number) -> Number:
    return yes if condition else no


def _cond(condition: Number, zero: Number, other: Number) -> Number:
    return zero if condition == 0 else other


def _log_or_zero(number: Number) -> Number:
    return 0.0 if number == 0 else cmath.log(number)


_CMATH = [
    "sqrt",
    "exp",
    "log",
    "log10",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "phase",
]

_MODULES = ("cmath", "math")
"""Prefixes of functions; math.sqrt is that of cmath too."""

FUNCTIONS: Mapping[str, Callable[..., Number]] = MappingProxyType(
    {
        **{name: getattr(cmath, name) for name in _CMATH},
        "abs": abs,
        "acsc": lambda z: cmath.asin(1 / z),
        "arg": cmath.phase,
        "asec": lambda z: cmath.acos(1 / z),
        "acot": lambda z: cmath.atan(1 / z),
        "complex": _complex,
        "complexconjugate": _conjugate,
        "cond": _cond,
        "conj": _conjugate,
        "cot": lambda z: 1 / cmath.tan(z),
        "csc": lambda z: 1 / cmath.sin(z),
        "im": lambda z: float(z.imag),
        "max": lambda *numbers: max(map(_real, numbers)),
        "min": lambda *numbers: min(map(_real, numbers)),
        "re": lambda z: float(z.real),
        "reglog": _log_or_zero,
        "sec": lambda z: 1 / cmath.cos(z),
        "theta_function": _theta,
        REAL_MASSES: lambda z: z,
    }
)
"""Functions of expressions, those of UFO's function library among them."""


def _applied(name: str, function: Callable[..., Number], arguments: list[Value]) -> Value:
    def value(names: Names) -> Number:
        try:
            return function(*(argument(names) for argument in arguments))
        except TypeError:
            raise ExpressionError(
                f"expected a function of other arguments than {len(arguments)}; got {name}"
            ) from None

    return value


def _of_model(name: str, arguments: list[Value]) -> Value:
    """A function that a model defines, or that of `FUNCTIONS` if it does not."""
    known = _of_library(name, arguments) if name in FUNCTIONS else None

    def value(names: Names) -> Number:
        function = names.functions.get(name)
        if function is None and known is not None:
            return known(names)
        if function is None or len(function.arguments) != len(arguments):
            raise ExpressionError(
                f"expected a known function of {len(arguments)} arguments; got {name}"
            )
        given = partial(_given, function, arguments)
        continued = names.continued and Continuation(given(names.mirrored), given(names.real))
        return value_of(function.expression, Names(given(names), continued=continued))

    return value


def _given(function: Function, arguments: list[Value], names: Names) -> dict[str, Number]:
    """The arguments of a function by their names."""
    values = (argument(names) for argument in arguments)
    return dict(zip(function.arguments, values, strict=True))


def _of_library(name: str, arguments: list[Value]) -> Value:
    """A function of `FUNCTIONS`, continued where masses are complex."""
    plain = _applied(name, FUNCTIONS[name], arguments)
    if name not in _CONTINUED:
        return plain
    try:
        continued = _CONTINUED[name](*arguments)
    except TypeError:  # of other arguments
        return plain
    return lambda names: plain(names) if names.continued is None else continued(names)


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'
