"""Phase space of a single final particle: its mass fixes the energy of the partons."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.phase_space.mapping import ChannelMapping, MapDescription

_ROUNDING = 1e-9
"""Relative deviation of s-hat from M^2 that is none."""


class OnShellMapping(ChannelMapping):
    """Two massless partons to one particle on its mass shell, such as u u~ > z.

    Unit cube, dim 1: the rapidity y of the particle in units of its range, x1 = sqrt(tau) e^y and
    x2 = sqrt(tau) e^-y with tau = M^2 / (4 E_1 E_2). Jacobian: dx1 dx2 dPhi_1 / dx = 2 pi dx1 dx2
    delta(s-hat - M^2) / dx, GeV^-2.

    Args:
        beam_energies: in GeV.
        mass: M in GeV.

    Raises:
        InputError: a massless particle, or one too heavy for the beams.
    """

    dim = 1
    n_particles = 3

    def __init__(self, beam_energies: tuple[float, float], mass: float) -> None:
        s = 4 * beam_energies[0] * beam_energies[1]
        if not 0 < mass < math.sqrt(s):
            room = (
                f"expected a single final particle with a mass between 0 and {math.sqrt(s):g} GeV"
            )
            raise InputError(f"{room}; got {mass:g} GeV")
        self._arguments = (beam_energies, mass)
        self._first, self._second = beam_energies
        self._least = mass**2 / (4 * self._second)
        self._highest = math.log(s / mass**2) / 2
        self._jacobian = 2 * math.pi * 2 * self._highest / s

    def __reduce__(self) -> tuple[object, ...]:
        return OnShellMapping, self._arguments

    def forward(self, x: Array) -> tuple[Array, Array]:
        """See `ChannelMapping.forward`."""
        share = x[:, 0]
        inside = (share >= 0) & (share <= 1)
        exponent = 2 * self._highest * np.where(inside, share, 0.5)
        first = np.minimum(self._least * np.exp(exponent), self._first)
        second = self._second * np.exp(-exponent)
        p = np.zeros((3, 4, len(x)))
        p[0, 0], p[0, 3] = first, first
        p[1, 0], p[1, 3] = second, -second
        p[2] = p[0] + p[1]
        return p.transpose(2, 0, 1), np.where(inside, self._jacobian, 0.0)

    def inverse(self, p: Array) -> tuple[Array, Array]:
        """See `ChannelMapping.inverse`; momenta of another mass have no point."""
        first, second = p[:, 0, 0], p[:, 1, 0]
        inside = (first > 0) & (first <= self._first) & (second > 0) & (second <= self._second)
        first, second = np.where(inside, first, self._first), np.where(inside, second, self._second)
        inside &= np.abs(first * second / (self._least * self._second) - 1) < _ROUNDING
        x = 0.5 + np.log(first / second * self._second / self._first) / (4 * self._highest)
        return np.where(inside, x, 0.5).clip(0, 1)[:, None], np.where(inside, self._jacobian, 0.0)

    @property
    def description(self) -> MapDescription:
        """See `ChannelMapping.description`."""
        return MapDescription("on_shell", _OnShellSpec(*self._arguments))


@dataclass(frozen=True)
class _OnShellSpec:
    """The struct of this name in `cpp/phase_space/mapping_specs.hpp`."""

    beam_energies: tuple[float, float]
    mass: float

    def image(self, address: int) -> bytes:
        """See `Described.image`; there are no pointers in it."""
        return struct.pack("=3d", *self.beam_energies, self.mass)
