"""Unweighting leaves every expectation unchanged, with the smallest maxima that are allowed."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError, InputError
from madnis_py.events.channel_maxima import channel_maxima, raised_maximum
from madnis_py.events.overweights import ENCODINGS
from madnis_py.events.unweighting import Accepted, Unweighter, UnweightingTally
from madnis_py.events.unweighting_quality import (
    UnweightingQuality,
    bootstrap_efficiencies,
    bootstrap_efficiency,
    bootstrap_maximum,
    truncated_quality,
)
from madnis_py.integration.samples import Samples
from madnis_py.parallel.random_streams import RandomStream, stream

# The target 1 / (2 sqrt(x)) on [CUT, 1] in halves, alpha_i = 1/2: channel 0 draws x flat and has
# weights with the tail P(w > W) ~ 1 / W^2; channel 1 draws x = u^2 and has constant weights.
# Channel 2 has no weight at all.
CUT = 1e-4
N_CHANNELS = 3
SIGMA = 1.0 - np.sqrt(CUT)


def toy(counts: list[int], numbers: RandomStream) -> Samples:
    channel = torch.repeat_interleave(torch.arange(N_CHANNELS), torch.tensor(counts))
    u = numbers.uniform(len(channel))
    x = torch.where(channel == 1, u**2, u)
    weight = torch.where(channel == 0, 0.25 / torch.sqrt(x), 0.5) * (x > CUT) * (channel < 2)
    return make_samples(channel, weight, x)


def make_samples(
    channel: torch.Tensor, weight: torch.Tensor, x: torch.Tensor | None = None
) -> Samples:
    x = torch.zeros(len(channel), dtype=torch.float64) if x is None else x
    empty = torch.zeros(len(channel), 0)
    return Samples(
        channel, x[:, None], torch.zeros(len(channel)), weight, empty, empty, weight, weight.abs()
    )


def of_lists(*weights: list[float]) -> Samples:
    channel = torch.cat([torch.full((len(w),), i) for i, w in enumerate(weights)])
    return make_samples(
        channel.long(), torch.tensor([w for part in weights for w in part], dtype=torch.float64)
    )


def scan(points: int = 100_000, seed: int = 1) -> Samples:
    return toy([points, points // 2, points // 10], stream(seed))


def excess(samples: Samples, maxima: Array) -> float:
    weight, channel = samples.weight.numpy(), samples.channel.numpy()
    return sum(
        float(np.maximum(weight[channel == i] - m, 0).mean())
        for i, m in enumerate(maxima)
        if (channel == i).any()
    )


def generate(
    share: float, trials: int = 400_000, seed: int = 2, points: int = 100_000
) -> tuple[Array, Array, Accepted, Unweighter]:
    """x, event weights, and what made them, with maxima of a scan of so many points."""
    numbers = stream(seed)
    unweighter = Unweighter(channel_maxima(scan(points), N_CHANNELS, share))
    samples = toy(unweighter.trials(trials, numbers).tolist(), numbers)
    accepted = unweighter.accept(samples, numbers.uniform(trials))
    return (
        samples.x[accepted.index, 0].numpy(),
        ENCODINGS["keep"].weight(accepted.ratio),
        accepted,
        unweighter,
    )


def cumulative(x: Array) -> Array:
    below: Array = (np.sqrt(x) - np.sqrt(CUT)) / SIGMA
    return below


def test_share_zero_gives_the_true_maxima() -> None:
    maxima = channel_maxima(of_lists([1.0, 3.0, 2.0], [5.0, 0.0]), 2, 0.0)
    assert maxima.tolist() == [3.0, 5.0]


def test_excess_is_spent_on_the_flattest_pieces_first() -> None:
    """The example that the search for the maxima works out by hand."""
    maxima = channel_maxima(of_lists([10.0, 6.0, 4.0, 4.0], [8.0, 7.0, 1.0, 0.0]), 2, 0.15)
    assert maxima == pytest.approx([6.0, 6.5], rel=1e-12)


def test_excess_is_exactly_the_share_in_the_sample() -> None:
    samples = scan()
    weight = samples.weight.numpy()
    total = sum(weight[samples.channel.numpy() == i].mean() for i in range(N_CHANNELS))
    assert excess(samples, channel_maxima(samples, N_CHANNELS, 0.01)) == pytest.approx(
        0.01 * total, rel=1e-10
    )


def test_share_holds_on_an_independent_sample() -> None:
    maxima = channel_maxima(scan(), N_CHANNELS, 0.01)
    weight = toy([400_000, 0, 0], stream(7)).weight.numpy()
    above = np.maximum(weight - maxima[0], 0)
    # Channel 1 has no excess. The scan itself is a sample of a quarter of the size: 1 + 4
    # variances.
    assert abs(above.mean() - 0.01 * SIGMA) < 5 * above.std() * np.sqrt(5 / len(above))


def test_sum_of_maxima_is_the_smallest_that_the_share_allows() -> None:
    random = np.random.default_rng(5)
    samples = of_lists(list(random.pareto(2.5, 300)), list(3 * random.exponential(size=200)))
    share = 0.05 * sum(samples.weight[samples.channel == i].mean().item() for i in range(2))
    first = samples.weight[samples.channel == 0].numpy()
    second = samples.weight[samples.channel == 1].numpy()

    def rest(maximum: float) -> float:
        """The second maximum that uses up the share beside the first."""
        left = share - np.maximum(first - maximum, 0).mean()
        return float(
            optimize.brentq(
                lambda m: np.maximum(second - m, 0).mean() - left, 0.0, second.max() + 1
            )
        )

    lowest = optimize.brentq(lambda m: np.maximum(first - m, 0).mean() - share, 0.0, first.max())
    sums = [maximum + rest(maximum) for maximum in np.linspace(lowest * 1.0001, first.max(), 2000)]
    ours = channel_maxima(samples, 2, 0.05).sum()
    assert ours <= min(sums) + 1e-9
    assert ours == pytest.approx(min(sums), rel=1e-4)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 1e6), max_size=20), min_size=1, max_size=5).filter(
        lambda w: max(map(sum, w)) > 1e-6
    ),
    st.floats(0, 0.5),
)
def test_excess_never_exceeds_the_share(weights: list[list[float]], share: float) -> None:
    samples = of_lists(*weights)
    maxima = channel_maxima(samples, len(weights), share)
    total = sum(np.mean(part) for part in weights if part)
    assert excess(samples, maxima) <= share * total * (1 + 1e-9) + 1e-9 * total


def test_channel_that_rarely_passes_the_cuts_is_still_drawn() -> None:
    rare = [0.0] * 999 + [2.0]
    maxima = channel_maxima(of_lists(rare, list(np.linspace(0.0, 100.0, 1000))), 2, 0.05)
    assert maxima[0] == 2.0


def test_channel_without_points_is_never_drawn() -> None:
    maxima = channel_maxima(of_lists([1.0], []), 2, 0.0)
    counts = Unweighter(maxima).trials(1000, stream(1))
    assert counts.tolist() == [1000, 0]


def test_trials_follow_the_maxima() -> None:
    counts = Unweighter(np.array([1.0, 0.0, 3.0])).trials(100_000, stream(1))
    assert counts.sum() == 100_000
    assert abs(counts[0] - 25_000) < 5 * np.sqrt(100_000 * 0.25 * 0.75)


def test_events_below_true_maxima_have_the_distribution_of_the_target() -> None:
    x, weight, *_ = generate(share=0.0, trials=2_000_000)
    inside = weight == 1.0
    assert inside.mean() > 0.999
    assert stats.kstest(x[inside], cumulative).pvalue > 1e-6


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1])
def test_events_with_overweights_have_the_distribution_of_the_target(share: float) -> None:
    x, weight, *_ = generate(share)
    assert weight.max() > 1.0
    edges = np.linspace(0.0, 1.0, 21)
    place = np.digitize(cumulative(x), edges[1:-1])
    content = np.bincount(place, weight, minlength=20)
    variance = np.bincount(place, weight**2, minlength=20)
    chi2 = ((content - weight.sum() / 20) ** 2 / variance).sum()
    assert stats.chi2.sf(chi2, 19) > 1e-6


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1])
def test_sum_of_event_weights_gives_the_cross_section(share: float) -> None:
    trials = 400_000
    _, weight, _, unweighter = generate(share, trials)
    sigma = weight.sum() * unweighter.maxima.sum() / trials
    error = np.sqrt((weight**2).sum()) * unweighter.maxima.sum() / trials
    assert abs(sigma - SIGMA) < 5 * error


def test_mean_of_an_observable_is_unbiased() -> None:
    x, weight, *_ = generate(share=0.05)
    mean = np.average(x, weights=weight)
    error = np.sqrt((weight**2 * (x - mean) ** 2).sum()) / weight.sum()
    truth = (1 - CUT**1.5) / (3 * SIGMA)
    assert abs(mean - truth) < 5 * error


def test_same_seed_gives_the_same_events() -> None:
    first, second, other = generate(0.01), generate(0.01), generate(0.01, seed=3)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert len(first[0]) != len(other[0]) or not np.array_equal(first[0], other[0])


def test_tally_predicts_events_and_their_weights() -> None:
    _, weight, accepted, _ = generate(share=0.05)
    tally = accepted.tally
    assert abs(len(weight) - tally.accepted) < 5 * np.sqrt(tally.accepted)
    assert abs(weight.mean() - tally.ratio / tally.accepted) < 5 * weight.std() / np.sqrt(
        len(weight)
    )
    n_eff = tally.summary(len(weight), 1.0).n_eff
    assert n_eff == pytest.approx(weight.sum() ** 2 / (weight**2).sum(), rel=0.02)


def test_scan_predicts_the_tally_of_a_run() -> None:
    *_, accepted, unweighter = generate(share=0.05)
    expected, run = unweighter.expect(scan(seed=11)), accepted.tally
    for tally in (expected, run):
        assert tally.summary(1, 1.0).efficiency == pytest.approx(
            SIGMA / unweighter.maxima.sum(), rel=0.02
        )
        assert tally.accepted / tally.trials == pytest.approx(
            0.95 * SIGMA / unweighter.maxima.sum(), rel=0.02
        )
        assert tally.summary(1, 1.0).overweight_share == pytest.approx(0.05, rel=0.1)
    shares = unweighter.shares
    acceptance = shares[0] * (1 - CUT) + shares[1] * SIGMA
    assert expected.summary(1, 1.0).cut_acceptance == pytest.approx(acceptance, abs=1e-3)


def test_tallies_of_chunks_add_up_to_that_of_the_whole() -> None:
    ratio = np.array([0.0, 0.5, 2.0, 1.0])
    whole = UnweightingTally.of(ratio, ratio, np.ones(4))
    first, rest = (
        UnweightingTally.of(part, part, np.ones(len(part))) for part in (ratio[:1], ratio[1:])
    )
    assert first + rest == whole
    assert whole == UnweightingTally(
        4, live=3, accepted=2.5, ratio=3.5, magnitude=3.5, magnitude_squared=5.5, squared=5.25
    )


def test_without_overweights_every_event_counts_fully() -> None:
    samples = of_lists([1.0, 2.0, 0.0])
    summary = Unweighter(np.array([2.0])).expect(samples).summary(1000, 0.5)
    assert summary.to_dict() == pytest.approx(
        {
            "efficiency": 0.5,
            "efficiency_bootstrap": 0.5,
            "overweight_share": 0.0,
            "n_eff": 1000.0,
            "negative_share": 0.0,
            "cut_acceptance": 2 / 3,
        }
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=50))
def test_efficiency_is_bounded_by_the_relative_standard_deviation(weights: list[float]) -> None:
    samples = of_lists(weights)
    tally = Unweighter(channel_maxima(samples, 1, 0.0)).expect(samples)
    rsd = np.std(weights) / np.mean(weights)
    assert tally.summary(1, 1.0).efficiency <= (1 + 1e-12) / (1 + rsd**2)


def test_bootstrap_maximum_is_the_median_over_drawn_replicas() -> None:
    random = np.random.default_rng(4)
    weight = random.pareto(2.0, 5000)
    ours = bootstrap_maximum(weight, size=1000)
    drawn = random.choice(weight, (2000, 1000)).max(axis=1)
    sigma = 0.5 / np.sqrt(len(drawn))
    assert (drawn <= ours).mean() >= 0.5 - 5 * sigma
    assert (drawn < ours).mean() <= 0.5 + 5 * sigma


def test_bootstrap_of_replicas_larger_than_the_sample_takes_the_largest_weight() -> None:
    assert bootstrap_maximum(np.array([1.0, 4.0, 2.0]), size=1000) == 4.0


def test_bootstrap_efficiency_of_constant_weights_is_one() -> None:
    assert bootstrap_efficiency(of_lists([2.0] * 100, [5.0] * 50, [0.0] * 10), 3, 20) == 1.0


def test_bootstrap_efficiency_averages_channels_by_their_integrals() -> None:
    # Channel 0: I = 1, w_max = 1. Channel 1: I = 3, half of the points at 6, so w_max = 6.
    assert bootstrap_efficiency(of_lists([1.0] * 10, [0.0, 6.0] * 10), 2, 10) == pytest.approx(
        (1 * 1 + 3 * 0.5) / 4
    )


def test_bootstrap_efficiency_of_a_channel_that_replicas_miss_uses_its_largest_weight() -> None:
    assert bootstrap_efficiency(of_lists([0.0] * 999 + [1.0]), 1, 10) == pytest.approx(0.001)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=r"overweight_share: expected a number in \[0, 1\); got"):
        channel_maxima(of_lists([1.0]), 1, share)


def test_negative_weights_become_events_of_negative_weight_with_the_same_mean() -> None:
    generator = torch.Generator().manual_seed(6)
    values = torch.tensor([-0.5, 0.25, 1.0, 3.0], dtype=torch.float64)
    pick = torch.randint(4, (400_000,), generator=generator)
    samples = make_samples(torch.zeros(len(pick), dtype=torch.int64), values[pick])
    uniform = torch.rand(len(pick), generator=generator, dtype=torch.float64)
    accepted = Unweighter(np.array([2.0])).accept(samples, uniform)
    weight, origin = ENCODINGS["keep"].weight(accepted.ratio), pick[accepted.index].numpy()
    for k, value in enumerate(values.tolist()):
        own = weight[origin == k]
        assert set(own) == {np.copysign(max(abs(value) / 2, 1.0), value)}
        assert abs(own.sum() * 2 / len(pick) - value / 4) < 5 * np.sqrt((own**2).sum()) * 2 / len(
            pick
        )


def signed(n: int, negative: float, generator: torch.Generator) -> Samples:
    """x uniform, w = x with a sign that is negative with a given probability, whatever x is."""
    x = torch.rand(n, generator=generator, dtype=torch.float64)
    sign = 1.0 - 2.0 * (torch.rand(n, generator=generator, dtype=torch.float64) < negative)
    return make_samples(torch.zeros(n, dtype=torch.int64), sign * x, x)


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_expectations_under_a_sign_changing_integrand_survive_unweighting(share: float) -> None:
    # f(x) = x - 1/4 on [0, 1]: integral 1/4, first moment 1/3 - 1/8 = 5/24.
    generator = torch.Generator().manual_seed(9)
    x = torch.rand(400_000, generator=generator, dtype=torch.float64)
    samples = make_samples(torch.zeros(len(x), dtype=torch.int64), x - 0.25, x)
    unweighter = Unweighter(channel_maxima(samples, 1, share))
    accepted = unweighter.accept(
        samples, torch.rand(len(x), generator=generator, dtype=torch.float64)
    )
    weight = ENCODINGS["keep"].weight(accepted.ratio) * unweighter.maxima[0] / len(x)
    x_event = x[accepted.index].numpy()
    assert (weight < 0).any()
    for observable, truth in ((np.ones_like(x_event), 1 / 4), (x_event, 5 / 24)):
        assert abs(weight @ observable - truth) < 5 * np.sqrt(
            (weight * observable) @ (weight * observable)
        )


@pytest.mark.parametrize("negative", [0.05, 0.2, 0.4])
def test_share_f_of_negative_events_leaves_one_minus_two_f_squared_of_them(negative: float) -> None:
    samples = signed(400_000, negative, torch.Generator().manual_seed(10))
    summary = Unweighter(channel_maxima(samples, 1, 0.0)).expect(samples).summary(1, 1.0)
    error = np.sqrt(negative * (1 - negative) / 200_000)
    assert abs(summary.negative_share - negative) < 5 * error
    assert summary.n_eff == pytest.approx((1 - 2 * summary.negative_share) ** 2, rel=1e-9)


def test_negative_share_of_made_events_is_the_expected_one() -> None:
    generator = torch.Generator().manual_seed(11)
    samples = signed(100_000, 0.3, generator)
    unweighter = Unweighter(channel_maxima(samples, 1, 0.02))
    accepted = unweighter.accept(
        samples, torch.rand(len(samples), generator=generator, dtype=torch.float64)
    )
    made = (accepted.ratio < 0).mean()
    expected = unweighter.expect(samples).summary(1, 1.0).negative_share
    assert abs(made - expected) < 5 * np.sqrt(0.3 * 0.7 / len(accepted.ratio))


def test_negative_weights_reduce_the_effective_number_of_events() -> None:
    summary = Unweighter(np.array([1.0])).expect(of_lists([1.0, 1.0, 1.0, -1.0])).summary(100, 1.0)
    assert (summary.efficiency, summary.overweight_share) == (1.0, 0.0)
    assert summary.n_eff == pytest.approx(100 * (1 - 2 * 0.25) ** 2)


def test_maxima_count_negative_weights_by_their_size() -> None:
    assert channel_maxima(of_lists([1.0, -3.0], [-2.0]), 2, 0.0).tolist() == [3.0, 2.0]


def test_sample_without_weights_is_refused() -> None:
    with pytest.raises(GenerationError, match="no point has a weight"):
        channel_maxima(of_lists([0.0, 0.0]), 1, 0.0)


@pytest.mark.parametrize("maxima", [[0.0, 0.0], [1.0, -1.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_unusable_maxima_are_refused(maxima: list[float]) -> None:
    with pytest.raises(InputError, match="expected finite maxima >= 0"):
        Unweighter(np.array(maxima))


def test_weight_in_a_channel_that_was_never_to_be_drawn_is_refused() -> None:
    with pytest.raises(GenerationError, match=r"channel 1 has the maximum 0 but a weight of 3\.0"):
        Unweighter(np.array([1.0, 0.0])).accept(
            of_lists([1.0], [3.0]), torch.zeros(2, dtype=torch.float64)
        )


def halves(points: int, seed: int) -> list[Samples]:
    return [scan(points, seed), scan(points, seed + 1)]


@pytest.mark.parametrize("share", [0.001, 0.01])
def test_truncated_efficiency_is_that_of_the_exact_maximum(share: float) -> None:
    # Channel 0: P(w > W) = 1 / (16 W^2) - CUT below the top, integrated from M to the top; channel
    # 1: always 1/2.
    quality = truncated_quality(halves(1_000_000, 20), N_CHANNELS, share)
    top = 0.25 / np.sqrt(CUT)
    exact = optimize.brentq(
        lambda m: 1 / (16 * m) + m * CUT - np.sqrt(CUT) / 2 - share * SIGMA, 0.3, top
    )
    assert quality.combined.efficiency == pytest.approx(SIGMA / (exact + 0.5), rel=0.02)
    assert quality.channels[0].efficiency == pytest.approx(SIGMA / 2 / exact, rel=0.02)
    assert quality.channels[1].efficiency == pytest.approx(SIGMA, rel=1e-3)
    assert quality.combined.overweight_share == pytest.approx(share, rel=0.1)


def test_overweight_share_of_fresh_points_exceeds_that_of_a_short_scan() -> None:
    found = [
        truncated_quality(halves(500, seed), N_CHANNELS, 0.0).combined for seed in range(40, 80, 2)
    ]
    assert np.mean([quality.overweight_share for quality in found]) > 0.001


def test_effective_number_is_the_one_of_made_events() -> None:
    # So many that chance makes them differ by 0.3 %: the weights have the tail 1 / W^2.
    quality = truncated_quality(halves(1_000_000, 30), N_CHANNELS, 0.05).combined
    _, weight, *_ = generate(share=0.05, trials=4_000_000, points=2_000_000)
    assert quality.n_eff == pytest.approx(
        weight.sum() ** 2 / (weight @ weight) / len(weight), rel=0.01
    )


def test_channels_without_weights_have_no_quality() -> None:
    quality = truncated_quality(halves(10_000, 50), N_CHANNELS, 0.01)
    assert quality.channels[2] == UnweightingQuality(0.0, 0.0, 0.0)


def test_channel_whose_weights_one_half_missed_is_judged_by_the_largest_of_the_other() -> None:
    quality = truncated_quality(
        [of_lists([1.0, 1.0], [0.0, 0.0]), of_lists([1.0, 1.0], [0.0, 4.0])], 2, 0.0
    )
    assert quality.channels[1].efficiency == pytest.approx((0.5 + 0.0) / 2)


def test_bootstrap_efficiencies_are_those_of_the_channels() -> None:
    found = bootstrap_efficiencies(of_lists([1.0] * 10, [0.0, 6.0] * 10, [0.0] * 5), 3, 10)
    assert found.tolist() == pytest.approx([1.0, 0.5, 0.0])


def test_maxima_grow_just_enough_to_keep_the_overweight_share() -> None:
    excess, magnitude = np.array([1.5, 4.0, 2.0, 3.0]), 20.0
    factor = raised_maximum(excess, magnitude, 0.1, 10.0)
    assert np.maximum(excess - factor, 0.0).sum() == pytest.approx(2.0)
    assert factor == pytest.approx(2.5)


def test_maxima_stay_where_the_share_is_kept_already_and_grow_no_further_than_allowed() -> None:
    assert raised_maximum(np.array([1.5]), 20.0, 0.1, 10.0) == 1.0
    assert raised_maximum(np.array([]), 20.0, 0.0, 10.0) == 1.0
    assert raised_maximum(np.array([50.0]), 60.0, 0.1, 3.0) == 3.0
    assert raised_maximum(np.array([2.0, 5.0]), 60.0, 0.0, 10.0) == 5.0


@pytest.mark.parametrize("name", ["keep", "copies"])
def test_events_have_the_distribution_of_the_weights_with_either_encoding_and_raised_maxima(
    name: str,
) -> None:
    x, _, accepted, unweighter = generate(0.02)
    for factor in (1.0, 1.3):
        ratio = accepted.ratio / factor
        copies, weight = (
            ENCODINGS[name].copies(ratio, accepted.uniform),
            ENCODINGS[name].weight(ratio),
        )
        unit = factor * unweighter.maxima.sum() / accepted.tally.trials
        for cut in (0.05, 0.3, 1.0):
            below = x < cut
            total = (copies * weight)[below].sum() * unit
            expected = SIGMA * cumulative(np.array([cut]))[0]
            error = np.sqrt((copies * weight**2)[below].sum() + (copies**2)[below].sum()) * unit
            assert abs(total - expected) < 5 * error


def test_copies_have_weight_one_and_the_right_mean_number() -> None:
    ratio = np.repeat([0.3, 1.0, 2.7, -3.2], 50_000)
    uniform = torch.rand(
        len(ratio), generator=torch.Generator().manual_seed(3), dtype=torch.float64
    ).numpy()
    copies = ENCODINGS["copies"].copies(ratio, uniform).reshape(4, -1)
    assert (np.abs(ENCODINGS["copies"].weight(ratio)) == 1).all()
    for counts, size in zip(copies, (0.3, 1.0, 2.7, 3.2), strict=True):
        assert set(counts) <= {int(np.floor(size)), int(np.ceil(size))}
        assert abs(counts.mean() - size) < 5 * 0.5 / np.sqrt(50_000) + 1e-12


def test_raising_the_maxima_leaves_the_events_that_larger_maxima_would_have_made() -> None:
    _, _, accepted, _ = generate(0.02, trials=50_000)
    for encoding in ENCODINGS.values():
        first = encoding.copies(accepted.ratio / 1.7, accepted.uniform)
        assert (first <= np.ceil(np.abs(accepted.ratio) / 1.7)).all()
        assert ((first > 0) == (accepted.uniform < accepted.ratio / 1.7)).all()


def test_sums_over_trials_have_the_same_bits_for_every_number_of_threads() -> None:
    code = (
        "import numpy as np; from madnis_py.events.unweighting import UnweightingTally; "
        "ratio = np.random.default_rng(1).exponential(size=100_001); "
        "print(UnweightingTally.of(ratio, ratio, ratio))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(found) == 1
