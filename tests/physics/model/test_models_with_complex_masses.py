"""Models with complex masses: what becomes complex, what stays real, and what is refused."""

from __future__ import annotations

import cmath
from dataclasses import replace

import pytest

from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.expressions import Continuation, Names, value_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Derived, ModelTables, Parameter


def test_masses_and_mixing_angle_of_the_standard_model() -> None:
    real, model = Model("sm"), Model("sm", complex_masses=True)
    mu2_w = real["MW"] ** 2 - 1j * real["MW"] * real["WW"]
    mu2_z = real["MZ"] ** 2 - 1j * real["MZ"] * real["WZ"]
    assert model.coupling("MW**2") == pytest.approx(mu2_w, rel=1e-14)
    assert model.coupling("sw2") == pytest.approx(1 - mu2_w / mu2_z, rel=1e-13)
    assert model.coupling("ee") == real.coupling("ee")
    for name in ("MW", "MZ", "MT", "sw2", "vev", "WW"):
        assert model[name] == real[name]
    assert (model.mass(24), model.width(24)) == (real.mass(24), real.width(24))
    assert model.has_complex_mass(-24)
    assert not model.has_complex_mass(5)


def test_yukawa_couplings_follow_the_masses_that_they_are_equal_to() -> None:
    model = Model("sm", complex_masses=True)
    assert model.coupling("ymt") == model.coupling("MT") == cmath.sqrt(173**2 - 173j * 1.4915)
    assert Model("sm", {"ymt": 165.0}, complex_masses=True).coupling("ymt") == 165
    assert model.coupling("ymb") == 4.7


def test_other_values_and_real_masses_of_a_model() -> None:
    model = Model("sm", complex_masses=True).with_values({"WT": 2.0})
    assert model.coupling("MT**2").imag == pytest.approx(-346)
    assert model.at_real_masses().coupling("MT") == 173


def with_derived(tables: ModelTables, *derived: Derived) -> ModelTables:
    names = {one.name for one in derived}
    kept = tuple(one for one in tables.derived if one.name not in names)
    return replace(tables, derived=(*derived, *kept))


def test_a_mass_that_nothing_of_its_own_determines_is_refused() -> None:
    """sin^2 from G_F, M_Z and alpha: M_W = M_Z cos would have another width."""
    tables = with_derived(
        MODELS["sm"],
        Derived("sw2", "0.5 - sqrt(0.25 - pi/(aEWM1*Gf*MZ**2*sqrt(2)))"),
        Derived("MW", "MZ*sqrt(1 - sw2)"),
    )
    assert Model("other", tables=tables).mass(24) == pytest.approx(Model("sm").mass(24))
    with pytest.raises(ValueError, match="follow from one that nothing else follows from"):
        Model("other", tables=tables, complex_masses=True)


def test_particles_of_one_mass_and_several_widths_are_refused() -> None:
    particles = tuple(
        replace(row, mass="MT") if row.name == "h" else row for row in MODELS["sm"].particles
    )
    tables = replace(MODELS["sm"], particles=particles)
    with pytest.raises(ValueError, match=r"one width of all particles with the mass MT.*1\.4915"):
        Model("other", tables=tables, complex_masses=True)


def test_masses_of_majorana_fermions_keep_their_sign() -> None:
    row = replace(MODELS["sm"].particles[5], antiname="t", pdg=1000022)
    tables = ModelTables(MODELS["sm"].parameters, (row,), ())
    model = Model("other", {"MT": -100.0, "WT": 3.0}, tables, complex_masses=True)
    assert model.coupling("MT") == -cmath.sqrt(100**2 - 300j)


def test_the_switch_of_models_for_this_scheme_is_on() -> None:
    switch = Parameter("CMSParam", "LOOP", (1,), 0.0, "scheme")
    derived = Derived("chosen", "MT if CMSParam == 1.0 else re(MT)", is_real=False)
    tables = replace(
        MODELS["sm"],
        parameters=(*MODELS["sm"].parameters, switch),
        derived=(*MODELS["sm"].derived, derived),
    )
    assert Model("other", tables=tables).coupling("chosen") == 173
    model = Model("other", tables=tables, complex_masses=True)
    assert model.coupling("chosen") == model.coupling("MT")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conj(g*m)", "conj(g)*m"),
        ("complexconjugate(g*m**2)", "conj(g)*m**2"),
        ("(g*m).conjugate()", "conj(g)*m"),
        ("re(g*m)", "re(g)*m"),
        ("(g*m).imag", "im(g)*m"),
        ("abs(g*m)", "abs(g)*m"),
        ("abs(-m)", "m"),
        ("2*m if m > 90 else m", "2*m"),
        ("theta_function(m > 90, m, 0)", "m"),
        ("cond(m - 100, m, 0)", "m"),
        ("at_real_masses(m)", "100"),
        ("exp(1j*phase(g*m))", "exp(1j*phase(g))"),
    ],
)
def test_expressions_are_analytic_in_masses_and_conditions_are_real(
    text: str, expected: str
) -> None:
    m, g = cmath.sqrt(100**2 - 300j), 0.3 - 0.4j
    real = {"m": 100.0, "g": g}
    names = Names({"m": m, "g": g}, {}, Continuation({"m": m.conjugate(), "g": g}, real))
    assert value_of(text, names) == pytest.approx(value_of(expected, names), rel=1e-14)
    assert value_of(text, Names(real)) == pytest.approx(value_of(expected, Names(real)), rel=1e-14)
