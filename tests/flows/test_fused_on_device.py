"""Coupling blocks in the kernels of a device, against those of the processor and plain torch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from fused_flows import (
    SHAPES,
    assert_gradients_agree,
    batch,
    boundary_points,
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
from torch import Tensor
from waiting import WITHOUT_VALUES, LaunchesNothing, NoWaiting

from madnis_py.devices.block_layout import SHARED_BYTES
from madnis_py.devices.device import Device, device_of
from madnis_py.flows import fused, fused_on_device, splines
from madnis_py.flows.blocks import GridBlock
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.fused_on_device import BlocksOnDevice
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream

BATCHES = (0, 1, 7, 300)


def emulated() -> Device:
    device = device_of("emulated")
    assert device is not None
    return device


def on_device(any_flow: SplineFlow) -> SplineFlow:
    """The same flow on a device."""
    result = copy.deepcopy(any_flow)
    result.compute_on(emulated())
    return result


def compiled(any_flow: SplineFlow) -> BlocksOnDevice:
    (step,) = any_flow._steps()
    assert isinstance(step, fused.FusedBlocks)
    assert isinstance(step.compiled, BlocksOnDevice)
    return step.compiled


# --- agreement
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float64_values_and_gradients_are_those_of_the_processor(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    there = on_device(any_flow)
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        for a, b in zip(values(there, x, counts), values(any_flow, x, counts), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
        assert_gradients_agree(gradients(there, x, counts), gradients(any_flow, x, counts), 1e-11)


@pytest.mark.parametrize(("dim", "n_channels"), SHAPES)
def test_float32_values_are_those_of_the_processor(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels)
    there = on_device(any_flow)
    for n in BATCHES:
        x, counts = batch(any_flow, n)
        for a, b in zip(values(there, x, counts), values(any_flow, x, counts), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 if a.ndim == 2 else 1e-5)


@pytest.mark.parametrize(("dim", "n_channels"), [(1, 1), (3, 3), (10, 8)])
def test_float32_gradients_are_as_close_to_float64_as_those_of_the_processor(
    dim: int, n_channels: int
) -> None:
    any_flow = flow(dim, n_channels)
    x, counts = batch(any_flow, 700)
    exact = gradients(in_float64(any_flow), x, counts)
    found, expected = (gradients(each, x, counts) for each in (on_device(any_flow), any_flow))
    for a, b, truth in zip(found, expected, exact, strict=True):
        if truth.numel():
            size = float(truth.norm())
            assert float((a - truth).norm()) <= 3.0 * float((b - truth).norm()) + 1e-7 * size
            assert float((a - b).norm()) <= 1e-5 * size


@pytest.mark.parametrize(("dim", "n_channels"), [(1, 1), (3, 3), (10, 2)])
def test_gradients_are_those_of_plain_torch(dim: int, n_channels: int) -> None:
    any_flow = flow(dim, n_channels, dtype="float64")
    x, counts = batch(any_flow, 200)
    expected = gradients(plain(any_flow), x, counts)
    assert_gradients_agree(gradients(on_device(any_flow), x, counts), expected, 1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {"bins": 2, "layers": 1},
        {"bins": 7, "layers": 2, "units": 5},
        {"layers": 5, "units": 19},
        {"layers": 3, "units": 200},
        {"bins": splines.MAX_BINS, "units": 3},
        {"permutation": "exchange", "blocks": 3, "units": 70},
        {"permutation": "random", "blocks": 5},
    ],
)
def test_every_size_of_network_is_served(settings: dict[str, Any]) -> None:
    any_flow = flow(5, 2, dtype="float64", **settings)
    there = on_device(any_flow)
    x, counts = batch(any_flow, 150)
    for a, b in zip(values(there, x, counts), values(any_flow, x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-11)
    tolerance = 1e-9 if any_flow.settings.bins < 100 else 1e-6
    assert_gradients_agree(gradients(there, x, counts), gradients(any_flow, x, counts), tolerance)


def test_networks_without_room_in_shared_memory_use_that_of_the_device() -> None:
    small, large = (on_device(flow(5, 2, units=units)) for units in (32, 500))
    assert compiled(small)._backward.workspace == 0
    assert compiled(large)._backward.workspace > 0
    for layout in (compiled(any_flow)._backward for any_flow in (small, large)):
        assert layout.shared_bytes <= SHARED_BYTES


def test_more_features_than_one_logarithm_takes_are_served() -> None:
    any_flow = flow(40, 1, dtype="float64", permutation="exchange", blocks=2)
    x, counts = batch(any_flow, 50)
    expected = values(any_flow, x, counts)
    for a, b in zip(values(on_device(any_flow), x, counts), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("counts", [[0, 5, 0], [5, 0, 0], [0, 0, 5], [200, 0, 129], [0, 0, 0]])
def test_channels_without_points_change_nothing(counts: list[int]) -> None:
    any_flow = flow(3, 3, dtype="float64")
    there = on_device(any_flow)
    x = stream(8, "points").uniform(3, sum(counts))
    for a, b in zip(values(there, x, counts), values(any_flow, x, counts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    assert_gradients_agree(gradients(there, x, counts), gradients(any_flow, x, counts), 1e-11)


def test_points_at_the_faces_of_the_cube_agree_with_the_processor() -> None:
    any_flow = flow(3, 1, dtype="float64")
    x = boundary_points()
    counts = [x.shape[1]]
    expected = values(any_flow, x, counts)
    for a, b in zip(values(on_device(any_flow), x, counts), expected, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


# --- laws
# ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dim", [1, 2, 7])
def test_a_new_flow_is_the_identity_bit_for_bit(dim: int, dtype: str) -> None:
    there = on_device(SplineFlow(dim, 2, FlowSettings(dtype=dtype)))
    x, counts = batch(there, 300)
    z, log_jac, data, log_jac_back = values(there, x, counts)
    np.testing.assert_array_equal(z, x.numpy())
    np.testing.assert_array_equal(data, x.numpy())
    assert not log_jac.any()
    assert not log_jac_back.any()


def test_data_made_from_latent_points_lead_back_to_them() -> None:
    there = on_device(flow(10, 3, dtype="float64"))
    z, counts = batch(there, 300)
    with torch.no_grad():
        x, log_jac = to_data(there, z, counts)
        back, log_jac_back = to_latent(there, x, counts)
    torch.testing.assert_close(back, z, rtol=0, atol=1e-11)
    torch.testing.assert_close(log_jac_back, -log_jac, rtol=0, atol=1e-10)


def test_gradients_have_the_same_bits_every_time() -> None:
    there = on_device(flow(4, 3))
    x, counts = batch(there, 1000)
    first, second = (gradient_arrays(there, x, counts) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_ranges_of_many_pieces_give_the_same_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    any_flow = flow(4, 3, dtype="float64")
    x, counts = batch(any_flow, 1000)
    expected = gradients(on_device(any_flow), x, counts)
    monkeypatch.setattr(fused_on_device, "MOST_RANGES", 3)
    there = on_device(any_flow)
    assert_gradients_agree(gradients(there, x, counts), expected, 1e-12)
    assert compiled(there)._new_ranges(tuple(counts), 32, 3).length <= 3 + len(counts)


@pytest.mark.parametrize("most", [None, 1, 4, 1000])
@pytest.mark.parametrize("counts", [[0], [1], [64], [65, 0, 1000, 63], [0, 0], [7] * 50])
def test_ranges_hold_every_event_once_in_order(counts: list[int], most: int | None) -> None:
    ranges = fused_on_device._Ranges.of(np.array(counts), 64, most, torch.device("cpu"))
    channel, begin, end, number = ranges.table.T.tolist() if ranges.length else ([], [], [], [])
    events = [range(*limits) for limits in zip(begin, end, strict=True)]
    assert [event for part in events for event in part] == list(range(sum(counts)))
    assert all(len(part) > 0 for part in events)
    owner = np.repeat(np.arange(len(counts)), counts)
    assert all((owner[part] == c).all() for c, part in zip(channel, events, strict=True))
    assert number == list(range(ranges.length))
    firsts = ranges.firsts.tolist()
    assert [c for c in range(len(counts)) for _ in range(firsts[c], firsts[c + 1])] == channel


def test_second_derivatives_are_those_of_plain_torch() -> None:
    any_flow = flow(3, 2, dtype="float64", bins=3, units=2, layers=2, blocks=2)
    x = stream(5, "points").uniform(3, 5)

    def second(candidate: SplineFlow) -> Tensor:
        points = x.clone().requires_grad_()
        value = function_of(*to_latent(candidate, points, [2, 3]))
        (first,) = torch.autograd.grad(value, points, create_graph=True)
        (result,) = torch.autograd.grad(first.square().sum(), points)
        return result

    torch.testing.assert_close(second(on_device(any_flow)), second(plain(any_flow)))


# --- flows
# ---------------------------------------------------------------------------------------


def grids(n_flows: int, dim: int) -> GridBlock:
    widths = stream(9, "grid").uniform(n_flows, dim, 12) + 0.1
    edges = torch.nn.functional.pad((widths / widths.sum(2, keepdim=True)).cumsum(2), (1, 0))
    edges[:, :, -1] = 1.0
    return GridBlock.smooth(edges)


FLOWS = {
    "splines": lambda: flow(4, 3, dtype="float64"),
    "behind a grid": lambda: _behind_a_grid(flow(4, 3, dtype="float64")),
    "angles": lambda: flow(4, 3, dtype="float64", periodic=(1,)),
    "affine": lambda: flow(4, 3, dtype="float64", transform="affine"),
    "shared": lambda: SplineFlow(4, 4, FlowSettings(dtype="float64"), groups=[1, 0, 1, 2]),
}


def _behind_a_grid(any_flow: SplineFlow) -> SplineFlow:
    any_flow.grid = grids(any_flow.n_flows, any_flow.dim)
    return any_flow


@pytest.mark.parametrize("counts", [[300, 1, 0, 200], [0, 0, 0, 3], [0, 0, 0, 0]])
@pytest.mark.parametrize("smooth", [True, False])
def test_grids_map_points_both_ways_as_plain_torch_does(counts: list[int], smooth: bool) -> None:
    block = grids(4, 3) if smooth else GridBlock(grids(4, 3).edges)
    block.edges[0, 0, 5] = block.edges[0, 0, 4]  # a bin that has collapsed
    there = fused_on_device.GridOnDevice(block, emulated().kernels)
    x = stream(5, "points").uniform(3, sum(counts))
    if x.numel():
        x[0, 0], x[1, 0], x[2, 0] = 0.0, 1.0, block.edges[3, 2, 4]
    for name in ("to_latent", "to_data"):
        found, expected = (getattr(each, name)(x, counts) for each in (there, block))
        torch.testing.assert_close(found[0], expected[0], rtol=0, atol=1e-13)
        torch.testing.assert_close(found[1], expected[1], rtol=0, atol=1e-11)


def test_points_of_a_grid_on_a_device_have_gradients() -> None:
    block = grids(2, 3)
    there = fused_on_device.GridOnDevice(block, emulated().kernels)
    x = stream(5, "points").uniform(3, 40).requires_grad_()
    found, expected = (
        torch.autograd.grad(function_of(*each.to_latent(x, [10, 30])), x)[0]
        for each in (there, block)
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_on_a_device_draws_the_points_of_the_processor(name: str) -> None:
    any_flow = FLOWS[name]()
    there = on_device(any_flow)
    channel = torch.arange(500) * any_flow.n_channels // 500
    (x, log_q), (expected, expected_log_q) = (
        candidate.sample(channel, stream(3, "sample")) for candidate in (there, any_flow)
    )
    assert x.device == log_q.device == emulated().torch_device
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(log_q, expected_log_q, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_on_a_device_learns_what_the_processor_learns(name: str) -> None:
    any_flow = FLOWS[name]()
    channel = torch.arange(500) * any_flow.n_channels // 500
    x, log_q = any_flow.sample(channel, stream(3, "sample"))
    weight = torch.linspace(0.0, 1.0, 500, dtype=torch.float64)

    def learned(candidate: SplineFlow, known: bool) -> list[Tensor]:
        value = (
            candidate.log_prob_of_sample(x, channel, log_q)
            if known
            else candidate.log_prob(x, channel)
        )
        return [value.detach(), *torch.autograd.grad(weight @ value, list(candidate.parameters()))]

    for known in (False, True):
        found = learned(on_device(any_flow), known)
        assert_gradients_agree(found, learned(any_flow, known), 1e-10)


def test_a_flow_leaves_a_device_as_it_came() -> None:
    any_flow = flow(3, 2)
    there = on_device(any_flow)
    assert there.state_dict().keys() == any_flow.state_dict().keys()
    loaded = pickle.loads(pickle.dumps(there))
    assert loaded.device is emulated()
    loaded.compute_on(None)
    x, counts = batch(any_flow, 100)
    for a, b in zip(values(loaded, x, counts), values(any_flow, x, counts), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("groups", [None, (0, 1, 0)])
def test_the_host_waits_for_a_device_neither_in_sampling_nor_in_a_step_of_training(
    groups: tuple[int, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched = []
    monkeypatch.setattr(
        LaunchesNothing, "launch", lambda _, source, name, *rest, **sizes: launched.append(name)
    )
    any_flow = SplineFlow(4, 3, groups=groups)
    any_flow.grid = grids(any_flow.n_flows, 4)
    any_flow.compute_on(WITHOUT_VALUES)
    channel = torch.tensor([0, 0, 2, 2, 2])
    with NoWaiting():
        x, log_q = any_flow.sample(channel, stream(3, "sample"))
        of_sample = any_flow.log_prob_of_sample(x, channel, log_q)
        of_points = any_flow.log_prob(x, channel)
        gradients = torch.autograd.grad((of_sample + of_points).sum(), list(any_flow.parameters()))
    assert {part.device.type for part in (x, log_q, *gradients)} == {"meta"}
    gradient = ("coupling_forward", "coupling_backward", "coupling_add_sums")
    assert [name.removesuffix("_float32") for name in launched] == [
        *("uniform_numbers", "coupling_inverse", "grid_to_data"),
        "grid_to_latent",
        *("grid_to_latent", "coupling_forward"),
        *gradient,
        *gradient,
    ]
