"""C in structures of UFO, against explicit matrices."""

import numpy as np
import pytest
from dirac import GAMMA, SIDES, slash

from madnis_py.physics.lorentz.charge_conjugation import ConjugatedLine, without_conjugation
from madnis_py.physics.lorentz.structures import read_structure
from madnis_py.physics.lorentz.tensors import CONJUGATION, expanded

RANDOM = np.random.default_rng(3)
C = 1j * GAMMA[0] @ GAMMA[2]
LEFT, RIGHT = SIDES
PSI, CHI, EPS = (RANDOM.normal(size=4) + 1j * RANDOM.normal(size=4) for _ in range(3))


def value(text: str, row: np.ndarray, column: np.ndarray) -> complex:
    plain, _ = without_conjugation(text)
    tensor = expanded(read_structure(plain, (2, 2, 3)), (2, 2, 3))
    terms = [
        complex(number.re, number.im) * row[a] * column[b] * EPS[mu]
        for ((a, b, mu), _), number in tensor.items()
    ]
    return complex(sum(terms))


def test_c_is_the_matrix_of_the_fermion_flow() -> None:
    found = np.zeros((4, 4), complex)
    for place, number in CONJUGATION.items():
        found[place] = number
    np.testing.assert_allclose(found, C, atol=1e-15)


def test_a_line_with_c_is_that_of_a_conjugate_field() -> None:
    psi_conjugate_bar = PSI @ C  # psi^T C = -psi^T C^-1, the bar of C psi-bar^T
    chi_conjugate = C @ CHI  # of a row psi-bar
    before = PSI @ C @ slash(EPS) @ LEFT @ CHI
    assert value("C(1,-1)*Gamma(3,-1,-2)*ProjM(-2,2)", psi_conjugate_bar, CHI) == pytest.approx(
        before
    )
    behind = PSI @ slash(EPS) @ RIGHT @ C @ CHI
    assert value("Gamma(3,1,-1)*ProjP(-1,-2)*C(-2,2)", PSI, chi_conjugate) == pytest.approx(behind)
    bar_of_conjugate = (C @ (PSI.conj() @ GAMMA[0])).conj() @ GAMMA[0]
    np.testing.assert_allclose(bar_of_conjugate, psi_conjugate_bar, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "expected", "side"),
    [
        ("C(1,-1)*ProjM(-1,2)", "Identity(1,-1)*ProjM(-1,2)", -1),
        ("ProjM(1,-1)*C(-1,2)", "ProjM(1,-1)*Identity(-1,2)", 1),
        ("2*C(1,2)", "2*Identity(1,2)", 0),
    ],
)
def test_a_structure_tells_which_fields_it_takes(text: str, expected: str, side: int) -> None:
    assert without_conjugation(text) == (expected, (ConjugatedLine((1, 2), side),))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ProjM(-1,1)*C(-1,-2)*ProjM(-2,2)", "beginning or the end"),
        ("ProjM(1,-1)*C(2,-1)", "beginning or the end"),
        ("C(1,-1)*ProjM(-1,-2)*C(-2,2)", "one C on a line"),
    ],
)
def test_c_elsewhere_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        without_conjugation(text)
