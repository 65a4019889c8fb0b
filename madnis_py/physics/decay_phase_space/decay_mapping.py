"""Map of the unit cube to the products of a particle that decays at rest."""

from __future__ import annotations

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.topology_mapping import TopologyMapping

_ROUNDING = 1e-6
"""Momentum of the particle over its mass that is none: momenta in files are rounded."""


class DecayMapping(ChannelMapping):
    """The unit cube to the phase space of a decay, 1 -> n in the rest frame.

    It is the map of two massless partons that meet with the energy of the particle: those have one
    cluster, whose decays are those of the particle. Jacobian: dPhi_n / dx, GeV^(2 n - 4).

    Args:
        partons: the map of two partons of half of the mass each to n particles.
        mass: of the particle in GeV.
    """

    def __init__(self, partons: TopologyMapping, mass: float) -> None:
        self._partons, self._mass = partons, mass
        self.dim, self.n_particles = partons.dim, partons.n_particles - 1

    def __reduce__(self) -> tuple[object, ...]:
        return DecayMapping, (self._partons, self._mass)

    def forward(self, x: Array) -> tuple[Array, Array]:
        """See `ChannelMapping.forward`."""
        made, jacobian = self._partons.forward(x)
        p = np.zeros((self.n_particles, 4, len(x)))
        p[0, 0] = self._mass
        p[1:] = made.transpose(1, 2, 0)[2:]
        return p.transpose(2, 0, 1), jacobian

    def inverse(self, p: Array) -> tuple[Array, Array]:
        """See `ChannelMapping.inverse`; a particle that moves has no point."""
        half = self._mass / 2
        partons = np.zeros((self.n_particles + 1, 4, len(p)))
        partons[:2, 0] = half
        partons[0, 3], partons[1, 3] = half, -half
        partons[2:] = p.transpose(1, 2, 0)[1:]
        x, jacobian = self._partons.inverse(partons.transpose(2, 0, 1))
        moved = np.abs(p[:, 0] - [self._mass, 0, 0, 0]).max(axis=1)
        return x, np.where(moved <= _ROUNDING * self._mass, jacobian, 0.0)
