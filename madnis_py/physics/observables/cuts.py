"""Cuts: limits on observables of particles at given positions, tested on momenta.

`selection` makes them of the table [cuts] of a card, where particles have names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.momenta import select

Bools = NDArray[np.bool_]

_PARTICLES: dict[str, tuple[int, float]] = {
    "pt": (1, 1),
    "eta": (1, 1),
    "rapidity": (1, 1),
    "energy": (1, 1),
    "partonic_energy": (1, 1),
    "mass": (2, math.inf),
    "pt_sum": (2, math.inf),
    "dr": (2, 2),
    "deta": (2, 2),
    "dy": (2, 2),
    "dphi": (2, 2),
    "eta_product": (2, 2),
    "ht": (1, math.inf),
}
"""Observable -> least and largest number of particles that it takes."""


def _check(observable: str, count: int, minimum: float, maximum: float, got: object) -> None:
    if observable not in _PARTICLES:
        raise InputError(
            f"cut: observable: expected one of {', '.join(_PARTICLES)}; got {observable!r}"
        )
    least, largest = _PARTICLES[observable]
    if not least <= count <= largest:
        wanted = least if least == largest else f"at least {least}"
        raise InputError(f"cut: {observable}: expected particles: {wanted}; got {got}")
    if not minimum <= maximum:
        raise InputError(
            f"cut: {observable}: expected minimum <= maximum; got {minimum}, {maximum}"
        )


def _check_positions(observable: str, particles: tuple[int, ...]) -> None:
    if len(set(particles)) < len(particles) or min(particles) < 0:
        raise InputError(f"cut: {observable}: expected different positions >= 0; got {particles}")


@dataclass(frozen=True)
class Cut:
    """Keep events with minimum <= observable <= maximum.

    Attributes:
        observable: of one particle "pt", "eta" (|eta|), "rapidity" (|y|), "energy" or
            "partonic_energy" (in the rest frame of the two incoming particles); of a system of two
            or more "mass" or "pt_sum" (transverse momentum of the summed momentum); of a pair "dr"
            (sqrt(Delta y^2 + Delta phi^2)), "deta" (|Delta eta|), "dy" (|Delta y|), "dphi" (|Delta
            phi|, 0 to pi) or "eta_product" (eta_1 eta_2); of any number "ht" (sum of the transverse
            momenta). GeV or dimensionless.
        particles: positions among the particles of an event, incoming ones counted.
        minimum: lower limit, -inf for none.
        maximum: upper limit, inf for none.

    Raises:
        InputError: the observable is unknown, takes another number of particles, or the limits are
            not ordered.
    """

    observable: str
    particles: tuple[int, ...]
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        _check(self.observable, len(self.particles), self.minimum, self.maximum, self.particles)
        _check_positions(self.observable, self.particles)


@dataclass(frozen=True)
class Ranked:
    """Particle with the rank-th largest transverse momentum among some.

    Attributes:
        particles: positions among the particles of an event.
        rank: 1 for the hardest.

    Raises:
        InputError: there are fewer particles, or they are not different.
    """

    particles: tuple[int, ...]
    rank: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= len(self.particles):
            raise InputError(f"cut: rank: expected 1 to {len(self.particles)}; got {self.rank}")
        _check_positions("rank", self.particles)

    def positions(self, p: Array) -> NDArray[np.intp]:
        """Its position in each event, (n,); of equal ones the first comes first."""
        members = np.array(self.particles)
        pt = np.hypot(p[:, members, 1], p[:, members, 2])
        return np.asarray(members[np.argsort(-pt, axis=1, kind="stable")[:, self.rank - 1]])


@dataclass(frozen=True)
class RankedCut:
    """A cut on particles that are chosen event by event by their transverse momenta.

    Events in which two of the particles are the same one pass.

    Attributes:
        observable: as of `Cut`.
        particles: which ones.
        minimum: lower limit, -inf for none.
        maximum: upper limit, inf for none.

    Raises:
        InputError: as `Cut`.
    """

    observable: str
    particles: tuple[Ranked, ...]
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        _check(self.observable, len(self.particles), self.minimum, self.maximum, self.particles)

    @cached_property
    def _cuts(self) -> Cuts:
        """The cut on events of the two incoming particles and those that it chooses."""
        positions = tuple(range(2, 2 + len(self.particles)))
        return Cuts([Cut(self.observable, positions, self.minimum, self.maximum)])

    def passes(self, p: Array) -> Bools:
        """As `Cuts.passes`."""
        rows = np.arange(len(p))
        chosen = np.sort([particle.positions(p) for particle in self.particles], axis=0)
        momenta = np.empty((2 + len(chosen), 4, len(p))).transpose(2, 0, 1)
        momenta[:, :2] = p[:, :2]
        momenta[:, 2:] = np.stack([p[rows, position] for position in chosen], axis=1)
        return np.asarray(self._cuts.passes(momenta) | (np.diff(chosen, axis=0) == 0).any(axis=0))


@dataclass(frozen=True)
class Isolation:
    """Smooth isolation of a particle, S. Frixione, hep-ph/9801442.

    In every cone around it with Delta R = R <= R_0, in pseudorapidity and azimuth, the others have
    together at most epsilon p_T ((1 - cos R) / (1 - cos R_0))^n of transverse momentum, Eq. (3.4).

    Attributes:
        particle: position of what is isolated among the particles of an event.
        others: positions of what it is isolated from, in any order.
        radius: R_0 > 0.
        exponent: n >= 0.
        epsilon: >= 0.

    Raises:
        InputError: the positions are not different, or a number is out of range.
    """

    particle: int
    others: tuple[int, ...]
    radius: float = 0.4
    exponent: float = 1.0
    epsilon: float = 1.0

    def __post_init__(self) -> None:
        _check_positions("isolation", (self.particle, *self.others))
        numbers = (self.radius, self.exponent, self.epsilon)
        if not (0 < self.radius < math.inf and all(0 <= one < math.inf for one in numbers)):
            raise InputError(
                f"cut: isolation: expected radius > 0, exponent and epsilon >= 0; got {numbers}"
            )

    @property
    def separates(self) -> bool:
        """Whether no other particle may become parallel to it, however soft."""
        return self.exponent > 0 or self.epsilon == 0


AnyCut = Cut | RankedCut | Isolation


class Cuts:
    """Cuts of which an event has to pass all; without any, every event passes.

    Args:
        cuts: in any order; those on ranks and on "ht" see only events that pass the others.
    """

    def __init__(self, cuts: Sequence[AnyCut]) -> None:
        self.cuts = tuple(cuts)
        direct = [cut for cut in self.cuts if isinstance(cut, Cut) and cut.observable != "ht"]
        isolations = [cut for cut in self.cuts if isinstance(cut, Isolation)]
        self._kernel = _core.Cuts(
            [(cut.observable, cut.particles, cut.minimum, cut.maximum) for cut in direct],
            list(map(astuple, isolations)),
        )
        self._others = [
            cut
            for cut in self.cuts
            if isinstance(cut, RankedCut) or (isinstance(cut, Cut) and cut.observable == "ht")
        ]

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.cuts,)

    def passes(self, p: Array) -> Bools:
        """Whether each event passes.

        An observable that is NaN passes, so that the event reaches the check of the weights and is
        reported there.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory (see
                `as_momenta`).

        Returns:
            bool, shape (n,).

        Raises:
            ValueError: p has another type or layout, or fewer particles than a cut names.
        """
        passed: Bools = self._kernel.passes(p)
        for cut in self._others:
            rows = np.flatnonzero(passed)
            kept = select(p, rows)
            if isinstance(cut, RankedCut):
                passed[rows] = cut.passes(kept)
            else:
                members = list(cut.particles)
                ht = np.hypot(kept[:, members, 1], kept[:, members, 2]).sum(axis=1)
                passed[rows] = ~((ht < cut.minimum) | (ht > cut.maximum))
        return passed
