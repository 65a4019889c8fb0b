"""The compiled coupling blocks against plain torch."""

from __future__ import annotations

import copy
import os
import pickle
import re
import threading
from functools import partial
from pathlib import Path
from typing import Any

import laws
import numpy as np
import pytest
import torch
from fused_flows import (
    BATCHES,
    SHAPES,
    THREADS,
    assert_gradients_agree,
    batch,
    flow,
    function_of,
    gradient_arrays,
    gradients,
    in_float64,
    plain,
    to_data,
    to_latent,
    values,
)
from places import TESTS
from torch import Tensor

from madnis_py import _core
from madnis_py.flows import fused, splines
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.coupling import CouplingBlock
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream, torch_generator

# --- agreement with plain torch
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float64_values_agree_with_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        for a, b in zip(
            values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True
        ):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float64_gradients_agree_with_autograd(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        assert_gradients_agree(
            gradients(any_flow, x, counts), gradients(plain(any_flow), x, counts), 1e-9
        )


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_a_float32_block_agrees_with_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, size=0.1)
    x, counts = batch(any_flow, 4097)
    for block in any_flow.sampling_order:
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
            np.testing.assert_allclose(
                a, b, rtol=0, atol=1e-6 if a.ndim == 2 else 3e-5
            )  # single log-densities
            assert n < 100 or np.linalg.norm(a - b) <= 1e-6 * np.linalg.norm(b)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float32_flows_are_as_close_to_float64_as_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    x, counts = batch(any_flow, 4097)
    exact = values(in_float64(any_flow), x, counts)
    errors = [
        [
            np.sqrt(np.mean((a - b) ** 2))
            for a, b in zip(values(candidate, x, counts), exact, strict=True)
        ]
        for candidate in (any_flow, plain(any_flow))
    ]
    assert (np.array(errors[0]) <= 1.5 * np.array(errors[1])).all()


@pytest.mark.parametrize(("dim", "n_channels"), [(1, 1), (3, 3), (10, 8)])
def test_float32_gradients_are_as_close_to_float64_as_autograd(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    x, counts = batch(any_flow, 700)
    exact = gradients(in_float64(any_flow), x, counts)
    found, reference = (
        gradients(candidate, x, counts) for candidate in (any_flow, plain(any_flow))
    )
    for a, b, truth in zip(found, reference, exact, strict=True):
        if truth.numel():
            assert float((a - truth).norm()) <= 3.0 * float((b - truth).norm()) + 1e-7 * float(
                truth.norm()
            )


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
def test_every_size_of_network_is_served(settings: dict[str, Any]) -> None:
    any_flow = flow(5, 2, dtype="float64", **settings)
    x, counts = batch(any_flow, 150)
    for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    tolerance = (
        1e-9 if any_flow.settings.bins < 100 else 1e-6
    )  # slopes change from one narrow bin to the next
    assert_gradients_agree(
        gradients(any_flow, x, counts), gradients(plain(any_flow), x, counts), tolerance
    )


def test_more_features_than_one_logarithm_takes_are_served() -> None:
    any_flow = flow(40, 1, dtype="float64", permutation="exchange", blocks=2)
    x, counts = batch(any_flow, 50)
    for a, b in zip(values(any_flow, x, counts), values(plain(any_flow), x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# --- derivatives
# ------------------------------------------------------------------------------------------


def small_flow() -> tuple[SplineFlow, Tensor, list[int]]:
    any_flow = flow(3, 2, dtype="float64", bins=3, units=2, layers=2, blocks=2)
    x = torch.rand(3, 5, generator=torch_generator(5, "points"), dtype=torch.float64)
    return any_flow, x.requires_grad_(), [2, 3]


def test_gradients_are_the_differences_of_values() -> None:
    any_flow, x, counts = small_flow()
    assert torch.autograd.gradcheck(
        lambda x, *_: to_latent(any_flow, x, counts), (x, *any_flow.parameters())
    )


def test_gradients_are_the_differences_of_values_to_nine_digits() -> None:
    any_flow, x, counts = small_flow()
    arguments = [x, *any_flow.parameters()]
    start = [argument.detach().clone() for argument in arguments]
    gradient = torch.autograd.grad(function_of(*to_latent(any_flow, x, counts)), arguments)
    generator = torch_generator(7, "directions")
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
        assert (45 * one - 9 * two + three) / (60 * h) == pytest.approx(
            expected, rel=1e-9, abs=1e-9
        )


@pytest.mark.parametrize("counts", [[0, 5, 0], [5, 0, 0], [0, 0, 5], [2, 0, 3], [0, 0, 0]])
def test_channels_without_points_change_nothing(counts: list[int]) -> None:
    any_flow = flow(3, 3, dtype="float64")
    x = torch.rand(3, sum(counts), generator=torch_generator(8, "points"), dtype=torch.float64)
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
        return list(
            torch.autograd.grad(
                slope.square().sum(), [x, *candidate.parameters()], allow_unused=True
            )
        )

    for a, b in zip(norm(any_flow), norm(plain(any_flow)), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_either_result_alone_has_gradients() -> None:
    any_flow, x, counts = small_flow()
    for k in (0, 1):
        (a,), (b,) = (
            torch.autograd.grad(to_latent(f, x, counts)[k].sum(), x)
            for f in (any_flow, plain(any_flow))
        )
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


# --- trained flows
# ------------------------------------------------------------------------------------------


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


# --- the house
# ------------------------------------------------------------------------------------------


def test_results_do_not_depend_on_threads() -> None:
    any_flow = flow(4, 3)
    x, counts = batch(any_flow, 9000)
    for call in (values, gradient_arrays):
        one, *others = (laws.with_threads(n, partial(call, any_flow, x, counts)) for n in THREADS)
        for other in others:
            assert all(np.array_equal(a, b) for a, b in zip(other, one, strict=True))


def test_trainings_do_not_depend_on_threads() -> None:
    flows = [SplineFlow(3, 2) for _ in THREADS]
    losses = [
        laws.with_threads(n, partial(train, f, 10)) for n, f in zip(THREADS, flows, strict=True)
    ]
    assert losses[1:] == losses[:1] * 3
    for other in flows[1:]:
        assert all(
            torch.equal(a, b)
            for a, b in zip(other.parameters(), flows[0].parameters(), strict=True)
        )


def test_points_do_not_depend_on_their_neighbours() -> None:
    any_flow = flow(4, 1)
    x, _ = batch(any_flow, 300)
    together = values(any_flow, x, [300])
    for first, last in ((0, 1), (5, 6), (3, 90), (290, 300)):
        alone = values(any_flow, x[:, first:last], [last - first])
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a, b[..., first:last])


def test_instruction_sets_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(TESTS / "support")])
    )
    calls, tolerances = [], []
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-11)):
        any_flow = flow(4, 3, dtype=dtype)
        calls += [(call, (any_flow, *batch(any_flow, 500))) for call in (values, gradient_arrays)]
        tolerances += [tolerance, tolerance]
    expected = [call(*arguments) for call, arguments in calls]
    for name in set(_core.instruction_sets()) - {_core.instruction_set()}:
        for found, truth, tolerance in zip(
            laws.results_on(name, calls), expected, tolerances, strict=True
        ):
            for a, b in zip(found, truth, strict=True):
                np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * np.abs(b).max())


