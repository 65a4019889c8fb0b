"""A mixture of Gaussians with its own channel weights: the cheap integrand of all programs."""

from __future__ import annotations

import math

import torch
from torch import Tensor

COMPONENTS = 4
"""Of the mixture when there is one channel only."""

TINY = 1e-30
"""Added to each part in float32, where all of them may underflow at once."""


class GaussianMixture:
    """sum_k s_k N(x; m_k, w_k) on the unit cube, with the parts as channel weights.

    Its integral is close to 1.

    Args:
        dim: dimension of the cube.
        n_channels: one Gaussian per channel; `COMPONENTS` of them when it is 1.
        dtype: of points and values.

    Attributes:
        n_channels: as given.
    """

    def __init__(self, dim: int, n_channels: int, dtype: torch.dtype = torch.float64) -> None:
        self.n_channels = n_channels
        count = n_channels if n_channels > 1 else COMPONENTS
        generator = torch.Generator().manual_seed(1)
        draw = torch.rand(count, dim + 2, generator=generator, dtype=torch.float64)
        mean, width, share = (
            0.25 + 0.5 * draw[:, :dim],
            0.08 + 0.12 * draw[:, dim],
            0.2 + draw[:, dim + 1],
        )
        log_norm = torch.log(share / share.sum()) - dim * torch.log(width * math.sqrt(2 * math.pi))
        self._mean, self._steepness, self._log_norm = (
            part.to(dtype) for part in (mean, 0.5 / width**2, log_norm)
        )
        self._mean_square = self._mean.square().sum(1)

    def to(self, device: torch.device) -> GaussianMixture:
        """The same mixture with its numbers on a device, the one of points that come there."""
        if self._mean.device != device:
            names = ("_mean", "_steepness", "_log_norm", "_mean_square")
            vars(self).update({name: getattr(self, name).to(device) for name in names})
        return self

    def parts(self, x: Tensor) -> Tensor:
        """The Gaussians: (n, dim) -> (n, number of Gaussians)."""
        square = x.square().sum(1, keepdim=True) - 2 * x @ self._mean.T + self._mean_square
        return torch.exp(self._log_norm - self._steepness * square)

    def value(self, x: Tensor) -> Tensor:
        """The mixture: (n, dim) -> (n,)."""
        return self.parts(x).sum(1)

    def value_and_prior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mixture, shape (n,), and normalised channel weights, shape (n, n_channels)."""
        parts = self.parts(x) + TINY
        value = parts.sum(1)
        return value, parts / value.unsqueeze(1) if self.n_channels > 1 else torch.ones_like(
            parts[:, :1]
        )


def points(dim: int, n_channels: int, n: int) -> tuple[Tensor, Tensor]:
    """Points to evaluate densities at, and sorted random channels.

    x is float64, shape (n, dim), channel int64, shape (n,).
    """
    generator = torch.Generator().manual_seed(2)
    x = torch.rand(n, dim, generator=generator, dtype=torch.float64)
    return x, torch.randint(n_channels, (n,), generator=generator).sort().values


def move_parameters(module: torch.nn.Module) -> None:
    """Leave the identity that flows start from, as a training does: add noise of width 0.1."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
