"""Colour factors of vertices against tensors with explicit indices."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from explicit_colours import EPSILON, SEXTET, SEXTET_T, D, F, T, explicit, vertex_tensor

from madnis_py.physics.colour.colour_strings import structures_of


def test_tensors_of_these_tests_are_those_of_su3() -> None:
    np.testing.assert_allclose(np.einsum("aij,bji->ab", T, T), np.eye(8) / 2, atol=1e-15)
    np.testing.assert_allclose(T, T.conj().transpose(0, 2, 1))
    commutator = np.einsum("aij,bjk->abik", T, T) - np.einsum("bij,ajk->abik", T, T)
    np.testing.assert_allclose(commutator, 1j * np.einsum("abc,cij->abij", F, T), atol=1e-15)
    sextets = np.einsum("ast,btu->absu", SEXTET_T, SEXTET_T)
    np.testing.assert_allclose(
        sextets - sextets.transpose(1, 0, 2, 3),
        1j * np.einsum("abc,cst->abst", F, SEXTET_T),
        atol=1e-14,
    )
    assert np.einsum("abc,abc->", D, D) == pytest.approx(40 / 3)
    assert np.einsum("sij,tij->st", SEXTET, SEXTET) == pytest.approx(np.eye(6))
    assert EPSILON[0, 1, 2] == 1


FACTORS = [
    ("1", (1, 1, 1)),
    ("Identity(1,2)", (3, -3, 1)),
    ("Identity(1,3)", (-3, 1, 3)),
    ("Identity(1,2)", (8, 8)),
    ("Identity(2,1)", (-6, 6)),
    ("T(3,2,1)", (3, -3, 8)),
    ("f(1,2,3)", (8, 8, 8)),
    ("f(3,2,1)", (8, 8, 8)),
    ("d(1,2,3)", (8, 8, 8)),
    ("Epsilon(1,2,3)", (-3, -3, -3)),
    ("EpsilonBar(2,1,3)", (3, 3, 3)),
    ("K6(1,2,3)", (-6, 3, 3)),
    ("K6Bar(3,1,2)", (-3, -3, 6)),
    ("T6(1,2,3)", (8, -6, 6)),
    ("f(1,2,-1)*f(3,4,-1)", (8, 8, 8, 8)),
    ("f(-1,1,3)*f(2,4,-1)", (8, 8, 8, 8)),
    ("d(1,2,-1)*d(-1,3,4)", (8, 8, 8, 8)),
    ("d(1,2,-1)*f(-1,3,4)", (8, 8, 8, 8)),
    ("Identity(1,2)*Identity(3,4)", (8, 8, -3, 3)),
    ("T(1,-1,3)*T(2,4,-1)", (8, 8, 3, -3)),
    ("d(1,2,-1)*T(-1,4,3)", (8, 8, 3, -3)),
    ("f(1,2,-1)*T(-1,4,3)", (8, 8, 3, -3)),
    ("T(-1,2,1)*T(-1,4,3)", (3, -3, 3, -3)),
    ("Epsilon(1,2,-1)*EpsilonBar(3,4,-1)", (-3, -3, 3, 3)),
    ("Epsilon(1,2,-1)*T(4,3,-1)", (-3, -3, -3, 8)),
    ("Epsilon(-1,-2,3)*T(-3,1,-1)*T(-3,2,-2)", (-3, -3, -3)),
    ("Epsilon(1,2,3)*Epsilon(4,5,6)", (-3,) * 6),
    ("Epsilon(1,2,3)*EpsilonBar(4,5,6)", (-3, -3, -3, 3, 3, 3)),
    ("K6(-1,1,2)*K6Bar(-1,3,4)", (3, 3, -3, -3)),
    ("K6Bar(1,2,-1)*T(4,3,-1)", (6, -3, -3, 8)),
    ("T6(1,3,-1)*T6(2,-1,4)", (8, 8, -6, 6)),
    ("T6(1,3,-1)*T6(2,-1,4)*Identity(5,6)", (8, 8, -6, 6, 3, -3)),
    ("T6(-2,3,-1)*T6(-2,-1,4)*f(1,2,5)", (8, 8, -6, 6, 8)),
    ("Epsilon(2,-1,-2)*K6(3,-1,-3)*T(1,-3,-2)", (8, -3, -6)),
    ("K6(1,-1,-2)*K6(2,-3,-4)*K6(3,-5,-6)*Epsilon(-1,-3,-5)*Epsilon(-2,-4,-6)", (-6, -6, -6)),
    ("f(1,2,-1)*f(-1,3,-2)*f(-2,4,5)", (8,) * 5),
    ("f(1,2,-1)*d(-1,3,-2)*T(-2,5,-3)*T(4,-3,6)", (8, 8, 8, 8, -3, 3)),
    ("T(1,-1,4)*T(2,-2,-1)*T(3,5,-2)", (8, 8, 8, 3, -3)),
    ("Identity(1,-1)*T(-1,-2,3)*Identity(2,-2)", (8, -3, 3)),
    ("f(1,-1,-2)*f(-1,-2,2)", (8, 8)),
]


@pytest.mark.parametrize(("text", "representations"), FACTORS)
def test_a_factor_is_its_sum_of_strings_and_traces(
    text: str, representations: tuple[int, ...]
) -> None:
    coloured = [leg for leg, kind in enumerate(representations) if kind != 1]
    sextets = [leg for leg in coloured if abs(representations[leg]) == 6]
    expected = vertex_tensor(text, representations)
    found = sum(
        (
            float(factor) * explicit(structure, coloured, sextets)
            for structure, factor in structures_of(text, representations)
        ),
        np.zeros(1),
    )
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-13)


def test_numbers_multiply_a_factor() -> None:
    ((structure, factor),) = structures_of("-3*T(3,1,2)/2*5", (-3, 3, 8))
    assert ((structure, Fraction(1)),) == structures_of("T(3,1,2)", (-3, 3, 8))
    assert factor == Fraction(-15, 2)


def test_factors_that_vanish_have_no_structure() -> None:
    assert structures_of("f(1,2,-1)*Identity(-1,-2)*d(-2,-3,-3)", (8, 8)) == ()


@pytest.mark.parametrize("loops", range(1, 6))
def test_rings_of_structure_constants_are_powers_of_the_casimir_operator(loops: int) -> None:
    """Each pair f f is N delta; f stands for -i f. Long products are no sums over all traces."""
    text = f"f(1,-1,-2)*f(2,-{2 * loops},-1)"
    for k in range(1, loops):
        text += f"*f(-{50 + k},-{2 * k},-{2 * k + 1})*f(-{50 + k},-{2 * k + 1},-{2 * k + 2})"
    ((structure, factor),) = structures_of(text, (8, 8))
    assert ((structure, Fraction(2)),) == structures_of("Identity(1,2)", (8, 8))
    assert factor == 2 * Fraction(3) ** loops


@pytest.mark.parametrize(
    ("text", "representations", "sentence"),
    [
        ("T(3,2,1)", (-3, 3, 8), r"index 2 once, for representation 3; got it for -3"),
        ("T(1,2,3)", (-3, 3, 8), r"index 1 once, for representation -3; got it for 8"),
        ("Identity(1,2)", (-3, 3, 8), r"index 3, whose particle has colour; got none"),
        ("Identity(1,4)", (-3, 3, 1), r"particles 1 to 3; got 4"),
        ("T(1,3,-1)*T(2,4,-1)", (8, 8, -3, -3), r"index -1 twice, for a representation and its"),
        ("f(1,2)", (8, 8), r"3 indices of f; got 2"),
        ("f(1,2,3)*f(1,2,3)", (8, 8, 8), r"index 1 once"),
        ("g(1,2,3)", (8, 8, 8), r"T, f, d, Epsilon.* or Identity; got g"),
        ("f(1,2,3)+d(1,2,3)", (8, 8, 8), r"products of tensors and integers; got f\(1, 2, 3\) \+"),
        ("f(1,2,x)", (8, 8, 8), r"an integer as an index; got x"),
        ("__import__('os')", (1,), r"an integer as an index"),
        ("f(1,2,3", (8, 8, 8), r"a product such as"),
        ("1*" * 300 + "1", (1,), r"at most 400 characters"),
        ("*".join(f"T({-k},{-k - 50},{-k - 51})" for k in range(1, 14)), (1,), r"at most 12 "),
    ],
)
def test_factors_that_do_not_fit_are_refused_in_a_sentence(
    text: str, representations: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=r"^colour .*: expected ") as refusal:
        structures_of(text, representations)
    assert refusal.match(sentence)
