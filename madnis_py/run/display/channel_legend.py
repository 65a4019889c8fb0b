"""Legend of the names of channels: what lines and numbers in them mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEHIND_PARTICLES = re.compile(r"[/$@\[]|\S+[=<>]")
"""What follows the particles of a definition: exclusions, orders, its number."""


def channel_legend(names: Sequence[str], definition: str, n_incoming: int = 2) -> list[str]:
    """Sentences that explain the names, by an example of each kind that is among them.

    Args:
        names: of all channels.
        definition: of the process; names its particles where it has no decays.
        n_incoming: number of its incoming particles.
    """
    resonance = _example(r"(\S+)\((\d+) (\d+)\)", names)
    exchange = _example(r"\b(\d+) -(\S+)- (\d+)\b", names)
    words = []
    if resonance:
        name, first, second = resonance.groups()
        name = name.rpartition("(")[2]
        words.append(
            f"{name}({first} {second}): a line of {name} that splits into {first} and {second}"
        )
    if exchange:
        first, name, second = exchange.groups()
        words.append(
            f"{exchange.group()}: {first} and {second} are emitted in this order from one beam "
            f"to the other, with a line of {name} between them"
        )
    if not words:
        return ["named by the particle that is exchanged"] if names else []
    return [*words, _numbers(definition, n_incoming)]


def _example(pattern: str, names: Sequence[str]) -> re.Match[str] | None:
    """The first place of the names that looks so."""
    return next(filter(None, (re.search(pattern, name) for name in names)), None)


def _numbers(definition: str, n_incoming: int) -> str:
    """Which particle has which number."""
    first = n_incoming + 1
    behind = definition.rpartition(">")[2] if "," not in definition else ""
    particles = behind[: found.start()] if (found := _BEHIND_PARTICLES.search(behind)) else behind
    if not particles.split():
        return f"numbers: outgoing particles in the order of the process, from {first} on"
    numbered = (f"{number} {name}" for number, name in enumerate(particles.split(), start=first))
    return f"numbers: {', '.join(numbered)}"
