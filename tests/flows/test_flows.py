"""Flows of coupling blocks: laws of a density, independent values, refusals."""

from __future__ import annotations

import math
from collections.abc import Callable

import laws
import numpy as np
import pytest
import torch
from fused_flows import perturbed
from pydantic import ValidationError
from random_tensors import rand, randn
from reference_flows import Vector, layers_of, reference_network, reference_spline
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import stream


def flow(dim: int, n_channels: int, **settings: object) -> Callable[[], SplineFlow]:
    return lambda: perturbed(SplineFlow(dim, n_channels, FlowSettings(**settings)))


FLOWS = {
    "1d": flow(1, 1),
    "1d, three channels, float64": flow(1, 3, dtype="float64"),
    "2d": flow(2, 1),
    "2d, three channels, exchange, float64": flow(2, 3, permutation="exchange", dtype="float64"),
    "3d, three channels, random, float64": flow(
        3, 3, permutation="random", dtype="float64", seed=2
    ),
    "3d, exchange, six blocks": flow(3, 1, permutation="exchange", blocks=6),
    "3d, two bins, one layer": flow(3, 3, bins=2, layers=1),
    "7d, three channels": flow(7, 3),
    "7d, float64, five blocks": flow(7, 1, dtype="float64", blocks=5),
    "1d, affine, float64": flow(1, 3, transform="affine", dtype="float64"),
    "2d, affine": flow(2, 3, transform="affine"),
    "2d, affine, soft, six blocks, float64": flow(
        2, 1, transform="affine", permutation="soft", blocks=6, dtype="float64"
    ),
    "3d, affine, trainable rotations, float64": flow(
        3, 3, transform="affine", permutation="trainable", dtype="float64"
    ),
    "1d, angle, float64": flow(1, 3, periodic=(0,), dtype="float64"),
    "2d, one angle": flow(2, 3, periodic=(1,)),
    "4d, two angles, float64": flow(4, 1, periodic=(0, 3), dtype="float64"),
}


@pytest.fixture(params=FLOWS)
def any_flow(request: pytest.FixtureRequest) -> SplineFlow:
    return FLOWS[request.param]()


def rounding(any_flow: SplineFlow) -> float:
    """Affine flows see the distance to the upper faces, 1 - x, rounded."""
    return (
        1e-4
        if any_flow.settings.dtype == "float32"
        else 1e-8
        if any_flow.settings.transform == "affine"
        else 1e-9
    )


def test_sampled_density_is_the_density(any_flow: SplineFlow) -> None:
    laws.flow_sample_agrees_with_log_prob(any_flow, rounding(any_flow))


def test_points_are_inside_the_cube(any_flow: SplineFlow) -> None:
    laws.flow_points_are_inside_the_cube(any_flow)


@pytest.mark.parametrize("name", [name for name in FLOWS if name.startswith(("1d", "2d"))])
def test_density_integrates_to_one_by_quadrature(name: str) -> None:
    any_flow = FLOWS[name]()
    laws.flow_is_normalised_by_quadrature(
        any_flow, {1: 60000, 2: 300}[any_flow.dim], {1: 1e-7, 2: 3e-4}[any_flow.dim]
    )


def test_density_integrates_to_one_by_sampling(any_flow: SplineFlow) -> None:
    laws.flow_is_normalised_by_sampling(any_flow, 20000)


def test_samples_follow_the_density(any_flow: SplineFlow) -> None:
    laws.flow_samples_follow_the_density(any_flow, 20000)


def test_samples_are_a_function_of_the_stream(any_flow: SplineFlow) -> None:
    laws.flow_samples_are_a_function_of_the_stream(any_flow)


def test_density_does_not_depend_on_neighbours(any_flow: SplineFlow) -> None:
    laws.flow_density_does_not_depend_on_neighbours(any_flow, rounding(any_flow))


def test_empty_batches_and_channels_are_served(any_flow: SplineFlow) -> None:
    laws.flow_serves_empty_batches_and_channels(any_flow)


def test_gradients_are_finite_at_the_edges(any_flow: SplineFlow) -> None:
    laws.flow_gradients_are_finite(any_flow)


def test_mapping_back_recovers_the_uniform_numbers(any_flow: SplineFlow) -> None:
    laws.flow_round_trip(any_flow, 1e-9 if any_flow.settings.dtype == "float64" else 1e-5)


