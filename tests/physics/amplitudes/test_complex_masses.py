"""Complex masses: closed forms, Ward identities, unitarity at high energies, and the limit."""

from __future__ import annotations

import cmath
from functools import cache

import numpy as np
import pytest
from amplitudes import ALPHA_S, reaction

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError, InputError
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    average_factor,
    external_legs,
)
from madnis_py.physics.amplitudes.tapes.helicities import MOMENTUM, ExternalLeg
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.automatic_widths import model_of
from madnis_py.physics.decays.partial_widths import decay_table
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.process.process import Process

WIDTHS = ("WT", "WZ", "WW", "WH")


@cache
def amplitude(text: str, complex_masses: bool, width: float | None = None) -> TreeAmplitude:
    values = {} if width is None else dict.fromkeys(WIDTHS, width)
    model = Model("sm", values, complex_masses=complex_masses)
    return TreeAmplitude(reaction(text, model), model)


def points(one: TreeAmplitude) -> Array:
    return generic_momenta([one.model.mass(pdg) for pdg in one.legs], 2)


# -- a closed form


@pytest.mark.parametrize("energy", [30.0, 85.0, 91.188, 95.0, 500.0])
def test_muon_pairs_near_the_z_are_the_closed_form_with_a_complex_mixing_angle(
    energy: float,
) -> None:
    """sin^2 = 1 - mu_W^2 / mu_Z^2 in the couplings, mu_Z^2 in the pole, alpha real."""
    one = amplitude("e- e+ > mu- mu+", complex_masses=True)
    model = one.model
    mu2_z = model["MZ"] ** 2 - 1j * model["MZ"] * model["WZ"]
    mu2_w = model["MW"] ** 2 - 1j * model["MW"] * model["WW"]
    sin2 = 1 - mu2_w / mu2_z
    e2 = 4 * np.pi / model["aEWM1"]
    left = (-0.5 + sin2) / cmath.sqrt(sin2 * (1 - sin2))
    right = cmath.sqrt(sin2 / (1 - sin2))
    s, cos = energy**2, 0.3

    def part(first: complex, second: complex) -> float:
        return abs(e2 * (1 / s + first * second / (s - mu2_z))) ** 2

    t, u = -s * (1 - cos) / 2, -s * (1 + cos) / 2
    same, other = part(left, left) + part(right, right), 2 * part(left, right)
    half, sin = energy / 2, np.sqrt(1 - cos**2)
    p = as_momenta([
        [
            (half, 0, 0, half),
            (half, 0, 0, -half),
            (half, half * sin, 0, half * cos),
            (half, -half * sin, 0, -half * cos),
        ]
    ])  # fmt: skip
    assert one.squared(p, ALPHA_S)[0] == pytest.approx(u**2 * same + t**2 * other, rel=1e-10)


# -- the limit


@pytest.mark.parametrize(
    "text",
    [
        "u d~ > mu+ vm a", "e+ e- > u d~ s c~", "g g > b e+ ve b~ mu- vm~", "e+ e- > t t~ h",
        "u d~ > mu+ vm e+ e-", "t t~ > t t~ QCD=0", "b t~ > h w-",
    ],
)  # fmt: skip
def test_without_widths_nothing_is_complex(text: str) -> None:
    """Kernels with complex masses at widths of 1e-9 GeV, those with real ones without widths."""
    real, near = amplitude(text, False, 0.0), amplitude(text, True, 1e-9)
    p = points(real)
    expected, squares = real.evaluate(p, ALPHA_S)
    found, near_squares = near.evaluate(p, ALPHA_S)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_allclose(near_squares, squares, rtol=1e-8, atol=1e-12 * squares.max())


def test_with_widths_of_zero_the_tapes_are_those_of_real_masses() -> None:
    text = "u d~ > mu+ vm e+ e-"
    assert amplitude(text, True, 0.0).identity == amplitude(text, False, 0.0).identity


# -- gauge invariance


def share_of_momentum(text: str, leg: int, complex_masses: bool) -> Array:
    """|M|^2 with p / E for the polarisation of a leg, as a share of |M|^2."""
    model = Model("sm", complex_masses=complex_masses)
    one = reaction(text, model)
    p = generic_momenta([model.mass(pdg) for pdg in one.legs], 2)
    legs = list(external_legs(one, model))
    plain = squared(legs, p, model, text)
    legs[leg] = ExternalLeg(legs[leg].pdg, legs[leg].incoming, (MOMENTUM,))
    return squared(legs, p, model, text) / plain


def squared(legs: list[ExternalLeg], p: Array, model: Model, text: str) -> Array:
    one = reaction(text, model)
    tape = AmplitudeBuilder(recursion_of(one, VertexTable(model)), legs, model).tape().tape
    kernel = _core.AmplitudeTape(tape.bound(model), float(average_factor(one, model)))
    return kernel.evaluate(p, np.full(len(p), ALPHA_S), None, False, False, False)[0]


@pytest.mark.parametrize(
    ("text", "leg"),
    [
        ("u d~ > mu+ vm e- e+ a", 6),
        ("a e- > e- mu+ vm d u~", 0),
        ("e+ e- > u d~ s c~ a", 6),
        ("a a > b b~ mu+ vm d u~ QCD=0", 0),
        ("g g > b b~ mu+ vm e- ve~", 0),
    ],
)
def test_photons_and_gluons_that_are_momenta_decouple(text: str, leg: int) -> None:
    """Fixed widths break this; amplitudes with complex masses obey it to 1e-10."""
    assert share_of_momentum(text, leg, complex_masses=False).max() > 1e-8
    assert share_of_momentum(text, leg, complex_masses=True).max() < 1e-20


