"""Monotonic rational-quadratic splines on the unit interval with free end derivatives.

Parameters theta hold K bin widths, K bin heights and K + 1 derivatives at the knots, Eq.
(3.49)-(3.51) of the MadNIS thesis; the bin function is that of Durkan et al., arXiv:1906.04032.
They run along the first axis, so that every step is a long contiguous loop over the points.

Zero parameters give the identity, bit for bit: both directions return their argument and a
log-Jacobian of exactly 0, because the result is written as the argument plus a shift of which every
term vanishes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

Spline = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Either direction: (argument, theta) -> value and log-Jacobian."""

MIN_BIN_SIZE = 1e-4
"""Smallest width and height of a bin.

Sizes are MIN_BIN_SIZE + (1 - K MIN_BIN_SIZE) softmax(theta), which keeps the identity at zero
parameters and bounds the slope of a bin by 1e4 either way.
"""

DERIVATIVE_RANGE = (-12.0, 1e4)
"""Range to which the parameters of the derivatives are clamped.

Derivatives stay between 8e-6 and 1.5e4, so that the log-Jacobian is finite for any finite
parameters.
"""

MAX_BINS = 256
"""Most bins of a spline: bins are counted in one byte."""


def parameter_count(bins: int) -> int:
    """Parameters of one spline with free end derivatives, 3 K + 1; Eq. (3.49) with n read as K."""
    return 3 * bins + 1


def forward(x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Evaluate splines.

    Args:
        x: arguments in [0, 1], shape (...).
        theta: parameters of one spline per argument, shape (3 K + 1, ...); of the dtype of x or a
            lower precision.

    Returns:
        y: values in [0, 1], shape (...), of the dtype of x.
        log_jac: log dy/dx, shape (...), of the dtype of x.
    """
    bin_ = _select_bin(x, theta, axis=0)
    shift, log_jac = bin_shift(_limited((x - bin_.x) / bin_.width), bin_)
    return _limited(x + shift), log_jac


def inverse(y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Solve `forward(x, theta) = y` for x.

    Args:
        y: values in [0, 1], shape (...).
        theta: parameters of one spline per value, shape (3 K + 1, ...); of the dtype of y or a
            lower precision.

    Returns:
        x: arguments in [0, 1], shape (...), of the dtype of y.
        log_jac: log dx/dy, shape (...), of the dtype of y.
    """
    bin_ = _select_bin(y, theta, axis=1)
    shift, log_jac = bin_shift(solve_bin(_limited((y - bin_.y) / bin_.height), bin_), bin_)
    return _limited(y - shift), -log_jac


class _Limited(torch.autograd.Function):
    """Limits numbers to [0, 1]; the gradient is that of numbers inside.

    Only rounding takes numbers across the limits.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(0.0, 1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


def _limited(x: Tensor) -> Tensor:
    limited: Tensor = _Limited.apply(x)  # type: ignore[no-untyped-call]
    return limited


def parameters(width: Tensor, height: Tensor, derivative: Tensor) -> Tensor:
    """Parameters of given splines, the inverse of Eq. (3.50).

    Values that no parameters give are moved to the nearest ones.

    Args:
        width: sizes of the bins along the arguments, sum 1, shape (K, ...).
        height: sizes of the bins along the values, sum 1, shape (K, ...).
        derivative: at the knots, positive, shape (K + 1, ...).

    Returns:
        theta, shape (3 K + 1, ...), of the same dtype.
    """
    scaled = math.log(2.0) * derivative
    theta_d = scaled + torch.log(-torch.expm1(-scaled))
    return torch.cat(
        (_size_parameters(width), _size_parameters(height), theta_d.clamp(*DERIVATIVE_RANGE))
    )


def _size_parameters(size: Tensor) -> Tensor:
    """Logarithms, of mean 0, of what bins have above the minimum size.

    A bin that has less counts as 1e-3 above it.
    """
    theta = (size / MIN_BIN_SIZE - 1.0).clamp(min=1e-3).log()
    return theta - theta.mean(0)


class Bin(NamedTuple):
    """The bin of each argument.

    Attributes:
        x: lower left corner, along the arguments.
        y: lower left corner, along the values.
        width: size along the arguments.
        height: size along the values.
        left: derivative at the lower end in units of height / width.
        right: derivative at the upper end in the same units.
    """

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    left: Tensor
    right: Tensor


def _select_bin(value: Tensor, theta: Tensor, axis: int) -> Bin:
    """Find the bin of `value`.

    Args:
        value: arguments of the splines for axis 0, values for axis 1, shape (...).
        theta: parameters, shape (3 K + 1, ...).
        axis: 0 or 1.
    """
    lower, upper, theta_d = _Selection.apply(value.detach(), theta, axis)  # type: ignore[no-untyped-call]
    width, height = (upper - lower).unbind()
    derivatives = functional.softplus(theta_d.clamp(*DERIVATIVE_RANGE)) / math.log(2.0)
    left, right = (derivatives * (width / height)).unbind()
    x, y = lower.unbind()
    return Bin(x, y, width, height, left, right)


class _Selection(torch.autograd.Function):
    """The knots (x, y) at both ends of a bin and the derivative parameters there.

    The knots below, the knots above and the parameters have the shape (2, ...) each.

    Written with its own gradient, because only one bin in K takes part: the knot below bin k is E_k
    = sum of the sizes of the bins before it, so that dE_k / dtheta_j = c softmax_j ([j < k] - sum
    of softmax_i over i < k) with c = 1 - K MIN_BIN_SIZE.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, theta: Tensor, axis: int) -> tuple[Tensor, Tensor, Tensor]:
        bins = theta.shape[0] // 3
        logits = theta[: 2 * bins].reshape(2, bins, *value.shape)
        growth = (logits - logits.amax(1, keepdim=True)).exp_()
        knots = _unnormalised_knots(growth, value.dtype)
        total = knots[:, -1]
        index = (knots[axis, 1:-1] <= value * total[axis]).sum(0, dtype=torch.uint8).long()
        ends = torch.stack((index, index + 1))
        corners = knots.gather(1, ends.expand(2, *ends.shape)) / total.unsqueeze(1)
        ctx.save_for_backward(growth, total, ends, corners)
        return corners[:, 0], corners[:, 1], theta[2 * bins :].gather(0, ends).to(value.dtype)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, lower: Tensor, upper: Tensor, derivatives: Tensor
    ) -> tuple[None, Tensor, None]:
        growth, total, ends, corners = ctx.saved_tensors
        bins = growth.shape[1]
        grad = growth.new_zeros(3 * bins + 1, *ends.shape[1:])
        grad[2 * bins :].scatter_(0, ends, derivatives.to(grad.dtype))
        softmax_before = (corners - MIN_BIN_SIZE * ends) / (1.0 - bins * MIN_BIN_SIZE)
        mean = lower * softmax_before[:, 0] + upper * softmax_before[:, 1]
        before, inside, mean = (
            (g / total).to(grad.dtype).unsqueeze(1) for g in (lower + upper, upper, mean)
        )
        earlier = (
            torch.arange(bins, device=ends.device).view(-1, *[1] * (ends.dim() - 1)) < ends[:1]
        )
        sizes = grad[: 2 * bins].view(growth.shape)
        torch.mul(before, earlier, out=sizes)
        sizes.scatter_add_(1, ends[:1].expand_as(inside), inside).sub_(mean).mul_(growth)
        return None, grad, None


