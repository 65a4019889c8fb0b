"""What a run is about to do, in words: what it builds, how large that is, how long stages take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from madnis_py.card.card import Card
from madnis_py.progress import StageProgress, duration

if TYPE_CHECKING:  # a command says what it does before it has loaded these
    from madnis_py.physics.process.process import Process

_BUILD = "build"


def to_be_built(card: Card) -> StageProgress:
    """The beginning of a run: the collision that its card asks for."""
    return StageProgress(_BUILD, 0, 1, "", note=f"{_definitions(card)}: {collision(card)}")


def _definitions(card: Card) -> str:
    first, *others = card.process.definitions
    return f"{first} and {len(others)} more" if others else first


def collision(card: Card) -> str:
    """Model, beams, parton densities and scales of a card."""
    beams, model = card.beams, Path(card.process.model).name
    if card.process.is_decay:
        return model
    first, second = beams.energy
    energy = f"{first:g} GeV + {second:g} GeV" if first != second else f"2 x {first:g} GeV"
    densities = f"parton densities {', '.join(beams.sets)}" if beams.sets else ""
    return ", ".join(filter(None, (model, energy, densities, _scales(card))))


def _scales(card: Card) -> str:
    """The scales of a card, those that are the same once."""
    factorization, renormalization = (
        " and ".join(one if isinstance(one, str) else f"{one:g} GeV" for one in dict.fromkeys(both))
        for both in (card.scales.factorizations, (card.scales.renormalization,))
    )
    if factorization == renormalization:
        return f"scales {factorization}"
    return f"mu_F {factorization}, mu_R {renormalization}"


def built(processes: Sequence[Process]) -> StageProgress:
    """The end of building: diagrams, channels and flavours of all processes."""
    diagrams = sum(process.diagram_offsets[-1] for process in processes)
    channels = sum(len(process.channels) for process in processes)
    groups = sum(len({one.group for one in process.channels}) for process in processes)
    flavours = sum(len(process.flavours) for process in processes)
    in_groups = f" in {groups} groups" if groups < channels else ""
    note = f"diagrams: {diagrams}, channels {channels}{in_groups}, {flavours} flavours"
    if len(processes) > 1:
        note = f"{len(processes)} processes; {note}"
    return StageProgress(_BUILD, len(processes), len(processes), "processes", note=note)


def expected(seconds: Mapping[str, float], least: str = "") -> StageProgress:
    """How long the next stages take.

    Args:
        seconds: stage -> wall time in seconds, as far as it is known.
        least: the stage that takes longer, for what it does beyond its points.
    """
    words = (
        f"{stage} {'at least ' if stage == least else ''}{duration(time)}"
        for stage, time in seconds.items()
    )
    return StageProgress("expected", 1, 1, "", note=", ".join(words))
