"""What a coupling block does to the features that it transforms, as a function of parameters theta and in closed form.

Points and parameters are passed features first and points last; points are float64, parameters of
any lower precision.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

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
    """

    parameter_count: int
    condition_count: int

    @abstractmethod
    def condition(self, fixed: Tensor) -> Tensor:
        """Scale the conditioning features (n_fixed, n) for a network, to (condition_count, n): mean 0, variance 1."""

    @abstractmethod
    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Map x (m, n) with parameters theta (parameter_count, m, n) to z (m, n) and log dz/dx (m, n)."""

    @abstractmethod
    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The inverse: z (m, n) to x (m, n) and log dx/dz (m, n)."""


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

    def condition(self, fixed: Tensor) -> Tensor:
        """See `Transform.condition`."""
        return math.sqrt(12.0) * (fixed - 0.5)

    def to_latent(self, x: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_latent`."""
        return splines.forward(x, theta)

    def to_data(self, z: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
        """See `Transform.to_data`."""
        return splines.inverse(z, theta)


class PeriodicSplineTransform(SplineTransform):
    """Splines of which some features are angles in units of 2 pi: smooth functions on the circle, Section 3.2.3.

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
        super().__init__(mask, bins)
        transformed = [i for i, is_transformed in enumerate(mask) if is_transformed]
        fixed = [i for i, is_transformed in enumerate(mask) if not is_transformed]
        self.condition_count += sum(i in periodic for i in fixed)
        self._register("angles", [i in periodic for i in transformed])
        self._register("fixed_angles", [i in periodic for i in fixed])
        self._register("fixed_lines", [i not in periodic for i in fixed])

    def condition(self, fixed: Tensor) -> Tensor:
        """See `Transform.condition`."""
        angle = 2.0 * math.pi * fixed.index_select(0, self.fixed_angles)
        lines = super().condition(fixed.index_select(0, self.fixed_lines))
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
        """Shifts of the angles, and parameters in which the last derivative of an angle is its first."""
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
    """z = e^r x + s on the real line with |r| softly clamped to `LOG_SCALE_LIMIT`, Eqs. (3.47) and (3.48).

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
