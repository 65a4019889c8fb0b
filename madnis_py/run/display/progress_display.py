"""Progress of the stages of a run on a terminal, or as a log.

What is finished is a line that stays. Below these lines a terminal shows the stage at work until
the display ends: what is printed afterwards follows the last line, and nothing is drawn over it.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from madnis_py.progress import StageProgress
from madnis_py.run.display.progress_words import StageClock, figures

LOG_INTERVAL = 5.0
"""Seconds between two lines of a log."""

DRAW_INTERVAL = 0.1
"""Seconds between two looks of a bar."""

_NAME_WIDTH = len("integrate madnis")
_BAR_WIDTH = 24


class ProgressDisplay(Protocol):
    """Watches stages and shows their progress, as a context manager."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End."""

    def __call__(self, progress: StageProgress) -> None:
        """Take notice of what a stage says."""

    def end(self) -> None:
        """Show nothing more; has to come before anything else is printed."""


def progress_display(console: Console) -> ProgressDisplay:
    """A bar on a terminal, a plain log elsewhere."""
    return TerminalDisplay(console) if console.is_terminal else LogDisplay(console)


class TerminalDisplay:
    """A line for each stage that is finished, and a bar for the one at work."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(
            console=console,
            transient=True,
            auto_refresh=False,  # a second thread that draws may erase what this one has printed
            redirect_stdout=sys.stdout.isatty(),  # what goes elsewhere is not for this terminal
            redirect_stderr=sys.stderr.isatty(),
        )
        self._part = ""
        self._last: StageProgress | None = None
        self._now = time.monotonic()
        self._drawn = 0.0
        self._clock = StageClock(self._now, (0, self._now))

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self.end()

    def end(self) -> None:
        """Stop drawing; of a stage that is not finished stays how far it came."""
        if not self._live.is_started:
            return
        self._live.stop()
        if self._last is not None and not self._last.finished:
            self._print_line(self._last)

    def __call__(self, progress: StageProgress) -> None:
        """Move the bar of the stage, or write its line."""
        before, now = self._last, time.monotonic()
        if before is None or _key(before) != _key(progress):
            self._clock = StageClock(self._now, (progress.done, now))
        elif before.finished and progress.finished and not progress.note:
            return
        self._last, self._now = progress, now
        if progress.part != self._part:
            self._part = progress.part
            self._print_words(Text(progress.part, "bold"))
        if progress.finished:
            self._live.update("", refresh=True)
            self._print_line(progress)
            return
        if progress.note:
            self._print_words(Text(progress.note))
        if now - self._drawn > DRAW_INTERVAL or _key(before or progress) != _key(progress):
            self._drawn = now
            self._live.update(self._at_work(progress), refresh=True)

    def _print_words(self, words: Text) -> None:
        if words.plain:
            words.overflow = "fold"
            self._console.print(words)

    def _print_line(self, progress: StageProgress) -> None:
        """The line of a stage, with its figures beside its name."""
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(min_width=_NAME_WIDTH, no_wrap=True)
        line.add_column(min_width=len("59 min 59 s"), no_wrap=True, justify="right")
        line.add_column(overflow="fold")
        spent = self._clock.spent(self._now) if progress.unit else ""
        first = progress.note if progress.finished else _percent(progress)
        words = ", ".join(filter(None, (first, *figures(progress))))
        line.add_row(Text(progress.stage), Text(spent), Text(words))
        self._console.print(line)

    def _at_work(self, progress: StageProgress) -> Group:
        """Name, bar, share and time left in a line, and the figures below it."""
        line = Table.grid(padding=(0, 1, 0, 0))
        line.add_column(min_width=_NAME_WIDTH, no_wrap=True)
        line.add_column(width=_BAR_WIDTH)
        line.add_column(justify="right", width=len("100 %"), no_wrap=True)
        line.add_column()
        bar = ProgressBar(progress.total, progress.done, width=_BAR_WIDTH)
        left = self._clock.left(progress, self._now)
        line.add_row(Text(progress.stage), bar, Text(_percent(progress)), Text(left))
        words = Text(", ".join(figures(progress)), "dim", overflow="fold")
        return Group(line, Padding(words, (0, 0, 0, 2)))


def _key(progress: StageProgress) -> tuple[str, str]:
    return progress.part, progress.stage


def _percent(progress: StageProgress) -> str:
    return f"{100 * progress.done // max(progress.total, 1)} %"


class LogDisplay:
    """A line every few seconds and at the end of a stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._written = time.monotonic()
        self._now = self._written
        self._key = ("", "")
        self._clock = StageClock(self._now, (0, self._now))

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to clean."""

    def end(self) -> None:
        """Every line is complete."""

    def __call__(self, progress: StageProgress) -> None:
        """Write a line if it is time for one."""
        now = time.monotonic()
        if self._key != _key(progress):
            self._key = _key(progress)
            self._clock = StageClock(self._now, (progress.done, now))
        self._now = now
        if progress.finished or progress.note or now - self._written > LOG_INTERVAL:
            self._written = now
            self._console.print(self._line(progress), highlight=False, soft_wrap=True, markup=False)

    def _line(self, progress: StageProgress) -> str:
        """What the stage says, in one line."""
        words = [*filter(None, (progress.note,)), *figures(progress)]
        if progress.unit:
            spent = self._clock.spent(self._now) if progress.finished else ""
            left = self._clock.left(progress, self._now)
            amount = f"{progress.done}/{progress.total} {progress.unit}"
            words = [one for one in (amount, spent, left) if one] + words
        return ": ".join(filter(None, (progress.part, progress.stage, ", ".join(words))))
