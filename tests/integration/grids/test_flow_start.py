from __future__ import annotations

import math
from collections.abc import Callable

import laws
import numpy as np
import pytest
import torch
from integrands import gaussian, ridge
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.grids.flow_start import (
    VegasStart,
    initialise_from_vegas,
    points_of_grids,
)
from madnis_py.integration.grids.grid_splines import fitted, merged
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.parallel.random_streams import stream, torch_generator
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process

METHODS: list[VegasStart] = ["fit", "merge", "smooth", "grid"]


def product(*factors: Callable[[Tensor], Tensor]) -> FunctionIntegrand:
    """A factor per dimension: what a grid is made for."""
    return FunctionIntegrand(
        lambda x: torch.stack([f(row) for f, row in zip(factors, x.T, strict=True)]).prod(0),
        dim=len(factors),
    )


def normal(mean: float, width: float) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.exp(-0.5 * ((x - mean) / width).square())


def breit_wigner(mean: float, width: float) -> Callable[[Tensor], Tensor]:
    return lambda x: 1.0 / ((x - mean).square() + width**2)


def edge(cutoff: float) -> Callable[[Tensor], Tensor]:
    return lambda x: 1.0 / (x + cutoff)


def box(x: Tensor) -> Tensor:
    return ((x > 0.37) & (x < 0.42)).double()


def flat(x: Tensor) -> Tensor:
    return torch.ones_like(x)


INTEGRANDS: dict[str, Callable[[], AbstractIntegrand]] = {
    "broad Gaussian": lambda: product(normal(0.5, 0.3), normal(0.4, 0.2), flat),
    "narrow Gaussian": lambda: product(normal(0.3, 0.001), normal(0.7, 0.01)),
    "Breit-Wigner": lambda: product(breit_wigner(0.3, 1e-3), breit_wigner(0.6, 1e-2)),
    "very narrow Breit-Wigner": lambda: product(breit_wigner(0.3, 1e-5), flat),
    "edge": lambda: product(edge(1e-2), edge(1e-4)),
    "sharp edge": lambda: product(edge(1e-7), normal(0.5, 0.2)),
    "box": lambda: product(box, normal(0.5, 0.2)),
    "Gaussian": lambda: FunctionIntegrand(gaussian, dim=4),
    "ridge": lambda: FunctionIntegrand(ridge, dim=2),
    "two channels": lambda: CamelBack(optimal_prior=True),
    "Drell-Yan and Z'": lambda: CrossSection(Process.from_card("drell_yan_zprime")),
}


@pytest.fixture(scope="module", params=INTEGRANDS)
def surveyed(request: pytest.FixtureRequest) -> tuple[AbstractIntegrand, VegasFlow]:
    integrand = INTEGRANDS[request.param]()
    return integrand, train_vegas(integrand, VegasSettings(points=5000), seed=1)[0]


def relative_std(integrand: AbstractIntegrand, flow: VegasFlow | SplineFlow) -> tuple[float, float]:
    """sum_i sigma_i / I of fresh points and its standard error, from ten batches."""
    sampler = ImportanceSampler(integrand, flow, PriorWeights(), seed=7)
    counts = torch.full((integrand.n_channels,), 3000)
    values = [sampler.moments(counts, "judge", k).estimate().relative_std for k in range(10)]
    return float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(10))


