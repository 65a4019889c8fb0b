"""Equivalent photons against their integrals over the virtuality, and two of them making muons."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import qmc

from madnis_py.card.card import Card
from madnis_py.physics.beam_densities.beam_density import BeamDensity
from madnis_py.physics.beam_densities.masses import MASSES
from madnis_py.physics.beam_densities.photon_flux import LeptonPhotons, ProtonPhotons
from madnis_py.physics.cross_section.cross_section import PICOBARN_PER_INVERSE_GEV2, CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process

ALPHA = 1 / 137.035999


def momentum_flux(density: BeamDensity, x: float, q2: float) -> float:
    return float(density.evaluate(np.array([x]), np.array([q2]))[0, 0])


@pytest.mark.parametrize("x", [1e-4, 1e-2, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("most", [2.0, 1e4])
@pytest.mark.parametrize("pdg", [11, 13])
def test_photons_of_a_lepton_are_the_integral_over_their_virtuality(
    x: float, most: float, pdg: int
) -> None:
    mass = MASSES[pdg]
    least = (mass * x) ** 2 / (1 - x)

    def slope(log: float) -> float:
        q2 = math.exp(log)
        return (1 + (1 - x) ** 2) - 2 * (mass * x) ** 2 / q2

    expected = ALPHA / (2 * math.pi) * quad(slope, math.log(least), math.log(most))[0]
    found = momentum_flux(LeptonPhotons(mass), x, most)
    assert found == pytest.approx(max(expected, 0.0) if least < most else 0.0, rel=1e-9)


@pytest.mark.parametrize("x", [1e-4, 1e-2, 0.1, 0.5])
@pytest.mark.parametrize("most", [2.0, 1e4])
def test_photons_of_a_proton_are_the_integral_over_form_factors(x: float, most: float) -> None:
    """Eqs. (6.17) and (6.18) of Budnev et al. with dipole form factors, integrated over Q^2."""
    mass, moment = MASSES[2212], 2.792847
    least = (mass * x) ** 2 / (1 - x)

    def slope(log: float) -> float:
        q2 = math.exp(log)
        electric = (1 + q2 / 0.71) ** -4
        magnetic = moment**2 * electric
        both = (4 * mass**2 * electric + q2 * magnetic) / (4 * mass**2 + q2)
        return (1 - x) * (1 - least / q2) * both + x * x / 2 * magnetic

    expected = ALPHA / math.pi * quad(slope, math.log(least), math.log(most), limit=200)[0]
    assert momentum_flux(ProtonPhotons(), x, most) == pytest.approx(expected, rel=1e-6)


def test_there_are_no_photons_beyond_the_largest_virtuality() -> None:
    x = np.array([0.0, -0.1, 0.9, 1.0, 1.1, np.nan])
    for density in (ProtonPhotons(), LeptonPhotons(MASSES[13])):
        assert (density.evaluate(x, np.full(6, 1e-3)) == 0).all()


@pytest.mark.parametrize(
    ("particle", "first", "second"),
    [
        (["p", "p"], ProtonPhotons(), ProtonPhotons()),
        (["e-", "p"], LeptonPhotons(MASSES[11]), ProtonPhotons()),
    ],
    ids=["two protons", "an electron and a proton"],
)
def test_muon_pairs_of_two_photons_agree_with_the_closed_form(
    particle: list[str], first: BeamDensity, second: BeamDensity
) -> None:
    """4 pi alpha^2 / s (log((1 + c) / (1 - c)) - c) with c = cos(theta) at the least p_T."""
    energies, pt, scale = (100.0, 900.0), 5.0, 1.5
    s = 4 * energies[0] * energies[1]
    model = Model("sm")
    logs = np.linspace(math.log(4 * pt**2 / s), 0.0, 1501)
    x = np.exp(logs)
    fluxes = [one.evaluate(x, np.full(len(x), scale**2))[:, 0] for one in (first, second)]
    s_hat = np.maximum(np.outer(x, x) * s, 4 * pt**2)
    c = np.sqrt(1 - 4 * pt**2 / s_hat)
    sigma = 4 * math.pi * model.alpha_qed**2 / s_hat * (np.log((1 + c) / (1 - c)) - c)
    inner = np.trapezoid(sigma * fluxes[1], logs, axis=1)
    expected = np.trapezoid(inner * fluxes[0], logs) * PICOBARN_PER_INVERSE_GEV2
    card = Card.parse(
        {
            "process": {"definition": "a a > mu+ mu-"},
            "beams": {"pdf": "epa", "particle": particle, "energy": energies},
            "cuts": {"mu+": {"pt_min": pt}},
            "scales": {"factorization": scale},
        }
    )
    one = CrossSection(Process.from_card(card))
    x_cube = torch.from_numpy(qmc.Sobol(one.dim, seed=3).random_base2(15))
    found = 0.0
    for channel in range(one.n_channels):
        result = one.evaluate(x_cube, torch.full((len(x_cube),), channel))
        shares = result.prior[:, channel] / result.prior.sum(dim=1)
        found += float((result.value * shares).mean())
    assert found == pytest.approx(expected, rel=3e-3)
