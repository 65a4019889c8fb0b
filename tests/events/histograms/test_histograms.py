"""Histograms of points and of events: contents, errors and agreement against what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from event_samples import SIGMA, drell_yan, with_resonance, with_variations
from numpy.typing import NDArray
from scipy import stats

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.tables import HistogramTable
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import create_events
from madnis_py.events.histograms.automatic_bins import BINS, WeightedValues, binnings
from madnis_py.events.histograms.histogram import Binning, Histogram
from madnis_py.events.histograms.histogram_filling import (
    PointTallies,
    final_states,
    histograms_of_events,
)
from madnis_py.events.histograms.shape_comparison import compare
from madnis_py.events.histograms.uncertainty_bands import bands
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.integration.samples import Samples
from madnis_py.physics.cross_section.sampled_states import SampledStates
from madnis_py.physics.model_search.card_model import model_from_card
from madnis_py.physics.observables.final_state import FinalState
from madnis_py.physics.observables.observable import Observable
from madnis_py.run.stages.distributions import distributions_of_file

MODEL = model_from_card(Card.parse({"process": {"definition": "p p > e+ e-"}}))


def binning(text: str, *edges: float) -> Binning:
    return Binning(Observable.parse(text, MODEL), np.array(edges))


def bins(text: str, low: float, high: float, number: int) -> Binning:
    return Binning(Observable.parse(text, MODEL), np.linspace(low, high, number + 1))


def histogram(events: EventBatch, wanted: Binning) -> Histogram:
    return histograms_of_events([events], [wanted])[0]


RAPIDITY = bins("rapidity(event)", -2.0, 2.0, 20)
"""In which the distribution of the synthetic events is flat."""


def chi2(found: Histogram, expected: Array) -> tuple[float, int]:
    """Of all places but the last, which follows from the others, and the total."""
    difference = (found.contents - expected)[:-2]
    used = expected[:-2] > 0
    covariance = found.covariance[:-2, :-2][np.ix_(used, used)]
    return float(difference[used] @ np.linalg.solve(covariance, difference[used])), int(used.sum())


def test_a_flat_distribution_of_events_is_flat_within_its_errors() -> None:
    found = histogram(drell_yan(40_000), bins("rapidity(event)", -1.5, 1.5, 30))
    expected = np.array([SIGMA / 8, *[SIGMA / 40] * 30, SIGMA / 8, SIGMA])
    value, dof = chi2(found, expected)
    assert stats.chi2.sf(value, dof) > 1e-3
    assert found.errors == pytest.approx(SIGMA * np.sqrt(1 / 40 * (39 / 40) / 40_000), rel=0.1)


def test_a_resonance_has_its_shape() -> None:
    edges = np.array([88.0, 90.0, 91.0, 92.0, 94.0])
    angle = np.arctan((edges**2 - 91.188**2) / (91.188 * 2.44))
    below = SIGMA * (angle + 1.3) / 2.6
    found = histogram(drell_yan(40_000), binning("mass(e+,e-)", *edges))
    expected = np.array([below[0], *np.diff(below), SIGMA - below[-1], SIGMA])
    value, dof = chi2(found, expected)
    assert stats.chi2.sf(value, dof) > 1e-3


def test_all_places_together_are_the_cross_section_with_its_error() -> None:
    events = drell_yan(1000).reweighted(np.random.default_rng(3).exponential(SIGMA, 1000))
    found = histogram(events, bins("pt(e+)", 10.0, 30.0, 7))
    assert (
        found.contents[:-1].sum()
        == pytest.approx(found.total)
        == pytest.approx(events.weight.mean())
    )
    assert found.covariance[:-1, :-1].sum() == pytest.approx(found.covariance[-1, -1])
    assert found.all_errors[-1] == pytest.approx(events.weight.std(ddof=1) / np.sqrt(1000))


def test_a_fixed_number_of_equal_weights_has_an_exact_total() -> None:
    assert histogram(drell_yan(500), RAPIDITY).all_errors[-1] == pytest.approx(
        0.0, abs=1e-6 * SIGMA
    )


def test_the_upper_end_of_a_bin_belongs_to_the_next() -> None:
    event = drell_yan(2)
    momenta = np.array([[7.0, 0, 0, 7], [7, 0, 0, -7], [7, 7, 0, 0], [7, -7, 0, 0]])
    turned = momenta[:, [0, 2, 1, 3]]
    found = histogram(
        replace(event, momenta=np.stack([momenta, turned])), binning("pt(e+)", 0.0, 7.0, 8.0)
    )
    assert found.values.tolist() == [0.0, pytest.approx(SIGMA)]


def test_two_entries_of_one_event_are_one_fluctuation() -> None:
    """Both leptons have the same p_T: each event has two entries in one bin."""
    events = drell_yan(2000)
    one, two = (histogram(events, bins(text, 0.0, 60.0, 12)) for text in ("pt(e+)", "pt(lepton)"))
    np.testing.assert_allclose(two.values, 2 * one.values)
    np.testing.assert_allclose(two.errors, 2 * one.errors)


def test_copies_of_an_event_are_no_independent_events() -> None:
    events, number = drell_yan(300), np.random.default_rng(1).integers(1, 6, 300)
    weighted = histogram(events.reweighted(SIGMA * number / number.mean()), RAPIDITY)
    copied = histogram(events.select(np.repeat(np.arange(300), number)), RAPIDITY)
    np.testing.assert_allclose(copied.contents, weighted.contents)
    np.testing.assert_allclose(copied.covariance, weighted.covariance, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(copied.effective_entries, weighted.effective_entries)


@pytest.mark.parametrize("sizes", [(1, 999), (250, 250, 500), (1000,)])
def test_a_histogram_does_not_depend_on_how_the_events_come(sizes: Sequence[int]) -> None:
    events = with_variations(with_resonance(drell_yan(1000)))
    ends = np.cumsum([0, *sizes])
    batches = (events.select(slice(a, b)) for a, b in pairwise(ends))
    parts, whole = histograms_of_events(batches, [RAPIDITY])[0], histogram(events, RAPIDITY)
    np.testing.assert_allclose(parts.contents, whole.contents)
    np.testing.assert_allclose(parts.covariance, whole.covariance, atol=1e-9)
    np.testing.assert_allclose(parts.variations, whole.variations)


def test_variations_are_histograms_with_other_weights() -> None:
    events = with_variations(drell_yan(500))
    found = histogram(events, RAPIDITY)
    for number in range(3):
        other = histogram(
            events.reweighted(np.ascontiguousarray(events.variations[:, number])), RAPIDITY
        )
        np.testing.assert_allclose(found.variations[number], other.contents)


def test_fewer_than_two_events_have_no_errors() -> None:
    with pytest.raises(InputError, match="expected at least two different events"):
        histogram(drell_yan(1), RAPIDITY)
    with pytest.raises(InputError, match="expected at least two different events"):
        histograms_of_events([], [RAPIDITY])


def test_hist_has_the_same_values_and_variances() -> None:
    found = histogram(drell_yan(1000), bins("mass(e+,e-)", 89.0, 93.0, 4))
    made = found.hist()
    np.testing.assert_array_equal(made.values(flow=True), found.contents[:-1])
    variances = made.variances()
    assert variances is not None
    np.testing.assert_allclose(variances, found.errors**2)
    np.testing.assert_array_equal(made.axes[0].edges, found.edges)
    assert made.axes[0].label == "$m_{e^{+} e^{-}}$ [GeV]"


@dataclass(frozen=True)
class Line:
    """A map of x to one particle of p_T = 100 x GeV, with one combination of flavours."""

    flavours: NDArray[np.int32]
    process = SimpleNamespace(definition=SimpleNamespace(n_incoming=2))

    def momenta(self, x: torch.Tensor, channel: torch.Tensor) -> tuple[Array, Array]:
        p = np.zeros((len(x), 3, 4))
        p[:, 2, 0] = p[:, 2, 1] = 100 * x[:, 0].numpy()
        return p, np.ones(len(x))


COUNTS = np.array([400, 0, 1600])
LINE = bins("pt(e+)", 0.0, 80.0, 4)


def line_tallies(counts: NDArray[np.int64]) -> PointTallies:
    states = SampledStates(Line(np.array([[2, -2, -11]], np.int32)), LINE.observable.classes)  # type: ignore[arg-type]
    return PointTallies(states, (LINE,), counts)


def line_samples(random: np.random.Generator, counts: NDArray[np.int64]) -> Samples:
    """Channel 0 has the weight 1 + x, channel 2 the weight 6 x^2 for half of its points, else 0."""
    channel = torch.from_numpy(np.repeat(np.arange(3), counts))
    x = torch.from_numpy(random.random((len(channel), 1)))
    lucky = torch.from_numpy(random.random(len(channel)) < 0.5)
    weight = torch.where(channel == 0, 1 + x[:, 0], 6 * lucky * x[:, 0] ** 2)
    empty = torch.empty(len(channel), 0, dtype=torch.float64)
    return Samples(channel, x, torch.zeros_like(weight), weight, empty, empty, weight, weight.abs())


def line_truth() -> Array:
    """Integral of 1 + x + 3 x^2 over 0 to 0.2, ... 0.8 to 1, and over everything."""
    below = [x + x**2 / 2 + x**3 for x in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    return np.array([0.0, *np.diff(below), below[-1]])


def test_errors_of_weighted_points_are_those_of_a_sum_over_channels() -> None:
    random, work = np.random.default_rng(2), line_tallies(COUNTS)
    found = [work.histograms([work(line_samples(random, COUNTS))])[0] for _ in range(200)]
    contents = np.stack([one.contents for one in found])
    pulls = (contents - line_truth())[:, 1:] / np.stack([one.all_errors for one in found])[:, 1:]
    assert (abs(pulls.mean(axis=0)) < 5 / np.sqrt(200)).all()
    assert (abs(pulls.std(axis=0) - 1) < 5 / np.sqrt(400)).all()
    chi2s = [
        difference @ np.linalg.solve(one.covariance[1:-1, 1:-1], difference)
        for one, difference in zip(found, (contents - line_truth())[:, 1:-1], strict=True)
    ]
    assert np.mean(chi2s) == pytest.approx(5.0, abs=5 * np.sqrt(10 / 200))


def test_blocks_of_points_add_up_to_the_whole() -> None:
    samples = line_samples(np.random.default_rng(2), COUNTS)
    work = line_tallies(COUNTS)
    pieces = [
        samples.select(torch.arange(begin, min(begin + 300, 2000))) for begin in range(0, 2000, 300)
    ]
    whole, parts = work.histograms([work(samples)])[0], work.histograms(map(work, pieces))[0]
    np.testing.assert_allclose(parts.contents, whole.contents)
    np.testing.assert_allclose(parts.covariance, whole.covariance, atol=1e-15)


def test_points_without_weight_leave_an_empty_histogram() -> None:
    samples = line_samples(np.random.default_rng(2), COUNTS)
    work = line_tallies(COUNTS)
    found = work.histograms([work(replace(samples, weight=torch.zeros_like(samples.weight)))])[0]
    assert not found.contents.any()
    assert not found.covariance.any()


def p_value(first: EventBatch, second: EventBatch, wanted: Binning = RAPIDITY) -> float:
    return compare(histogram(first, wanted), histogram(second, wanted)).p_value


@pytest.mark.parametrize("text", ["rapidity(event)", "eta(lepton)"])
def test_p_values_of_one_distribution_are_uniform(text: str) -> None:
    """Also for several entries per event, and against weighted events."""
    wanted = bins(text, -2.0, 2.0, 10)
    events = drell_yan(120_000)
    overweighted = events.reweighted(
        SIGMA * np.random.default_rng(2).choice([0.5, 1.0, 4.0], len(events))
    )
    pairs = [(slice(k, k + 1200), slice(k + 1200, k + 2000)) for k in range(0, 120_000, 2000)]
    values = [
        p_value(overweighted.select(first), events.select(second), wanted)
        for first, second in pairs
    ]
    assert stats.kstest(values, "uniform").pvalue > 1e-3


def test_another_distribution_is_seen() -> None:
    events = drell_yan(20_000, 2)
    flat = np.ones(20_000)
    tilted = flat + 0.1 * RAPIDITY.observable.values(final_states(events))[:, 0]
    assert p_value(drell_yan(20_000), events.reweighted(SIGMA * flat)) > 1e-3
    assert p_value(drell_yan(20_000), events.reweighted(SIGMA * tilted)) < 1e-6


def test_bins_with_few_events_are_merged() -> None:
    many, few = (
        histogram(drell_yan(n, n), bins("rapidity(event)", -2.5, 2.5, 50)) for n in (10_000, 100)
    )
    found = compare(many, few)
    assert 2 <= found.bins <= 4
    assert found.dof == found.bins - 1


def test_nothing_can_disagree_in_a_single_bin() -> None:
    first, second = (histogram(drell_yan(30, seed), RAPIDITY) for seed in (1, 2))
    found = compare(first, second)
    assert (found.chi2, found.dof, found.p_value, found.bins) == (0.0, 0, 1.0, 1)


def test_only_equal_bins_are_compared() -> None:
    with pytest.raises(InputError, match="expected the same bins"):
        compare(
            histogram(drell_yan(30), RAPIDITY),
            histogram(drell_yan(30), bins("rapidity(event)", -1, 1, 20)),
        )


def group(name: str, combine: str, number: int) -> WeightGroup:
    return WeightGroup(name, combine, tuple(NamedWeight(f"{name}{k}", "") for k in range(number)))


def test_bands_follow_what_their_group_says() -> None:
    nominal = histogram(drell_yan(100), RAPIDITY)
    factors = np.array([0.5, 2.0, 1.1, 1.2, 0.9, 0.7, 1.0, 1.3, 1.4, 1.0, 0.6, 0.8])
    varied = replace(nominal, variations=factors[:, None] * nominal.contents)
    groups = (
        group("scales", "envelope", 2),
        group("pdf", "replicas", 4),
        group("pdf", "hessian", 4),
        group("other", "symmhessian", 2),
    )
    found = {
        name: [ends[-1] / SIGMA for ends in ends_of]
        for name, ends_of in bands(varied, groups).items()
    }
    std = np.std([1.1, 1.2, 0.9, 0.7], ddof=1)
    assert found == {
        "scales": pytest.approx([0.5, 2.0]),
        "pdf": pytest.approx([1 - std, 1 + std]),
        "pdf (2)": pytest.approx([1.0, 1 + np.hypot(0.3, 0.4)]),
        "other": pytest.approx([1 - np.hypot(0.4, 0.2), 1 + np.hypot(0.4, 0.2)]),
    }


def weighted(values: Array) -> WeightedValues:
    return WeightedValues(values, np.ones(len(values)))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 37.0, 2e5])
def test_automatic_bins_have_round_widths_and_hold_all_but_the_tails(scale: float) -> None:
    values = scale * np.random.default_rng(1).gamma(3.0, 1.0, 20_000)
    low, high, number = weighted(values).bins("mass")
    width = (high - low) / number
    digits = width / 10.0 ** np.floor(np.log10(width) + 1e-9)
    assert min(abs(digits - one) for one in (1, 2, 2.5, 5)) < 1e-6
    assert BINS / 2 <= number <= BINS + 1
    assert 0.99 < np.mean((low <= values) & (values < high)) < 0.9999


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("pt", 0.0, None),
        ("eta", None, None),
        ("phi", -np.pi, np.pi),
        ("dphi", 0.0, np.pi),
        ("dr", 0.0, None),
    ],
)
def test_automatic_ranges_end_where_the_observable_does(
    kind: str, low: float | None, high: float | None
) -> None:
    found = weighted(np.random.default_rng(1).uniform(0.2, 3.0, 1000)).bins(kind)
    assert found[0] == (low if low is not None else -found[1])
    assert high is None or found[1] == high


def test_usual_observables_without_spread_are_left_out_unless_asked_for() -> None:
    usual = [Observable.parse(text, MODEL) for text in ("pt(e+,e-)", "pt(e+)", "pt(photon)")]
    values = [weighted(np.full(10, 3.0)), weighted(np.linspace(1, 20, 10)), weighted(np.empty(0))]
    assert [str(one.observable) for one in binnings(usual, [], values)] == ["pt(e+)"]
    asked = [(usual[0], HistogramTable()), (usual[2], HistogramTable())]
    found = binnings(usual, asked, [*values, values[0], values[2]])
    assert [str(one.observable) for one in found] == ["pt(e+,e-)", "pt(e+)", "pt(photon)"]
    assert found[0].edges.tolist() == [2.5, 3.5]


@pytest.mark.parametrize(
    ("table", "low", "high", "number"),
    [
        ({"bins": 4, "range": [1, 3]}, 1.0, 3.0, 4),
        ({"range": [1, 3]}, 1.0, 3.0, BINS),
        ({"bins": 7}, 0.0, 20.0, 7),
        ({}, 0.0, 20.0, 40),
    ],
)
def test_a_card_may_choose_the_bins(
    table: dict[str, object], low: float, high: float, number: int
) -> None:
    observable = Observable.parse("pt(e+)", MODEL)
    values = weighted(np.linspace(1.0, 20.05, 1000))
    (found,) = binnings(
        [observable], [(observable, HistogramTable.model_validate(table))], [values, values]
    )
    assert (found.edges[0], found.edges[-1], len(found.edges) - 1) == (
        low,
        pytest.approx(high),
        number,
    )


INIT = LheInit((2212, 2212), (6500.0, 6500.0), (-1, -1), (LheProcess(SIGMA, 3.0, SIGMA),))
GROUP = WeightGroup("scales", "envelope", (NamedWeight("1", "one"), NamedWeight("2", "two")))


def written(path: Path, events: EventBatch, init: LheInit, card: str = "") -> Path:
    with create_events(path, init, {"madnis_py_card": card} if card else {}) as writer:
        writer.write(events)
    return path


@pytest.mark.parametrize("name", ["events.lhe.gz", "events.h5", "events.parquet"])
def test_files_of_all_formats_give_the_same_histograms(tmp_path: Path, name: str) -> None:
    events = with_variations(with_resonance(drell_yan(2000)), 2)
    found = distributions_of_file(
        written(tmp_path / name, events, replace(INIT, weight_groups=(GROUP,)))
    )
    assert len(found.every) >= 9
    for one in found.every:
        assert one.weighted is None
        assert one.events is not None
        np.testing.assert_allclose(
            one.events.contents, histogram(events, one.events.binning).contents
        )
        assert list(one.bands) == ["scales"]


def test_a_file_of_ours_is_drawn_as_its_card_asks(tmp_path: Path) -> None:
    card = (
        '[process]\ndefinition = "p p > e+ e-"\n[histograms]\n'
        '"pt(e-)" = { bins = 3, range = [0.0, 60.0] }\n'
    )
    card += '"energy(lepton[1])" = {}\n'
    found = distributions_of_file(written(tmp_path / "events.lhe", drell_yan(200), INIT, card))
    edges = {one.name: one.histogram.edges.tolist() for one in found.every}
    assert edges["pt(e-)"] == [0.0, 20.0, 40.0, 60.0]
    assert "energy(lepton[1])" in edges


def test_weights_without_a_unit_get_that_of_the_cross_section(tmp_path: Path) -> None:
    """IDWTUP 3: all weights are 1, the cross section is in <init>."""
    events = drell_yan(200).reweighted(np.ones(200))
    found = distributions_of_file(
        written(tmp_path / "events.lhe", events, replace(INIT, weighting=3))
    )
    assert all(one.histogram.total == pytest.approx(SIGMA) for one in found.every)


def test_a_file_without_events_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.lhe"
    with create_events(path, INIT):
        pass
    with pytest.raises(InputError, match="expected events; got none"):
        distributions_of_file(path)


def test_a_file_with_another_header_than_a_card_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "events.lhe", drell_yan(5), INIT, "definition p p")
    with pytest.raises(InputError, match="expected the card of a run in its header"):
        distributions_of_file(path)


def test_final_states_are_views_of_the_events() -> None:
    events = drell_yan(10)
    state = final_states(events)
    assert isinstance(state, FinalState)
    assert np.shares_memory(state.momenta, events.momenta)
