"""Structures of UFO as kernels: exact, in any order of the legs, or left as they are."""

import math
from fractions import Fraction
from itertools import permutations

import pytest

from madnis_py.physics.lorentz import kernel_terms
from madnis_py.physics.lorentz.gaussian import Gaussian
from madnis_py.physics.lorentz.kernel_terms import (
    KERNELS,
    kernel_tensors,
    legs_in_order,
    lorentz_terms,
    structure_terms,
)
from madnis_py.physics.lorentz.structures import read_structure, renumbered, text_of
from madnis_py.physics.lorentz.tensors import added, expanded, without_momentum

VVVV1 = "Metric(1,4)*Metric(2,3) - Metric(1,3)*Metric(2,4)"
SPLIT = "Metric(1,4)*Metric(2,3) - (Metric(1,3)*Metric(2,4))/2. - (Metric(1,2)*Metric(3,4))/2."
VVV = (
    "P(3,1)*Metric(1,2) - P(3,2)*Metric(1,2) - P(2,1)*Metric(1,3)"
    " + P(2,3)*Metric(1,3) + P(1,2)*Metric(2,3) - P(1,3)*Metric(2,3)"
)


def number(text: str) -> Gaussian:
    value = complex(eval(text, {"math": math}))
    return Gaussian(Fraction(value.real), Fraction(value.imag))


@pytest.mark.parametrize(
    ("spins", "structures", "expected"),
    [
        ((2, 2, 3), {"Gamma(3,2,1)": "2"}, ("FFV", (2, 2))),
        (
            (2, 2, 3),
            {"Gamma(3,2,-1)*ProjM(-1,1) - 2*Gamma(3,2,-1)*ProjP(-1,1)": "3", "Gamma(3,2,1)": "1j"},
            ("FFV", (3 + 1j, -6 + 1j)),
        ),
        ((2, 2, 3), {"Gamma(3,2,-1)*Gamma5(-1,1)": "1"}, ("FFV", (-1, 1))),
        ((2, 2, 1), {"Gamma5(2,1)": "1", "Identity(2,1)": "3"}, ("FFS", (2, 4))),
        ((3, 3, 3), {VVV: "-2"}, ("VVV", (2,))),
        ((3, 1, 1), {"P(1,2) - P(1,3)": "1"}, ("VSS", (-1,))),
        ((1, 3, 1), {"complex(0,1)*P(2,1) - complex(0,1)*P(2,3)": "1"}, ("VSS", (-1j,))),
        ((1, 1, 3, 3), {"Metric(3,4)": "5"}, ("VVSS", (5,))),
        ((3, 3, 3, 3), {VVVV1: "1"}, ("VVVV1", (-1,))),
        (
            (3, 3, 3, 3),
            {SPLIT: "4"},
            ("VVVV", (-2, -2, 4)),
        ),
    ],
)  # fmt: skip
def test_structures_of_kernels_become_their_couplings(
    spins: tuple[int, ...], structures: dict[str, str], expected: tuple[str, tuple[complex, ...]]
) -> None:
    order = legs_in_order(spins, list(structures))
    [(name, couplings)] = lorentz_terms(spins, list(structures.items()), order)
    assert name == expected[0]
    assert [complex(eval(text)) for text in couplings] == list(expected[1])


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_kernel_is_found_with_its_legs_in_any_order(name: str) -> None:
    spins, texts = KERNELS[name]
    couplings = [str(k + 2) for k in range(len(texts))]
    tensors = kernel_tensors(name)
    for moved in permutations(range(len(spins))):
        numbers = {old + 1: new + 1 for new, old in enumerate(moved)}
        shuffled = [spins[old] for old in moved]
        written = [text_of(renumbered(read_structure(text, spins), numbers, -1)) for text in texts]
        order = legs_in_order(shuffled, written)
        found = lorentz_terms(shuffled, list(zip(written, couplings, strict=True)), order)
        total = added(
            [
                (number(coupling), tensor)
                for kernel, numbers_of_kernel in found
                for coupling, tensor in zip(numbers_of_kernel, kernel_tensors(kernel), strict=True)
            ]
        )
        onward = {numbers[old + 1]: old for old in range(len(spins))}
        here = {onward[old + 1] + 1: new + 1 for new, old in enumerate(order)}
        expected = added(
            [
                (
                    number(coupling),
                    without_momentum(
                        expanded(renumbered(read_structure(text, spins), here, 1), spins),
                        len(spins),
                        len(spins),
                    ),
                )
                for coupling, text in zip(couplings, texts, strict=True)
            ]
        )
        assert total == expected
    assert all(tensors)


