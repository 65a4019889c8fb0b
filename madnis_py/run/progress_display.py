"""Progress of the stages of a run on a terminal, or as a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from madnis_py.progress import StageProgress

LOG_INTERVAL = 5.0
"""Seconds between two lines of a log."""


class ProgressDisplay(Protocol):
    """Shows the progress of stages, as a context manager."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""

    def update(self, progress: StageProgress) -> None:
        """Take notice of what a stage says."""


def progress_display(console: Console) -> ProgressDisplay:
    """Bars on a terminal, a plain log elsewhere."""
    return BarDisplay(console) if console.is_terminal else LogDisplay(console)


class BarDisplay:
    """One bar per stage, with speed, remaining time and what the stage knows of the result."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[message]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def update(self, progress: StageProgress) -> None:
        """Move the bar of the stage."""
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bars.add_task(
                progress.stage, total=progress.total, message=""
            )
        task = self._tasks[progress.stage]
        self._bars.update(
            task, completed=progress.done, total=progress.total, message=message(progress)
        )


class LogDisplay:
    """A line every few seconds and at the end of a stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = 0.0

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

    def update(self, progress: StageProgress) -> None:
        """Write a line if it is time for one."""
        finished = progress.done >= progress.total
        if finished or time.monotonic() - self._last > LOG_INTERVAL:
            self._last = time.monotonic()
            done = f"{progress.done}/{progress.total} {progress.unit}"
            line = f"{progress.stage}: " + ", ".join(filter(None, (done, message(progress))))
            self._console.print(line, highlight=False, soft_wrap=True)


def message(progress: StageProgress) -> str:
    """Speed, cross section and quality in a few words."""
    words = []
    if progress.rate is not None:
        words.append(f"{progress.rate:.3g} {progress.rate_unit}")
    if progress.sigma is not None:
        quantity, unit = ("width", "GeV") if progress.of_decay else ("sigma", "pb")
        words.append(f"{quantity} {progress.sigma:.6g} {unit}")
    if progress.relative_std is not None:
        words.append(f"std/mean {progress.relative_std:.3f}")
    if progress.efficiency is not None:
        words.append(f"efficiency {100 * progress.efficiency:.3g} %")
    return ", ".join(words)
