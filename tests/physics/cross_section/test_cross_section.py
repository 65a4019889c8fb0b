from __future__ import annotations

import math
import pickle
from functools import cache

import numpy as np
import pytest
import torch
from drell_yan_quadrature import Electroweak, cross_sections
from places import SHARED
from scipy.stats import qmc

from madnis_py.arrays import Array
from madnis_py.card import card
from madnis_py.card.card import Card
from madnis_py.errors import GenerationError, InputError, PdfError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import (
    DRAWS,
    PartonicEvents,
    PartonicEventSampler,
)
from madnis_py.physics.pdf.pdf import load_pdf
from madnis_py.physics.phase_space.channel import PropagatorFactor
from madnis_py.physics.phase_space.priors import PRIORS
from madnis_py.physics.process.process import Process

NNPDF = SHARED / "pdf" / "NNPDF40_lo_as_01180"
needs_nnpdf = pytest.mark.skipif(
    not NNPDF.is_dir(), reason="the grid of NNPDF40_lo_as_01180 is not there"
)

ZPRIME = {"drell_yan": False, "drell_yan_zprime": True}
REPLICAS = 16


@cache
def shipped(
    name: str,
    prior: str = "auto",
    pdf: str = "toy",
    pt_min: float | None = None,
    energies: tuple[float, float] = (6500.0, 6500.0),
) -> CrossSection:
    changes: dict[str, dict[str, object]] = {
        "channels": {"prior": prior},
        "beams": {"pdf": pdf, "energy": energies},
        "cuts": {"lepton": {"pt_min": pt_min}} if pt_min else {},
    }
    return CrossSection(Process.from_card(card.load(name).updated(changes)))


def partonic(definition: str, energy: float = 45.0, **tables: object) -> CrossSection:
    data = {
        "process": {"definition": definition},
        "beams": {"pdf": "none", "energy": [energy, energy]},
        **tables,
    }
    return CrossSection(Process.from_card(Card.parse(data)))


