from __future__ import annotations

import pytest
import torch
from torch import Tensor

from madnis_py.errors import MadnisError
from madnis_py.integration.channel_weights import (
    ChannelWeights,
    ChannelWeightSettings,
    PriorWeights,
)
from madnis_py.parallel.random_streams import torch_generator


@pytest.fixture
def features() -> Tensor:
    return 3.0 + 2.0 * torch.rand(
        100, 4, generator=torch_generator(1, "features"), dtype=torch.float64
    )


@pytest.fixture
def prior() -> Tensor:
    prior = torch.rand(100, 5, generator=torch_generator(1, "prior"), dtype=torch.float64) * 10.0
    prior[::3, 1] = 0.0
    prior[7] = 0.0
    return prior


@pytest.fixture
def untrained() -> ChannelWeights:
    return ChannelWeights(4, 5)


@pytest.fixture
def trained(untrained: ChannelWeights) -> ChannelWeights:
    """As after training: no parameter has its initial value."""
    generator = torch_generator(2, "parameters")
    for parameter in untrained.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return untrained


def test_untrained_weights_are_the_normalised_prior_to_the_last_bit(
    untrained: ChannelWeights, features: Tensor, prior: Tensor
) -> None:
    assert torch.equal(untrained(features, prior), PriorWeights()(features, prior))


def test_rows_sum_to_one_where_there_is_a_prior(
    trained: ChannelWeights, features: Tensor, prior: Tensor
) -> None:
    sums = trained(features, prior).sum(dim=1)
    expected = (prior.sum(dim=1) > 0).double()
    assert torch.allclose(sums, expected, rtol=0, atol=1e-15)


def test_a_channel_without_prior_gets_no_weight(
    trained: ChannelWeights, features: Tensor, prior: Tensor
) -> None:
    assert (trained(features, prior)[prior == 0] == 0).all()


def test_training_multiplies_the_prior_by_the_exponential_of_the_network(
    trained: ChannelWeights, features: Tensor, prior: Tensor
) -> None:
    delta = trained.network(features.float()).double()
    expected = torch.softmax(prior.log() + delta, dim=1)
    live = prior.sum(dim=1) > 0
    assert torch.allclose(trained(features, prior)[live], expected[live], rtol=1e-12, atol=0)


def test_large_outputs_of_channels_without_prior_do_not_underflow_the_others(
    trained: ChannelWeights,
) -> None:
    trained.network.stack.biases[-1].data = torch.tensor([[1e4, 0.0, 0.0, 0.0, 0.0]])
    trained.network.stack.weights[-1].data.zero_()
    prior = torch.tensor([[0.0, 1.0, 1.0, 1.0, 1.0]], dtype=torch.float64)
    alpha = trained(torch.zeros(1, 4, dtype=torch.float64), prior)
    assert alpha.tolist() == [[0.0, 0.25, 0.25, 0.25, 0.25]]


def test_gradients_are_finite_with_channels_and_rows_without_prior(
    trained: ChannelWeights, features: Tensor, prior: Tensor
) -> None:
    trained(features, prior).square().sum().backward()
    gradients = [parameter.grad for parameter in trained.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


def test_the_network_sees_features_of_mean_0_and_deviation_1(
    untrained: ChannelWeights, features: Tensor
) -> None:
    features[:, 2] = 0.1
    seen: list[Tensor] = []
    untrained.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    untrained.standardise(features)
    untrained(features, torch.ones(100, 5, dtype=torch.float64))
    assert torch.allclose(seen[0].mean(dim=0), torch.zeros(4), atol=1e-6)
    assert torch.allclose(
        seen[0].std(dim=0, correction=0), torch.tensor([1.0, 1.0, 0.0, 1.0]), atol=1e-6
    )


def test_the_scale_of_the_features_cannot_change(
    untrained: ChannelWeights, features: Tensor
) -> None:
    untrained.standardise(features)
    with pytest.raises(MadnisError, match="set already"):
        untrained.standardise(features)


def test_the_scale_of_the_features_is_part_of_the_state(
    untrained: ChannelWeights, features: Tensor
) -> None:
    untrained.standardise(features)
    other = ChannelWeights(4, 5)
    other.load_state_dict(untrained.state_dict())
    assert torch.equal(other.mean, untrained.mean)
    assert torch.equal(other.std, untrained.std)
    assert other.standardised


def test_a_seed_names_the_initial_network(features: Tensor) -> None:
    def hidden(seed: int) -> Tensor:
        weights = ChannelWeights(4, 5, ChannelWeightSettings(seed=seed))
        first: Tensor = weights.network.stack.weights[0]
        return first

    assert torch.equal(hidden(1), hidden(1))
    assert not torch.equal(hidden(1), hidden(2))
