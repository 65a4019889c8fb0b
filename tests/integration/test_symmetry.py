from __future__ import annotations

import pytest
import torch
from integrands import Mirrored

from madnis_py.errors import InputError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.parallel.random_streams import stream, torch_generator

GROUPS = (1, 0, 1, 2, 0)
COUNTS = torch.tensor([40, 10, 30, 0, 20])
CHANNEL = torch.arange(5).repeat_interleave(COUNTS)


def shared_flow() -> SplineFlow:
    """As after training: no parameter has its initial value."""
    flow = SplineFlow(3, 5, FlowSettings(bins=4, units=8), GROUPS)
    generator = torch_generator(2, "parameters")
    for parameter in flow.parameters():
        parameter.data = 0.5 * torch.randn(parameter.shape, generator=generator)
    return flow


def test_channels_of_a_group_have_one_density() -> None:
    flow = shared_flow()
    x = torch.rand(10, 3, generator=torch_generator(2, "x"), dtype=torch.float64)
    densities = [flow.log_prob(x, torch.full((10,), channel)) for channel in range(5)]
    assert torch.equal(densities[0], densities[2])
    assert torch.equal(densities[1], densities[4])
    assert not torch.allclose(densities[0], densities[1])
    assert not torch.allclose(densities[0], densities[3])


def test_a_shared_flow_has_the_parameters_of_its_groups_alone() -> None:
    def size(flow: SplineFlow) -> int:
        return sum(parameter.numel() for parameter in flow.parameters())

    assert shared_flow().n_flows == 3
    assert size(shared_flow()) == size(SplineFlow(3, 3, FlowSettings(bins=4, units=8)))


def test_points_of_a_shared_flow_stay_with_their_channels() -> None:
    flow = shared_flow()
    x, log_q = flow.sample(CHANNEL, stream(1, "points"))
    assert torch.allclose(flow.log_prob(x, CHANNEL), log_q, rtol=0, atol=1e-4)
    for channel in range(5):
        own = channel == CHANNEL
        assert torch.allclose(flow.log_prob(x[own], CHANNEL[own]), log_q[own], rtol=0, atol=1e-4)


def test_a_point_of_a_shared_flow_moves_the_flow_of_its_group_alone() -> None:
    flow = shared_flow()
    x, _ = flow.sample(CHANNEL, stream(1, "points"))
    log_q = flow.log_prob(x, CHANNEL)
    log_q[CHANNEL == 2].sum().backward()
    for parameter in flow.parameters():
        assert parameter.grad is not None
        assert (parameter.grad[[0, 2]] == 0).all()
    assert any(
        (parameter.grad[1] != 0).any()
        for parameter in flow.parameters()
        if parameter.grad is not None
    )


@pytest.mark.parametrize("groups", [(0, 1), (0, 2, 2, 0, 3), (-1, 0, 0, 0, 0)])
def test_groups_that_do_not_number_the_flows_of_all_channels_are_refused(
    groups: tuple[int, ...],
) -> None:
    with pytest.raises(
        InputError, match=r"groups: expected a number 0 \.\.\. n_flows - 1 for each of 5 channels"
    ):
        SplineFlow(3, 5, groups=groups)


def test_an_average_over_a_group_is_given_to_each_of_its_channels() -> None:
    mean = ChannelGroups(GROUPS, 5).mean(torch.tensor([1.0, 2.0, 5.0, 7.0, 8.0]))
    assert mean.tolist() == [3.0, 5.0, 3.0, 7.0, 5.0]


def test_without_groups_every_channel_is_its_own() -> None:
    groups = ChannelGroups(None, 5)
    x = torch.tensor([1.0, 2.0, 5.0, 7.0, 8.0])
    value = torch.ones(100)
    assert torch.equal(groups.mean(x), x)
    assert groups.strata(CHANNEL, value, COUNTS) == (CHANNEL, value, COUNTS)


def test_a_stratum_has_the_integral_of_its_channels_together() -> None:
    value = torch.rand(100, generator=torch_generator(1, "value"), dtype=torch.float64)
    stratum, scaled, counts = ChannelGroups(GROUPS, 5).strata(CHANNEL, value, COUNTS)
    assert counts.tolist() == [30, 70, 0]
    for group in (0, 1):
        members = [channel for channel in range(5) if GROUPS[channel] == group]
        expected = sum(float(value[channel == CHANNEL].mean()) for channel in members)
        assert float(scaled[stratum == group].sum() / counts[group]) == pytest.approx(
            expected, rel=1e-12
        )


def test_the_default_flow_shares_the_densities_of_symmetric_channels() -> None:
    flow = ImportanceSampler(Mirrored()).flow
    assert isinstance(flow, SplineFlow)
    assert flow.n_flows == 2


def test_training_with_symmetric_channels_keeps_the_integral_and_treats_them_alike() -> None:
    settings = TrainingSettings(steps=40, batch_size=600, warmup_steps=10, learning_rate=1e-2)
    trainer = Trainer(ImportanceSampler(Mirrored(), seed=1), settings)
    before = trainer.sampler.integrate(20_000)
    state = trainer.run()
    counts = trainer._allocate(drawn=40)
    result = trainer.sampler.integrate(20_000, sigma=state.sigma)
    assert abs(int(counts[0] - counts[2])) <= 1
    assert abs(result.value - Mirrored.integral) < 5 * result.error
    assert result.relative_std < 0.5 * before.relative_std
