"""Lorentz structures as text, `Gamma(3,2,-1)*ProjM(-1,1)`, read into sums of products of factors.

The names and the order of their indices are those of UFO, arXiv:1108.2040. An index n > 0 belongs
to leg n: the Lorentz index of a vector, the spinor index of a fermion, both for spin 3/2; a leg of
spin 2 has the Lorentz indices 1000 + n and 2000 + n. A negative index is summed over.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from madnis_py.physics.lorentz.gaussian import ONE, Gaussian

FACTORS: Mapping[str, str] = MappingProxyType(
    {
        "Metric": "LL",
        "P": "Lp",
        "Epsilon": "LLLL",
        "Gamma": "LSS",
        "Gamma5": "SS",
        "ProjM": "SS",
        "ProjP": "SS",
        "Identity": "SS",
        "Sigma": "LLSS",
        "C": "SS",
    }
)
"""Factor -> its indices: L of Lorentz, S of spinors, p the number of a leg.

C is in texts of UFO alone, see `charge_conjugation`.
"""

_MOST_PRODUCTS, _LARGEST_POWER, _LONGEST = 4000, 8, 100_000

Axis = tuple[str, int]
"""An index: "L" or "S", and its number."""


@dataclass(frozen=True, order=True)
class Factor:
    """A factor of a structure.

    Attributes:
        name: one of `FACTORS`.
        indices: in the order of UFO.
    """

    name: str
    indices: tuple[int, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Its indices with their kinds, the number of a leg left out."""
        kinds = FACTORS.get(self.name, "")
        return tuple(
            (kind, index) for kind, index in zip(kinds, self.indices, strict=True) if kind != "p"
        )

    def __str__(self) -> str:
        return f"{self.name}({','.join(map(str, self.indices))})"


@dataclass(frozen=True)
class Product:
    """A product of factors.

    Attributes:
        coefficient: of the product.
        factors: in the order of the text.
        expressions: of parameters, which multiply it; texts in the syntax tree.
    """

    coefficient: Gaussian
    factors: tuple[Factor, ...] = ()
    expressions: tuple[str, ...] = ()

    def __str__(self) -> str:
        number = [] if self.coefficient == ONE and self.factors else [str(self.coefficient)]
        return "*".join([*number, *map(str, self.factors)])


Structure = tuple[Product, ...]
"""A sum of products."""


def text_of(structure: Structure) -> str:
    """A structure as text; `read_structure` reads it."""
    return " + ".join(map(str, structure)) or "0"


def read_structure(text: str, spins: Sequence[int]) -> Structure:
    """A structure from its text.

    Args:
        text: as in UFO.
        spins: 2 s + 1 of the legs.

    Raises:
        ValueError: the text is no sum of products, or its indices are not those of the legs; a
            sentence.
    """
    return _structure(text, tuple(spins))


@lru_cache(maxsize=2048)
def _structure(text: str, spins: tuple[int, ...]) -> Structure:
    """As `read_structure`; many vertices of a model have the same."""
    products = read_expression(text)
    for product in products:
        _check_indices(product, spins, text)
    return products


