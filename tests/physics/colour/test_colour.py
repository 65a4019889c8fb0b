"""Colour algebra against sums over explicit colours."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pytest
from amplitudes import amplitude
from numpy.typing import NDArray

from madnis_py.physics.colour.colour import (
    Bra,
    Closed,
    Dyad,
    Ket,
    Matrix,
    String,
    Word,
    closed,
    colour_matrix,
    flow_lines,
    multiply,
    string_between,
    trace,
    trace_of_product,
)
from madnis_py.physics.model.model import Model


def gell_mann() -> NDArray[np.complex128]:
    """T^a = lambda^a / 2, (8, 3, 3)."""
    t = np.zeros((8, 3, 3), complex)
    for a, (i, j) in {0: (0, 1), 3: (0, 2), 5: (1, 2)}.items():
        t[a, i, j] = t[a, j, i] = 0.5
        t[a + 1, i, j], t[a + 1, j, i] = -0.5j, 0.5j
    t[2] = np.diag([0.5, -0.5, 0])
    t[7] = np.diag([1, 1, -2]) / np.sqrt(12)
    return t


T = gell_mann()


def test_matrices_of_these_tests_are_generators() -> None:
    np.testing.assert_allclose(np.einsum("aij,bji->ab", T, T), np.eye(8) / 2, atol=1e-15)
    np.testing.assert_allclose(T, T.conj().transpose(0, 2, 1))


def explicit(flow: Closed, legs: tuple[int, ...]) -> NDArray[np.complex128]:
    """The tensor of a flow, one axis of colours per leg: 3 for quarks, 8 for gluons."""
    operands: list[Any] = []
    bond = max(legs) + 1
    for string in flow:
        ends = [string.antiquark, *range(bond, bond + len(string.gluons) - 1), string.quark]
        bond += len(string.gluons)
        if string.is_trace:
            ends[0] = ends[-1] = bond
            bond += 1
        if not string.gluons:
            operands += [np.eye(3), [string.antiquark, string.quark]]
        for k, gluon in enumerate(string.gluons):
            operands += [T, [gluon, ends[k], ends[k + 1]]]
    return np.asarray(np.einsum(*operands, list(legs), optimize=True), np.complex128)


def arrangements(
    quarks: tuple[int, ...], antiquarks: tuple[int, ...], gluons: tuple[int, ...]
) -> list[Closed]:
    """All products of strings, one per pair, that share all of the gluons."""
    flows = []
    for ends in permutations(quarks):
        for order in permutations(gluons):
            for cuts in combinations(range(len(gluons) + len(quarks) - 1), len(quarks) - 1):
                places = [-1, *cuts, len(gluons) + len(quarks) - 1]
                bounds = [(a + 1 - k, b - k) for k, (a, b) in enumerate(pairwise(places))]
                strings = zip(antiquarks, bounds, ends, strict=True)
                flows.append(
                    closed([String(anti, order[a:b], quark) for anti, (a, b), quark in strings])
                )
    return flows


def single_traces(n: int) -> list[Closed]:
    return [(trace((0, *rest)),) for rest in permutations(range(1, n))]


DOUBLE_TRACES = [
    closed([trace(pair), trace(tuple({0, 1, 2, 3} - set(pair)))])
    for pair in ((0, 1), (0, 2), (0, 3))
]
FLOWS = {
    "2 gluons": (single_traces(2), (0, 1)),
    "3 gluons": (single_traces(3), (0, 1, 2)),
    "4 gluons": (single_traces(4) + DOUBLE_TRACES, (0, 1, 2, 3)),
    "5 gluons": (single_traces(5)[::3], (0, 1, 2, 3, 4)),
    "a pair": (arrangements((0,), (1,), ()), (0, 1)),
    "a pair, 1 gluon": (arrangements((0,), (1,), (2,)), (0, 1, 2)),
    "a pair, 3 gluons": (arrangements((0,), (1,), (2, 3, 4)), (0, 1, 2, 3, 4)),
    "a pair, gluons in a trace": (
        [closed([String(1, (), 0), trace((2, 3))]), *arrangements((0,), (1,), (2, 3))],
        (0, 1, 2, 3),
    ),
    "2 pairs": (arrangements((0, 2), (1, 3), ()), (0, 1, 2, 3)),
    "2 pairs, 2 gluons": (arrangements((0, 2), (1, 3), (4, 5)), (0, 1, 2, 3, 4, 5)),
    "3 pairs": (arrangements((0, 2, 4), (1, 3, 5), ()), (0, 1, 2, 3, 4, 5)),
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_colour_matrix_is_the_sum_over_explicit_colours(name: str) -> None:
    flows, legs = FLOWS[name]
    tensors = np.array([explicit(flow, legs).reshape(-1) for flow in flows])
    expected = tensors @ tensors.conj().T
    matrix = colour_matrix(flows)
    assert all(isinstance(element, Fraction) for row in matrix for element in row)
    np.testing.assert_allclose(np.array(matrix, float), expected, rtol=1e-13, atol=1e-13)


def test_colours_without_any_index_count_once() -> None:
    assert colour_matrix([()]) == [[1]]


@pytest.mark.parametrize("n", range(5))
def test_gluons_along_a_quark_line_bring_casimir_factors(n: int) -> None:
    """(T^a1 ... T^an)(T^an ... T^a1) = C_F^n, C_F = 4/3."""
    assert colour_matrix([(String(1, tuple(range(2, 2 + n)), 0),)]) == [[3 * Fraction(4, 3) ** n]]


def test_commutators_and_anticommutators_are_the_constants_f_and_d() -> None:
    """Tr(T^a [T^b, T^c]) = i f^abc / 2, Tr(T^a {T^b, T^c}) = d^abc / 2, f^2 = 24, d^2 = 40/3."""
    matrix = colour_matrix([(trace((0, 1, 2)),), (trace((0, 2, 1)),)])
    assert 2 * (matrix[0][0] - matrix[0][1]) == Fraction(24, 4)
    assert 2 * (matrix[0][0] + matrix[0][1]) == Fraction(40, 3) / 4


KET, BRA = Ket((4,), 0), Bra(1, (5, 6))
WORD, OTHER, DYAD = Word((2,)), Word((3, 7)), Dyad(KET, BRA)


def closed_tensor(a: Matrix, b: Matrix) -> NDArray[np.complex128]:
    """Sum over k and l of a_kl b_lk.

    The ends k and l of the strings are the quarks 8, 9 and the antiquarks 10, 11.
    """

    def strings(matrix: Matrix, row: int, column: int) -> list[String]:
        if isinstance(matrix, Word):
            return [String(row, matrix.gluons, column)]
        ket, bra = matrix.ket, matrix.bra
        return [String(row, ket.gluons, ket.quark), String(bra.antiquark, bra.gluons, column)]

    flow = closed(strings(a, 10, 9), strings(b, 11, 8))
    legs = sorted(
        {leg for one in flow for leg in (one.antiquark, *one.gluons, one.quark)} - {8, 9, 10, 11}
    )
    tensor = explicit(flow, (*legs, 10, 9, 11, 8))
    return np.asarray(np.einsum("...kllk->...", tensor))


@pytest.mark.parametrize(("a", "b"), [(WORD, OTHER), (OTHER, WORD), (DYAD, WORD), (OTHER, DYAD)])
def test_products_of_matrices_close_to_the_sum_over_their_indices(
    a: Dyad | Word, b: Dyad | Word
) -> None:
    flow = trace_of_product(a, b)
    legs = sorted({leg for one in flow for leg in (one.antiquark, *one.gluons, one.quark)} - {-1})
    np.testing.assert_allclose(explicit(flow, tuple(legs)), closed_tensor(a, b), atol=1e-14)


def test_dyads_multiply_as_rows_and_columns() -> None:
    other = Dyad(Ket((), 2), Bra(3, ()))
    product, strings = multiply(DYAD, other)
    assert product == Dyad(KET, other.bra)
    assert strings == (string_between(BRA, other.ket),) == (String(1, (5, 6), 2),)


def test_lines_run_from_colour_to_anticolour_along_a_string() -> None:
    flow = (String(0, (1, 2), 3),)
    assert flow_lines(flow, [False] * 4) == ((501, 0), (502, 501), (503, 502), (0, 503))
    assert flow_lines(flow, [True, True, False, False]) == (
        (0, 501),
        (501, 502),
        (503, 502),
        (0, 503),
    )
    assert flow_lines((trace((0, 2, 1)),), [False] * 3) == ((501, 503), (503, 502), (502, 501))


PROCESSES = (
    "g g > g g g",
    "g g > t t~ g",
    "u c > w+ w+ d s",
    "u u~ > d d~ g",
    "g u > z u",
    "t > b w+",
    "u~ g > e+ e- u~",
)


@pytest.mark.parametrize("text", PROCESSES)
def test_every_line_begins_and_ends_once(text: str) -> None:
    """Every line is colour of one leg and anticolour of another, incoming ones crossed."""
    one = amplitude(text)
    incoming = len(one.reaction.incoming)
    for flow in one.flows:
        crossed = [leg[::-1] if position < incoming else leg for position, leg in enumerate(flow)]
        colours = Counter(colour for colour, _ in crossed if colour)
        anticolours = Counter(anticolour for _, anticolour in crossed if anticolour)
        assert colours == anticolours
        assert set(colours.values()) == {1}
        assert sorted(colours) == list(range(501, 501 + len(colours)))
        assert all(colour != anticolour for colour, anticolour in flow if colour)


@pytest.mark.parametrize("text", PROCESSES)
def test_lines_fit_the_representations_of_the_particles(text: str) -> None:
    """Quarks have a colour, antiquarks an anticolour, gluons both, all others none."""
    one, model = amplitude(text), Model("sm")
    for flow in one.flows:
        for pdg, (colour, anticolour) in zip(one.legs, flow, strict=True):
            representation = model.particle(pdg).colour
            assert (colour > 0) == (representation == 8 or (representation == 3 and pdg > 0))
            assert (anticolour > 0) == (representation == 8 or (representation == 3 and pdg < 0))
