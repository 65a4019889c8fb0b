"""What a door is: a kind of input, how to damage it, and how to tell what became of it."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outcome import Answer, Failure, complaint, leftovers

PRECIOUS = "what stood here before\n"


class Door(ABC):
    """A kind of input.

    Attributes:
        name: for people.
        share: how often it is tried, relative to the others; less where an input takes long.
    """

    name: str
    share: int = 20

    @abstractmethod
    def enter(self, rng: random.Random, folder: Path) -> Failure | None:
        """Make a damaged input in an empty folder, hand it in and judge what comes.

        Args:
            rng: the only source of chance.
            folder: an empty folder.
        """


def first(*failures: Failure | None) -> Failure | None:
    """The first failure, if there is one."""
    return next((failure for failure in failures if failure is not None), None)


def refused_cleanly(answer: Answer, target: Path, inputs: tuple[str, ...]) -> Failure | None:
    """A refusal is one sentence, leaves no file, and what stood at the target stays."""
    before = (target.name,) if target.exists() and target.read_bytes() == PRECIOUS.encode() else ()
    return first(complaint(answer), leftovers(target.parent, (*inputs, *before)))


def maybe_precious(rng: random.Random, target: Path) -> Path:
    """The target of a command, at which something stands already in half of the cases."""
    if rng.random() < 0.5:
        target.write_text(PRECIOUS)
    return target


def lost(given: Any, kept: Any, place: str = "") -> Failure | None:
    """The first value of nested tables that is not what came out of reading them."""
    if isinstance(given, Mapping):
        if not isinstance(kept, Mapping):
            return Failure("value lost", f"{place}: {given!r} became {kept!r}")
        return first(
            *(lost(value, kept.get(key), f"{place}.{key}") for key, value in given.items())
        )
    if isinstance(given, list) and isinstance(kept, list | tuple) and len(given) == len(kept):
        return first(
            *(lost(value, kept[index], f"{place}[{index}]") for index, value in enumerate(given))
        )
    return (
        None if _same(given, kept) else Failure("value lost", f"{place}: {given!r} became {kept!r}")
    )


def _same(given: Any, kept: Any) -> bool:
    if isinstance(given, bool) or isinstance(kept, bool):
        return given is kept
    return bool(given == kept) or (
        isinstance(given, str) and str(kept).endswith(given.lstrip("./~"))
    )
