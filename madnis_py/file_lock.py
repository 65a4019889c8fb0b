"""Locks among processes, on one machine or on several that share a file system.

`flock` lets the kernel hold them: a lock ends with its process, however that ends, so that there
are no stale ones. On a file system without locks nothing is locked.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from madnis_py.errors import LockedError, OutputError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 1.0
"""Seconds between two attempts; each pause is twice the one before."""


class FileLock:
    """A file that one process at a time holds, as a context manager.

    It names its holder, and is removed at the end.

    Args:
        path: the file; its folder must exist.
        subject: what is locked, for the sentence.
        patience: seconds to wait for another process that holds it.

    Raises:
        LockedError: another process holds it; names the process.
        OutputError: the file system refuses.
    """

    def __init__(self, path: Path, subject: str, patience: float = 0.0) -> None:
        self.path = path
        self.subject = subject
        self.patience = patience

    def __enter__(self) -> Self:
        """Take the lock."""
        pause, give_up = _FIRST_PAUSE, time.monotonic() + self.patience
        try:
            while (descriptor := _taken(self.path)) is None:
                if time.monotonic() >= give_up:
                    raise LockedError(
                        f"{self.subject}: {holder(self.path)} works on it; "
                        "wait for its end (--wait)"
                    )
                time.sleep(min(pause, max(give_up - time.monotonic(), 0.0)))
                pause = min(2 * pause, _LONGEST_PAUSE)
        except OSError as error:
            read_only = error.errno in (errno.EACCES, errno.EROFS)
            way_out = (
                f"; copy {self.path.parent} to where you may write, and work there"
                if read_only
                else ""
            )
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror}{way_out}"
            ) from error
        self._descriptor = descriptor
        with suppress(OSError):  # on a full disk the lock holds without a name
            os.ftruncate(descriptor, 0)
            this_process = {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            }
            os.pwrite(descriptor, json.dumps(this_process).encode(), 0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the file, and let the next process make its own."""
        with suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)


def holder(path: Path) -> str:
    """The holder of a lock, or "another process" if the file does not say.

    For example "process 4711 on host42, since 2026-11-29 21:03:14,".
    """
    try:
        found = json.loads(path.read_bytes())
        return f"process {found['pid']} on {found['host']}, since {found['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def locked(descriptor: int) -> bool | None:
    """Lock an open file for this process, if no other one holds it.

    Returns:
        whether it is ours now; None where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_locked(descriptor: int) -> bool | None:
    """Whether some process holds the lock of an open file; None where the system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def has_name(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _taken(path: Path) -> int | None:
    """Descriptor of the lock file, locked; None if another process holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            if locked(descriptor) is False:
                os.close(descriptor)
                return None
            if has_name(descriptor, path):  # otherwise the holder before us has just removed it
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
