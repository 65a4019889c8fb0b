"""Channel weights in one kernel of a device, from features to alpha, without gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.devices.block_layout import BlockLayout
from madnis_py.devices.kernels import Kernels, blocks_of_threads
from madnis_py.devices.upload import pointers
from madnis_py.flows.networks import StackedMLP

LEAST_ROWS = 8
"""Outputs of the network that a thread computes at a time, at least."""


class ChannelWeightsOnDevice:
    """The network of channel weights and their normalisation, valid until a parameter moves.

    Args:
        network: of float32 parameters on the device.
        kernels: of the device.
    """

    def __init__(self, network: StackedMLP, kernels: Kernels) -> None:
        self._kernels = kernels
        self._network_parameters = [*network.weights, *network.biases]
        self._addresses = self._addresses_now()
        self._parameters = pointers(self._network_parameters, kernels)
        n_in = [n for n, _ in network.shapes]
        widths = torch.tensor([*n_in, network.shapes[-1][1]])
        self._widths, self._layers = widths.to(kernels.torch_device), len(n_in)
        self._rows = max(LEAST_ROWS, *n_in)
        self._layout = BlockLayout.of(2 * self._rows, torch.float32)

    def serves(self) -> bool:
        """Whether the parameters are where they were."""
        return self._addresses_now() == self._addresses

    def _addresses_now(self) -> list[int]:
        return [parameter.data_ptr() for parameter in self._network_parameters]

    def __call__(self, features: Tensor, mean: Tensor, std: Tensor, prior: Tensor) -> Tensor:
        """Alpha of `AbstractChannelWeights.forward` for features in units of mean and std."""
        n, layout = len(features), self._layout
        alpha = torch.empty_like(prior, memory_format=torch.contiguous_format)
        self._kernels.launch(
            "channel_weights",
            "channel_weights",
            n,
            self._widths,
            self._parameters,
            self._layers,
            mean,
            std,
            features.contiguous(),
            prior.contiguous(),
            alpha,
            n,
            self._rows,
            layout.memory(blocks_of_threads(n, layout.threads), self._kernels),
            layout.workspace,
            block=layout.threads,
            shared_bytes=layout.shared_bytes,
        )
        return alpha