def test_calls_from_several_threads_at_once_give_the_same_bytes() -> None:
    any_flow = flow(4, 3)
    x, counts = batch(any_flow, 2000)
    expected = gradient_arrays(any_flow, x, counts)
    results: list[tuple[np.ndarray, ...]] = []
    threads = [
        threading.Thread(
            target=lambda: results.extend(gradient_arrays(any_flow, x, counts) for _ in range(3))
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 9
    assert all(
        np.array_equal(a, b) for result in results for a, b in zip(result, expected, strict=True)
    )


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
    torch.testing.assert_close(
        any_flow.log_prob(x, channel), plain(any_flow).log_prob(x, channel), rtol=0, atol=1e-11
    )


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
    weight = any_flow.coupling_blocks[2].subnet.weights[1]
    weight.data = weight.data.transpose(1, 2).contiguous().transpose(1, 2)
    assert [type(step) for step in any_flow._steps()] == [
        fused.FusedBlocks,
        CouplingBlock,
        fused.FusedBlocks,
    ]
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
        (
            {"x": np.zeros((3, 5), np.float32)},
            "x: expected float64 (3, 5), C-contiguous; got float32 (3, 5)",
        ),
        ({"counts": [2, 2]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"counts": [6, -1]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"counts": [5]}, "counts: expected 2 numbers that are not negative, of sum 5"),
        ({"parameters": [0]}, "parameters: expected 24 addresses; got 1"),
        (
            {"grad_log_jac": np.zeros(4)},
            "grad_log_jac: expected float64 (5,), contiguous; got float64 (4,)",
        ),
        (
            {"grad_z": np.zeros((5, 3))},
            "grad_z: expected float64 (3, 5), C-contiguous; got float64 (5, 3)",
        ),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, object], message: str) -> None:
    (step,) = flow(3, 2)._steps()
    assert isinstance(step, fused.FusedBlocks)
    compiled = step.compiled
    assert isinstance(compiled, fused.BlocksOnProcessor)
    arguments: dict[str, Any] = {
        "parameters": compiled.addresses(),
        "counts": [2, 3],
        "x": np.zeros((3, 5)),
        "grad_z": None,
        "grad_log_jac": np.zeros(5),
    }
    with pytest.raises(ValueError, match=re.escape(message)):
        compiled.kernel.backward(**{**arguments, **change})


def test_layers_that_do_not_fit_are_named() -> None:
    with pytest.raises(ValueError, match="blocks: expected layers from 1 inputs to 31 outputs"):
        _core.CouplingFlow32(2, 1, 10, 1e-4, (-12.0, 1e4), [((0,), ((2, 31),))])
