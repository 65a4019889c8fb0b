"""Propagators of UFO models as terms and polynomials, and what is refused."""

import pytest

from madnis_py.physics.lorentz.propagator_terms import LineParameters, propagator_terms

POLE = "P('mu', id) * P('mu', id) - Mass(id) * Mass(id) + complex(0,1) * Mass(id) * Width(id)"

OWN = LineParameters("M", "W", {"dW"}, {"re"})


def value(text: str) -> complex:
    return complex(eval(text, {"M": 3.0, "W": 0.5, "dW": 0.25, "re": lambda z: z}))


@pytest.mark.parametrize(
    ("numerator", "spin", "expected"),
    [
        ("complex(0,1)", 1, {"-1": 1.0}),
        (
            "complex(0,1) * (Metric(1,'mu') * P('mu',id) * P(2,id) / Mass(id)**2 - Metric(1,2))",
            3,
            {"Metric(1,2)": 1.0, "-1*Metric(1,-50)*P(-50,2)*P(2,2)": 1 / 9},
        ),
        (
            "complex(0,1) * (Gamma('mu',1,2) * P('mu',id) + Mass(id) * Identity(1,2))",
            2,
            {"-1*Gamma(-50,1,2)*P(-50,2)": 1.0, "-1*Identity(1,2)": 3.0},
        ),
        ("complex(0,1)*Metric(1,2)*OverMass2(id)*Metric(51,52)", 5,
         {"-1*Metric(1001,1002)*Metric(2001,2002)": 1 / 9}),
        ("-1*Mass(id)*complex(0,1)*dW*Metric(1,2)", 3, {"Metric(1,2)": 3 * 0.25}),
        ("complex(0,1)*re(dW)**2/(2*dW)*Metric(1,2)", 3, {"-1*Metric(1,2)": 0.125}),
    ],
)  # fmt: skip
def test_numerators_become_structures_from_the_second_leg_to_the_first(
    numerator: str, spin: int, expected: dict[str, float]
) -> None:
    terms, denominator = propagator_terms(numerator, POLE, spin, OWN)
    assert {text: value(coupling) for text, coupling in terms} == pytest.approx(expected)
    assert [value(text) for text in denominator] == pytest.approx([-9 + 1.5j, 1])


def test_a_denominator_may_be_the_square_of_another() -> None:
    _, denominator = propagator_terms("complex(0,1)", f"({POLE})**2", 1, OWN)
    constant = -9 + 1.5j
    assert [value(text) for text in denominator] == pytest.approx([constant**2, 2 * constant, 1])


def test_a_particle_without_a_mass_has_zero_in_its_place() -> None:
    _, denominator = propagator_terms("complex(0,1)", POLE, 1, LineParameters("", ""))
    assert [value(text) for text in denominator] == [0, 1]


@pytest.mark.parametrize(
    ("numerator", "denominator", "sentence"),
    [
        ("complex(0,1)", "P('mu', id)", "polynomial in p"),
        ("complex(0,1)", "Mass(id)**2", "polynomial in p"),
        ("complex(0,1)*Metric(1,2)", POLE, "expected indices"),
        ("complex(0,1)*Mass(2)", POLE, "parameters of the particle id"),
        ("complex(0,1)*Charge(id)", POLE, "expected one of"),
        ("complex(0,1)*dM", POLE, "expected names of parameters; got dM"),
        ("complex(0,1)/(dW*P(1,id))", POLE, "expected a number"),
        ("__import__('os')", POLE, "expected one of"),
    ],
)
def test_what_is_no_propagator_is_refused_in_a_sentence(
    numerator: str, denominator: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        propagator_terms(numerator, denominator, 1, OWN)
