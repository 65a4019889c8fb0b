"""pylhe at the work of `event_files.py`: the same events, with as many digits as it writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import awkward
import pylhe
import synthetic_events
from workers import Work

from madnis_py.events.files.formats import create_events

folder = TemporaryDirectory(prefix="event_files_")

FORMATS: dict[str, Any] = {
    ".lhe": pylhe.DEFAULT_FORMAT,
    ".lhe.gz": pylhe.LHEXMLFormat(compress=True, compresslevel=1),
    ".h5": pylhe.HDF5_FORMAT,
}


def start(threads: int) -> None:
    """It has one thread."""


def write(suffix: str, variations: int, n: int) -> Work:
    """Files of n events, of which there are objects already; Parquet by way of awkward."""
    events = _objects(variations, n)
    path = _path(suffix)
    act: Callable[[], Any] = (
        (lambda: awkward.to_parquet(pylhe.to_awkward(events), path))
        if suffix == ".parquet"
        else (lambda: events.tofile(path, FORMATS[suffix]))
    )

    def work() -> float:
        act()
        return n

    return work


def read(suffix: str, variations: int, n: int) -> Work:
    """All objects, or the awkward array, of files of n events."""
    write(suffix, variations, n)()
    path = _path(suffix)

    def work() -> float:
        if suffix == ".parquet":
            return float(len(awkward.from_parquet(path)))
        return sum(1 for _ in pylhe.LHEFile.fromfile(path).events)

    return work


def _objects(variations: int, n: int) -> pylhe.LHEFile:
    path = _path(".source.lhe")
    with create_events(path, synthetic_events.init(variations)) as writer:
        writer.write(synthetic_events.events(n, variations))
    return pylhe.LHEFile.fromfile(path, generator=False)


def _path(suffix: str) -> Path:
    return Path(folder.name) / f"events{suffix}"