@pytest.mark.parametrize("method", METHODS)
def test_a_flow_is_never_worse_than_the_grid_it_starts_from(
    surveyed: tuple[AbstractIntegrand, VegasFlow], method: VegasStart
) -> None:
    integrand, vegas = surveyed
    flow = SplineFlow(integrand.dim, integrand.n_channels)
    samples = points_of_grids(ImportanceSampler(integrand, vegas, PriorWeights(), seed=3))
    initialise_from_vegas(flow, vegas, method, samples)
    of_grid, of_flow = relative_std(integrand, vegas), relative_std(integrand, flow)
    assert of_flow[0] < 1.001 * of_grid[0] + 3 * math.hypot(of_grid[1], of_flow[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_started_flow_obeys_the_laws(method: VegasStart) -> None:
    flow = SplineFlow(2, 3, FlowSettings(dtype="float64"))
    initialise_from_vegas(flow, random_grids(3, 2), method)
    laws.flow_sample_agrees_with_log_prob(flow, 1e-8)
    laws.flow_round_trip(flow, 1e-9)
    laws.flow_log_prob_is_its_jacobian(flow, 1e-8)
    laws.flow_is_normalised_by_sampling(flow, 20000)
    laws.flow_samples_follow_the_density(flow, 20000)
    laws.flow_gradients_are_finite(flow)


def random_grids(n_channels: int, dim: int, bins: int = 64, seed: int = 1) -> VegasFlow:
    """Grids with bins of sizes that vary smoothly over two orders of magnitude."""
    phase = (
        2
        * math.pi
        * torch.rand(
            n_channels, dim, 1, generator=torch_generator(seed, "grids"), dtype=torch.float64
        )
    )
    width = torch.exp(2.3 * torch.sin(phase + 0.1 * torch.arange(bins)))
    edges = torch.cat(
        (torch.zeros_like(phase), (width / width.sum(2, keepdim=True)).cumsum(2)), dim=2
    )
    return VegasFlow(edges / edges[:, :, -1:])


def test_the_method_grid_starts_with_the_density_of_the_grid() -> None:
    vegas, flow = random_grids(2, 3), SplineFlow(3, 2)
    initialise_from_vegas(flow, vegas, "grid")
    x, channel = (
        torch.rand(500, 3, generator=torch_generator(2)).double(),
        torch.arange(2).repeat_interleave(250),
    )
    torch.testing.assert_close(
        flow.log_prob(x, channel), vegas.log_prob(x, channel), rtol=0.0, atol=1e-10
    )


def test_the_method_grid_samples_the_points_of_the_grid() -> None:
    vegas, flow = random_grids(2, 3), SplineFlow(3, 2)
    initialise_from_vegas(flow, vegas, "grid")
    channel = torch.arange(2).repeat_interleave(250)
    for ours, theirs in zip(
        flow.sample(channel, stream(3)), vegas.sample(channel, stream(3)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0.0, atol=1e-10)


def test_a_smooth_grid_keeps_the_content_of_the_bins_and_is_continuous() -> None:
    vegas, flow = random_grids(1, 1), SplineFlow(1, 1)
    initialise_from_vegas(flow, vegas, "smooth")

    def log_density(x: Tensor) -> Tensor:
        points = x.view(-1, 1)
        return flow.log_prob(points, torch.zeros(len(points), dtype=torch.int64)).detach()

    edges = vegas.grid[0, 0]
    middles = edges[:-1, None] + edges.diff()[:, None] * (torch.arange(400) + 0.5) / 400
    content = log_density(middles.flatten()).exp().view(64, 400).mean(1) * edges.diff()
    torch.testing.assert_close(content, torch.full((64,), 1 / 64).double(), rtol=1e-4, atol=0.0)
    below, above = (log_density(edges[1:-1] * (1 + shift)) for shift in (-1e-9, 1e-9))
    torch.testing.assert_close(below, above, rtol=0.0, atol=1e-4)


def test_with_as_many_bins_as_the_grid_merging_is_the_spline_of_the_thesis() -> None:
    """h_k = 1 / K and d_k = 2 / (K (w_k + w_k+1)), Eq. (5.21), by Eq. (3.50)."""
    edges = random_grids(1, 1, bins=12).grid[0]
    width, height, derivative = spline_of(merged(edges, 12)[:, 0])
    w = edges[0].diff().numpy()
    np.testing.assert_allclose(width, w, atol=1e-12)
    np.testing.assert_allclose(height, 1 / 12, atol=1e-12)
    np.testing.assert_allclose(derivative[1:-1], 2 / (12 * (w[1:] + w[:-1])), rtol=1e-9)
    np.testing.assert_allclose(derivative[[0, -1]], 1 / (12 * w[[0, -1]]), rtol=1e-9)


def merged_by_loop(edges: np.ndarray, bins: int) -> tuple[list[float], list[float], list[float]]:
    """Eqs. (5.21)-(5.23) bin by bin."""
    n = len(edges) - 1
    w, h = list(np.diff(edges)), [1 / n] * n
    d = [1 / (n * w[0])] + [2 / (n * (w[k] + w[k + 1])) for k in range(n - 1)] + [1 / (n * w[-1])]
    while len(w) > bins:
        pairs = range(len(w) - 1)
        small = [k for k in pairs if w[k] + w[k + 1] < 2 / bins and h[k] + h[k + 1] < 2 / bins]
        k = min(small or pairs, key=lambda k: abs(w[k] / h[k] - w[k + 1] / h[k + 1]))
        w[k : k + 2], h[k : k + 2] = [w[k] + w[k + 1]], [h[k] + h[k + 1]]
        del d[k + 1]
    return w, h, d


def test_merging_follows_the_steps_of_the_thesis() -> None:
    grids = random_grids(4, 2).grid.flatten(0, 1)
    for row, theta in zip(grids, merged(grids, 10).T, strict=True):
        for found, expected in zip(spline_of(theta), merged_by_loop(row.numpy(), 10), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_grid_of_few_bins_is_split_before_merging() -> None:
    theta = merged(torch.tensor([[0.0, 0.4, 1.0]], dtype=torch.float64), 10)
    width, height, _ = spline_of(theta[:, 0])
    assert len(width) == 10
    assert np.interp(0.4, np.cumsum(width), np.cumsum(height)) == pytest.approx(0.5)


def spline_of(theta: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Widths, heights and derivatives of a spline, Eq. (3.50) with the minimum bin size."""
    bins = len(theta) // 3
    free = 1 - bins * splines.MIN_BIN_SIZE
    width, height = (
        (splines.MIN_BIN_SIZE + free * part.softmax(0)).numpy()
        for part in theta[: 2 * bins].view(2, bins)
    )
    return width, height, (torch.nn.functional.softplus(theta[2 * bins :]) / math.log(2)).numpy()


def test_sizes_and_slopes_beyond_the_limits_are_moved_to_them() -> None:
    width = torch.tensor([1e-9, 0.5, 0.5 - 1e-9]).double()
    theta = splines.parameters(width, width, torch.tensor([1e9, 1e-9, 1.0, 1.0]).double())
    found, _, derivative = spline_of(theta)
    assert theta.isfinite().all()
    np.testing.assert_allclose(found, [splines.MIN_BIN_SIZE, 0.5, 0.5], rtol=2e-3)
    np.testing.assert_allclose(derivative, [1e4 / math.log(2), 8.9e-6, 1, 1], rtol=0.01)


SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "normal 0.3": normal(0.4, 0.3),
    "normal 0.1": normal(0.4, 0.1),
    "normal 0.01": normal(0.4, 0.01),
    "Breit-Wigner 0.01": breit_wigner(0.3, 1e-2),
    "Breit-Wigner 0.001": breit_wigner(0.3, 1e-3),
    "edge 0.01": edge(1e-2),
    "root": lambda x: x**-0.5,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fitted_splines_beat_merged_ones_and_the_grid(shape: str) -> None:
    """Relative standard deviation of f / q by quadrature, 400 midpoints in each bin of the grid."""
    f = SHAPES[shape]
    vegas, _ = train_vegas(product(f), VegasSettings(points=5000), seed=2)
    edges = vegas.grid[0, 0]
    x = (edges[:-1, None] + edges.diff()[:, None] * (torch.arange(400) + 0.5) / 400).flatten()
    volume = (edges.diff() / 400).repeat_interleave(400)

    def std(log_q: Tensor) -> float:
        mean = (f(x) * volume).sum()
        return float(((f(x) / mean - log_q.exp()).square() / log_q.exp() * volume).sum().sqrt())

    def std_of_spline(theta: Tensor) -> float:
        return std(splines.forward(x, theta.expand(-1, len(x)))[1])

    of_grid = std(vegas.log_prob(x.view(-1, 1), torch.zeros(len(x), dtype=torch.int64)))
    of_merged, of_fitted = (
        std_of_spline(merged(vegas.grid[0], 10)),
        std_of_spline(fitted(vegas.grid[0], 10)),
    )
    assert of_fitted < 1.02 * of_merged
    assert of_fitted < of_grid


def test_the_fit_gives_the_same_bytes_again() -> None:
    edges = random_grids(3, 2).grid.flatten(0, 1)
    assert torch.equal(fitted(edges, 10), fitted(edges, 10))


def test_a_peak_too_narrow_for_the_splines_keeps_the_grid() -> None:
    integrand = product(breit_wigner(0.3, 1e-6), normal(0.5, 0.2))
    vegas, _ = train_vegas(integrand, VegasSettings(points=5000), seed=1)
    flow = SplineFlow(2, 1)
    initialise_from_vegas(
        flow, vegas, "fit", points_of_grids(ImportanceSampler(integrand, vegas, PriorWeights()))
    )
    assert flow.grid is not None
    assert torch.equal(flow.grid.edges[0, 0], vegas.grid[0, 0])
    assert torch.equal(flow.grid.edges[0, 1], torch.linspace(0, 1, 65, dtype=torch.float64))


def test_a_density_that_splines_follow_needs_no_grid() -> None:
    integrand = product(normal(0.3, 0.05), normal(0.5, 0.2))
    vegas, _ = train_vegas(integrand, VegasSettings(points=5000), seed=1)
    flow = SplineFlow(2, 1)
    initialise_from_vegas(
        flow, vegas, "fit", points_of_grids(ImportanceSampler(integrand, vegas, PriorWeights()))
    )
    assert flow.grid is None


def test_a_channel_without_weight_starts_as_the_method_says() -> None:
    integrand = FunctionIntegrand(
        gaussian, dim=2, n_channels=2, prior=lambda x: torch.tensor([1.0, 0.0]).expand(len(x), 2)
    )
    vegas, _ = train_vegas(integrand, VegasSettings(points=2000), seed=1)
    flow = SplineFlow(2, 2)
    initialise_from_vegas(
        flow, vegas, "fit", points_of_grids(ImportanceSampler(integrand, vegas, PriorWeights()))
    )
    assert (
        flow.log_prob(torch.rand(10, 2).double(), torch.ones(10, dtype=torch.int64))
        .isfinite()
        .all()
    )


def test_channels_of_a_group_start_from_the_grid_that_they_share() -> None:
    shared = VegasFlow(random_grids(2, 2).grid, torch.tensor([0, 1, 0]))
    flow = SplineFlow(2, 3, groups=(0, 1, 0))
    initialise_from_vegas(flow, shared, "grid")
    x, channel = (
        torch.rand(300, 2, generator=torch_generator(2)).double(),
        torch.arange(3).repeat_interleave(100),
    )
    torch.testing.assert_close(
        flow.log_prob(x, channel), shared.log_prob(x, channel), rtol=0.0, atol=1e-10
    )


def test_grids_that_other_channels_share_are_refused() -> None:
    with pytest.raises(
        InputError, match="expected channels that share a density to share a grid, and no others"
    ):
        initialise_from_vegas(SplineFlow(2, 3, groups=(0, 1, 0)), random_grids(3, 2))


def test_an_angle_starts_as_a_function_on_the_circle() -> None:
    flow = SplineFlow(2, 1, FlowSettings(periodic=(1,), dtype="float64"))
    initialise_from_vegas(flow, random_grids(1, 2), "fit")
    x = torch.tensor([[0.3, 0.0], [0.3, 1.0 - 1e-12]], dtype=torch.float64)
    first, last = flow.log_prob(x, torch.zeros(2, dtype=torch.int64)).tolist()
    assert first == pytest.approx(last, abs=1e-8)
    assert first != pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_a_started_flow_is_restored_from_its_state(method: VegasStart) -> None:
    flow, other = SplineFlow(2, 2), SplineFlow(2, 2)
    initialise_from_vegas(flow, random_grids(2, 2), method)
    other.load_state_dict(flow.state_dict())
    x, channel = torch.rand(20, 2).double(), torch.zeros(20, dtype=torch.int64)
    assert torch.equal(other.log_prob(x, channel), flow.log_prob(x, channel))


def test_what_was_learned_before_is_forgotten() -> None:
    new, used = SplineFlow(3, 2), SplineFlow(3, 2)
    initialise_from_vegas(used, random_grids(2, 3, seed=5), "grid")
    for block in used.coupling_blocks:
        torch.nn.init.ones_(block.subnet.weights[-1])
    for flow in (new, used):
        initialise_from_vegas(flow, random_grids(2, 3), "merge")
    x, channel = torch.rand(20, 3).double(), torch.zeros(20, dtype=torch.int64)
    assert torch.equal(new.log_prob(x, channel), used.log_prob(x, channel))


def test_grids_of_another_shape_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"VEGAS start: expected a flow of \(n_channels, dim\) = \(2, 3\) of the grids",
    ):
        initialise_from_vegas(SplineFlow(3, 1), random_grids(2, 3))


def test_splines_for_an_affine_flow_are_refused() -> None:
    with pytest.raises(
        InputError, match="VEGAS start: method 'fit' needs a flow of splines; got 'affine'"
    ):
        initialise_from_vegas(
            SplineFlow(3, 2, FlowSettings(transform="affine")), random_grids(2, 3)
        )


def test_an_affine_flow_starts_from_a_grid() -> None:
    vegas, flow = (
        random_grids(2, 3),
        SplineFlow(3, 2, FlowSettings(transform="affine", permutation="soft")),
    )
    initialise_from_vegas(flow, vegas, "grid")
    x, channel = torch.rand(50, 3).double(), torch.ones(50, dtype=torch.int64)
    torch.testing.assert_close(
        flow.log_prob(x, channel), vegas.log_prob(x, channel), rtol=0.0, atol=1e-10
    )
