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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

from madnis_py.errors import InputError

Number = float | complex

Tree = Number | str | list[Any]
"""What an expression is turned into, as JSON has it: a number, a name, or [kind, *parts]."""

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
        trees: text -> tree, of expressions that were read before.
    """

    numbers: Mapping[str, Number]
    functions: Mapping[str, Function] = field(default_factory=dict)
    continued: Continuation | None = None
    trees: Mapping[str, Tree] = field(default_factory=dict)

    @property
    def mirrored(self) -> Names:
        """The names where complex masses have their conjugate values."""
        if self.continued is None:
            return self
        continued = Continuation(self.numbers, self.continued.real)
        return replace(self, numbers=self.continued.mirrored, continued=continued)

    @property
    def real(self) -> Names:
        """The names where masses are real."""
        if self.continued is None:
            return self
        return replace(self, numbers=self.continued.real, continued=None)


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
    tree = names.trees.get(text)
    return _value(tree_of(text) if tree is None else tree, names)


def names_in(text: str) -> frozenset[str]:
    """The names of numbers in an expression, those of its functions left out.

    Raises:
        ExpressionError: it cannot be read.
    """
    return frozenset(part for part in _parts(tree_of(text)) if isinstance(part, str))


def functions_in(text: str) -> frozenset[str]:
    """The names of functions in an expression, those of cmath left out.

    Raises:
        ExpressionError: it cannot be read.
    """
    parts = _parts(tree_of(text))
    return frozenset(part[1] for part in parts if isinstance(part, list) and part[0] == "call")


def _parts(tree: Tree) -> Iterator[Tree]:
    """A tree and all trees in it."""
    yield tree
    if isinstance(tree, list):
        for part in tree[2:] if tree[0] in _NAMED else tree[1:]:
            yield from _parts(part)


_NAMED = ("call", "library", "arithmetic", "compare")
"""Kinds whose first part says which, and is no tree."""


@lru_cache(maxsize=65536)
def tree_of(text: str) -> Tree:
    """An expression as a tree.

    Raises:
        ExpressionError: it cannot be read.
    """
    try:
        return _tree(_parsed(text), 0)
    except RecursionError:
        raise ExpressionError(f"expected an expression; got {_quoted(text)}") from None


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ExpressionError(
            f"expected an expression of at most {LONGEST:,} characters; got {len(text):,}"
        )
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"expected an expression; got {_quoted(text)}") from None


def _tree(node: ast.expr, depth: int) -> Tree:
    """The tree of a node of Python."""
    if depth > _DEEPEST:
        raise ExpressionError(f"expected at most {_DEEPEST} brackets in each other; got more")

    def trees(*nodes: ast.expr) -> list[Tree]:
        return [_tree(one, depth + 1) for one in nodes]

    match node:
        case ast.Constant(value=int() | float() | complex() as number) if not isinstance(
            number, bool
        ):
            return _constant(number)
        case ast.Name(id=name):
            return name
        case ast.BinOp(op=op) if type(op) in _ARITHMETIC_SIGNS:
            return _arithmetic_tree(node, depth)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return ["minus", *trees(inner)]
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _tree(inner, depth + 1)
        case ast.IfExp(test=test, body=body, orelse=other):
            return ["if", *trees(test, body, other)]
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return ["not", *trees(inner)]
        case ast.BoolOp(op=op, values=values):
            return ["and" if isinstance(op, ast.And) else "or", *trees(*values)]
        case ast.Compare(left=left, ops=ops, comparators=others):
            if not all(type(op) in _COMPARISON_SIGNS for op in ops):
                raise ExpressionError(
                    f"expected a comparison of numbers; got {_quoted(ast.unparse(node))}"
                )
            signs = " ".join(_COMPARISON_SIGNS[type(op)] for op in ops)
            return ["compare", signs, *trees(left, *others)]
        case ast.Attribute(value=ast.Name(id=module), attr="pi" | "e" as name) if (
            module in _MODULES
        ):
            return math.pi if name == "pi" else math.e
        case ast.Attribute(value=inner, attr="real" | "imag" as part):
            return [part, *trees(inner)]
        case ast.Call(func=function, args=arguments, keywords=[]):
            return _call_tree(function, trees(*arguments), depth)
    raise ExpressionError(
        "expected numbers, names, arithmetic, conditions and functions in an expression; "
        f"got {_quoted(ast.unparse(node))}"
    )


def _constant(number: complex) -> Tree:
    if isinstance(number, int) and number > sys.float_info.max:
        raise ExpressionError("expected numbers below 1e308; got a larger one")
    return ["imaginary", number.imag] if isinstance(number, complex) else number


_ARITHMETIC_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "^",
}

_COMPARISON_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def _arithmetic_tree(node: ast.BinOp, depth: int) -> Tree:
    """A sum or product of any number of terms, from left to right as Python does."""
    signs: list[str] = []
    terms: list[Tree] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and type(first.op) in _ARITHMETIC_SIGNS:
        signs.append(_ARITHMETIC_SIGNS[type(first.op)])
        terms.append(_tree(first.right, depth + 1))
        first = first.left
    return ["arithmetic", "".join(reversed(signs)), _tree(first, depth + 1), *reversed(terms)]


def _call_tree(function: ast.expr, arguments: list[Tree], depth: int) -> Tree:
    match function:
        case ast.Attribute(value=inner, attr="conjugate") if not arguments:
            return ["conjugate", _tree(inner, depth + 1)]
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES and name in (
            *_CMATH,
            "pow",
        ):
            return ["library", name, *arguments]
        case ast.Name(id=name):
            return ["call", name, *arguments]
    raise ExpressionError(f"expected a known function; got {_quoted(ast.unparse(function))}")


def _value(tree: Tree, names: Names) -> Number:
    """Value of a tree."""
    if isinstance(tree, list):
        return _KINDS[tree[0]](tree, names)
    return _number(tree, names) if isinstance(tree, str) else tree


def _number(name: str, names: Names) -> Number:
    try:
        return names.numbers[name]
    except KeyError:
        if name == "pi":
            return math.pi
        raise ExpressionError(f'expected names of parameters; got "{name}"') from None


def _arithmetic(tree: list[Any], names: Names) -> Number:
    _, signs, first, *terms = tree
    total = _value(first, names)
    for sign, term in zip(signs, terms, strict=True):
        total = _ARITHMETIC[sign](total, _value(term, names))
    return total


def _power(base: Number, exponent: Number) -> Number:
    power: Number = (float(base) if isinstance(base, int) else base) ** exponent
    return power


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": _power,
}


def _choice(names: Names, test: Tree, body: Tree, other: Tree) -> Number:
    return _value(body if _value(test, names.real) else other, names)


def _zero_choice(names: Names, number: Tree, zero: Tree, other: Tree) -> Number:
    return _value(zero if _value(number, names.real) == 0 else other, names)


def _conjugated(names: Names, whole: Tree) -> Number:
    return _value(whole, names.mirrored).conjugate()


def _real_part(names: Names, whole: Tree) -> Number:
    number = _value(whole, names)
    if names.continued is None:
        return float(number.real)
    return (number + _conjugated(names, whole)) / 2


def _imaginary_part(names: Names, whole: Tree) -> Number:
    number = _value(whole, names)
    if names.continued is None:
        return float(number.imag)
    return (number - _conjugated(names, whole)) / 2j


def _modulus(names: Names, whole: Tree) -> Number:
    return cmath.sqrt(_value(whole, names) * _conjugated(names, whole))


def _phase(names: Names, whole: Tree) -> Number:
    return cmath.log(_value(whole, names) / _conjugated(names, whole)) / 2j


_CONTINUED: Mapping[str, Callable[..., Number]] = MappingProxyType(
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
        REAL_MASSES: lambda names, whole: _value(whole, names.real),
    }
)
"""Functions that are not analytic, as they are continued to complex masses."""


def _compared(tree: list[Any], names: Names) -> Number:
    _, signs, *sides = tree
    compared = [_COMPARISONS[sign] for sign in signs.split()]
    numbers = [_value(side, names) for side in sides]
    if any(one not in (operator.eq, operator.ne) for one in compared):
        numbers = [_real(number) for number in numbers]
    return all(one(a, b) for one, a, b in zip(compared, numbers[:-1], numbers[1:], strict=True))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
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
"""Prefixes of functions; math.sqrt is that of cmath too, and math.pow a power."""

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
        "pow": _power,
        "re": lambda z: float(z.real),
        "reglog": _log_or_zero,
        "sec": lambda z: 1 / cmath.cos(z),
        "theta_function": _theta,
        REAL_MASSES: lambda z: z,
    }
)
"""Functions of expressions, those of UFO's function library among them."""


