from __future__ import annotations

import math
import pickle
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.integration.estimate import Estimate, Moments, combine, estimate
from madnis_py.integration.samples import Samples
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.parallel.random_streams import torch_generator


def weighted(channel: Tensor, weight: Tensor) -> Samples:
    empty = weight.new_zeros(len(weight), 1)
    return Samples(channel, empty, weight, weight, empty, empty, weight, weight.abs())


def normal(n: int, *path: str | int, mean: float = 0.0, std: float = 1.0) -> Tensor:
    return mean + std * torch.randn(n, generator=torch_generator(1, *path), dtype=torch.float64)


def single(value: float, error: float, n: int = 100) -> Estimate:
    one = torch.ones(1, dtype=torch.float64)
    return Estimate(
        value, error, 0.0, 0, n, value * one, error * math.sqrt(n) * one, torch.tensor([n])
    )


def inverse_variance_mean(parts: Sequence[Estimate]) -> float:
    return sum(part.value / part.error**2 for part in parts) / sum(part.error**-2 for part in parts)


@pytest.fixture
def channel() -> Tensor:
    return torch.arange(3).repeat_interleave(torch.tensor([100, 0, 1000]))


def test_value_and_error_are_those_of_numpy_channel_by_channel(channel: Tensor) -> None:
    weight = normal(1100, "weights", mean=2.0)
    result = estimate(weighted(channel, weight), 3)
    parts = [weight[channel == i].numpy() for i in (0, 2)]
    assert result.value == pytest.approx(sum(part.mean() for part in parts), rel=1e-14)
    assert result.error == pytest.approx(
        math.sqrt(sum(part.var(ddof=1) / len(part) for part in parts)), rel=1e-13
    )


def test_channel_sums_add_up(channel: Tensor) -> None:
    result = estimate(weighted(channel, normal(1100, "weights", mean=2.0)), 3)
    assert result.channel_counts.tolist() == [100, 0, 1000]
    assert result.channel_values.sum() == pytest.approx(result.value)
    assert result.relative_std == pytest.approx(float(result.channel_stds.sum()) / result.value)


def test_the_variance_of_weights_on_a_large_pedestal_keeps_its_digits() -> None:
    weight = normal(10_000, "pedestal", mean=1e9, std=1e-2)
    result = estimate(weighted(torch.zeros(10_000, dtype=torch.int64), weight), 1)
    truth = weight.numpy().astype(np.longdouble).std(ddof=1)
    assert float(result.channel_stds[0]) == pytest.approx(float(truth), rel=1e-6)


def test_moments_of_parts_merge_into_those_of_the_whole(channel: Tensor) -> None:
    weight = normal(1100, "weights", mean=1e6) + torch.linspace(0, 100, 1100, dtype=torch.float64)
    whole = Moments.of(channel, weight, 3)
    parts = [
        Moments.of(channel[part], weight[part], 3)
        for part in (slice(0, 50), slice(50, 300), slice(300, 1100))
    ]
    merged = Moments.empty(3)
    for part in parts:
        merged = merged.merged(part)
    assert torch.equal(merged.counts, whole.counts)
    assert torch.allclose(merged.means, whole.means, rtol=1e-14, atol=0)
    assert torch.allclose(merged.squares, whole.squares, rtol=1e-9, atol=0)


def test_moments_of_a_group_are_those_of_the_points_of_its_channels() -> None:
    channel = torch.arange(4).repeat_interleave(torch.tensor([30, 1, 0, 50]))
    weight = 3.0 + torch.randn(81, generator=torch_generator(6), dtype=torch.float64)
    pooled = Moments.of(channel, weight, 4).pooled(ChannelGroups((0, 1, 1, 0), 4))
    whole = Moments.of(torch.tensor([0, 1, 1, 0])[channel], weight, 2)
    assert torch.equal(pooled.counts, whole.counts)
    torch.testing.assert_close(pooled.means, whole.means, rtol=1e-13, atol=0.0)
    torch.testing.assert_close(pooled.squares, whole.squares, rtol=1e-12, atol=1e-15)


def test_an_error_from_a_single_point_is_refused() -> None:
    with pytest.raises(InputError, match="channel 1 has 1 point"):
        estimate(weighted(torch.tensor([0, 0, 1]), normal(3, "few")), 2)


def test_estimates_combine_in_proportion_to_their_points() -> None:
    result = combine([single(1.0, 0.1, n=100), single(2.0, 0.3, n=300)])
    assert result.value == pytest.approx(0.25 * 1.0 + 0.75 * 2.0)
    assert result.error == pytest.approx(math.hypot(0.25 * 0.1, 0.75 * 0.3))
    assert result.n == 400


def test_combining_in_steps_changes_nothing() -> None:
    parts = [single(1.0 + 0.1 * k, 0.1, n=100 * (k + 1)) for k in range(4)]
    steps = combine([combine(parts[:2]), combine(parts[2:])])
    assert steps.iterations == tuple(parts)
    assert (steps.value, steps.error, steps.chi2) == (
        combine(parts).value,
        combine(parts).error,
        combine(parts).chi2,
    )


