"""Structures as text: what is read, and the sentences about what is not."""

import pytest

from madnis_py.physics.lorentz.structures import read_structure, text_of


@pytest.mark.parametrize(
    ("text", "spins"),
    [
        ("Metric(1,4)*Metric(2,3) - (Metric(1,3)*Metric(2,4))/2.", (3, 3, 3, 3)),
        ("P(-1,1)**2*Metric(1,2) - complex(0,2)*P(1,2)*P(2,1)", (3, 3, 1)),
        ("Gamma(3,2,-1)*(ProjM(-1,1) - 2*ProjP(-1,1))", (2, 2, 3)),
        ("P(1003,1)*P(2003,2) - Metric(1003,2003)*P(-1,1)*P(-1,2)", (1, 1, 5)),
        ("PSlash(2,1,3)", (2, 2, 1)),
        ("Gamma(2,1,2)", (2, 4, 1)),
    ],
)
def test_what_is_written_is_read_again_unchanged(text: str, spins: tuple[int, ...]) -> None:
    structure = read_structure(text, spins)
    assert structure
    assert read_structure(text_of(structure), spins) == structure


@pytest.mark.parametrize(
    ("text", "spins", "sentence"),
    [
        ("Gamma(3,2", (2, 2, 3), "expected a sum of products"),
        ("Gamma(3,2,1)", (2, 2, 1), "expected indices of legs"),
        ("Metric(1,-1)", (3, 1, 1), "expected indices of legs"),
        ("P(-1,1)*P(-1,2)*P(-1,1)*P(-1,2)", (1, 1), "twice each"),
        ("P(1,7)", (3, 1, 1), "expected indices of legs"),
        ("__import__('os').system('true')", (1, 1, 1), "expected numbers and factors"),
        ("Gamma.__class__(1,2,3)", (2, 2, 3), "expected numbers and factors"),
        ("Identity(2,1) if 1 else 0", (2, 2, 1), "expected numbers and factors"),
        ("Tensor(1,2)", (3, 3), "expected one of Metric"),
        ("Metric(1)", (3, 3), "expected 2 indices; got 1"),
        ("1/(2-2)", (1, 1, 1), "other than zero"),
        ("1**99", (1, 1, 1), "expected numbers and factors"),
        ("(P(-1,1)+P(-1,2))" * 40, (1, 1), "expected"),
        ("(" * 300 + "1" + ")" * 300, (1, 1, 1), "expected"),
        ("-" * 90_000 + "1", (1, 1, 1), "expected"),
        ("1+" * 60_000 + "1", (1, 1, 1), "at most 100000 characters"),
    ],
)
def test_what_is_no_structure_is_refused_in_a_sentence(
    text: str, spins: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        read_structure(text, spins)
