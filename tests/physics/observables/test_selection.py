"""Cuts of a card on particles, classes, ranks and the whole event, against numpy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import numpy as np
import pytest
import torch
from flat_mapping import flat_integrand
from numpy.typing import ArrayLike

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import CardError, InputError
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler
from madnis_py.physics.observables.cuts import Cut, Cuts, Isolation, Ranked, RankedCut
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.selection import Acceptance
from madnis_py.physics.process.process import Process

CutTables = Mapping[str, Mapping[str, Any]]
"""The table [cuts] of a card."""


def process(
    definition: str,
    cuts: Mapping[str, object],
    **tables: Mapping[str, object],
) -> Process:
    tables.setdefault("beams", {"pdf": "toy"})
    return Process.from_card(
        Card.parse({"process": {"definition": definition}, "cuts": cuts, **tables})
    )


def test_decay_products_pass_cuts_on_particles_and_pairs_if_they_are_spared() -> None:
    cuts = {
        "lepton": {"pt_min": 20.0, "sfos_mass_min": 15.0},
        "lepton,jet": {"dr_min": 0.4},
        "jet[1]": {"pt_min": 30.0},
        "e+,ve": {"pt_sum_min": 10.0},
        "event": {"missing_pt_min": 25.0},
    }
    definition = "u d~ > w+ z g, w+ > e+ ve, z > e+ e- "
    everywhere = process(definition, {**cuts, "decay_products": True}).cuts
    assert everywhere == process(definition, cuts).cuts
    windows = [cut for cut in everywhere if cut.maximum < inf]
    spared = process(definition, {**cuts, "decay_products": False}).cuts
    assert spared == (
        Cut("pt", (6,), 30.0, inf),
        Cut("pt_sum", (2, 3), 10.0, inf),
        Cut("pt_sum", (3, 4), 10.0, inf),
        Cut("pt", (3,), 25.0, inf),
        *windows,
    )
    assert {("pt", (2,)), ("dr", (2, 6)), ("mass", (2, 5))} < {
        (cut.observable, cut.particles) for cut in everywhere
    }


@pytest.fixture
def p() -> Array:
    """Six particles of random mass and direction, so that cuts of any process can be tried."""
    rng = np.random.default_rng(1)
    momenta = rng.normal(size=(4000, 6, 4)) * 50
    momenta[:, :, 0] = np.sqrt(
        (momenta[:, :, 1:] ** 2).sum(axis=2) + rng.exponential(100.0, (4000, 6))
    )
    return as_momenta(momenta)


def pt(k: Array) -> Array:
    return np.hypot(k[..., 1], k[..., 2])


def mass(k: Array) -> Array:
    return np.asarray(np.sqrt(k[..., 0] ** 2 - (k[..., 1:] ** 2).sum(axis=-1)))


def dr(a: Array, b: Array) -> Array:
    y = [0.5 * np.log((k[:, 0] + k[:, 3]) / (k[:, 0] - k[:, 3])) for k in (a, b)]
    phi = [np.arctan2(k[:, 2], k[:, 1]) for k in (a, b)]
    return np.hypot(y[0] - y[1], np.angle(np.exp(1j * (phi[0] - phi[1]))))


def dphi(a: Array, b: Array) -> Array:
    return np.asarray(np.arccos((a[:, 1:3] * b[:, 1:3]).sum(axis=1) / pt(a) / pt(b)))


def energy_of_partons(p: Array, k: Array) -> Array:
    """Energy of k after a boost into the rest frame of the first two particles."""
    total = p[:, 0] + p[:, 1]
    return np.asarray((total * k) @ [1, -1, -1, -1] / mass(total))


def hardest(p: Array, *legs: int) -> Array:
    """Momenta of some legs by falling transverse momentum."""
    chosen = p[:, list(legs)]
    order = np.argsort(-pt(chosen), axis=1)
    return np.take_along_axis(chosen, order[:, :, None], axis=1)


def jets(p: Array) -> Array:
    return hardest(p, 4, 5)


CASES: dict[str, tuple[str, CutTables, Callable[[Array], ArrayLike]]] = {
    "class": ("p p > t t~ j j", {"jet": {"pt_min": 40}}, lambda p: (pt(p[:, 4:]) > 40).all(axis=1)),
    "pair of classes": (
        "p p > e+ e- j j",
        {"lepton,jet": {"dr_min": 1.0}},
        lambda p: np.all([dr(p[:, a], p[:, b]) > 1 for a in (2, 3) for b in (4, 5)], axis=0),
    ),
    "class and name": (
        "p p > e+ e- j j",
        {"e-,jet": {"mass_max": 150}},
        lambda p: np.all([mass(p[:, 3] + p[:, b]) < 150 for b in (4, 5)], axis=0),
    ),
    "photons": (
        "p p > a a j j",
        {"photon": {"pt_max": 60}},
        lambda p: (pt(p[:, 2:4]) < 60).all(axis=1),
    ),
    "hardest": (
        "p p > t t~ j j",
        {"jet[1]": {"pt_min": 70}},
        lambda p: pt(p[:, 4:]).max(axis=1) > 70,
    ),
    "second": (
        "p p > t t~ j j",
        {"jet[2]": {"pt_max": 50}},
        lambda p: pt(p[:, 4:]).min(axis=1) < 50,
    ),
    "energy of the second": (
        "p p > t t~ j j",
        {"jet[2]": {"energy_min": 60}},
        lambda p: jets(p)[:, 1, 0] > 60,
    ),
    "two ranks": (
        "p p > t t~ j j",
        {"jet[1],jet[2]": {"mass_min": 90}},
        lambda p: mass(p[:, 4] + p[:, 5]) > 90,
    ),
    "rank and name": (
        "p p > t t~ j j",
        {"jet[1],t": {"dr_min": 1.5}},
        lambda p: dr(jets(p)[:, 0], p[:, 2]) > 1.5,
    ),
    "rank and class": (
        "p p > t t~ j j",
        {"jet[1],jet": {"dr_min": 1.5}},
        lambda p: dr(p[:, 4], p[:, 5]) > 1.5,
    ),
    "opposite sides, far apart": (
        "p p > t t~ j j",
        {"jet[1],jet[2]": {"eta_product_max": 0, "deta_min": 1.0}},
        lambda p: (
            (p[:, 4, 3] * p[:, 5, 3] < 0)
            & (abs(np.arcsinh(p[:, 4:, 3] / pt(p[:, 4:])) @ [1, -1]) > 1)
        ),
    ),
    "azimuths of a pair of classes": (
        "p p > e+ e- j j",
        {"lepton,jet": {"dphi_min": 0.6}},
        lambda p: np.all([dphi(p[:, a], p[:, b]) > 0.6 for a in (2, 3) for b in (4, 5)], axis=0),
    ),
    "scalar sum of the two hardest": (
        "g g > g g g g",
        {"jet[1],jet[2]": {"ht_min": 180}},
        lambda p: np.sort(pt(p[:, 2:]), axis=1)[:, 2:].sum(axis=1) > 180,
    ),
    "scalar sum of each pair": (
        "g g > g g g g",
        {"jet,jet": {"ht_max": 200}},
        lambda p: np.sort(pt(p[:, 2:]), axis=1)[:, 2:].sum(axis=1) < 200,
    ),
    "hardest of two kinds": (
        "p p > t t~ j j",
        {"t|t~[1]": {"pt_min": 80}},
        lambda p: pt(p[:, 2:4]).max(axis=1) > 80,
    ),
    "mass of two kinds together": (
        "u u~ > e+ e- ve ve~",
        {"lepton|missing": {"system_mass_min": 300}},
        lambda p: mass(p[:, 2:].sum(axis=1)) > 300,
    ),
    "mass of a class together": (
        "p p > e+ ve j j",
        {"jet": {"system_mass_max": 150, "system_pt_min": 50}},
        lambda p: (mass(p[:, 4] + p[:, 5]) < 150) & (pt(p[:, 4] + p[:, 5]) > 50),
    ),
    "energy of the second in the frame of the partons": (
        "p p > t t~ j j",
        {"jet[2]": {"partonic_energy_min": 60}},
        lambda p: energy_of_partons(p, jets(p)[:, 1]) > 60,
    ),
    "scalar sum of a class": (
        "p p > t t~ j j",
        {"jet": {"ht_min": 120}},
        lambda p: pt(p[:, 4:]).sum(axis=1) > 120,
    ),
    "scalar sum": (
        "p p > t t~ j j",
        {"event": {"ht_max": 240}},
        lambda p: pt(p[:, 2:]).sum(axis=1) < 240,
    ),
    "energy of the collision": (
        "p p > t t~ j j",
        {"event": {"sqrt_s_min": 400}},
        lambda p: mass(p[:, 2:].sum(axis=1)) > 400,
    ),
    "one neutrino": (
        "p p > e+ ve j j",
        {"event": {"missing_pt_min": 40}},
        lambda p: pt(p[:, 3]) > 40,
    ),
    "two neutrinos": (
        "u u~ > e+ e- ve ve~",
        {"event": {"missing_pt_min": 40}},
        lambda p: pt(p[:, 4] + p[:, 5]) > 40,
    ),
    "each neutrino": (
        "u u~ > e+ e- ve ve~",
        {"missing": {"pt_min": 40}},
        lambda p: (pt(p[:, 4:]) > 40).all(axis=1),
    ),
    "opposite charges": (
        "u u~ > e+ e- e+ e-",
        {"lepton": {"sfos_mass_min": 60}},
        lambda p: np.all([mass(p[:, a] + p[:, b]) > 60 for a in (2, 4) for b in (3, 5)], axis=0),
    ),
    "same flavour": (
        "u u~ > e+ e- mu+ mu-",
        {"lepton": {"sfos_mass_min": 60}},
        lambda p: (mass(p[:, 2] + p[:, 3]) > 60) & (mass(p[:, 4] + p[:, 5]) > 60),
    ),
    "nothing there": (
        "p p > t t~ j j",
        {
            "lepton": {"pt_min": 1e4, "ht_min": 1e4, "sfos_mass_min": 1e4},
            "photon[1]": {"pt_min": 1e4},
        }
        | {"event": {"missing_pt_min": 1e4}},
        lambda p: np.ones(len(p), bool),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_events_inside_the_limits_pass(name: str, p: Array) -> None:
    definition, cuts, expected = CASES[name]
    passed = Acceptance(process(definition, cuts).selection).passes(p)
    np.testing.assert_array_equal(passed, expected(p))
    assert passed.mean() > 0.02
    assert passed.mean() < 0.99 or name == "nothing there"


def test_plain_cuts_are_what_phase_space_maps_may_rely_on() -> None:
    found = process(
        "p p > t t~ j j",
        {"jet": {"pt_min": 20}, "jet[1]": {"pt_min": 50}, "event": {"sqrt_s_min": 500}},
    )
    assert found.cuts == (
        *(Cut("pt", (leg,), 20, inf) for leg in (4, 5)),
        Cut("mass", (2, 3, 4, 5), 500, inf),
    )
    assert RankedCut("pt", (Ranked((4, 5), 1),), 50, inf) in found.selection.common


def test_the_only_jet_is_the_hardest_one() -> None:
    assert process("p p > t t~ j", {"jet[1]": {"pt_min": 50}}).cuts == (Cut("pt", (4,), 50, inf),)


@pytest.mark.parametrize(("values", "legs"), [({}, (4,)), ({"MB": 0.0, "ymb": 0.0}, (2, 3, 4))])
def test_bottom_quarks_without_mass_are_jets_too(
    values: dict[str, float], legs: tuple[int, ...]
) -> None:
    found = process("g g > b b~ g", {"jet": {"pt_min": 20}}, parameters=values)
    assert found.cuts == tuple(Cut("pt", (leg,), 20, inf) for leg in legs)
    assert process("g g > b b~ g", {"bottom": {"pt_min": 20}}).cuts == tuple(
        Cut("pt", (n,), 20, inf) for n in (2, 3)
    )


@pytest.mark.parametrize(
    ("cuts", "unchanged"),
    [
        (
            {"jet": {"pt_min": 20}, "jet,jet": {"dr_min": 0.4}, "jet[1],jet[2]": {"mass_min": 50}},
            True,
        ),
        ({"event": {"sqrt_s_min": 500, "ht_min": 50}, "jet[1]": {"pt_min": 50}}, True),
        ({"u": {"pt_min": 20}}, False),
        ({"t,u": {"dr_min": 0.4}}, False),
        ({"jet[1],g": {"dr_min": 0.4}}, False),
    ],
)
def test_exchanges_of_particles_are_seen_by_cuts(
    cuts: dict[str, dict[str, float] | dict[str, int]]
    | dict[str, dict[str, float]]
    | dict[str, dict[str, int]],
    unchanged: bool,
) -> None:
    """Channels that an exchange connects share a density only where the cuts are the same."""
    assert process("u g > t t~ u g", cuts).selection.unchanged_by((0, 1, 2, 3, 5, 4)) == unchanged


def test_cuts_on_some_flavours_see_exchanges_too() -> None:
    found = process("u u~ > l+ l- l+ l-", {"e+": {"pt_min": 20}}).selection
    assert not found.unchanged_by((0, 1, 3, 2, 4, 5))


FLAVOUR_CUTS: dict[str, tuple[str, CutTables]] = {
    "electrons": ("d d~ > l+ l-", {"lepton,lepton": {"mass_min": 20}, "e+": {"pt_min": 1500}}),
    "bottom": (
        "g p > j j QED=0",
        {"jet": {"pt_min": 20}, "bottom": {"eta_max": 1.0}, "bottom[1]": {"pt_min": 300}},
    ),
    "pairs": (
        "p p > l+ l- j",
        {"jet": {"pt_min": 20}, "lepton": {"sfos_mass_min": 10}, "mu+,jet": {"dr_min": 1.0}},
    ),
}


@pytest.mark.parametrize("name", FLAVOUR_CUTS)
def test_cuts_on_some_flavours_hold_for_these_alone(name: str) -> None:
    """Each combination of flavours has to pass the cuts that it would have to pass on its own."""
    definition, cuts = FLAVOUR_CUTS[name]
    tables = {"parameters": {"MB": 0.0, "ymb": 0.0}}
    whole = process(definition, cuts, **tables)
    integrand = flat_integrand(whole)
    x = torch.rand(
        150, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    channel = torch.zeros(len(x), dtype=torch.int64)
    p, _ = integrand.momenta(x, channel)
    seen, expected = set(), torch.zeros(len(x), dtype=torch.float64)
    for legs in whole.flavours:
        single = f"{whole.model.reaction_name(legs, 2)} {'QED=0' if 'QED' in definition else ''}"
        names = {whole.model.particle_name(pdg) for pdg in legs[2:]} | {
            "jet",
            "lepton",
            "bottom",
            "bottom[1]",
        }
        own = {key: cut for key, cut in cuts.items() if set(key.split(",")) <= names}
        one = flat_integrand(process(single, own, **tables))
        expected += one.evaluate(x, channel).value
        seen.add(tuple(Acceptance(process(single, own, **tables).selection).passes(p)))
    assert len(seen) > 1
    result = integrand.evaluate(x, channel)
    torch.testing.assert_close(result.value, expected, rtol=1e-12, atol=0)
    assert integrand.accepts(x, channel)[result.value > 0].all()


def test_events_have_flavours_that_pass_their_cuts() -> None:
    integrand = flat_integrand(
        process("u u~ > l+ l-", {"lepton": {"pt_min": 20}, "e+": {"pt_min": 500}})
    )
    x = torch.rand(
        400, integrand.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    channel = torch.zeros(len(x), dtype=torch.int64)
    inside = integrand.evaluate(x, channel).value > 0
    events = PartonicEventSampler(integrand).sample(
        x[inside], channel[inside], torch.rand(int(inside.sum()), DRAWS, dtype=torch.float64)
    )
    electrons, hard = events.pdg[:, 2] == -11, pt(events.momenta[:, 2]) > 500
    assert not (electrons & ~hard).any()
    assert electrons.any()
    assert (~electrons & hard).any()


def test_photons_are_isolated_from_jets_and_apart_from_them_from_what_radiates_photons() -> None:
    cuts = {"photon": {"isolation": {"radius": 0.7, "exponent": 2.0, "epsilon": 0.5}}}
    found = process("u u~ > a e+ e- a g g", cuts).selection.common
    assert set(found) == {
        Isolation(2, (6, 7), 0.7, 2.0, 0.5),
        Isolation(5, (6, 7), 0.7, 2.0, 0.5),
        Isolation(2, (3, 4, 5), 0.7, 2.0, 0.5),
        Isolation(5, (2, 3, 4), 0.7, 2.0, 0.5),
    }
    hadronic = {"a": {"isolation": {"electromagnetic": False, "partons": "jet|bottom"}}}
    assert process("u u~ > a b b~ g", hadronic).selection.common == (Isolation(2, (3, 4, 5)),)
    assert process("u u~ > a t t~", hadronic).selection.common == ()


def test_isolation_does_not_change_with_an_exchange_of_what_a_photon_is_isolated_from() -> None:
    found = process("u u~ > a g g g", {"photon": {"isolation": {}}}).selection
    assert found.unchanged_by((0, 1, 2, 5, 3, 4))
    assert not found.unchanged_by((0, 1, 3, 2, 4, 5))


@pytest.mark.parametrize(
    ("cuts", "sentence"),
    [
        (
            {"photon[1]": {"isolation": {}}},
            'cuts."photon[1]": expected one name without a rank for isolation; got "photon[1]"',
        ),
        (
            {"jet": {"isolation": {"partons": "jets"}}},
            'cuts."jet".isolation.partons: unknown particle or class "jets"; did you mean "jet"?',
        ),
        ({"jet": {"isolation": {"radius": 0}}}, "isolation.radius: expected a number > 0; got 0"),
        ({"jet": {"isolation": {"n": 1}}}, "isolation.n: unknown key"),
        ({"jet[3]": {"pt_min": 1}}, 'cuts."jet[3]": expected a rank of at most 2; got 3'),
        (
            {"jett[1]": {"pt_min": 1}},
            'cuts."jett[1]": unknown particle or class "jett"; did you mean "jet"?',
        ),
        (
            {"b-jet": {"pt_min": 1}},
            'cuts."b-jet": unknown particle or class "b-jet"; did you mean "bottom"?',
        ),
        (
            {"jet[0]": {"pt_min": 1}},
            'cuts."jet[0]": unknown particle or class "jet[0]"; did you mean "jet"?',
        ),
        ({"mu+": {"pt_min": 1}}, "expected a class or one of the final particles t, t~, g,"),
        ({"jet": {"sqrt_s_min": 1}}, 'cuts.jet: expected "event" for a cut on sqrt_s; got "jet"'),
        (
            {"lepton": {"missing_pt_min": 1}},
            'cuts.lepton: expected "event" for a cut on missing_pt; got "lepton"',
        ),
        (
            {"event": {"pt_min": 1}},
            'cuts.event: expected one particle or class for a cut on pt; got "event"',
        ),
        (
            {"jet,jet": {"system_mass_min": 1}},
            'expected one particle, class or "event" for a cut on system_mass; got "jet,jet"',
        ),
        ({"jet|top": {"pt_min": 1}}, 'unknown particle or class "top"'),
        ({"jet|mu+": {"pt_min": 1}}, "expected a class or one of the final particles t, t~, g,"),
        ({"jet,jet,jet": {"deta_min": 1}}, 'expected a pair like "e+,e-" for a cut on deta'),
        (
            {"jet,jet": {"sfos_mass_min": 1}},
            "expected one particle or class for a cut on sfos_mass",
        ),
        (
            {"jet,event": {"mass_min": 1}},
            'expected "event" alone for a cut on mass; got "jet,event"',
        ),
        ({"jet[1]": {"ht_min": 1}}, 'expected a name without a rank for a cut on ht; got "jet[1]"'),
    ],
)
def test_cuts_that_mean_nothing_are_refused(cuts: CutTables, sentence: str) -> None:
    with pytest.raises(CardError, match=re.escape(sentence)):
        process("p p > t t~ j j", cuts)


def test_of_equally_hard_particles_the_first_counts_as_harder() -> None:
    p = as_momenta([[[5.0, 3.0, 4.0, 0.0], [6.0, 3.0, 4.0, 1.0]]])
    assert [Ranked((0, 1), rank).positions(p).tolist() for rank in (1, 2)] == [[0], [1]]


def test_one_particle_in_two_ranks_passes() -> None:
    p = as_momenta([[[5.0, 3.0, 4.0, 0.0], [6.0, 0.0, 4.0, 1.0]]])
    assert Cuts([RankedCut("dr", (Ranked((0, 1)), Ranked((0,))), 100.0, inf)]).passes(p).all()
    assert not Cuts([RankedCut("dr", (Ranked((0, 1)), Ranked((1,))), 100.0, inf)]).passes(p).any()


def test_undefined_observables_are_left_to_the_check_of_weights() -> None:
    p = as_momenta(np.full((3, 2, 4), np.nan))
    assert (
        Cuts([Cut("ht", (0, 1), 1.0, 2.0), RankedCut("pt", (Ranked((0, 1)),), 1.0, 2.0)])
        .passes(p)
        .all()
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ranked((2, 3), 3), "cut: rank: expected 1 to 2; got 3"),
        (lambda: Ranked((2, 2), 1), "cut: rank: expected different positions >= 0; got (2, 2)"),
        (lambda: RankedCut("dr", (Ranked((2, 3)),), 0.0, 1.0), "cut: dr: expected particles: 2"),
    ],
)
def test_wrong_ranks_are_named(make: Callable[..., object], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        make()
