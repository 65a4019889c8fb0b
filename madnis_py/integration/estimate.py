"""From weights to an integral with its error: sum_i <w>_i with variance sum_i sigma_i^2 / N_i."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from madnis_py.devices.channel_sums import ChannelSums
from madnis_py.devices.device import Device
from madnis_py.devices.kernels import Kernels
from madnis_py.errors import InputError
from madnis_py.integration.samples import Samples
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.notebook import html_table

if TYPE_CHECKING:
    from gvar import GVar

MINIMUM_POINTS = 2
"""Fewest points of a channel from which a variance can be estimated."""

ROUNDING = 1e-12
"""Errors below this share of the integral are rounding, not information about its uncertainty."""

SMALLEST = 2.0**-300
"""Numbers whose size is not between this and its inverse are measured in another unit before they
are squared."""


_SUMMARY_COLUMNS = ("itn", "points", "integral", "average", "chi2/dof")


@dataclass(frozen=True)
class Measurement:
    """A value of the integral with its error and its source, for a comparison.

    Attributes:
        name: of the source, as a sentence calls it.
        value: in the unit of the integral.
        error: one standard deviation.
    """

    name: str
    value: float
    error: float

    def in_unit(self, unit: float) -> Measurement:
        """The same in another unit."""
        return Measurement(self.name, self.value / unit, self.error / unit)

    def __str__(self) -> str:
        """E.g. `VEGAS 4207.1 +- 0.71`."""
        return f"{self.name} {self.value:.6g} +- {self.error:.2g}"


class GVarArithmetic:
    """Sums, products and powers of what has a `gvar`, as `gvar.GVar`."""

    __array_ufunc__ = None
    """Numbers of numpy leave the operators to this class."""

    gvar: GVar

    def __add__(self, other: object) -> GVar:
        return self.gvar + _as_gvar(other)

    def __radd__(self, other: object) -> GVar:
        return _as_gvar(other) + self.gvar

    def __sub__(self, other: object) -> GVar:
        return self.gvar - _as_gvar(other)

    def __rsub__(self, other: object) -> GVar:
        return _as_gvar(other) - self.gvar

    def __mul__(self, other: object) -> GVar:
        return self.gvar * _as_gvar(other)

    def __rmul__(self, other: object) -> GVar:
        return _as_gvar(other) * self.gvar

    def __truediv__(self, other: object) -> GVar:
        return self.gvar / _as_gvar(other)

    def __rtruediv__(self, other: object) -> GVar:
        return _as_gvar(other) / self.gvar

    def __pow__(self, other: object) -> GVar:
        return self.gvar ** _as_gvar(other)

    def __neg__(self) -> GVar:
        return -self.gvar


def _as_gvar(operand: Any) -> Any:
    return operand.gvar if isinstance(operand, GVarArithmetic) else operand


@dataclass(frozen=True, repr=False)
class Estimate(GVarArithmetic):
    """Multi-channel Monte Carlo estimate of an integral, Eqs. (2.51) and (5.11).

        >>> estimate = integrator.integrate(100_000)
        >>> estimate.mean, estimate.sdev, estimate.chi2_per_dof
        >>> f"{estimate:.3g}", float(estimate), estimate / other

    Sums, products and powers are `gvar.GVar`, with the errors of different estimates independent
    and an estimate fully correlated with itself. The equations are those of the MadNIS thesis.

    Attributes:
        value: sum_i I_i, in the unit of the integrand.
        error: one standard deviation of the value.
        chi2: of the iterations around their mean; 0 for a single one.
        dof: degrees of freedom of chi2, iterations - 1.
        n: points used.
        channel_values: I_i, float64, shape (n_channels,).
        channel_stds: sigma_i, standard deviation of the weights of a channel, float64, shape
            (n_channels,).
        channel_counts: N_i, int64, shape (n_channels,).
        iterations: what was combined; empty for a single estimate.
    """

    value: float
    error: float
    chi2: float
    dof: int
    n: int
    channel_values: Tensor
    channel_stds: Tensor
    channel_counts: Tensor
    iterations: tuple[Estimate, ...] = ()

    @property
    def mean(self) -> float:
        """The value, by the name that gvar and vegas have for it."""
        return self.value

    @property
    def sdev(self) -> float:
        """The error, by the name that gvar and vegas have for it."""
        return self.error

    def __float__(self) -> float:
        return self.value

    @property
    def moments(self) -> Moments:
        """The moments of a single estimate, from which it can be made again."""
        unit = unit_of(self.channel_values.numpy(), self.channel_stds.numpy())
        squares = (self.channel_stds / unit).square() * (self.channel_counts - 1).clamp(min=0)
        return Moments(self.channel_counts, self.channel_values / unit, squares, unit)

    @property
    def relative_std(self) -> float:
        """sum_i sigma_i / |I|, the relative error times sqrt(N) at optimal allocation.

        It does not depend on the number of points.
        """
        total = float(self.channel_stds.sum())
        return total / abs(self.value) if self.value else math.inf

    @property
    def chi2_per_dof(self) -> float:
        """Near 1 when the iterations agree within their errors; 0 for a single one."""
        return self.chi2 / self.dof if self.dof else 0.0

    @cached_property
    def gvar(self) -> GVar:
        """Value and error as a `gvar.GVar`, always the same one, for arithmetic with errors."""
        import gvar

        return gvar.gvar(self.value, self.error)

    def __getstate__(self) -> dict[str, object]:
        """Without the `gvar`, whose correlations another process does not know."""
        return {name: value for name, value in self.__dict__.items() if name != "gvar"}

    def __str__(self) -> str:
        """One line, e.g. `1.0003(12), chi2/dof 0.87 [9]`."""
        return f"{self._in_digits()}, chi2/dof {self.chi2_per_dof:.2f} [{self.dof}]"

    def __repr__(self) -> str:
        return f"Estimate({self}, {self.n:,} points)"

    def __format__(self, spec: str) -> str:
        """The same as `str`, or value and error alone by a format: `1.00(12)` for ".3g"."""
        return self._in_digits(spec) if spec else str(self)

    def _in_digits(self, spec: str = "") -> str:
        """E.g. `1.0003(12)`; written out where the square of the error is beyond all numbers."""
        if unit_of(self.value, self.error) != 1.0:
            return f"{self.value:{spec or '.6g'}} +- {self.error:{spec or '.2g'}}"
        return format(self.gvar, spec)

    def summary(self) -> str:
        """A table of iterations and their running average, in the form that vegas users know."""
        rows = [_SUMMARY_COLUMNS, *self._summary_rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in rows
        ]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def _repr_html_(self) -> str:
        return html_table(str(self), self._summary_rows(), _SUMMARY_COLUMNS)

    def _summary_rows(self) -> Iterator[tuple[str, ...]]:
        parts = self.iterations or (self,)
        for k, part in enumerate(parts, start=1):
            average = combine(parts[:k])
            yield (
                str(k),
                str(part.n),
                part._in_digits(),
                average._in_digits(),
                f"{average.chi2_per_dof:.2f}",
            )


@dataclass(frozen=True)
class Moments:
    """Mean and squared deviations of the weights of each channel.

    They are all that an estimate needs of the points.

    Attributes:
        counts: points, int64, shape (n_channels,).
        means: mean weight, float64, shape (n_channels,); 0 without points.
        squares: sum of (w - mean)^2, float64, shape (n_channels,).
        unit: that of the means, a power of two; 1 unless the squares of the weights are beyond all
            numbers.
    """

    counts: Tensor
    means: Tensor
    squares: Tensor
    unit: float = 1.0

    @classmethod
    def empty(cls, n_channels: int) -> Moments:
        """Moments of no points."""
        zeros = torch.zeros(n_channels, dtype=torch.float64)
        return cls(zeros.long(), zeros, zeros)

    @classmethod
    def of(cls, channel: Tensor, weight: Tensor, n_channels: int) -> Moments:
        """Moments by two passes over the weights, means first and then deviations from them.

        Eq. (2.27) of the MadNIS thesis, which misprints it.

        The difference <w^2> - <w>^2 would lose all digits when the weights vary little around a
        large mean.

        Args:
            channel: int64, shape (n,), CPU.
            weight: float64, shape (n,).
            n_channels: number of channels.
        """
        index, values = channel.numpy(), weight.cpu().numpy()
        unit = unit_of(values)
        if unit != 1.0:
            values = values / unit
        counts = np.bincount(index, minlength=n_channels)
        means = np.bincount(index, values, n_channels) / np.maximum(counts, 1)
        deviations = values - means[index]
        squares = np.bincount(index, deviations * deviations, n_channels)
        return cls(
            torch.from_numpy(counts), torch.from_numpy(means), torch.from_numpy(squares), unit
        )

    @classmethod
    def on_device(
        cls, channel: Tensor, weight: Tensor, n_channels: int, kernels: Kernels
    ) -> Moments:
        """Moments of weights on a device, of which nothing else is copied from there; see `of`.

        Args:
            channel: sorted, int64, shape (n,), CPU.
            weight: float64, shape (n,), contiguous, on the device.
            n_channels: number of channels.
            kernels: of the device.
        """
        counts = torch.bincount(channel, minlength=n_channels)
        sums = ChannelSums(counts, kernels)

        def moments(unit: float) -> tuple[float, Moments]:
            means, largest = sums.means(weight, unit)
            both = torch.stack([means, sums.squares(weight, means, unit)]).cpu()
            return float(largest), cls(counts, both[0], both[1], unit)

        largest, found = moments(1.0)
        unit = unit_of(largest)
        return found if unit == 1.0 else moments(unit)[1]

    @classmethod
    def of_samples(cls, samples: Samples, n_channels: int, device: Device | None = None) -> Moments:
        """Moments of the weights of some points; see `of`.

        Args:
            samples: points.
            n_channels: number of channels.
            device: where they are; None for the CPU.
        """
        if device is None:
            return cls.of(samples.channel, samples.weight, n_channels)
        return cls.on_device(samples.channel, samples.weight, n_channels, device.kernels)

    def merged(self, other: Moments) -> Moments:
        """Moments of the points of both, Chan, Golub and LeVeque (1983)."""
        if self.unit != other.unit:
            unit = (
                self.unit if not other.means.any() else other.unit if not self.means.any() else None
            )
            unit = unit or max(self.unit, other.unit)
            return self.in_unit(unit).merged(other.in_unit(unit))
        counts = self.counts + other.counts
        share = other.counts.double() / counts.clamp(min=1)
        distance = other.means - self.means
        squares = self.squares + other.squares + distance * distance * self.counts * share
        return Moments(counts, self.means + distance * share, squares, self.unit)

    def in_unit(self, unit: float) -> Moments:
        """The same in another unit."""
        ratio = self.unit / unit
        return Moments(self.counts, self.means * ratio, self.squares * ratio * ratio, unit)

    def pooled(self, groups: ChannelGroups) -> Moments:
        """Moments of the points of each group of channels; their weights are distributed alike."""
        counts = groups.total(self.counts)
        means = groups.total(self.counts * self.means) / counts.clamp(min=1)
        distance = self.means - means[groups.index]
        return Moments(
            counts, means, groups.total(self.squares + self.counts * distance * distance), self.unit
        )

    @property
    def variances(self) -> Tensor:
        """Unbiased variance of the weights of each channel, float64, shape (n_channels,).

        0 without points.
        """
        return self._variances * self.unit * self.unit

    @property
    def _variances(self) -> Tensor:
        """The same in the unit squared."""
        return self.squares / (self.counts - 1).clamp(min=1)

    def estimate(self) -> Estimate:
        """The integral; channels without points contribute nothing.

        Raises:
            InputError: a channel has points, but too few for a variance.
        """
        counts, variances = self.counts.numpy(), self._variances.numpy()
        short = (counts > 0) & (counts < MINIMUM_POINTS)
        if short.any():
            raise InputError(
                f"estimate: channel {short.argmax()} has 1 point; an error needs {MINIMUM_POINTS}"
            )
        return Estimate(
            value=float(self.means.sum()) * self.unit,
            error=math.sqrt((variances / np.maximum(counts, 1)).sum()) * self.unit,
            chi2=0.0,
            dof=0,
            n=int(counts.sum()),
            channel_values=self.means * self.unit,
            channel_stds=torch.from_numpy(np.sqrt(variances)) * self.unit,
            channel_counts=self.counts,
        )


def estimate(samples: Samples, n_channels: int) -> Estimate:
    """Estimate the integral from weighted points.

    Raises:
        InputError: a channel has a single point.
    """
    return Moments.of_samples(samples, n_channels).estimate()


def combine(estimates: Sequence[Estimate]) -> Estimate:
    """Combine independent estimates, each weighted by its share of all points.

    The share is fixed before any point is drawn, so the mean stays unbiased. Weights 1 / error^2,
    and also channel by channel pooling when the allocation follows earlier iterations, are
    correlated with the values: upward fluctuations come with larger errors, count less, and pull
    the mean down.

    The errors are combined accordingly, sigma_i as the pooled deviation within the iterations. chi2
    is taken around the inverse-variance mean, where it follows the chi-square distribution with
    iterations - 1 degrees of freedom.
    """
    parts = tuple(leaf for part in estimates for leaf in (part.iterations or (part,)))
    n = sum(part.n for part in parts)
    counts = torch.stack([part.channel_counts for part in parts])
    values = torch.stack([part.channel_values * (part.n / n) for part in parts]).sum(dim=0)
    unit = unit_of(
        [part.value for part in parts], torch.stack([part.channel_stds for part in parts]).numpy()
    )
    variances = torch.stack([(part.channel_stds / unit).square() for part in parts])
    pooled = (variances * counts).sum(dim=0) / counts.sum(dim=0).clamp(min=1)
    return Estimate(
        value=float(values.sum()),
        error=math.sqrt(sum((part.error / unit * part.n / n) ** 2 for part in parts)) * unit,
        chi2=_chi2(parts, unit),
        dof=len(parts) - 1,
        n=n,
        channel_values=values,
        channel_stds=pooled.sqrt() * unit,
        channel_counts=counts.sum(dim=0),
        iterations=parts,
    )


def unit_of(*sizes: ArrayLike) -> float:
    """A power of two in which numbers can be squared, 1 if they can be as they are."""
    largest = max((float(np.abs(size).max(initial=0.0)) for size in sizes), default=0.0)
    if largest == 0.0 or SMALLEST < largest < 1 / SMALLEST:
        return 1.0
    return math.ldexp(1.0, math.frexp(largest)[1])


def _chi2(parts: Sequence[Estimate], unit: float) -> float:
    values = [part.value / unit for part in parts]
    errors = [
        max(part.error / unit, ROUNDING * abs(value))
        for part, value in zip(parts, values, strict=True)
    ]
    if not all(errors):
        return 0.0
    weights = [error**-2 for error in errors]
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    return sum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True))
