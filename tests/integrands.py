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


class CamelBack(AbstractIntegrand):
    """Two Gaussians under two Breit-Wigner maps, Eqs. (5.24)-(5.28) of the MadNIS thesis; the integral is 1.

    Args:
        optimal_prior: the weights g_i / sum_j g_j of Eq. (5.27) instead of 1/2.
        cut: the function is 0 below; the integral is then smaller.
    """

    dim = 1
    n_channels = 2
    n_features = 1
    mean = torch.tensor([2.0, 5.0], dtype=torch.float64)
    width = torch.tensor([0.5, 0.1], dtype=torch.float64)
    area = torch.tensor([0.35, 0.65], dtype=torch.float64)

    def __init__(self, optimal_prior: bool = False, cut: float = -math.inf) -> None:
        self.optimal_prior = optimal_prior
        self.cut = cut

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        p = self.mean[channel] + math.sqrt(2) * self.width[channel] * torch.tan(math.pi * (x[:, 0] - 0.5))
        g = self.density(p)
        value = self.function(p) / g.gather(1, channel.unsqueeze(1)).squeeze(1)
        return Evaluation(value, p.unsqueeze(1).clamp(-20, 20), g if self.optimal_prior else torch.ones_like(g))

    def function(self, p: Tensor) -> Tensor:
        pull = (p.unsqueeze(1) - self.mean) / self.width
        peaks = self.area / (math.sqrt(2 * math.pi) * self.width) * torch.exp(-pull.square() / 2)
        return peaks.sum(dim=1) * (p >= self.cut)

    def density(self, p: Tensor) -> Tensor:
        distance = p.unsqueeze(1) - self.mean
        return math.sqrt(2) * self.width / math.pi / (distance.square() + 2 * self.width.square())


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
