from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from madnis_py.integration import losses
from madnis_py.integration.random_streams import stream

COUNTS = torch.tensor([37, 0, 13])
CHANNEL = torch.arange(3).repeat_interleave(COUNTS)


def uniform(name: str, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(50, generator=stream(3, name), dtype=torch.float64)


LOG_Q_SAMPLE = uniform("log q", -1.0, 1.0)
VALUE = uniform("value", -1.0, 2.0)
ALPHA = uniform("alpha", 0.1, 1.0)
LOG_Q = uniform("log q theta", -1.0, 1.0)


def means(x: np.ndarray) -> np.ndarray:
    return np.array([x[:37].mean(), 0.0, x[37:].mean()])


def variance(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.variance(log_q, alpha, VALUE, LOG_Q_SAMPLE, CHANNEL, COUNTS)


def kullback_leibler(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.kullback_leibler(log_q, alpha, VALUE, LOG_Q_SAMPLE, CHANNEL, COUNTS)


def test_variance_is_equation_5_13() -> None:
    g, q, f, a = (array.numpy() for array in (LOG_Q.exp(), LOG_Q_SAMPLE.exp(), VALUE, ALPHA))
    terms = means(a**2 * f**2 / (g * q)) - means(a * f / q) ** 2
    assert float(variance(LOG_Q, ALPHA)) == pytest.approx(50 / 37 * terms[0] + 50 / 13 * terms[2], rel=1e-13)


def test_variance_at_the_sampling_density_is_n_times_the_squared_error() -> None:
    weight = (ALPHA * VALUE / LOG_Q_SAMPLE.exp()).numpy()
    expected = 50 * (weight[:37].var() / 37 + weight[37:].var() / 13)
    assert float(variance(LOG_Q_SAMPLE, ALPHA)) == pytest.approx(expected, rel=1e-13)


def test_kullback_leibler_is_the_weighted_cross_entropy() -> None:
    weight = np.abs((ALPHA * VALUE / LOG_Q_SAMPLE.exp()).numpy())
    expected = -means(weight * LOG_Q.numpy()).sum() / means(weight).sum()
    assert float(kullback_leibler(LOG_Q, ALPHA)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("loss", [variance, kullback_leibler])
def test_gradient_in_the_density_is_that_of_finite_differences(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    assert torch.autograd.gradcheck(lambda log_q: loss(log_q, ALPHA), LOG_Q.clone().requires_grad_())


def test_gradient_of_the_variance_in_alpha_is_that_of_finite_differences() -> None:
    assert torch.autograd.gradcheck(lambda alpha: variance(LOG_Q, alpha), ALPHA.clone().requires_grad_())


def test_kullback_leibler_holds_alpha_constant() -> None:
    alpha = ALPHA.clone().requires_grad_()
    kullback_leibler(LOG_Q.clone().requires_grad_(), alpha).backward()
    assert alpha.grad is None


@pytest.mark.parametrize("loss", [losses.variance, losses.kullback_leibler])
def test_points_of_value_zero_may_be_left_out(loss: Callable[..., Tensor]) -> None:
    value = VALUE * (VALUE > 0)
    live = value != 0
    arrays = (LOG_Q, ALPHA, value, LOG_Q_SAMPLE, CHANNEL)
    assert 0 < live.sum() < 50
    assert float(loss(*(array[live] for array in arrays), COUNTS)) == pytest.approx(float(loss(*arrays, COUNTS)))


def test_variance_is_least_at_the_density_proportional_to_the_integrand() -> None:
    """Eq. (2.52): on a grid of points that stands for the integral, no normalised change of q lowers the loss."""
    n = 1000
    x = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    f = 1.0 + x.square()
    best = f / f.mean()
    flat, channel, counts = torch.zeros(n, dtype=torch.float64), torch.zeros(n, dtype=torch.int64), torch.tensor([n])

    def loss(q: Tensor) -> float:
        return float(losses.variance(q.log(), torch.ones_like(f), f, flat, channel, counts))

    assert loss(best) == pytest.approx(0.0, abs=1e-12)
    assert all(loss(best + eps * torch.sin(2 * torch.pi * x)) > 1e-6 for eps in (-0.1, 0.1))