def test_combination_is_unbiased_when_errors_follow_the_values() -> None:
    """Weights of a heavy tail: a large mean comes with a large error.

    Weights by the inverse variance would punish it.
    """
    weight = torch.exp(normal(400 * 20 * 50, "tail", std=1.5)).reshape(400, 20, 50)
    zeros = torch.zeros(50, dtype=torch.int64)
    results = [combine([Moments.of(zeros, part, 1).estimate() for part in run]) for run in weight]
    values = np.array([result.value for result in results])
    truth, spread = math.exp(1.5**2 / 2), values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - truth) < 5 * spread
    assert (
        np.mean([inverse_variance_mean(result.iterations) for result in results])
        < truth - 20 * spread
    )


def test_chi2_follows_its_distribution() -> None:
    weight = normal(500 * 5 * 400, "chi2", mean=1.0).reshape(500, 5, 400)
    zeros = torch.zeros(400, dtype=torch.int64)
    chi2 = [combine([Moments.of(zeros, part, 1).estimate() for part in run]).chi2 for run in weight]
    assert stats.kstest(chi2, stats.chi2(df=4).cdf).pvalue > 1e-6


def test_chi2_of_iterations_that_are_exact_is_not_rounding_noise() -> None:
    weight = torch.full((100,), 0.1, dtype=torch.float64)
    parts = [
        estimate(weighted(torch.zeros(n, dtype=torch.int64), weight[:n]), 1) for n in (30, 70, 100)
    ]
    assert combine(parts).chi2_per_dof < 1e-3


def test_an_estimate_of_nothing_has_no_relative_deviation() -> None:
    zeros = torch.zeros(10, dtype=torch.float64)
    result = estimate(weighted(torch.zeros(10, dtype=torch.int64), zeros), 1)
    assert (result.value, result.error, result.relative_std) == (0.0, 0.0, math.inf)
    assert combine([result, result]).chi2 == 0.0


def test_gvar_carries_value_and_error() -> None:
    result = single(2.0, 0.5).gvar
    assert (result.mean, result.sdev) == (2.0, 0.5)


def test_an_estimate_prints_as_one_line() -> None:
    assert str(combine([single(1.0, 0.1), single(1.0, 0.1)])) == "1.000(71), chi2/dof 0.00 [1]"


def test_the_summary_lists_iterations_and_running_averages() -> None:
    lines = combine([single(1.0, 0.1), single(1.2, 0.1)]).summary().splitlines()
    assert lines[0].split() == ["itn", "points", "integral", "average", "chi2/dof"]
    assert lines[2].split() == ["1", "100", "1.00(10)", "1.00(10)", "0.00"]
    assert lines[3].split() == ["2", "100", "1.20(10)", "1.100(71)", "2.00"]


def test_an_estimate_is_a_number_with_an_error_by_the_names_of_gvar() -> None:
    one = single(1.2345, 0.0123)
    assert (one.mean, one.sdev, float(one)) == (1.2345, 0.0123, 1.2345)
    assert repr(one) == "Estimate(1.234(12), chi2/dof 0.00 [0], 100 points)"


@pytest.mark.parametrize(
    ("spec", "text"),
    [("", "1.234(12), chi2/dof 0.00 [0]"), (".3g", "1.23(1)"), (".3f", "1.234(12)")],
)
def test_formats_are_those_of_gvar(spec: str, text: str) -> None:
    assert format(single(1.2344, 0.0123), spec) == text
    assert format(single(1.2344e-200, 1.23e-202), ".3g") == "1.23e-200 +- 1.23e-202"


def test_arithmetic_propagates_errors() -> None:
    one, other = single(3.0, 0.3), single(4.0, 0.4)
    assert ((one + other).mean, (one + other).sdev) == (7.0, pytest.approx(0.5))
    ratio = one / other
    assert (ratio.mean, ratio.sdev) == (0.75, pytest.approx(0.75 * 0.1 * math.sqrt(2)))
    for result in (2 * one, one * 2, np.float64(2.0) * one, one * np.float64(2.0), one + one):
        assert (result.mean, result.sdev) == (6.0, pytest.approx(0.6))
    assert ((1 - one).mean, (1 / one).sdev) == (-2.0, pytest.approx(0.3 / 9))
    assert ((one**2).mean, (one**2).sdev) == (9.0, pytest.approx(1.8))
    assert ((-one).mean, (one - 1).mean) == (-3.0, 2.0)


def test_an_estimate_is_fully_correlated_with_itself() -> None:
    one = single(3.0, 0.3)
    assert ((one - one).sdev, (one / one).sdev) == (0.0, 0.0)
    copy = pickle.loads(pickle.dumps(one))
    assert (copy - one).sdev == pytest.approx(0.3 * math.sqrt(2))


def test_a_notebook_shows_iterations_in_a_table() -> None:
    html = combine([single(1.0, 0.1), single(2.0, 0.1)])._repr_html_()
    assert html.count("<tr>") == 3
    assert "<td>1.500(71)</td>" in html
