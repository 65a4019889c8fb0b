from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from integrands import Spoiled, gaussian, gaussian_integral
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import InputError, IntegrandError
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.block_sampler import BLOCK_POINTS, BlockSampler
from madnis_py.integration.channel_weights import ChannelWeights, PriorWeights
from madnis_py.integration.estimate import Moments, combine, estimate
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.parallel.pickled_once import PickledOnce


def fields(samples: Samples) -> list[Tensor]:
    return list(vars(samples).values())


def scrambled(sampler: ImportanceSampler) -> ImportanceSampler:
    """With arbitrary parameters in the flow and in the channel weights."""
    generator = torch.Generator().manual_seed(5)
    for parameter in [*sampler.flow.parameters(), *sampler.weights.parameters()]:
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return sampler


@pytest.fixture
def three_channels() -> FunctionIntegrand:
    return FunctionIntegrand(
        gaussian, dim=2, n_channels=3, prior=lambda x: torch.cat([x, x.prod(1, True)], dim=1)
    )


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_the_integral_of_a_function_is_the_analytic_one(dim: int) -> None:
    result = ImportanceSampler(gaussian, dim=dim).integrate(50_000)
    assert abs(result.value - gaussian_integral(dim)) < 5 * result.error
    assert result.error < 0.1 * result.value


def test_arbitrary_flows_and_weights_leave_the_integral_unbiased(
    three_channels: FunctionIntegrand,
) -> None:
    result = scrambled(ImportanceSampler(three_channels)).integrate(100_000)
    assert abs(result.value - gaussian_integral(2)) < 5 * result.error
    assert result.error < 0.02 * result.value


def test_arbitrary_weights_leave_an_integral_with_channel_maps_unbiased() -> None:
    result = scrambled(ImportanceSampler(CamelBack(optimal_prior=True))).integrate(100_000)
    assert abs(result.value - 1.0) < 5 * result.error


def test_pulls_have_width_one() -> None:
    truth = gaussian_integral(2)
    results = [
        ImportanceSampler(gaussian, VegasFlow.uniform(2, 1, 1), dim=2, seed=s).integrate(4000, 2)
        for s in range(200)
    ]
    pulls = torch.tensor([(result.value - truth) / result.error for result in results])
    assert abs(pulls.mean()) < 5 / math.sqrt(200)
    assert abs(pulls.std() - 1) < 5 / math.sqrt(400)


def test_weights_are_alpha_times_value_over_density(three_channels: FunctionIntegrand) -> None:
    sampler = scrambled(ImportanceSampler(three_channels))
    samples = sampler.sample(torch.tensor([5, 0, 7]), "test")
    with torch.no_grad():
        alpha = sampler.weights(samples.features, samples.prior)[torch.arange(12), samples.channel]
        density = sampler.flow.log_prob(samples.x, samples.channel).exp()
    assert torch.allclose(samples.weight, alpha * samples.target / density, rtol=1e-5)
    assert not samples.weight.requires_grad


def test_counts_are_drawn_channel_by_channel(three_channels: FunctionIntegrand) -> None:
    samples = ImportanceSampler(three_channels).sample(torch.tensor([3, 0, 2]), "test")
    assert samples.channel.tolist() == [0, 0, 0, 2, 2]


def test_the_number_of_workers_changes_no_byte(three_channels: FunctionIntegrand) -> None:
    counts = torch.tensor([2 * BLOCK_POINTS + 7, 100, BLOCK_POINTS])
    serial = scrambled(ImportanceSampler(three_channels)).sample(counts, "test")
    for workers in (1, 2):
        with ThreadPoolExecutor(workers) as executor:
            threaded = scrambled(ImportanceSampler(three_channels, executor=executor)).sample(
                counts, "test"
            )
        assert all(torch.equal(a, b) for a, b in zip(fields(threaded), fields(serial), strict=True))


def test_blocks_join_into_the_counts(three_channels: FunctionIntegrand) -> None:
    counts = torch.tensor([2 * BLOCK_POINTS + 7, 100, BLOCK_POINTS])
    blocks = ImportanceSampler(three_channels).map_blocks(
        lambda samples: samples.channel, counts, "test"
    )
    lengths, channels = zip(*((len(channel), channel) for channel in blocks), strict=True)
    assert lengths == (BLOCK_POINTS, BLOCK_POINTS, BLOCK_POINTS, 107)
    assert torch.equal(torch.cat(channels).bincount(), counts)


