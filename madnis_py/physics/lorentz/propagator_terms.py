"""Propagators of UFO models, numerators and denominators as text, in what amplitudes compute.

UFO writes indices as numbers or names, 1 where the line leaves and 2 where it enters, for spin 2
with 51 and 52 beside them; `id` is the particle, `Mass(id)` and `Width(id)` its parameters. Other
names are parameters of the model, as in the corrections to widths of SMEFTsim, arXiv:2012.11343.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from madnis_py.physics.lorentz.gaussian import Gaussian
from madnis_py.physics.lorentz.structures import (
    FACTORS,
    Factor,
    Product,
    Structure,
    read_expression,
    read_structure,
    text_of,
)

_IMAGINARY = Gaussian(Fraction(0), Fraction(1))

_PLACES = {5: {1: 1001, 51: 2001, 2: 1002, 52: 2002}}
"""Indices of UFO -> those of a structure of two legs, by 2 s + 1, where they differ."""

_LARGEST_DEGREE = 4
"""Power of p^2 in a denominator."""

_OF_PARTICLE: Mapping[str, tuple[str, int]] = {
    "Mass": ("Mass", 1),
    "Width": ("Width", 1),
    "OverMass": ("Mass", -1),
    "OverMass2": ("Mass", -2),
    "OverWidth": ("Width", -1),
}
"""Functions of the particle id -> its parameter and the power of it."""

_SHORT = ("PSlash",)
"""Factors that are products of others."""


@dataclass(frozen=True)
class LineParameters:
    """What the texts of a propagator may name.

    Attributes:
        mass: expression of the mass of the particle, "" for zero.
        width: expression of its width, "" for zero.
        names: of other parameters of the model.
        functions: those that expressions may use beside `cmath.sqrt` and the like.
    """

    mass: str
    width: str
    names: Collection[str] = ()
    functions: Collection[str] = ()


def propagator_terms(
    numerator: str, denominator: str, spin: int, parameters: LineParameters
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """A propagator of UFO, which is numerator / denominator.

    Args:
        numerator: text, the factor i included.
        denominator: text, a polynomial in p^2.
        spin: 2 s + 1.
        parameters: of the particle and its model.

    Returns:
        Terms (structure of leg 1, what leaves, and leg 2, what enters; coupling), i times the
        numerator; and the coefficients of 1, p^2, p^4, ... of the denominator, expressions.

    Raises:
        ValueError: the text is nothing that is computed here; a sentence.
    """
    by_coupling: dict[str, Structure] = defaultdict(tuple)
    for product in _read(numerator, spin, parameters):
        tensor = _paired(product)
        rotated = Product(tensor.coefficient * _IMAGINARY, tensor.factors)
        by_coupling[_coupling(product)] += (rotated,)
    terms = []
    for coupling, structure in by_coupling.items():
        text = text_of(structure)
        read_structure(text, (spin, spin))
        terms.append((text, coupling))
    return tuple(terms), _coefficients(denominator, parameters)


def _coefficients(denominator: str, parameters: LineParameters) -> tuple[str, ...]:
    """The coefficients of the powers of p^2."""
    found: dict[int, list[str]] = defaultdict(list)
    for product in _read(denominator, 1, parameters):
        momenta = Counter(factor.indices[0] for factor in product.factors)
        odd = any(count % 2 for count in momenta.values())
        if odd or any(factor.name != "P" for factor in product.factors):
            raise ValueError(f"expected a polynomial in p^2; got {denominator[:120]}")
        text = f"{product.coefficient}*({_coupling(product)})"
        found[len(product.factors) // 2].append(text)
    degree = max(found, default=0)
    if not 0 < degree <= _LARGEST_DEGREE:
        raise ValueError(
            f"expected a polynomial in p^2 of degree 1 to {_LARGEST_DEGREE}; got "
            f"{denominator[:120]}"
        )
    return tuple(" + ".join(found.get(power, ())) or "0" for power in range(degree + 1))


def _coupling(product: Product) -> str:
    """The parameters that multiply a product."""
    return "*".join(f"({text})" for text in sorted(product.expressions)) or "1"


def _paired(product: Product) -> Product:
    """A product in which squares of momenta have an index each, though the text repeats one."""
    times = Counter(axis for factor in product.factors for axis in factor.axes)
    squares = [axis for axis, count in times.items() if count > 2 and count % 2 == 0]
    factors = list(product.factors)
    dummy = -1_050
    for axis in squares:
        own = [place for place, factor in enumerate(factors) if axis in factor.axes]
        if any(factors[place].name != "P" for place in own):
            continue
        for first, second in zip(own[::2], own[1::2], strict=True):
            for place in (first, second):
                factors[place] = Factor("P", (dummy, factors[place].indices[1]))
            dummy -= 1
    return Product(product.coefficient, tuple(factors))


def _read(text: str, spin: int, parameters: LineParameters) -> Structure:
    """The products of a text, with numbers for names of indices and texts for parameters."""
    return read_expression(text, _named_and_numbered(spin, parameters))


def _named_and_numbered(spin: int, parameters: LineParameters) -> Callable[[ast.expr], ast.expr]:
    def transformed(tree: ast.expr) -> ast.expr:
        named: ast.expr = _Named(parameters).visit(tree)
        numbered: ast.expr = _Numbered(spin).visit(named)
        return numbered

    return transformed


class _Named(ast.NodeTransformer):
    """Mass and width of the particle by the names of their parameters."""

    def __init__(self, parameters: LineParameters) -> None:
        self._of_particle = {"Mass": parameters.mass or "0", "Width": parameters.width or "0"}
        self._names, self._functions = parameters.names, parameters.functions

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Mass(id), OverMass2(id) and functions of parameters; factors stay as they are."""
        match node.func:
            case ast.Name(name) if name in _OF_PARTICLE:
                if [ast.unparse(one) for one in node.args] not in (["id"], []):
                    raise ValueError(
                        f"expected parameters of the particle id; got {ast.unparse(node)}"
                    )
                return self._parameter(*_OF_PARTICLE[name])
            case ast.Name(name) if name in (*FACTORS, *_SHORT):
                return node
            case ast.Name(name) if name not in (*self._functions, "complex"):
                raise ValueError(f"expected one of {', '.join(FACTORS)}; got {name[:40]}")
        node.args = [self.visit(one) for one in node.args]
        return node

    def _parameter(self, name: str, power: int) -> ast.expr:
        parameter = ast.parse(self._of_particle[name], mode="eval").body
        if power > 0:
            return parameter
        inverse = ast.BinOp(parameter, ast.Pow(), ast.Constant(-power))
        return ast.BinOp(ast.Constant(1), ast.Div(), inverse)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A parameter of the model."""
        if node.id not in self._names:
            raise ValueError(f"expected names of parameters; got {node.id[:40]}")
        return node


class _Numbered(ast.NodeTransformer):
    """Numbers for the indices of a propagator, and texts for what has names of parameters."""

    def __init__(self, spin: int) -> None:
        self._places = _PLACES.get(spin, {})
        self._dummies: dict[str, int] = {}

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A division by parameters is a product."""
        if isinstance(node.op, ast.Div) and _has_names(node.right):
            inverse = ast.Constant(f"1/({ast.unparse(node.right)})")
            return ast.BinOp(self.visit(node.left), ast.Mult(), inverse)
        if isinstance(node.op, ast.Pow) and _has_names(node):
            return ast.Constant(ast.unparse(node))
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A parameter."""
        return ast.Constant(node.id)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Indices of a factor."""
        if _has_names(node):
            return ast.Constant(ast.unparse(node))
        if isinstance(node.func, ast.Name) and node.func.id != "complex":
            node.args = [self._index(one) for one in node.args]
        return node

    def _index(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Name("id"):
                return ast.Constant(2)
            case ast.Constant(str() as name):
                number = self._dummies.setdefault(name, -50 - len(self._dummies))
                return ast.UnaryOp(ast.USub(), ast.Constant(-number))
            case ast.Constant(int() as number):
                return ast.Constant(self._places.get(number, number))
        return node


def _has_names(node: ast.expr) -> bool:
    """Whether a part is an expression of parameters, without factors that have indices."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return bool(names - {"complex"}) and not names & {*FACTORS, *_SHORT}