@pytest.mark.parametrize("name", [name for name in FLOWS if "float64" in name])
def test_density_is_the_jacobian(name: str) -> None:
    laws.flow_log_prob_is_its_jacobian(FLOWS[name](), 1e-9)


@pytest.mark.parametrize("dim", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transform", ["spline", "affine"])
def test_new_flow_is_exactly_uniform(dim: int, dtype: str, transform: str) -> None:
    laws.flow_is_uniform(SplineFlow(dim, 3, FlowSettings(dtype=dtype, transform=transform)))


def test_new_flow_with_angles_is_exactly_uniform() -> None:
    laws.flow_is_uniform(SplineFlow(4, 3, FlowSettings(periodic=(0, 3))))


@pytest.mark.parametrize("permutation", ["soft", "trainable"])
def test_new_flow_with_rotations_is_uniform_up_to_rounding(permutation: str) -> None:
    flow = SplineFlow(3, 2, FlowSettings(transform="affine", permutation=permutation))
    x, channel = rand(300, 3, seed=23), torch.arange(2).repeat_interleave(150)
    torch.testing.assert_close(
        flow.log_prob(x, channel), torch.zeros(300).double(), rtol=0.0, atol=1e-12
    )


def test_initial_parameters_are_a_function_of_the_seed() -> None:
    def parameters(seed: int) -> Tensor:
        return torch.cat(
            [p.flatten() for p in SplineFlow(3, 2, FlowSettings(seed=seed)).parameters()]
        )

    state = torch.get_rng_state()
    first = parameters(1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(7)
    assert torch.equal(parameters(1), first)
    assert not torch.equal(parameters(2), first)


def reference_log_prob(flow: SplineFlow, x: Vector, channel: int) -> float:
    """The density at one point by loops over blocks and features."""
    log_q, x = 0.0, x.copy()
    for block in reversed(flow.coupling_blocks):
        mask = np.array(block.mask)
        theta = reference_network(
            math.sqrt(12) * (x[~mask] - 0.5), *layers_of(block.subnet, channel)
        ).reshape(-1, mask.sum())
        values = [reference_spline(a, t) for a, t in zip(x[mask], theta.T, strict=True)]
        x[mask] = [y for y, _ in values]
        log_q += sum(math.log(slope) for _, slope in values)
    return log_q


@pytest.mark.parametrize("dim", [1, 3, 7])
def test_density_is_that_of_an_independent_implementation(dim: int) -> None:
    flow = perturbed(SplineFlow(dim, 3, FlowSettings(dtype="float64")))
    x, channel = rand(12, dim, seed=17), torch.arange(3).repeat_interleave(4)
    expected = [
        reference_log_prob(flow, p, int(c)) for p, c in zip(x.numpy(), channel, strict=True)
    ]
    np.testing.assert_allclose(flow.log_prob(x, channel).detach(), expected, rtol=0, atol=1e-9)


def test_float32_networks_give_nearly_the_density_of_float64_ones() -> None:
    x, channel = rand(200, 7, seed=18), torch.zeros(200, dtype=torch.int64)
    single, double = (
        perturbed(SplineFlow(7, 1, FlowSettings(dtype=t))) for t in ("float32", "float64")
    )
    torch.testing.assert_close(
        single.log_prob(x, channel), double.log_prob(x, channel), rtol=0.0, atol=1e-3
    )


def test_channels_do_not_see_the_parameters_of_others() -> None:
    flow = perturbed(SplineFlow(3, 2))
    x, channel = rand(20, 3, seed=19), torch.arange(2).repeat_interleave(torch.tensor([12, 8]))
    before = flow.log_prob(x, channel).detach()
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter[1] += 0.1
    after = flow.log_prob(x, channel).detach()
    assert torch.equal(after[:12], before[:12])
    assert bool((after[12:] != before[12:]).all())


def test_biases_of_the_last_two_blocks_make_a_product_density() -> None:
    flow = SplineFlow(5, 2, FlowSettings(dtype="float64"))
    theta = randn(31, 5, seed=20)
    for block in flow.coupling_blocks[-2:]:
        mask = torch.tensor(block.mask)
        with torch.no_grad():
            block.subnet.biases[-1][1] = theta[:, mask].flatten()
    x = rand(30, 5, seed=21)
    expected = [
        sum(math.log(reference_spline(float(p[i]), theta[:, i].numpy())[1]) for i in range(5))
        for p in x
    ]
    np.testing.assert_allclose(
        flow.log_prob(x, torch.ones(30, dtype=torch.int64)).detach(), expected, atol=1e-10
    )
    assert torch.equal(
        flow.log_prob(x, torch.zeros(30, dtype=torch.int64)).detach(), torch.zeros(30).double()
    )


def test_state_dictionary_restores_the_flow() -> None:
    flow = perturbed(SplineFlow(3, 2))
    other = SplineFlow(3, 2, FlowSettings(seed=1))
    other.load_state_dict(flow.state_dict())
    x, channel = rand(20, 3, seed=22), torch.zeros(20, dtype=torch.int64)
    assert torch.equal(other.log_prob(x, channel), flow.log_prob(x, channel))


def test_training_adapts_the_density_to_a_correlated_peak() -> None:
    def target(x: Tensor) -> Tensor:
        u, v = x[:, 0] + x[:, 1] - 1.0, x[:, 0] - x[:, 1]
        return torch.exp(-((u / 0.4) ** 2) - (v / 0.1) ** 2)

    learner = SplineFlow(2, 1)

    def relative_std() -> float:
        x, log_q = learner.sample(torch.zeros(4000, dtype=torch.int64), stream(2, "check"))
        weight = target(x) / log_q.exp()
        return float(weight.std() / weight.mean())

    optimizer = torch.optim.Adam(learner.parameters(), lr=3e-3)
    channel, untrained = torch.zeros(500, dtype=torch.int64), relative_std()
    for step in range(250):
        x, log_q = learner.sample(channel, stream(1, step))
        loss = -(target(x) / log_q.exp() * learner.log_prob(x, channel)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert untrained > 1.5
    assert relative_std() < 0.3


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (
            torch.zeros(3),
            r"channel: expected int64 of shape \(n,\); got torch.float32 of shape \(3,\)",
        ),
        (torch.zeros(3, 1, dtype=torch.int64), r"got torch.int64 of shape \(3, 1\)"),
        (torch.tensor([0, 1, 0]), "channel: expected sorted entries; entry 2 is 0 after 1"),
        (torch.tensor([0, 1, 2]), r"channel: expected entries in 0 \.\.\. 1; got 0 \.\.\. 2"),
        (torch.tensor([-1, 0, 0]), r"channel: expected entries in 0 \.\.\. 1; got -1 \.\.\. 0"),
    ],
)
def test_bad_channels_are_refused(channel: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SplineFlow(2, 2).sample(channel, stream(0))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            torch.zeros(3, 2),
            r"x: expected float64 of shape \(3, 2\); got torch.float32 of shape \(3, 2\)",
        ),
        (
            torch.zeros(2, 3).double(),
            r"x: expected float64 of shape \(3, 2\); got torch.float64 of shape \(2, 3\)",
        ),
        (
            torch.full((3, 2), 1.5).double(),
            r"x: expected points in \[0, 1\]; got values from 1.5 to 1.5",
        ),
        (
            torch.full((3, 2), math.nan).double(),
            r"x: expected points in \[0, 1\]; got values from nan to nan",
        ),
    ],
)
def test_bad_points_are_refused(x: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SplineFlow(2, 1).log_prob(x, torch.zeros(3, dtype=torch.int64))


def test_flow_without_dimension_is_refused() -> None:
    with pytest.raises(
        InputError, match="SplineFlow: expected dim and n_channels of at least 1; got 0 and 2"
    ):
        SplineFlow(0, 2)


@pytest.mark.parametrize(
    "settings",
    [
        {"bins": 1},
        {"bins": 257},
        {"layers": 0},
        {"units": 0},
        {"blocks": 1},
        {"permutation": "soft"},
        {"periodic": (0,), "transform": "affine"},
        {"transform": "cubic"},
        {"dtype": "half"},
        {"bin": 10},
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(settings))):
        FlowSettings(**settings)


def test_settings_explain_every_field() -> None:
    assert all(field.description for field in FlowSettings.model_fields.values())
