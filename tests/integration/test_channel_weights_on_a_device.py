"""Channel weights in the kernel of a device, against plain torch."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor
from waiting import WITHOUT_VALUES, LaunchesNothing, NoWaiting

from madnis_py.devices.device import device_of
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.parallel.random_streams import stream, torch_generator


def trained(n_features: int, n_channels: int, layers: int = 3, units: int = 64) -> ChannelWeights:
    """Weights with random parameters, as after training."""
    settings = ChannelWeightSettings(layers=layers, units=units)
    weights = ChannelWeights(n_features, n_channels, settings)
    generator = torch_generator(2, "parameters")
    with torch.no_grad():
        for parameter in weights.parameters():
            scale = parameter.shape[-1] ** -0.5
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    weights.standardise(features(1000, n_features))
    return weights


def on_device(weights: ChannelWeights) -> ChannelWeights:
    result = copy.deepcopy(weights)
    result.compute_on(device_of("emulated"))
    return result


def features(n: int, n_features: int) -> Tensor:
    return 3.0 + 2.0 * stream(1, "features").uniform(n, n_features)


def prior(n: int, n_channels: int) -> Tensor:
    result = stream(1, "prior").uniform(n, n_channels) * 10.0
    result[::3, 1:] = 0.0
    result[7:8] = 0.0
    return result


def assert_agrees_with_torch(weights: ChannelWeights, n: int, tolerance: float) -> None:
    inputs = features(n, weights.mean.numel()), prior(n, weights.network.stack.shapes[-1][1])
    with torch.no_grad():
        found, expected = (each(*inputs) for each in (on_device(weights), weights))
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("n", [0, 1, 127, 500])
@pytest.mark.parametrize(("n_features", "n_channels"), [(1, 1), (4, 5), (20, 3), (9, 200)])
def test_a_device_gives_the_weights_of_plain_torch(
    n: int, n_features: int, n_channels: int
) -> None:
    assert_agrees_with_torch(trained(n_features, n_channels), n, 1e-6)


@pytest.mark.parametrize(("layers", "units"), [(1, 64), (2, 3), (5, 40), (3, 300)])
def test_every_size_of_network_is_served(layers: int, units: int) -> None:
    assert_agrees_with_torch(trained(4, 5, layers, units), 70, 1e-6)


def test_untrained_weights_are_the_normalised_prior() -> None:
    assert_agrees_with_torch(ChannelWeights(4, 5), 100, 1e-15)


def test_large_differences_do_not_overflow() -> None:
    weights = trained(4, 5)
    with torch.no_grad():
        weights.network.stack.biases[-1].copy_(torch.tensor([[3e4, 0.0, -3e4, 2e4, -1e3]]))
        alpha = on_device(weights)(features(40, 4), prior(40, 5))
    assert alpha.isfinite().all()
    assert_agrees_with_torch(weights, 40, 1e-6)


def test_weights_with_gradients_are_those_of_plain_torch() -> None:
    weights = trained(4, 5)
    found, expected = (
        torch.autograd.grad(
            each(features(40, 4), prior(40, 5)).square().sum(), list(each.parameters())
        )
        for each in (on_device(weights), weights)
    )
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_new_parameters_are_seen_wherever_they_are() -> None:
    weights = trained(4, 5)
    there = on_device(weights)
    inputs = features(40, 4), prior(40, 5)
    with torch.no_grad():
        before = there(*inputs)
        for parameter in there.parameters():
            parameter.data = -parameter.data
        for parameter in weights.parameters():
            parameter.neg_()
        assert not torch.allclose(there(*inputs), before)
        torch.testing.assert_close(there(*inputs), weights(*inputs), rtol=0, atol=1e-6)


def test_weights_that_were_pickled_compute_where_they_did() -> None:
    there = on_device(trained(4, 5))
    inputs = features(40, 4), prior(40, 5)
    with torch.no_grad():
        expected = there(*inputs)
        loaded = pickle.loads(pickle.dumps(there))
        assert loaded.device is there.device
        assert torch.equal(loaded(*inputs), expected)


def test_one_kernel_makes_the_weights_and_the_host_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launched = []
    monkeypatch.setattr(
        LaunchesNothing, "launch", lambda _, source, name, *rest, **sizes: launched.append(name)
    )
    weights = trained(4, 5)
    weights.compute_on(WITHOUT_VALUES)
    inputs = (torch.empty(30, k, dtype=torch.float64, device="meta") for k in (4, 5))
    with NoWaiting(), torch.no_grad():
        alpha = weights(*inputs)
    assert alpha.is_meta
    assert launched == ["channel_weights"]
