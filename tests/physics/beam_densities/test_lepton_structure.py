"""Leptons that radiate: their number, and the cross section of muon pairs behind the radiation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import qmc

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.beam_densities.lepton_structure import RadiatingLepton, radiation_power
from madnis_py.physics.beam_densities.masses import MASSES
from madnis_py.physics.cross_section.cross_section import PICOBARN_PER_INVERSE_GEV2, CrossSection
from madnis_py.physics.model.model import Model
from madnis_py.physics.process.process import Process

MODEL = Model("sm")
ALPHA = MODEL.alpha_qed
ELECTRON = MASSES[11]


def spread(power: float, function: Callable[[Array, Array], Array]) -> float:
    """Integral over x of a density of shares times (1 - x)^(1 - power) / power, z = (1 - x)^power.

    The function gets x and 1 - x.
    """
    z = (np.arange(200_000) + 0.5) / 200_000
    rest = z ** (1 / power)
    return float(function(1 - rest, rest).mean())


@pytest.mark.parametrize("q", [10.0, 91.188, 3000.0])
@pytest.mark.parametrize("pdg", [11, 13])
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_moments_are_those_of_leading_logarithms_up_to_the_third_order(
    pdg: int, q: float, n: int
) -> None:
    """M_n = exp(beta / 2 Int (x^(n - 1) - 1) (1 + x^2) / (1 - x)); M_1 is the number of leptons."""
    beta = float(radiation_power(q * q, MASSES[pdg], ALPHA))
    density = RadiatingLepton(MASSES[pdg], ALPHA, beta)

    def weight(x: Array, rest: Array) -> Array:
        found = density.density(x, np.full(len(x), q * q)) * x ** (n - 1)
        return np.asarray(found / (beta * np.maximum(rest, _core.LEAST_REST) ** (beta - 1)))

    # (1 - x^(n - 1)) / (1 - x) is a sum of powers, each with (1 + x^2) in front
    exponent = -beta / 2 * sum(1 / k + 1 / (k + 2) for k in range(1, n))
    expected = math.exp(exponent)
    assert spread(beta, weight) == pytest.approx(expected, abs=0.3 * beta**4 + 2e-7)


def test_a_map_with_another_power_sees_the_same_unresolved_leptons() -> None:
    """Shares below the resolution have the probability that the density gives them."""
    q2, rest = 91.188**2, _core.LEAST_REST
    beta = float(radiation_power(q2, ELECTRON, ALPHA))
    norm = math.exp(beta * (0.75 - np.euler_gamma)) / math.gamma(1 + beta)
    for power in (beta, 0.8 * beta, 1.3 * beta):
        found = RadiatingLepton(ELECTRON, ALPHA, power).density(np.ones(1), np.array([q2]))[0]
        in_measure = found / (power * rest ** (power - 1))
        assert in_measure * rest**power == pytest.approx(norm * rest**beta, rel=1e-12)


def radiator(k: Array, beta: float) -> Array:
    """sigma = integral of radiator(k) sigma_0(s (1 - k)) dk over beta k^(beta - 1), leading logs.

    E. A. Kuraev, V. S. Fadin, Sov. J. Nucl. Phys. 41 (1985) 466, with beta of both leptons.
    """
    delta = 1 + 0.75 * beta + (9 / 32 - math.pi**2 / 12) * beta**2
    k = np.clip(k, 1e-15, 1 - 1e-15)
    log, log_k = np.log1p(-k), np.log(k)
    second = -4 * (2 - k) * log_k - (1 + 3 * (1 - k) ** 2) / k * log - 6 + k
    hard = -beta * (1 - k / 2) + beta**2 / 8 * second
    return np.asarray(delta + hard * k ** (1 - beta) / beta)


@pytest.mark.parametrize("particles", [("e+", "e-"), ("mu-", "mu+")])
def test_muon_pairs_behind_radiation_agree_with_the_published_radiator(
    particles: tuple[str, str],
) -> None:
    first, second = particles
    energies, least = (120.0, 80.0), 60.0
    s, scale = 4 * energies[0] * energies[1], 150.0
    mass = MASSES[abs(MODEL.pdg_of[first])]
    beta = 2 * float(radiation_power(scale**2, mass, ALPHA))

    def weighted(x: Array, k: Array) -> Array:
        s_hat = np.maximum(x * s, least**2)
        sigma = 4 * math.pi * ALPHA**2 / (3 * s_hat) * (x * s > least**2)
        return np.asarray(radiator(k, beta) * sigma)

    expected = spread(beta, weighted) * PICOBARN_PER_INVERSE_GEV2
    final = "mu+ mu-" if first == "e+" else "e+ e-"
    card = Card.parse(
        {
            "process": {"definition": f"{first} {second} > {final} / z h"},
            "beams": {"pdf": "isr", "energy": energies},
            "cuts": {final.replace(" ", ","): {"mass_min": least}},
            "scales": {"factorization": scale},
        }
    )
    one = CrossSection(Process.from_card(card))
    assert (one.dim, one.n_channels) == (4, 1)
    x = torch.from_numpy(qmc.Sobol(one.dim, seed=3).random_base2(16))
    found = float(one.evaluate(x, torch.zeros(len(x), dtype=torch.int64)).value.mean())
    assert found == pytest.approx(expected, rel=2e-3)  # the radiator ends at beta^2
