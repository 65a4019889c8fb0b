"""Commands of MadGraph's scripts, proc_card_mg5.dat and the lines that answer its questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from madnis_py.errors import CardError
from madnis_py.physics.model.text_lines import shortened


@dataclass(frozen=True)
class Command:
    """A command of a script.

    Attributes:
        text: without comment.
        place: file and line where it begins, for messages.
    """

    text: str
    place: str

    @property
    def words(self) -> list[str]:
        """The words of the command."""
        return self.text.split()

    def behind(self, count: int) -> str:
        """The text behind the first words."""
        return " ".join(self.words[count:])

    def error(self, sentence: str) -> CardError:
        """An error at this command."""
        return CardError(f"{self.place}: {sentence}; got {shortened(self.text)!r}")


def read_commands(lines: Iterable[str], source: str) -> list[Command]:
    """Read a script as MadGraph does.

    "#" begins a comment, ";" separates commands, a backslash at the end of a line goes on with the
    next one.

    Args:
        lines: of the file.
        source: file, for messages.

    Raises:
        CardError: the last line ends with a backslash.
    """
    return [
        Command(" ".join(text.split()), f"{source}: line {number}")
        for number, line in _joined(lines, source)
        for text in line.split(";")
        if text.strip()
    ]


def _joined(lines: Iterable[str], source: str) -> Iterator[tuple[int, str]]:
    """Lines with those that go on with the next one put together, and the number of the first."""
    whole, first = "", 0
    for number, line in enumerate(lines, start=1):
        text = line.partition("#")[0].rstrip()
        first = first or number
        if text.endswith("\\"):
            whole += text[:-1]
            continue
        yield first, whole + text
        whole, first = "", 0
    if whole:
        raise CardError(f"{source}: line {first}: expected a line behind the backslash; got none")
