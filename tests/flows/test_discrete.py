from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import laws
import pytest
import torch
from fused_flows import perturbed
from random_tensors import rand
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.flows.discrete import SMALLEST_SHARE, CategoryTable, MixedFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import train
from madnis_py.parallel.random_streams import stream


def mixed(
    categories: tuple[int, ...], continuous: int, n_channels: int, dtype: str
) -> Callable[[], MixedFlow]:
    return lambda: perturbed(
        MixedFlow(categories, continuous, n_channels, FlowSettings(dtype=dtype))
    )


FLOWS = {
    "one die": mixed((6,), 0, 1, "float64"),
    "two helicities, three channels": mixed((2, 3), 0, 3, "float64"),
    "helicities and a variable": mixed((2, 3), 1, 3, "float64"),
    "flavour and three variables": mixed((5,), 3, 2, "float32"),
    "a single category": mixed((1,), 2, 1, "float64"),
}


@pytest.fixture(params=FLOWS)
def any_flow(request: pytest.FixtureRequest) -> MixedFlow:
    return FLOWS[request.param]()


def test_sampled_density_is_the_density(any_flow: MixedFlow) -> None:
    laws.flow_sample_agrees_with_log_prob(any_flow, 1e-4)


def test_points_are_inside_the_cube(any_flow: MixedFlow) -> None:
    laws.flow_points_are_inside_the_cube(any_flow)


def test_probabilities_of_all_categories_add_up_to_one(any_flow: MixedFlow) -> None:
    everything = torch.tensor(list(itertools.product(*map(range, any_flow.chain.categories)))).T
    for i in range(any_flow.n_channels):
        counts = [0] * any_flow.n_channels
        counts[i] = everything.shape[1]
        total = any_flow.chain.log_prob(everything, counts).detach().exp().sum()
        assert float(total) == pytest.approx(1.0, rel=1e-12)


def test_density_integrates_to_one(any_flow: MixedFlow) -> None:
    laws.flow_is_normalised_by_sampling(any_flow, 20000)


def test_samples_follow_the_density(any_flow: MixedFlow) -> None:
    laws.flow_samples_follow_the_density(any_flow, 20000)


def test_samples_are_a_function_of_the_stream(any_flow: MixedFlow) -> None:
    laws.flow_samples_are_a_function_of_the_stream(any_flow)


def test_density_does_not_depend_on_neighbours(any_flow: MixedFlow) -> None:
    laws.flow_density_does_not_depend_on_neighbours(any_flow, 1e-4)


def test_empty_batches_and_channels_are_served(any_flow: MixedFlow) -> None:
    laws.flow_serves_empty_batches_and_channels(any_flow)


def test_gradients_are_finite(any_flow: MixedFlow) -> None:
    laws.flow_gradients_are_finite(any_flow)


def test_new_flow_is_uniform() -> None:
    channel = torch.arange(2).repeat_interleave(100)
    log_q = MixedFlow((2, 3), 2, 2).log_prob(rand(200, 4, seed=1), channel)
    torch.testing.assert_close(log_q, torch.zeros(200).double(), rtol=0.0, atol=1e-14)


def test_categories_follow_their_probabilities() -> None:
    """Frequencies of combinations are products of conditional probabilities within 5 sigma."""
    flow, n = FLOWS["two helicities, three channels"](), 60000
    x, _ = flow.sample(torch.full((n,), 1), stream(1, "frequencies"))
    first, second = flow.categories_of(x)
    for i, j in itertools.product(range(2), range(3)):
        p = float(flow.chain.log_prob(torch.tensor([[i], [j]]), [0, 1, 0]).detach().exp())
        found = int(((first == i) & (second == j)).sum())
        assert abs(found - n * p) < 5 * math.sqrt(n * p * (1 - p))


