"""What every sampler of the unit cube promises."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class AbstractFlow(nn.Module, ABC):
    """One normalised density q_i(x) per channel i on the unit cube [0, 1]^dim.

    Channels are sorted int64 tensors of shape (n,), so that the points of a channel are contiguous.

    Attributes:
        dim: dimension of the unit cube.
        n_channels: number of channels.
    """

    dim: int
    n_channels: int

    @abstractmethod
    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, without gradients.

        Args:
            channel: sorted, int64, shape (n,).
            generator: source of randomness; the points are a function of it and of `channel` alone.

        Returns:
            x: points in [0, 1], float64, shape (n, dim).
            log_q: log density at x, float64, shape (n,).
        """

    @abstractmethod
    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points, differentiable in the parameters of the flow.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).

        Returns:
            log q_channel(x), float64, shape (n,).
        """
