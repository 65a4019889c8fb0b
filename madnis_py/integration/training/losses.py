"""What training minimises; only log q_theta and alpha carry gradients.

Every function takes, for points drawn in their channel from the density q_i with which they were
sampled:

    log_q_theta: log density of the flow being trained, shape (n,)
    alpha: weight of the point's own channel, shape (n,)
    value: f J_i, shape (n,)
    log_q_sample: log q_i, constant, shape (n,)
    channel: int64, shape (n,)
    counts: points drawn per channel, int64, shape (n_channels,)

all float64. Points of value 0 add nothing and may be left out as long as `counts` still has them.
The points may be older than the flow: with the q_i of their drawing the losses stay those of fresh
points, Eq. (5.13) of the thesis.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

CLIP = 30.0
"""Weights above this multiple of their channel's mean are compressed by the soft-clipped losses."""

ROUNDING = 1e-12
"""A variance below this share of the second moment is rounding; its square root has no gradient to
speak of."""

LARGEST_LOG_RATIO = 20.0
"""A point whose density fell by more than exp(20) since it was drawn, or lost its digits in a corner of the cube,
counts less than it should; its exact share of the loss may be any number and infinity."""

Loss = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


def variance(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """N times the variance of the integral at the allocation given, Eq. (5.13) of the MadNIS thesis.

    L = sum_i N / N_i ( <alpha_i^2 f^2 / (q_theta q_i)> - <alpha_i f / q_i>^2 ), in the unit of the
    integral squared. Integrands may change sign.

    Returns:
        scalar, differentiable in `log_q_theta` and `alpha`.
    """
    weight = alpha * value * torch.exp(-log_q_sample)
    variances, _ = _variances(weight, log_q_sample - log_q_theta, channel, counts)
    return _at_allocation(variances, counts)


def stratified(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """N times the variance of the integral at the best allocation, Eqs. (5.19) and (5.20) of the MadNIS thesis.

    L = [ sum_i ( <alpha_i^2 f^2 / (q_theta q_i)> - <alpha_i f / q_i>^2 )^(1/2) ]^2; the last square
    lacks in print. With old points a difference can come out negative; such a channel counts as one
    without variance.

    Returns:
        scalar, differentiable in `log_q_theta` and `alpha`.
    """
    weight = alpha * value * torch.exp(-log_q_sample)
    return _at_best(*_variances(weight, log_q_sample - log_q_theta, channel, counts))


def variance_softclip(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """`variance` of soft-clipped weights, see `softclip`: a single outlier does not throw the training off."""
    weight = softclip(alpha * value * torch.exp(-log_q_sample), channel, counts)
    variances, _ = _variances(weight, log_q_sample - log_q_theta, channel, counts)
    return _at_allocation(variances, counts)


def stratified_softclip(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """`stratified` of soft-clipped weights, see `softclip`."""
    weight = softclip(alpha * value * torch.exp(-log_q_sample), channel, counts)
    return _at_best(*_variances(weight, log_q_sample - log_q_theta, channel, counts))


def kullback_leibler(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """Cross entropy of the flow with the normalised |alpha_i f|, the weighted KL loss of Eq. (3.36) up to a constant.

    L = - sum_i <|w_i| log q_theta> / sum_i <|w_i|>, w_i = alpha_i f / q_i. It trains the densities
    alone: a divergence between densities does not say how the channels should share the integrand,
    so alpha is held constant.

    Returns:
        scalar, differentiable in `log_q_theta`.
    """
    weight = (alpha.detach() * value).abs() * torch.exp(-log_q_sample)
    means = _means(weight, channel, counts)
    return -(_means(weight * log_q_theta, channel, counts).sum() / _one_if_zero(means.sum()))


def reverse_kullback_leibler(
    log_q_theta: Tensor,
    alpha: Tensor,
    value: Tensor,
    log_q_sample: Tensor,
    channel: Tensor,
    counts: Tensor,
) -> Tensor:
    """Divergence of the normalised |alpha_i f| from the flow, the channels weighted with their share of the integral.

    L = sum_i I_i / I < (q_theta / q_i) [log(q_theta / p_i) - 1] >, p_i = |alpha_i f| / I_i. The -1
    is what the divergence of densities that are not normalised has: it adds a constant where the
    integrand has no zeros and keeps the minimum at q_theta = p_i where it has some. Trains the
    densities alone, as `kullback_leibler` does.

    Returns:
        scalar, differentiable in `log_q_theta`.
    """
    size = (alpha.detach() * value).abs()
    means = _means(size * torch.exp(-log_q_sample), channel, counts)
    log_p = torch.log(size / means[channel])
    terms = torch.exp(log_q_theta - log_q_sample) * (log_q_theta - log_p - 1.0)
    share = means / _one_if_zero(means.sum())
    return (share * _means(torch.where(size > 0, terms, 0.0), channel, counts)).sum()


def softclip(weight: Tensor, channel: Tensor, counts: Tensor) -> Tensor:
    """Compress large weights, w -> t asinh(w / t) with t = `CLIP` times the mean |w| of the channel.

    Args:
        weight: float64, shape (n,).
        channel: int64, shape (n,).
        counts: points drawn per channel, int64, shape (n_channels,).

    Returns:
        the weights, those below t nearly as they were, float64, shape (n,).
    """
    threshold = CLIP * _one_if_zero(_means(weight.detach().abs(), channel, counts))[channel]
    return threshold * torch.asinh(weight / threshold)


LOSSES: dict[str, Loss] = {
    "variance": variance,
    "stratified": stratified,
    "kl": kullback_leibler,
    "rkl": reverse_kullback_leibler,
    "variance_softclip": variance_softclip,
    "stratified_softclip": stratified_softclip,
}

DENSITY_LOSSES = frozenset({"kl", "rkl"})
"""Those that train the flow alone."""


def _variances(
    weight: Tensor, log_ratio: Tensor, channel: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor]:
    """sigma_i^2 = <w^2 q_i / q_theta> - <w>^2 and its first term, both of shape (n_channels,).

    A weight that underflows to 0 adds nothing, however small q_theta is.
    """
    ratio = torch.where(weight == 0, 1.0, _bounded_exp(log_ratio))
    second = _means(weight * weight * ratio, channel, counts)
    first = _means(weight, channel, counts)
    return second - first * first, second


def _bounded_exp(log_ratio: Tensor) -> Tensor:
    """exp, continued by its tangent from `LARGEST_LOG_RATIO` on: finite, and still pulling at q_theta."""
    bounded = log_ratio.clamp(max=LARGEST_LOG_RATIO)
    return torch.exp(bounded) * (1.0 + log_ratio - bounded)


def _at_allocation(variances: Tensor, counts: Tensor) -> Tensor:
    """sum_i N / N_i sigma_i^2."""
    return (variances * counts.sum() / counts.clamp(min=1)).sum()


def _at_best(variances: Tensor, second: Tensor) -> Tensor:
    """(sum_i sigma_i)^2, with the root held away from 0, where its gradient is infinite."""
    none = second.isfinite() & (variances <= ROUNDING * second)
    return variances.masked_fill(none, 1.0).sqrt().masked_fill(none, 0.0).sum().square()


def _means(x: Tensor, channel: Tensor, counts: Tensor) -> Tensor:
    """Mean over all points drawn in a channel, shape (n_channels,)."""
    return x.new_zeros(len(counts)).index_add(0, channel, x) / counts.clamp(min=1)


def _one_if_zero(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 1.0)
