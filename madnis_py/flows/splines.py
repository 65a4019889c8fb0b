"""Monotonic rational-quadratic splines on the unit interval with free end derivatives.

Parameters theta (..., 3 K + 1) hold K bin widths, K bin heights and K + 1 derivatives at the knots, Eq. (3.49)-(3.51) of
the MadNIS thesis; the bin function is that of Durkan et al., arXiv:1906.04032. Zero parameters give the identity, bit for
bit: both directions return their argument and a log-Jacobian of exactly 0, because the result is written as the argument
plus a shift of which every term vanishes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

MIN_BIN_SIZE = 1e-4
"""Smallest width and height of a bin. Sizes are MIN_BIN_SIZE + (1 - K MIN_BIN_SIZE) softmax(theta), which keeps the
identity at zero parameters and bounds the slope of a bin by 1e4 either way."""

DERIVATIVE_RANGE = (-12.0, 1e4)
"""Range to which the parameters of the derivatives are clamped: derivatives stay between 9e-6 and 1.4e4, so that the
log-Jacobian is finite for any finite parameters."""


def parameter_count(bins: int) -> int:
    """Parameters of one spline with free end derivatives, 3 K + 1; Eq. (3.49) with the erratum n -> K."""
    return 3 * bins + 1


def forward(x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate splines.

    Args:
        x: arguments in [0, 1], shape (...).
        theta: parameters of one spline per argument, shape (..., 3 K + 1), of the dtype of x.

    Returns:
        y: values in [0, 1], shape (...).
        log_jac: log dy/dx, shape (...).
    """
    bin_ = _select_bin(x, theta, axis=0)
    shift, log_jac = _bin_shift((x - bin_.x) / bin_.width, bin_)
    return (x + shift).clamp(0.0, 1.0), log_jac


def inverse(y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Solve `forward(x, theta) = y` for x.

    Args:
        y: values in [0, 1], shape (...).
        theta: parameters of one spline per value, shape (..., 3 K + 1), of the dtype of y.

    Returns:
        x: arguments in [0, 1], shape (...).
        log_jac: log dx/dy, shape (...).
    """
    bin_ = _select_bin(y, theta, axis=1)
    shift, log_jac = _bin_shift(_solve_bin((y - bin_.y) / bin_.height, bin_), bin_)
    return (y - shift).clamp(0.0, 1.0), -log_jac


class _Bin(NamedTuple):
    """The bin of each argument: lower left corner, size, and end derivatives in units of the slope height / width."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    left: Tensor
    right: Tensor


def _select_bin(value: Tensor, theta: Tensor, axis: int) -> _Bin:
    """Find the bin of `value` along the arguments (axis 0) or the values (axis 1) of the splines."""
    bins = theta.shape[-1] // 3
    knots = _knots(theta[..., : 2 * bins].unflatten(-1, (2, bins)))
    inner = knots.detach()[..., axis, 1:-1].contiguous()
    index = torch.searchsorted(inner, value.detach().unsqueeze(-1), right=True)
    ends = torch.cat((index, index + 1), dim=-1)
    (x, x_end), (y, y_end) = (corner.unbind(-1) for corner in _gather_pairs(knots, ends))
    width, height = x_end - x, y_end - y
    left, right = (_derivative(theta.gather(-1, ends + 2 * bins)) * (width / height).unsqueeze(-1)).unbind(-1)
    return _Bin(x, y, width, height, left, right)


def _gather_pairs(knots: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
    x, y = knots.gather(-1, ends.unsqueeze(-2).expand(*knots.shape[:-1], 2)).unbind(-2)
    return x, y


def _knots(logits: Tensor) -> Tensor:
    """Positions of the knots, shape (..., K + 1), from the unnormalised logarithms of the bin sizes, shape (..., K)."""
    bins = logits.shape[-1]
    sizes = MIN_BIN_SIZE + (1.0 - bins * MIN_BIN_SIZE) * logits.softmax(-1)
    inner = sizes[..., :-1].cumsum(-1)
    return torch.cat((torch.zeros_like(inner[..., :1]), inner, torch.ones_like(inner[..., :1])), dim=-1)


def _derivative(theta: Tensor) -> Tensor:
    """Eq. (3.50): log(1 + e^theta) / log 2."""
    return functional.softplus(theta.clamp(*DERIVATIVE_RANGE)) / math.log(2.0)


def _bin_shift(xi: Tensor, bin_: _Bin) -> tuple[Tensor, Tensor]:
    """y - x and log dy/dx at the position xi in [0, 1] inside the bin.

    With the end derivatives in units of the slope, y = Y + h (xi + bend), where bend = xi (1 - xi) (d_left - 1 - t xi) / D,
    D = 1 + t xi (1 - xi), t = d_left + d_right - 2. All terms of the numerator of dy/dx are positive.
    """
    rest = 1.0 - xi
    curvature = bin_.left + bin_.right - 2.0
    denominator = 1.0 + curvature * xi * rest
    bend = xi * rest * (bin_.left - 1.0 - curvature * xi) / denominator
    shift = (bin_.y - bin_.x) + (bin_.height - bin_.width) * xi + bin_.height * bend
    numerator = xi * (bin_.right * xi + rest) + rest * (xi + bin_.left * rest)
    return shift, (bin_.height / bin_.width * numerator / denominator.square()).log()


def _solve_bin(eta: Tensor, bin_: _Bin) -> Tensor:
    """The position xi along the bin at which the spline has climbed the fraction eta of its height.

    The quadratic equation in a form without cancellation: with u = d_left (1 - eta) - d_right eta its discriminant is
    u^2 + 4 eta (1 - eta), and the sign of u tells from which end of the bin the root is computed.
    """
    rest = 1.0 - eta
    u = bin_.left * rest - bin_.right * eta
    size = u.abs() + (u.square() + 4.0 * eta * rest).sqrt()
    return torch.where(u >= 0.0, 2.0 * eta / (2.0 * eta + size), size / (size + 2.0 * rest))