def _of_library(tree: list[Any], names: Names) -> Number:
    """A function of `FUNCTIONS`, continued where masses are complex."""
    _, name, *arguments = tree
    try:
        if names.continued is not None and name in _CONTINUED:
            return _CONTINUED[name](names, *arguments)
        return FUNCTIONS[name](*(_value(argument, names) for argument in arguments))
    except TypeError:
        raise ExpressionError(
            f"expected a function of other arguments than {len(arguments)}; got {name}"
        ) from None


def _of_model(tree: list[Any], names: Names) -> Number:
    """A function that a model defines, or that of `FUNCTIONS` if it does not."""
    _, name, *arguments = tree
    function = names.functions.get(name)
    if function is None and name in FUNCTIONS:
        return _of_library(tree, names)
    if function is None or len(function.arguments) != len(arguments):
        raise ExpressionError(
            f"expected a known function of {len(arguments)} arguments; got {name}"
        )
    given = partial(_given, function, arguments)
    continued = names.continued and Continuation(given(names.mirrored), given(names.real))
    return value_of(function.expression, Names(given(names), {}, continued, names.trees))


def _given(function: Function, arguments: list[Tree], names: Names) -> dict[str, Number]:
    """The arguments of a function by their names."""
    values = (_value(argument, names) for argument in arguments)
    return dict(zip(function.arguments, values, strict=True))


_KINDS: Mapping[str, Callable[[list[Any], Names], Number]] = MappingProxyType(
    {
        "and": lambda tree, names: all(bool(_value(part, names)) for part in tree[1:]),
        "arithmetic": _arithmetic,
        "call": _of_model,
        "compare": _compared,
        "conjugate": lambda tree, names: _conjugated(names, tree[1]),
        "if": lambda tree, names: _choice(names, *tree[1:]),
        "imag": lambda tree, names: _imaginary_part(names, tree[1]),
        "imaginary": lambda tree, _: complex(0.0, tree[1]),
        "library": _of_library,
        "minus": lambda tree, names: -_value(tree[1], names),
        "not": lambda tree, names: not _value(tree[1], names),
        "or": lambda tree, names: any(bool(_value(part, names)) for part in tree[1:]),
        "real": lambda tree, names: _real_part(names, tree[1]),
    }
)
"""Kinds of trees and what computes them."""


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'
