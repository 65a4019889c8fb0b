"""Channels of processes like Drell-Yan: one per boson between two massless pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.phase_space.channel import Channel, PropagatorFactor, kept_names
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.invariants import BreitWigner, Flat, Massless
from madnis_py.physics.phase_space.s_channel import LEAST_ENERGY, SChannelMapping

_PHOTON_POWER = 2.0
"""Exponent nu of Eq. (2.45) for the photon: |M|^2 is constant in s, flux and parton densities fall
like s^-2 together."""


@dataclass(frozen=True)
class ExchangedBoson:
    """A colourless particle in the s channel.

    Attributes:
        name: that of its channel, "Z".
        mass: in GeV.
        width: in GeV.
    """

    name: str
    mass: float
    width: float


def drell_yan_channels(
    bosons: Sequence[ExchangedBoson], cuts: Sequence[Cut], beams: CollidingBeams, card: Card
) -> tuple[Channel, ...]:
    """One channel per boson of 2 -> 1 -> 2, or a single one if the partons have a fixed energy.

    Args:
        bosons: in the order of their diagrams.
        cuts: on particles at fixed positions.
        beams: two partons, or two hadrons.
        card: for channels to omit.

    Raises:
        CardError: cuts that leave nothing, or channels to omit that do not exist or are all.
    """
    energies = beams.energies
    total = 2 * math.sqrt(energies[0] * energies[1])
    lowest, highest = _mass_window(cuts)
    if beams.partonic:
        if not lowest <= total <= highest:
            expected = f"expected sqrt(s) between the cuts on its mass, {lowest:g} and {highest:g}"
            raise card.error("beams.energy", f"{expected} GeV; got {total:g} GeV")
        kept_names(["s"], card)
        mapping = SChannelMapping(energies, (0.0, 0.0), Flat(), s_min=total**2 / 2, partonic=True)
        return (Channel("s", mapping, tuple(range(len(bosons))), (), 0),)
    lowest = max(lowest, LEAST_ENERGY)
    if lowest >= min(highest, total):
        raise card.error(
            "cuts",
            f"expected room for pair masses below {min(highest, total):g} GeV; "
            f"got {lowest:g} or more",
        )
    s_max = highest**2 if highest < total else None
    kept = kept_names([boson.name for boson in bosons], card)
    return tuple(
        Channel(
            boson.name,
            SChannelMapping(energies, (0.0, 0.0), _s_hat(boson), s_min=lowest**2, s_max=s_max),
            (position,),
            (PropagatorFactor("s", (2, 3), boson.mass, boson.width),),
            kept.index(boson.name),
        )
        for position, boson in enumerate(bosons)
        if boson.name in kept
    )


def _mass_window(cuts: Sequence[Cut]) -> tuple[float, float]:
    """The range of the invariant mass of a massless pair in GeV that cuts leave open.

    A minimum c of p_T, which is the same for both, implies a mass above 2 c.
    """
    minima = [
        cut.minimum * (2 if cut.observable == "pt" else 1)
        for cut in cuts
        if cut.observable in ("mass", "pt")
    ]
    maxima = [cut.maximum for cut in cuts if cut.observable == "mass"]
    return max([0.0, *minima]), min([math.inf, *maxima])


def _s_hat(boson: ExchangedBoson) -> BreitWigner | Massless:
    """The distribution of s-hat; that of a photon for a boson without mass or width.

    One without width is kept away from its peak by the cuts.
    """
    if boson.mass == 0 or boson.width == 0:
        return Massless(_PHOTON_POWER)
    return BreitWigner(boson.mass, boson.width)
