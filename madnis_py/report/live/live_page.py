"""Page of a run that goes on: its report, and above it what is done now.

The report is made again when the run has something new, and seldom enough to leave the processor to
the run; the banner above it costs nothing and is of the moment.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from madnis_py.errors import MadnisError
from madnis_py.progress import duration
from madnis_py.report.live.run_state import RunState, state_of
from madnis_py.report.page_parts import Fact, LivePart, Page, Status
from madnis_py.report.report_page import page_of, rendered
from madnis_py.run.progress.worker_record import WorkerRecord

_RESULTS = ("run.json", "scan.json", "diagnostics.json")
"""Files that the report shows at once when they change."""

_GROWING = "training.csv"
"""A file that grows all the time."""

_SHORTEST_PAUSE = 2.0
"""Seconds between two reports of a growing file at least."""

_MOST_WORK = 0.05
"""Share of the time that reports of a growing file may take."""

_RELOAD = 5
"""Seconds after which a page without scripts is loaded again."""

_SILENCE = 15.0
"""Seconds after which the time of the last progress is said."""

_HEADLINES = {
    "build": "Building diagrams and channels",
    "compile": "Compiling kernels",
    "prior": "Choosing the channel weights before the training",
    "survey": "Adapting the VEGAS grids",
    "train": "Training",
    "integrate": "Integrating",
    "generate": "Making events",
    "histograms": "Filling histograms",
    "": "Beginning",
}

_SAMPLERS = {"vegas": "with VEGAS", "madnis": "with the flow"}


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text()


STYLE = _own("live.css")
"""Style of the banner."""

SCRIPT = _own("live.js")
"""Script that brings the page up to date."""


class LivePage:
    """The page of a directory, which need not be there yet.

    Args:
        directory: of a run or scan.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._results: _States | None = None
        self._growing: _States | None = None
        self._page, self._next = _empty(directory), 0.0

    def html(self) -> str:
        """The page as it is now."""
        state = self._refreshed()
        live = LivePart(
            version=self._version(state),
            banner=_banner(state),
            style=Markup(STYLE),
            script=Markup(SCRIPT),
            pause=None if state.ended else _RELOAD,
        )
        page = replace(self._page, title=_title(self._page, state), live=live)
        # What the report says of a run that nobody works on is not so now.
        return rendered(replace(page, statuses=()) if state.workers else page)

    def state(self) -> str:
        """What the script of the page asks for again and again, as JSON."""
        state = self._refreshed()
        content = {
            "version": self._version(state),
            "ended": state.ended,
            "title": _title(self._page, state),
            "banner": _banner(state),
        }
        return json.dumps(content)

    def _refreshed(self) -> RunState:
        """The state of the run, after its report has been brought up to date."""
        state = state_of(self._directory)
        results = _states(self._directory, _RESULTS)
        growing = _states(self._directory, (_GROWING,))
        begin = time.monotonic()
        may_grow = begin >= self._next or state.ended
        if results != self._results or (growing != self._growing and may_grow):
            self._results, self._growing = results, growing
            self._page = _page(self._directory)
            now = time.monotonic()
            self._next = now + max(_SHORTEST_PAUSE, (now - begin) / _MOST_WORK)
        return state

    def _version(self, state: RunState) -> str:
        """What tells two reports apart."""
        told_apart = (self._results, self._growing, bool(state.workers))
        return hashlib.sha256(repr(told_apart).encode()).hexdigest()[:16]


_States = Sequence[tuple[int, int, int] | None]
"""What tells two states of files apart: inode, time of change in ns, size."""


def _states(directory: Path, names: Sequence[str]) -> _States:
    return [_state(directory / name) for name in names]


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _page(directory: Path) -> Page:
    """The report, or a page that says why there is none."""
    if not any(_states(directory, _RESULTS)):
        return _empty(directory)
    try:
        return page_of(directory)
    except MadnisError as error:
        return replace(_empty(directory), statuses=(Status("No report", (str(error),), True),))


def _empty(directory: Path) -> Page:
    return Page(
        title=f"{directory.absolute().name} - madnis_py",
        kind="Run",
        place=str(directory),
        headings=[],
    )


def _title(page: Page, state: RunState) -> str:
    """Title of the window: first what changes."""
    if not state.workers:
        return f"{state.headline} - {page.title}" if state.ended else page.title
    worker = state.workers[0]
    words = [worker.stage] if worker.share is None else [f"{worker.share:.0%} {worker.stage}"]
    return " - ".join([*filter(None, words), page.title])


def _banner(state: RunState) -> Markup:
    workers = [ShownWorker.of_record(worker) for worker in state.workers]
    return Markup(_template().render(state=state, workers=workers))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_own("live.html"))


@dataclass(frozen=True)
class ShownWorker:
    """A process at work, in words.

    Attributes:
        of: process or point.
        headline: what it does.
        done: how far it is.
        share: the same, from 0 to 1.
        facts: what it knows.
    """

    of: str
    headline: str
    done: str
    share: float | None
    facts: Sequence[Fact]

    @classmethod
    def of_record(cls, worker: WorkerRecord) -> ShownWorker:
        """A process at work."""
        kind, _, sampler = worker.stage.partition(" ")
        headline = " ".join(
            filter(None, (_HEADLINES.get(kind, kind), _SAMPLERS.get(sampler, sampler)))
        )
        done = []
        if worker.share is not None:
            done = [f"{worker.share:.0%}", f"{worker.done:,} of {worker.total:,} {worker.unit}"]
        if worker.seconds_left:
            done.append(f"about {duration(worker.seconds_left)} left")
        return cls(worker.part, headline, ", ".join(done), worker.share, list(_facts(worker)))


def _facts(worker: WorkerRecord) -> Iterator[Fact]:
    if worker.sigma is not None:
        name, unit = ("width", "GeV") if worker.of_decay else ("cross section", "pb")
        yield Fact(f"{name} so far", f"{worker.sigma:.6g} {unit}")
    if worker.relative_std is not None:
        yield Fact("std/mean", f"{worker.relative_std:.3f}")
    if worker.efficiency is not None:
        yield Fact("efficiency", f"{100 * worker.efficiency:.3g} %")
    if worker.rate is not None:
        yield Fact("speed", f"{worker.rate:,.0f} {worker.rate_unit}")
    if worker.outlook and not worker.seconds_left:
        yield Fact("expected", worker.outlook)
    yield Fact("computed by", f"process {worker.pid} on {worker.host}")
    silent = time.time() - worker.updated
    if silent > _SILENCE:
        yield Fact("last heard", f"{duration(silent)} ago")
