"""Squared matrix elements as functions of momenta."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.kinematics import s_hat


@dataclass(frozen=True)
class Weights:
    """|M|^2 and what events are drawn from.

    Attributes:
        me2: averaged over initial and summed over final states, float64 (n,).
        flows: sum over helicities of |J_k|^2 for each colour flow up to a common factor, float64
            (n, n_flows).
        helicities: the part of |M|^2 of each helicity, float64 (n, n_helicities).
    """

    me2: Array
    flows: Array
    helicities: Array


class MatrixElement(ABC):
    """|M|^2 of one subprocess; every event on its own, whatever the batch.

    Attributes:
        n_diagrams: Feynman diagrams, the columns of the second result.
        n_particles: incoming and outgoing particles.
        flows: per colour flow, (colour, anticolour) of each leg in the numbers of the Les Houches
            format, 0 for none.
        helicities: those that do not vanish, twice their value for fermions, int8, shape
            (n_helicities, n_particles).
        alpha_s_power: k where |M|^2 is proportional to alpha_s^k; None for a sum of several powers.
    """

    n_diagrams: int
    n_particles: int
    flows: tuple[tuple[tuple[int, int], ...], ...]
    helicities: NDArray[np.int8]
    alpha_s_power: int | None = None

    @abstractmethod
    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """Squared matrix element and its single-diagram parts.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory (see
                `as_momenta`).
            alpha_s: strong coupling, a number or shape (n,).

        Returns:
            me2: averaged over initial spins and colours, summed over final ones, GeV^(8 - 2
                n_particles), shape (n,).
            diagrams: helicity sum of |A_k|^2 per diagram without colour and averaging factors,
                shape (n, n_diagrams).

        Raises:
            ValueError: p has another type, shape or layout.
        """

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        """The first result of `evaluate` alone, which may cost less."""
        return self.evaluate(p, alpha_s)[0]

    @abstractmethod
    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """|M|^2 and what colour flows and helicities of events are drawn in proportion to; arguments as `evaluate`."""

    @property
    def identity(self) -> Hashable:
        """Equal for matrix elements that return the same bits for the same arguments, unequal in doubt."""
        return id(self)


@dataclass(frozen=True)
class Mediator:
    """A neutral vector boson with vertices i gamma^mu (g_L P_L + g_R P_R).

    Attributes:
        name: for people, "a", "z", "zprime".
        mass: M in GeV.
        width: Gamma in GeV, fixed: the propagator is 1 / (s - M^2 + i M Gamma).
        quark: (g_L, g_R) to the incoming fermions, the unit charge included.
        lepton: (g_L, g_R) to the outgoing leptons.

    Raises:
        InputError: a mass or width is negative, or a number is not finite.
    """

    name: str
    mass: float
    width: float
    quark: tuple[float, float]
    lepton: tuple[float, float]

    def __post_init__(self) -> None:
        for key, value in (("mass", self.mass), ("width", self.width)):
            if not (value >= 0 and math.isfinite(value)):
                raise InputError(f"mediator {self.name}: {key}: expected GeV >= 0; got {value}")
        if not all(math.isfinite(coupling) for coupling in (*self.quark, *self.lepton)):
            raise InputError(
                f"mediator {self.name}: expected finite couplings; got {self.quark}, {self.lepton}"
            )


_HELICITIES = ((-1, -1), (-1, 1), (1, -1), (1, 1))
"""Of quark and lepton, twice their value; their antiparticles have the opposite ones."""


class DrellYan(MatrixElement):
    """q q~ -> mediators -> l- l+ at tree level with all interferences; the fermions are massless, Eq. (5.40).

    Independent of alpha_s. One diagram per mediator.

    Args:
        mediators: the bosons exchanged in the s channel.
        legs: positions of (quark, antiquark, lepton, antilepton) among the four particles of an
            event.
        colours: of the incoming fermions, 3 for quarks and 1 for leptons.

    Raises:
        InputError: there is no mediator, or the legs are not two incoming and two outgoing ones.
    """

    n_particles = 4
    alpha_s_power = 0

    def __init__(
        self, mediators: Sequence[Mediator], legs: tuple[int, int, int, int], colours: int = 3
    ) -> None:
        self._arguments = (tuple(mediators), legs, colours)
        if not mediators:
            raise InputError("DrellYan: mediators: expected at least one; got none")
        if sorted(legs[:2]) != [0, 1] or sorted(legs[2:]) != [2, 3]:
            raise InputError(
                f"DrellYan: legs: expected quarks at 0 and 1, leptons at 2 and 3; got {legs}"
            )
        if colours < 1:
            raise InputError(f"DrellYan: colours: expected at least 1; got {colours}")
        self.n_diagrams = len(mediators)
        bosons = [(boson.mass, boson.width, boson.quark, boson.lepton) for boson in mediators]
        self._kernel = _core.DrellYan(bosons, legs, 1 / (4 * colours))
        line = 501 if colours > 1 else 0
        incoming = ((line, 0), (0, line)) if legs[0] == 0 else ((0, line), (line, 0))
        self.flows = ((*incoming, (0, 0), (0, 0)),)
        self.helicities = np.zeros((len(_HELICITIES), 4), np.int8)
        self.helicities[:, legs] = [
            (quark, -quark, lepton, -lepton) for quark, lepton in _HELICITIES
        ]

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._arguments

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """Squared matrix element and its parts per mediator; see `MatrixElement.evaluate`."""
        return self._kernel.evaluate(p)

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """See `MatrixElement.weights`; helicities go as |sum_V g_q g_l P_V(s)|^2 u^2, or t^2 if they differ."""
        mediators, legs, _ = self._arguments
        me2, s = self.squared(p, alpha_s), s_hat(p)
        parts = np.stack(
            [_coupled(mediators, s, *pair) * _angle(p, legs, *pair) for pair in _HELICITIES], axis=1
        )
        return Weights(me2, np.ones((len(p), 1)), parts * (me2 / parts.sum(axis=1))[:, None])

    @property
    def identity(self) -> Hashable:
        """See `MatrixElement.identity`."""
        return "DrellYan", self._arguments


def _coupled(mediators: Sequence[Mediator], s: Array, quark: int, lepton: int) -> Array:
    """|sum_V g_q g_l / (s - M^2 + i M Gamma)|^2 for helicities of quark and lepton, float64 (n,)."""
    couplings = [one.quark[quark > 0] * one.lepton[lepton > 0] for one in mediators]
    poles = [complex(one.mass**2, -one.mass * one.width) for one in mediators]
    total = sum(coupling / (s - pole) for coupling, pole in zip(couplings, poles, strict=True))
    return np.asarray(np.square(np.abs(total)))


def _angle(p: Array, legs: Sequence[int], quark: int, lepton: int) -> Array:
    """(2 p_q p_l+)^2 for equal helicities of quark and lepton, (2 p_q p_l-)^2 for unequal ones, float64 (n,)."""
    other = p[:, legs[3] if quark == lepton else legs[2]]
    product = p[:, legs[0]] * other
    return np.asarray(np.square(2 * (product[:, 0] - product[:, 1:].sum(axis=1))))
