"""Scales against their definitions, and what depends on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from flat_mapping import flat_integrand
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler
from madnis_py.physics.observables.scales import Scale
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.process.process import Process


def integrand(**scales: float | str) -> CrossSection:
    tables = {
        "process": {"definition": "p p > t t~ j"},
        "cuts": {"jet": {"pt_min": 20}},
        "scales": scales,
    }
    tables["beams"] = {"pdf": "toy"}
    return flat_integrand(Process.from_card(Card.parse(tables)))


def points(one: CrossSection, n: int = 60) -> tuple[Tensor, ...]:
    x = torch.rand(n, one.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    channel = torch.zeros(n, dtype=torch.int64)
    inside = one.accepts(x, channel)
    return x[inside], channel[inside]


@pytest.fixture(scope="module")
def p() -> Array:
    one = integrand()
    return one.momenta(*points(one))[0]


def transverse(p: Array) -> tuple[Array, ...]:
    """p_T, mass, p_z of the final particles; the tops have 173 GeV, the jet none."""
    return np.hypot(p[:, 2:, 1], p[:, 2:, 2]), np.array([173.0, 173.0, 0.0]), p[:, 2:, 3]


DEFINITIONS = {
    "ht": lambda pt, m, pz: pt.sum(axis=1),
    "sum_et": lambda pt, m, pz: (np.sqrt(pt**2 + pz**2 + m**2) / np.sqrt(1 + (pz / pt) ** 2)).sum(
        axis=1
    ),
    "sum_mt": lambda pt, m, pz: np.sqrt(pt**2 + m**2).sum(axis=1),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_dynamical_scales_are_what_their_names_say(name: str, p: Array) -> None:
    expected = DEFINITIONS[name](*transverse(p))
    np.testing.assert_allclose(Scale(name)(p), expected, rtol=1e-9)
    for divisor in ("2", "3", "10", "2.5", "0.5"):
        part = Scale(f"{name}/{divisor}")(p)
        np.testing.assert_allclose(part, expected / float(divisor), rtol=1e-9)


def test_the_energy_of_the_collision_is_the_mass_of_what_comes_out(p: Array) -> None:
    total = p[:, 2:].sum(axis=1)
    np.testing.assert_allclose(
        Scale("sqrt_s")(p) ** 2, total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1), rtol=1e-9
    )


@pytest.mark.parametrize("choice", [91.188, "ht/2"])
def test_a_factor_multiplies_the_scale(choice: float | str, p: Array) -> None:
    np.testing.assert_allclose(Scale(choice, 0.5)(p), Scale(choice)(p) / 2, rtol=1e-15)


def test_both_scales_have_a_choice_and_a_factor_of_their_own() -> None:
    one = integrand(
        factorization="ht",
        factorization_factor=0.25,
        renormalization="sum_mt",
        renormalization_factor=2.0,
    )
    x, channel = points(one)
    events = PartonicEventSampler(one).sample(
        x, channel, torch.zeros(len(x), DRAWS, dtype=torch.float64)
    )
    pt, m, pz = transverse(events.momenta)
    np.testing.assert_allclose(events.scale, DEFINITIONS["ht"](pt, m, pz) / 4, rtol=1e-9)
    alpha_s = load_pdf("toy").alpha_s(4 * DEFINITIONS["sum_mt"](pt, m, pz) ** 2)
    np.testing.assert_allclose(events.alpha_s, alpha_s, rtol=1e-9)


def test_the_cross_section_follows_the_coupling_at_the_renormalisation_scale() -> None:
    """alpha_s^3 of p p > t t~ j at leading order."""
    one, other = integrand(renormalization="sum_mt/2"), integrand(renormalization=91.188)
    x, channel = points(one)
    alpha_s = [
        PartonicEventSampler(two)
        .sample(x, channel, torch.zeros(len(x), DRAWS, dtype=torch.float64))
        .alpha_s
        for two in (one, other)
    ]
    ratio = one.evaluate(x, channel).value / other.evaluate(x, channel).value
    np.testing.assert_allclose(ratio.numpy(), (alpha_s[0] / alpha_s[1]) ** 3, rtol=1e-10)
    assert np.ptp(alpha_s[0]) > 0


@pytest.mark.parametrize("key", ["factorization_factor", "renormalization_factor"])
def test_a_factor_is_positive(key: str) -> None:
    with pytest.raises(CardError, match=rf"scales\.{key}: expected a number > 0; got 0"):
        integrand(**{key: 0})


def test_particles_along_the_beam_have_no_transverse_energy() -> None:
    p = np.array(
        [
            [
                [5.0, 0, 0, 5.0],
                [5.0, 0, 0, -5.0],
                [6.0, 0, 0, 4.0],
                [4.0, 0, 0, -4.0],
                [1.0, 0, 0, 0.0],
            ]
        ]
    )
    assert Scale("sum_et")(p).tolist() == [0.0]