def _unnormalised_knots(growth: Tensor, dtype: torch.dtype) -> Tensor:
    """Sums of the bin sizes up to each knot, times a normalisation.

    Args:
        growth: shape (2, K, ...).
        dtype: of the sums.

    Returns:
        shape (2, K + 1, ...).
    """
    bins = growth.shape[1]
    floor = MIN_BIN_SIZE / (1.0 - bins * MIN_BIN_SIZE) * growth.sum(1, keepdim=True)
    knots = growth.new_zeros(2, bins + 1, *growth.shape[2:], dtype=dtype)
    torch.cumsum(growth + floor, 1, dtype=dtype, out=knots[:, 1:])
    return knots


def bin_shift(xi: Tensor, bin_: Bin) -> tuple[Tensor, Tensor]:
    """Shift y - x and log dy/dx at the position xi in [0, 1] inside the bin.

    With the end derivatives in units of the slope, y = Y + h (xi + bend) with
    bend = xi (1 - xi) (left - 1 - t xi) / (1 + t xi (1 - xi)) and t = left + right - 2.
    The numerator of dy/dx is a sum of positive terms.
    """
    rest = 1.0 - xi
    curvature = bin_.left + bin_.right - 2.0
    product = xi * rest
    denominator = 1.0 + curvature * product
    bend = product * (bin_.left - 1.0 - curvature * xi) / denominator
    shift = (bin_.y - bin_.x) + (bin_.height - bin_.width) * xi + bin_.height * bend
    numerator = xi * (bin_.right * xi + rest) + rest * (xi + bin_.left * rest)
    return shift, (bin_.height / bin_.width * numerator / denominator.square()).log()


def solve_bin(eta: Tensor, bin_: Bin) -> Tensor:
    """The position xi along the bin at which the spline has climbed the fraction eta of its height.

    The quadratic equation in a form without cancellation: with u = left (1 - eta) - right eta its
    discriminant is u^2 + 4 eta (1 - eta), and the sign of u tells from which end of the bin the
    root is computed.
    """
    rest = 1.0 - eta
    u = bin_.left * rest - bin_.right * eta
    size = u.abs() + (u.square() + 4.0 * eta * rest).sqrt()
    return torch.where(u >= 0.0, 2.0 * eta / (2.0 * eta + size), size / (size + 2.0 * rest))
