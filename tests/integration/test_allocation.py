from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.integration.allocation import proportional, shares, uniform


def doubles(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@given(st.integers(0, 10**9), st.integers(1, 1000))
def test_uniform_counts_sum_to_n_and_differ_by_at_most_one(n: int, n_channels: int) -> None:
    counts = uniform(n, n_channels)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


@given(
    st.integers(1000, 10**9),
    st.lists(st.floats(0, 1e30), min_size=1, max_size=100),
    st.floats(0, 1),
    st.integers(0, 10),
)
def test_proportional_counts_sum_to_n_and_keep_the_minimum(
    n: int, sigma: list[float], fraction: float, minimum: int
) -> None:
    counts = proportional(n, doubles(*sigma), fraction, minimum)
    assert counts.dtype == torch.int64
    assert counts.sum() == n
    assert counts.min() >= minimum


def test_counts_follow_the_standard_deviations() -> None:
    assert proportional(100, doubles(1.0, 3.0, 0.0, 6.0)).tolist() == [10, 30, 0, 60]


def test_a_uniform_fraction_is_spread_evenly() -> None:
    assert proportional(100, doubles(1.0, 3.0, 0.0, 6.0), 0.4).tolist() == [16, 28, 10, 46]


def test_the_largest_remainders_get_the_points_left_over() -> None:
    assert proportional(10, doubles(1.24, 1.26, 1.24, 1.26)).tolist() == [2, 3, 2, 3]


def test_channels_without_any_variance_share_evenly() -> None:
    assert proportional(9, doubles(0.0, 0.0, 0.0)).tolist() == [3, 3, 3]


def test_too_few_points_for_the_minimum_are_refused() -> None:
    with pytest.raises(InputError, match="3 channels of 2 points need 6; got 5"):
        proportional(5, doubles(1.0, 1.0, 1.0), minimum=2)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_standard_deviations_that_are_none_are_refused(bad: float) -> None:
    with pytest.raises(InputError, match="expected standard deviations >= 0"):
        proportional(5, doubles(1.0, bad))


def test_proportional_counts_minimise_the_variance() -> None:
    sigma = doubles(0.3, 2.0, 5.0)
    best = proportional(1000, sigma)

    def variance(counts: Tensor) -> float:
        return float((sigma.square() / counts).sum())

    shifts = [
        torch.tensor(shift) for shift in ([10, -10, 0], [-10, 10, 0], [0, 10, -10], [10, 0, -10])
    ]
    assert all(variance(best) < variance(best + shift) for shift in shifts)


def test_shares_are_what_counts_aim_at() -> None:
    sigma = doubles(1.0, 3.0, 7.0)
    active = torch.tensor([True, True, False])
    assert shares(sigma, 0.2, active) == pytest.approx([0.1 + 0.8 * 0.25, 0.1 + 0.8 * 0.75, 0.0])
    counts = proportional(1000, sigma, 0.2, active=active)
    assert counts.tolist() == [300, 700, 0]
