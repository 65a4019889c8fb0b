"""Colour flows of events: how often they come, and what every leg carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from amplitudes import STABLE, amplitude, numbered
from event_samples import read_lhe, shower_of
from flat_mapping import flat_integrand
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.integration.grids.vegas_flow import VegasSettings
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import (
    DRAWS,
    PartonicEvents,
    PartonicEventSampler,
)
from madnis_py.physics.process.mirrored import Mirrored
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

SCATTERINGS = ("g g > t t~", "u u~ > d d~", "g u > g u")
MANY = ("p p > j j", "p p > t t~ j")


@cache
def process(text: str) -> Process:
    beams = {
        "beams": {"pdf": "toy"}
        if text.startswith("p ")
        else {"pdf": "none", "energy": [400.0, 400.0]}
    }
    tables = {"cuts": {"jet": {"pt_min": 20.0}}, "scales": {"renormalization": "sum_mt/2"}}
    return Process.from_card(Card.parse({"process": {"definition": text}, **tables, **beams}))


@cache
def integrand(text: str) -> CrossSection:
    return flat_integrand(process(text))


def points(one: CrossSection, n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Points with a cross section among n."""
    x = torch.rand(n, one.dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    channel = torch.zeros(n, dtype=torch.int64)
    inside = one.evaluate(x, channel).value > 0
    assert inside.sum() > 10
    return x[inside], channel[inside]


def drawn(
    one: CrossSection, x: torch.Tensor, channel: torch.Tensor, seed: int = 1
) -> PartonicEvents:
    uniform = torch.rand(
        len(x), DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )
    return PartonicEventSampler(one).sample(x, channel, uniform)


def repeated(one: CrossSection, n: int) -> PartonicEvents:
    """Events of one point."""
    x, channel = points(one, 1000)
    return drawn(one, x[:1].expand(n, -1).contiguous(), channel[:1].expand(n))


def flow_of(events: PartonicEvents, flows: Sequence[Sequence[Sequence[int]]]) -> NDArray[np.int64]:
    """The column of the flow that every event has, whatever its lines are called."""
    columns = {numbered(flow): column for column, flow in enumerate(flows)}
    return np.array([columns[numbered(colour)] for colour in events.colour.tolist()])


def probabilities(text: str, events: PartonicEvents) -> Array:
    """The share of every colour flow by the amplitude, (n, n_flows)."""
    flows = amplitude(text).weights(events.momenta, events.alpha_s).flows
    shares: Array = flows / flows.sum(axis=1, keepdims=True)
    return shares


def check_frequencies(column: NDArray[np.int64], share: Array) -> None:
    """Every flow comes as often as expected, within 5 sigma."""
    assert (share > 0).all()
    for number, expected in enumerate(share.T):
        deviation = (column == number).sum() - expected.sum()
        assert abs(deviation) < 5 * np.sqrt((expected * (1 - expected)).sum())


@pytest.mark.parametrize("text", SCATTERINGS)
def test_flows_of_one_point_come_as_often_as_the_amplitude_says(text: str) -> None:
    events = repeated(integrand(text), 20000)
    check_frequencies(flow_of(events, amplitude(text).flows), probabilities(text, events))


@pytest.mark.parametrize("text", SCATTERINGS)
def test_flows_of_many_points_come_as_often_as_the_amplitude_says(text: str) -> None:
    one = integrand(text)
    events = drawn(one, *points(one, 20000))
    share = probabilities(text, events)
    check_frequencies(flow_of(events, amplitude(text).flows), share)
    often = share[:, 0] > np.median(share[:, 0])
    for some in (often, ~often):
        check_frequencies(flow_of(events, amplitude(text).flows)[some], share[some])


@pytest.mark.parametrize(("text", "quark"), [("g g > t t~", 2), ("g u > g u", 3)])
def test_the_gluon_joined_to_the_quark_is_the_one_of_the_pole(text: str, quark: int) -> None:
    """(t - m^2) A(1, 2) = (u - m^2) A(2, 1).

    Weights are 1 / (p_gluon . p_quark)^2 of the gluon next to the quark.
    """
    one = amplitude(text, **STABLE)
    events = drawn(integrand(text), *points(integrand(text), 1000))
    p = events.momenta
    joined = [
        next(leg for leg, lines in enumerate(flow) if leg != quark and flow[quark][0] in lines)
        for flow in one.flows
    ]
    assert sorted(joined) == ([0, 1] if text == "g g > t t~" else [0, 2])
    metric = np.array([1.0, -1.0, -1.0, -1.0])
    weights = np.stack(
        [(p[:, gluon] * p[:, quark] * metric).sum(axis=1) ** -2.0 for gluon in joined], axis=1
    )
    expected = weights / weights.sum(axis=1, keepdims=True)
    found = one.weights(p, events.alpha_s).flows
    np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), expected, rtol=1e-9)


def test_quarks_of_different_flavour_exchange_colours_nine_times_out_of_ten() -> None:
    """The gluon joins colours with -1 / N of the other flow: 1 / 9 of its weight."""
    events = repeated(integrand("u u~ > d d~"), 20000)
    annihilated = events.colour[:, 0, 0] == events.colour[:, 1, 1]
    assert abs(annihilated.mean() - 0.1) < 5 * np.sqrt(0.09 / len(annihilated))


