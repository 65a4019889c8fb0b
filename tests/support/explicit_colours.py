"""Tensors of colour, index by index: Gell-Mann's matrices, f, d, epsilon and sextets."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.physics.colour.colour import FIRST_EPSILON, Closed

Tensor = NDArray[np.complex128]

DIMENSIONS = {1: 1, 3: 3, -3: 3, 6: 6, -6: 6, 8: 8}


def _gell_mann() -> Tensor:
    t = np.zeros((8, 3, 3), complex)
    for a, (i, j) in {0: (0, 1), 3: (0, 2), 5: (1, 2)}.items():
        t[a, i, j] = t[a, j, i] = 0.5
        t[a + 1, i, j], t[a + 1, j, i] = -0.5j, 0.5j
    t[2] = np.diag([0.5, -0.5, 0])
    t[7] = np.diag([1, 1, -2]) / np.sqrt(12)
    return t


def _epsilon() -> Tensor:
    tensor = np.zeros((3, 3, 3), complex)
    for order in permutations(range(3)):
        tensor[order] = np.linalg.det(np.eye(3)[list(order)])
    return tensor


def _symmetric_pairs() -> Tensor:
    """An orthonormal basis of the symmetric 3 x 3 matrices, (6, 3, 3)."""
    tensor = np.zeros((6, 3, 3), complex)
    for s, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        tensor[s, i, j] = tensor[s, j, i] = 1 if i == j else np.sqrt(0.5)
    return tensor


T = _gell_mann()
"""T^a = lambda^a / 2, (8, 3, 3)."""

F = np.einsum("aij,bjk,cki->abc", T, T, T)
F = np.asarray(-2j * (F - F.transpose(1, 0, 2)))
"""f^abc = -2 i Tr([T^a, T^b] T^c)."""

D = np.einsum("aij,bjk,cki->abc", T, T, T)
D = np.asarray(2 * (D + D.transpose(1, 0, 2)))
"""d^abc = 2 Tr({T^a, T^b} T^c)."""

EPSILON = _epsilon()
SEXTET = _symmetric_pairs()
"""K^s_{ij}, real."""

SEXTET_T = np.asarray(2 * np.einsum("sij,ajk,tki->ast", SEXTET, T, SEXTET))
"""(T^a)_{st} of sextets: T^a x 1 + 1 x T^a on symmetric pairs of indices."""

NAMED: Mapping[str, Tensor] = {
    "T": T,
    "f": -1j * F,  # f stands for -i f
    "d": D,
    "Epsilon": EPSILON,
    "EpsilonBar": EPSILON,
    "K6": SEXTET,
    "K6Bar": SEXTET,
    "T6": SEXTET_T,
}


def vertex_tensor(text: str, representations: Sequence[int]) -> Tensor:
    """A product in UFO's syntax, one axis per particle of the vertex."""
    labels: dict[int, int] = {}
    operands: list[Any] = []
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        assert isinstance(call.func, ast.Name)
        indices = [int(ast.literal_eval(one)) for one in call.args]
        axes = [labels.setdefault(index, len(labels)) for index in indices]
        if call.func.id == "Identity":
            outer = next(index for index in indices if index > 0)
            operands += [np.eye(DIMENSIONS[representations[outer - 1]]), axes]
        else:
            operands += [NAMED[call.func.id], axes]
    for index, representation in enumerate(representations, start=1):
        if representation == 1:
            operands += [np.ones(1), [labels.setdefault(index, len(labels))]]
    legs = [labels[index] for index in range(1, len(representations) + 1)]
    return np.asarray(np.einsum(*operands, legs, optimize=True), np.complex128)


def explicit(flow: Closed, legs: Sequence[int], sextets: Sequence[int] = ()) -> Tensor:
    """The tensor of a structure, one axis of colours per leg.

    Args:
        flow: over the legs.
        legs: those with colour, in the order of the axes.
        sextets: legs in a sextet or antisextet.
    """
    operands: list[Any] = []
    used = max(legs, default=0) + 1
    at_sextet: dict[int, list[int]] = {leg: [] for leg in sextets}
    at_epsilon: dict[int, int] = {}

    def axis(end: int) -> int:
        nonlocal used
        if end >= 0 and end not in at_sextet:
            return end
        used += 1
        if end >= 0:
            at_sextet[end].append(used)
        else:
            at_epsilon[end] = used
        return used

    for string in flow:
        if string.is_trace:
            used += 1
            first = last = used
        else:
            first, last = axis(string.antiquark), axis(string.quark)
        between = list(range(used + 1, used + len(string.gluons)))
        used += len(string.gluons)
        ends = [first, *between, last]
        if not string.gluons:
            operands += [np.eye(3), [first, last]]
        for k, gluon in enumerate(string.gluons):
            operands += [T, [gluon, ends[k], ends[k + 1]]]
    for leg, axes in at_sextet.items():
        operands += [SEXTET, [leg, *axes]]
    for first in (FIRST_EPSILON - 3 * tensor for tensor in range(len(at_epsilon) // 3)):
        operands += [EPSILON, [at_epsilon[first - index] for index in range(3)]]
    if not operands:
        return np.ones([1] * len(legs), complex)
    return np.asarray(np.einsum(*operands, list(legs), optimize=True), np.complex128)
