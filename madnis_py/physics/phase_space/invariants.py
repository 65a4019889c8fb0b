"""Distributions of s-hat between two fixed limits: Breit-Wigner, 1 / s^power, flat.

They serve 2 -> 2 scattering, `s_channel`. The lines of all other diagrams have limits that differ
from event to event: `_core.Line`, chosen in `topology_mapping`, computed in
cpp/phase_space/lines.hpp.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from madnis_py import _core
from madnis_py.errors import InputError


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
        require_positive("BreitWigner: mass", self.mass)
        require_positive("BreitWigner: width", self.width)

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


def require_positive(where: str, value: float) -> None:
    """Refuse a value that is not finite and above 0.

    Raises:
        InputError: names the argument.
    """
    if not (value > 0 and math.isfinite(value)):
        raise InputError(f"{where}: expected GeV > 0; got {value}")


def _limits(s_min: float, s_max: float, lowest: float | None) -> tuple[float, float]:
    if not (s_min < s_max and math.isfinite(s_max) and math.isfinite(s_min)):
        raise InputError(f"invariant: expected s_min < s_max; got {s_min} and {s_max}")
    if lowest is not None and s_min < lowest:
        raise InputError(
            f"invariant: expected s_min {'>' if lowest else '>='} 0 for this power; got {s_min}"
        )
    return s_min, s_max