@pytest.mark.parametrize("text", MANY)
def test_flavours_and_flows_of_one_point_come_as_often_as_both_say(text: str) -> None:
    one, n = integrand(text), 40000
    events = repeated(one, n)
    p, alpha_s = events.momenta[:1], events.alpha_s[:1]
    densities = one.luminosity.evaluate(p, events.scale[:1] ** 2)[0]
    shares, column = {}, 0
    for group in one.process.groups:
        element = one.process.matrix_element_of(group)
        me2 = element.squared(p, alpha_s)[0]
        weights = element.weights(p, alpha_s).flows[0]
        for legs in group.flavours:
            for flow, weight in zip(element.flows, weights / weights.sum(), strict=True):
                shares[legs, numbered(flow)] = densities[column] * me2 * weight
            column += 1
    found = Counter(
        (tuple(legs), numbered(colour))
        for legs, colour in zip(events.pdg.tolist(), events.colour.tolist(), strict=True)
    )
    assert found.keys() <= shares.keys()
    total = sum(shares.values())
    for key, share in shares.items():
        expected = share / total
        assert abs(found[key] - n * expected) < 5 * np.sqrt(n * expected * (1 - expected)) + 3


@pytest.mark.parametrize("text", MANY)
def test_the_ends_of_the_unit_interval_draw_a_flow_of_the_flavours(text: str) -> None:
    one = integrand(text)
    x, channel = points(one, 300)
    for edge in (0.0, np.nextafter(1.0, 0.0)):
        events = PartonicEventSampler(one).sample(
            x, channel, torch.full((len(x), DRAWS), edge, dtype=torch.float64)
        )
        for legs, colours in zip(events.pdg.tolist(), events.colour.tolist(), strict=True):
            check_colours(legs, colours)


def test_a_flow_does_not_know_the_other_events() -> None:
    one = integrand("p p > t t~ j")
    x, channel = points(one, 400)
    uniform = torch.rand(
        len(x), DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )
    together = PartonicEventSampler(one).sample(x, channel, uniform)
    for row in range(0, len(x), 7):
        alone = PartonicEventSampler(one).sample(
            x[row : row + 1], channel[row : row + 1], uniform[row : row + 1]
        )
        np.testing.assert_array_equal(alone.colour[0], together.colour[row])


def check_colours(legs: Sequence[int], colours: Sequence[Sequence[int]]) -> None:
    """Quarks have a colour, antiquarks an anticolour, gluons both; every line has two ends.

    An incoming colour is an outgoing anticolour.
    """
    for pdg, (colour, anticolour) in zip(legs, colours, strict=True):
        coloured = pdg == 21 or abs(pdg) <= 6
        assert (colour > 0, anticolour > 0) == (
            coloured and pdg > 0,
            coloured and (pdg < 0 or pdg == 21),
        ), legs
        assert colour != anticolour or not coloured
    outgoing = [lines[::-1] if position < 2 else lines for position, lines in enumerate(colours)]
    starts, ends = ([line for line in side if line] for side in zip(*outgoing, strict=True))
    assert sorted(starts) == sorted(ends)
    assert len(set(starts)) == len(starts) > 0


@pytest.mark.parametrize("text", MANY)
def test_every_line_of_every_flow_has_two_ends(text: str) -> None:
    whole = process(text)
    for group in whole.groups:
        flows = whole.matrix_element_of(group).flows
        assert len(set(map(numbered, flows))) == len(flows)
        for legs in group.flavours:
            for flow in flows:
                check_colours(legs, flow)


@pytest.mark.parametrize("text", MANY)
def test_events_have_colours_of_the_right_kind_whatever_comes_first(text: str) -> None:
    one = integrand(text)
    events = drawn(one, *points(one, 20000))
    mirrored = {
        legs
        for group in one.process.groups
        if isinstance(one.process.matrix_element_of(group), Mirrored)
        for legs in group.flavours
    }
    first: Counter[str] = Counter()
    for legs, colours in zip(events.pdg.tolist(), events.colour.tolist(), strict=True):
        check_colours(legs, colours)
        first["antiquark"] += legs[0] < 0
        first["mirrored"] += tuple(legs) in mirrored
    assert min(first.values()) > 50


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of events of a top pair and a jet, after a short survey."""
    run = Run(process("p p > t t~ j"), tmp_path_factory.mktemp("tops"), 3, method="vegas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VegasSettings, "for_integrand", lambda integrand: VegasSettings(points=2000))
        return run.execute(300, 5000).events_file


def test_written_events_have_whole_colour_lines_for_pylhe(written: Path) -> None:
    events = list(read_lhe(written).events)
    assert len(events) == 300
    flows = set()
    for event in events:
        legs, colours = (
            [p.id for p in event.particles],
            [(p.color1, p.color2) for p in event.particles],
        )
        assert [p.status for p in event.particles] == [-1, -1, 1, 1, 1]
        check_colours([int(pdg) for pdg in legs], colours)
        flows.add((*legs, numbered(colours)))
    assert len(flows) > len({flow[:-1] for flow in flows}) > 5


def test_pythia_finds_no_fault_with_the_colours(written: Path) -> None:
    pythia = shower_of(written)
    assert sum(pythia.next() for _ in range(300)) == 300
