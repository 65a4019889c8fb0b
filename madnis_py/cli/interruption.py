"""Display of a command at work, and how signals and a machine that gives out end it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

import typer

from madnis_py.cli.output import console
from madnis_py.errors import from_surroundings

if TYPE_CHECKING:
    from madnis_py.run.display.progress_display import ProgressDisplay

GOES_ON = "the same command goes on from here"
"""Words of an interrupted command that a run remembers."""

FATAL_SIGNAL = 128
"""Exit status of a command that a signal ended, less the number of the signal."""


class Terminated(KeyboardInterrupt):
    """A signal that asks a program to end, other than Ctrl-C.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.strsignal(number))
        self.number = number


@contextmanager
def watching(quiet: bool, afterwards: str) -> Iterator[ProgressDisplay]:
    """The display of a command; whatever ends the command early, a sentence says what was done.

    What a command prints in this block comes after the `end` of its display.

    Args:
        quiet: whether standard output belongs to JSON.
        afterwards: what was done, or what goes on from here.
    """
    from madnis_py.run.display.progress_display import progress_display

    try:
        with _terminations(), progress_display(console(stderr=quiet)) as display:
            yield display
    except KeyboardInterrupt as interruption:
        number = interruption.number if isinstance(interruption, Terminated) else signal.SIGINT
        with suppress(OSError):  # the terminal may have gone
            sys.stderr.write(f"madnis-py: interrupted; {afterwards}\n")
        raise typer.Exit(FATAL_SIGNAL + number) from None
    except Exception as error:
        known = from_surroundings(error)
        if known is None:
            raise
        raise type(known)(f"{known}; {afterwards}") from error


@contextmanager
def _terminations() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt the block as Ctrl-C does; the second one ends it at once.

    Signals that are ignored stay so.
    """

    def interrupt(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(number)

    wanted = [
        one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN
    ]
    before = {one: signal.signal(one, interrupt) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
