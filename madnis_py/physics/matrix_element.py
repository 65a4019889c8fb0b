"""Squared matrix elements as functions of momenta."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import InputError

Array = NDArray[np.float64]


class MatrixElement(ABC):
    """|M|^2 of one subprocess; every event on its own, whatever the batch.

    Attributes:
        n_diagrams: Feynman diagrams, the columns of the second result.
        n_particles: incoming and outgoing particles.
        flows: per colour flow, (colour, anticolour) of each leg in the numbers of the Les Houches format, 0 for none.
    """

    n_diagrams: int
    n_particles: int
    flows: tuple[tuple[tuple[int, int], ...], ...]

    @abstractmethod
    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """Squared matrix element and its single-diagram parts.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory (see `as_momenta`).
            alpha_s: strong coupling, a number or shape (n,).

        Returns:
            me2: averaged over initial spins and colours, summed over final ones, GeV^(8 - 2 n_particles), shape (n,).
            diagrams: helicity sum of |A_k|^2 per diagram without colour and averaging factors, shape (n, n_diagrams).

        Raises:
            ValueError: p has another type, shape or layout.
        """

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        """The first result of `evaluate` alone, which may cost less."""
        return self.evaluate(p, alpha_s)[0]

    @abstractmethod
    def flow_weights(self, p: Array, alpha_s: Array | float) -> Array:
        """What the colour flows of events are drawn in proportion to; arguments as for `evaluate`.

        Returns:
            sum over helicities of |J_k|^2 for each colour flow up to a common factor, shape (n, n_flows).
        """

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
            raise InputError(f"mediator {self.name}: expected finite couplings; got {self.quark}, {self.lepton}")


class DrellYan(MatrixElement):
    """q q~ -> mediators -> l- l+ at tree level with all interferences; the fermions are massless, Eq. (5.40).

    Independent of alpha_s. One diagram per mediator.

    Args:
        mediators: the bosons exchanged in the s channel.
        legs: positions of (quark, antiquark, lepton, antilepton) among the four particles of an event.
        colours: of the incoming fermions, 3 for quarks and 1 for leptons.

    Raises:
        InputError: there is no mediator, or the legs are not two incoming and two outgoing ones.
    """

    n_particles = 4

    def __init__(self, mediators: Sequence[Mediator], legs: tuple[int, int, int, int], colours: int = 3) -> None:
        self._arguments = (tuple(mediators), legs, colours)
        if not mediators:
            raise InputError("DrellYan: mediators: expected at least one; got none")
        if sorted(legs[:2]) != [0, 1] or sorted(legs[2:]) != [2, 3]:
            raise InputError(f"DrellYan: legs: expected quarks at 0 and 1, leptons at 2 and 3; got {legs}")
        if colours < 1:
            raise InputError(f"DrellYan: colours: expected at least 1; got {colours}")
        self.n_diagrams = len(mediators)
        bosons = [(boson.mass, boson.width, boson.quark, boson.lepton) for boson in mediators]
        self._kernel = _core.DrellYan(bosons, legs, 1 / (4 * colours))
        line = 501 if colours > 1 else 0
        incoming = ((line, 0), (0, line)) if legs[0] == 0 else ((0, line), (line, 0))
        self.flows = ((*incoming, (0, 0), (0, 0)),)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._arguments

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """Squared matrix element and its parts per mediator; see `MatrixElement.evaluate`."""
        return self._kernel.evaluate(p)

    def flow_weights(self, p: Array, alpha_s: Array | float) -> Array:
        """Ones: there is one flow; see `MatrixElement.flow_weights`."""
        return np.ones((len(p), 1))

    @property
    def identity(self) -> Hashable:
        """See `MatrixElement.identity`."""
        return "DrellYan", self._arguments
