"""2 -> 2 scattering through one time-like invariant."""

from __future__ import annotations

import math

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.phase_space.invariants import Flat, Invariant, require_positive
from madnis_py.physics.phase_space.mapping import ChannelMapping, MapDescription

LEAST_ENERGY = 1e-3
"""Least energy of the partons in GeV where neither masses nor cuts set one.

Cross sections that are finite without them fall like s-hat there: nothing measurable lies below.
"""


class SChannelMapping(ChannelMapping):
    """2 -> 2 scattering through one time-like invariant; massless beams along the z axis.

    Unit cube of two hadrons, dim 4: s-hat by `invariant`; the share y of the logarithm of tau =
    s-hat / (4 E_1 E_2) in x1 = tau^y, x2 = tau^(1 - y), Eq. (5.42); cos(theta) and phi of the first
    outgoing particle in the partonic rest frame. Of two partons, dim 2: cos(theta) and phi.
    Jacobian: dx1 dx2 dPhi_2 / dx, dimensionless.

    Args:
        beam_energies: energies of the beams in GeV.
        masses: masses of the outgoing particles in GeV.
        invariant: distribution of s-hat between s_min and s_max; not used for partonic beams.
        s_min: lower end in GeV^2, > 0 and not below the threshold (m_1 + m_2)^2.
        s_max: upper end in GeV^2; by default 4 E_1 E_2.
        partonic: the beams are the partons.

    Raises:
        InputError: an argument is outside its range.
    """

    n_particles = 4

    def __init__(
        self,
        beam_energies: tuple[float, float],
        masses: tuple[float, float],
        invariant: Invariant,
        s_min: float,
        s_max: float | None = None,
        partonic: bool = False,
    ) -> None:
        self._arguments = (beam_energies, masses, invariant, s_min, s_max, partonic)
        for energy in beam_energies:
            require_positive("SChannelMapping: beam_energies", energy)
        for mass in masses:
            if not (mass >= 0 and math.isfinite(mass)):
                raise InputError(f"SChannelMapping: masses: expected GeV >= 0; got {mass}")
        s_beams, threshold = 4 * beam_energies[0] * beam_energies[1], sum(masses) ** 2
        upper = s_beams if s_max is None else s_max
        if not (s_min > 0 and s_min >= threshold):
            expected = f"expected > 0 and at least (m_1 + m_2)^2 = {threshold}"
            raise InputError(f"SChannelMapping: s_min: {expected}; got {s_min}")
        if not s_min < upper <= s_beams:
            expected = f"expected s_min < s_max <= 4 E_1 E_2 = {s_beams}"
            raise InputError(f"SChannelMapping: s_max: {expected}; got {upper}")
        limits = Flat().between(s_min, upper) if partonic else invariant.between(s_min, upper)
        self.dim = 2 if partonic else 4
        self._kernel = _core.SChannel(beam_energies, masses, limits, partonic)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._arguments

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map points of the unit cube to momenta; see `ChannelMapping.forward`."""
        return self._kernel.forward(x)

    def inverse(self, p: Array) -> tuple[Array, Array]:
        """Map momenta to points of the unit cube; see `ChannelMapping.inverse`."""
        return self._kernel.inverse(p)

    @property
    def description(self) -> MapDescription:
        """See `ChannelMapping.description`."""
        return MapDescription("s_channel", self._kernel)
