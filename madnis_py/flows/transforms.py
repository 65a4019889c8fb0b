"""Transforms of a coupling block: monotonic functions of features with parameters theta.

Points and parameters are passed features first and points last; points are float64, parameters of
any lower precision.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from madnis_py.flows import splines
from madnis_py.flows.permutations import Mask

LOG_SCALE_LIMIT = 2.0
"""Largest |log-scale| of an affine transform, alpha in Eq. (3.48) of the MadNIS thesis."""


class Transform(nn.Module, ABC):
    """A family of monotonic functions of one feature each; zero parameters give the identity.

    Attributes:
        parameter_count: parameters per feature.
        condition_count: inputs of the network that `condition` makes of the conditioning features.
        kernel_bins: bins of splines that the compiled kernels compute; None for other functions.
    """

    parameter_count: int
    condition_count: int
    kernel_bins: int | None = None

    @abstractmethod
    def condition(self, fixed: Tensor) -> Tensor:
        """Scale conditioning features (n_fixed, n) for a network: mean 0, variance 1.

        Returns:
            inputs of the network, shape (condition_count, n).
        """

    @abstractmethod
    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Map data to latent points.

        Args:
            x: features, shape (m, n).
            theta: parameters, shape (parameter_count, m, n).

        Returns:
            z and log dz/dx, shape (m, n) each.
        """

    @abstractmethod
    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Map latent points to data, the inverse of `to_latent`; returns x and log dx/dz."""


class SplineTransform(Transform):
    """Rational-quadratic splines on the unit interval, Eqs. (3.49)-(3.51) of the MadNIS thesis.

    Conditioning features are seen as sqrt(12) (x - 1/2), with which networks learn faster than from
    x.

    Args:
        mask: True for the features to transform.
        bins: bins of each spline.
    """

    def __init__(self, mask: Mask, bins: int) -> None:
        super().__init__()
        self.parameter_count = splines.parameter_count(bins)
        self.condition_count = mask.count(False)
        self.kernel_bins = bins

    def condition(self, fixed: Tensor) -> Tensor:
        """See `Transform.condition`."""
        return _standardised(fixed)

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_latent`."""
        return splines.forward(x, theta)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_data`."""
        return splines.inverse(z, theta)


def _standardised(x: Tensor) -> Tensor:
    """Uniform numbers of [0, 1] with mean 0 and variance 1."""
    return math.sqrt(12.0) * (x - 0.5)


class PeriodicSplineTransform(Transform):
    """Splines for features of which some are angles in units of 2 pi, Section 3.2.3 of the thesis.

    Those of angles are smooth functions on the circle.

    The spline of an angle has equal end derivatives, d_K = d_0, and starts at a trainable point of
    the circle: the parameter that would be d_K is the shift instead. Conditioning angles are seen
    as sqrt(2) (cos, sin).

    Args:
        mask: True for the features to transform.
        bins: bins of each spline.
        periodic: the features that are angles.
    """

    angles: Tensor
    fixed_angles: Tensor
    fixed_lines: Tensor

    def __init__(self, mask: Mask, bins: int, periodic: frozenset[int]) -> None:
        super().__init__()
        self.parameter_count = splines.parameter_count(bins)
        transformed = [i for i, is_transformed in enumerate(mask) if is_transformed]
        fixed = [i for i, is_transformed in enumerate(mask) if not is_transformed]
        self.condition_count = len(fixed) + sum(i in periodic for i in fixed)
        self._register("angles", [i in periodic for i in transformed])
        self._register("fixed_angles", [i in periodic for i in fixed])
        self._register("fixed_lines", [i not in periodic for i in fixed])

    def condition(self, fixed: Tensor) -> Tensor:
        """See `Transform.condition`."""
        angle = 2.0 * math.pi * fixed.index_select(0, self.fixed_angles)
        lines = _standardised(fixed.index_select(0, self.fixed_lines))
        return torch.cat((lines, math.sqrt(2.0) * angle.cos(), math.sqrt(2.0) * angle.sin()))

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_latent`."""
        shift, theta = self._split(theta)
        return splines.forward(self._turned(x, shift), theta)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_data`."""
        shift, theta = self._split(theta)
        x, log_jac = splines.inverse(z, theta)
        return self._turned(x, -shift), log_jac

    def _split(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Shifts of the angles, and parameters whose last derivative of an angle is the first."""
        first = theta[2 * (theta.shape[0] // 3)]
        shift = theta[-1].index_select(0, self.angles)
        last = theta[-1].index_copy(0, self.angles, first.index_select(0, self.angles))
        return shift, torch.cat((theta[:-1], last.unsqueeze(0)))

    def _turned(self, x: Tensor, shift: Tensor) -> Tensor:
        turned = x.index_select(0, self.angles) + shift.to(x.dtype)
        return x.index_copy(0, self.angles, turned - turned.floor())

    def _register(self, name: str, selected: list[bool]) -> None:
        self.register_buffer(
            name, torch.tensor(selected, dtype=torch.bool).nonzero().flatten(), persistent=False
        )


class AffineTransform(Transform):
    """z = e^r x + s on the real line, Eqs. (3.47) and (3.48) of the MadNIS thesis.

    |r| is softly clamped to `LOG_SCALE_LIMIT`.

    The thesis prints the clamp for the shift s; it is the log-scale r that has to be bounded.

    Args:
        mask: True for the features to transform.
    """

    parameter_count = 2

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.condition_count = mask.count(False)

    def condition(self, fixed: Tensor) -> Tensor:
        """See `Transform.condition`; the features are normally distributed as they are."""
        return fixed

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_latent`."""
        log_scale, shift = self._split(theta, x)
        return log_scale.exp() * x + shift, log_scale

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_data`."""
        log_scale, shift = self._split(theta, z)
        return (z - shift) * (-log_scale).exp(), -log_scale

    @staticmethod
    def _split(theta: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        r, shift = theta.to(like.dtype).unbind()
        return 2.0 * LOG_SCALE_LIMIT / math.pi * torch.atan(r / LOG_SCALE_LIMIT), shift


class TransformFamily(ABC):
    """What all coupling blocks of a flow do to features; makes the transform of each.

    Attributes:
        on_real_line: whether features are normally distributed numbers instead of uniform ones.
    """

    on_real_line: bool

    @abstractmethod
    def for_mask(self, mask: Mask) -> Transform:
        """The transform of a block with this mask."""


@dataclass(frozen=True)
class SplineTransforms(TransformFamily):
    """Rational-quadratic splines.

    Attributes:
        bins: bins of each spline.
        periodic: features that are angles.
    """

    bins: int
    periodic: frozenset[int] = frozenset()
    on_real_line = False

    def for_mask(self, mask: Mask) -> Transform:
        """See `TransformFamily.for_mask`."""
        if self.periodic:
            return PeriodicSplineTransform(mask, self.bins, self.periodic)
        return SplineTransform(mask, self.bins)


@dataclass(frozen=True)
class AffineTransforms(TransformFamily):
    """Scales and shifts of numbers on the real line."""

    on_real_line = True

    def for_mask(self, mask: Mask) -> Transform:
        """See `TransformFamily.for_mask`."""
        return AffineTransform(mask)
