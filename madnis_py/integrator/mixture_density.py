"""Density of the points that a sampler draws, of one channel or of all together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.devices.device import CPU
from madnis_py.errors import InputError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.integration.integrand import Box


@dataclass(frozen=True)
class MixtureDensity:
    """p(x) = sum_i s_i q_i(x) / volume in a box, where a share s_i of the points has channel i.

    Attributes:
        flow: q_i on the unit cube.
        box: that the cube is stretched to.
        shares: s_i, float64, shape (n_channels,).
    """

    flow: AbstractFlow
    box: Box
    shares: Array

    @torch.no_grad()
    def log_prob(self, x: Tensor, channel: Any = None) -> Tensor:
        """Log density, minus infinity outside of the box.

        Args:
            x: float64, shape (n, dim).
            channel: whose density, one number or one for each point; the mixture if None.

        Raises:
            InputError: x or channel has the wrong shape, or there is no such channel.
        """
        if x.ndim != 2 or x.shape[1] != self.box.dim:
            expected = f"log_prob: expected points of shape (n, {self.box.dim})"
            raise InputError(f"{expected}; got {tuple(x.shape)}")
        u = self.box.in_cube(x)
        inside = ((u >= 0) & (u <= 1)).all(dim=1)
        u = torch.where(inside[:, None], u, 0.5)
        if channel is None:
            log_q = self._mixture(u)
        else:
            log_q = self._of_channels(u, self._channels(channel, len(u)))
        return torch.where(inside, log_q.to(x.device) - math.log(self.box.volume), -torch.inf)

    def _mixture(self, u: Tensor) -> Tensor:
        terms = [
            self._of_channels(u, torch.full((len(u),), i)) + math.log(share)
            for i, share in enumerate(self.shares)
            if share > 0
        ]
        return torch.stack(terms).logsumexp(dim=0)

    def _of_channels(self, u: Tensor, channel: Tensor) -> Tensor:
        """Log q_channel(u), with the channels in any order."""
        order = torch.argsort(channel, stable=True)
        place = CPU if self.flow.device is None else self.flow.device.torch_device
        log_q = self.flow.log_prob(u[order.to(u.device)].to(place), channel[order])
        return log_q[torch.argsort(order).to(place)]

    def _channels(self, channel: Any, n: int) -> Tensor:
        """The channel of each point, int64, shape (n,)."""
        given, highest = torch.as_tensor(channel).cpu(), len(self.shares) - 1
        if given.dtype.is_floating_point or given.shape not in ((), (n,)):
            got = f"{given.dtype} of shape {tuple(given.shape)}"
            raise InputError(f"log_prob: expected one channel, or {n}; got {got}")
        if given.numel() and not (int(given.min()) >= 0 and int(given.max()) <= highest):
            raise InputError(f"log_prob: expected channels in 0 ... {highest}; got {channel}")
        return given.long().expand(n)
