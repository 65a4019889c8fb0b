"""Sums over the points of each stratum of a batch on a device, in an order that never changes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from madnis_py.devices.channel_sums import ChannelSums
from madnis_py.devices.kernels import Kernels


class StratumSums:
    """Differentiable sums over strata, channels or symmetry groups of them.

    `index_add` of torch adds on a GPU in whatever order its threads come: the last bits of a loss
    would differ from run to run, and a training carries them to the first.

    Args:
        stratum: of each point, int64, shape (n,), on the device.
        counts: points of each stratum, int64, shape (n_strata,), CPU.
        kernels: of the device.
    """

    def __init__(self, stratum: Tensor, counts: Tensor, kernels: Kernels) -> None:
        self._stratum, self._order = stratum, torch.argsort(stratum, stable=True)
        self._sums = ChannelSums(counts, kernels)

    def __call__(self, x: Tensor) -> Tensor:
        """Sums of x, float64, shape (n,), over the points of each stratum, shape (n_strata,)."""
        sums: Tensor = _Sums.apply(x, self)  # type: ignore[no-untyped-call]
        return sums

    def totals(self, x: Tensor) -> Tensor:
        """The sums, without a gradient."""
        return self._sums.totals(x.detach()[self._order])[0]

    def spread(self, y: Tensor) -> Tensor:
        """What belongs to the stratum of each point, from (n_strata,) to (n,)."""
        return y[self._stratum]


class _Sums(torch.autograd.Function):
    """The sums; the gradient of a point is that of its stratum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, strata: StratumSums) -> Tensor:
        ctx.strata = strata
        return strata.totals(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        return ctx.strata.spread(upstream), None
