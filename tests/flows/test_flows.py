from __future__ import annotations

import math
from collections.abc import Callable

import laws
import numpy as np
import pytest
import torch
from fused_flows import perturbed
from pydantic import ValidationError
from scipy.optimize import brentq
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.flow import FlowSettings, SplineFlow
from madnis_py.flows.networks import MLP, StackedMLP
from madnis_py.flows.permutations import coupling_masks, default_blocks
from madnis_py.parallel.random_streams import stream

Vector = np.ndarray


def randn(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=stream(seed, "test"), dtype=dtype)


def rand(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(shape, generator=stream(seed, "test"), dtype=dtype)


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


def test_samples_are_a_function_of_the_generator(any_flow: SplineFlow) -> None:
    laws.flow_samples_are_a_function_of_the_generator(any_flow)


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


# --- the spline
# -------------------------------------------------------------------------------------------------------


def knots(theta: Vector) -> tuple[Vector, Vector, Vector]:
    """Widths, heights and derivatives of one spline by Eq. (3.50), the minimum size as documented."""
    k = len(theta) // 3
    sizes = []
    for part in (theta[:k], theta[k : 2 * k]):
        softmax = np.exp(part - part.max()) / np.exp(part - part.max()).sum()
        sizes.append(splines.MIN_BIN_SIZE + (1 - k * splines.MIN_BIN_SIZE) * softmax)
    return sizes[0], sizes[1], np.log1p(np.exp(theta[2 * k :])) / np.log(2)


def reference_spline(x: float, theta: Vector) -> tuple[float, float]:
    """Value and derivative of one spline by the textbook bin function."""
    w, h, d = knots(theta)
    corner_x, corner_y = (np.concatenate(([0.0], np.cumsum(size))) for size in (w, h))
    k = min(max(int(np.searchsorted(corner_x, x, side="right")) - 1, 0), len(w) - 1)
    s, xi = h[k] / w[k], (x - corner_x[k]) / w[k]
    denominator = s + (d[k] + d[k + 1] - 2 * s) * xi * (1 - xi)
    y = corner_y[k] + h[k] * (s * xi**2 + d[k] * xi * (1 - xi)) / denominator
    slope = (
        s**2 * (d[k + 1] * xi**2 + 2 * s * xi * (1 - xi) + d[k] * (1 - xi) ** 2) / denominator**2
    )
    return y, slope


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


# --- networks
# ---------------------------------------------------------------------------------------------------------


def reference_network(x: Vector, weights: list[Vector], biases: list[Vector]) -> Vector:
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = weight @ (np.where(x > 0, x, 0.01 * x) if i else x) + bias
    return x


def layers_of(network: StackedMLP, channel: int) -> tuple[list[Vector], list[Vector]]:
    weights, biases = (
        [p[channel].detach().numpy() for p in parameters]
        for parameters in (network.weights, network.biases)
    )
    return weights, biases


@pytest.mark.parametrize("counts", [[4, 4, 4], [0, 9, 3], [12, 0, 0]])
def test_each_channel_is_evaluated_by_its_own_network(counts: list[int]) -> None:
    network = StackedMLP(
        3, 5, 4, layers=3, units=8, generator=stream(1, "net"), dtype=torch.float64
    )
    x = randn(5, 12, seed=13)
    channel = np.repeat(np.arange(3), counts)
    expected = [
        reference_network(x[:, i].numpy(), *layers_of(network, c)) for i, c in enumerate(channel)
    ]
    np.testing.assert_allclose(network(x, counts).detach(), np.array(expected).T, atol=1e-13)


@pytest.mark.parametrize("counts", [[4, 4, 4], [0, 9, 3]])
def test_stacked_gradients_are_right(counts: list[int]) -> None:
    network = StackedMLP(
        3, 2, 2, layers=2, units=3, generator=stream(2, "net"), dtype=torch.float64
    )
    x = randn(2, 12, seed=14).requires_grad_()
    parameters = tuple(network.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: network(x, counts), (x, *parameters))


def test_single_network_maps_rows_to_rows() -> None:
    network = MLP(5, 4, layers=3, units=8, generator=stream(3, "net"), dtype=torch.float64)
    x = randn(7, 5, seed=15)
    expected = [reference_network(row, *layers_of(network.stack, 0)) for row in x.numpy()]
    np.testing.assert_allclose(network(x).detach(), expected, atol=1e-13)


def test_zero_output_starts_at_zero_and_learns() -> None:
    network = MLP(5, 4, layers=3, units=8, generator=stream(4, "net"), zero_output=True)
    y = network(randn(7, 5, seed=16, dtype=torch.float32))
    y.sum().backward()
    assert torch.equal(y.detach(), torch.zeros(7, 4))
    assert bool((network.stack.weights[-1].grad != 0.0).any())


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


# --- permutations
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dim", "blocks"), [(1, 2), (2, 2), (3, 4), (7, 6), (10, 8), (13, 8)])
def test_number_of_blocks_of_the_logarithmic_decomposition(dim: int, blocks: int) -> None:
    assert default_blocks(dim) == blocks


@pytest.mark.parametrize("dim", range(2, 18))
def test_logarithmic_decomposition_conditions_every_feature_on_every_other(dim: int) -> None:
    masks = coupling_masks("log", dim, default_blocks(dim), stream(0))
    for i in range(dim):
        for j in set(range(dim)) - {i}:
            assert any(mask[i] and not mask[j] for mask in masks)


@pytest.mark.parametrize("permutation", ["log", "exchange", "random"])
@pytest.mark.parametrize("dim", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("blocks", [2, 3, 8])
def test_last_two_blocks_transform_every_feature(permutation: str, dim: int, blocks: int) -> None:
    masks = coupling_masks(permutation, dim, blocks, stream(1, "mask"))
    assert len(masks) == blocks
    assert all(len(mask) == dim and any(mask) for mask in masks)
    assert all(a or b for a, b in zip(masks[-2], masks[-1], strict=True))
    assert dim == 1 or not any(a and b for a, b in zip(masks[-2], masks[-1], strict=True))


def test_random_masks_are_a_function_of_the_generator() -> None:
    first, again, other = (
        coupling_masks("random", 12, 6, stream(seed, "mask")) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


# --- the flow
# ---------------------------------------------------------------------------------------------------------


def reference_log_prob(flow: SplineFlow, x: Vector, channel: int) -> float:
    """The density at one point by loops over blocks and features."""
    log_q, x = 0.0, x.copy()
    for block in reversed(flow.blocks):
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

    def relative_std() -> float:
        x, log_q = flow.sample(torch.zeros(4000, dtype=torch.int64), stream(2, "check"))
        weight = target(x) / log_q.exp()
        return float(weight.std() / weight.mean())

    flow = SplineFlow(2, 1)
    optimizer = torch.optim.Adam(flow.parameters(), lr=3e-3)
    channel, untrained = torch.zeros(500, dtype=torch.int64), relative_std()
    for step in range(250):
        x, log_q = flow.sample(channel, stream(1, step))
        loss = -(target(x) / log_q.exp() * flow.log_prob(x, channel)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert untrained > 1.5
    assert relative_std() < 0.3


# --- what is refused
# --------------------------------------------------------------------------------------------------


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