def test_what_is_no_kernel_keeps_its_structure_with_incoming_momenta() -> None:
    structures = [("P(1,2) + P(1,3)", "c"), ("P(1,2) - P(1,3)", "d")]
    terms = lorentz_terms((3, 1, 1), structures, (0, 1, 2))
    assert terms == [("VSS", ("-(d)",)), ("-1*P(1,2) + -1*P(1,3)", ("c",))]


def test_parts_of_a_kernel_with_one_coupling_are_added() -> None:
    parts = [("Metric(1,2)*P(3,1) - Metric(1,2)*P(3,2)", "g")]
    parts += [("Metric(2,3)*P(1,2) - Metric(2,3)*P(1,3)", "g")]
    parts += [("Metric(1,3)*P(2,3) - Metric(1,3)*P(2,1)", "g")]
    assert lorentz_terms((3, 3, 3), parts, (0, 1, 2)) == [("VVV", ("-(g)",))]


def test_a_structure_that_vanishes_by_momentum_conservation_has_no_coupling() -> None:
    [(name, couplings)] = lorentz_terms((1, 1, 1), [("1", "a"), ("1", "b")], (0, 1, 2))
    assert (name, couplings) == ("SSS", ("(a) + (b)",))
    assert lorentz_terms((3, 1, 1), [("P(1,1)+P(1,2)+P(1,3)", "c")], (0, 1, 2)) == []
    dependent = "Epsilon(1,-1,-2,-3)*P(-1,1)*P(-2,2)*P(-3,3)"
    assert lorentz_terms((3, 1, 1), [(dependent, "c")], (0, 1, 2)) == []
    five = "P(-1,1)*P(-1,5) + P(-1,2)*P(-1,5) + P(-1,3)*P(-1,5) + P(-1,4)*P(-1,5) + P(-1,5)*P(-1,5)"
    for terms in (lorentz_terms, structure_terms):
        assert terms((1,) * 5, [(five, "c"), ("P(-1,1)*P(-1,2)", "d")], range(5)) == [
            ("P(-1,1)*P(-1,2)", ("d",))
        ]


def test_rows_and_columns_of_four_fermions_come_in_turns() -> None:
    structure = "Gamma(-1,2,-2)*ProjM(-2,1)*Gamma(-1,4,-3)*ProjM(-3,3)"
    assert legs_in_order((2, 2, 2, 2, 1), [structure]) == (1, 0, 3, 2, 4)


def test_fermions_that_are_rows_here_and_columns_there_are_refused() -> None:
    with pytest.raises(ValueError, match="which fermions are rows"):
        legs_in_order((2, 2, 1), ["ProjM(2,1)", "ProjM(1,2)"])


def test_structures_with_more_momenta_than_kernels_are_not_expanded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A folder with hundreds of operators of dimension six and eight is read in seconds."""
    monkeypatch.setattr(kernel_terms, "expanded", None)
    bilinear = "P(-1,3)*Gamma(-1,2,-2)*Gamma(3,-2,-3)*ProjM(-3,1)"
    cubic = "P(1,2)*P(2,3)*P(3,1) - P(1,3)*P(2,1)*P(3,2)"
    quartic = "(P(-1,1)*P(-1,2) + P(-1,1)*P(-1,3))*P(-2,2)*P(-2,3)"
    for spins, text in (((2, 2, 3), bilinear), ((3, 3, 3), cubic), ((1, 1, 1), quartic)):
        [(structure, couplings)] = lorentz_terms(spins, [(text, "c")], (0, 1, 2))
        legs = {leg: leg for leg in (1, 2, 3)}
        assert structure == text_of(renumbered(read_structure(text, spins), legs, -1))
        assert couplings == ("c",)
