"""State of a run as its directory shows it now: who works on it, or how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from madnis_py.errors import MadnisError
from madnis_py.report.report_page import parts_of
from madnis_py.run.directory import RunDirectory
from madnis_py.run.progress.progress_file import workers_of
from madnis_py.run.progress.worker_record import WorkerRecord
from madnis_py.run.record import RunRecord
from madnis_py.run.samples.any_run import SCAN
from madnis_py.run.scans.scan_record import ScanRecord


@dataclass(frozen=True)
class RunState:
    """State of a run, of several processes, or of a scan.

    Attributes:
        headline: in a few words.
        sentence: what to know about it.
        workers: processes that work on it.
        parts: folders of the processes or points that are worked on.
        ended: whether it has finished or failed.
    """

    headline: str
    sentence: str = ""
    workers: Sequence[WorkerRecord] = ()
    parts: Sequence[str] = ()
    ended: bool = False


def state_of(directory: Path) -> RunState:
    """The state of a directory, which need not be there yet."""
    try:
        return _at_work(directory) or _at_rest(directory)
    except (MadnisError, OSError) as error:
        return RunState("Something is in the way", str(error))


def _at_work(directory: Path) -> RunState | None:
    below = {path.name: workers_of(path) for path in parts_of(directory)}
    workers = workers_of(directory) or [one for every in below.values() for one in every]
    parts = [name for name, every in below.items() if every]
    return RunState("At work", workers=workers, parts=parts) if workers else None


def _at_rest(directory: Path) -> RunState:
    if (run := RunDirectory(directory, any_version=True)).claimed:
        return _of_run(run.record)
    if (directory / SCAN).exists():
        return _of_scan(directory)
    return RunState(
        "Waiting for a run",
        f"There is no run in {directory} yet; this page shows it as soon as it begins.",
    )


def _of_run(record: RunRecord) -> RunState:
    if record.failure is not None:
        return _FAILED
    if record.sigma_pb is None:
        return _NOBODY
    events = f"{record.events:,} events" if record.events else "no events"
    return RunState("Finished", f"The cross section is there, and {events}.", ended=True)


def _of_scan(directory: Path) -> RunState:
    scan = ScanRecord.read(directory)
    if len(scan.rows) >= scan.points:
        return RunState("Finished", f"All {scan.points} points are there.", ended=True)
    for part in parts_of(directory):
        if RunDirectory(part, any_version=True).record.failure is not None:
            return _FAILED
    return _NOBODY


_FAILED = RunState("Failed", "What failed is said below.", ended=True)

_NOBODY = RunState(
    "Nobody works on it", "The same command goes on from where it stopped, and so does this page."
)
