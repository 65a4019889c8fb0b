"""Colour algebra against sums over explicit colours."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from amplitudes import amplitude
from explicit_colours import EPSILON, explicit

from madnis_py.physics.colour.colour import (
    FIRST_EPSILON,
    Closed,
    String,
    closed,
    joined,
    simplified,
    trace,
    without_epsilon_pairs,
)
from madnis_py.physics.colour.colour_lines import flow_lines
from madnis_py.physics.colour.colour_matrix import colour_matrix
from madnis_py.physics.model.model import Model


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


def test_strings_join_where_indices_are_contracted() -> None:
    strings = [String(1, (5, 6), 8), String(8, (), 9), String(9, (4,), 2), String(10, (7, 3), 10)]
    assert joined(strings, {0: 1, 1: 2, 3: 3}) == [String(1, (5, 6, 4), 2), trace((3, 7))]


def test_an_epsilon_times_its_conjugate_is_a_determinant_of_deltas() -> None:
    """eps_ijk epsbar_lmn = det(delta), and eps_ijk epsbar_ijl = 2 delta_kl."""
    epsilon = [String(FIRST_EPSILON - k, (), leg) for k, leg in enumerate((0, 1, 2))]
    bars = [String(leg, (), FIRST_EPSILON - 3 - k) for k, leg in enumerate((3, 4, 5))]
    found = list(without_epsilon_pairs([*epsilon, *bars]))
    assert sorted(sign for sign, _ in found) == [-1] * 3 + [1] * 3
    expected = np.einsum("ijk,lmn->ijklmn", EPSILON, EPSILON)
    total = sum(sign * explicit(closed(flow), range(6)) for sign, flow in found)
    np.testing.assert_allclose(total, expected, atol=1e-15)
    lines = [String(FIRST_EPSILON - k, (), FIRST_EPSILON - 3 - k) for k in range(2)]
    assert simplified([*lines, epsilon[2], bars[2]]) == {(String(5, (), 2),): 2}


def test_equal_indices_of_an_epsilon_vanish() -> None:
    equal = [String(FIRST_EPSILON - k, (), leg) for k, leg in enumerate((7, 7, 2))]
    assert simplified(equal) == {}


def test_lengths_of_traces_of_none_and_one_generator_are_numbers() -> None:
    assert simplified([String(-1, (), -1)]) == {(): 3}
    assert simplified([String(-1, (4,), -1)]) == {}


SEXTETS: dict[str, tuple[list[Closed], tuple[int, ...], tuple[int, ...]]] = {
    "a sextet and a pair": ([(String(0, (), 2), String(1, (), 2))], (0, 1, 2), (2,)),
    "sextets and gluons": (
        [closed([String(1, (2, 3), 0), String(1, (), 0)]),
         closed([String(1, (3, 2), 0), String(1, (), 0)]),
         closed([String(1, (2,), 0), String(1, (3,), 0)])],
        (0, 1, 2, 3), (0, 1),
    ),
    "four sextets": (
        [closed([String(1, (), 0)] * 2 + [String(3, (), 2)] * 2),
         closed([String(1, (), 0), String(1, (), 2), String(3, (), 0), String(3, (), 2)])],
        (0, 1, 2, 3), (0, 1, 2, 3),
    ),
    "an epsilon and gluons": (
        [closed(String(FIRST_EPSILON - k, gluons[k], k) for k in range(3))
         for gluons in (((3, 4), (), ()), ((4, 3), (), ()), ((3,), (4,), ()), ((), (4,), (3,)))],
        (0, 1, 2, 3, 4), (),
    ),
    "two epsilons": (
        [closed(String(FIRST_EPSILON - k, (), leg) for k, leg in enumerate(order))
         for order in ((0, 1, 2, 3, 4, 5), (0, 1, 3, 2, 4, 5), (0, 4, 5, 1, 2, 3))],
        (0, 1, 2, 3, 4, 5), (),
    ),
    "two epsilons of three sextets": (
        [closed(String(FIRST_EPSILON - k, (), leg) for k, leg in enumerate((0, 1, 2) * 2))],
        (0, 1, 2), (0, 1, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEXTETS)
def test_the_colour_matrix_holds_for_sextets_and_epsilons(name: str) -> None:
    flows, legs, sextets = SEXTETS[name]
    tensors = np.array([explicit(flow, legs, sextets).reshape(-1) for flow in flows])
    expected = tensors @ tensors.conj().T
    np.testing.assert_allclose(np.array(colour_matrix(flows), float), expected, atol=1e-12)
    assert expected[0, 0] > 0


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


def test_a_sextet_has_two_colours_of_which_one_is_a_negative_anticolour() -> None:
    """u u > six g: both colours of the quarks go on to the sextet, one by way of the gluon."""
    flow = closed([String(2, (), 0), String(2, (3,), 1)])
    assert flow_lines(flow, [True, True, False, False]) == (
        (501, 0),
        (503, 0),
        (501, -502),
        (503, 502),
    )
    conjugate_flow = closed([String(0, (), 2), String(1, (3,), 2)])
    assert flow_lines(conjugate_flow, [True, True, False, False]) == (
        (0, 501),
        (0, 502),
        (-503, 501),
        (503, 502),
    )


def test_three_lines_end_at_an_epsilon() -> None:
    """u d > sq~ g: three numbers are at one leg only, and no other."""
    flow = closed(String(FIRST_EPSILON - k, gluons, k) for k, gluons in enumerate(((), (3,), ())))
    assert flow_lines(flow, [True, True, False, False]) == (
        (504, 0),
        (503, 0),
        (0, 501),
        (503, 502),
    )


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
