"""Losses of a training; only log q_theta and alpha carry gradients.

Points of value 0 add nothing to a loss and may be left out as long as `counts` still has them. The
points may be older than the flow: with the q_i of their drawing the losses stay those of fresh
points, Eq. (5.13) of the MadNIS thesis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

CLIP = 30.0
"""Multiple of the mean |weight| of a channel above which soft-clipped losses compress weights."""

ROUNDING = 1e-12
"""Share of the second moment below which a variance is rounding; its root has no gradient then."""

LARGEST_LOG_RATIO = 20.0
"""Largest log(q_i / q_theta) that counts exactly in a variance.

A point whose density fell by more since it was drawn, or lost its digits in a corner of the cube,
counts less than it should; its exact share of the loss may be any number and infinity.
"""


@dataclass(frozen=True)
class LossInput:
    """Points drawn in their channel i from the density q_i, and what is trained at these points.

    Attributes:
        log_q_theta: log density of the flow being trained, float64, shape (n,).
        alpha: weight of the point's own channel, float64, shape (n,).
        value: f J_i, float64, shape (n,).
        log_q_sample: log q_i, constant, float64, shape (n,).
        channel: channel, or symmetry group of channels that share one sigma_i, int64, shape (n,).
        counts: points drawn per channel or group, int64, shape (n_channels,).
        sums: sums of numbers (n,) over the points of each channel, (n_channels,); `index_add` of
            torch if None.
    """

    log_q_theta: Tensor
    alpha: Tensor
    value: Tensor
    log_q_sample: Tensor
    channel: Tensor
    counts: Tensor
    sums: Callable[[Tensor], Tensor] | None = None

    @property
    def weight(self) -> Tensor:
        """w_i = alpha_i f J_i / q_i, shape (n,)."""
        return self.alpha * self.value * torch.exp(-self.log_q_sample)

    def means(self, x: Tensor) -> Tensor:
        """Mean of x, shape (n,), over all points drawn in a channel, shape (n_channels,)."""
        if self.sums is None:
            sums = x.new_zeros(len(self.counts)).index_add(0, self.channel, x)
        else:
            sums = self.sums(x)
        return sums / self.counts.clamp(min=1)


Loss = Callable[[LossInput], Tensor]


def variance(points: LossInput) -> Tensor:
    """N times the variance of the integral at the allocation given, Eq. (5.13).

    L = sum_i N / N_i ( <alpha_i^2 f^2 / (q_theta q_i)> - <alpha_i f / q_i>^2 ), in the unit of the
    integral squared. Integrands may change sign.

    Returns:
        scalar, differentiable in `log_q_theta` and `alpha`.
    """
    return _at_allocation(points, points.weight)


def variance_softclip(points: LossInput) -> Tensor:
    """`variance` of soft-clipped weights: a single outlier does not throw the training off.

    See `softclip`.
    """
    return _at_allocation(points, softclip(points.weight, points))


def _at_allocation(points: LossInput, weight: Tensor) -> Tensor:
    """sum_i N / N_i sigma_i^2."""
    variances, _ = _variances(points, weight)
    return (variances * points.counts.sum() / points.counts.clamp(min=1)).sum()


def stratified(points: LossInput) -> Tensor:
    """N times the variance of the integral at the best allocation, Eqs. (5.19) and (5.20).

    L = [ sum_i ( <alpha_i^2 f^2 / (q_theta q_i)> - <alpha_i f / q_i>^2 )^(1/2) ]^2. The MadNIS
    thesis prints Eq. (5.20) without the outer square. With old points a difference can come out
    negative; such a channel counts as one without variance.

    Returns:
        scalar, differentiable in `log_q_theta` and `alpha`.
    """
    return _at_best_allocation(points, points.weight)


def stratified_softclip(points: LossInput) -> Tensor:
    """`stratified` of soft-clipped weights, see `softclip`."""
    return _at_best_allocation(points, softclip(points.weight, points))


def _at_best_allocation(points: LossInput, weight: Tensor) -> Tensor:
    """(sum_i sigma_i)^2, with the root held away from 0, where its gradient is infinite."""
    variances, second = _variances(points, weight)
    none = second.isfinite() & (variances <= ROUNDING * second)
    return variances.masked_fill(none, 1.0).sqrt().masked_fill(none, 0.0).sum().square()


def _variances(points: LossInput, weight: Tensor) -> tuple[Tensor, Tensor]:
    """sigma_i^2 = <w^2 q_i / q_theta> - <w>^2 and its first term, both of shape (n_channels,).

    A weight that underflows to 0 adds nothing, however small q_theta is. Above `LARGEST_LOG_RATIO`
    the ratio of densities goes on as the tangent of exp: finite, and still pulling at q_theta.
    """
    log_ratio = points.log_q_sample - points.log_q_theta
    bounded = log_ratio.clamp(max=LARGEST_LOG_RATIO)
    ratio = torch.exp(bounded) * (1.0 + log_ratio - bounded)
    ratio = torch.where(weight == 0, 1.0, ratio)
    second = points.means(weight * weight * ratio)
    first = points.means(weight)
    return second - first * first, second


def kullback_leibler(points: LossInput) -> Tensor:
    """Cross entropy of the flow with the normalised |alpha_i f|.

    It is the weighted Kullback-Leibler loss of Eq. (3.36) of the MadNIS thesis up to a constant,
    L = - sum_i <|w_i| log q_theta> / sum_i <|w_i|>, w_i = alpha_i f / q_i. It trains the densities
    alone: a divergence between densities does not say how the channels should share the integrand,
    so alpha is held constant.

    Returns:
        scalar, differentiable in `log_q_theta`.
    """
    weight = (points.alpha.detach() * points.value).abs() * torch.exp(-points.log_q_sample)
    means = points.means(weight)
    entropy = points.means(weight * points.log_q_theta).sum()
    return -(entropy / _one_if_zero(means.sum()))


def reverse_kullback_leibler(points: LossInput) -> Tensor:
    """Divergence of the normalised |alpha_i f| from the flow.

    L = sum_i I_i / I < (q_theta / q_i) [log(q_theta / p_i) - 1] >, p_i = |alpha_i f| / I_i: the
    channels count with their share of the integral. The -1 is what the divergence of densities that
    are not normalised has: it adds a constant where the integrand has no zeros and keeps the
    minimum at q_theta = p_i where it has some. Trains the densities alone, as `kullback_leibler`
    does.

    Returns:
        scalar, differentiable in `log_q_theta`.
    """
    size = (points.alpha.detach() * points.value).abs()
    means = points.means(size * torch.exp(-points.log_q_sample))
    log_p = torch.log(torch.where(size > 0, size / means[points.channel], 1.0))
    ratio = torch.exp(points.log_q_theta - points.log_q_sample)
    terms = ratio * (points.log_q_theta - log_p - 1.0)
    share = means / _one_if_zero(means.sum())
    return (share * points.means(torch.where(size > 0, terms, 0.0))).sum()


def softclip(weight: Tensor, points: LossInput) -> Tensor:
    """Compress large weights, w -> t asinh(w / t).

    The threshold t is `CLIP` times the mean |w| of the channel.

    Args:
        weight: float64, shape (n,).
        points: whose weights these are.

    Returns:
        the weights, those below t nearly as they were, float64, shape (n,).
    """
    threshold = CLIP * _one_if_zero(points.means(weight.detach().abs()))[points.channel]
    return threshold * torch.asinh(weight / threshold)


def _one_if_zero(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, 1.0)


LOSSES: dict[str, Loss] = {
    "variance": variance,
    "stratified": stratified,
    "kl": kullback_leibler,
    "rkl": reverse_kullback_leibler,
    "variance_softclip": variance_softclip,
    "stratified_softclip": stratified_softclip,
}
"""Losses by the name that the settings of a training use."""

DENSITY_LOSSES = frozenset({"kl", "rkl"})
"""Losses that train the flow alone."""
