"""Matrix element: the interface of |M|^2 as a function of momenta, whoever computes it.

`tree_amplitude` computes it from diagrams, `drell_yan` in closed form, `plugins/matrix_elements` by
other programs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders


@dataclass(frozen=True)
class Weights:
    """|M|^2 with the weights that colour flows and helicities of events are drawn by.

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
        """|M|^2 with the weights of its colour flows and helicities; arguments as `evaluate`."""

    def parts(self, p: Array, alpha_s: Array | float) -> dict[SquaredOrders, Array]:
        """|M|^2 by the squared orders that it was made to tell apart, whose sum it is.

        Args: as `evaluate`.

        Returns:
            powers of the named coupling orders in |M|^2 -> part of it, float64 (n,).

        Raises:
            InputError: it was made to tell none apart.
        """
        raise InputError("expected a matrix element with parts by squared orders; got one without")

    @property
    def identity(self) -> Hashable:
        """Key equal for matrix elements with the same results to the bit, unequal in doubt."""
        return id(self)
