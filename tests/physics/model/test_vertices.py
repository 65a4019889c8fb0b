"""Laws of the Feynman rules: what symmetry demands of the tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.expressions import ExpressionError
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Vertex

CKM = {"lamWS": 0.2253, "AWS": 0.808, "rhoWS": 0.132, "etaWS": 0.341}
EVERYTHING = CKM | {"MC": 1.5, "ymc": 1.4, "Me": 5e-4, "yme": 5e-4, "MM": 0.1, "ymm": 0.1}
SPINS = {
    "FFV": (2, 2, 3), "FFS": (2, 2, 1), "VVV": (3,) * 3,
    "VVVV1": (3,) * 4, "VVVV2": (3,) * 4, "VVVV3": (3,) * 4,
    "VVVV4": (3,) * 4, "VVS": (3, 3, 1), "VVSS": (3, 3, 1, 1), "SSS": (1,) * 3, "SSSS": (1,) * 4,
}  # fmt: skip
COLOURS: dict[tuple[int, ...], str] = {
    (3, 3, 1): "Identity(1,2)",
    (3, 3, 8): "T(3,1,2)",
    (8, 8, 8): "f(1,2,3)",
}

MODEL_NAMES = pytest.mark.parametrize("name", MODELS)


def vertex(model: Model, particles: str) -> Vertex:
    return next(vertex for vertex in model.vertices if vertex.particles == tuple(particles.split()))


def value(model: Model, particles: str) -> complex:
    """The coupling, the left one of fermions, of a vertex with one term."""
    (term,) = vertex(model, particles).terms
    return model.coupling(term.couplings[0])


@MODEL_NAMES
def test_the_default_values_drop_what_vanishes(name: str) -> None:
    names = {vertex.particles for vertex in Model(name).vertices}
    assert {("b~", "b", "h"), ("t~", "t", "h"), ("ta+", "ta-", "h"), ("u~", "d", "w+")} <= names
    assert not {("c~", "c", "h"), ("mu+", "mu-", "h"), ("e+", "e-", "h"), ("u~", "s", "w+")} & names


@MODEL_NAMES
def test_all_values_together_use_the_whole_table(name: str) -> None:
    assert Model(name, EVERYTHING).vertices == MODELS[name].vertices


@MODEL_NAMES
def test_every_combination_of_particles_has_one_vertex(name: str) -> None:
    particles = [tuple(sorted(vertex.particles)) for vertex in MODELS[name].vertices]
    assert len(set(particles)) == len(particles)


@MODEL_NAMES
def test_every_vertex_conserves_electric_charge(name: str) -> None:
    model = Model(name)
    for vertex in MODELS[name].vertices:
        assert sum(
            model.charge(model.pdg_of[particle]) for particle in vertex.particles
        ) == pytest.approx(0, abs=1e-15)


@MODEL_NAMES
def test_structures_fit_the_spins_and_colours_of_their_particles(name: str) -> None:
    model = Model(name)
    for vertex in MODELS[name].vertices:
        rows = [model.particle(model.pdg_of[particle]) for particle in vertex.particles]
        coloured = tuple(row.colour for row in rows)
        for term in vertex.terms:
            assert SPINS[term.lorentz] == tuple(row.spin for row in rows)
            assert len(term.couplings) == (2 if term.lorentz in ("FFV", "FFS") else 1)
            if coloured != (8, 8, 8, 8):
                assert term.colour == (COLOURS[coloured] if max(coloured) > 1 else "1")


@MODEL_NAMES
def test_powers_of_the_couplings_count_the_legs(name: str) -> None:
    for vertex in MODELS[name].vertices:
        assert sum(vertex.orders) == len(vertex.particles) - 2
        assert (vertex.orders[0] > 0) == ("g" in vertex.particles)


def conjugate(
    model: Model, vertex: Vertex
) -> tuple[tuple[str, ...], dict[tuple[str, str], list[complex]]]:
    """Hermitian conjugate: particles, bosons sorted, and couplings by colour and Lorentz structure.

    The one derivative of VVV changes sign, and so does the exchange of two legs or -i f^abc: no
    sign is left.
    """
    names = [
        model.particle_name(model.anti(model.pdg_of[particle])) for particle in vertex.particles
    ]
    terms = {}
    for term in vertex.terms:
        couplings = [model.coupling(text).conjugate() for text in term.couplings]
        swapped = term.lorentz == "FFS"  # between scalar bilinears the conjugate of P_L is P_R
        terms[term.colour, term.lorentz] = couplings[::-1] if swapped else couplings
    is_fermionic = vertex.terms[0].lorentz.startswith("FF")
    return (names[1], names[0], names[2]) if is_fermionic else tuple(sorted(names)), terms


@MODEL_NAMES
def test_every_vertex_has_its_conjugate(name: str) -> None:
    model = Model(name, EVERYTHING)
    for vertex in model.vertices:
        particles, terms = conjugate(model, vertex)
        (other,) = (
            it for it in model.vertices if particles in (it.particles, tuple(sorted(it.particles)))
        )
        found = {(term.colour, term.lorentz): term.couplings for term in other.terms}
        assert {
            key: [model.coupling(text) for text in texts] for key, texts in found.items()
        } == terms


FIELDS: dict[
    str, Callable[[Model], NDArray[np.complex128]]
] = {  # components of the incoming particle among W^1, W^2, W^3; W^+- = (W^1 -+ i W^2) / sqrt 2
    "w+": lambda model: np.array([1, 1j, 0]) / np.sqrt(2),
    "w-": lambda model: np.array([1, -1j, 0]) / np.sqrt(2),
    "a": lambda model: np.array([0, 0, model.coupling("sw").real]),
    "z": lambda model: np.array([0, 0, model.coupling("cw").real]),
}
EPSILON = np.zeros((3, 3, 3))
EPSILON[[0, 1, 2], [1, 2, 0], [2, 0, 1]], EPSILON[[0, 1, 2], [2, 0, 1], [1, 2, 0]] = 1, -1
METRICS = {  # coefficients of g12 g34, g13 g24, g14 g23
    "VVVV1": np.array([0, 1, -1]),
    "VVVV2": np.array([1, 0, -1]),
    "VVVV3": np.array([1, -1, 0]),
    "VVVV4": np.array([2, -1, -1]),
}


@pytest.mark.parametrize("particles", ["w+ w- a", "w+ w- z"])
def test_triple_couplings_of_the_w_are_structure_constants_of_su2(particles: str) -> None:
    model = Model("sm")
    fields = [FIELDS[name](model) for name in particles.split()]
    expected = -1j * model.coupling("gw") * np.einsum("abc,a,b,c", EPSILON, *fields)
    assert value(model, particles) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("particles", ["w+ w+ w- w-", "w+ w- a a", "w+ w- a z", "w+ w- z z"])
def test_quartic_couplings_are_those_of_gluons_with_structure_constants_of_su2(
    particles: str,
) -> None:
    model = Model("sm")
    fields = [FIELDS[name](model) for name in particles.split()]
    factors = {
        "f(2,1,-1)*f(3,4,-1)": "abe,cde,a,b,c,d",
        "f(3,1,-1)*f(2,4,-1)": "ace,bde,a,b,c,d",
        "f(4,1,-1)*f(2,3,-1)": "ade,bce,a,b,c,d",
    }
    expected = sum(
        model.coupling("gw") ** 2
        * model.coupling(term.couplings[0])
        * np.einsum(factors[term.colour], EPSILON, EPSILON, *fields)
        * METRICS[term.lorentz]
        for term in vertex(model, "g g g g").terms
    )
    np.testing.assert_allclose(
        value(model, particles) * METRICS["VVVV4"], expected, rtol=1e-13, atol=1e-15
    )


@pytest.mark.parametrize("boson", ["a", "z"])
@pytest.mark.parametrize("doublet", [("u", "d"), ("t", "b"), ("ve", "e-")])
def test_left_handed_partners_differ_by_the_coupling_of_the_w(
    boson: str, doublet: tuple[str, ...]
) -> None:
    model = Model("sm")
    upper, lower = (model.couplings(boson, model.pdg_of[name])[0] for name in doublet)
    assert upper - lower == pytest.approx(-value(model, f"w+ w- {boson}"), rel=1e-14)


def test_right_handed_fermions_feel_hypercharge_alone() -> None:
    model = Model("sm")
    for pdg in (1, 2, 11):
        (_, photon), (_, z) = model.couplings("a", pdg), model.couplings("z", pdg)
        assert photon * model.coupling("sw") == pytest.approx(-z * model.coupling("cw"), rel=1e-14)


def test_charged_currents_and_the_w_have_one_coupling() -> None:
    model = Model("sm")
    assert 2 * value(model, "ve~ e- w+") ** 2 == pytest.approx(
        value(model, "w+ w+ w- w-"), rel=1e-14
    )
    assert value(model, "u~ d w+") == value(model, "ve~ e- w+")


def test_the_higgs_boson_couples_to_what_its_field_makes_heavy() -> None:
    """Masses of bosons and fermions go as v + h, and V = M_H^2 / (8 v^2) (2 v h + h^2)^2."""
    model = Model("sm")
    for particles, mass in (("w+ w- h", model["MW"]), ("z z h", model["MZ"])):
        assert value(model, particles) == pytest.approx(2 * mass**2 / model["vev"], rel=1e-14)
        assert value(model, f"{particles} h") == pytest.approx(
            value(model, particles) / model["vev"], rel=1e-14
        )
    for fermion, antifermion in (("t", "t~"), ("b", "b~"), ("ta-", "ta+")):
        mass = model.mass(model.pdg_of[fermion])
        assert value(model, f"{antifermion} {fermion} h") == pytest.approx(
            -mass / model["vev"], rel=1e-14
        )
    assert value(model, "h h h") == pytest.approx(-3 * model["MH"] ** 2 / model["vev"], rel=1e-14)
    assert value(model, "h h h h") == pytest.approx(value(model, "h h h") / model["vev"], rel=1e-14)


def test_strength_of_the_w_is_that_of_muon_decay() -> None:
    model = Model("sm")
    fermi = np.sqrt(2) * model.coupling("gw") ** 2 / (8 * model["MW"] ** 2)
    assert fermi == pytest.approx(model["Gf"], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MW", 80.419002445756163),
        ("sw2", 0.22224648578577766),
        ("ee", 0.30795376724436879),
        ("vev", 246.21845810181637),
        ("sqrt(2)*ymt/vev", 0.9936661458150062),
        ("sqrt(2)*ymb/vev", 0.02699555425046549),
        ("sqrt(2)*ymtau/vev", 0.010206617000654717),
        ("MH**2/(2*vev**2)", 0.12886910601690263),
    ],
)
def test_derived_parameters_are_those_of_madgraph(name: str, expected: float) -> None:
    assert Model("sm").coupling(name) == pytest.approx(expected, rel=1e-12)


def test_expressions_know_nothing_but_parameters() -> None:
    with pytest.raises(ExpressionError):
        Model("sm").coupling("open")


def matrix(model: Model) -> NDArray[np.complex128]:
    return np.array([[model.coupling(f"V{up}{down}") for down in (1, 2, 3)] for up in (1, 2, 3)])


def test_the_ckm_matrix_is_the_unit_matrix_by_default() -> None:
    np.testing.assert_array_equal(matrix(Model("sm")), np.eye(3))


@pytest.mark.parametrize("lam", [0.2253, 0.02])
def test_the_ckm_matrix_is_unitary_to_third_order(lam: float) -> None:
    v = matrix(Model("sm", CKM | {"lamWS": lam}))
    assert np.abs(v @ v.conj().T - np.eye(3)).max() < lam**4


def test_the_ckm_matrix_violates_cp_as_in_nature() -> None:
    v = matrix(Model("sm", CKM))
    jarlskog = (v[0, 1] * v[1, 2] * v[0, 2].conj() * v[1, 1].conj()).imag
    assert jarlskog == pytest.approx(0.808**2 * 0.2253**6 * 0.341, rel=0.05)


def test_the_ckm_matrix_is_that_of_the_reference(shared: Path) -> None:
    files = sorted((shared / "reference" / "matrix_elements").glob("*_ckm*.json"))
    if not files:
        pytest.skip("no reference with a CKM matrix")
    for path in files:
        reference = json.loads(path.read_text())["parameters"]["CKM"]
        expected = [
            complex(
                reference.get(name, reference.get(f"{name}_re")), reference.get(f"{name}_im", 0.0)
            )
            for name in ("Vud", "Vus", "Vub", "Vcd", "Vcs", "Vcb", "Vtd", "Vts", "Vtb")
        ]
        v = matrix(Model("sm", {name: reference[name] for name in CKM}))
        np.testing.assert_allclose(v.flatten(), expected, rtol=0, atol=1e-15)


def test_a_flavour_change_carries_its_element_of_the_ckm_matrix() -> None:
    model = Model("sm", CKM)
    scale = model.coupling("gw/sqrt(2)")
    assert value(model, "u~ b w+") == pytest.approx(scale * matrix(model)[0, 2])
    assert value(model, "b~ u w-") == pytest.approx(scale * matrix(model)[0, 2].conjugate())
    assert value(model, "t~ d w+") == pytest.approx(scale * matrix(model)[2, 0])


def test_the_z_prime_couples_to_what_the_z_couples_to() -> None:
    model = Model("sm_zprime", {"kZPq": 0.5, "kZPl": 0.0})
    quarks = {vertex.particles[:2] for vertex in model.vertices if vertex.particles[-1] == "zp"}
    assert quarks == {(f"{quark}~", quark) for quark in "duscbt"}
    assert value(model, "d~ d zp") == pytest.approx(0.5 * value(model, "d~ d z"))