def read_expression(
    text: str, transformed: Callable[[ast.expr], ast.expr] = lambda tree: tree
) -> Structure:
    """The sum of products that a text is, whatever their indices.

    Args:
        text: as in UFO.
        transformed: what the syntax tree goes through before it is read; texts in it multiply.

    Raises:
        ValueError: the text is no sum of products; a sentence.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST} characters; got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        raise ValueError(f"expected a sum of products of factors; got {_short(text)}") from None
    try:
        return tuple(product for product in _sum(transformed(tree)) if product.coefficient)
    except RecursionError:
        raise ValueError(f"expected fewer brackets; got {_short(text)}") from None


def _sum(node: ast.expr) -> Structure:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return _sum(left) + _sum(right)
        case ast.BinOp(left, ast.Sub(), right):
            return _sum(left) + _scaled(_sum(right), -ONE)
        case ast.BinOp(left, ast.Mult(), right):
            return _multiplied(_sum(left), _sum(right))
        case ast.BinOp(left, ast.Div(), right):
            return _scaled(_sum(left), ONE / _divisor(right))
        case ast.BinOp(left, ast.Pow(), ast.Constant(int() as power)) if (
            0 <= power <= _LARGEST_POWER
        ):
            result: Structure = (Product(ONE),)
            for _ in range(power):
                result = _multiplied(result, _sum(left))
            return result
        case ast.UnaryOp(ast.USub(), operand):
            return _scaled(_sum(operand), -ONE)
        case ast.UnaryOp(ast.UAdd(), operand):
            return _sum(operand)
        case ast.Constant(complex() as value) if value == 1j:
            return (Product(Gaussian(Fraction(0), Fraction(1))),)
        case ast.Constant(int() | float() as value):
            return (Product(Gaussian(_fraction(value))),)
        case ast.Constant(str() as text):
            return (Product(ONE, (), (text,)),)
        case ast.Call(ast.Name("complex"), [re, im], []):
            return (Product(Gaussian(_number(re).re, _number(im).re)),)
        case ast.Call(ast.Name(name), arguments, []):
            return (_factor(name, [_index(one) for one in arguments]),)
    raise ValueError(f"expected numbers and factors; got {_short(ast.unparse(node))}")


def _factor(name: str, indices: list[int]) -> Product:
    if name == "PSlash" and len(indices) == 3:
        dummy = -10_000 - 300 * (indices[0] % 300) - indices[1] % 300
        row, column, leg = indices
        return Product(ONE, (Factor("Gamma", (dummy, row, column)), Factor("P", (dummy, leg))))
    if name not in FACTORS:
        raise ValueError(f"expected one of {', '.join(FACTORS)}; got {name[:40]}")
    if len(indices) != len(FACTORS[name]):
        raise ValueError(f"{name}: expected {len(FACTORS[name])} indices; got {len(indices)}")
    return Product(ONE, (Factor(name, tuple(indices)),))


def _index(node: ast.expr) -> int:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int and 0 < node.value < 100_000:
        return sign * node.value
    raise ValueError(f"expected an integer as index; got {_short(ast.unparse(node))}")


def _number(node: ast.expr) -> Gaussian:
    """The number that an expression without factors is."""
    total = Gaussian()
    for product in _sum(node):
        if product.factors or product.expressions:
            raise ValueError(f"expected a number; got {_short(ast.unparse(node))}")
        total = total + product.coefficient
    return total


def _divisor(node: ast.expr) -> Gaussian:
    number = _number(node)
    if not number:
        raise ValueError(f"expected a number other than zero; got {_short(ast.unparse(node))}")
    return number


def _fraction(value: float) -> Fraction:
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _scaled(structure: Structure, factor: Gaussian) -> Structure:
    return tuple(replace(one, coefficient=one.coefficient * factor) for one in structure)


def _multiplied(first: Structure, second: Structure) -> Structure:
    if len(first) * len(second) > _MOST_PRODUCTS:
        raise ValueError(f"expected at most {_MOST_PRODUCTS} products; got more")
    return tuple(
        Product(a.coefficient * b.coefficient, a.factors + b.factors, a.expressions + b.expressions)
        for a in first
        for b in second
    )


def leg_axes(leg: int, spin: int) -> tuple[Axis, ...]:
    """The indices of a leg, numbered from 1, by its spin 2 s + 1."""
    match spin:
        case 1:
            return ()
        case 2:
            return (("S", leg),)
        case 3:
            return (("L", leg),)
        case 4:
            return (("L", leg), ("S", leg))
        case 5:
            return (("L", 1000 + leg), ("L", 2000 + leg))
    raise ValueError(f"expected spins of 0, 1/2, 1, 3/2 or 2; got 2 s + 1 = {spin}")


def _check_indices(product: Product, spins: Sequence[int], text: str) -> None:
    """Every leg has its indices once, every index that is summed over is there twice."""
    times = Counter(axis for factor in product.factors for axis in factor.axes)
    legs = {axis for leg, spin in enumerate(spins, 1) for axis in leg_axes(leg, spin)}
    momenta = {factor.indices[1] for factor in product.factors if factor.name == "P"}
    wrong = [axis for axis in legs if times[axis] != 1]
    wrong += [
        axis for axis, count in times.items() if axis not in legs and (axis[1] > 0 or count != 2)
    ]
    wrong += [("S", 0) for factor in product.factors if factor.name == "C"]
    if wrong or product.expressions or not momenta <= set(range(1, len(spins) + 1)):
        raise ValueError(
            f"expected indices of legs with 2 s + 1 = {', '.join(map(str, spins))}, and those "
            f"below zero twice each; got {_short(str(product))} in {_short(text)}"
        )


def spin_lines(product: Product) -> Iterator[tuple[int, int]]:
    """The (row, column) legs that the spinor indices of a product join."""
    links = {
        axes[0][1]: axes[1][1]
        for axes in ([axis for axis in one.axes if axis[0] == "S"] for one in product.factors)
        if axes
    }
    for row in [one for one in links if one > 0]:
        column = links[row]
        while column < 0:
            column = links.get(column, 0)
        yield row, column


def renumbered(structure: Structure, legs: Mapping[int, int], momentum_sign: int) -> Structure:
    """A structure with other numbers of its legs.

    Args:
        structure: any.
        legs: old number -> new number.
        momentum_sign: what every momentum is multiplied by.
    """

    def moved(indices: Iterable[int]) -> tuple[int, ...]:
        return tuple(one if one < 0 else 1000 * (one // 1000) + legs[one % 1000] for one in indices)

    def sign(product: Product) -> Gaussian:
        count = sum(factor.name == "P" for factor in product.factors)
        return Gaussian(Fraction(momentum_sign**count))

    return tuple(
        replace(
            one,
            coefficient=one.coefficient * sign(one),
            factors=tuple(Factor(factor.name, moved(factor.indices)) for factor in one.factors),
        )
        for one in structure
    )


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."
