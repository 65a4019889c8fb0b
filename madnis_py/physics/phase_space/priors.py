"""Priors: the channel weights that are known before any training, by the names of the card."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.phase_space.channel import Channel, PropagatorFactor

ChosenPrior = Literal["diagram", "propagator", "density", "flat"]


class Prior(ABC):
    """Channel weights before training; rows are non-negative and need not be normalised.

    Args:
        channels: the channels, in the order of the columns.

    Attributes:
        name: that of the card.
        needs_diagrams: whether it looks at |M_i|^2; if not, they need not be computed.
    """

    name: ClassVar[ChosenPrior]
    needs_diagrams = False

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)

    @abstractmethod
    def __call__(self, p: Array, diagrams: Array) -> Array:
        """Weights of the channels at given events.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            diagrams: |M_i|^2 of all subprocesses side by side, each times the sum of the parton
                densities of its flavours, float64 (n, n_diagrams); (n, 0) if it does not need them.

        Returns:
            float64 (n, n_channels).
        """


class FlatPrior(Prior):
    """The same weight for every channel."""

    name = "flat"

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        return np.ones((len(p), len(self.channels)))


class DiagramPrior(Prior):
    """Single-diagram enhancement, alpha_i proportional to |M_i|^2, Eq. (2.56)."""

    name = "diagram"
    needs_diagrams = True

    def __init__(self, channels: Sequence[Channel]) -> None:
        super().__init__(channels)
        self._columns = [column for channel in self.channels for column in channel.diagrams]
        self._starts = [0, *accumulate(len(channel.diagrams) for channel in self.channels[:-1])]

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        squares = diagrams.take(self._columns, axis=1)
        if len(self._columns) == len(self.channels):
            return squares
        return np.add.reduceat(squares, self._starts, axis=1)


class PropagatorPrior(Prior):
    """alpha_i proportional to the squared propagators of channel i, Eq. (2.60)."""

    name = "propagator"

    def __init__(self, channels: Sequence[Channel]) -> None:
        super().__init__(channels)
        self._factors = tuple(
            dict.fromkeys(factor for channel in self.channels for factor in channel.propagators)
        )
        rows = {factor: row for row, factor in enumerate(self._factors)}
        self._rows = [[rows[one] for one in channel.propagators] for channel in self.channels]

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        invariants = {
            legs: _invariant_square(p, legs) for legs in {factor.legs for factor in self._factors}
        }
        squared = np.empty((len(self._factors), len(p)))
        for factor, row in zip(self._factors, squared, strict=True):
            row[:] = _squared_propagator(invariants[factor.legs], factor)
        weights = np.empty((len(self.channels), len(p)))
        for rows, weight in zip(self._rows, weights, strict=True):
            np.prod(squared[rows], axis=0, out=weight)
        return weights.T


def _invariant_square(p: Array, legs: Sequence[int]) -> Array:
    """q^2 in GeV^2 of a line, the momenta of incoming legs subtracted, (n,)."""
    q = np.zeros((4, len(p)))
    incoming = (0, 1) if 0 in legs else ()  # a line that decays has none
    for leg in legs:
        (np.subtract if leg in incoming else np.add)(q, p[:, leg].T, out=q)
    q *= q
    return np.asarray(q[0] - q[1] - q[2] - q[3])


def _squared_propagator(q2: Array, factor: PropagatorFactor) -> Array:
    """1 / ((q^2 - M^2)^2 + M^2 Gamma^2), (n,); momentum transfers have no width."""
    width = factor.width if factor.kind == "s" else 0.0
    return np.asarray(1 / ((q2 - factor.mass**2) ** 2 + (factor.mass * width) ** 2))


class DensityPrior(Prior):
    """alpha_i proportional to the density 1 / J_i of the points of channel i.

    Eq. (2.63) with equal beta_i.
    """

    name = "density"

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        jacobian = np.stack([channel.mapping.inverse(p)[1] for channel in self.channels], axis=1)
        return np.divide(1.0, jacobian, out=np.zeros_like(jacobian), where=jacobian > 0)


PRIORS: MappingProxyType[ChosenPrior, type[Prior]] = MappingProxyType(
    {prior.name: prior for prior in (DiagramPrior, PropagatorPrior, DensityPrior, FlatPrior)}
)
"""The priors by the names of the card; between two that are equally good, the first."""

AUTO_PRIOR: ChosenPrior = "diagram"
"""The prior that "auto" in a card stands for before a survey has chosen one, see `prior_choice`."""


def prior_of(channels: Sequence[Channel], name: ChosenPrior) -> Prior:
    """The prior of channels by its name.

    Raises:
        InputError: there is no prior of this name.
    """
    if name not in PRIORS:
        raise InputError(f"prior: expected {', '.join(PRIORS)}; got {name}")
    return PRIORS[name](channels)
