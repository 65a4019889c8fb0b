"""Channels, one per propagator peak, and the channel weights that are known before any training."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from madnis_py.card import Card
from madnis_py.physics.cuts import Cut
from madnis_py.physics.phase_space import (
    LEAST_ENERGY,
    BreitWigner,
    ChannelMapping,
    Flat,
    Massless,
    SChannelMapping,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resonance:
    """A particle in the s channel.

    Attributes:
        name: for people, "Z".
        mass: in GeV.
        width: in GeV.
    """

    name: str
    mass: float
    width: float


_PHOTON_POWER = 2.0
"""nu of Eq. (2.45) for the photon: |M|^2 is constant in s, flux and parton densities fall like s^-2 together."""


@dataclass(frozen=True)
class Line:
    """A propagator of a channel.

    Attributes:
        kind: "s" or "t".
        legs: positions of the legs whose momenta add up to its own, those of incoming legs subtracted.
        mass: in GeV.
        width: in GeV.
    """

    kind: str
    legs: tuple[int, ...]
    mass: float
    width: float


@dataclass(frozen=True)
class Channel:
    """A mapping of the unit cube to phase space and the diagrams whose peaks it follows.

    Attributes:
        name: for tables, e.g. "Z".
        mapping: unit cube to momenta.
        diagrams: columns of its diagrams among those of all subprocesses, see `Process.diagram_offsets`.
        lines: the propagators whose product it follows; several sets of them where several diagrams share it.
        group: number of its symmetry group: channels of a group have equal integrals and share a density.
    """

    name: str
    mapping: ChannelMapping
    diagrams: tuple[int, ...]
    lines: tuple[Line, ...]
    group: int


def mass_window(cuts: Sequence[Cut]) -> tuple[float, float]:
    """The range of the invariant mass of a massless pair in GeV that cuts leave open.

    A cut on the pair mass says it; p_T > c of one of them, equal to that of the other, implies m > 2 c.
    """
    minima = [cut.minimum * (2 if cut.observable == "pt" else 1) for cut in cuts if cut.observable in ("mass", "pt")]
    maxima = [cut.maximum for cut in cuts if cut.observable == "mass"]
    return max([0.0, *minima]), min([math.inf, *maxima])


def pair_channels(mediators: Sequence[Resonance], cuts: Sequence[Cut], card: Card) -> tuple[Channel, ...]:
    """One channel per mediator of 2 -> 1 -> 2, or a single one if the partons have a fixed energy.

    Raises:
        CardError: cuts that leave nothing, or channels to omit that do not exist or are all.
    """
    energies = card.beams.energy
    total = 2 * math.sqrt(energies[0] * energies[1])
    if card.beams.pdf == "none":
        kept_names(["s"], card)
        mapping = SChannelMapping(energies, (0.0, 0.0), Flat(), s_min=total**2 / 2, partonic=True)
        return (Channel("s", mapping, tuple(range(len(mediators))), (), 0),)
    lowest, highest = mass_window(cuts)
    lowest = max(lowest, LEAST_ENERGY)
    if lowest >= min(highest, total):
        raise card.error(
            "cuts", f"expected room for pair masses below {min(highest, total):g} GeV; got {lowest:g} or more"
        )
    s_max = highest**2 if highest < total else None
    kept = kept_names([mediator.name for mediator in mediators], card)
    return tuple(
        Channel(
            mediator.name,
            SChannelMapping(energies, (0.0, 0.0), _invariant(mediator), s_min=lowest**2, s_max=s_max),
            (position,),
            (Line("s", (2, 3), mediator.mass, mediator.width),),
            kept.index(mediator.name),
        )
        for position, mediator in enumerate(mediators)
        if mediator.name in kept
    )


def kept_names(names: Sequence[str], card: Card) -> list[str]:
    """Names of the channels that the card does not omit."""
    for name in card.channels.omit:
        if name not in names:
            raise card.error("channels.omit", f'expected names among {", ".join(names)}; got "{name}"')
    kept = [name for name in names if name not in card.channels.omit]
    if not kept:
        raise card.error("channels.omit", f"expected at least one channel to stay of {', '.join(names)}; got none")
    return kept


def _invariant(mediator: Resonance) -> BreitWigner | Massless:
    """Of a resonance without width, which the cuts keep away from its peak, as of a photon."""
    if mediator.mass == 0 or mediator.width == 0:
        return Massless(_PHOTON_POWER)
    return BreitWigner(mediator.mass, mediator.width)


class Prior(ABC):
    """Channel weights before training; rows are non-negative and need not be normalised.

    Args:
        channels: the channels, in the order of the columns.

    Attributes:
        needs_diagrams: whether it looks at |M_i|^2; if not, they need not be computed.
    """

    needs_diagrams = False

    def __init__(self, channels: Sequence[Channel]) -> None:
        self.channels = tuple(channels)

    @abstractmethod
    def __call__(self, p: Array, diagrams: Array) -> Array:
        """Weights of the channels at given events.

        Args:
            p: momenta in GeV, event-fastest float64 (n, P, 4).
            diagrams: |M_i|^2 of all subprocesses side by side, each times the sum of the parton densities of its
                flavours, float64 (n, n_diagrams); (n, 0) if it does not need them.

        Returns:
            float64 (n, n_channels).
        """


class FlatPrior(Prior):
    """The same weight for every channel."""

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        return np.ones((len(p), len(self.channels)))


class DiagramPrior(Prior):
    """Single-diagram enhancement, alpha_i proportional to |M_i|^2, Eq. (2.56)."""

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

    def __init__(self, channels: Sequence[Channel]) -> None:
        super().__init__(channels)
        self._lines = tuple(dict.fromkeys(line for channel in self.channels for line in channel.lines))
        rows = {line: row for row, line in enumerate(self._lines)}
        self._rows = [[rows[line] for line in channel.lines] for channel in self.channels]

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        squared = self._squared_propagators(p)
        weights = np.empty((len(self.channels), len(p)))
        for rows, weight in zip(self._rows, weights, strict=True):
            np.prod(squared[rows], axis=0, out=weight)
        return weights.T

    def _squared_propagators(self, p: Array) -> Array:
        """Each different line once, (n_lines, n)."""
        invariants = {legs: _invariant_square(p, legs) for legs in {line.legs for line in self._lines}}
        squared = np.empty((len(self._lines), len(p)))
        for line, row in zip(self._lines, squared, strict=True):
            row[:] = _squared_propagator(invariants[line.legs], line)
        return squared


def _invariant_square(p: Array, legs: Sequence[int]) -> Array:
    """q^2 in GeV^2 of a line, the momenta of incoming legs subtracted, (n,)."""
    q = np.zeros((4, len(p)))
    for leg in legs:
        (np.subtract if leg < 2 else np.add)(q, p[:, leg].T, out=q)
    q *= q
    return np.asarray(q[0] - q[1] - q[2] - q[3])


def _squared_propagator(q2: Array, line: Line) -> Array:
    """1 / ((q^2 - M^2)^2 + M^2 Gamma^2); momentum transfers have no width."""
    width = line.width if line.kind == "s" else 0.0
    return np.asarray(1 / ((q2 - line.mass**2) ** 2 + (line.mass * width) ** 2))


class DensityPrior(Prior):
    """alpha_i proportional to the density 1 / J_i of the points of channel i, Eq. (2.63) with equal beta_i."""

    def __call__(self, p: Array, diagrams: Array) -> Array:
        """See `Prior.__call__`."""
        jacobian = np.stack([channel.mapping.inverse(p)[1] for channel in self.channels], axis=1)
        return np.divide(1.0, jacobian, out=np.zeros_like(jacobian), where=jacobian > 0)


ChosenPrior = Literal["diagram", "propagator", "density", "flat"]

PRIORS: MappingProxyType[ChosenPrior, type[Prior]] = MappingProxyType(
    {
        "diagram": DiagramPrior,
        "propagator": PropagatorPrior,
        "density": DensityPrior,
        "flat": FlatPrior,
    }
)
"""The priors by the names of the card; between two that are equally good, the first."""

AUTO_PRIOR: ChosenPrior = "diagram"
"""What the "auto" of a card stands for as long as nobody has chosen, see `prior_choice`."""
