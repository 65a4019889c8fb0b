"""The compiled coupling blocks against plain torch."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import re
import threading
from pathlib import Path

import laws
import numpy as np
import pytest
import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.flows import fused, splines
from madnis_py.flows.blocks import MARGIN, Block, GridBlock
from madnis_py.flows.flow import CouplingBlock, FlowSettings, SplineFlow
from madnis_py.integration.random_streams import stream

SHAPES = list(itertools.product((1, 2, 3, 10), (1, 3, 48)))
BATCHES = (0, 1, 7, 4097)
THREADS = (1, 2, 3, 8)
BOUNDARY = (0.0, 5e-324, 1e-300, 1e-17, MARGIN, 0.37, 1.0 - MARGIN, 1.0)


def flow(dim: int, n_channels: int, size: float = 0.25, **settings: object) -> SplineFlow:
    """A flow with random parameters, as if trained."""
    result = SplineFlow(dim, n_channels, FlowSettings(**settings))
    generator = stream(3, "perturb")
    with torch.no_grad():
        for parameter in result.parameters():
            fan_in = max(parameter.shape[2], 1) if parameter.dim() == 3 else 1
            parameter += size / math.sqrt(fan_in) * torch.randn(parameter.shape, generator=generator)
    return result


def plain(fused_flow: SplineFlow) -> SplineFlow:
    """The same flow in plain torch."""
    result = copy.deepcopy(fused_flow)
    result.fused = False
    return result


def in_float64(single: SplineFlow) -> SplineFlow:
    """The same parameters in float64, in plain torch."""
    settings = single.settings.model_copy(update={"dtype": "float64"})
    result = SplineFlow(single.dim, single.n_channels, settings, fused=False)
    result.load_state_dict(single.state_dict())
    return result


def to_latent(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Map data (dim, n) to latent."""
    (step,) = any_flow._steps() if any_flow.fused else [fused.FusedBlocks(any_flow.sampling_order)]
    return (step.to_latent if any_flow.fused else step.reference)(x, counts)