def test_blocks_have_random_numbers_of_their_own() -> None:
    x = ImportanceSampler(gaussian, dim=2).sample(torch.tensor([2 * BLOCK_POINTS]), "test").x
    assert not torch.equal(x[:BLOCK_POINTS], x[BLOCK_POINTS:])


def test_the_work_on_a_block_can_be_sent_to_another_process() -> None:
    block_sampler = BlockSampler(
        PickledOnce(CamelBack()),
        VegasFlow.uniform(1, 2, 4),
        PriorWeights(),
        torch.tensor([True, True]),
        seed=1,
    )
    assert pickle.loads(pickle.dumps(block_sampler)).flow.n_channels == 2


def test_seed_and_path_name_the_points() -> None:
    def points(seed: int, *path: str | int) -> Tensor:
        return ImportanceSampler(gaussian, dim=2, seed=seed).sample(torch.tensor([10]), *path).x

    assert torch.equal(points(1, "a", 0), points(1, "a", 0))
    assert not torch.equal(points(1, "a", 0), points(2, "a", 0))
    assert not torch.equal(points(1, "a", 0), points(1, "a", 1))


def test_moments_are_those_of_the_samples(three_channels: FunctionIntegrand) -> None:
    sampler = scrambled(ImportanceSampler(three_channels))
    counts = torch.tensor([BLOCK_POINTS, 5000, 20_000])
    samples = sampler.sample(counts, "test")
    whole = Moments.of(samples.channel, samples.weight, 3)
    merged = sampler.moments(counts, "test")
    assert torch.equal(merged.counts, whole.counts)
    assert torch.allclose(merged.means, whole.means, rtol=1e-12)
    assert torch.allclose(merged.squares, whole.squares, rtol=1e-12)


def test_integration_uses_exactly_n_points_in_the_iterations_asked() -> None:
    result = ImportanceSampler(CamelBack()).integrate(1003, iterations=4)
    assert result.n == 1003
    assert [part.n for part in result.iterations] == [251, 251, 251, 250]


def test_the_iterations_with_their_points_are_those_of_integrate() -> None:
    sampler = ImportanceSampler(CamelBack())
    parts = [estimate(samples, 2) for samples in sampler.iterations(2000, iterations=4)]
    assert combine(parts).value == pytest.approx(
        sampler.integrate(2000, iterations=4).value, rel=1e-12
    )


def test_later_iterations_follow_the_standard_deviations() -> None:
    result = ImportanceSampler(CamelBack()).integrate(200_000, iterations=4)
    first, *_, last = (part.channel_counts.double() / part.n for part in result.iterations)
    expected = 0.025 + 0.95 * result.channel_stds / result.channel_stds.sum()
    assert first.tolist() == [0.5, 0.5]
    assert torch.allclose(last, expected, atol=0.01)


def test_known_standard_deviations_steer_the_first_iteration() -> None:
    sigma = torch.tensor([0.0, 4.0], dtype=torch.float64)
    first = (
        ImportanceSampler(CamelBack()).integrate(10_000, iterations=2, sigma=sigma).iterations[0]
    )
    assert first.channel_counts.tolist() == [127, 4873]


def test_optimal_allocation_lowers_the_error() -> None:
    """The uniform camel back of Tab. 5.1: 5.62 % with flat counts, 5.37 % stratified."""
    sampler = ImportanceSampler(CamelBack(), VegasFlow.uniform(1, 2, 1))
    flat = sampler.moments(torch.tensor([100_000, 100_000]), "test").estimate()
    stratified = sampler.integrate(200_000, iterations=2, sigma=flat.channel_stds)
    assert stratified.error * math.sqrt(20) == pytest.approx(0.0537, rel=0.03)
    assert flat.error * math.sqrt(20) == pytest.approx(0.0562, rel=0.03)


def test_one_channel_has_nothing_to_weight_and_several_train_their_weights() -> None:
    assert isinstance(ImportanceSampler(gaussian, dim=2).weights, PriorWeights)
    assert isinstance(ImportanceSampler(CamelBack()).weights, ChannelWeights)


