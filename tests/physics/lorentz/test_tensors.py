"""Tensors of structures against explicit matrices, which numpy multiplies."""

from fractions import Fraction

import numpy as np
import pytest
from dirac import GAMMA, METRIC, SIDES, slash

from madnis_py.physics.lorentz.gaussian import Gaussian
from madnis_py.physics.lorentz.structures import read_structure
from madnis_py.physics.lorentz.tensors import expanded, without_momentum

SEED = np.random.default_rng(5)


def value(
    text: str, spins: tuple[int, ...], waves: list[np.ndarray], momenta: np.ndarray
) -> complex:
    """A vertex with waves of all legs, from the entries of its tensor."""
    total = 0j
    for (components, parts), number in expanded(read_structure(text, spins), spins).items():
        product = complex(number.re, number.im)
        for wave, component in zip(waves, components, strict=True):
            product *= wave[component]
        for leg, mu in parts:
            product *= momenta[leg - 1][mu]
        total += product
    return total


def wave(size: int) -> np.ndarray:
    return SEED.normal(size=size) + 1j * SEED.normal(size=size)


MOMENTA = SEED.normal(size=(4, 4))
BAR, PSI, EPS, ETA = wave(4), wave(4), wave(4), wave(4)
LEFT, RIGHT = SIDES


def test_a_line_of_gammas_is_the_product_of_the_matrices() -> None:
    text = "P(-1,3)*Gamma(-1,1,-2)*Gamma(3,-2,-3)*ProjM(-3,2)"
    expected = BAR @ slash(MOMENTA[2]) @ slash(EPS) @ LEFT @ PSI
    assert value(text, (2, 2, 3), [BAR, PSI, EPS], MOMENTA) == pytest.approx(expected)


def test_the_trace_of_gamma5_with_four_gammas_is_4_i_epsilon() -> None:
    """As ALOHA defines Epsilon, https://answers.launchpad.net/mg5amcnlo/+question/682897"""
    waves = [wave(4) for _ in range(4)]
    text = "Gamma(1,-1,-2)*Gamma(2,-2,-3)*Gamma(3,-3,-4)*Gamma(4,-4,-5)*Gamma5(-5,-1)"
    trace = value(text, (3, 3, 3, 3), waves, MOMENTA)
    matrices = [slash(one) for one in waves]
    explicit = np.trace(np.linalg.multi_dot([*matrices, RIGHT - LEFT]))
    epsilon = value("Epsilon(1,2,3,4)", (3, 3, 3, 3), waves, MOMENTA)
    assert trace == pytest.approx(explicit)
    assert 4j * epsilon == pytest.approx(explicit)


def test_sigma_is_a_quarter_of_i_times_the_commutator() -> None:
    text = "Sigma(3,-1,1,2)*P(-1,1)"
    a, b = slash(EPS), slash(MOMENTA[0])
    expected = 0.25j * (BAR @ (a @ b - b @ a) @ PSI)
    assert value(text, (2, 2, 3), [BAR, PSI, EPS], MOMENTA) == pytest.approx(expected)


def test_spin_two_and_three_halves_have_the_index_of_their_vector_first() -> None:
    graviton, gravitino = wave(16), wave(16)
    text = "P(1003,1)*P(2003,2)"
    expected = MOMENTA[0] @ METRIC @ graviton.reshape(4, 4) @ METRIC @ MOMENTA[1]
    assert value(text, (1, 1, 5), [np.ones(1)] * 2 + [graviton], MOMENTA) == pytest.approx(expected)
    vector = METRIC @ MOMENTA[2] @ gravitino.reshape(4, 4)
    assert value("P(2,3)*ProjP(1,2)", (2, 4, 1), [BAR, gravitino, np.ones(1)], MOMENTA) == (
        pytest.approx(BAR @ RIGHT @ vector)
    )


def test_sums_over_a_square_of_a_bracket_are_scalar_products() -> None:
    text = "P(-1,1)*P(-1,2)*Metric(1,2) - P(1,2)*P(2,1)"
    p, q = MOMENTA[:2]
    expected = (p @ METRIC @ q) * (EPS @ METRIC @ ETA) - (q @ METRIC @ EPS) * (p @ METRIC @ ETA)
    waves = [EPS, ETA, np.ones(1)]
    assert value(text, (3, 3, 1), waves, MOMENTA) == pytest.approx(expected)


def test_momentum_conservation_makes_vanishing_structures_zero() -> None:
    spins = (3, 1, 1)
    tensor = expanded(read_structure("P(1,1) + P(1,2) + P(1,3)", spins), spins)
    assert tensor
    assert not without_momentum(tensor, 3, 3)


def test_gamma_matrices_of_the_reference_have_the_algebra_of_dirac() -> None:
    for mu in range(4):
        for nu in range(4):
            anticommutator = GAMMA[mu] @ GAMMA[nu] + GAMMA[nu] @ GAMMA[mu]
            np.testing.assert_allclose(anticommutator, 2 * METRIC[mu, nu] * np.eye(4))


def test_coefficients_are_exact_fractions() -> None:
    text = "Metric(1,2)/3 + complex(0,1)*Metric(1,2)/7 - Sigma(1,2,-1,-2)*Identity(-2,-1)/5"
    entries = expanded(read_structure(text, (3, 3)), (3, 3))
    first = Gaussian(Fraction(1, 3), Fraction(1, 7))
    assert entries == {((mu, mu), ()): first if mu == 0 else -first for mu in range(4)}
    sigma = expanded(read_structure("Sigma(1,2,3,4)/5", (3, 3, 2, 2)), (3, 3, 2, 2))
    assert {abs(complex(one.re, one.im)) for one in sigma.values()} == {0.1}
