"""Beams of protons, leptons and massive partons, against closed formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from flat_mapping import flat_integrand
from scipy.stats import qmc

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.cross_section.cross_section import PICOBARN_PER_INVERSE_GEV2, CrossSection
from madnis_py.physics.observables.momenta import as_momenta, exchanged
from madnis_py.physics.observables.parton_kinematics import flux, s_hat
from madnis_py.physics.process.process import Process

ALPHA = 1 / 132.507


def process(
    definition: str, energy: tuple[float, float], **tables: Mapping[str, object]
) -> Process:
    beams = {"pdf": "none", "energy": list(energy), **tables.pop("beams", {})}
    return Process.from_card(
        Card.parse({"process": {"definition": definition}, "beams": beams, **tables})
    )


def two_body(integrand: CrossSection, nodes: int = 12) -> float:
    """Cross section in pb by Gauss-Legendre quadrature in cos(theta), exact for polynomials."""
    node, weight = np.polynomial.legendre.leggauss(nodes)
    x = torch.from_numpy(np.column_stack([(1 + node) / 2, np.full(nodes, 0.3)]))
    value = integrand.evaluate(x, torch.zeros(nodes, dtype=torch.int64)).value.numpy()
    return float(value @ weight) / 2


@pytest.mark.parametrize(
    "definition", ["e+ e- > mu+ mu- / z", "e- e+ > mu+ mu- / z", "mu- mu+ > e- e+ / z"]
)
@pytest.mark.parametrize("energy", [(5.0, 5.0), (45.0, 45.0), (9.0, 3.1)])
def test_muon_pairs_through_a_photon_agree_with_the_closed_formula(
    definition: str, energy: tuple[float, float]
) -> None:
    s = 4 * energy[0] * energy[1]
    expected = 4 * math.pi * ALPHA**2 / (3 * s) * PICOBARN_PER_INVERSE_GEV2
    assert two_body(CrossSection(process(definition, energy))) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("energy", [(200.0, 200.0), (300.0, 180.0), (1000.0, 174.0)])
def test_massive_partons_agree_with_the_closed_formula(energy: tuple[float, float]) -> None:
    """sigma(f f~ > gamma* > e+ e-) = 4 pi alpha^2 Q^2 / (3 s N_c) (1 + 2 m^2 / s) / beta."""
    one = process("t t~ > e+ e- / z h", energy)
    s, m2 = one.beams.s, 173.0**2
    beta = math.sqrt(1 - 4 * m2 / s)
    expected = 4 * math.pi * ALPHA**2 * (2 / 3) ** 2 / (3 * s * 3) * (1 + 2 * m2 / s) / beta
    assert two_body(flat_integrand(one)) == pytest.approx(
        expected * PICOBARN_PER_INVERSE_GEV2, rel=1e-10
    )


def test_lepton_beams_make_pairs_of_w_bosons() -> None:
    """Near threshold neutrino exchange alone is left: pi alpha^2 beta / (s sin^4 theta_W)."""
    one = process("e+ e- > w+ w-", (80.5, 80.5))
    mw, sin2w = one.model["MW"], one.model["sw2"]
    s = one.beams.s
    beta = math.sqrt(1 - 4 * mw**2 / s)
    expected = math.pi * ALPHA**2 * beta / (s * sin2w**2) * PICOBARN_PER_INVERSE_GEV2
    assert two_body(flat_integrand(one)) == pytest.approx(expected, rel=5 * beta**2)


def weak(definition: str, energy: float) -> tuple[float, float, float, float, float]:
    """The cross section in pb; s, G_F^2 s / pi in pb, M_W^2, M_W Gamma_W of closed formulas."""
    one = process(
        definition, (energy, energy), process={"definition": definition, "t_channel_widths": False}
    )
    s, model = one.beams.s, one.model
    unit = model["Gf"] ** 2 * s / math.pi * PICOBARN_PER_INVERSE_GEV2
    return two_body(flat_integrand(one), 300), s, unit, model["MW"] ** 2, model["MW"] * model["WW"]


@pytest.mark.parametrize(
    "definition", ["ve d > e- u", "d ve > e- u", "ve~ d~ > e+ u~", "vm e- > mu- ve"]
)
@pytest.mark.parametrize("energy", [5.0, 50.0, 500.0])
def test_neutrinos_have_one_helicity_in_charged_currents(definition: str, energy: float) -> None:
    """sigma = G_F^2 s / pi / (1 + s / M_W^2); 66.22 pb for quarks at 100 GeV."""
    found, s, unit, mw2, _ = weak(definition, energy)
    assert found == pytest.approx(unit / (1 + s / mw2), rel=1e-9)
    if energy == 50.0:
        assert found == pytest.approx(66.22, rel=1e-4)


@pytest.mark.parametrize("energy", [5.0, 40.2, 100.0])
def test_antineutrinos_have_one_helicity_in_the_s_channel(energy: float) -> None:
    """sigma(ve~ e- > W > vm~ mu-) = G_F^2 s / (3 pi) M_W^4 / ((s - M_W^2)^2 + M_W^2 Gamma_W^2)."""
    found, s, unit, mw2, pole = weak("ve~ e- > mu- vm~", energy)
    assert found == pytest.approx(unit / 3 * mw2**2 / ((s - mw2) ** 2 + pole**2), rel=1e-9)


def test_two_neutrinos_annihilate_without_any_average() -> None:
    """sigma = s g_nu^2 (g_L^2 + g_R^2) / (12 pi ((s - M_Z^2)^2 + M_Z^2 Gamma_Z^2)).

    It is four times that of two averages.
    """
    one = process("ve ve~ > mu+ mu-", (50.0, 50.0))
    s, model = one.beams.s, one.model
    (neutrino, none), muon = model.couplings("z", 12), model.couplings("z", 13)
    pole = (s - model["MZ"] ** 2) ** 2 + (model["MZ"] * model["WZ"]) ** 2
    expected = (
        s
        * neutrino**2
        * (muon[0] ** 2 + muon[1] ** 2)
        / (12 * math.pi * pole)
        * PICOBARN_PER_INVERSE_GEV2
    )
    assert none == 0
    assert two_body(flat_integrand(one)) == pytest.approx(expected, rel=1e-9)


def test_squared_amplitudes_of_neutrinos_stay_averaged_over_two_helicities() -> None:
    """As MadGraph has them: those of the process are the sum over helicities, four times less."""
    element = process("ve ve~ > mu+ mu-", (50.0, 50.0)).matrix_element()
    p = as_momenta([[[50, 0, 0, 50], [50, 0, 0, -50], [50, 30, 0, 40], [50, -30, 0, -40]]])
    (crossed,) = process("mu+ mu- > ve ve~", (50.0, 50.0)).matrix_element().squared(p, 0.118)
    assert element.squared(p, 0.118)[0] == pytest.approx(crossed, rel=1e-12)


@pytest.mark.parametrize(
    ("definition", "helicities"),
    [
        ("ve d > e- u", ((-1,), (-1, 1))),
        ("e+ vm~ > ve~ mu+", ((-1, 1), (1,))),
        ("a e- > a e-", ((-1, 1), (-1, 1))),
        ("w+ w- > z z", ((-1, 0, 1), (-1, 0, 1))),
    ],
)
def test_beams_have_the_helicities_that_exist(
    definition: str, helicities: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    assert process(definition, (200.0, 200.0)).beams.helicities == helicities


def test_the_cross_section_does_not_depend_on_the_frame() -> None:
    values = [
        two_body(CrossSection(process("e+ e- > mu+ mu-", energy)))
        for energy in ((50, 50), (2500, 1), (1, 2500))
    ]
    assert values[1] == pytest.approx(values[0], rel=1e-9)
    assert values[2] == pytest.approx(values[0], rel=1e-9)


def test_unequal_proton_beams_give_the_same_value_at_the_same_fractions() -> None:
    definition = {"process": {"definition": "p p > t t~"}, "scales": {"renormalization": "sqrt_s"}}
    cards = [
        Card.parse({**definition, "beams": {"energy": list(pair), "pdf": "toy"}})
        for pair in ((2000.0, 2000.0), (8000.0, 500.0))
    ]
    one, other = (flat_integrand(Process.from_card(card)) for card in cards)
    x = torch.rand(50, one.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    channel = torch.zeros(50, dtype=torch.int64)
    torch.testing.assert_close(
        one.evaluate(x, channel).value, other.evaluate(x, channel).value, rtol=1e-8, atol=0
    )


def beams(masses: tuple[float, float], energies: tuple[float, float]) -> Array:
    momenta = [
        math.sqrt(energy**2 - mass**2) for mass, energy in zip(masses, energies, strict=True)
    ]
    return as_momenta([[[energies[0], 0, 0, momenta[0]], [energies[1], 0, 0, -momenta[1]]]])


@pytest.mark.parametrize("masses", [(0.0, 0.0), (173.0, 173.0), (173.0, 0.0), (4.7, 80.0)])
@pytest.mark.parametrize("energies", [(200.0, 200.0), (900.0, 190.0)])
def test_the_flux_is_that_of_the_closed_formula(
    masses: tuple[float, float], energies: tuple[float, float]
) -> None:
    p = beams(masses, energies)
    a, b = (mass**2 for mass in masses)
    s = sum(energies) ** 2 - p[:, :, 3].sum() ** 2
    kaellen = s**2 + a**2 + b**2 - 2 * (s * a + s * b + a * b)
    assert flux(p)[0] == pytest.approx(1 / (2 * math.sqrt(kaellen)), rel=1e-11)
    assert s_hat(p)[0] == pytest.approx(s, rel=1e-12)
    assert flux(exchanged(p))[0] == flux(p)[0]


def test_the_flux_of_massless_particles_is_that_of_their_energy() -> None:
    p = beams((0.0, 0.0), (6000.0, 1e-3))
    assert flux(p)[0] == pytest.approx(1 / (2 * 24.0), rel=1e-15)
    assert s_hat(p)[0] == pytest.approx(24.0, rel=1e-15)


def test_massive_partons_carry_the_momentum_that_belongs_to_their_energy() -> None:
    found = process("t t~ > e+ e-", (300.0, 200.0)).beams
    assert found.masses == (173.0, 173.0)
    for (energy, px, py, pz), sign in zip(found.momenta, (1, -1), strict=True):
        assert (px, py) == (0.0, 0.0)
        assert energy**2 - pz**2 == pytest.approx(173.0**2)
        assert pz * sign > 0


def test_partons_need_more_energy_than_their_mass() -> None:
    sentence = "beams.energy[1]: expected more than the mass 173 GeV of t~; got 100"
    with pytest.raises(CardError, match=re.escape(sentence)):
        process("t t~ > e+ e-", (300.0, 100.0))


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        (
            "e+ e- > mu+ mu-",
            'beams.pdf: expected quarks, gluons or photons in the protons of "toy"; '
            'got e+, which needs pdf = "none"',
        ),
        ("e- p > e- j", 'expected quarks, gluons or photons in the protons of "toy"; got e-'),
        ("b b~ > mu+ mu-", "beams.pdf: expected partons of mass 0 in protons; got b of 4.7 GeV"),
    ],
)
def test_protons_hold_massless_partons_alone(definition: str, sentence: str) -> None:
    tables = {"beams": {"pdf": "toy"}, "cuts": {"jet": {"pt_min": 10.0}}}
    card = Card.parse({"process": {"definition": definition}, **tables})
    with pytest.raises(CardError, match=re.escape(sentence)):
        flat_integrand(Process.from_card(card))


def test_a_proton_against_a_parton_is_refused() -> None:
    with pytest.raises(
        CardError,
        match=r'beams\.pdf: expected single partons in the beams for "none"; got "e- p > e- j"',
    ):
        process("e- p > e- j", (27.5, 920.0))


def test_photons_may_come_from_protons() -> None:
    tables = {"beams": {"pdf": "toy"}, "cuts": {"lepton": {"pt_min": 10.0}}}
    card = Card.parse({"process": {"definition": "a a > mu+ mu-"}, **tables})
    assert flat_integrand(Process.from_card(card)).luminosity.hadronic


@pytest.mark.parametrize(
    ("definition", "energy", "n_channels"),
    [
        ("e+ e- > w+ w-", (150.0, 100.0), 3),
        ("t t~ > w+ w-", (300.0, 200.0), 4),
        ("t u > t u QCD=0 / a", (400.0, 150.0), 1),
        ("t t~ > g g", (200.0, 0.0), 3),
    ],
)
def test_real_channels_agree_with_flat_ones(
    definition: str, energy: tuple[float, float], n_channels: int
) -> None:
    one = process(definition, energy)
    real = CrossSection(one)
    errors: list[float] = []
    assert real.n_channels == n_channels
    for power in (12, 13):
        x = torch.from_numpy(qmc.Sobol(2, seed=1).random_base2(power))
        total = 0.0
        for channel in range(n_channels):
            result = real.evaluate(x, torch.full((len(x),), channel))
            total += float(
                (result.value * result.prior[:, channel] / result.prior.sum(dim=1)).mean()
            )
        errors.append(abs(total / two_body(flat_integrand(one), 60) - 1))
    assert max(errors) < 1e-3
