"""Structures of models through the reader, against the same ones in our conventions."""

import math
from pathlib import Path

import numpy as np
import pytest
from amplitudes import reaction
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex
from ufo_models import copied, own

from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.decays.partial_widths import partial_width
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle
from madnis_py.physics.model_search.model_library import named_tables

READ = own("beyond")

Y, D = 0.3 + 0.2j, 0.002 + 0.001j
COMMUTATOR = "(Gamma(3,1,-1)*Gamma(-2,-1,-3)*P(-2,3) - Gamma(-2,1,-1)*Gamma(3,-1,-3)*P(-2,3))"
SPIN_2 = "Gamma(1003,1,2)*(P(2003,2) - P(2003,1)) + Gamma(2003,1,2)*(P(1003,2) - P(1003,1))"
V_A_V_A = "Gamma(-1,1,-2)*ProjM(-2,2)*Gamma(-1,3,-3)*ProjM(-3,4)"
FIVE = "Metric(1,2)*(P(3,4)-P(3,5)) + Metric(1,3)*(P(2,4)-P(2,5)) + Metric(2,3)*(P(1,4)-P(1,5))"


def written() -> Model:
    """The vertices of `beyond` as incoming fields: psi-bar first, -i times the couplings of UFO."""
    y, conjugate = str(Y), str(Y.conjugate())
    return small_model(
        [
            *of("e-", "ve", "ta-", "vt"),
            Particle("n", "n", 9000012, 2, 1, 0.0, mass="MN"),
            Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX"),
            Particle("phi-", "phi+", 9000011, 1, 1, -1.0, mass="MPHI"),
            Particle("grv", "grv", 9000039, 5, 1, 0.0, mass="MG"),
            Particle("gvt", "gvt", 9000040, 4, 1, 0.0, mass="MGVT"),
        ],
        [
            vertex("e+ e- x", ("FFV", "0.3", "0.3")),
            vertex(
                "ta+ ta- x",
                ("FFV", "0.2", "0.2"),
                (f"{COMMUTATOR}*ProjM(-3,2)", f"-({D})"),
                (f"{COMMUTATOR}*ProjP(-3,2)", str(D.conjugate())),
            ),
            vertex("n n x", ("FFV", "-0.2", "0.2")),
            vertex("n e- phi+", ("FFS", "0", y)),
            vertex("e+ n phi-", ("FFS", conjugate, "0")),
            vertex("vt~ ta- e+ ve", (V_A_V_A, "1e-5")),
            vertex("ta+ vt ve~ e-", (V_A_V_A, "1e-5")),
            vertex("e+ e- grv", (SPIN_2, "0.004")),
            vertex("ta+ ta- grv", (SPIN_2, "0.004")),
            vertex("e+ gvt phi-", ("P(2,3)*ProjM(1,2)", "-0.004j")),
            vertex("gvt e- phi+", ("P(1,3)*ProjP(1,2)", "-0.004j")),
            vertex("x x x phi- phi+", (FIVE, "-0.00004j")),
        ],
        {"MTA": 20.0, "MN": -70.0, "MX": 300.0, "MPHI": 90.0, "MG": 250.0, "MGVT": 150.0},
    )


@pytest.mark.parametrize(
    "text",
    [
        "e- e+ > ta- ta+",
        "e- e+ > n n",
        "e- e- > phi- phi-",
        "ta- > vt e- ve~",
        "e- e+ > ta- ta+ x",
        "e- phi+ > gvt x",
        "x x > x phi- phi+",
        "e- n > e- n",
    ],
)
def test_structures_of_a_model_mean_what_they_mean_in_our_conventions(text: str) -> None:
    read, expected = amplitude_of(READ, text), amplitude_of(written(), text)
    p = momenta_of(expected)
    np.testing.assert_allclose(read.squared(p, 0.118), expected.squared(p, 0.118), rtol=1e-11)
    assert_invariant(read, 1e-9)


def test_neutrinos_of_contact_terms_are_left_handed_and_majorana_fermions_are_not() -> None:
    assert READ.is_left_handed(12)
    assert READ.is_left_handed(-16)
    assert not any(READ.is_left_handed(pdg) for pdg in (11, 15, 9000012))


