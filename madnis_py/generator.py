"""Generator of weighted phase-space points from random numbers, for samplers of other packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.devices.device import Device, device_of
from madnis_py.errors import InputError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.process.process import Process

Numbers = TypeVar("Numbers", Array, Tensor)


@dataclass(frozen=True)
class GeneratedPoints(Generic[Numbers]):
    """What a generator makes of n points: arrays on the CPU, tensors on a device.

    Attributes:
        momenta: (E, px, py, pz) in GeV, incoming first, float64, shape (n, n_particles, 4).
        weight: f(p) J_i(x) in pb, the differential cross section times the Jacobian of the channel,
            float64, shape (n,); 0 where the cuts fail.
        channel_weights: alpha_j(p) of all channels, rows add up to 1, float64, shape (n,
            n_channels).
    """

    momenta: Numbers
    weight: Numbers
    channel_weights: Numbers


class Generator:
    """The integrand of a process as a batched function, for any sampler.

    The cross section is the sum over channels i of the mean of `weight * channel_weights[:, i]`
    over points that are uniform in the unit cube, all generated with channel i:

        generator = Generator.from_card("ttbar_1j")
        channel = np.arange(generator.n_channels).repeat(1000)
        points = generator(np.random.rand(len(channel), generator.dim), channel)
        own = points.channel_weights[np.arange(len(channel)), channel]
        sigma = generator.n_channels * (points.weight * own).mean()

    Args:
        cross_section: the integrand.
        device: a name as `--device` takes it, or a `Device`, where random numbers and channels are
            given as tensors, and momenta and weights are tensors; the CPU with its arrays by
            default.

    Attributes:
        dim: random numbers per point.
        n_channels: number of channels.
        groups: symmetry group of each channel; members have equal integrals and may share a
            sampler.
        names: of the channels.

    Raises:
        MadnisError: the device cannot be used, or not for this process.
    """

    def __init__(self, cross_section: CrossSection, device: Device | str | None = None) -> None:
        self._cross_section = cross_section
        there = device_of(device) if isinstance(device, str) else device
        self._there = None if there is None else CrossSectionOnDevice(cross_section, there)
        self.dim, self.n_channels = cross_section.dim, cross_section.n_channels
        self.groups = cross_section.groups or tuple(range(self.n_channels))
        self.names = cross_section.channel_names

    @classmethod
    def from_card(cls, card: Card | str | Path, device: Device | str | None = None) -> Generator:
        """The generator of a card, its path, or the bare name of a shipped process.

        Where the card says "auto", the channel weights are those of |M_i|^2; nothing is surveyed.
        Others are those of `Generator(CrossSection(process, "propagator"))`, and
        `choose_prior(process)` tells which suit.

        Raises:
            CardError: the card cannot be used.
            MadnisError: the device cannot be used, or not for this process.
        """
        return cls(CrossSection(Process.from_card(card)), device)

    @overload
    def __call__(
        self, random: Array, channel: NDArray[np.integer] | int
    ) -> GeneratedPoints[Array]: ...

    @overload
    def __call__(self, random: Tensor, channel: Tensor | int) -> GeneratedPoints[Tensor]: ...

    def __call__(
        self, random: Array | Tensor, channel: NDArray[np.integer] | Tensor | int
    ) -> GeneratedPoints[Array] | GeneratedPoints[Tensor]:
        """Generate points.

        Args:
            random: numbers in [0, 1], float64, shape (n, dim).
            channel: of each point, in any order, integers, shape (n,), or one for all.

        Returns:
            The points in the order of the arguments; on a device as tensors there.

        Raises:
            InputError: another shape or type, or a channel that does not exist.
        """
        if self._there is not None:
            return self._on_device(self._there, torch.as_tensor(random), torch.as_tensor(channel))
        return self._on_cpu(np.asarray(random), np.asarray(channel))

    def _on_cpu(self, random: Array, channel: NDArray[np.integer]) -> GeneratedPoints[Array]:
        points = np.ascontiguousarray(random, dtype=np.float64)
        self._require_points(tuple(points.shape))
        chosen = np.broadcast_to(channel, (len(points),))
        if not np.issubdtype(chosen.dtype, np.integer):
            raise InputError(f"Generator: channel: expected integers; got {chosen.dtype}")
        if len(chosen):
            self._require_channels(int(chosen.min()), int(chosen.max()))
        order = np.argsort(chosen, kind="stable")
        x = torch.from_numpy(points[order])
        momenta, jacobian = self._cross_section.momenta(
            x, torch.from_numpy(chosen[order].astype(np.int64))
        )
        evaluated = self._cross_section.evaluate_momenta(momenta, jacobian)
        prior = evaluated.prior.numpy()
        alpha = prior / prior.sum(axis=1, keepdims=True)
        back = np.argsort(order)
        return GeneratedPoints(
            np.ascontiguousarray(momenta[back]), evaluated.value.numpy()[back], alpha[back]
        )

    def _on_device(
        self, there: CrossSectionOnDevice, random: Tensor, channel: Tensor
    ) -> GeneratedPoints[Tensor]:
        self._require_points(tuple(random.shape))
        if channel.is_floating_point() or channel.is_complex() or channel.dtype is torch.bool:
            raise InputError(f"Generator: channel: expected integers; got {channel.dtype}")
        if len(random):
            self._require_channels(int(channel.min()), int(channel.max()))
        points = random.to(there.device.torch_device, torch.float64)
        chosen = channel.to(there.device.torch_device, torch.int64).expand(len(points))
        momenta, jacobian = there.mapped(points, chosen.contiguous())
        evaluated = there.evaluate_momenta(momenta, jacobian)
        alpha = evaluated.prior / evaluated.prior.sum(dim=1, keepdim=True)
        return GeneratedPoints(momenta.contiguous(), evaluated.value, alpha)

    def _require_points(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or shape[1] != self.dim:
            raise InputError(f"Generator: random: expected shape (n, {self.dim}); got {shape}")

    def _require_channels(self, least: int, most: int) -> None:
        if not 0 <= least <= most < self.n_channels:
            expected = f"expected 0 to {self.n_channels - 1}"
            raise InputError(f"Generator: channel: {expected}; got {least} to {most}")
