"""Channels, one per propagator peak."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.s_channel import (
    LEAST_ENERGY,
    BreitWigner,
    Flat,
    Massless,
    SChannelMapping,
)


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
"""nu of Eq. (2.45) for the photon: |M|^2 is constant in s, flux and parton densities fall like s^-2
together."""


@dataclass(frozen=True)
class Line:
    """A propagator of a channel.

    Attributes:
        kind: "s" or "t".
        legs: positions of the legs whose momenta add up to its own, those of incoming legs
            subtracted.
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
        diagrams: columns of its diagrams among those of all subprocesses, see
            `Process.diagram_offsets`.
        lines: the propagators whose product it follows; several sets of them where several diagrams
            share it.
        group: number of its symmetry group: channels of a group have equal integrals and share a
            density.
    """

    name: str
    mapping: ChannelMapping
    diagrams: tuple[int, ...]
    lines: tuple[Line, ...]
    group: int


def mass_window(cuts: Sequence[Cut]) -> tuple[float, float]:
    """The range of the invariant mass of a massless pair in GeV that cuts leave open.

    A cut on the pair mass says it; p_T > c of one of them, equal to that of the other, implies m >
    2 c.
    """
    minima = [
        cut.minimum * (2 if cut.observable == "pt" else 1)
        for cut in cuts
        if cut.observable in ("mass", "pt")
    ]
    maxima = [cut.maximum for cut in cuts if cut.observable == "mass"]
    return max([0.0, *minima]), min([math.inf, *maxima])


def pair_channels(
    mediators: Sequence[Resonance], cuts: Sequence[Cut], card: Card
) -> tuple[Channel, ...]:
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
            "cuts",
            f"expected room for pair masses below {min(highest, total):g} GeV; got {lowest:g} or more",
        )
    s_max = highest**2 if highest < total else None
    kept = kept_names([mediator.name for mediator in mediators], card)
    return tuple(
        Channel(
            mediator.name,
            SChannelMapping(
                energies, (0.0, 0.0), _invariant(mediator), s_min=lowest**2, s_max=s_max
            ),
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
            raise card.error(
                "channels.omit", f'expected names among {", ".join(names)}; got "{name}"'
            )
    kept = [name for name in names if name not in card.channels.omit]
    if not kept:
        raise card.error(
            "channels.omit",
            f"expected at least one channel to stay of {', '.join(names)}; got none",
        )
    return kept


def _invariant(mediator: Resonance) -> BreitWigner | Massless:
    """Of a resonance without width, which the cuts keep away from its peak, as of a photon."""
    if mediator.mass == 0 or mediator.width == 0:
        return Massless(_PHOTON_POWER)
    return BreitWigner(mediator.mass, mediator.width)
