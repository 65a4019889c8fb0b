"""Compiler of colour factors: a text in the syntax of UFO becomes a sum of strings and traces.

The legs of these structures are the particles of the vertex, all incoming. UFO has them outgoing,
so that its triplets are the antitriplets here: T(a, i, j) is the string (T^a)_{ij}, with the index
i of an incoming antitriplet and j of a triplet. f(a, b, c) stands for -i f^abc, which is
-2 Tr([T^a, T^b] T^c), so that every factor is rational.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

from madnis_py.physics.colour.colour import (
    FIRST_EPSILON,
    IN_TRACE,
    Closed,
    String,
    Sum,
    simplified,
)
from madnis_py.physics.colour.inner_legs import without_inner_legs

_Monomial = tuple[Fraction, tuple[String, ...]]
"""A product of strings with its coefficient."""


def _generator(a: int, antitriplet: int, triplet: int) -> list[_Monomial]:
    return [(Fraction(1), (String(antitriplet, (a,), triplet),))]


def _trace(*octets: int) -> tuple[String, ...]:
    return (String(IN_TRACE, octets, IN_TRACE),)


def _structure_constant(a: int, b: int, c: int) -> list[_Monomial]:
    return [(Fraction(-2), _trace(a, b, c)), (Fraction(2), _trace(b, a, c))]


def _symmetric_constant(a: int, b: int, c: int) -> list[_Monomial]:
    return [(Fraction(2), _trace(a, b, c)), (Fraction(2), _trace(b, a, c))]


def _epsilon(*antitriplets: int) -> list[_Monomial]:
    indices = enumerate(antitriplets)
    return [(Fraction(1), tuple(String(leg, (), FIRST_EPSILON - k) for k, leg in indices))]


def _epsilon_bar(*triplets: int) -> list[_Monomial]:
    indices = enumerate(triplets)
    return [(Fraction(1), tuple(String(FIRST_EPSILON - k, (), leg) for k, leg in indices))]


def _pair(antisextet: int, *triplets: int) -> list[_Monomial]:
    return [(Fraction(1), tuple(String(antisextet, (), leg) for leg in triplets))]


def _pair_bar(sextet: int, *antitriplets: int) -> list[_Monomial]:
    return [(Fraction(1), tuple(String(leg, (), sextet) for leg in antitriplets))]


def _sextet_generator(a: int, antisextet: int, sextet: int) -> list[_Monomial]:
    """2 K6(antisextet, i, j) T(a, j, k) K6Bar(sextet, k, i)."""
    return [(Fraction(2), (String(antisextet, (a,), sextet), String(antisextet, (), sextet)))]


@dataclass(frozen=True)
class _Tensor:
    """What a name of the syntax stands for.

    Attributes:
        representations: of the incoming particles whose indices it has.
        monomials: makes them from the legs of its indices.
    """

    representations: tuple[int, ...]
    monomials: Callable[..., list[_Monomial]]


_TENSORS: Mapping[str, _Tensor] = {
    "T": _Tensor((8, -3, 3), _generator),
    "f": _Tensor((8, 8, 8), _structure_constant),
    "d": _Tensor((8, 8, 8), _symmetric_constant),
    "Epsilon": _Tensor((-3, -3, -3), _epsilon),
    "EpsilonBar": _Tensor((3, 3, 3), _epsilon_bar),
    "K6": _Tensor((-6, 3, 3), _pair),
    "K6Bar": _Tensor((6, -3, -3), _pair_bar),
    "T6": _Tensor((8, -6, 6), _sextet_generator),
}

_CONJUGATE = {1: 1, 3: -3, -3: 3, 6: -6, -6: 6, 8: 8}
"""Representation of an index -> that of the index which it is summed with."""

_LONGEST, _MOST_TENSORS = 400, 12
"""Most characters and tensors of a colour factor."""


@cache
def structures_of(
    text: str, representations: tuple[int, ...]
) -> tuple[tuple[Closed, Fraction], ...]:
    """A colour factor as a sum of structures whose legs are the particles of the vertex.

    Args:
        text: "1", or a product of numbers and of T, f, d, Identity, Epsilon, EpsilonBar, K6, K6Bar
            and T6 with indices 1, 2, ... of the particles and negative ones that are summed over;
            f stands for -i f.
        representations: of the particles, incoming: 1, 3, 6, 8, and -3, -6 for the conjugate ones.

    Raises:
        ValueError: the text is no such product, or does not fit the particles; says which.
    """
    try:
        number, factors = _parsed(text)
        factors = _without_inner_identities(factors)
        _check(factors, representations)
    except ValueError as error:
        raise ValueError(f"colour {text[:_LONGEST]!r}: {error}") from None
    return tuple(
        (structure, number * factor)
        for structure, factor in _multiplied(factors, representations).items()
        if number
    )


@dataclass(frozen=True)
class _Factor:
    """One tensor of a product; the indices of particles are counted from 1."""

    name: str
    indices: tuple[int, ...]


def _parsed(text: str) -> tuple[Fraction, list[_Factor]]:
    """The number and the tensors of a product."""
    if len(text) > _LONGEST:
        raise ValueError(f"expected at most {_LONGEST} characters; got {len(text)}")
    try:
        number, factors = _product(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        raise ValueError("expected a product such as 'T(1,2,-1)*T(4,-1,3)'") from None
    if len(factors) > _MOST_TENSORS:
        raise ValueError(f"expected at most {_MOST_TENSORS} tensors; got {len(factors)}")
    return number, factors


def _product(node: ast.expr) -> tuple[Fraction, list[_Factor]]:
    match node:
        case ast.Constant(value=int(whole)):
            return Fraction(whole), []
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number, factors = _product(operand)
            return -number, factors
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            (a, first), (b, second) = _product(left), _product(right)
            return a * b, first + second
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=int(under))) if under:
            number, factors = _product(left)
            return number / under, factors
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return Fraction(1), [_Factor(name, tuple(_index(one) for one in arguments))]
    raise ValueError(f"expected products of tensors and integers; got {ast.unparse(node)[:60]}")


def _index(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(index)) if index:
            return index
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(index))) if index:
            return -index
    raise ValueError(f"expected an integer as an index; got {ast.unparse(node)[:60]}")


def _without_inner_identities(factors: Sequence[_Factor]) -> list[_Factor]:
    """The product without unit matrices that have an index which is summed over."""
    for place, factor in enumerate(factors):
        if factor.name == "Identity" and len(factor.indices) == 2 and min(factor.indices) < 0:
            inner, other = sorted(factor.indices)
            rest = (
                _Factor(one.name, tuple(other if k == inner else k for k in one.indices))
                for one in (*factors[:place], *factors[place + 1 :])
            )
            return _without_inner_identities(list(rest))
    return list(factors)


def _check(factors: Sequence[_Factor], representations: Sequence[int]) -> None:
    """Refuse indices that do not fit the tensors, the particles or each other."""
    found: dict[int, list[int]] = defaultdict(list)
    for factor in factors:
        kinds = _kinds(factor, representations)
        if len(kinds) != len(factor.indices):
            raise ValueError(
                f"expected {len(kinds)} indices of {factor.name}; got {len(factor.indices)}"
            )
        for index, kind in zip(factor.indices, kinds, strict=True):
            found[index].append(kind)
    for index, of_index in found.items():
        if index > 0 and of_index != [_representation(index, representations)]:
            raise ValueError(
                f"expected index {index} once, for representation "
                f"{representations[index - 1]}; got it for {', '.join(map(str, of_index))}"
            )
        if index < 0 and (len(of_index) != 2 or of_index[0] != _CONJUGATE[of_index[1]]):
            raise ValueError(
                f"expected index {index} twice, for a representation and its conjugate; "
                f"got it for {', '.join(map(str, of_index))}"
            )
    for index, kind in enumerate(representations, start=1):
        if kind != 1 and index not in found:
            raise ValueError(f"expected index {index}, whose particle has colour; got none")


def _kinds(factor: _Factor, representations: Sequence[int]) -> tuple[int, ...]:
    """The representations of the indices of a tensor."""
    if factor.name == "Identity":
        kind = _representation(factor.indices[0], representations) if factor.indices else 1
        return kind, _CONJUGATE[kind]
    if factor.name not in _TENSORS:
        raise ValueError(f"expected {', '.join(_TENSORS)} or Identity; got {factor.name[:60]}")
    return _TENSORS[factor.name].representations


def _representation(index: int, representations: Sequence[int]) -> int:
    if not 0 < index <= len(representations):
        raise ValueError(f"expected indices of particles 1 to {len(representations)}; got {index}")
    return representations[index - 1]


def _multiplied(factors: Sequence[_Factor], representations: Sequence[int]) -> Sum:
    """The product of tensors; indices that are summed over are legs until both have come."""
    legs = {index: index - 1 for index in range(1, len(representations) + 1)}
    for factor in factors:
        for index in factor.indices:
            legs.setdefault(index, len(legs))
    total: Sum = {(): Fraction(1)}
    seen: set[int] = set()
    for number, factor in enumerate(factors):
        indices = [legs[index] for index in factor.indices]
        monomials = _numbered(_monomials(factor, indices, representations), number)
        inner = {leg for leg in indices if leg in seen or indices.count(leg) == 2}
        seen |= {*indices}
        total = _sum_of_products(total, monomials, inner)
    return total


def _sum_of_products(total: Sum, monomials: Sequence[_Monomial], inner: Set[int]) -> Sum:
    """A sum times another, some legs summed over."""
    found: Sum = defaultdict(Fraction)
    for (structure, number), (weight, strings) in product(total.items(), monomials):
        for share, contracted in without_inner_legs((*structure, *strings), inner):
            for ordered, factor in simplified(contracted).items():
                found[ordered] += number * weight * share * factor
    return {structure: number for structure, number in found.items() if number}


def _monomials(
    factor: _Factor, legs: Sequence[int], representations: Sequence[int]
) -> list[_Monomial]:
    if factor.name == "Identity":
        return _identity(representations[legs[0]], *legs)
    return _TENSORS[factor.name].monomials(*legs)


def _identity(kind: int, a: int, b: int) -> list[_Monomial]:
    if kind == 8:
        return [(Fraction(2), _trace(a, b))]
    triplet, antitriplet = (a, b) if kind > 0 else (b, a)
    return [(Fraction(1), (String(antitriplet, (), triplet),) * (2 if abs(kind) == 6 else 1))]


def _numbered(monomials: Sequence[_Monomial], tensor: int) -> list[_Monomial]:
    """Monomials whose epsilon, if they have one, has a number of its own."""

    def moved(end: int) -> int:
        return end - 3 * tensor if end <= FIRST_EPSILON else end

    return [
        (
            weight,
            tuple(String(moved(one.antiquark), one.gluons, moved(one.quark)) for one in strings),
        )
        for weight, strings in monomials
    ]
