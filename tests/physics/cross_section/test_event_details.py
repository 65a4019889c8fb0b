"""Helicities, resonances and variations of events."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from amplitudes import amplitude
from amplitudes import points as representative_points
from drawn_events import drawn, points, process
from flat_mapping import flat_integrand
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.event_details import drawn_columns
from madnis_py.physics.cross_section.partonic_events import PartonicEvents
from madnis_py.physics.cross_section.systematics import variation_groups


@cache
def integrand(text: str) -> CrossSection:
    return flat_integrand(process(text, cuts={"jet": {"pt_min": 20.0}}))


def repeated(one: CrossSection, n: int) -> PartonicEvents:
    x, channel = points(one, 1000)
    return drawn(one, x[:1].expand(n, -1).contiguous(), channel[:1].expand(n))


def check_frequencies(column: NDArray[np.int64], share: Array) -> None:
    """Every column comes as often as its shares say, within 5 sigma."""
    for number, expected in enumerate(share.T):
        deviation = (column == number).sum() - expected.sum()
        assert abs(deviation) <= 5 * np.sqrt((expected * (1 - expected)).sum()) + 1e-9


def helicity_columns(events: PartonicEvents, helicities: NDArray[np.int8]) -> NDArray[np.int64]:
    places = {tuple(row): column for column, row in enumerate(helicities.tolist())}
    return np.array([places[tuple(row)] for row in events.helicity.tolist()])


@pytest.mark.parametrize("text", ["g g > t t~", "u u~ > d d~", "u u~ > e+ e-"])
def test_helicities_come_as_often_as_the_amplitude_says(text: str) -> None:
    one, tree = integrand(text), amplitude(text)
    for events in (repeated(one, 20000), drawn(one, *points(one, 20000))):
        parts = tree.weights(events.momenta, events.alpha_s).helicities
        share = np.maximum(parts, 0) / np.maximum(parts, 0).sum(axis=1, keepdims=True)
        check_frequencies(helicity_columns(events, tree.helicities), share)


def test_helicities_of_the_closed_formula_are_those_of_the_tape_in_every_order_of_legs() -> None:
    for text in ("u u~ > e+ e-", "d~ d > e+ e-", "u u~ > mu- mu+", "u~ u > e- e+"):
        one, tree = process(text).matrix_element(), amplitude(text)
        p = drawn(integrand(text), *points(integrand(text), 50)).momenta
        theirs = dict(
            zip(
                map(tuple, tree.helicities.tolist()),
                tree.weights(p, 0.118).helicities.T,
                strict=True,
            )
        )
        ours = one.weights(p, 0.118)
        assert len(one.helicities) == len(theirs) == 4
        for row, part in zip(one.helicities.tolist(), ours.helicities.T, strict=True):
            np.testing.assert_allclose(part, theirs[tuple(row)], rtol=1e-11)
        np.testing.assert_allclose(ours.helicities.sum(axis=1), ours.me2, rtol=1e-14)


def test_mirrored_beams_have_mirrored_helicities() -> None:
    one = integrand("p p > t t~ j")
    events = drawn(one, *points(one, 3000))
    massless = np.abs(events.pdg) < 6
    assert (np.abs(events.helicity[massless]) == 1).all()
    annihilated = massless[:, 0] & massless[:, 1]
    assert annihilated.sum() > 100
    assert (events.helicity[annihilated, 0] == -events.helicity[annihilated, 1]).all()


def test_a_z_is_written_where_the_pair_is_on_its_shell_and_no_photon_ever() -> None:
    text, n = "u u~ > e+ e-", 4000
    for energy, shares in ((91.188 / 2, (0.95, 1.0)), (50.0, (0.5, 1.0)), (100.0, (0.0, 0.0))):
        one = flat_integrand(process(text, beams={"pdf": "none", "energy": [energy, energy]}))
        resonances = repeated(one, n).resonances
        assert set(np.unique(resonances.pdg)) <= {0, 23}
        assert shares[0] <= (resonances.pdg != 0).any(axis=1).mean() <= shares[1]
        assert (resonances.legs[resonances.pdg != 0] == 0b1100).all()


def test_the_share_of_a_resonance_is_that_of_its_diagram() -> None:
    one = flat_integrand(process("u u~ > e+ e-", beams={"pdf": "none", "energy": [45.0, 45.0]}))
    events = repeated(one, 20000)
    squares = process("u u~ > e+ e-").matrix_element().evaluate(events.momenta[:1], 0.1)[1][0]
    expected = squares[1] / squares.sum()
    found = (events.resonances.pdg != 0).any(axis=1).mean()
    assert abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / 20000)


def test_a_top_has_the_colour_of_its_bottom_quark_and_its_w_none() -> None:
    text = "g g > t t~, (t > w+ b, w+ > e+ ve), (t~ > w- b~, w- > mu- vm~)"
    one = flat_integrand(process(text, events={"resonance_widths": 1e9}))
    events = drawn(one, *points(one, 300))
    names = [sorted(row[row != 0].tolist()) for row in events.resonances.pdg]
    assert names == [[-24, -6, 6, 24]] * len(events.pdg)
    for event, (pdg, colour) in enumerate(
        zip(events.resonances.pdg, events.resonances.colour, strict=True)
    ):
        for particle, lines in zip(pdg.tolist(), colour.tolist(), strict=True):
            bottom = events.pdg[event].tolist().index(5 if particle > 0 else -5)
            expected = events.colour[event, bottom].tolist() if abs(particle) == 6 else [0, 0]
            assert lines == expected


def test_mothers_come_before_daughters() -> None:
    text = "g g > t t~, (t > w+ b, w+ > e+ ve), (t~ > w- b~, w- > mu- vm~)"
    events = drawn(integrand(text), *points(integrand(text), 100))
    legs = events.resonances.legs
    for early in range(legs.shape[1]):
        for late in range(early + 1, legs.shape[1]):
            assert ((legs[:, early] & ~legs[:, late]) != 0).all()


def variations(text: str, **tables: object) -> tuple[CrossSection, PartonicEvents]:
    one = flat_integrand(process(text, cuts={"jet": {"pt_min": 20.0}}, **tables))
    return one, drawn(one, *points(one, 300))


def test_partons_as_beams_have_no_variations() -> None:
    assert variations("g g > t t~")[1].variations.shape[1] == 0


def test_scale_variations_are_the_cross_sections_at_other_scales_for_one_flavour() -> None:
    scales = {"factorization": "ht/2", "renormalization": "ht/2"}
    hadrons = {"pdf": "toy"}
    one, events = variations("g g > t t~", scales=scales, beams=hadrons)
    x, channel = points(one, 300)
    values = one.evaluate(x, channel).value.numpy()
    groups = variation_groups(
        Card.parse({"process": {"definition": "g g > t t~"}, "beams": {"pdf": "toy"}})
    )
    assert [len(group.variations) for group in groups] == [8]
    for column, variation in enumerate(groups[0].variations):
        factors = {"renormalization_factor": variation.mu_r, "factorization_factor": variation.mu_f}
        other = flat_integrand(process("g g > t t~", scales={**scales, **factors}, beams=hadrons))
        expected = other.evaluate(x, channel).value.numpy() / values
        np.testing.assert_allclose(events.variations[:, column], expected, rtol=1e-11)


def test_pairs_of_factors_are_varied_as_they_are_given() -> None:
    pairs = [[0.5, 1.0], [1.0, 1.0], [2.0, 0.5]]
    (group,) = variation_groups(
        Card.parse(
            {
                "process": {"definition": "g g > t t~"},
                "beams": {"pdf": "toy"},
                "systematics": {"scale_factors": pairs},
            }
        )
    )
    assert [(one.mu_r, one.mu_f) for one in group.variations] == [(0.5, 1.0), (2.0, 0.5)]


@pytest.mark.parametrize(
    "text", ["u u~ > e+ e-", "u d~ > w+ g", "g g > t t~ g", "u c > w+ w+ d s QCD=99 QED=99"]
)
def test_the_power_of_the_coupling_is_that_of_the_amplitude(text: str) -> None:
    one, p = process(text).matrix_element(), representative_points(text, 3)
    growth = one.squared(p, 0.2) / one.squared(p, 0.1)
    power = {"u u~ > e+ e-": 0, "u d~ > w+ g": 1, "g g > t t~ g": 3}.get(text)
    assert one.alpha_s_power == power
    if power is None:
        assert np.ptp(growth) > 1e-3
    else:
        np.testing.assert_allclose(growth, 2.0**power, rtol=1e-12)


def test_variations_of_a_sum_of_powers_are_those_of_the_cross_section() -> None:
    text = "u c > w+ w+ d s QCD=99 QED=99"
    scales, hadrons = {"renormalization": "ht/2"}, {"pdf": "toy"}
    one, events = variations(text, beams=hadrons, scales=scales)
    x, channel = points(one, 300)
    half = {**scales, "renormalization_factor": 0.5, "factorization_factor": 0.5}
    other = flat_integrand(
        process(text, beams=hadrons, scales=half, cuts={"jet": {"pt_min": 20.0}})
    )
    expected = other.evaluate(x, channel).value / one.evaluate(x, channel).value
    np.testing.assert_allclose(events.variations[:, 0], expected.numpy(), rtol=1e-11)


def test_variations_average_to_the_cross_section_at_other_scales_over_all_flavours() -> None:
    one, _ = variations("p p > t t~ j")
    x, channel = points(one, 100)
    point, where = x[3:4].expand(20000, -1).contiguous(), channel[3:4].expand(20000)
    events = drawn(one, point, where)
    other = flat_integrand(
        process(
            "p p > t t~ j", cuts={"jet": {"pt_min": 20.0}}, scales={"renormalization_factor": 0.5}
        )
    )
    expected = (other.evaluate(x, channel).value / one.evaluate(x, channel).value)[3].item()
    column = next(
        place
        for place, variation in enumerate(
            variation_groups(process("p p > t t~ j").card)[0].variations
        )
        if (variation.mu_r, variation.mu_f) == (0.5, 1.0)
    )
    ratios = events.variations[:, column]
    assert abs(ratios.mean() - expected) < 5 * ratios.std() / np.sqrt(len(ratios)) + 1e-9


def test_draws_never_take_a_column_without_weight() -> None:
    weights = np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 0.0], [0.0, -1.0, 3.0]])
    for number, edge in ((0.0, [1, 0, 2]), (np.nextafter(1.0, 0.0), [1, 0, 2])):
        assert drawn_columns(weights, np.full(3, number)).tolist() == edge
