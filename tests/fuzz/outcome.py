"""What became of an input: a right result, one sentence, or a failure."""

from __future__ import annotations

import contextlib
import io
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from madnis_py import cli
from madnis_py.errors import MadnisError

SECONDS = 20.0
"""What no small input may take."""


class Hang(BaseException):
    """An input took too long; no handler of the program may catch it."""


@dataclass(frozen=True)
class Answer:
    """What a command said.

    Attributes:
        status: its exit status.
        out: standard output.
        err: standard error.
    """

    status: int
    out: str = ""
    err: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the input was taken."""
        return self.status == 0


@dataclass(frozen=True)
class Failure:
    """Why an outcome is neither right nor a sentence."""

    kind: str
    detail: str


def command(*arguments: str | Path) -> Answer:
    """Run `madnis-py` in this process; tracebacks come out as they are."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["madnis-py", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = _status(cli.main)
    finally:
        sys.argv = before
    return Answer(status, out.getvalue(), err.getvalue())


def library(call: Callable[[], object]) -> Answer:
    """Run a function of the package as the command line would: an error of ours is a sentence."""
    try:
        call()
    except MadnisError as error:
        return Answer(error.exit_status, err=f"madnis-py: {error}\n")
    return Answer(0)


def _status(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def complaint(answer: Answer) -> Failure | None:
    """What is wrong with the way in which an input was refused, if anything."""
    if answer.accepted:
        return None
    if answer.status not in (1, 2):
        return Failure("exit status", f"{answer.status}: {answer.err[-500:]}")
    lines = [line for line in answer.err.split("\n") if line.strip()]
    if lines and (lines[0].startswith("Usage:") or "Error: " in lines[-1]):
        return None
    if not lines or not all(line.startswith("madnis-py: ") for line in lines):
        return Failure("not one sentence", answer.err[-1000:])
    if re.search(r"Traceback|object at 0x|<class |Error\(", lines[-1]):
        return Failure("not for people", lines[-1])
    return None


def judged(enter: Callable[[], Failure | None], seconds: float = SECONDS) -> Failure | None:
    """Run an input with a limit of time; any exception is a failure."""
    try:
        with _limited(seconds):
            return enter()
    except Hang:
        return Failure("hang", f"over {seconds:g} s")
    except Exception as error:
        return Failure("traceback", _shortened(error))


def _shortened(error: Exception) -> str:
    """The exception and where in the package it came from."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "madnis_py" in Path(frame.filename).parts
    ]
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-4:]]
    return " < ".join([*traceback.format_exception_only(error)[-1:], *reversed(where)])[:1000]


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def leftovers(folder: Path, expected: Sequence[str]) -> Failure | None:
    """Files that a command left behind and should not have."""
    found = sorted(path.name for path in folder.iterdir())
    unexpected = [name for name in found if name not in expected]
    return Failure("left behind", ", ".join(unexpected)) if unexpected else None
