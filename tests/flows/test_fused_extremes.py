"""The compiled coupling blocks at boundaries, edges of bins and with extreme parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fused_flows import (
    assert_gradients_agree,
    batch,
    boundary_points,
    flow,
    gradients,
    plain,
    values,
)
from torch import Tensor

from madnis_py import _core
from madnis_py.flows import fused, splines
from madnis_py.flows.blocks import MARGIN, Block
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import torch_generator


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1.0, 30.0, 1e4])
def test_extreme_parameters_give_finite_values_and_gradients(size: float, dtype: str) -> None:
    any_flow = flow(3, 2, size=size, dtype=dtype)
    edges = torch.tensor(
        [[0.0] * 3, [1.0] * 3, [0.0, 1.0, 0.5], [5e-324, 1 - 2**-53, 1e-17]], dtype=torch.float64
    )
    x = torch.cat((edges.T, batch(any_flow, 200)[0]), dim=1)
    z, log_jac, y, slope = values(any_flow, x, [104, 100])
    assert ((z >= 0) & (z <= 1) & (y >= 0) & (y <= 1)).all()
    assert np.isfinite(log_jac).all()
    assert np.isfinite(slope).all()
    assert all(bool(gradient.isfinite().all()) for gradient in gradients(any_flow, x, [104, 100]))


@pytest.mark.parametrize("size", [1e-30, 0.1])
def test_points_at_the_boundary_agree_with_plain_torch(size: float) -> None:
    x, counts = boundary_points(), [212, 300]
    double, single = (flow(3, 2, size=size, dtype=dtype) for dtype in ("float64", "float32"))
    for a, b in zip(values(double, x, counts), values(plain(double), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-300 if a.ndim == 2 else 1e-12)
    for a, b in zip(values(single, x, counts), values(plain(single), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-300 if a.ndim == 2 else 1e-5)
    assert_gradients_agree(gradients(double, x, counts), gradients(plain(double), x, counts), 1e-9)


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_gradients_at_the_boundary_are_those_next_to_it(end: float) -> None:
    any_flow = flow(2, 1, dtype="float64")
    at, near = (torch.full((2, 1), x, dtype=torch.float64) for x in (end, abs(end - 1e-11)))
    for candidate in (any_flow, plain(any_flow)):
        assert_gradients_agree(gradients(candidate, at, [1]), gradients(candidate, near, [1]), 1e-7)


def knots_and_flow() -> tuple[Tensor, SplineFlow]:
    """Knots of the splines next to the data, (2, 11), and their flow.

    In the flow they do not depend on the point.
    """
    any_flow = flow(2, 1, dtype="float64", blocks=2)
    block = any_flow.coupling_blocks[-1]
    with torch.no_grad():
        block.subnet.weights[-1].zero_()
    theta = block.subnet.biases[-1].detach().view(31, -1)[:10, 0]
    sizes = splines.MIN_BIN_SIZE + (1.0 - 10 * splines.MIN_BIN_SIZE) * theta.softmax(0)
    knots = torch.full((2, 11), 0.37, dtype=torch.float64)
    knots[block.transformed[0], 0] = 0.0
    knots[block.transformed[0], 1:] = sizes.cumsum(0)
    return knots, any_flow


def test_points_at_the_edges_of_bins_agree_with_plain_torch() -> None:
    knots, any_flow = knots_and_flow()
    near = MARGIN * torch.arange(-4, 5)  # where rounding decides upon the bin
    x = (knots[:, :, None] + near).flatten(1).clamp(0.0, 1.0)
    for a, b in zip(values(any_flow, x, [99]), values(plain(any_flow), x, [99]), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    found, expected = (
        gradients(candidate, x, [99], points_alone=True)
        for candidate in (any_flow, plain(any_flow))
    )
    assert_gradients_agree(found, expected, 1e-9)


def test_gradients_on_both_sides_of_the_edges_of_bins_agree_with_autograd() -> None:
    knots, any_flow = knots_and_flow()
    x = torch.cat((knots - 1e-12, knots + 1e-12), dim=1).clamp(0.0, 1.0)
    assert_gradients_agree(gradients(any_flow, x, [22]), gradients(plain(any_flow), x, [22]), 1e-9)


def differences_in_roundings(
    fused_block: fused.FusedBlocks, block: Block, direction: str, x: Tensor
) -> float:
    """Largest difference in log-Jacobian beyond 1e-12, in units of its rounding.

    The unit is what the rounding of x to 2^-53 changes in it.
    """
    x = x.clone().requires_grad_()
    counts = [x.shape[1] // 2, x.shape[1] - x.shape[1] // 2]
    y, log_jac = getattr(block, direction)(x, counts)
    (slope,) = torch.autograd.grad(y.sum() + log_jac.sum(), x)
    with torch.no_grad():
        found_y, found = getattr(fused_block, direction)(x, counts)
        y_excess = (found_y - y).abs().amax(0) - 1e-12
        excess = (found - log_jac).abs() - 1e-12 * (1.0 + log_jac.abs())
        return float(
            (torch.maximum(excess, y_excess) / (MARGIN * (1.0 + slope.abs().sum(0)))).max()
        )


@pytest.mark.parametrize("direction", ["to_latent", "to_data"])
@pytest.mark.parametrize("size", [1e-8, 1.0, 5.0, 30.0, 1e4])
def test_blocks_with_huge_parameters_differ_from_plain_torch_by_roundings(
    size: float, direction: str
) -> None:
    any_flow = flow(3, 2, size=size, dtype="float64")
    x = torch.cat((boundary_points(), batch(any_flow, 400)[0]), dim=1)
    for block in any_flow.sampling_order:
        assert differences_in_roundings(fused.FusedBlocks([block]), block, direction, x) < 16.0


@pytest.mark.parametrize("size", [1.0, 5.0])
def test_steep_splines_agree_with_plain_torch(size: float) -> None:
    any_flow = SplineFlow(1, 1, FlowSettings(dtype="float64", blocks=2))
    with torch.no_grad():
        for block in any_flow.coupling_blocks:
            block.subnet.biases[-1].copy_(
                size * torch.randn(1, 31, generator=torch_generator(6, "theta"))
            )
    x = torch.linspace(0.0, 1.0, 4001, dtype=torch.float64)[None]
    for a, b in zip(values(any_flow, x, [4001]), values(plain(any_flow), x, [4001]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)


@pytest.mark.parametrize("row", [0, 15, 25])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_are_not_finite_are_not_hidden(row: int, value: float) -> None:
    any_flow = SplineFlow(1, 1)
    with torch.no_grad():
        any_flow.coupling_blocks[0].subnet.biases[-1][0, row] = value
    x = torch.linspace(0.0, 1.0, 50, dtype=torch.float64)[None]
    found, expected = (values(candidate, x, [50]) for candidate in (any_flow, plain(any_flow)))
    for a, b in zip(found[1::2], expected[1::2], strict=True):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zero_parameters_are_exactly_the_identity(dtype: str) -> None:
    any_flow = SplineFlow(10, 3, FlowSettings(dtype=dtype))
    x, counts = batch(any_flow, 3000)
    z, log_jac, y, slope = values(any_flow, x, counts)
    np.testing.assert_array_equal(z, x)
    np.testing.assert_array_equal(y, x)
    assert not log_jac.any()
    assert not slope.any()


def test_exponential_agrees_with_the_c_library() -> None:
    generator = np.random.default_rng(1)
    x = np.concatenate(
        (
            generator.uniform(-104, 89, 40000),
            generator.uniform(-1, 1, 40000),
            [0, -0.0, 89, -200, -1e38],
        )
    )
    x = np.concatenate(
        (x.astype(np.float32), np.array([np.inf, -np.inf, np.nan, 1e38], np.float32))
    )
    with np.errstate(all="ignore"):
        expected = np.exp(x.astype(np.float64)).astype(np.float32)
    found = _core.exp_float32(x)
    special = ~np.isfinite(expected)
    np.testing.assert_array_equal(found[special], expected[special])
    distance = np.abs(found[~special].astype(np.float64) - expected[~special]) / np.spacing(
        expected[~special]
    )
    assert distance.max() <= 2
