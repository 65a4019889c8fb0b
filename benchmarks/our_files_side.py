"""This package at the work of `event_files.py`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import synthetic_events
from workers import Work

from madnis_py import _core
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import create_events, open_events

BATCH = 10_000
"""Events that are given to the writer together."""

folder = TemporaryDirectory(prefix="event_files_")


def start(threads: int) -> None:
    """Threads format, compress and parse."""
    _core.set_thread_count(threads)


def write(suffix: str, variations: int, n: int) -> Work:
    """Files of n events, looked at before they are written, as a run writes them."""
    batch = synthetic_events.events(min(n, BATCH), variations)

    def work() -> float:
        _write(_path(suffix), batch, n)
        return n

    return work


def read(suffix: str, variations: int, n: int) -> Work:
    """All columns of files of n events."""
    _write(_path(suffix), synthetic_events.events(min(n, BATCH), variations), n)

    def work() -> float:
        return sum(map(len, open_events(_path(suffix))))

    return work


def _write(path: Path, batch: EventBatch, n: int) -> None:
    with create_events(path, synthetic_events.init(batch.n_variations)) as writer:
        for begin in range(0, n, BATCH):
            writer.write(batch.select(slice(0, n - begin)))


def _path(suffix: str) -> Path:
    return Path(folder.name) / f"events{suffix}"
