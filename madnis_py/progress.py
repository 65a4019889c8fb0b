"""Progress of a stage of a run, as its watcher gets it, and the clock of a stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StageProgress:
    """How far a stage is, and what it knows of the result.

    Attributes:
        stage: build, compile, prior, survey, train, integrate or generate.
        done: how much of the stage is done.
        total: how much there is to do.
        unit: what is counted.
        rate: speed in `rate_unit`.
        sigma: cross section so far in pb, or width in GeV.
        relative_std: sum_i sigma_i / sigma so far.
        efficiency: unweighting efficiency so far.
        of_decay: whether a width is computed.
        part: process or point of a scan that the stage belongs to; empty where there is one alone.
        note: what is to be known beyond numbers, in words.
    """

    stage: str
    done: int
    total: int
    unit: str
    rate: float | None = None
    rate_unit: str = "points/s"
    sigma: float | None = None
    relative_std: float | None = None
    efficiency: float | None = None
    of_decay: bool = False
    part: str = ""
    note: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.done >= self.total


Watch = Callable[[StageProgress], None]


def watch_of_decay(watch: Watch) -> Watch:
    """The watcher of a run that computes a width."""
    return lambda progress: watch(replace(progress, of_decay=True))


def watch_of_part(watch: Watch, part: str) -> Watch:
    """The watcher of a process, or of a point of a scan, among others."""

    def of_part(progress: StageProgress) -> None:
        watch(replace(progress, part=f"{part}: {progress.part}" if progress.part else part))

    return of_part


def unwatched(progress: StageProgress) -> None:
    """The watcher of a run that reports to nobody."""


def duration(seconds: float) -> str:
    """Seconds in the units of people: 0.83 s, 2 min 05 s, 3 h 20 min, 2 d 04 h."""
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest:02} s"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02} h" if days else f"{hours} h {minutes:02} min"


class Stopwatch:
    """Seconds of work, in all and since the last lap began.

    Args:
        before: seconds that earlier sessions worked.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._start = self._lap = time.perf_counter()
        self._before = before

    @property
    def total(self) -> float:
        """Seconds of all sessions."""
        return self._before + time.perf_counter() - self._start

    def lap(self) -> float:
        """Seconds since the lap began."""
        return time.perf_counter() - self._lap

    def restart_lap(self) -> None:
        """Begin a new lap."""
        self._lap = time.perf_counter()
