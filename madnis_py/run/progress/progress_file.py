"""Progress file: what a process that works on a directory says there, until it is done.

Every process has a file of its own, `.progress.` and a random word. It is locked as long as its
process lives, so that one that was killed is not taken for one at work.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from madnis_py.card.documents import parse_document
from madnis_py.errors import CheckpointError
from madnis_py.file_lock import has_name, is_locked, locked
from madnis_py.progress import StageProgress, Watch
from madnis_py.run.progress.worker_record import WorkerRecord

_PREFIX = ".progress."

_INTERVAL = 0.5
"""Seconds between two writings at least."""

_MOST_WORK = 0.01
"""Share of the time that writing may take."""

_LARGEST = 100_000
"""Bytes of a progress file, which takes a few hundred."""

_SILENCE = 600.0
"""Seconds after which a process is gone where the file system has no locks to tell."""


class ProgressFile:
    """Progress of this process in a directory, inside of blocks that may be nested.

        with progress_file:
            work(watch=progress_file.beside(watch))

    It is no part of the results: a file system that refuses it stops nobody, and it costs at most a
    hundredth of the time.

    Args:
        directory: where it is; has to exist when the first block begins.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / f"{_PREFIX}{secrets.token_hex(6)}"
        self._depth, self._descriptor = 0, -1

    def __enter__(self) -> Self:
        """Say that this process is at work."""
        if self._depth == 0:
            _remove_abandoned(self._directory)
            self._said = WorkerRecord(
                pid=os.getpid(), host=socket.gethostname(), updated=time.time()
            )
            self._write()
        self._depth += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file at the end of the outermost block."""
        self._depth -= 1
        if self._depth == 0 and self._descriptor >= 0:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = -1

    def beside(self, watch: Watch) -> Watch:
        """A watcher that passes progress on, and writes it down inside of the blocks."""

        def both(progress: StageProgress) -> None:
            if self._depth:
                self._update(progress)
            watch(progress)

        return both

    def _update(self, progress: StageProgress) -> None:
        if not progress.unit:
            self._said = self._said.expecting(progress)
            self._write()
            return
        now = time.monotonic()
        is_new = (progress.part, progress.stage) != (self._said.part, self._said.stage)
        if is_new:
            self._begin, self._before = now, progress.done
        ends = self._said.done < progress.total <= progress.done
        if is_new or ends or now >= self._next:
            seconds, done = now - self._begin, progress.done - self._before
            self._said = self._said.at(progress, time.time(), seconds, done)
            self._write()

    def _write(self) -> None:
        """Replace the file; the new one is locked before it has its name."""
        begin = time.monotonic()
        partial = self._path.with_name(f"{self._path.name}.partial")
        with suppress(OSError):
            descriptor = os.open(
                partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644
            )
            try:
                locked(descriptor)
                os.write(descriptor, self._said.model_dump_json().encode())
                partial.replace(self._path)
            except BaseException:
                with suppress(OSError):
                    partial.unlink()
                os.close(descriptor)
                raise
            if self._descriptor >= 0:
                os.close(self._descriptor)
            self._descriptor = descriptor
        now = time.monotonic()
        self._next = now + max(_INTERVAL, (now - begin) / _MOST_WORK)


def workers_of(directory: Path) -> list[WorkerRecord]:
    """The processes that work on a directory now, by their machine and number."""
    files = (path for path in directory.glob(f"{_PREFIX}*") if path.suffix != ".partial")
    found = map(_worker, files)
    return sorted((one for one in found if one), key=lambda worker: (worker.host, worker.pid))


def _worker(path: Path) -> WorkerRecord | None:
    """The process of a file, if it is alive."""
    with suppress(OSError, CheckpointError), _opened(path, os.O_RDONLY) as descriptor:
        content, alive = os.read(descriptor, _LARGEST), is_locked(descriptor)
        worker = parse_document(content, WorkerRecord, str(path))
        if alive is None:
            alive = time.time() - worker.updated < _SILENCE
        return worker if alive else None
    return None


def _remove_abandoned(directory: Path) -> None:
    """Remove what processes that were killed have left."""
    for path in directory.glob(f"{_PREFIX}*"):
        with suppress(OSError), _opened(path, os.O_RDWR) as descriptor:
            if locked(descriptor) and has_name(descriptor, path):
                path.unlink()


@contextmanager
def _opened(path: Path, way: int) -> Iterator[int]:
    descriptor = os.open(path, way | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
