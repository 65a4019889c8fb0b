"""Propagators of UFO models, numerators and denominators as text, in what amplitudes compute.

UFO writes indices as numbers or names, 1 where the line leaves and 2 where it enters, for spin 2
with 51 and 52 beside them; `id` is the particle, `Mass(id)` and `Width(id)` its parameters.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from fractions import Fraction

from madnis_py.physics.lorentz.gaussian import Gaussian
from madnis_py.physics.lorentz.structures import (
    PARAMETERS,
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


def propagator_terms(
    numerator: str, denominator: str, spin: int, mass: str, width: str
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """A propagator of UFO, which is numerator / denominator.

    Args:
        numerator: text, the factor i included.
        denominator: text, a polynomial in p^2.
        spin: 2 s + 1.
        mass: expression of the mass.
        width: expression of the width.

    Returns:
        Terms (structure of leg 1, what leaves, and leg 2, what enters; coupling), i times the
        numerator; and the coefficients of 1, p^2, p^4, ... of the denominator, expressions.

    Raises:
        ValueError: the text is nothing that is computed here; a sentence.
    """
    by_parameters: dict[str, Structure] = defaultdict(tuple)
    for product in _read(numerator, spin):
        tensor, coupling = _parted(_paired(product), mass, width)
        by_parameters[coupling] += (tensor,)
    terms = []
    for coupling, structure in by_parameters.items():
        text = text_of(
            tuple(Product(one.coefficient * _IMAGINARY, one.factors) for one in structure)
        )
        read_structure(text, (spin, spin))
        terms.append((text, coupling))
    return tuple(terms), _coefficients(denominator, mass, width)


def _coefficients(denominator: str, mass: str, width: str) -> tuple[str, ...]:
    """The coefficients of the powers of p^2."""
    found: dict[int, list[str]] = defaultdict(list)
    for product in _read(denominator, 1):
        tensor, coupling = _parted(product, mass, width)
        momenta = Counter(factor.indices[0] for factor in tensor.factors)
        odd = any(count % 2 for count in momenta.values())
        if odd or any(factor.name != "P" for factor in tensor.factors):
            raise ValueError(f"expected a polynomial in p^2; got {denominator[:120]}")
        found[len(tensor.factors) // 2].append(f"{tensor.coefficient}*({coupling})")
    degree = max(found, default=0)
    if not 0 < degree <= _LARGEST_DEGREE:
        raise ValueError(
            f"expected a polynomial in p^2 of degree 1 to {_LARGEST_DEGREE}; got "
            f"{denominator[:120]}"
        )
    return tuple(" + ".join(found.get(power, ())) or "0" for power in range(degree + 1))


def _parted(product: Product, mass: str, width: str) -> tuple[Product, str]:
    """A product without the parameters of the particle, and these as an expression."""
    names = {"Mass": mass or "0", "Width": width or "0"}
    powers: Counter[str] = Counter()
    for factor in product.factors:
        if factor.name in PARAMETERS:
            name, sign = PARAMETERS[factor.name]
            powers[name] += sign
    if (powers["Mass"] < 0 and not mass) or (powers["Width"] < 0 and not width):
        raise ValueError("expected a particle with mass and width where they divide; got none")
    rest = tuple(factor for factor in product.factors if factor.name not in PARAMETERS)
    texts = [f"({names[name]})**({power})" for name, power in sorted(powers.items()) if power]
    return Product(product.coefficient, rest), "*".join(texts) or "1"


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


def _read(text: str, spin: int) -> Structure:
    """The products of a text, with numbers for names."""
    return read_expression(text, _Numbered(spin))


class _Numbered(ast.NodeTransformer):
    """Numbers for the indices of a propagator, and inverse parameters for divisions by them."""

    def __init__(self, spin: int) -> None:
        self._places = _PLACES.get(spin, {})
        self._dummies: dict[str, int] = {}

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Divisions by Mass(id)**2 are products with OverMass()**2."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Div):
            match node.right:
                case ast.Call(ast.Name("Mass" | "Width") as name) | ast.BinOp(
                    ast.Call(ast.Name("Mass" | "Width") as name), ast.Pow()
                ):
                    name.id = f"Over{name.id}"
                    node.op = ast.Mult()
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Indices of a factor."""
        if not isinstance(node.func, ast.Name):
            return node
        if node.func.id in (*PARAMETERS, "OverMass2"):
            if [ast.unparse(one) for one in node.args] not in (["id"], []):
                raise ValueError(f"expected parameters of the particle id; got {ast.unparse(node)}")
            if node.func.id == "OverMass2":
                single = ast.Call(ast.Name("OverMass"), [], [])
                return ast.BinOp(single, ast.Pow(), ast.Constant(2))
            return ast.Call(node.func, [], [])
        if node.func.id == "complex":
            return node
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
