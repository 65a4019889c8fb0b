"""Networks: one per channel, evaluated together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_tensors import randn
from reference_flows import layers_of, reference_network

from madnis_py.flows.networks import MLP, NetworkSize, StackedMLP
from madnis_py.parallel.random_streams import torch_generator


@pytest.mark.parametrize("counts", [[4, 4, 4], [0, 9, 3], [12, 0, 0]])
def test_each_channel_is_evaluated_by_its_own_network(counts: list[int]) -> None:
    network = StackedMLP(3, 5, 4, NetworkSize(3, 8, torch.float64), torch_generator(1, "net"))
    x = randn(5, 12, seed=13)
    channel = np.repeat(np.arange(3), counts).tolist()
    expected = [
        reference_network(x[:, i].numpy(), *layers_of(network, c)) for i, c in enumerate(channel)
    ]
    np.testing.assert_allclose(network(x, counts).detach(), np.array(expected).T, atol=1e-13)


@pytest.mark.parametrize("counts", [[4, 4, 4], [0, 9, 3]])
def test_stacked_gradients_are_right(counts: list[int]) -> None:
    network = StackedMLP(3, 2, 2, NetworkSize(2, 3, torch.float64), torch_generator(2, "net"))
    x = randn(2, 12, seed=14).requires_grad_()
    parameters = tuple(network.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: network(x, counts), (x, *parameters))


def test_single_network_maps_rows_to_rows() -> None:
    network = MLP(5, 4, NetworkSize(3, 8, torch.float64), torch_generator(3, "net"))
    x = randn(7, 5, seed=15)
    expected = [reference_network(row, *layers_of(network.stack, 0)) for row in x.numpy()]
    np.testing.assert_allclose(network(x).detach(), expected, atol=1e-13)


def test_zero_output_starts_at_zero_and_learns() -> None:
    network = MLP(5, 4, NetworkSize(3, 8), torch_generator(4, "net"), zero_output=True)
    y = network(randn(7, 5, seed=16, dtype=torch.float32))
    y.sum().backward()
    assert torch.equal(y.detach(), torch.zeros(7, 4))
    assert bool((network.stack.weights[-1].grad != 0.0).any())
