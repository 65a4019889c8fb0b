"""Small fully connected networks: one for all points, or one per channel evaluated together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class NetworkSize:
    """Depth, width and number type of a network.

    Attributes:
        layers: linear layers, the output layer included; at least 1.
        units: width of the hidden layers.
        dtype: of parameters, inputs and outputs.
    """

    layers: int
    units: int
    dtype: torch.dtype = torch.float32


class MLP(nn.Module):
    """Linear layers with LeakyReLU between them, for inputs of shape (n, n_in).

    Args:
        n_in: inputs.
        n_out: outputs.
        size: depth, width and number type.
        generator: source of the initial parameters.
        zero_output: initialise the output layer with zeros, so that the network returns zeros.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: NetworkSize,
        generator: torch.Generator,
        zero_output: bool = False,
    ) -> None:
        super().__init__()
        self.stack = StackedMLP(1, n_in, n_out, size, generator, zero_output)

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate the network: (n, n_in) -> (n, n_out)."""
        outputs: Tensor = self.stack(x.T, [len(x)])
        return outputs.T


class StackedMLP(nn.Module):
    """One network per channel, all of the same shape, on inputs sorted by channel.

    Features come first and points last, so that what follows works on long contiguous rows of
    points.

    Channels with equal numbers of points are evaluated in one batched product per layer, otherwise
    channel after channel on slices; nothing is padded.

    Args:
        n_channels: networks.
        n_in: inputs of each; with 0 inputs a network is one constant per output.
        n_out: outputs of each.
        size: depth, width and number type.
        generator: source of the initial parameters.
        zero_output: initialise the output layer with zeros, so that the networks return zeros.

    Attributes:
        shapes: n_in and n_out of each layer.
        weights: one parameter per layer, shape (n_channels, n_out of the layer, n_in of the layer).
        biases: one parameter per layer, shape (n_channels, n_out of the layer).
    """

    def __init__(
        self,
        n_channels: int,
        n_in: int,
        n_out: int,
        size: NetworkSize,
        generator: torch.Generator,
        zero_output: bool = False,
    ) -> None:
        super().__init__()
        widths = [n_in, *[size.units] * (size.layers - 1), n_out] if n_in else [0, n_out]
        self.shapes = tuple(pairwise(widths))
        self.weights = nn.ParameterList(
            _uniform((n_channels, b, a), a, generator, size.dtype) for a, b in self.shapes
        )
        self.biases = nn.ParameterList(
            _uniform((n_channels, b), a, generator, size.dtype) for a, b in self.shapes
        )
        if zero_output:
            nn.init.zeros_(self.weights[-1])
            nn.init.zeros_(self.biases[-1])

    def forward(self, x: Tensor, counts: list[int]) -> Tensor:
        """Evaluate the network of each point's channel.

        Args:
            x: inputs, sorted by channel, shape (n_in, n).
            counts: points of each channel, n_channels numbers of sum n.

        Returns:
            outputs, shape (n_out, n).
        """
        if min(counts) == max(counts):
            h = x.view(len(x), len(counts), counts[0]).transpose(0, 1)
            for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                h = torch.baddbmm(bias.unsqueeze(2), weight, functional.leaky_relu(h) if i else h)
            return h.transpose(0, 1).flatten(1)
        weights = zip(*(weight.unbind() for weight in self.weights), strict=True)
        biases = zip(*(bias.unsqueeze(2).unbind() for bias in self.biases), strict=True)
        channels = zip(torch.split(x, counts, dim=1), weights, biases, strict=True)
        return torch.cat([_evaluate(part, w, b) for part, w, b in channels if part.shape[1]], dim=1)


def _evaluate(h: Tensor, weights: tuple[Tensor, ...], biases: tuple[Tensor, ...]) -> Tensor:
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        h = torch.addmm(bias, weight, functional.leaky_relu(h) if i else h)
    return h


def _uniform(
    shape: tuple[int, ...], fan_in: int, generator: torch.Generator, dtype: torch.dtype
) -> nn.Parameter:
    """Uniform within 1 / sqrt(fan_in).

    Drawn in float64, so that a seed means the same network in every dtype.
    """
    bound = 1.0 / math.sqrt(max(fan_in, 1))
    draw = torch.rand(shape, generator=generator, dtype=torch.float64)
    return nn.Parameter((bound * (2.0 * draw - 1.0)).to(dtype))