def test_continuous_part_depends_on_the_categories() -> None:
    flow = FLOWS["helicities and a variable"]()
    x = torch.tensor(
        [[0.25, 0.5, 0.3], [0.25, 0.5, 0.6], [0.75, 0.5, 0.3], [0.75, 0.5, 0.6]],
        dtype=torch.float64,
    )
    log_q = flow.log_prob(x, torch.zeros(4, dtype=torch.int64)).detach()
    assert abs(float((log_q[1] - log_q[0]) - (log_q[3] - log_q[2]))) > 1e-3


def test_table_finds_the_best_probabilities() -> None:
    """Weights f_c / p_c have the same size everywhere when p_c is proportional to f_c."""
    table, f = CategoryTable(1, 4), torch.tensor([1.0, 2.0, 3.0, 10.0], dtype=torch.float64)
    channel, category = torch.zeros(4, dtype=torch.int64), torch.arange(4)
    table.add_training_data(channel, category, f / table.probability[0])
    table.adapt()
    expected = SMALLEST_SHARE / 4 + (1 - SMALLEST_SHARE) * f / f.sum()
    torch.testing.assert_close(table.probability[0], expected)


def test_table_keeps_what_it_has_not_seen_and_never_gives_up_a_category() -> None:
    table = CategoryTable(2, 4)
    table.add_training_data(
        torch.zeros(2, dtype=torch.int64), torch.tensor([0, 1]), torch.tensor([0.0, 1.0]).double()
    )
    table.adapt()
    seen, unseen = table.probability
    assert float(seen.min()) >= SMALLEST_SHARE / 4
    assert float(seen[2]) > float(seen[0])
    torch.testing.assert_close(unseen, torch.full((4,), 0.25).double())


def test_damping_zero_leaves_the_table() -> None:
    table = CategoryTable(1, 2)
    table.add_training_data(
        torch.zeros(2, dtype=torch.int64), torch.arange(2), torch.tensor([1.0, 9.0]).double()
    )
    table.adapt(damping=0.0)
    torch.testing.assert_close(table.probability, torch.full((1, 2), 0.5).double())


def correlated(x: Tensor) -> Tensor:
    """Two flavours and helicities, mostly equal, and a variable that depends on them."""
    a, b = (2 * x[:, 0]).long(), (2 * x[:, 1]).long()
    return (0.05 + (a == b)) * torch.where(a == 1, x[:, 2], 1 - x[:, 2]) * (1 + 3 * a)


def test_adapting_and_training_lower_the_variance() -> None:
    integrand, flow, counts = (
        FunctionIntegrand(correlated, dim=3),
        MixedFlow((2, 2), 1, 1),
        torch.tensor([20000]),
    )
    sampler = ImportanceSampler(integrand, flow)
    uniform = sampler.moments(counts, "test").estimate()
    samples = sampler.sample(counts, "adapt")
    flow.add_training_data(samples.channel, samples.x, samples.weight)
    flow.adapt()
    adapted = sampler.moments(counts, "test").estimate()
    train(
        sampler,
        TrainingSettings(steps=150, batch_size=500, learning_rate=1e-2, final_learning_rate=1e-3),
    )
    trained = sampler.moments(counts, "test").estimate()
    assert adapted.relative_std < 0.9 * uniform.relative_std
    assert trained.relative_std < 0.25 * adapted.relative_std
    assert abs(trained.value - 0.6875) < 5 * trained.error


@pytest.mark.parametrize(("categories", "continuous"), [((), 2), ((0,), 2), ((2,), -1)])
def test_flows_without_dimensions_are_refused(categories: tuple[int, ...], continuous: int) -> None:
    with pytest.raises(InputError, match="MixedFlow: expected categories"):
        MixedFlow(categories, continuous, 1)


def test_affine_settings_are_refused() -> None:
    with pytest.raises(InputError, match="MixedFlow: expected settings with transform 'spline'"):
        MixedFlow((2,), 1, 1, FlowSettings(transform="affine"))
