"""Weights of samples for merging, against formulas at single points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.clustering.lund_cut import LundCut
from madnis_py.physics.clustering.merging_cuts import DurhamCut
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import (
    DRAWS,
    PartonicEvents,
    PartonicEventSampler,
)
from madnis_py.physics.observables.momenta import select
from madnis_py.physics.process.process import Process

CLUSTERED = {"factorization": "clustering", "renormalization": "clustering"}
MLM = {"scheme": "mlm", "xqcut": 20.0}


def cross_section(definition: str, merging: Any, **tables: Any) -> CrossSection:
    content = {
        "process": {"definition": definition},
        "beams": {"pdf": "toy"},
        "scales": CLUSTERED,
        "channels": {"prior": "diagram"},
        "systematics": {"pdf_members": False},
        **tables,
    }
    if merging:
        content["merging"] = merging
    return CrossSection(Process.from_card(Card.parse(content, "test")))


def momenta(one: CrossSection, count: int = 3000) -> Array:
    random = torch.Generator().manual_seed(2)
    x = torch.rand((count, one.dim), generator=random, dtype=torch.float64)
    channel = torch.randint(0, one.n_channels, (count,), generator=random).sort().values
    p, jacobian = one.momenta(x, channel)
    return select(p, np.flatnonzero(one.passes(p, jacobian)))


def alive(one: CrossSection) -> Array:
    """Momenta at which it has a cross section."""
    p = momenta(one)
    return select(p, np.flatnonzero(one.scattering(p).flavours.sum(axis=1) > 0))


def test_a_gluon_that_a_beam_radiates_has_its_own_coupling_and_density() -> None:
    """u u~ > Z g: the gluon, of kT = p_T, comes from the beam whose way it goes.

    alpha_s(p_T); f(x, p_T) and then f(z x, m_T) / f(z x, p_T) of this beam, z = m_Z^2 / s-hat; the
    other one at m_T.
    """
    one, plain = (cross_section("u u~ > z g", merging, **extra) for merging, extra in SAMPLES)
    p = alive(plain)
    pt, partonic = np.hypot(p[:, 3, 1], p[:, 3, 2]), 4 * p[:, 0, 0] * p[:, 1, 0]
    transverse = np.hypot(one.process.model.mass(23), pt)
    z = one.process.model.mass(23) ** 2 / partonic
    forward = p[:, 3, 3] / p[:, 3, 0] > (p[:, 0, 0] - p[:, 1, 0]) / (p[:, 0, 0] + p[:, 1, 0])
    pdf = one.luminosity.pdfs[0]
    assert pdf is not None
    weight = one.luminosity.alpha_s(pt**2) / one.luminosity.alpha_s(transverse**2)
    for beam, code in enumerate((2, -2)):
        x = np.ascontiguousarray(p[:, beam, 0]) / 6500
        radiates = forward if beam == 0 else ~forward

        def xf(share: Array, mu: Array, code: int = code) -> Array:
            return pdf.density([code], np.ascontiguousarray(share), mu**2)[:, 0]

        followed = xf(x, pt) * xf(z * x, transverse) / xf(z * x, pt) / xf(x, transverse)
        weight *= np.where(radiates, followed, 1.0)
    ratio = one.scattering(p).flavours[:, 0] / plain.scattering(p).flavours[:, 0]
    softer = pt < transverse
    np.testing.assert_allclose(ratio[softer], weight[softer], rtol=1e-6)


SAMPLES: list[tuple[Any, Any]] = [(MLM, {}), (None, {"cuts": {"jet": {"pt_min": 20.0}}})]


def test_without_pdfwgt_only_the_couplings_have_scales_of_their_own() -> None:
    one = cross_section("u u~ > z g", {**MLM, "pdfwgt": False, "alpsfact": 0.5})
    plain = cross_section("u u~ > z g", None, cuts={"jet": {"pt_min": 20.0}})
    p = alive(plain)
    pt = np.hypot(p[:, 3, 1], p[:, 3, 2])
    central = one.luminosity.alpha_s(pt**2 + one.process.model.mass(23) ** 2)
    ratio = one.scattering(p).flavours[:, 0] / plain.scattering(p).flavours[:, 0]
    np.testing.assert_allclose(ratio, one.luminosity.alpha_s((pt / 2) ** 2) / central, rtol=1e-6)


def test_jets_are_apart_by_xqcut_and_decay_products_are_not_cut_on() -> None:
    one = cross_section("p p > t t~ j, t > b u d~", {"xqcut": 30.0}, scales={})
    p = momenta(one)
    final = [position for position, pdg in enumerate(one.flavours[0]) if pdg in (1, 2, -1, -2)]
    jet = len(one.flavours[0]) - 1
    pt = np.hypot(p[..., 1], p[..., 2])
    assert pt[:, jet].min() >= 30
    assert min(pt[:, k].min() for k in final if k > 1 and k != jet) < 20


def test_pairs_of_jets_below_the_durham_cut_fail() -> None:
    cut = {"ktdurham": 25.0, "dparameter": 0.4}
    one = cross_section("g g > g g g", cut, scales={"factorization": 91.188})
    loose = cross_section("g g > g g g", {**cut, "ktdurham": 10.0}, scales={})
    p = momenta(loose, 6000)
    kept = one.passes(p, np.ones(len(p)))
    pt = np.hypot(p[:, 2:, 1], p[:, 2:, 2])
    eta = np.arcsinh(p[:, 2:, 3] / pt)
    phi = np.arctan2(p[:, 2:, 2], p[:, 2:, 1])
    expected = (pt > 25).all(axis=1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        turn = np.arccos(np.cos(phi[:, a] - phi[:, b]))
        distance2 = (eta[:, a] - eta[:, b]) ** 2 + turn**2
        expected &= np.minimum(pt[:, a], pt[:, b]) ** 2 * distance2 / 0.4**2 > 25**2
    assert 20 < expected.sum() < len(p)
    np.testing.assert_array_equal(kept, expected)


@pytest.mark.parametrize(
    ("tables", "cut"),
    [
        ({"ktdurham": 25.0, "dparameter": 0.4}, DurhamCut((2, 3, 4), 25.0, 0.4)),
        ({"ktdurham": 25.0, "dparameter": 2.0}, DurhamCut((2, 3, 4), 25.0, 2.0)),
        ({"ptlund": 25.0}, LundCut((2, 3, 4), 5, 25.0)),
    ],
)
def test_limits_of_jets_that_follow_from_a_cut_remove_nothing_that_passes_it(
    tables: Any, cut: DurhamCut | LundCut
) -> None:
    """The least p_T of a jet and mass of a pair, beside p_T itself in the case of ktdurham."""
    one = cross_section("g g > g g g", tables, scales={})
    loose = cross_section("g g > g g g", {"ptlund": 5.0}, scales={})
    p = momenta(loose, 20000)
    hard = np.hypot(p[:, 2:, 1], p[:, 2:, 2]).min(axis=1) > 25 * ("ktdurham" in tables)
    expected = cut(p) & hard
    assert 100 < expected.sum() < len(p)
    np.testing.assert_array_equal(one.passes(p, np.ones(len(p))), expected)


@pytest.mark.parametrize("mu_f", [0.5, 2.0])
def test_another_factorization_scale_of_merged_events_ends_the_evolution_elsewhere(
    mu_f: float,
) -> None:
    """u u~ > Z g: of the beam that radiates f(x, q) f(z x, k m_T) / f(z x, q), q <= k m_T."""
    one, events, column = varied_events((1.0, mu_f, 1.0))
    np.testing.assert_allclose(column, followed_ratio(one, events, mu_f, 1.0), rtol=1e-6)


@pytest.mark.parametrize("emissions", [0.5, 2.0])
def test_other_scales_of_emissions_are_those_of_their_couplings_and_densities(
    emissions: float,
) -> None:
    one, events, column = varied_events((1.0, 1.0, emissions))
    pt = np.hypot(events.momenta[:, 3, 1], events.momenta[:, 3, 2])
    alpha_s = one.luminosity.alpha_s
    couplings = alpha_s((emissions * pt) ** 2) / alpha_s(pt**2)
    expected = couplings * followed_ratio(one, events, 1.0, emissions)
    np.testing.assert_allclose(column, expected, rtol=1e-6)


def varied_events(wanted: tuple[float, float, float]) -> tuple[CrossSection, PartonicEvents, Array]:
    """Events of u u~ > Z g and their variation with factors of mu_R, mu_F and emissions."""
    variations = {"pdf_members": False, "emission_factors": [0.5, 1.0, 2.0]}
    one = cross_section("u u~ > z g", MLM, systematics=variations)
    random = torch.Generator().manual_seed(2)
    x = torch.rand((1500, one.dim), generator=random, dtype=torch.float64)
    channel = torch.randint(0, one.n_channels, (1500,), generator=random).sort().values
    passed = one.evaluate(x, channel).value > 0
    assert passed.sum() > 300
    sampler = PartonicEventSampler(one)
    uniform = torch.rand((int(passed.sum()), DRAWS), generator=random, dtype=torch.float64)
    events = sampler.sample(x[passed], channel[passed], uniform)
    every = [one for group in sampler.systematics.groups for one in group.variations]
    place = [(one.mu_r, one.mu_f, one.emissions) for one in every].index(wanted)
    return one, events, events.variations[:, place]


def transverse_mass(one: CrossSection, events: PartonicEvents) -> Array:
    pt = np.hypot(events.momenta[:, 3, 1], events.momenta[:, 3, 2])
    return np.asarray(np.hypot(one.process.model.mass(23), pt))


def followed_ratio(
    one: CrossSection, events: PartonicEvents, mu_f: float, emissions: float
) -> Array:
    """Densities of events with varied scales over those without, of both beams."""
    p, pdf = events.momenta, one.luminosity.pdfs[0]
    assert pdf is not None
    pt, central = np.hypot(p[:, 3, 1], p[:, 3, 2]), transverse_mass(one, events)
    z = one.process.model.mass(23) ** 2 / (4 * p[:, 0, 0] * p[:, 1, 0])
    forward = p[:, 3, 3] / p[:, 3, 0] > (p[:, 0, 0] - p[:, 1, 0]) / (p[:, 0, 0] + p[:, 1, 0])

    def density(code: int, share: Array, mu: Array) -> Array:
        return pdf.density([code], np.ascontiguousarray(share), mu**2)[:, 0]

    def of_beam(beam: int, top: Array, factor: float) -> Array:
        x, code = p[:, beam, 0] / 6500, int(events.pdg[0, beam])
        q = np.minimum(factor * pt, top)
        followed = density(code, x, q) * density(code, z * x, top) / density(code, z * x, q)
        return np.where(forward == (beam == 0), followed, density(code, x, top))

    ratio = np.ones(len(p))
    for beam in (0, 1):
        ratio *= of_beam(beam, mu_f * central, emissions) / of_beam(beam, central, 1.0)
    return ratio


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"merging": {"xqcut": 20.0, "ktdurham": 20.0}}, "expected xqcut .MLM., ktdurham"),
        ({"merging": {"ktdurham": 20.0, "ptlund": 20.0}}, "got ktdurham = 20 and ptlund = 20"),
        ({"merging": {"ptlund": 20.0}, "beams": {"pdf": "none"}}, "parton densities for xqcut"),
        ({"merging": {"scheme": "mlm"}, "scales": CLUSTERED}, "merging.xqcut: expected GeV > 0"),
        ({"merging": MLM}, 'scales.factorization: expected "clustering"'),
        ({"merging": {"xqcut": 20.0}, "beams": {"pdf": "none"}}, "expected beams with parton"),
        ({"systematics": {"emission_factors": [2.0]}}, "expected them for samples for MLM"),
        ({"merging": {"maxjetflavor": 7}}, "merging.maxjetflavor: expected the PDG code"),
    ],
)
def test_keys_of_merging_that_exclude_each_other_are_refused(tables: Any, sentence: str) -> None:
    content = {"process": {"definition": "g g > g g"}, "beams": {"pdf": "toy"}, **tables}
    with pytest.raises(CardError, match=sentence):
        Process.from_card(Card.parse(content, "test"))