@pytest.mark.parametrize(
    ("bad", "name"), [(math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf")]
)
def test_a_value_that_is_no_number_is_an_error_with_its_address(bad: float, name: str) -> None:
    counts = torch.tensor([10, 5])
    x = ImportanceSampler(Spoiled()).sample(counts, "test").x[12].tolist()
    message = re.escape(f"integrand: value is {name} in channel 1, event 12, x = {x}")
    with pytest.raises(IntegrandError, match=message):
        ImportanceSampler(Spoiled(bad_value=bad)).sample(counts, "test")


def test_the_address_counts_events_over_all_blocks() -> None:
    sampler = ImportanceSampler(Spoiled(bad_value=math.nan))
    with pytest.raises(IntegrandError, match=f"event {BLOCK_POINTS + 2 + 1000},"):
        sampler.sample(torch.tensor([BLOCK_POINTS + 1000, 5]), "test")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (math.nan, "prior is nan in channel 1, event 12, x ="),
        (-1.0, "prior is negative in channel 1, event 12, x ="),
        (0.0, "prior of every channel is 0 although the value is not in channel 1, event 12, x ="),
    ],
)
def test_a_prior_that_cannot_be_used_is_an_error_with_its_address(bad: float, message: str) -> None:
    with pytest.raises(IntegrandError, match=message):
        ImportanceSampler(Spoiled(bad_prior=bad)).sample(torch.tensor([10, 5]), "test")


def test_a_point_of_value_zero_needs_no_prior() -> None:
    samples = ImportanceSampler(Spoiled(bad_value=0.0, bad_prior=0.0)).sample(
        torch.tensor([10, 5]), "test"
    )
    assert samples.weight[12] == 0.0


class Misshapen(AbstractIntegrand):
    dim = n_channels = n_features = 2

    def __init__(self, change: Callable[[Evaluation], Evaluation]) -> None:
        self.change = change

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        return self.change(Evaluation(gaussian(x), x, torch.ones_like(x)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda e: Evaluation(e.value[1:], e.features, e.prior),
            r"value as .* \(4,\); got torch.float64 \(3,",
        ),
        (
            lambda e: Evaluation(e.value.float(), e.features, e.prior),
            "value as torch.float64 .*; got torch.float32",
        ),
        (
            lambda e: Evaluation(e.value, e.features[:, :1], e.prior),
            r"features .* \(4, 2\); got .* \(4, 1\)",
        ),
        (
            lambda e: Evaluation(e.value, e.features, e.prior.T),
            r"prior .* \(4, 2\); got torch.float64 \(2, 4\)",
        ),
        (
            lambda e: Evaluation(e.value, e.features / 0.0, e.prior),
            "features is inf in channel 0, event 0, x =",
        ),
    ],
)
def test_an_evaluation_of_the_wrong_form_is_refused(
    change: Callable[[Evaluation], Evaluation], message: str
) -> None:
    with pytest.raises(IntegrandError, match=message):
        ImportanceSampler(Misshapen(change)).sample(torch.tensor([2, 2]), "test")


def test_a_function_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(IntegrandError, match=r"expected value of shape \(10,\); got \(10, 1\)"):
        ImportanceSampler(lambda x: x[:, :1], dim=2).sample(torch.tensor([10]), "test")


def test_a_function_without_dimension_is_refused() -> None:
    with pytest.raises(InputError, match="needs dim"):
        ImportanceSampler(gaussian)


def test_a_flow_for_another_cube_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"expected \(dim, n_channels\) = \(1, 2\) of the integrand; got \(3, 2\)"
    ):
        ImportanceSampler(CamelBack(), SplineFlow(3, 2))


@pytest.mark.parametrize("counts", [[1.0, 2.0], [1], [-1, 3], [0, 0]])
def test_counts_that_cannot_be_drawn_are_refused(counts: list[float]) -> None:
    with pytest.raises(InputError, match=r"counts: expected int64 \(2,\)"):
        ImportanceSampler(CamelBack()).sample(torch.tensor(counts), "test")


def test_too_few_points_for_an_error_are_refused() -> None:
    with pytest.raises(InputError, match="2 channels of 2 points need 4; got 3"):
        ImportanceSampler(CamelBack()).integrate(30, iterations=10)


def test_no_iterations_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1 iteration; got 0"):
        ImportanceSampler(CamelBack()).integrate(1000, iterations=0)
