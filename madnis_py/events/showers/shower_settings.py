"""Settings of Pythia for the events of a file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from madnis_py.errors import InputError
from madnis_py.events.files.formats import open_events
from madnis_py.events.les_houches.lhe_header import SLHA_BLOCK
from madnis_py.events.showers.new_particles import quantum_numbers

if TYPE_CHECKING:
    import pythia8mc

_FIRST = ("SLHA:verbose = 0",)
"""Settings that users may change."""

_ALWAYS = ("Print:quiet = on", "Beams:frameType = 4", "Random:setSeed = on")

_OURS = ("beams:lhef", "beams:frametype", "random:seed", "random:setseed", "main:numberofevents")
"""Settings that are not for users here."""


@dataclass(frozen=True)
class ShowerSettings:
    """What Pythia shall do, beside showers, multiple interactions, hadronisation and decays.

    Attributes:
        lines: of the user, "PartonLevel:MPI = off"; the last one counts.
        seed: of all random numbers.
    """

    lines: tuple[str, ...] = ()
    seed: int = 1

    def check(self) -> None:
        """Make sure that Pythia understands all lines.

        Raises:
            InputError: pythia8mc is not installed, or a line is not one of its settings.
        """
        pythia = _quiet_pythia()
        for line in self.lines:
            name = line.partition("=")[0].strip().lower().replace(" ", "")
            if name in _OURS:
                expected = "expected a setting that this command does not make itself"
                raise InputError(f"shower: {expected}; got {line!r}")
            if not pythia.readString(line):
                raise InputError(
                    f'shower: expected a setting of Pythia, "KEY = VALUE"; got {line!r}'
                )

    def started(self, events: Path, seed: int) -> pythia8mc.Pythia:
        """A Pythia that is ready for the events of a file, with the hook of MLM where it is on.

        Args:
            events: Les Houches file.
            seed: of its random numbers, 1 to 9e8.

        Raises:
            InputError: Pythia refuses the settings or the file.
        """
        pythia = _quiet_pythia()
        own = (*_ALWAYS, f"Beams:LHEF = {events}", f"Random:seed = {seed}")
        for line in (*_FIRST, *self.lines, *own):
            pythia.readString(line)
        for row in quantum_numbers(open_events(events).header.blocks.get(SLHA_BLOCK, "")):
            row.give(pythia.particleData)
        if pythia.flag("JetMatching:merge"):
            from pythia8mc import CombineMatchingInput

            CombineMatchingInput().setHook(pythia)
        if not pythia.init():
            raise InputError(
                f"shower: Pythia does not start with the settings {', '.join(self.lines) or 'none'}"
                f" and the events of {events.name}; its messages say why"
            )
        return pythia


def pythia_version() -> str:
    """Version of the installed Pythia.

    Raises:
        InputError: pythia8mc is not installed.
    """
    try:
        return version("pythia8mc")
    except PackageNotFoundError:
        raise _missing() from None


def _missing() -> InputError:
    needs = "expected the packages pythia8mc and pyhepmc"
    return InputError(f"shower: {needs}; pip install 'madnis_py[shower]' brings them")


def _quiet_pythia() -> Any:
    """A Pythia without its banner.

    Raises:
        InputError: pythia8mc is not installed.
    """
    try:
        import pyhepmc  # noqa: F401
        from pythia8mc import Pythia
    except ModuleNotFoundError:
        raise _missing() from None
    return Pythia("", False)


def settings_of_file(path: Path) -> tuple[str, ...]:
    """The lines of a file of settings as Pythia reads it, without comments.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a readable text file; got: {error}") from None
    lines = [line.partition("!")[0].partition("#")[0].strip() for line in text.splitlines()]
    return tuple(line for line in lines if line)
