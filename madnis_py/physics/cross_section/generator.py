"""Generator of weighted phase-space points from random numbers, for samplers of other packages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process


@dataclass(frozen=True)
class GeneratedPoints:
    """What a generator makes of n points.

    Attributes:
        momenta: (E, px, py, pz) in GeV, incoming first, float64, shape (n, n_particles, 4).
        weight: f(p) J_i(x) in pb, the differential cross section times the Jacobian of the channel,
            float64, shape (n,); 0 where the cuts fail.
        channel_weights: alpha_j(p) of all channels, rows add up to 1, float64, shape (n,
            n_channels).
    """

    momenta: Array
    weight: Array
    channel_weights: Array


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

    Attributes:
        dim: random numbers per point.
        n_channels: number of channels.
        groups: symmetry group of each channel; members have equal integrals and may share a
            sampler.
        names: of the channels.
    """

    def __init__(self, cross_section: CrossSection) -> None:
        self._cross_section = cross_section
        self.dim, self.n_channels = cross_section.dim, cross_section.n_channels
        self.groups = cross_section.groups or tuple(range(self.n_channels))
        self.names = cross_section.channel_names

    @classmethod
    def from_card(cls, card: Card | str | Path) -> Generator:
        """The generator of a card, its path, or the bare name of a shipped process.

        Where the card says "auto", the channel weights are those of |M_i|^2; nothing is surveyed.
        Others are those of `Generator(CrossSection(process, "propagator"))`, and
        `choose_prior(process)` tells which suit.

        Raises:
            CardError: the card cannot be used.
        """
        return cls(CrossSection(Process.from_card(card)))

    def __call__(self, random: Array, channel: NDArray[np.integer] | int) -> GeneratedPoints:
        """Generate points.

        Args:
            random: numbers in [0, 1], float64, shape (n, dim).
            channel: of each point, in any order, integers, shape (n,), or one for all.

        Returns:
            The points in the order of the arguments.

        Raises:
            InputError: another shape or type, or a channel that does not exist.
        """
        points = np.ascontiguousarray(random, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != self.dim:
            raise InputError(
                f"Generator: random: expected shape (n, {self.dim}); got {points.shape}"
            )
        chosen = np.broadcast_to(np.asarray(channel), (len(points),))
        if not np.issubdtype(chosen.dtype, np.integer):
            raise InputError(f"Generator: channel: expected integers; got {chosen.dtype}")
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < self.n_channels):
            expected = f"expected 0 to {self.n_channels - 1}"
            raise InputError(
                f"Generator: channel: {expected}; got {chosen.min()} to {chosen.max()}"
            )
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
