from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import vegas
from integrands import Mirrored, gaussian, gaussian_integral, ridge
from toy_integrands import CamelBack

from madnis_py.errors import CheckpointError
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import train
from madnis_py.parallel.random_streams import stream, torch_generator
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process

QUICK = VegasSettings(iterations=5, points=2000)


@pytest.fixture(scope="module")
def flow() -> VegasFlow:
    return train_vegas(FunctionIntegrand(gaussian, dim=3, n_channels=2), QUICK)[0]


def test_defaults_are_those_of_the_thesis() -> None:
    assert VegasSettings().model_dump() == {
        "iterations": 7,
        "points": 20_000,
        "bins": 64,
        "damping": 0.7,
    }


@pytest.mark.parametrize(("points", "bins"), [(10, 8), (400, 10), (2560, 64), (20_000, 64)])
def test_bins_are_as_many_as_the_points_can_fill(points: int, bins: int) -> None:
    flow, _ = train_vegas(
        FunctionIntegrand(gaussian, dim=2), VegasSettings(iterations=1, points=points)
    )
    assert flow.grid.shape == (1, 2, bins + 1)


def test_the_points_of_a_grid_are_shared_by_its_channels() -> None:
    assert VegasSettings(points=101).counts(Mirrored()).tolist() == [51, 101, 51]
    assert VegasSettings(points=2, iterations=3).evaluations(Mirrored()) == 18


@pytest.mark.slow
def test_few_points_for_many_grids_find_the_cross_section() -> None:
    """108 grids of 13 dimensions; with 64 bins for each channel alone they find a tenth of it."""
    integrand = CrossSection(Process.from_card("w4j"))
    _, result = train_vegas(integrand, VegasSettings(points=240), seed=1)
    assert abs(result.value - 51.4) < 5 * math.hypot(result.error, 0.5)  # pb, from flat phase space


def test_sampled_and_evaluated_densities_agree(flow: VegasFlow) -> None:
    channel = torch.tensor([0, 1]).repeat_interleave(torch.tensor([500, 700]))
    x, log_q = flow.sample(channel, stream(1, "sample"))
    assert torch.allclose(flow.log_prob(x, channel), log_q, rtol=0, atol=1e-12)


def test_the_density_is_normalised() -> None:
    inner = (
        torch.rand(3, 2, 15, generator=torch_generator(2, "edges"), dtype=torch.float64)
        .sort(dim=2)
        .values
    )
    grid = torch.cat([torch.zeros(3, 2, 1), inner, torch.ones(3, 2, 1)], dim=2)
    widths, middles = grid[1].diff(dim=1), (grid[1, :, 1:] + grid[1, :, :-1]) / 2
    density = (
        VegasFlow(grid)
        .log_prob(torch.cartesian_prod(*middles), torch.ones(256, dtype=torch.int64))
        .exp()
    )
    assert float((density * torch.cartesian_prod(*widths).prod(dim=1)).sum()) == pytest.approx(
        1.0, rel=1e-13
    )


def test_every_point_of_the_cube_has_a_density(flow: VegasFlow) -> None:
    corners = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.5]], dtype=torch.float64)
    assert flow.log_prob(corners, torch.zeros(3, dtype=torch.int64)).isfinite().all()


def test_the_grid_is_the_one_that_vegas_trains_on_the_same_points() -> None:
    flow = VegasFlow.uniform(2, 1, bins=16)
    reference = vegas.AdaptiveMap([[0.0, 1.0]] * 2, ninc=16)
    channel = torch.zeros(1000, dtype=torch.int64)
    for iteration in range(3):
        x, log_q = flow.sample(channel, stream(4, iteration))
        weight = gaussian(x) / log_q.exp()
        y, jacobian = np.empty((1000, 2)), np.empty(1000)
        reference.invmap(x.numpy(), y, jacobian)
        reference.add_training_data(y, weight.square().numpy())
        reference.adapt(alpha=0.7)
        flow.add_training_data(channel, flow.numbers(1000, stream(4, iteration)), weight)
        flow.adapt(0.7)
    assert np.allclose(flow.grid[0].numpy(), reference.grid, rtol=0, atol=1e-12)


def test_the_integral_agrees_with_the_truth() -> None:
    integrand = FunctionIntegrand(gaussian, dim=4)
    _, result = train_vegas(integrand, QUICK, seed=3)
    assert abs(result.value - gaussian_integral(4)) < 5 * result.error
    assert result.error < 0.02 * result.value


def test_the_integral_of_several_channels_agrees_with_the_truth() -> None:
    _, result = train_vegas(CamelBack(optimal_prior=True), QUICK, seed=3)
    assert abs(result.value - 1.0) < 5 * result.error


