"""Channel of an integrand: a mapping, and the diagrams and propagators whose peaks it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.phase_space.mapping import ChannelMapping


@dataclass(frozen=True)
class PropagatorFactor:
    """The factor 1 / |q^2 - M^2 + i M Gamma|^2 of a propagator in the prior of a channel.

    Attributes:
        kind: "s" or "t"; momentum transfers have no width.
        legs: positions of the legs whose momenta add up to q, those of incoming legs subtracted.
        mass: M in GeV.
        width: Gamma in GeV.
    """

    kind: str
    legs: tuple[int, ...]
    mass: float
    width: float


@dataclass(frozen=True)
class Channel:
    """A mapping of the unit cube to phase space and the diagrams whose peaks it follows.

    Attributes:
        name: in tables, e.g. "Z".
        mapping: unit cube to momenta.
        diagrams: columns of its diagrams among those of all subprocesses, see
            `Process.diagram_offsets`.
        propagators: factors whose product it follows; of one diagram where several share it.
        group: number of its symmetry group: channels of a group have equal integrals and share a
            density.
    """

    name: str
    mapping: ChannelMapping
    diagrams: tuple[int, ...]
    propagators: tuple[PropagatorFactor, ...]
    group: int


def kept_names(names: Sequence[str], card: Card) -> list[str]:
    """Names of the channels that the card does not omit.

    Raises:
        CardError: the card omits a channel that does not exist, or all.
    """
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
