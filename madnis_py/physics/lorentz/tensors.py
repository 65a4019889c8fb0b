"""Sparse tensors of Lorentz structures, exact: coefficients of the components of waves and momenta.

A vertex is the sum over entries of coefficient x component of each leg x components of momenta, all
with upper indices; spinors in the chiral representation, a row for the first index of a line. The
components of spin 3/2 are 4 mu + spinor, those of spin 2 are 4 mu + nu.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from itertools import permutations, product

from madnis_py.physics.lorentz.gaussian import ZERO, Gaussian
from madnis_py.physics.lorentz.structures import Axis, Factor, Product, Structure, leg_axes

Momenta = tuple[tuple[int, int], ...]
"""A product of components of momenta, (leg, component) ascending; legs from 1 on."""

Entry = tuple[tuple[int, ...], Momenta]
"""Component of every leg, and the momenta."""

Tensor = Mapping[Entry, Gaussian]
"""Coefficients by entry, none of them zero."""

METRIC = (1, -1, -1, -1)

_SIGMA = (((0, 1), (1, 0)), ((0, -1j), (1j, 0)), ((1, 0), (0, -1)))

_Elements = Mapping[tuple[int, ...], complex]
"""Elements that are not zero by their indices; real and imaginary parts are whole numbers."""


def _gamma_elements() -> _Elements:
    elements: dict[tuple[int, ...], complex] = {}
    for k in range(2):
        elements[0, k, 2 + k] = elements[0, 2 + k, k] = 1
    for mu, sigma in enumerate(_SIGMA, 1):
        for i, j in product(range(2), repeat=2):
            if sigma[i][j]:
                elements[mu, i, 2 + j] = sigma[i][j]
                elements[mu, 2 + i, j] = -sigma[i][j]
    return elements


def _parity(order: Sequence[int]) -> int:
    inversions = sum(a > b for k, a in enumerate(order) for b in order[k + 1 :])
    return -1 if inversions % 2 else 1


def _sigma_elements(gamma: _Elements) -> _Elements:
    """Twice i/4 [gamma^mu, gamma^nu], as MadGraph has it, = i gamma^mu gamma^nu for mu != nu."""
    elements: dict[tuple[int, ...], complex] = defaultdict(complex)
    for (mu, i, j), a in gamma.items():
        for (nu, k, m), b in gamma.items():
            if j == k and mu != nu:
                elements[mu, nu, i, m] += 1j * a * b
    return {key: value for key, value in elements.items() if value}


_GAMMA = _gamma_elements()

_ELEMENTS: Mapping[str, _Elements] = {
    "Metric": {(mu, mu): METRIC[mu] for mu in range(4)},
    "Epsilon": {order: -_parity(order) for order in permutations(range(4))},
    "Gamma": _GAMMA,
    "Gamma5": {(k, k): -1 if k < 2 else 1 for k in range(4)},
    "ProjM": {(k, k): 1 for k in range(2)},
    "ProjP": {(k, k): 1 for k in range(2, 4)},
    "Identity": {(k, k): 1 for k in range(4)},
    "Sigma": _sigma_elements(_GAMMA),
}
"""Elements of the factors without momenta. Epsilon^{0123} = -1, as in FeynRules and MadGraph."""

CONJUGATION: _Elements = {(0, 1): -1, (1, 0): 1, (2, 3): 1, (3, 2): -1}
"""C = i gamma^0 gamma^2, as ALOHA has it, with C gamma^mu^T C^-1 = -gamma^mu and C^-1 = -C."""


def expanded(structure: Structure, spins: Sequence[int]) -> Tensor:
    """The tensor of a structure.

    Args:
        structure: with the indices of the legs.
        spins: 2 s + 1 of the legs.
    """
    total: dict[Entry, list[int]] = defaultdict(lambda: [0, 0])
    legs = [leg_axes(leg, spin) for leg, spin in enumerate(spins, 1)]
    scales = [_scale(one) for one in structure]
    common = math.lcm(*(part.denominator for scale in scales for part in (scale.re, scale.im)))
    for one, scale in zip(structure, scales, strict=True):
        a, b = int(scale.re * common), int(scale.im * common)
        axes, elements = _contracted(map(_traced, one.factors))
        places = [tuple(axes.index(axis) for axis in leg) for leg in legs]
        for (values, momenta), number in elements.items():
            components, sign = [], 1
            for leg, place in zip(legs, places, strict=True):
                component = 0
                for (kind, _), position in zip(leg, place, strict=True):
                    component = 4 * component + values[position]
                    sign *= METRIC[values[position]] if kind == "L" else 1
                components.append(component)
            re, im = sign * int(number.real), sign * int(number.imag)
            parts = total[tuple(components), momenta]
            parts[0] += a * re - b * im
            parts[1] += a * im + b * re
    return {
        key: Gaussian(Fraction(re, common), Fraction(im, common))
        for key, (re, im) in total.items()
        if re or im
    }


def _scale(one: Product) -> Gaussian:
    """The number in front of the elements of a product, those of Sigma being twice as large."""
    sigmas = sum(factor.name == "Sigma" for factor in one.factors)
    return one.coefficient / Gaussian(Fraction(2**sigmas))


@cache
def _fraction(number: float) -> Fraction:
    return Fraction(int(number))


def vanishes(structure: Structure, spins: Sequence[int]) -> bool:
    """Whether a structure is zero for momenta that add up to zero.

    Most are not at some point of small whole numbers; only those that are get expanded.
    """
    terms = (_scale(one) * _value_at_a_point(one, len(spins)) for one in structure)
    if sum(terms, ZERO):
        return False
    return not without_momentum(expanded(structure, spins), len(spins), len(spins))


def _value_at_a_point(one: Product, n_legs: int) -> Gaussian:
    """The elements of a product with waves and momenta, scattered whole numbers."""
    pieces = [_piece(factor, n_legs) for factor in one.factors]
    number = math.prod(elements.get(((), ()), 0) for axes, elements in pieces if not axes)
    _, elements = _contracted(piece for piece in pieces if piece[0])
    number *= elements.get(((), ()), 0)
    return Gaussian(_fraction(number.real), _fraction(number.imag))


@lru_cache(maxsize=4096)
def _piece(factor: Factor, n_legs: int) -> _Piece:
    """A factor with numbers for the waves of its legs and for momenta, which add up to zero."""
    axes, elements = _traced(factor)
    if factor.name == "P":
        momenta = [_scattered(leg) for leg in range(1, n_legs)]
        momenta.append([-sum(one) for one in zip(*momenta, strict=True)])
        elements = _vector(momenta[factor.indices[1] - 1])
    for axis in [axis for axis in axes if axis[1] > 0]:
        axes, elements = _joined(axes, elements, ([axis], _vector(_scattered(-axis[1]))))
    return axes, elements


def _vector(components: Sequence[int]) -> dict[tuple[tuple[int, ...], Momenta], complex]:
    return {((k,), ()): component for k, component in enumerate(components)}


@cache
def _scattered(seed: int) -> list[int]:
    """Four whole numbers other than zero, the same ones for a seed."""
    generator = random.Random(f"component {seed}")
    return [generator.choice((-1, 1)) * generator.randint(1, 12) for _ in range(4)]


_Piece = tuple[list[Axis], Mapping[tuple[tuple[int, ...], Momenta], complex]]
"""Indices, and elements by their values and momenta."""


def _contracted(
    pieces: Iterable[_Piece],
) -> tuple[list[Axis], Mapping[tuple[tuple[int, ...], Momenta], complex]]:
    """The factors of a product multiplied, with sums over the indices that are there twice."""
    rest = list(pieces)
    axes: list[Axis] = []
    elements: Mapping[tuple[tuple[int, ...], Momenta], complex] = {((), ()): 1}
    while rest:
        place = max(range(len(rest)), key=lambda k: len(set(axes) & set(rest[k][0])))
        axes, elements = _joined(axes, elements, rest.pop(place))
    return axes, elements


def _joined(
    axes: list[Axis],
    elements: Mapping[tuple[tuple[int, ...], Momenta], complex],
    own: _Piece,
) -> tuple[list[Axis], dict[tuple[tuple[int, ...], Momenta], complex]]:
    shared = [axis for axis in own[0] if axis in axes]
    here = [axes.index(axis) for axis in shared]
    there = [own[0].index(axis) for axis in shared]
    kept = [k for k, axis in enumerate(axes) if axis not in shared]
    new = [k for k, axis in enumerate(own[0]) if axis not in shared]
    by_values: dict[tuple[int, ...], list[tuple[tuple[int, ...], Momenta, complex]]] = defaultdict(
        list
    )
    for (values, momenta), number in own[1].items():
        sign = 1
        for axis, place in zip(shared, there, strict=True):
            sign *= METRIC[values[place]] if axis[0] == "L" else 1
        rest = tuple(values[k] for k in new)
        by_values[tuple(values[k] for k in there)].append((rest, momenta, sign * number))
    result: dict[tuple[tuple[int, ...], Momenta], complex] = defaultdict(complex)
    for (values, momenta), number in elements.items():
        left = tuple(values[k] for k in kept)
        for right, more, other in by_values.get(tuple(values[k] for k in here), ()):
            result[left + right, tuple(sorted(momenta + more))] += number * other
    return (
        [axes[k] for k in kept] + [own[0][k] for k in new],
        {key: number for key, number in result.items() if number},
    )


def _traced(
    factor: Factor,
) -> tuple[list[Axis], dict[tuple[tuple[int, ...], Momenta], complex]]:
    """A factor, with the sum over an index that it has twice."""
    if factor.name == "P":
        leg = factor.indices[1]
        return list(factor.axes), {((mu,), ((leg, mu),)): 1 for mu in range(4)}
    axes = factor.axes
    if len(set(axes)) == len(axes):
        return list(axes), {(key, ()): number for key, number in _ELEMENTS[factor.name].items()}
    double = next(axis for axis in axes if axes.count(axis) == 2)
    first, second = (k for k, axis in enumerate(axes) if axis == double)
    kept = [k for k in range(len(axes)) if k not in (first, second)]
    sums: dict[tuple[tuple[int, ...], Momenta], complex] = defaultdict(complex)
    for key, number in _ELEMENTS[factor.name].items():
        if key[first] == key[second]:
            sign = METRIC[key[first]] if double[0] == "L" else 1
            sums[tuple(key[k] for k in kept), ()] += sign * number
    return [axes[k] for k in kept], {key: number for key, number in sums.items() if number}


def without_momentum(tensor: Tensor, leg: int, n_legs: int) -> Tensor:
    """The tensor with the momentum of a leg replaced by minus the sum of all others."""
    others = [other for other in range(1, n_legs + 1) if other != leg]
    total: dict[Entry, Gaussian] = {}
    for (components, momenta), number in tensor.items():
        kept = tuple(one for one in momenta if one[0] != leg)
        replaced = [mu for one, mu in momenta if one == leg]
        signed = -number if len(replaced) % 2 else number
        for choice in product(others, repeat=len(replaced)):
            more = tuple(zip(choice, replaced, strict=True))
            key = components, tuple(sorted(kept + more))
            total[key] = total[key] + signed if key in total else signed
    return {key: number for key, number in total.items() if number}


def added(tensors: Sequence[tuple[Gaussian, Tensor]]) -> Tensor:
    """A linear combination."""
    total: dict[Entry, Gaussian] = defaultdict(Gaussian)
    for factor, tensor in tensors:
        for key, number in tensor.items():
            total[key] += factor * number
    return {key: number for key, number in total.items() if number != ZERO}


def conjugated_at(tensor: Tensor, leg: int, is_row: bool, is_out: bool) -> Tensor:
    """The tensor for the other kind of spinor at a leg.

    A column psi stands for the row -psi^T C^-1, a row for the column C psi-bar^T. What comes out
    is the coefficient of the wave that it is multiplied with, but of the field in the other order,
    which brings a sign.

    Args:
        tensor: any.
        leg: position, from 0 on.
        is_row: whether the leg of the tensor is a row.
        is_out: whether it comes out.
    """
    # wave[b] of the structure = sum_a matrix[a, b] wave[a] of the child, and -C^-1 = C
    total: dict[Entry, Gaussian] = defaultdict(Gaussian)
    for (components, momenta), number in tensor.items():
        mu, b = divmod(components[leg], 4)
        for (i, j), element in CONJUGATION.items():
            here, there = (j, i) if is_row else (i, j)
            if here == b:
                moved = (*components[:leg], 4 * mu + there, *components[leg + 1 :])
                sign = -element if is_out else element
                total[moved, momenta] += number * Gaussian(_fraction(sign.real))
    return {key: number for key, number in total.items() if number}


def read_backwards(tensor: Tensor, row: int, column: int) -> Tensor:
    """The tensor of a vertex whose line is read against its arrow, Gamma' = C Gamma^T C^-1.

    Args:
        tensor: any.
        row: position of psi-bar, from 0 on.
        column: position of psi. Each takes the place, and the momentum, of the other.
    """
    places = {row: column, column: row}
    moved = {}
    for (components, momenta), number in tensor.items():
        swapped = tuple(components[places.get(leg, leg)] for leg in range(len(components)))
        legs = ((places.get(leg - 1, leg - 1) + 1, mu) for leg, mu in momenta)
        moved[swapped, tuple(sorted(legs))] = -number
    turned = conjugated_at(moved, row, is_row=False, is_out=False)
    return conjugated_at(turned, column, is_row=True, is_out=False)
