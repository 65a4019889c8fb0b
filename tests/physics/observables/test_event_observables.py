"""Observables by their names on a card, against numpy and against cuts of the same names."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from event_samples import drell_yan, with_resonance
from flat_mapping import flat_integrand

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError, InputError
from madnis_py.events.histograms.histogram_filling import final_states
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler
from madnis_py.physics.cross_section.sampled_states import SampledStates
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.observables.final_state import FinalState
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.observable import Observable, usual_observables
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.process.process import Process

LEGS = (21, 21, -11, 12, 13, 2, 21, -1)
"""g g > e+ ve mu- u g d~"""


def card(definition: str, **tables: object) -> Card:
    return Card.parse({"process": {"definition": definition}, "beams": {"pdf": "toy"}, **tables})


MODEL = model_from_card(card("p p > e+ e-"))


@pytest.fixture(scope="module")
def p() -> Array:
    rng = np.random.default_rng(1)
    momenta = rng.normal(size=(500, len(LEGS), 4)) * 50
    momenta[:, :, 0] = np.sqrt(
        (momenta[:, :, 1:] ** 2).sum(axis=2) + rng.exponential(100.0, momenta.shape[:2])
    )
    return momenta


def state(p: Array, legs: tuple[int, ...] = LEGS) -> FinalState:
    pdg = np.broadcast_to(np.array(legs, np.int32), p.shape[:2])
    return FinalState(p, pdg, np.broadcast_to(np.arange(len(legs)) >= 2, p.shape[:2]))


def values(text: str, p: Array, legs: tuple[int, ...] = LEGS) -> Array:
    return Observable.parse(text, MODEL).values(state(p, legs))


def pt(k: Array) -> Array:
    return np.hypot(k[..., 1], k[..., 2])


def eta(k: Array) -> Array:
    cos = k[..., 3] / np.linalg.norm(k[..., 1:], axis=-1)
    return np.asarray(-np.log(np.tan(np.arccos(cos) / 2)))


def rapidity(k: Array) -> Array:
    return np.arctanh(k[..., 3] / k[..., 0])


def mass(k: Array) -> Array:
    return np.asarray(np.sqrt(np.square(k) @ [1, -1, -1, -1]))


def dphi(a: Array, b: Array) -> Array:
    return np.arccos((a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]) / pt(a) / pt(b))


def jets(p: Array) -> Array:
    """Momenta of the three jets by falling transverse momentum."""
    order = np.argsort(-pt(p[:, 5:]), axis=1)
    return np.take_along_axis(p[:, 5:], order[:, :, None], axis=1)


FORMULAS: dict[str, Callable[[Array], Array]] = {
    "pt(e+)": lambda p: pt(p[:, 2]),
    "eta(e+)": lambda p: eta(p[:, 2]),
    "rapidity(mu-)": lambda p: rapidity(p[:, 4]),
    "phi(mu-)": lambda p: np.arctan2(p[:, 4, 2], p[:, 4, 1]),
    "energy(g)": lambda p: p[:, 6, 0],
    "pt(-11)": lambda p: pt(p[:, 2]),
    "pt( jet[2] )": lambda p: pt(jets(p)[:, 1]),
    "eta(jet[3])": lambda p: eta(jets(p)[:, 2]),
    "pt(lepton[1])": lambda p: np.maximum(pt(p[:, 2]), pt(p[:, 4])),
    "pt(e+,missing)": lambda p: pt(p[:, 2] + p[:, 3]),
    "rapidity(e+,mu-)": lambda p: rapidity(p[:, 2] + p[:, 4]),
    "pt_sum(jet[1],jet[2])": lambda p: pt(jets(p)[:, :2].sum(axis=1)),
    "mass(e+,mu-)": lambda p: mass(p[:, 2] + p[:, 4]),
    "mass(jet[1],jet[2],jet[3])": lambda p: mass(p[:, 5:].sum(axis=1)),
    "dr(jet[1],e+)": lambda p: np.hypot(
        rapidity(jets(p)[:, 0]) - rapidity(p[:, 2]), dphi(jets(p)[:, 0], p[:, 2])
    ),
    "deta(e+,mu-)": lambda p: abs(eta(p[:, 2]) - eta(p[:, 4])),
    "dy(e+,mu-)": lambda p: abs(rapidity(p[:, 2]) - rapidity(p[:, 4])),
    "eta_product(e+,mu-)": lambda p: eta(p[:, 2]) * eta(p[:, 4]),
    "partonic_energy(jet[1])": lambda p: (
        (jets(p)[:, 0] * p[:, 2:].sum(axis=1)) @ [1, -1, -1, -1] / mass(p[:, 2:].sum(axis=1))
    ),
    "ht(jet[1],jet[2])": lambda p: np.sort(pt(p[:, 5:]), axis=1)[:, 1:].sum(axis=1),
    "pt(lepton|missing[1])": lambda p: pt(p[:, 2:5]).max(axis=1),
    "system_mass(lepton|missing)": lambda p: mass(p[:, 2:5].sum(axis=1)),
    "system_pt(jet)": lambda p: pt(p[:, 5:].sum(axis=1)),
    "system_mass(event)": lambda p: mass(p[:, 2:].sum(axis=1)),
    "dphi(e+,mu-)": lambda p: dphi(p[:, 2], p[:, 4]),
    "ht": lambda p: pt(p[:, 2:]).sum(axis=1),
    "ht(jet)": lambda p: pt(p[:, 5:]).sum(axis=1),
    "ht(photon)": lambda p: np.zeros(len(p)),
    "missing_pt": lambda p: pt(p[:, 3]),
    "sqrt_s": lambda p: mass(p[:, 2:].sum(axis=1)),
    "rapidity(event)": lambda p: rapidity(p[:, 2:].sum(axis=1)),
}


@pytest.mark.parametrize("text", FORMULAS)
def test_observables_follow_their_formulas(text: str, p: Array) -> None:
    np.testing.assert_allclose(values(text, p), FORMULAS[text](p)[:, None], rtol=1e-9, atol=1e-9)


def test_a_name_without_a_rank_gives_a_value_for_each_particle(p: Array) -> None:
    np.testing.assert_allclose(values("pt(jet)", p), np.sort(pt(p[:, 5:]), axis=1)[:, ::-1])


def test_names_without_ranks_give_a_value_for_each_set_of_different_particles(p: Array) -> None:
    pairs = [mass(p[:, a] + p[:, b]) for a, b in ((5, 6), (5, 7), (6, 7))]
    found = values("mass(jet,jet)", p)
    np.testing.assert_allclose(
        np.sort(found[np.isfinite(found)].reshape(-1, 3)), np.sort(np.stack(pairs, axis=1))
    )
    assert np.isfinite(values("dr(jet[1],jet)", p)).sum() == 2 * len(p)


def test_pairs_of_one_flavour_have_opposite_charges(p: Array) -> None:
    legs = (21, 21, -11, 11, 13, -13, 11, 21)
    found = values("sfos_mass(lepton)", p, legs)
    expected = np.sort([mass(p[:, a] + p[:, b]) for a, b in ((2, 3), (2, 6), (4, 5))], axis=0).T
    np.testing.assert_allclose(np.sort(found, axis=1)[:, :3], expected)
    assert np.isnan(np.sort(found, axis=1)[:, 3:]).all()


@pytest.mark.parametrize("text", ["pt(photon)", "pt(jet[4])", "mass(e+,a)", "dr(e+,e+)"])
def test_events_without_the_particles_have_no_value(text: str, p: Array) -> None:
    assert np.isnan(values(text, p)).all()


def test_resonances_and_unused_rows_are_not_in_the_final_state() -> None:
    plain = drell_yan(100)
    for text in ("pt(lepton[1])", "mass(e+,e-)", "ht", "sqrt_s"):
        observable = Observable.parse(text, MODEL)
        found = observable.values(final_states(with_resonance(plain)))
        np.testing.assert_allclose(found, observable.values(final_states(plain)), rtol=1e-12)
    assert np.isnan(
        Observable.parse("pt(z)", MODEL).values(final_states(with_resonance(plain)))
    ).all()


@pytest.mark.parametrize(
    ("names", "observable", "limit"),
    [
        ("jet", "pt", 30.0),
        ("jet[2]", "energy", 90.0),
        ("jet,jet", "dr", 1.0),
        ("jet,jet", "mass", 60.0),
        ("t,jet", "mass", 100.0),
        ("jet[1],t", "dr", 1.5),
        ("jet[1],jet[2]", "deta", 1.0),
        ("jet,jet", "dy", 1.0),
        ("t,jet", "dphi", 0.5),
        ("t,t~", "eta_product", -0.2),
        ("jet", "partonic_energy", 40.0),
        ("jet[1],t", "ht", 120.0),
        ("t|t~[1]", "pt", 70.0),
        ("t|jet", "system_mass", 250.0),
        ("jet", "system_pt", 60.0),
        ("jet", "ht", 120.0),
        ("t,t~,jet[1]", "pt_sum", 60.0),
        ("event", "sqrt_s", 400.0),
    ],
)
def test_a_cut_keeps_the_events_whose_values_of_its_observable_all_pass(
    names: str, observable: str, limit: float, p: Array
) -> None:
    legs = (2, 1, 6, -6, 2, 1)
    process = Process.from_card(
        card("u d > t t~ u d QED=0", cuts={names: {f"{observable}_min": limit}})
    )
    momenta = as_momenta(p[:, :6].copy())
    momenta[:, 0] = momenta[:, 2:].sum(axis=1) - momenta[:, 1]
    found = values(f"{observable}({names})", momenta, legs)
    expected = Acceptance(process.selection).passes(momenta)
    np.testing.assert_array_equal((np.isnan(found) | (found >= limit)).all(axis=1), expected)
    assert 0.02 < expected.mean() < 0.99


REFUSED = {
    "pt": 'expected an observable like "pt(jet[1])"',
    "pt(jet": 'expected an observable like "pt(jet[1])"',
    "p_t(jet)": 'unknown observable "p_t"; did you mean "pt"?',
    "mass(e+)": 'expected at least 2 names for mass; got "mass(e+)"',
    "dr(e+,e-,g)": 'expected two names for dr; got "dr(e+,e-,g)"',
    "pt(e+,)": "expected at least 1 name for pt",
    "ht(jet[1])": "expected a name without a rank for ht",
    "sqrt_s(e+)": 'expected "event" for sqrt_s',
    "pt(event)": "expected particles or classes for pt",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_observable_is_named_with_its_place(text: str) -> None:
    with pytest.raises(
        CardError,
        match=re.escape(f'card: histograms."{text}": ' if "(" in text else "histograms.pt: "),
    ):
        card("p p > e+ e-", histograms={text: {}})
    with pytest.raises(InputError, match=re.escape(REFUSED[text])):
        Observable.parse(text, MODEL)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pt(mu)", 'pt(mu): unknown particle or class "mu"; did you mean "mu-"?'),
        ("pt(mu+)", 'histograms."pt(mu+)": expected particles that "p p > e+ e-" has; got others'),
        ("mass(lepton,lepton,lepton)", "expected particles that"),
        ("pt(lepton[3])", "expected particles that"),
    ],
)
def test_a_card_asks_for_particles_of_its_process(text: str, sentence: str) -> None:
    with pytest.raises(CardError, match=re.escape(sentence)):
        Process.from_card(card("p p > e+ e-", histograms={text: {}}))


@pytest.mark.parametrize(
    ("finals", "some"),
    [
        (
            [(-11, 11)],
            ["pt(e+)", "eta(e-)", "mass(e+,e-)", "dr(e+,e-)", "ht", "sqrt_s", "rapidity(event)"],
        ),
        ([(-11, 11), (-13, 13)], ["pt(lepton[1])", "mass(lepton[1],lepton[2])"]),
        ([(6, -6, 21)], ["rapidity(t)", "pt(t~)", "pt(jet[1])", "eta(jet[1])", "mass(t,t~)"]),
        (
            [(24, 1, -2), (24, 3, -4)],
            ["rapidity(w+)", "pt(jet[2])", "mass(jet[1],jet[2])", "dr(w+,jet[1])"],
        ),
        ([(23, 23)], ["pt(z[1])", "rapidity(z[2])"]),
        ([(-11, 12, 22)], ["pt(e+)", "eta(a)", "missing_pt"]),
        ([(1000022, 21)], ["pt(1000022)", "pt(jet[1])"]),
    ],
)
def test_the_usual_observables_suit_the_final_state(
    finals: list[tuple[int, ...]], some: list[str]
) -> None:
    found = [str(observable) for observable in usual_observables(finals, MODEL)]
    assert set(some) <= set(found)
    assert len(found) == len(set(found)) >= 10
    assert all(Observable.parse(text, MODEL).measurable(finals) for text in found)


@pytest.mark.parametrize(
    ("definition", "texts", "told_apart"),
    [
        ("p p > e+ e-", ("pt(e+)", "mass(lepton,lepton)"), 1),
        ("d d~ > l+ l-", ("pt(lepton[1])", "ht"), 1),
        ("d d~ > l+ l-", ("pt(e+)", "pt(mu-)"), 2),
        ("p p > t t~ j", ("pt(jet[1])",), 1),
        ("p p > t t~ j", ("pt(g)",), 2),
    ],
)
def test_flavours_are_told_apart_only_where_an_observable_does(
    definition: str, texts: tuple[str, ...], told_apart: int
) -> None:
    integrand = flat_integrand(
        Process.from_card(card(definition, cuts={"jet": {"pt_min": 20}, "lepton": {"pt_min": 10}}))
    )
    classes = [codes for text in texts for codes in Observable.parse(text, MODEL).classes]
    x = torch.rand(
        40, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    channel = torch.zeros(len(x), dtype=torch.int64)
    x = x[integrand.evaluate(x, channel).value > 0]
    parts = SampledStates(integrand, classes)(x, channel[: len(x)], np.ones(len(x)))
    assert len(parts) == told_apart
    np.testing.assert_allclose(sum(share for _, share in parts), 1.0, rtol=1e-12)


def test_flavours_share_a_point_as_often_as_events_draw_them() -> None:
    integrand = flat_integrand(
        Process.from_card(card("p p > t t~ j", cuts={"jet": {"pt_min": 20}}))
    )
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(200, integrand.dim, dtype=torch.float64, generator=generator)
    channel = torch.zeros(len(x), dtype=torch.int64)
    live = integrand.evaluate(x, channel).value > 0
    x, channel = x[live].repeat(30, 1), channel[live].repeat(30)
    drawn = PartonicEventSampler(integrand).sample(
        x, channel, torch.rand(len(x), DRAWS, dtype=torch.float64, generator=generator)
    )
    parts = SampledStates(integrand, [frozenset({21})])(x, channel, np.ones(len(x)))
    share = {final.pdg[0, 4] == 21: share for final, share in parts}
    expected, found = share[True], drawn.pdg[:, 4] == 21
    assert 0.1 < expected.mean() < 0.9
    assert abs((found - expected).sum()) < 5 * np.sqrt((expected * (1 - expected)).sum())