def points(integrand: CrossSection, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """n points in every channel."""
    generator = torch.Generator().manual_seed(seed)
    channel = torch.arange(integrand.n_channels).repeat_interleave(n)
    return torch.rand(
        len(channel), integrand.dim, dtype=torch.float64, generator=generator
    ), channel


def weights(integrand: CrossSection, x: torch.Tensor, channel: torch.Tensor) -> Array:
    """alpha_i f J_i with the prior as channel weights, numpy, pb."""
    result = integrand.evaluate(x, channel)
    alpha = result.prior / result.prior.sum(dim=1, keepdim=True)
    found: Array = (result.value * alpha[torch.arange(len(x)), channel]).numpy()
    return found


def quasi_monte_carlo(integrand: CrossSection, exponent: int = 12) -> tuple[float, float]:
    """Integral and standard error in pb from independently scrambled Sobol points."""
    estimates = []
    for seed in range(REPLICAS):
        sobol = torch.from_numpy(qmc.Sobol(integrand.dim, seed=seed).random_base2(exponent))
        channel = torch.arange(integrand.n_channels).repeat_interleave(len(sobol))
        x = sobol.repeat(integrand.n_channels, 1)
        estimates.append(weights(integrand, x, channel).sum() / len(sobol))
    return float(np.mean(estimates)), float(np.std(estimates, ddof=1) / np.sqrt(REPLICAS))


def require_agreement(integrand: CrossSection, expected: float, precision: float = 1e-3) -> None:
    value, error = quasi_monte_carlo(integrand)
    assert error < precision * expected
    assert abs(value - expected) < 5 * error


@pytest.mark.parametrize("name", ZPRIME)
@pytest.mark.parametrize("prior", ["diagram", "propagator", "density"])
def test_shipped_cards_agree_with_the_quadrature_whatever_the_prior(name: str, prior: str) -> None:
    expected = cross_sections(load_pdf("toy"), Electroweak(z_prime=ZPRIME[name]))
    require_agreement(shipped(name, prior), sum(expected.values()))


@needs_nnpdf
def test_the_quadrature_reproduces_the_published_cross_section() -> None:
    parts = cross_sections(load_pdf(str(NNPDF)))
    assert [parts[quark] for quark in (1, 2, 3, 4)] == pytest.approx(
        [817.21, 2167.24, 932.61, 432.56], abs=0.01
    )
    assert sum(parts.values()) == pytest.approx(4349.62, abs=0.01)


@needs_nnpdf
def test_the_cross_section_agrees_with_the_published_one() -> None:
    require_agreement(shipped("drell_yan", pdf=str(NNPDF)), 4349.62)


@pytest.mark.parametrize("pt_min", [20.0, 60.0])
def test_cuts_on_transverse_momenta_agree_with_the_quadrature(pt_min: float) -> None:
    expected = cross_sections(load_pdf("toy"), pt_min=pt_min)
    require_agreement(shipped("drell_yan", pt_min=pt_min), sum(expected.values()), precision=5e-3)


def test_unequal_beams_agree_with_the_quadrature() -> None:
    expected = cross_sections(load_pdf("toy"), energies=(6500.0, 1000.0))
    require_agreement(shipped("drell_yan", energies=(6500.0, 1000.0)), sum(expected.values()))


@pytest.mark.parametrize("energy", [20.0, 45.594, 150.0])
@pytest.mark.parametrize(("definition", "up"), [("u u~ > e+ e-", True), ("s~ s > mu- mu+", False)])
def test_fixed_partons_agree_with_the_closed_formula(
    definition: str, up: bool, energy: float
) -> None:
    expected = float(Electroweak().sigma(4 * energy**2, up))
    require_agreement(partonic(definition, energy), expected)


@pytest.mark.parametrize(
    "definition", ["u u~ > e+ e-", "u~ u > e+ e-", "u u~ > e- e+", "u~ u > e- e+"]
)
def test_the_lepton_follows_the_quark_as_in_the_closed_formula(definition: str) -> None:
    integrand = partonic(definition)
    x, channel = points(integrand, 100)
    p, _ = integrand.momenta(x, channel)
    words = definition.split()
    quark, lepton = words.index("u"), words.index("e-") - 1
    cos = p[:, lepton, 3] / p[:, lepton, 0] * np.sign(p[:, quark, 3])
    expected = 2 * Electroweak().differential(90.0**2, True, cos)  # cos(theta) = 1 - 2 x or 2 x - 1
    np.testing.assert_allclose(integrand.evaluate(x, channel).value, expected, rtol=1e-12)


def test_the_prior_leaves_the_value_alone() -> None:
    values = []
    for prior in ("auto", *PRIORS):
        integrand = shipped("drell_yan_zprime", prior)
        values.append(integrand.evaluate(*points(integrand, 50)).value)
    assert all(torch.equal(value, values[0]) for value in values)


def test_the_flat_prior_is_the_same_for_every_channel() -> None:
    integrand = shipped("drell_yan_zprime", "flat")
    assert torch.equal(
        integrand.evaluate(*points(integrand, 50)).prior, torch.ones(150, 3, dtype=torch.float64)
    )


def test_the_density_prior_makes_the_weight_the_same_in_every_channel() -> None:
    """alpha_i f J_i = f / sum_j g_j, Eq. (2.63), does not know which channel a point came from."""
    integrand = shipped("drell_yan_zprime", "density")
    p, _ = integrand.momenta(*points(integrand, 100))
    weight = []
    for channel, member in enumerate(integrand.channels):
        x = torch.from_numpy(member.mapping.inverse(p)[0])
        weight.append(weights(integrand, x, torch.full((len(x),), channel)))
    inside = (weight[0] > 0) & (weight[1] > 0) & (weight[2] > 0)
    assert inside.sum() > 250
    np.testing.assert_allclose(weight[1][inside], weight[0][inside], rtol=1e-5)
    np.testing.assert_allclose(weight[2][inside], weight[0][inside], rtol=1e-5)


def test_the_diagram_prior_prefers_the_resonance_on_its_peak() -> None:
    integrand = shipped("drell_yan_zprime", "diagram")
    x, channel = points(integrand, 200)
    p, _ = integrand.momenta(x, channel)
    mass = 2 * np.sqrt(p[:, 0, 0] * p[:, 1, 0])
    prior = integrand.evaluate(x, channel).prior.numpy()
    for column, pole in ((1, 91.188), (2, 400.0)):
        on_peak = abs(mass - pole) < 0.2
        assert on_peak.sum() > 10
        assert (prior[on_peak].argmax(axis=1) == column).all()


def test_a_prior_that_does_not_exist_is_refused() -> None:
    with pytest.raises(
        InputError, match="prior: expected diagram, propagator, density, flat; got auto"
    ):
        CrossSection(Process.from_card("drell_yan"), "auto")  # type: ignore[arg-type]


def test_another_prior_leaves_the_integrand_it_was_made_from_alone() -> None:
    diagram = shipped("drell_yan_zprime", "diagram")
    flat = diagram.with_prior("flat")
    assert (diagram.prior, flat.prior) == ("diagram", "flat")
    x, channel = points(diagram, 50)
    assert torch.equal(flat.evaluate(x, channel).prior, torch.ones(150, 3, dtype=torch.float64))
    assert not torch.equal(diagram.evaluate(x, channel).prior, flat.evaluate(x, channel).prior)


@pytest.mark.parametrize("name", ["z_1j", "www"])
def test_the_diagram_prior_adds_up_the_diagrams_of_each_channel(name: str) -> None:
    channels = Process.from_card(name).channels
    squares = np.random.default_rng(1).random(
        (20, 1 + max(max(channel.diagrams) for channel in channels))
    )
    expected = [
        [sum(row[column] for column in channel.diagrams) for channel in channels] for row in squares
    ]
    np.testing.assert_allclose(
        PRIORS["diagram"](channels)(np.empty((20, 5, 4)), squares), expected, rtol=1e-14
    )


@pytest.mark.parametrize("name", ["z_1j", "www"])
def test_the_propagator_prior_is_the_product_of_the_lines_of_each_channel(name: str) -> None:
    """Eq. (2.60), event by event and line by line."""
    integrand = CrossSection(Process.from_card(name))
    p, _ = integrand.momenta(*points(integrand, 5))
    prior = PRIORS["propagator"](integrand.channels)(p, np.empty((len(p), 0)))
    for event, weights_of_event in zip(p, prior, strict=True):
        for channel, weight in zip(integrand.channels, weights_of_event, strict=True):
            assert weight == pytest.approx(
                math.prod(squared_propagator(event, line) for line in channel.propagators)
            )


def squared_propagator(event: Array, line: PropagatorFactor) -> float:
    q = sum((event[leg] * (-1 if leg < 2 else 1) for leg in line.legs), np.zeros(4))
    distance = float(q[0] ** 2 - q[1] ** 2 - q[2] ** 2 - q[3] ** 2 - line.mass**2)
    return 1 / (distance**2 + (line.mass * line.width if line.kind == "s" else 0) ** 2)


def test_exchanging_equal_beams_changes_nothing() -> None:
    integrand = shipped("drell_yan_zprime")
    x, channel = points(integrand, 100)
    mirrored = x.clone()
    mirrored[:, 1:3] = 1 - mirrored[:, 1:3]
    one, other = integrand.evaluate(x, channel), integrand.evaluate(mirrored, channel)
    torch.testing.assert_close(one.value, other.value, rtol=1e-9, atol=0)


def test_turning_an_event_about_the_beam_changes_nothing() -> None:
    integrand = shipped("drell_yan_zprime")
    x, channel = points(integrand, 100)
    turned = x.clone()
    turned[:, 3] = (turned[:, 3] + 0.3) % 1
    one, other = integrand.evaluate(x, channel), integrand.evaluate(turned, channel)
    torch.testing.assert_close(one.value, other.value, rtol=1e-9, atol=0)


def test_a_point_does_not_know_its_neighbours() -> None:
    integrand = shipped("drell_yan_zprime", pt_min=30.0)
    x, channel = points(integrand, 41)
    together = integrand.evaluate(x, channel)
    for row in (0, 17, 60, 122):
        alone = integrand.evaluate(x[row : row + 1], channel[row : row + 1])
        assert torch.equal(alone.value[0], together.value[row])
        assert torch.equal(alone.features[0], together.features[row])
        assert torch.equal(alone.prior[0], together.prior[row])


def test_points_that_fail_the_cuts_have_no_value_and_a_flat_prior() -> None:
    integrand = shipped("drell_yan_zprime", pt_min=40.0)
    x, channel = points(integrand, 200)
    result, accepted = integrand.evaluate(x, channel), integrand.accepts(x, channel)
    assert 0 < accepted.sum() < len(accepted)
    assert torch.equal(result.value > 0, accepted)
    assert (result.prior[~accepted] == 1).all()


@pytest.mark.parametrize("edge", [0.0, 1.0])
@pytest.mark.parametrize("axis", range(4))
def test_the_faces_of_the_cube_are_finite(axis: int, edge: float) -> None:
    integrand = shipped("drell_yan_zprime")
    x, channel = points(integrand, 20)
    x[:, axis] = edge
    result = integrand.evaluate(x, channel)
    for tensor in (result.value, result.features, result.prior):
        assert torch.isfinite(tensor).all()
    assert (result.prior.sum(dim=1) > 0).all()


def test_points_outside_the_cube_are_rejected_with_finite_features() -> None:
    integrand = shipped("drell_yan")
    x, channel = points(integrand, 3)
    x[0, 0], x[1, 2] = -0.5, float("nan")
    result = integrand.evaluate(x, channel)
    assert result.value[:2].tolist() == [0.0, 0.0]
    assert torch.isfinite(result.features).all()


def test_channels_without_points_are_skipped() -> None:
    integrand = shipped("drell_yan_zprime")
    x, channel = points(integrand, 10)
    only_last = integrand.evaluate(x[channel == 2], channel[channel == 2])
    torch.testing.assert_close(
        only_last.value, integrand.evaluate(x, channel).value[channel == 2], rtol=0, atol=0
    )


def test_no_points_give_no_values() -> None:
    integrand = shipped("drell_yan")
    result = integrand.evaluate(
        torch.empty(0, 4, dtype=torch.float64), torch.empty(0, dtype=torch.int64)
    )
    assert (result.value.shape, result.prior.shape) == ((0,), (0, 2))
    assert result.features.shape == (0, integrand.n_features)


def test_features_hold_the_mass_and_rapidity_of_the_pair() -> None:
    integrand = shipped("drell_yan")
    x, channel = points(integrand, 20)
    p, _ = integrand.momenta(x, channel)
    pair = p[:, 2] + p[:, 3]
    features = integrand.evaluate(x, channel).features.numpy()
    np.testing.assert_allclose(
        np.exp(features[:, 6]), pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(features[:, 7], np.arctanh(pair[:, 3] / pair[:, 0]), atol=1e-9)


def accepted_events(
    integrand: CrossSection, n: int = 20000, seed: int = 3
) -> tuple[PartonicEvents, Array]:
    x, channel = points(integrand, n, seed)
    weight = weights(integrand, x, channel)
    kept = weight > 0
    uniform = torch.rand(
        int(kept.sum()),
        DRAWS,
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(seed + 1),
    )
    return PartonicEventSampler(integrand).sample(x[kept], channel[kept], uniform), weight[kept]


def test_flavours_of_events_come_in_the_proportions_of_the_quadrature() -> None:
    parts = cross_sections(load_pdf("toy"))
    events, weight = accepted_events(shipped("drell_yan"))
    for quark, sigma in parts.items():
        share, drawn = sigma / sum(parts.values()), abs(events.pdg[:, 0]) == quark
        deviation = weight * (drawn - share)
        assert abs(deviation.sum()) < 5 * np.sqrt((deviation**2).sum())


def test_quarks_come_from_both_beams_equally_often() -> None:
    events, weight = accepted_events(shipped("drell_yan"))
    deviation = weight * np.sign(events.pdg[:, 0])
    assert abs(deviation.sum()) < 5 * np.sqrt((deviation**2).sum())


def test_events_are_consistent() -> None:
    events, _ = accepted_events(shipped("drell_yan"), n=500)
    assert (events.pdg[:, 0] == -events.pdg[:, 1]).all()
    assert (events.pdg[:, 2:] == (-11, 11)).all()
    quark_first = events.pdg[:, 0] > 0
    assert (events.colour[quark_first, :2] == ((501, 0), (0, 501))).all()
    assert (events.colour[~quark_first, :2] == ((0, 501), (501, 0))).all()
    assert not events.colour[:, 2:].any()
    assert not events.mass.any()
    total = events.momenta[:, :2].sum(axis=1) - events.momenta[:, 2:].sum(axis=1)
    assert abs(total).max() < 1e-9 * events.momenta[:, :, 0].max()


def test_events_carry_the_couplings_at_their_scales() -> None:
    events, _ = accepted_events(shipped("drell_yan"), n=100)
    assert (events.scale == 91.188).all()
    np.testing.assert_allclose(
        events.alpha_s, load_pdf("toy").alpha_s(np.array([91.188**2]))[0], rtol=1e-14
    )
    np.testing.assert_allclose(events.alpha_qed, 1 / 132.507, rtol=1e-14)


def test_partons_use_the_strong_coupling_of_the_card() -> None:
    integrand = partonic("u u~ > e+ e-", parameters={"aS": 0.13})
    x, channel = points(integrand, 5)
    assert (
        PartonicEventSampler(integrand)
        .sample(x, channel, torch.zeros(5, DRAWS, dtype=torch.float64))
        .alpha_s
        == 0.13
    ).all()


@pytest.mark.parametrize(
    ("choice", "factor"),
    [("ht", 2.0), ("ht/2", 1.0), ("sum_mt", 2.0), ("sum_mt/2", 1.0), ("sqrt_s", None)],
)
def test_dynamical_scales_follow_from_the_leptons(choice: str, factor: float | None) -> None:
    integrand = partonic("u u~ > e+ e-", scales={"factorization": choice})
    x, channel = points(integrand, 20)
    events = PartonicEventSampler(integrand).sample(
        x, channel, torch.zeros(20, DRAWS, dtype=torch.float64)
    )
    pt = np.hypot(events.momenta[:, 2, 1], events.momenta[:, 2, 2])
    np.testing.assert_allclose(events.scale, 90.0 if factor is None else factor * pt, rtol=1e-12)


def test_events_that_fail_the_cuts_are_refused() -> None:
    integrand = shipped("drell_yan", pt_min=40.0)
    x, channel = points(integrand, 100)
    first = int((~integrand.accepts(x, channel)).nonzero()[0])
    with pytest.raises(
        GenerationError,
        match=f"events: expected points that pass the cuts; got none at point {first}",
    ):
        PartonicEventSampler(integrand).sample(
            x, channel, torch.zeros(len(x), DRAWS, dtype=torch.float64)
        )


def test_copies_for_other_processes_give_the_same_numbers() -> None:
    integrand = shipped("drell_yan_zprime")
    x, channel = points(integrand, 50)
    copy = pickle.loads(pickle.dumps(integrand))
    assert torch.equal(copy.evaluate(x, channel).value, integrand.evaluate(x, channel).value)


def test_a_missing_pdf_set_is_named() -> None:
    with pytest.raises(PdfError, match="NoSuchSet"):
        shipped("drell_yan", pdf="NoSuchSet")


@pytest.mark.parametrize(("pdf", "pdg"), [("toy", (2212, 2212)), ("none", (2, -2))])
def test_beams_are_protons_or_partons(pdf: str, pdg: tuple[int, int]) -> None:
    data = {
        "process": {"definition": "u u~ > e+ e-"},
        "beams": {"pdf": pdf},
        "cuts": {"lepton": {"pt_min": 1.0}},
    }
    beams = Process.from_card(Card.parse(data)).beams
    assert (beams.pdg, beams.energies) == (pdg, (6500.0, 6500.0))


def test_beams_without_pdf_have_no_set() -> None:
    assert partonic("u u~ > e+ e-").luminosity.pdfs == (None, None)
    pdf = shipped("drell_yan").luminosity.pdfs[0]
    assert pdf is not None
    assert pdf.lhapdf_id == load_pdf("toy").lhapdf_id
