"""Rational-quadratic splines: the textbook function, its inverse, its gradients, its extremes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from random_tensors import rand, randn
from reference_flows import knots, reference_spline
from scipy.optimize import brentq
from torch import Tensor

from madnis_py.flows import splines


@pytest.fixture
def theta() -> Tensor:
    """Parameters of 60 splines with 10 bins."""
    return 1.5 * randn(31, 60, seed=1)


def test_spline_is_the_textbook_function(theta: Tensor) -> None:
    x = rand(60, seed=2)
    y, log_jac = splines.forward(x, theta)
    expected = np.array(
        [reference_spline(a, t) for a, t in zip(x.numpy(), theta.T.numpy(), strict=True)]
    )
    np.testing.assert_allclose(y, expected[:, 0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(log_jac, np.log(expected[:, 1]), rtol=0, atol=1e-11)


def test_inverse_spline_solves_the_textbook_function(theta: Tensor) -> None:
    y = rand(60, seed=3)
    x, log_jac = splines.inverse(y, theta)
    for a, b, t, log_slope in zip(
        x.tolist(), y.tolist(), theta.T.numpy(), log_jac.tolist(), strict=True
    ):
        root = brentq(lambda x, t=t, b=b: reference_spline(x, t)[0] - b, 0.0, 1.0, xtol=1e-15)
        assert a == pytest.approx(root, abs=1e-12)
        assert -log_slope == pytest.approx(math.log(reference_spline(root, t)[1]), abs=1e-9)


@pytest.mark.parametrize("direction", [splines.forward, splines.inverse])
def test_spline_gradients_are_right(direction: splines.Spline) -> None:
    x, theta = rand(2, 8, seed=4).requires_grad_(), (2.0 * randn(16, 2, 8, seed=5)).requires_grad_()
    assert torch.autograd.gradcheck(direction, (x, theta))


@pytest.mark.parametrize("direction", [splines.forward, splines.inverse])
@pytest.mark.parametrize("bins", [2, 3, 10, 37, splines.MAX_BINS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_zero_parameters_are_exactly_the_identity(
    direction: splines.Spline, bins: int, dtype: torch.dtype
) -> None:
    x = torch.cat((torch.tensor([0.0, 1.0], dtype=dtype), rand(5000, seed=6, dtype=dtype)))
    y, log_jac = direction(x, torch.zeros(3 * bins + 1, len(x), dtype=dtype))
    assert torch.equal(y, x)
    assert torch.equal(log_jac, torch.zeros_like(x))


@pytest.mark.parametrize("direction", [splines.forward, splines.inverse])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e4, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spline_survives_extreme_parameters(
    direction: splines.Spline, size: float, dtype: torch.dtype
) -> None:
    x = torch.cat((torch.tensor([0.0, 1.0], dtype=dtype), rand(2000, seed=7, dtype=dtype)))
    theta = (size * randn(31, len(x), seed=8, dtype=dtype)).requires_grad_()
    y, log_jac = direction(x, theta)
    (y + log_jac).sum().backward()
    assert bool(((y >= 0.0) & (y <= 1.0)).all())
    assert bool(log_jac.isfinite().all())
    assert theta.grad is not None
    assert bool(theta.grad.isfinite().all())


def test_spline_keeps_the_ends_of_the_interval(theta: Tensor) -> None:
    for direction in (splines.forward, splines.inverse):
        for end in (0.0, 1.0):
            y, _ = direction(torch.full((60,), end, dtype=torch.float64), theta)
            torch.testing.assert_close(y, torch.full_like(y, end), rtol=0.0, atol=1e-15)


def test_spline_slope_at_its_knots_is_the_derivative_parameter(theta: Tensor) -> None:
    w, _, d = knots(theta[:, 0].numpy())
    at_knots = torch.from_numpy(np.concatenate(([0.0], np.cumsum(w)[:-1], [1.0])))
    _, log_jac = splines.forward(at_knots, theta[:, :1].expand(-1, 11))
    np.testing.assert_allclose(log_jac, np.log(d), atol=1e-9)


def test_spline_returns_to_its_argument_in_steep_bins() -> None:
    x, theta = rand(5000, seed=9), 6.0 * randn(31, 5000, seed=10)
    y, log_jac = splines.forward(x, theta)
    back, _ = splines.inverse(y, theta)
    assert float(((back - x).abs() * log_jac.exp()).max()) < 1e-12


def test_float32_parameters_leave_float64_points_unrounded() -> None:
    x, theta = rand(1000, seed=11), randn(31, 1000, seed=12, dtype=torch.float32)
    back, _ = splines.inverse(splines.forward(x, theta)[0], theta)
    torch.testing.assert_close(back, x, rtol=0.0, atol=1e-12)