def to_data(any_flow: SplineFlow, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Map latent (dim, n) to data."""
    total = z.new_zeros(z.shape[1])
    for step in any_flow._steps():
        z, log_jac = step.to_data(z, counts)
        total = total + log_jac
    return z, total


def batch(fused_flow: SplineFlow, n: int) -> tuple[Tensor, list[int]]:
    """Points (dim, n) and counts; the second of several channels is empty."""
    generator = stream(4, "points")
    channel = torch.randint(fused_flow.n_channels, (n,), generator=generator)
    channel = torch.where(channel == 1, 0, channel)
    counts = torch.bincount(channel, minlength=fused_flow.n_channels).tolist()
    return torch.rand(fused_flow.dim, n, generator=generator, dtype=torch.float64), counts


def boundary_points() -> Tensor:
    """Points of three dimensions with every combination of numbers at and near the ends, (3, n)."""
    return torch.cartesian_prod(*[torch.tensor(BOUNDARY, dtype=torch.float64)] * 3).T.contiguous()


def function_of(z: Tensor, log_jac: Tensor) -> Tensor:
    """Some function of the results."""
    factor = torch.linspace(-1.0, 1.0, z.shape[1], dtype=torch.float64)
    return z.sin().sum(0) @ factor.square() + log_jac @ factor


def gradients(any_flow: SplineFlow, x: Tensor, counts: list[int], points_alone: bool = False) -> list[Tensor]:
    """Gradients of a function of z, and of the log-Jacobian as well, with respect to x and the parameters."""
    x = x.clone().requires_grad_()
    z, log_jac = to_latent(any_flow, x, counts)
    value = function_of(z, log_jac.detach() if points_alone else log_jac)
    return list(torch.autograd.grad(value, [x, *any_flow.parameters()]))


def gradient_arrays(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[np.ndarray, ...]:
    return tuple(gradient.numpy() for gradient in gradients(any_flow, x, counts) if gradient.numel())


def values(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[np.ndarray, ...]:
    """Both directions, without gradients."""
    with torch.no_grad():
        return tuple(t.numpy() for t in (*to_latent(any_flow, x, counts), *to_data(any_flow, x, counts)))


def assert_gradients_agree(first: list[Tensor], second: list[Tensor], tolerance: float) -> None:
    """To the tolerance, relative to the largest element of each array."""
    for a, b in zip(first, second, strict=True):
        if b.numel():
            assert float((a - b).abs().max()) <= tolerance * max(float(b.abs().max()), 1e-3)


# --- agreement with plain torch ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float64_values_agree_with_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float64_gradients_agree_with_autograd(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        assert_gradients_agree(gradients(any_flow, x, counts), gradients(plain(any_flow), x, counts), 1e-9)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_a_float32_block_agrees_with_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, size=0.1)
    x, counts = batch(any_flow, 4097)
    for block in any_flow.blocks:
        with torch.no_grad():
            z, log_jac = block.to_latent(x, counts)
            found, slope = fused.FusedBlocks([block]).to_latent(x, counts)
        torch.testing.assert_close(found, z, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(slope, log_jac, rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float32_flows_agree_with_plain_torch_to_1e_6(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        found, expected = values(any_flow, x, counts), values(plain(any_flow), x, counts)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 if a.ndim == 2 else 3e-5)  # single log-densities
            assert n < 100 or np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(b)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float32_flows_are_as_close_to_float64_as_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    x, counts = batch(any_flow, 4097)
    exact = values(in_float64(any_flow), x, counts)
    errors = [
        [np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(values(candidate, x, counts), exact, strict=True)]
        for candidate in (any_flow, plain(any_flow))
    ]
    assert (np.array(errors[0]) <= 1.5 * np.array(errors[1])).all()


@pytest.mark.parametrize(("dim", "n_channels"), [(1, 1), (3, 3), (10, 8)])
def test_float32_gradients_are_as_close_to_float64_as_autograd(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    x, counts = batch(any_flow, 700)
    exact = gradients(in_float64(any_flow), x, counts)
    found, reference = (gradients(candidate, x, counts) for candidate in (any_flow, plain(any_flow)))
    for a, b, truth in zip(found, reference, exact, strict=True):
        if truth.numel():
            assert float((a - truth).norm()) <= 3.0 * float((b - truth).norm()) + 1e-7 * float(truth.norm())


@pytest.mark.parametrize(
    "settings",
    [
        {"bins": 2, "layers": 1},
        {"bins": 7, "layers": 2, "units": 5},
        {"layers": 5, "units": 19},
        {"bins": splines.MAX_BINS, "units": 3},
        {"permutation": "exchange", "blocks": 3, "units": 70},
        {"permutation": "random", "blocks": 5},
    ],
)
def test_every_size_of_network_is_served(settings: dict[str, object]) -> None:
    any_flow = flow(5, 2, dtype="float64", **settings)
    x, counts = batch(any_flow, 150)
    for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    tolerance = 1e-9 if any_flow.settings.bins < 100 else 1e-6  # slopes change from one narrow bin to the next
    assert_gradients_agree(gradients(any_flow, x, counts), gradients(plain(any_flow), x, counts), tolerance)


def test_more_features_than_one_logarithm_takes_are_served() -> None:
    any_flow = flow(40, 1, dtype="float64", permutation="exchange", blocks=2)
    x, counts = batch(any_flow, 50)
    for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# --- derivatives ------------------------------------------------------------------------------------------------------


def small_flow() -> tuple[SplineFlow, Tensor, list[int]]:
    any_flow = flow(3, 2, dtype="float64", bins=3, units=2, layers=2, blocks=2)
    x = torch.rand(3, 5, generator=stream(5, "points"), dtype=torch.float64)
    return any_flow, x.requires_grad_(), [2, 3]


def test_gradients_are_the_differences_of_values() -> None:
    any_flow, x, counts = small_flow()
    assert torch.autograd.gradcheck(lambda x, *_: to_latent(any_flow, x, counts), (x, *any_flow.parameters()))


def test_gradients_are_the_differences_of_values_to_nine_digits() -> None:
    any_flow, x, counts = small_flow()
    arguments = [x, *any_flow.parameters()]
    start = [argument.detach().clone() for argument in arguments]
    gradient = torch.autograd.grad(function_of(*to_latent(any_flow, x, counts)), arguments)
    generator = stream(7, "directions")
    h = 1e-5

    def value(direction: list[Tensor], steps: int) -> float:
        with torch.no_grad():
            for argument, first, step in zip(arguments, start, direction, strict=True):
                argument.copy_(first + steps * h * step)
            return float(function_of(*to_latent(any_flow, x, counts)))

    for _ in range(20):
        direction = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in start]
        expected = sum(float((g * d).sum()) for g, d in zip(gradient, direction, strict=True))
        one, two, three = (value(direction, k) - value(direction, -k) for k in (1, 2, 3))
        assert (45 * one - 9 * two + three) / (60 * h) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("counts", [[0, 5, 0], [5, 0, 0], [0, 0, 5], [2, 0, 3], [0, 0, 0]])
def test_channels_without_points_change_nothing(counts: list[int]) -> None:
    any_flow = flow(3, 3, dtype="float64")
    x = torch.rand(3, sum(counts), generator=stream(8, "points"), dtype=torch.float64)
    for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    found = gradients(any_flow, x, counts)
    assert_gradients_agree(found, gradients(plain(any_flow), x, counts), 1e-9)
    for gradient in found[1:]:
        assert not any(gradient[channel].any() for channel in range(3) if counts[channel] == 0)


def test_second_derivatives_go_through_plain_torch() -> None:
    any_flow, x, counts = small_flow()

    def norm(candidate: SplineFlow) -> list[Tensor]:
        _, log_jac = to_latent(candidate, x, counts)
        (slope,) = torch.autograd.grad(log_jac.sum(), x, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), [x, *candidate.parameters()], allow_unused=True))

    for a, b in zip(norm(any_flow), norm(plain(any_flow)), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_either_result_alone_has_gradients() -> None:
    any_flow, x, counts = small_flow()
    for k in (0, 1):
        (a,), (b,) = (torch.autograd.grad(to_latent(f, x, counts)[k].sum(), x) for f in (any_flow, plain(any_flow)))
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


# --- extremes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-30, 1.0, 30.0, 1e4])
def test_extreme_parameters_give_finite_values_and_gradients(size: float, dtype: str) -> None:
    any_flow = flow(3, 2, size=size, dtype=dtype)
    edges = torch.tensor([[0.0] * 3, [1.0] * 3, [0.0, 1.0, 0.5], [5e-324, 1 - 2**-53, 1e-17]], dtype=torch.float64)
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
    """Knots of the splines next to the data, (2, 11), and a flow in which they do not depend on the point."""
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
    found, expected = (gradients(candidate, x, [99], points_alone=True) for candidate in (any_flow, plain(any_flow)))
    assert_gradients_agree(found, expected, 1e-9)


def test_gradients_on_both_sides_of_the_edges_of_bins_agree_with_autograd() -> None:
    knots, any_flow = knots_and_flow()
    x = torch.cat((knots - 1e-12, knots + 1e-12), dim=1).clamp(0.0, 1.0)
    assert_gradients_agree(gradients(any_flow, x, [22]), gradients(plain(any_flow), x, [22]), 1e-9)


def differences_in_roundings(fused_block: fused.FusedBlocks, block: Block, direction: str, x: Tensor) -> float:
    """Largest difference in log-Jacobian beyond 1e-12, in units of what the rounding of x to 2^-53 changes in it."""
    x = x.clone().requires_grad_()
    counts = [x.shape[1] // 2, x.shape[1] - x.shape[1] // 2]
    y, log_jac = getattr(block, direction)(x, counts)
    (slope,) = torch.autograd.grad(y.sum() + log_jac.sum(), x)
    with torch.no_grad():
        found_y, found = getattr(fused_block, direction)(x, counts)
        y_excess = (found_y - y).abs().amax(0) - 1e-12
        excess = (found - log_jac).abs() - 1e-12 * (1.0 + log_jac.abs())
        return float((torch.maximum(excess, y_excess) / (MARGIN * (1.0 + slope.abs().sum(0)))).max())


@pytest.mark.parametrize("direction", ["to_latent", "to_data"])
@pytest.mark.parametrize("size", [1e-8, 1.0, 5.0, 30.0, 1e4])
def test_blocks_with_huge_parameters_differ_from_plain_torch_by_roundings(size: float, direction: str) -> None:
    any_flow = flow(3, 2, size=size, dtype="float64")
    x = torch.cat((boundary_points(), batch(any_flow, 400)[0]), dim=1)
    for block in any_flow.blocks:
        assert differences_in_roundings(fused.FusedBlocks([block]), block, direction, x) < 16.0


@pytest.mark.parametrize("size", [1.0, 5.0])
def test_steep_splines_agree_with_plain_torch(size: float) -> None:
    any_flow = SplineFlow(1, 1, FlowSettings(dtype="float64", blocks=2))
    with torch.no_grad():
        for block in any_flow.blocks:
            block.subnet.biases[-1].copy_(size * torch.randn(1, 31, generator=stream(6, "theta")))
    x = torch.linspace(0.0, 1.0, 4001, dtype=torch.float64)[None]
    for a, b in zip(values(any_flow, x, [4001]), values(plain(any_flow), x, [4001]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-8)


@pytest.mark.parametrize("row", [0, 15, 25])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_parameters_that_are_not_finite_are_not_hidden(row: int, value: float) -> None:
    any_flow = SplineFlow(1, 1)
    with torch.no_grad():
        any_flow.blocks[0].subnet.biases[-1][0, row] = value
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
        (generator.uniform(-104, 89, 40000), generator.uniform(-1, 1, 40000), [0, -0.0, 89, -200, -1e38])
    )
    x = np.concatenate((x.astype(np.float32), np.array([np.inf, -np.inf, np.nan, 1e38], np.float32)))
    with np.errstate(all="ignore"):
        expected = np.exp(x.astype(np.float64)).astype(np.float32)
    found = _core.exp_float32(x)
    special = ~np.isfinite(expected)
    np.testing.assert_array_equal(found[special], expected[special])
    distance = np.abs(found[~special].astype(np.float64) - expected[~special]) / np.spacing(expected[~special])
    assert distance.max() <= 2


# --- trained flows ----------------------------------------------------------------------------------------------------


def train(any_flow: SplineFlow, steps: int) -> list[float]:
    """Adapt to a narrow correlated peak on top of a broad one; the losses."""

    def target(x: Tensor) -> Tensor:
        u, v = x[:, 0] + x[:, 1] - 1.0, x[:, 0] - x[:, 1]
        return torch.exp(-((u / 0.4) ** 2) - (v / 0.1) ** 2) * (
            1.0 + torch.exp(-(((x[:, 2] - 0.3) / 0.01) ** 2) / 2) * 9
        )

    optimizer = torch.optim.Adam(any_flow.parameters(), lr=3e-3)
    channel = torch.arange(2).repeat_interleave(250)
    losses = []
    for step in range(steps):
        x, log_q = any_flow.sample(channel, stream(1, step))
        loss = -(target(x) / log_q.exp() * any_flow.log_prob(x, channel)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture(scope="module")
def trained() -> tuple[SplineFlow, list[float]]:
    any_flow = SplineFlow(3, 2)
    return any_flow, train(any_flow, 250)


def test_training_goes_as_in_plain_torch(trained: tuple[SplineFlow, list[float]]) -> None:
    losses = np.array(trained[1])
    expected = np.array(train(SplineFlow(3, 2, fused=False), 250))
    np.testing.assert_allclose(losses[:20], expected[:20], rtol=1e-3, atol=1e-3)
    noise = np.hypot(losses[-100:].std(), expected[-100:].std()) / 10
    assert abs(losses[-100:].mean() - expected[-100:].mean()) < 5 * noise
    assert expected[-100:].mean() < expected[:20].mean() - 0.05


def assert_points_come_back(any_flow: SplineFlow) -> None:
    """10^6 points go to the latent space and back; both directions agree on the density."""
    x, counts = batch(any_flow, 1_000_000)
    with torch.no_grad():
        z, log_jac = to_latent(any_flow, x, counts)
        back, slope = to_data(any_flow, z, counts)
    torch.testing.assert_close(back, x, rtol=0.0, atol=1e-6)
    torch.testing.assert_close(slope, -log_jac, rtol=0.0, atol=1e-5)


def test_trained_flows_come_back_to_their_points(trained: tuple[SplineFlow, list[float]]) -> None:
    assert_points_come_back(trained[0])


@pytest.mark.slow
def test_trained_flows_of_ten_dimensions_come_back_to_their_points() -> None:
    any_flow = SplineFlow(10, 2)
    train(any_flow, 1000)
    assert_points_come_back(any_flow)


# --- the house --------------------------------------------------------------------------------------------------------


def test_results_do_not_depend_on_threads() -> None:
    any_flow = flow(4, 3)
    x, counts = batch(any_flow, 9000)
    for call in (values, gradient_arrays):
        one, *others = (laws.with_threads(n, lambda call=call: call(any_flow, x, counts)) for n in THREADS)
        for other in others:
            assert all(np.array_equal(a, b) for a, b in zip(other, one, strict=True))


def test_trainings_do_not_depend_on_threads() -> None:
    flows = [SplineFlow(3, 2) for _ in THREADS]
    losses = [laws.with_threads(n, lambda f=f: train(f, 10)) for n, f in zip(THREADS, flows, strict=True)]
    assert losses[1:] == losses[:1] * 3
    for other in flows[1:]:
        assert all(torch.equal(a, b) for a, b in zip(other.parameters(), flows[0].parameters(), strict=True))


def test_points_do_not_depend_on_their_neighbours() -> None:
    any_flow = flow(4, 1)
    x, _ = batch(any_flow, 300)
    together = values(any_flow, x, [300])
    for first, last in ((0, 1), (5, 6), (3, 90), (290, 300)):
        alone = values(any_flow, x[:, first:last], [last - first])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a, b[..., first:last])


def test_instruction_sets_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    calls, tolerances = [], []
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-11)):
        any_flow = flow(4, 3, dtype=dtype)
        calls += [(call, (any_flow, *batch(any_flow, 500))) for call in (values, gradient_arrays)]
        tolerances += [tolerance, tolerance]
    expected = [call(*arguments) for call, arguments in calls]
    for name in set(_core.instruction_sets()) - {_core.instruction_set()}:
        for found, truth, tolerance in zip(laws.results_on(name, calls), expected, tolerances, strict=True):
            for a, b in zip(found, truth, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def test_calls_from_several_threads_at_once_give_the_same_bytes() -> None:
    any_flow = flow(4, 3)
    x, counts = batch(any_flow, 2000)
    expected = gradient_arrays(any_flow, x, counts)
    results: list[tuple[np.ndarray, ...]] = []
    threads = [
        threading.Thread(target=lambda: results.extend(gradient_arrays(any_flow, x, counts) for _ in range(3)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 9
    assert all(np.array_equal(a, b) for result in results for a, b in zip(result, expected, strict=True))


def test_flows_are_fused_unless_told_otherwise() -> None:
    any_flow = SplineFlow(3, 2)
    assert [type(step) for step in any_flow._steps()] == [fused.FusedBlocks]
    any_flow.fused = False
    assert any_flow._steps() == any_flow.sampling_order
    assert SplineFlow(3, 2, fused=False)._steps() != [fused.FusedBlocks]


def test_log_prob_and_sample_are_those_of_the_plain_flow() -> None:
    any_flow = flow(3, 2, dtype="float64")
    channel = torch.arange(2).repeat_interleave(torch.tensor([40, 25]))
    x, log_q = any_flow.sample(channel, stream(1))
    other_x, other_log_q = plain(any_flow).sample(channel, stream(1))
    torch.testing.assert_close(x, other_x, rtol=0.0, atol=1e-13)
    torch.testing.assert_close(log_q, other_log_q, rtol=0.0, atol=1e-11)
    torch.testing.assert_close(any_flow.log_prob(x, channel), plain(any_flow).log_prob(x, channel), rtol=0, atol=1e-11)


@pytest.mark.parametrize("settings", [{"transform": "affine"}, {"periodic": (1,)}])
def test_other_transforms_are_left_to_torch(settings: dict[str, object]) -> None:
    any_flow = SplineFlow(3, 2, FlowSettings(**settings))
    assert any_flow._steps() == any_flow.sampling_order


def test_a_grid_stays_apart_from_the_blocks_it_follows() -> None:
    any_flow = flow(2, 1)
    edges = torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64).expand(1, 2, 3)
    any_flow.grid = GridBlock(edges)
    assert [type(step) for step in any_flow._steps()] == [fused.FusedBlocks, GridBlock]
    laws.flow_sample_agrees_with_log_prob(any_flow, 1e-4)


def test_parameters_the_kernels_cannot_read_are_left_to_torch() -> None:
    any_flow = flow(4, 2)
    x, counts = batch(any_flow, 20)
    expected = values(any_flow, x, counts)
    weight = any_flow.blocks[2].subnet.weights[1]
    weight.data = weight.data.transpose(1, 2).contiguous().transpose(1, 2)
    assert [type(step) for step in any_flow._steps()] == [fused.FusedBlocks, CouplingBlock, fused.FusedBlocks]
    for a, b in zip(to_data(any_flow, x, counts), expected[2:], strict=True):
        np.testing.assert_allclose(a.detach(), b, atol=1e-5)


def test_copies_and_pickles_compute_with_their_own_parameters() -> None:
    any_flow = flow(3, 2)
    x, counts = batch(any_flow, 30)
    expected = values(any_flow, x, counts)
    others = [copy.deepcopy(any_flow), pickle.loads(pickle.dumps(any_flow))]
    with torch.no_grad():
        for parameter in any_flow.parameters():
            parameter.zero_()
    for other in others:
        for a, b in zip(values(other, x, counts), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((2, 5))}, "x: expected float64 (3, 5), C-contiguous; got float64 (2, 5)"),
        ({"x": np.zeros(5)}, "x: expected float64 (3, n), C-contiguous; got float64 (5,)"),
        ({"x": np.zeros((3, 5), np.float32)}, "x: expected float64 (3, 5), C-contiguous; got float32 (3, 5)"),
        ({"counts": [2, 2]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"counts": [6, -1]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"counts": [5]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"parameters": [0]}, "parameters: expected 24 addresses; got 1"),
        ({"grad_log_jac": np.zeros(4)}, "grad_log_jac: expected float64 (5,), contiguous; got float64 (4,)"),
        ({"grad_z": np.zeros((5, 3))}, "grad_z: expected float64 (3, 5), C-contiguous; got float64 (5, 3)"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    (step,) = flow(3, 2)._steps()
    arguments = {
        "parameters": step.addresses(),
        "counts": [2, 3],
        "x": np.zeros((3, 5)),
        "grad_z": None,
        "grad_log_jac": np.zeros(5),
    }
    with pytest.raises(ValueError, match=re.escape(message)):
        step.kernel.backward(**{**arguments, **change})


def test_layers_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="blocks: expected layers from 1 inputs to 31 outputs"):
        _core.CouplingFlow32(2, 1, 10, 1e-4, (-12.0, 1e4), [((0,), ((2, 31),))])
