"""Trust in what a run directory uses outside itself: granted by the user, and remembered.

A run may load matrix elements of other programs, start jobs and read files. What a user names by
hand is trusted; what a directory from elsewhere names is not, until the user grants it. Trust is
remembered for a content (the library with this digest, the jobs with these options), not for a
place: it stays when a directory is moved, and is asked for again when the directory names something
else. See docs/security.md.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madnis_py.card.card import Card, expanded
from madnis_py.errors import InputError
from madnis_py.physics.model_search.card_model import is_in_search_path
from madnis_py.physics.process.providers import with_digest_of_files

FOLDERS = "MADNIS_PY_TRUSTED"
"""Environment variable: folders whose run directories are trusted, separated as in PATH."""


@dataclass(frozen=True)
class Reach:
    """Something outside a run directory that a run would load, start or read.

    Attributes:
        words: what it is, for people.
        content: what has to be the same for trust to count again, as JSON can hold it.
    """

    words: str
    content: Any

    @property
    def digest(self) -> str:
        """64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.content, sort_keys=True).encode()).hexdigest()


def reach_of_card(card: Card) -> list[Reach]:
    """What runs code, starts jobs or is a model from a file when a card is used.

    Raises:
        CardError: the card has the digest of other files than those that are there.
    """
    found: list[Reach] = []
    table = with_digest_of_files(card).process.matrix_element
    if table is not None:
        keys = {
            "library": table.library,
            "function": table.function,
            "param_card": table.param_card,
            **table.extras,
        }
        words = f"matrix elements by {_named(table.provider, keys)}"
        found.append(
            Reach(words, ["matrix_element", table.model_dump(mode="json", exclude_none=True)])
        )
    if "/" in card.process.model and not is_in_search_path(card):
        path = str(_real(card.process.model))
        words = f"the model {json.dumps(path)}"
        found.append(Reach(words, ["model", path, card.process.model_digest]))
    if card.cluster.kind != "none":
        words = f"workers by {_named(card.cluster.kind, card.cluster.options)}"
        found.append(
            Reach(words, ["cluster", card.cluster.model_dump(mode="json", exclude_none=True)])
        )
    return found


def _named(name: str, keys: Mapping[str, object]) -> str:
    """A name with what goes with it, as in a card, on one line whatever it holds."""
    given = ", ".join(
        f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None
    )
    return json.dumps(name) + (f" ({given})" if given else "")


def reach_of_directory(directory: Path, card: Card) -> list[Reach]:
    """What a run directory uses outside itself: by its card, and by links.

    Raises:
        CardError: see `reach_of_card`.
    """
    parameters = card.parameters.param_card
    files = [] if parameters is None else [_file(parameters)]
    return [*reach_of_card(card), *files, *reach_of_links(directory)]


def reach_of_links(directory: Path) -> list[Reach]:
    """Links of a run directory, at any depth, that lead out of it."""
    inside = directory.resolve()
    # Other processes may make and remove folders meanwhile, which os.walk leaves out.
    below = (
        Path(folder) / name
        for folder, folders, files in os.walk(directory)
        for name in (*folders, *files)
    )
    links = sorted(path for path in below if path.is_symlink())
    return [_file(path) for path in links if not _real(path).is_relative_to(inside)]


def reach_of_events(path: Path, directory: Path) -> list[Reach]:
    """Events of a run outside its directory; trust in a folder counts for all events in it."""
    real = _real(path)
    if real.is_relative_to(directory.resolve()):
        return []
    return [Reach(f"the events {json.dumps(str(real))}", ["events", str(real.parent)])]


def _file(path: Path | str) -> Reach:
    return Reach(f"the file {json.dumps(str(_real(path)))}", ["file", str(_real(path))])


def _real(path: Path | str) -> Path:
    """Where links lead, also those that lead nowhere or in a circle."""
    return Path(os.path.realpath(path))


@dataclass(frozen=True)
class Trust:
    """What the user trusts.

    Attributes:
        given: whether the user trusts whatever is asked for now, and from now on.
    """

    given: bool = False

    def require(self, directory: Path, reaches: Iterable[Reach]) -> None:
        """Refuse what a run directory reaches outside itself, unless it is trusted.

        Raises:
            InputError: the user does not trust it yet; names everything that the directory uses.
        """
        if self.given:
            self.remember(reaches)
            return
        folder = _memory()
        unknown = [one for one in reaches if folder is None or not (folder / one.digest).is_file()]
        folders = [expanded(name) for name in os.environ.get(FOLDERS, "").split(os.pathsep) if name]
        inside = any(directory.resolve().is_relative_to(one.resolve()) for one in folders)
        if unknown and not inside:
            wanted = " and ".join(one.words for one in unknown)
            raise InputError(
                f"{directory}: expected a run that stands for itself; this one would use {wanted}: "
                f"--trust if you know where it comes from, or name its folder in {FOLDERS}"
            )

    @staticmethod
    def remember(reaches: Iterable[Reach]) -> None:
        """Remember that the user trusts these; where nothing can be kept, a later command asks."""
        folder = _memory()
        if folder is None:
            return
        for one in reaches:
            with suppress(OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (folder / one.digest).write_text(f"{one.words}\n")


def _memory() -> Path | None:
    """Folder in which trust is remembered; None for a user without a home."""
    if chosen := os.environ.get("XDG_STATE_HOME"):
        return Path(chosen) / "madnis_py" / "trusted"
    with suppress(RuntimeError):
        return Path.home() / ".local" / "state" / "madnis_py" / "trusted"
    return None
