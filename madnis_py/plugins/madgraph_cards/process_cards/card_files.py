"""Files of MadGraph's cards: those that a user names, and those of a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from madnis_py.errors import InputError
from madnis_py.physics.model.text_lines import read_lines

_PROCESS_COMMAND = re.compile(r"\s*(generate|add\s+process|import\s+model)\s")
"""What a line of a process card begins with, and none of a run card."""

_ENDINGS = {
    "process": ("proc_card_mg5.dat", "proc_card.dat"),
    "run": ("run_card.toml", "run_card.dat"),
    "parameters": ("param_card.dat",),
    "edits": ("customizecards.dat",),
}
"""Ends of the names of cards in a folder, the first that is found counts."""


_OTHER_PROGRAMS = {
    "madspin_card.dat": "another program decays the particles of the events",
    "reweight_card.dat": "another program reweights the events",
}
"""Ends of the names of cards of programs that change the events -> what they do."""


@dataclass(frozen=True)
class MadGraphCards:
    """Files that make up a process of MadGraph.

    Attributes:
        process: proc_card_mg5.dat; None where the definition is given.
        definition: of the process; None for that of the process card.
        run: run_card.dat or run_card.toml; MadGraph's own for the process if None.
        parameters: param_card.dat, named in the card.
        edits: lines `set param_card mass 6 172.5` of a production group.
        others: cards of programs that change the events -> what they do.
    """

    process: Path | None = None
    definition: str | None = None
    run: Path | None = None
    parameters: Path | None = None
    edits: Path | None = None
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What messages call the cards."""
        first = self.process or self.run
        return first.name if first else "process"


def found_cards(
    card: Path,
    definition: str | None = None,
    run: Path | None = None,
    parameters: Path | None = None,
    edits: Path | None = None,
) -> MadGraphCards:
    """The cards that belong together.

    Args:
        card: a process card, a folder with one (its `Cards`, or the files of a production group),
            or a run card.
        definition: of the process of a run card.
        run: run card in place of that of the folder.
        parameters: param_card in place of that of the folder.
        edits: file of edits in place of that of the folder.

    Raises:
        InputError: there is no process card and no definition, or both; or two run cards.
    """
    if card.is_dir():
        found = _of_folder(card)
    elif any(map(_PROCESS_COMMAND.match, read_lines(card, "card of MadGraph"))):
        found = MadGraphCards(process=card)
    elif run is not None:
        raise InputError(f"{card}: expected a process card beside --run-card; got a run card")
    else:
        found = MadGraphCards(run=card)
    if (found.process is None) == (definition is None):
        wanted = "--definition for a run card" if definition is None else "none for a process card"
        raise InputError(f"definition: expected {wanted}; got {card}")
    param_card = parameters or found.parameters
    return MadGraphCards(
        found.process,
        definition,
        run or found.run,
        param_card and param_card.resolve(),
        edits or found.edits,
        found.others,
    )


def _of_folder(folder: Path) -> MadGraphCards:
    """The cards in a process directory of MadGraph, or in a folder of a production group."""
    inside = folder / "Cards" if (folder / "Cards").is_dir() else folder
    names = sorted(path for path in inside.iterdir() if path.is_file())
    found = {kind: _ending(names, endings) for kind, endings in _ENDINGS.items()}
    if found["process"] is None:
        raise InputError(f"{folder}: expected a folder with a proc_card_mg5.dat; got none")
    others = {
        path.name: meaning
        for path in names
        for ending, meaning in _OTHER_PROGRAMS.items()
        if path.name.endswith(ending)
    }
    return MadGraphCards(
        found["process"], None, found["run"], found["parameters"], found["edits"], others
    )


def _ending(paths: Sequence[Path], endings: Sequence[str]) -> Path | None:
    """The only file whose name ends so.

    Raises:
        InputError: there are several.
    """
    for ending in endings:
        found = [path for path in paths if path.name.endswith(ending)]
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise InputError(f"{found[0].parent}: expected one file *{ending}; got {names}")
        if found:
            return found[0]
    return None
