"""What training minimises; only log q_theta and alpha carry gradients.

Every function takes, for points drawn in their channel from the density q_i with which they were sampled:

    log_q_theta: log density of the flow being trained, shape (n,)
    alpha: weight of the point's own channel, shape (n,)
    value: f J_i, shape (n,)
    log_q_sample: log q_i, constant, shape (n,)
    channel: int64, shape (n,)
    counts: points drawn per channel, int64, shape (n_channels,)

all float64. Points of value 0 add nothing and may be left out as long as `counts` still has them.
"""

from __future__ import annotations

import torch
from torch import Tensor


def variance(
    log_q_theta: Tensor, alpha: Tensor, value: Tensor, log_q_sample: Tensor, channel: Tensor, counts: Tensor
) -> Tensor:
    """N times the variance of the integral at the allocation given, Eq. (5.13) of the MadNIS thesis.

    L = sum_i N / N_i ( <alpha_i^2 f^2 / (q_theta q_i)> - <alpha_i f / q_i>^2 ), in the unit of the integral squared.

    Returns:
        scalar, differentiable in `log_q_theta` and `alpha`.
    """
    weight = alpha * value * torch.exp(-log_q_sample)
    second = _means(weight * alpha * value * torch.exp(-log_q_theta), channel, counts)
    first = _means(weight, channel, counts)
    return ((second - first * first) * counts.sum() / counts.clamp(min=1)).sum()


def kullback_leibler(
    log_q_theta: Tensor, alpha: Tensor, value: Tensor, log_q_sample: Tensor, channel: Tensor, counts: Tensor
) -> Tensor:
    """Cross entropy of the flow with the normalised |alpha_i f|, the weighted KL loss of Eq. (3.36) up to a constant.

    L = - sum_i <|w_i| log q_theta> / sum_i <|w_i|>, w_i = alpha_i f / q_i. It trains the densities alone: a divergence
    between densities does not say how the channels should share the integrand, so alpha is held constant.

    Returns:
        scalar, differentiable in `log_q_theta`.
    """
    weight = (alpha.detach() * value).abs() * torch.exp(-log_q_sample)
    total = _means(weight, channel, counts).sum()
    return -_means(weight * log_q_theta, channel, counts).sum() / torch.where(total > 0, total, 1.0)


def _means(x: Tensor, channel: Tensor, counts: Tensor) -> Tensor:
    """Mean over all points drawn in a channel, shape (n_channels,)."""
    return x.new_zeros(len(counts)).index_add(0, channel, x) / counts.clamp(min=1)
