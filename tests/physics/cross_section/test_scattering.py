"""Scales of flavours: fixed, of either beam, and those of the clustering of events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.devices.device import device_of
from madnis_py.errors import InputError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.process.process import Process

CLUSTERED = {"factorization": "clustering", "renormalization": "clustering"}


def cross_section(definition: str, scales: dict[str, Any], cuts: Any = None) -> CrossSection:
    tables: dict[str, Any] = {
        "process": {"definition": definition},
        "beams": {"pdf": "toy"},
        "scales": scales,
        "channels": {"prior": "diagram"},
        "systematics": {"pdf_members": False},
        "cuts": cuts or {},
    }
    return CrossSection(Process.from_card(Card.parse(tables, "test")))


def points(one: CrossSection, count: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    """Points that have a cross section."""
    random = torch.Generator().manual_seed(3)
    x = torch.rand((count, one.dim), generator=random, dtype=torch.float64)
    channel = torch.randint(0, one.n_channels, (count,), generator=random).sort().values
    alive = one.evaluate(x, channel).value > 0
    return x[alive], channel[alive]


def pair_masses(p: Array) -> Array:
    total = p[:, 2] + p[:, 3]
    return np.asarray(np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)))


MASS = {"e+,e-": {"mass_min": 60.0}}
JETS = {"jet": {"pt_min": 30.0}}


def test_a_scale_of_either_beam_is_where_its_densities_are_evaluated() -> None:
    both, turned = (
        cross_section("p p > e+ e-", {"factorization": scale}, MASS)
        for scale in ([30.0, 200.0], [200.0, 30.0])
    )
    x, channel = points(both)
    p, jacobian = both.momenta(x, channel)
    q2 = np.tile([30.0**2, 200.0**2], (len(p), 1))
    densities = both.luminosity.evaluate(p, q2)
    x_a, x_b = (np.ascontiguousarray(p[:, beam, 0]) / 6500 for beam in (0, 1))
    pdf = both.luminosity.pdfs[0]
    assert pdf is not None
    for column, legs in enumerate(both.flavours):
        first = pdf.density([int(legs[0])], x_a, np.full(len(p), 30.0**2))[:, 0]
        second = pdf.density([int(legs[1])], x_b, np.full(len(p), 200.0**2))[:, 0]
        np.testing.assert_allclose(densities[:, column], first * second / (x_a * x_b), rtol=1e-12)
    assert not np.allclose(
        both.evaluate_momenta(p, jacobian).value, turned.evaluate_momenta(p, jacobian).value
    )


def test_one_scale_for_both_beams_is_the_same_as_twice_that_scale() -> None:
    one, two = (
        cross_section("p p > e+ e-", {"factorization": scale}, MASS) for scale in (50.0, [50.0] * 2)
    )
    x, channel = points(one)
    assert torch.equal(one.evaluate(x, channel).value, two.evaluate(x, channel).value)


def test_pairs_of_leptons_have_the_cross_section_at_the_scale_of_their_mass() -> None:
    one = cross_section("p p > e+ e-", CLUSTERED, MASS)
    x, channel = points(one)
    p, _ = one.momenta(x, channel)
    found = one.scattering(p)
    mass = pair_masses(p)
    for scales in found.scales:
        np.testing.assert_allclose(scales.mu_r, mass, rtol=1e-9)
    densities = one.luminosity.evaluate(p, mass**2)
    fixed = cross_section("p p > e+ e-", {"factorization": 91.188}, MASS).scattering(p)
    elsewhere = one.luminosity.evaluate(p, np.full(len(p), 91.188**2))
    np.testing.assert_allclose(
        found.flavours * elsewhere, fixed.flavours * densities, rtol=1e-8, atol=1e-300
    )


def test_factors_multiply_the_scales_of_the_clustering() -> None:
    plain = cross_section("p p > z j", CLUSTERED, JETS)
    factors = {"factorization_factor": 0.5, "renormalization_factor": 2.0}
    scaled = cross_section("p p > z j", {**CLUSTERED, **factors}, JETS)
    p, _ = plain.momenta(*points(plain))
    for one, other in zip(plain.scattering(p).scales, scaled.scattering(p).scales, strict=True):
        np.testing.assert_allclose(other.mu_f, one.mu_f / 2)
        np.testing.assert_allclose(other.mu_r, one.mu_r * 2)


def test_events_have_the_scales_of_their_flavours() -> None:
    """Those of q g > Z q are m_T of the Z or sqrt(s-hat), those of q q~ > Z g the first alone."""
    one = cross_section("p p > z j", CLUSTERED, JETS)
    x, channel = points(one)
    uniform = torch.rand((len(x), DRAWS), generator=torch.Generator().manual_seed(5)).double()
    events = PartonicEventSampler(one).sample(x, channel, uniform)
    p = events.momenta
    transverse = np.sqrt((p[:, 2, 0] - p[:, 2, 3]) * (p[:, 2, 0] + p[:, 2, 3]))
    total = p[:, 0] + p[:, 1]
    s_hat = np.sqrt(total[:, 0] ** 2 - total[:, 3] ** 2)
    at_mt = np.isclose(events.renormalization_scale, transverse, rtol=1e-5)
    at_s = np.isclose(events.renormalization_scale, s_hat, rtol=1e-5)
    from_gluon = (events.pdg[:, :2] == 21).any(axis=1)
    assert (at_mt | at_s).all()
    assert at_mt[~from_gluon].all()
    assert 0.02 < at_s[from_gluon].mean() < 0.6
    np.testing.assert_allclose(events.scale, events.renormalization_scale, rtol=1e-6)
    coupling = one.luminosity.alpha_s(events.renormalization_scale**2)
    np.testing.assert_allclose(events.alpha_s, coupling, rtol=1e-12)


def test_variations_of_scales_are_those_of_the_clustering_with_factors() -> None:
    """The weight of an event at (mu_R, mu_F) = (2, 1/2) is the ratio of the two integrands."""
    one = cross_section("p p > t t~", CLUSTERED)
    factors = {"factorization_factor": 0.5, "renormalization_factor": 2.0}
    other = cross_section("p p > t t~", {**CLUSTERED, **factors})
    x, channel = points(one, 500)
    uniform = torch.rand((len(x), DRAWS), generator=torch.Generator().manual_seed(5)).double()
    sampler = PartonicEventSampler(one)
    events = sampler.sample(x, channel, uniform)
    (group,) = sampler.systematics.groups
    column = next(k for k, one in enumerate(group.variations) if (one.mu_r, one.mu_f) == (2.0, 0.5))
    flavour = (events.pdg[:, None] == one.flavours).all(axis=2).argmax(axis=1)
    every = np.arange(len(x))
    before, after = (at.scattering(events.momenta).flavours[every, flavour] for at in (one, other))
    np.testing.assert_allclose(events.variations[:, column], after / before, rtol=1e-9)


def test_equal_flavours_have_one_clustering_and_points_below_two_gev_no_weight() -> None:
    cuts = {"e+,e-": {"mass_min": 1.0, "mass_max": 4.0}}
    one = cross_section("p p > e+ e-", CLUSTERED, cuts)
    random = torch.Generator().manual_seed(3)
    x = torch.rand((4000, one.dim), generator=random, dtype=torch.float64)
    channel = torch.zeros(4000, dtype=torch.int64)
    p, jacobian = one.momenta(x, channel)
    kept = np.flatnonzero(one.passes(p, jacobian))
    flavours = one.scattering(select(p, kept)).flavours.sum(axis=1)
    light = pair_masses(p[kept]) < 2
    assert 0 < light.sum() < len(kept)
    assert (flavours[light] == 0).all()
    assert (flavours[~light] > 0).any()


@pytest.mark.parametrize(
    ("scales", "sentence"),
    [
        (CLUSTERED, 'scales: expected scales that a device can compute; got "clustering"'),
        (
            {"factorization": [50.0, 60.0]},
            "scales.factorization: expected one factorisation scale for",
        ),
    ],
)
def test_a_device_refuses_scales_that_it_cannot_compute(scales: Any, sentence: str) -> None:
    one, emulated = cross_section("p p > e+ e-", scales, MASS), device_of("emulated")
    assert emulated is not None
    with pytest.raises(InputError, match=sentence):
        CrossSectionOnDevice(one, emulated)