def test_the_estimate_leaves_out_the_first_half_of_the_iterations() -> None:
    _, result = train_vegas(
        FunctionIntegrand(gaussian, dim=2), VegasSettings(iterations=7, points=100)
    )
    assert result.n == 4 * 100
    assert result.dof == 3


def test_adapting_lowers_the_variance(flow: VegasFlow) -> None:
    integrand = FunctionIntegrand(gaussian, dim=3, n_channels=2)
    counts = torch.tensor([5000, 5000])
    before = (
        ImportanceSampler(integrand, VegasFlow.uniform(3, 2, 64)).moments(counts, "test").estimate()
    )
    after = ImportanceSampler(integrand, flow).moments(counts, "test").estimate()
    assert after.relative_std < 0.25 * before.relative_std


def test_a_trained_flow_beats_the_grid_on_a_correlated_integrand() -> None:
    """A ridge along the diagonal is flat in each variable: a product grid cannot follow."""
    integrand = FunctionIntegrand(ridge, dim=2)
    grid, _ = train_vegas(integrand, QUICK)
    flow = ImportanceSampler(integrand)
    train(flow, TrainingSettings(steps=200, learning_rate=5e-3, final_learning_rate=5e-4))
    counts = torch.tensor([20_000])
    of_grid = ImportanceSampler(integrand, grid).moments(counts, "test").estimate()
    of_flow = flow.moments(counts, "test").estimate()
    assert of_flow.relative_std < 0.4 * of_grid.relative_std


def test_a_flow_is_restored_from_its_tensors(flow: VegasFlow) -> None:
    channel = torch.zeros(100, dtype=torch.int64)
    restored = VegasFlow.from_tensors(flow.state_tensors())
    assert torch.equal(restored.sample(channel, stream(1))[0], flow.sample(channel, stream(1))[0])


def test_a_loaded_state_moves_the_grid(flow: VegasFlow) -> None:
    channel = torch.zeros(100, dtype=torch.int64)
    other = VegasFlow.uniform(3, 2, QUICK.used_bins)
    other.load_state_dict(flow.state_dict())
    assert torch.equal(other.sample(channel, stream(1))[1], flow.sample(channel, stream(1))[1])


def test_channels_of_a_group_adapt_one_grid_to_the_points_of_all() -> None:
    flow, alone = VegasFlow.uniform(2, 3, 16, groups=(0, 1, 0)), VegasFlow.uniform(2, 1, 16)
    channel = torch.tensor([0, 1, 2]).repeat_interleave(torch.tensor([300, 200, 500]))
    x, log_q = flow.sample(channel, stream(5))
    y, weight = flow.numbers(1000, stream(5)), gaussian(x) / log_q.exp()
    flow.add_training_data(channel, y, weight)
    flow.adapt(0.7)
    own = (channel != 1).numpy()
    alone.add_training_data(torch.zeros(800, dtype=torch.int64), y[own], weight[own])
    alone.adapt(0.7)
    assert torch.allclose(flow.grid[0], alone.grid[0], rtol=0, atol=1e-14)
    assert flow.grid.shape == (2, 2, 17)


def test_grids_of_groups_agree_with_the_truth_and_are_restored() -> None:
    integrand = Mirrored()
    flow, result = train_vegas(integrand, QUICK, seed=3)
    assert abs(result.value - integrand.integral) < 5 * result.error
    restored = VegasFlow.from_tensors(flow.state_tensors())
    channel = torch.arange(3).repeat_interleave(50)
    assert torch.equal(restored.sample(channel, stream(1))[0], flow.sample(channel, stream(1))[0])


@pytest.mark.parametrize(
    "grid", [None, torch.zeros(3, 3), torch.tensor([[[0.0, 0.7, 0.6, 1.0]]], dtype=torch.float64)]
)
def test_foreign_tensors_are_refused(grid: torch.Tensor | None) -> None:
    with pytest.raises(CheckpointError, match="VEGAS grid: expected ascending"):
        VegasFlow.from_tensors({} if grid is None else {"grid": grid})


@pytest.mark.parametrize("groups", [None, torch.tensor([0, 2, 1]), torch.tensor([0, 0])])
def test_grids_without_their_channels_are_refused(groups: torch.Tensor | None) -> None:
    tensors = VegasFlow.uniform(2, 2, 4).state_tensors()
    with pytest.raises(
        CheckpointError, match="VEGAS grid: expected one of 2 grids for each channel as 'groups'"
    ):
        VegasFlow.from_tensors(
            {"grid": tensors["grid"]} | ({} if groups is None else {"groups": groups})
        )


def test_the_callback_sees_every_iteration() -> None:
    seen: list[StepProgress] = []
    train_vegas(
        FunctionIntegrand(gaussian, dim=2),
        VegasSettings(iterations=3, points=100),
        callback=seen.append,
    )
    assert [(progress.step, progress.total) for progress in seen] == [(1, 3), (2, 3), (3, 3)]
