"""Cuts on momenta."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import InputError

_PARTICLES: dict[str, tuple[int, float]] = {
    "pt": (1, 1),
    "eta": (1, 1),
    "rapidity": (1, 1),
    "energy": (1, 1),
    "mass": (2, math.inf),
    "pt_sum": (2, math.inf),
    "dr": (2, 2),
}
"""Least and largest number of particles that an observable takes."""


@dataclass(frozen=True)
class Cut:
    """Keep events with minimum <= observable <= maximum.

    Attributes:
        observable: of one particle "pt", "eta" (|eta|), "rapidity" (|y|) or "energy"; of a system of two or more "mass"
            or "pt_sum" (transverse momentum of the summed momentum); of a pair "dr" (sqrt(Delta y^2 + Delta phi^2)).
            GeV or dimensionless.
        particles: positions among the particles of an event, incoming ones counted.
        minimum: lower limit, -inf for none.
        maximum: upper limit, inf for none.

    Raises:
        InputError: the observable is unknown, takes another number of particles, or the limits are not ordered.
    """

    observable: str
    particles: tuple[int, ...]
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if self.observable not in _PARTICLES:
            raise InputError(f"cut: observable: expected one of {', '.join(_PARTICLES)}; got {self.observable!r}")
        least, largest = _PARTICLES[self.observable]
        if not least <= len(self.particles) <= largest:
            wanted = least if least == largest else f"at least {least}"
            raise InputError(f"cut: {self.observable}: expected particles: {wanted}; got {self.particles}")
        if len(set(self.particles)) < len(self.particles) or min(self.particles) < 0:
            raise InputError(f"cut: {self.observable}: expected different positions >= 0; got {self.particles}")
        if not self.minimum <= self.maximum:
            raise InputError(f"cut: {self.observable}: expected minimum <= maximum; got {self.minimum}, {self.maximum}")


class Cuts:
    """Cuts that an event has to pass all; none pass everything.

    Args:
        cuts: in the order in which they are tried.
    """

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self.cuts = tuple(cuts)
        self._kernel = _core.Cuts([(cut.observable, cut.particles, cut.minimum, cut.maximum) for cut in self.cuts])

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.cuts,)

    def passes(self, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether each event passes.

        An observable that is NaN passes, so that the event reaches the check of the weights and is reported there.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory (see `as_momenta`).

        Returns:
            bool, shape (n,).

        Raises:
            ValueError: p has another type or layout, or fewer particles than a cut names.
        """
        return self._kernel.passes(p)