def test_a_graviton_is_exchanged_as_the_closed_form_says() -> None:
    """To massless leptons: 4 k^4 s^4 (1 - 3 cos^2 + 4 cos^4) / (s - M^2)^2, spins averaged."""
    model = own("beyond", {"MTA": 0.0})
    amplitude = TreeAmplitude(reaction("e- e+ > grv > ta- ta+", model), model)
    p = momenta_of(amplitude)
    s = ((p[:, 0] + p[:, 1]) ** 2 @ [1, -1, -1, -1]).astype(float)
    t = ((p[:, 0] - p[:, 2]) ** 2 @ [1, -1, -1, -1]).astype(float)
    cosine = 1 + 2 * t / s
    pole = (s - model["MG"] ** 2) ** 2
    expected = 4 * 0.004**4 * s**4 * (1 - 3 * cosine**2 + 4 * cosine**4) / pole
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-9)


def test_a_gravitino_decays_as_the_closed_form_says() -> None:
    """Into a massless e- and a scalar of momentum k by a term k_mu: c^2 k^4 / (24 pi m)."""
    mass, scalar = READ["MGVT"], READ["MPHI"]
    size = (mass**2 - scalar**2) / (2 * mass)
    expected = 0.004**2 * size**4 / (24 * math.pi * mass)
    width = partial_width(9000040, (11, -9000011), READ)
    assert width == pytest.approx(expected, rel=1e-11)


def test_a_tau_decays_by_a_contact_term_as_in_fermis_theory() -> None:
    """By a coupling 4 G_F / sqrt(2): G_F^2 m^5 / (192 pi^3), as W exchange for m << M_W."""
    model = own("beyond", {"MTA": 1.777, "fermi": 4 * 1.16637e-5 / math.sqrt(2)})
    amplitude = amplitude_of(model, "ta- > vt e- ve~")
    p = momenta_of(amplitude)
    tau, neutrino, electron, antineutrino = np.moveaxis(p, 1, 0)
    metric = np.array([1, -1, -1, -1])
    one, two = (a * b @ metric for a, b in ((tau, antineutrino), (electron, neutrino)))
    expected = 128 * 1.16637e-5**2 * one * two / 2
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("plain", "with_c"),
    [
        ('"ProjP(2,1)"', '"C(2,-1)*ProjP(-1,1)"'),  # psi_n^T C P_R psi_e
        ('"ProjM(2,1)"', '"ProjM(2,-1)*C(-1,1)"'),  # psi-bar_e P_L C psi-bar_n^T
    ],
)
def test_majorana_fields_may_be_written_with_c(plain: str, with_c: str, tmp_path: Path) -> None:
    folder = copied("beyond", tmp_path, {"lorentz.py": (plain, with_c)})
    tables = named_tables(str(folder))
    assert not any(one.lacking for one in tables.vertices)
    for text in ("e- e+ > n n", "e- n > e- n", "e- e- > phi- phi-"):
        written, expected = amplitude_of(Model("c", {}, tables), text), amplitude_of(READ, text)
        p = momenta_of(expected)
        np.testing.assert_array_equal(written.squared(p, 0.118), expected.squared(p, 0.118))


def test_c_between_psi_bar_and_psi_is_refused(tmp_path: Path) -> None:
    changes = {"lorentz.py": ('"Gamma(3,2,1)"', '"C(2,-1)*Gamma(3,-1,1)"')}
    vertices = named_tables(str(copied("beyond", tmp_path, changes))).vertices
    lacking = {frozenset(one.particles): one.lacking for one in vertices}
    assert "got C between e- and e+" in lacking[frozenset({"e+", "e-", "x"})]


def test_six_scalars_meet_at_one_point() -> None:
    """|M|^2 = k^2 / (2! 2!): two pairs of equal particles."""
    amplitude = amplitude_of(READ, "phi- phi+ > phi- phi- phi+ phi+")
    found = amplitude.squared(momenta_of(amplitude), 0.118)
    np.testing.assert_allclose(found, 0.004**2 / 4, rtol=1e-13)
