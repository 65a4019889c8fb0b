"""2 -> 2 scattering through one time-like invariant, and the distributions of that invariant."""

from __future__ import annotations

import math
from dataclasses import dataclass

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.phase_space.mapping import ChannelMapping

LEAST_ENERGY = 1e-3
"""GeV: where the energy of the partons begins if neither masses nor cuts say.

Cross sections that are finite all the same fall like s-hat there, so that nothing that could be
seen lies below.
"""


@dataclass(frozen=True)
class BreitWigner:
    """Squared mass s drawn from a Breit-Wigner distribution, Eqs. (2.43) and (2.44).

    Attributes:
        mass: M in GeV, > 0.
        width: Gamma in GeV, > 0.
    """

    mass: float
    width: float

    def __post_init__(self) -> None:
        _require_positive("BreitWigner: mass", self.mass)
        _require_positive("BreitWigner: width", self.width)

    def between(self, s_min: float, s_max: float) -> _core.Invariant:
        """The map from [0, 1] to s in [s_min, s_max], GeV^2."""
        return _core.Invariant(
            "breit_wigner", self.mass, self.width, 0.0, *_limits(s_min, s_max, lowest=None)
        )


@dataclass(frozen=True)
class Massless:
    """Squared mass s drawn from 1 / s^power, Eq. (2.45); s_min may be 0 for powers below 1.

    Attributes:
        power: nu, any real number; 1 is the logarithmic map.
    """

    power: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.power):
            raise InputError(f"Massless: power: expected a finite number; got {self.power}")

    def between(self, s_min: float, s_max: float) -> _core.Invariant:
        """The map from [0, 1] to s in [s_min, s_max], GeV^2."""
        lowest = 0.0 if self.power < 1 else math.ulp(0.0)
        return _core.Invariant("massless", 0.0, 0.0, self.power, *_limits(s_min, s_max, lowest))


@dataclass(frozen=True)
class Flat:
    """Squared mass s drawn from the uniform distribution."""

    def between(self, s_min: float, s_max: float) -> _core.Invariant:
        """The map from [0, 1] to s in [s_min, s_max], GeV^2."""
        return _core.Invariant("flat", 0.0, 0.0, 0.0, *_limits(s_min, s_max, lowest=None))


Invariant = BreitWigner | Massless | Flat


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
            _require_positive("SChannelMapping: beam_energies", energy)
        for mass in masses:
            _require_non_negative("SChannelMapping: masses", mass)
        s_beams = 4 * beam_energies[0] * beam_energies[1]
        upper = s_beams if s_max is None else s_max
        _check_support(s_min, upper, s_beams, sum(masses) ** 2)
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


def _require_positive(where: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise InputError(f"{where}: expected GeV > 0; got {value}")


def _require_non_negative(where: str, value: float) -> None:
    if not (value >= 0 and math.isfinite(value)):
        raise InputError(f"{where}: expected GeV >= 0; got {value}")


def _limits(s_min: float, s_max: float, lowest: float | None) -> tuple[float, float]:
    if not (s_min < s_max and math.isfinite(s_max) and math.isfinite(s_min)):
        raise InputError(f"invariant: expected s_min < s_max; got {s_min} and {s_max}")
    if lowest is not None and s_min < lowest:
        raise InputError(
            f"invariant: expected s_min {'>' if lowest else '>='} 0 for this power; got {s_min}"
        )
    return s_min, s_max


def _check_support(s_min: float, s_max: float, s_beams: float, threshold: float) -> None:
    if not (s_min > 0 and s_min >= threshold):
        raise InputError(
            f"SChannelMapping: s_min: expected > 0 and at least (m_1 + m_2)^2 = {threshold}; got {s_min}"
        )
    if not s_min < s_max <= s_beams:
        raise InputError(
            f"SChannelMapping: s_max: expected s_min < s_max <= 4 E_1 E_2 = {s_beams}; got {s_max}"
        )
