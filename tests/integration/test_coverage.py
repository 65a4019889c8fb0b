"""Signs of a missed peak: named where there is one, silence where all is well covered."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from integrands import gaussian, ridge
from toy_integrands import CamelBack
from trainings import trained

from madnis_py.card import card as cards
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.coverage import CoverageCheck, largest_weights
from madnis_py.integration.estimate import Measurement, combine, estimate
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.training_integral import WeightedMean
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process


def judged(integrand: AbstractIntegrand, seed: int, points: int, survey_points: int) -> list[str]:
    """Sentences about a VEGAS grid that was trained and is then judged on fresh points."""
    settings = VegasSettings(points=survey_points)
    survey = Survey.of(*train_vegas(integrand, settings, seed))
    check = CoverageCheck([f"channel{i}" for i in range(integrand.n_channels)])
    sampler = ImportanceSampler(integrand, survey.flow, PriorWeights(), seed=seed)
    parts = list(sampler.iterations(points, 10, survey.sigma))
    return check.iterations("survey", survey.iterations) + check.sampler("vegas", parts)


WELL_COVERED: dict[str, Callable[[], AbstractIntegrand]] = {
    "camel back": CamelBack,
    "camel back, good prior": lambda: CamelBack(optimal_prior=True),
    "Gaussian in 4 dimensions": lambda: FunctionIntegrand(gaussian, 4),
    "Gaussian in 8 dimensions": lambda: FunctionIntegrand(gaussian, 8),
    "ridge": lambda: FunctionIntegrand(ridge, 2, 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WELL_COVERED)
def test_well_covered_integrands_raise_no_alarm_in_50_seeds(name: str) -> None:
    assert [
        sentence
        for seed in range(50)
        for sentence in judged(WELL_COVERED[name](), seed, 20_000, 2000)
    ] == []


@pytest.mark.parametrize("name", WELL_COVERED)
def test_well_covered_integrands_raise_no_alarm(name: str) -> None:
    assert [
        sentence
        for seed in range(5)
        for sentence in judged(WELL_COVERED[name](), seed, 20_000, 2000)
    ] == []


def zprime(width: float, omit: list[str], coupling: float = 1.0) -> CrossSection:
    changes = {"WZP": width, "kZPq": coupling, "kZPl": coupling}
    card = cards.load("drell_yan_zprime").updated(
        {"parameters": changes, "channels": {"omit": omit}}
    )
    return CrossSection(Process.from_card(card))


@pytest.mark.parametrize("width", [0.5, 0.5e-3])
def test_drell_yan_with_a_channel_per_peak_raises_no_alarm(width: float) -> None:
    integrand = zprime(width, omit=[])
    assert [
        sentence for seed in range(3) for sentence in judged(integrand, seed, 20_000, 2000)
    ] == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_narrow_peak_without_a_channel_of_its_own_is_noticed(seed: int) -> None:
    found = judged(zprime(0.5e-3, omit=["Z'"]), seed, 100_000, 10_000)
    assert any(
        "of the variance" in sentence and "channel channel" in sentence for sentence in found
    )


def test_a_weak_peak_that_no_point_has_come_near_is_not_seen() -> None:
    # The coupling keeps the cross section of the Z' at that of 0.5 GeV while its width is a
    # thousandth: no shoulders.
    assert judged(zprime(0.5e-3, ["Z'"], coupling=1e-3**0.25), 1, 20_000, 2000) == []


def judged_flow(seed: int) -> list[str]:
    """Everything that is said of a flow that learned the camel back for a moment.

    VEGAS is beside it.
    """
    settings = TrainingSettings(steps=30, batch_size=500, learning_rate=3e-3)
    sampler, average = trained(CamelBack(), seed, settings)
    grids = ImportanceSampler(
        CamelBack(),
        train_vegas(CamelBack(), VegasSettings(points=2000), seed)[0],
        PriorWeights(),
        seed=seed,
    )
    parts = {
        name: list(one.iterations(20_000, 10))
        for name, one in (("vegas", grids), ("flow", sampler))
    }
    check, known = CoverageCheck(["narrow", "wide"]), parts["vegas"][0]
    largest = largest_weights(Samples.concatenate(parts["flow"]), 2)
    early, late, vegas, flow = (
        Measurement("", one.mean, one.error)
        for one in (average.early, average.late, *map(mean_of, parts.values()))
    )
    return [
        *check.sampler("flow", parts["flow"]),
        *check.blind_spots("flow", largest, "vegas", known, sampler.magnitudes(known)),
        *check.agreement(early, late),
        *check.agreement(vegas, flow),
    ]


def mean_of(parts: list[Samples]) -> WeightedMean:
    total = combine([estimate(part, 2) for part in parts])
    return WeightedMean().with_value(1.0, total.value, total.error)


@pytest.mark.parametrize("seed", range(2))
def test_a_flow_that_covers_the_integrand_raises_no_alarm(seed: int) -> None:
    assert judged_flow(seed) == []


@pytest.mark.slow
def test_a_flow_that_covers_the_integrand_raises_no_alarm_in_50_seeds() -> None:
    assert [sentence for seed in range(50) for sentence in judged_flow(seed)] == []


CHECK = CoverageCheck(["first", "second"])


def points_with(channel: list[int], weight: list[float]) -> Samples:
    n = len(channel)
    w = torch.tensor(weight, dtype=torch.float64)
    empty = torch.zeros(n, 0, dtype=torch.float64)
    return Samples(
        torch.tensor(channel),
        empty,
        torch.zeros(n, dtype=torch.float64),
        w,
        empty,
        empty,
        w,
        w.abs(),
    )


def exponential(n: int, seed: int) -> list[float]:
    return list(np.random.default_rng(seed).exponential(size=n))


def test_a_single_giant_is_named_with_its_channel_and_share() -> None:
    weight = [*exponential(5000, 1), *exponential(4999, 2), 200.0]
    (sentence,) = CHECK.dominant_weight("flow", points_with([0] * 5000 + [1] * 5000, weight))
    variances = [np.var(weight[:5000], ddof=1), np.var(weight[5000:], ddof=1)]
    share = (200 - np.mean(weight[5000:])) ** 2 / 4999 / sum(variances)
    assert sentence.startswith(
        f"flow: channel second: one of 10,000 points carries {share:.0%} of the variance and "
    )
    carried = 200 / 5000 / (np.mean(weight[:5000]) + np.mean(weight[5000:]))
    assert f"{carried:.2%} of the integral" in sentence


def test_a_giant_among_few_points_says_nothing() -> None:
    weight = [*exponential(1000, 1), *exponential(999, 2), 200.0]
    assert CHECK.dominant_weight("flow", points_with([0] * 1000 + [1] * 1000, weight)) == []


def test_a_giant_in_a_channel_that_hardly_counts_is_no_news() -> None:
    weight = [*exponential(5000, 1), *(1e-6 * np.array(exponential(4999, 2))), 1e-3]
    assert CHECK.dominant_weight("flow", points_with([0] * 5000 + [1] * 5000, weight)) == []


def test_fresh_weights_above_the_scan_are_named_with_factor_and_share() -> None:
    scan = points_with([0, 0, 1, 1], [1.0, 2.0, 1.0, 1.0])
    fresh = points_with([0, 0, 1, 1], [1.0, 1.0, 1.0, 25.0])
    (sentence,) = CHECK.fresh_weights("flow", scan, fresh)
    assert sentence.startswith(
        "flow: channel second: fresh points have weights up to 25 times the largest"
    )
    assert f"carry {12.5 / 14:.2%} of the integral" in sentence


def test_fresh_weights_a_little_above_the_scan_are_no_news() -> None:
    scan, fresh = points_with([0, 1], [1.0, 1.0]), points_with([0, 1], [9.0, 0.5])
    assert CHECK.fresh_weights("flow", scan, fresh) == []


def test_iterations_that_drift_are_named_with_their_chi2() -> None:
    def part(mean: float, seed: int) -> Samples:
        return points_with(
            [0] * 1000 + [1] * 1000,
            [*exponential(1000, seed), *(mean * np.array(exponential(1000, seed + 50)))],
        )

    steady = [estimate(part(1.0, seed), 2) for seed in range(6)]
    drifting = [estimate(part(1.0 + 0.2 * (seed > 2), seed), 2) for seed in range(6)]
    assert CHECK.iterations("survey", steady) == []
    (sentence,) = CHECK.iterations("survey", drifting)
    assert sentence.startswith("survey: channel second: iterations disagree, chi^2/dof = ")


def test_iterations_with_few_points_say_nothing() -> None:
    parts = [
        estimate(points_with([0] * 5 + [1] * 5, [value + 1e-9 * k for k in range(10)]), 2)
        for value in (1.0, 2.0)
    ]
    assert CHECK.iterations("survey", parts) == []


@pytest.mark.parametrize(("distance", "sentences"), [(4.9, 0), (5.1, 1)])
def test_measurements_may_differ_by_five_errors(distance: float, sentences: int) -> None:
    found = CHECK.agreement(
        Measurement("VEGAS", 10.0, 0.3), Measurement("flow", 10.0 + 0.5 * distance, 0.4)
    )
    assert len(found) == sentences


def test_an_unknown_measurement_disagrees_with_nothing() -> None:
    assert (
        CHECK.agreement(Measurement("training", math.nan, math.nan), Measurement("flow", 1.0, 0.1))
        == []
    )


def test_overweights_beyond_the_promise_are_told() -> None:
    weights = np.array([1.0] * 999 + [51.0])
    (sentence,) = CHECK.overweights("generate", weights, 0.001)
    assert sentence.startswith(
        "generate: events up to 51 times above the maximum weights carry 4.76% of the cross"
    )
    assert CHECK.overweights("generate", np.array([1.0] * 999 + [9.0]), 0.0) == []


def two_bumps(x: torch.Tensor) -> torch.Tensor:
    """Half of the integral at 0.2, half at 0.8, each in a peak of width 0.01."""
    peaks = torch.tensor([0.2, 0.8], dtype=torch.float64)
    return torch.exp(-0.5 * ((x - peaks) / 0.01).square()).sum(dim=1)


def peaked_at(place: float) -> ImportanceSampler:
    """A grid of 1000 bins, nearly all of them in one peak."""
    inside = torch.linspace(place - 0.06, place + 0.06, 991, dtype=torch.float64)
    low, high = (
        torch.linspace(a, b, 6, dtype=torch.float64)
        for a, b in ((0.0, place - 0.06), (place + 0.06, 1.0))
    )
    grid = torch.cat([low[:-1], inside, high[1:]])[None, None]
    return ImportanceSampler(
        FunctionIntegrand(two_bumps, 1), VegasFlow(grid), PriorWeights(), seed=4
    )


def test_a_peak_that_vegas_knows_and_the_flow_misses_is_a_blind_spot() -> None:
    vegas = ImportanceSampler(
        FunctionIntegrand(two_bumps, 1), VegasFlow.uniform(1, 1, 10), PriorWeights(), seed=3
    )
    flow = peaked_at(0.2)
    known, own = vegas.sample(torch.tensor([10_000])), flow.sample(torch.tensor([50]), "few")
    check = CoverageCheck(["only"])
    (sentence,) = check.blind_spots(
        "flow", largest_weights(own, 1), "VEGAS", known, flow.magnitudes(known)
    )
    assert sentence.startswith(
        "flow: channel only: points that VEGAS found would have weights up to"
    )
    carried = float(sentence.split("carry ")[1].split("%")[0]) / 100
    assert carried == pytest.approx(0.5, abs=0.1)
    assert (
        check.blind_spots(
            "VEGAS", largest_weights(known, 1), "VEGAS", known, vegas.magnitudes(known)
        )
        == []
    )


def test_points_weighed_by_the_sampler_that_drew_them_keep_their_weights() -> None:
    sampler = ImportanceSampler(CamelBack(), seed=2)
    samples = sampler.sample(torch.tensor([20_000, 5]))
    torch.testing.assert_close(sampler.magnitudes(samples), samples.weight, rtol=1e-4, atol=0)


def test_measurements_of_a_constant_that_differ_by_rounding_agree() -> None:
    first = Measurement("vegas", 0.08, 5e-17)
    second = Measurement("survey", 0.08 + 2e-14, 5e-17)
    assert CHECK.agreement(first, second) == []
    assert CHECK.agreement(first, Measurement("survey", 0.08 + 1e-6, 5e-17))
