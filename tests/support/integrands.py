"""Integrands whose integrals are known."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand


def gaussian(x: Tensor) -> Tensor:
    """A peak of width 0.1 in the middle of the cube."""
    return torch.exp(-50.0 * (x - 0.5).square().sum(dim=1))


def gaussian_integral(dim: int) -> float:
    return (math.sqrt(math.pi / 50.0) * math.erf(0.5 * math.sqrt(50.0))) ** dim


def ridge(x: Tensor) -> Tensor:
    """A narrow diagonal ridge in the plane: strongly correlated, flat in each variable alone."""
    return torch.exp(-((x[:, 0] - x[:, 1]) ** 2) / (2 * 0.03**2))


class ManyPeaks(AbstractIntegrand):
    """Sixteen Gaussian peaks of width 0.1 in ten dimensions; eight hardly count.

    Each has a map of its own.

    The map of a channel follows a Cauchy density of width 0.15 around its peak in every dimension;
    the prior is the share of the channel's peak in the integrand, as in single-diagram enhancement.
    """

    dim = 10
    n_channels = 16
    n_features = 10
    width = 0.1
    scale = 0.15
    area = torch.tensor([1.0] * 8 + [1e-5] * 8, dtype=torch.float64)

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(4)
        self.mean = 0.2 + 0.6 * torch.rand(16, 10, generator=generator, dtype=torch.float64)
        self.low = torch.atan(-self.mean / self.scale)
        self.high = torch.atan((1.0 - self.mean) / self.scale)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        low, high = self.low[channel], self.high[channel]
        mean = self.mean[channel]
        p = mean + self.scale * torch.tan(low + (high - low) * x)
        jacobian = (((p - mean).square() + self.scale**2) * (high - low) / self.scale).prod(dim=1)
        distance = (p.unsqueeze(1) - self.mean).square().sum(dim=2)
        peaks = self.area * torch.exp(-distance / (2 * self.width**2))
        return Evaluation(peaks.sum(dim=1) * jacobian, p, peaks)

    @property
    def integral(self) -> float:
        unit = self.width * math.sqrt(2)
        ends = torch.erf((1.0 - self.mean) / unit) + torch.erf(self.mean / unit)
        return float(self.area @ (ends * unit * math.sqrt(math.pi) / 2).prod(dim=1))


class Mirrored(AbstractIntegrand):
    """A plane with a background and a peak on either side of the diagonal.

    Each is under a channel of its own.

    Channels 0 and 2 are mirror images, the same function of x, and `groups` says so; channel 1 is
    the background.
    """

    dim = 2
    n_channels = 3
    n_features = 2
    groups = (0, 1, 0)
    integral = (
        1.0 + 2 * 5.0 * 2 * math.pi * 0.06**2
    )  # the peaks end five widths or more inside: to 6e-7

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        p = torch.where((channel == 2).unsqueeze(1), x.flip(1), x)
        near = self.peak(p)
        far = self.peak(p.flip(1))
        background = torch.ones_like(near)
        return Evaluation(near + far + background, p, torch.stack([near, background, far], dim=1))

    @staticmethod
    def peak(p: Tensor) -> Tensor:
        return 5.0 * torch.exp(
            -((p[:, 0] - 0.3).square() + (p[:, 1] - 0.7).square()) / (2 * 0.06**2)
        )


class Spoiled(FunctionIntegrand):
    """A Gaussian that returns something else at the third event of channel 1."""

    def __init__(self, bad_value: float = 1.0, bad_prior: float = 1.0) -> None:
        super().__init__(gaussian, dim=2, n_channels=2)
        self.bad_value = bad_value
        self.bad_prior = bad_prior

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        evaluation = super().evaluate(x, channel)
        third = (channel == 1).nonzero()[2:3]
        evaluation.value[third] = self.bad_value
        evaluation.prior[third] = self.bad_prior
        return evaluation
