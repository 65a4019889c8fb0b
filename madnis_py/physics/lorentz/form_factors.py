"""Form factors of vertices: expressions of parameters and of products of momenta.

UFO writes `1/(1 - P(-1,3)*P(-1,3)/Lambda**2)**2` (arXiv:1108.2040, 2304.09883). Here all parts
without momenta are constants, and an index that two momenta share is their product `dot(3,3)`.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from madnis_py.physics.lorentz.structures import Structure, read_expression, text_of

_LONGEST, _LARGEST_POWER, _DEEPEST = 50_000, 16, 100

_MODULES = ("cmath", "math")

_UNIT = "c0"
"""The constant 1."""


@dataclass(frozen=True, order=True)
class FormFactor:
    """A factor of a vertex that depends on momenta.

    Attributes:
        text: of constants c0, c1, .. with c0 = 1, products dot(1,2) of the momenta of legs,
            + - * / **, and sqrt, exp, log, conjugate and choice(x, yes, no), which is yes where
            Re x > 0; "" for 1.
        constants: expressions of parameters.
    """

    text: str = ""
    constants: tuple[str, ...] = ()

    def renumbered(self, legs: Mapping[int, int]) -> FormFactor:
        """The same with other numbers of its legs, old -> new."""

        def moved(found: re.Match[str]) -> str:
            first, second = sorted(legs[int(one)] for one in found.groups())
            return f"dot({first},{second})"

        return replace(self, text=re.sub(r"dot\((\d+),(\d+)\)", moved, self.text))


NO_FORM_FACTOR = FormFactor()
"""The factor 1."""


def parted(text: str, form_factors: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A structure whose products have names of form factors.

    Args:
        text: of the structure, as UFO has it.
        form_factors: name -> expression of UFO.

    Returns:
        (structure without them, product of the expressions, "" for none), to be added.

    Raises:
        ValueError: the text is no sum of products; a sentence.
    """

    class Quoted(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            return node

        def visit_Name(self, node: ast.Name) -> ast.AST:
            if node.id not in form_factors:
                raise ValueError(f"expected names of form factors; got {node.id[:40]}")
            return ast.Constant(f"({form_factors[node.id]})")

    by_factor: dict[str, Structure] = {}
    for product in read_expression(text, Quoted().visit):
        factor = "*".join(sorted(product.expressions))
        by_factor[factor] = (*by_factor.get(factor, ()), replace(product, expressions=()))
    return tuple((text_of(structure), factor) for factor, structure in by_factor.items())


def read_form_factor(text: str, n_legs: int) -> FormFactor:
    """A form factor from the text of UFO.

    Args:
        text: of parameters and of momenta P(index, leg).
        n_legs: of the vertex.

    Raises:
        ValueError: the text is nothing that is computed here; a sentence.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST} characters; got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise ValueError(f"expected an expression; got {text[:120]}") from None
    reader = _Reader(n_legs)
    value = reader.number(tree, 0)
    return FormFactor(value, tuple(reader.constants))


Vector = tuple[int, Mapping[int, str]]
"""Index, and coefficients of the momenta of legs."""


@dataclass(frozen=True)
class _Value:
    """A number times vectors whose indices have not met yet."""

    number: str
    vectors: tuple[Vector, ...] = ()


class _Reader:
    """Reads the syntax tree of a form factor.

    Attributes:
        constants: expressions, in the order of their numbers.
    """

    def __init__(self, n_legs: int) -> None:
        self._n_legs = n_legs
        self.constants: dict[str, int] = {"1": 0}

    def number(self, node: ast.expr, depth: int) -> str:
        """The text of what has no open index."""
        value = self._value(node, depth)
        if value.vectors:
            raise ValueError(
                f"expected momenta in products of two with one index; got {ast.unparse(node)[:120]}"
            )
        return value.number

    def _value(self, node: ast.expr, depth: int) -> _Value:
        if depth > _DEEPEST:
            raise ValueError(f"expected at most {_DEEPEST} brackets in each other; got more")
        if not _has_momenta(node):
            return _Value(self._constant(ast.unparse(node)))
        value = self._with_momenta(node, depth + 1)
        if len(value.number) > _LONGEST:
            raise ValueError(f"expected at most {_LONGEST} characters of invariants; got more")
        return value

    def _with_momenta(self, node: ast.expr, depth: int) -> _Value:
        match node:
            case ast.Call(ast.Name("P"), [index, ast.Constant(int() as leg)], []):
                if not 0 < leg <= self._n_legs:
                    raise ValueError(f"expected a leg from 1 to {self._n_legs}; got {leg}")
                return _Value(_UNIT, ((_index(index), {leg: _UNIT}),))
            case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
                return _sum(self._value(left, depth), self._value(right, depth), sign)
            case ast.BinOp(left, ast.Mult(), right):
                return _product(self._value(left, depth), self._value(right, depth))
            case ast.BinOp(left, ast.Div(), right):
                over, under = self._value(left, depth), self.number(right, depth)
                return replace(over, number=f"({over.number})/({under})")
            case ast.BinOp(left, ast.Pow(), right):
                return self._power(self._value(left, depth), right, depth)
            case ast.UnaryOp(ast.USub(), operand):
                value = self._value(operand, depth)
                return replace(value, number=f"-({value.number})")
            case ast.UnaryOp(ast.UAdd(), operand):
                return self._value(operand, depth)
            case ast.IfExp(test, body, other):
                yes, no = (self.number(one, depth) for one in (body, other))
                return _Value(self._choice(test, yes, no, depth))
            case ast.Call(function, arguments, []):
                return _Value(self._function(function, arguments, depth))
        raise ValueError(f"expected arithmetic of invariants; got {ast.unparse(node)[:120]}")

    def _constant(self, expression: str) -> str:
        return f"c{self.constants.setdefault(expression, len(self.constants))}"

    def _power(self, base: _Value, exponent: ast.expr, depth: int) -> _Value:
        match exponent:
            case ast.Constant(int() | float() as power) if power == int(power):
                whole = int(power)
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as power)) if power == int(
                power
            ):
                whole = -int(power)
            case _:
                if base.vectors:
                    raise ValueError("expected squares of momenta; got another power")
                other = self.number(exponent, depth)
                if not _has_momenta(exponent) and _is_half(exponent):
                    return _Value(f"sqrt({base.number})")
                return _Value(f"exp(({other})*log({base.number}))")
        if abs(whole) > _LARGEST_POWER:
            raise ValueError(f"expected powers of at most {_LARGEST_POWER}; got {whole}")
        if base.vectors:
            if whole < 0 or whole % 2:
                raise ValueError(f"expected squares of momenta; got the power {whole}")
            base, whole = _product(base, base), whole // 2
            if base.vectors:
                raise ValueError("expected the square of one momentum; got another one")
        return _Value(base.number if whole == 1 else f"({base.number})**{whole}")

    def _choice(self, test: ast.expr, yes: str, no: str, depth: int) -> str:
        match test:
            case ast.Compare(left, [op], [right]):
                a, b = self.number(left, depth), self.number(right, depth)
                match op:
                    case ast.Gt():
                        return f"choice(({a})-({b}),{yes},{no})"
                    case ast.Lt():
                        return f"choice(({b})-({a}),{yes},{no})"
                    case ast.GtE():
                        return f"choice(({b})-({a}),{no},{yes})"
                    case ast.LtE():
                        return f"choice(({a})-({b}),{no},{yes})"
        raise ValueError(f"expected one of <, <=, >, >=; got {ast.unparse(test)[:120]}")

    def _function(self, function: ast.expr, arguments: Sequence[ast.expr], depth: int) -> str:
        match function:
            case ast.Attribute(ast.Name(module), name) if module in _MODULES:
                pass
            case ast.Attribute(inner, "conjugate") if not arguments:
                return f"conjugate({self.number(inner, depth)})"
            case ast.Name(name):
                pass
            case _:
                name = ast.unparse(function)
        if name == "theta_function" and len(arguments) == 3:
            yes, no = (self.number(one, depth) for one in arguments[1:])
            return self._choice(arguments[0], yes, no, depth)
        if name not in _FUNCTIONS or len(arguments) != 1:
            known = ", ".join([*_FUNCTIONS, "theta_function"])
            raise ValueError(f"expected one of {known} of invariants; got {name[:40]}")
        return _FUNCTIONS[name](self.number(arguments[0], depth), self._constant)


_FUNCTIONS: Mapping[str, Callable[[str, Callable[[str], str]], str]] = {
    "sqrt": lambda z, _: f"sqrt({z})",
    "exp": lambda z, _: f"exp({z})",
    "log": lambda z, _: f"log({z})",
    "log10": lambda z, constant: f"log({z})*{constant(repr(1 / math.log(10)))}",
    "complexconjugate": lambda z, _: f"conjugate({z})",
    "abs": lambda z, _: f"sqrt(({z})*conjugate({z}))",
    "re": lambda z, constant: f"(({z})+conjugate({z}))*{constant('0.5')}",
    "im": lambda z, constant: f"(({z})-conjugate({z}))*{constant('-0.5j')}",
}
"""Function of UFO -> its text, given that of its argument and the names of constants."""


def _has_momenta(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "P" for one in ast.walk(node))


def _is_half(node: ast.expr) -> bool:
    match node:
        case ast.Constant(0.5) | ast.BinOp(ast.Constant(1 | 1.0), ast.Div(), ast.Constant(2 | 2.0)):
            return True
    return False


def _index(node: ast.expr) -> int:
    match node:
        case ast.UnaryOp(ast.USub(), ast.Constant(int() as number)) if number > 0:
            return -number
    raise ValueError(f"expected an index that is summed over; got {ast.unparse(node)[:40]}")


def _sum(a: _Value, b: _Value, operation: ast.operator) -> _Value:
    sign = "-" if isinstance(operation, ast.Sub) else "+"
    if not a.vectors and not b.vectors:
        return _Value(f"({a.number}){sign}({b.number})")
    if [index for index, _ in a.vectors] != [index for index, _ in b.vectors] or len(a.vectors) > 1:
        raise ValueError("expected sums of momenta with one index; got another sum")
    ((index, first),), ((_, second),) = a.vectors, b.vectors
    parts = {leg: _times(a.number, one) for leg, one in first.items()}
    for leg, one in second.items():
        more = _times(b.number, one)
        if leg in parts:
            parts[leg] = f"({parts[leg]}){sign}({more})"
        else:
            parts[leg] = more if sign == "+" else f"-({more})"
    return _Value(_UNIT, ((index, parts),))


def _product(a: _Value, b: _Value) -> _Value:
    """A product, vectors with one index multiplied."""
    number, open_vectors = _times(a.number, b.number), dict(a.vectors)
    for index, parts in b.vectors:
        if index not in open_vectors:
            open_vectors[index] = parts
            continue
        products = [
            _times(one, other, f"dot({min(leg, partner)},{max(leg, partner)})")
            for leg, one in open_vectors.pop(index).items()
            for partner, other in parts.items()
        ]
        number = _times(number, "+".join(products))
    return _Value(number, tuple(open_vectors.items()))


def _times(*factors: str) -> str:
    kept = [one for one in factors if one != _UNIT] or [_UNIT]
    return kept[0] if len(kept) == 1 else "*".join(f"({one})" for one in kept)
