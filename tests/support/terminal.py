"""Commands in a terminal of their own, and what its user sees in the end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyte

LINES = 40
"""Height of a terminal; what leaves it at the top can be scrolled back to."""


@dataclass(frozen=True)
class Session:
    """What a command left on a terminal.

    Attributes:
        status: of the command.
        lines: all of them, from the first one on.
    """

    status: int
    lines: list[str]

    @property
    def text(self) -> str:
        """The lines without the breaks that a narrow terminal adds."""
        return "".join(self.lines)


def in_a_terminal(
    arguments: Sequence[str | Path], columns: int, directory: Path, **variables: str
) -> Session:
    """Run `madnis-py` in a terminal of so many columns.

    Args:
        arguments: of the command.
        columns: width of the terminal.
        directory: where it runs.
        variables: of the environment.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in _SIZES}
    process = subprocess.Popen(
        [sys.executable, "-m", "madnis_py", *map(str, arguments)],
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=directory,
        env=known | {"TERM": "xterm-256color", "OMP_NUM_THREADS": "1"} | variables,
        start_new_session=True,
    )
    os.close(its)
    drawn = bytearray()
    while piece := _read(ours):
        drawn += piece
    os.close(ours)
    return Session(process.wait(), seen(bytes(drawn), columns))


_SIZES = ("COLUMNS", "LINES")


def _read(terminal: int) -> bytes:
    """What comes next; nothing once all programs in the terminal have ended."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def seen(drawn: bytes, columns: int) -> list[str]:
    """The lines of a terminal, those above its top included, after all that was drawn."""
    screen = pyte.HistoryScreen(columns, LINES, history=10_000)
    pyte.ByteStream(screen).feed(drawn)
    above = ["".join(line[place].data for place in range(columns)) for line in screen.history.top]
    lines = [line.rstrip() for line in (*above, *screen.display)]
    while lines and not lines[-1]:
        lines.pop()
    return lines