def two_products(total: Array, mass: float, cos: float, phi: float) -> list[Array]:
    """Massless products of a momentum, each (4,)."""
    sin = np.sqrt(1 - cos**2)
    at_rest = mass / 2 * np.array([sin * np.cos(phi), sin * np.sin(phi), cos])
    products = []
    for half in (at_rest, -at_rest):
        moved = half + total[1:] * ((total[0] * mass / 2 + total[1:] @ half) / mass + mass / 2) / (
            total[0] + mass
        )
        products.append(np.array([np.sqrt(moved @ moved), *moved]))
    return products


def scattering_of_w_bosons(energy: float) -> Array:
    """Two leptons with p_T = 100 GeV and half of the energy, and two pairs of quarks of 80 GeV."""
    beams = [np.array([energy / 2, 0, 0, sign * energy / 2]) for sign in (1, -1)]
    leptons = [
        np.array([np.hypot(100, energy / 4), 100 * np.cos(phi), 100 * np.sin(phi), z * energy / 4])
        for z, phi in ((1, 0.3), (-1, 2.1))
    ]
    total = beams[0] + beams[1] - leptons[0] - leptons[1]
    mass = np.sqrt(total[0] ** 2 - total[1:] @ total[1:])
    momentum = np.sqrt(mass**2 / 4 - 80**2)
    direction = np.array([0.75, 0.63, 0.2]) / np.sqrt(0.75**2 + 0.63**2 + 0.2**2)
    pairs = []
    for half in (momentum * direction, -momentum * direction):
        along = total[1:] @ half
        moved = half + total[1:] * ((total[0] * mass / 2 + along) / mass + mass / 2) / (
            total[0] + mass
        )
        pairs.append(np.array([np.sqrt(80**2 + moved @ moved), *moved]))
    quarks = two_products(pairs[0], 80, 0.1, 1.0) + two_products(pairs[1], 80, -0.2, 2.0)
    return as_momenta([[*beams, *leptons, *quarks]])


def test_w_bosons_that_scatter_at_100_tev_grow_with_fixed_widths_alone() -> None:
    """Against amplitudes without widths: the factor is that of both resonances at 80 GeV."""
    text = "e- mu+ > e- mu+ u d~ s c~ QCD=0"

    def factor(energy: float, complex_masses: bool) -> float:
        p = scattering_of_w_bosons(energy)
        with_widths = amplitude(text, complex_masses).squared(p, ALPHA_S)[0]
        return float(with_widths / amplitude(text, False, 0.0).squared(p, ALPHA_S)[0])

    low = factor(1e3, complex_masses=True)
    assert factor(1e5, complex_masses=True) == pytest.approx(low, rel=0.02)
    assert factor(1e6, complex_masses=True) == pytest.approx(low, rel=0.02)
    assert factor(1e5, complex_masses=False) > 100 * low
    assert factor(1e6, complex_masses=False) > 1e6 * low


# -- cards


def process(definition: str, **process: object) -> Process:
    tables = {
        "process": {"definition": definition, "complex_mass": True, **process},
        "beams": {"pdf": "none", "energy": [500.0, 500.0]},
    }
    return Process.from_card(Card.parse(tables))


def test_all_propagators_of_a_card_with_complex_masses_have_widths() -> None:
    one = process("u b > d t")
    assert one.model.complex_masses
    assert one.widths(one.groups[0]).zero == frozenset()


def test_unstable_external_particles_are_a_warning() -> None:
    (warning,) = process("e+ e- > w+ w-").caveats
    assert "got w+ on the real mass shell" in warning
    assert process("e+ e- > u d~ s c~").caveats == ()


def test_matrix_elements_of_others_are_not_made_complex() -> None:
    provider = {"provider": "python", "function": "nothing:here"}
    with pytest.raises(CardError, match="expected false for matrix elements of a provider"):
        process("e+ e- > mu+ mu-", matrix_element=provider)


def test_widths_are_computed_with_real_masses() -> None:
    model = Model("sm", complex_masses=True)
    assert decay_table(6, model) == decay_table(6, Model("sm"))
    card = Card.parse({
        "process": {"definition": "e+ e- > t t~", "complex_mass": True},
        "parameters": {"WT": "auto"},
    })  # fmt: skip
    one = model_of(card)
    assert one.complex_masses
    assert one["WT"] == pytest.approx(decay_table(6, Model("sm")).total)


def test_evaluation_of_drell_yan_has_complex_couplings() -> None:
    """The kernel for real couplings is not taken."""
    one = process("u u~ > mu+ mu-")
    p = points(amplitude("u u~ > mu+ mu-", complex_masses=True))
    np.testing.assert_allclose(
        one.matrix_element().squared(p, ALPHA_S),
        amplitude("u u~ > mu+ mu-", complex_masses=True).squared(p, ALPHA_S),
        rtol=1e-13,
    )


# -- what is refused


def test_polarised_propagators_with_complex_masses_are_refused() -> None:
    model = Model("sm", complex_masses=True)
    one = reaction("e+ e- > w+{0} w-, w+ > u d~, w- > s c~", model)
    with pytest.raises(InputError, match=r"w\+ has one of definite polarisation"):
        TreeAmplitude(one, model)


def test_external_particles_have_real_masses() -> None:
    """The width of the top is in couplings and propagators; its spinor is on the mass shell."""
    model = Model("sm", {"WT": 30.0}, complex_masses=True)
    one = TreeAmplitude(reaction("e+ e- > t t~", model), model)
    assert model.mass(6) == 173
    real = Model("sm", {"WT": 0.0}, complex_masses=True)
    np.testing.assert_allclose(
        one.squared(points(one), ALPHA_S),
        TreeAmplitude(reaction("e+ e- > t t~", real), real).squared(points(one), ALPHA_S),
        rtol=1e-13,
    )
