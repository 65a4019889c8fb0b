"""Output: files that appear under their name only when they are complete, and directories."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from madnis_py.errors import OutputError
from madnis_py.file_lock import has_name, locked

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class OutputPlace:
    """A file that is written beside its place, and moved there when the `with` block ends well.

    An error inside the block removes what was written; a file that stood under the name before
    stays as it was. The new file takes over its permissions; behind a symbolic link the file that
    it leads to is replaced. Every writer has a file of its own beside the place: of several at once
    the last one stays, complete.

    Args:
        path: where the file shall be; its directory must exist.

    Attributes:
        partial: where to write it, from the beginning of the block on.

    Raises:
        OutputError: something else than a file is there, or the file system refuses a step.
    """

    partial: Path

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        """Make the file beside the place."""
        with self.refusals():
            earlier = self.earlier()
            self._target = Path(os.path.realpath(self.path))
            _remove_abandoned(self._target)
            self.partial, self._descriptor = _new_partial(self._target)
        if earlier:
            _make_like(earlier, self._descriptor)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Move the complete file to its place, or remove the incomplete one."""
        if kind is not None:
            self.discard()
            return
        try:
            with self.refusals():
                self._publish()
        except BaseException:
            self.discard()
            raise
        os.close(self._descriptor)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Errors of the file system in this block are those of the file."""
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror or error}"
            ) from error

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # the first error is the one to tell
            self.partial.unlink(missing_ok=True)
        os.close(self._descriptor)

    def earlier(self) -> os.stat_result | None:
        """The file that stands at the place; None where it is free."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(found.st_mode):
            raise _refusal(errno.EISDIR)
        if not stat.S_ISREG(found.st_mode):
            kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
            raise OutputError(
                f"{self.path}: cannot be written: expected a file or a free place; got {kind}"
            )
        if not os.access(self.path, os.W_OK):
            raise _refusal(errno.EACCES)
        return found

    def _publish(self) -> None:
        os.fsync(self._descriptor)
        self.partial.replace(self._target)
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class OutputFile(OutputPlace):
    """A binary file, written beside its place and moved there at the end; see `OutputPlace`."""

    def __enter__(self) -> Self:
        """Open the file."""
        super().__enter__()
        try:
            with self.refusals():
                self._file: BinaryIO = self.partial.open("wb")
        except BaseException:
            super().discard()
            raise
        return self

    def write(self, data: bytes) -> None:
        """Append bytes."""
        with self.refusals():
            self._file.write(data)

    def discard(self) -> None:
        """Close and remove the file."""
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self._file.close()
        super().discard()

    def _publish(self) -> None:
        self._file.close()
        super()._publish()


def _refusal(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _prefix(target: Path) -> str:
    """What the names of all files on the way to a place begin with."""
    return f".{target.name[:40]}.{socket.gethostname()[:40].replace('/', '-')}."


def _new_partial(target: Path) -> tuple[Path, int]:
    """A new file beside a place and its descriptor; locked, which says that its writer is alive."""
    while True:
        partial = target.with_name(f"{_prefix(target)}{secrets.token_hex(6)}.partial")
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if locked(descriptor) is not False and has_name(descriptor, partial):
            return partial, descriptor
        os.close(descriptor)  # another process has just taken it for abandoned


def _remove_abandoned(target: Path) -> None:
    """Remove what writers of this machine, killed on the way to the same place, left beside it."""
    with suppress(OSError):
        for partial in target.parent.iterdir():
            if not (partial.name.startswith(_prefix(target)) and partial.suffix == ".partial"):
                continue
            with suppress(OSError):
                descriptor = os.open(partial, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                try:
                    if locked(descriptor) and has_name(descriptor, partial):
                        partial.unlink()
                finally:
                    os.close(descriptor)


def _make_like(earlier: os.stat_result, descriptor: int) -> None:
    """Give a file the owner and the permissions of an earlier one, as far as the system lets us."""
    made = os.fstat(descriptor)
    with suppress(OSError):
        if (made.st_uid, made.st_gid) != (earlier.st_uid, earlier.st_gid):
            os.fchown(descriptor, earlier.st_uid, earlier.st_gid)
    with suppress(OSError):
        os.fchmod(descriptor, stat.S_IMODE(earlier.st_mode))


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: the file system refuses.
    """
    with OutputFile(path) as file:
        file.write(content)


def require_place(path: Path) -> None:
    """Refuse a place where no file can be written, before the work for it begins.

    Raises:
        OutputError: something else than a file is there, it is read-only, or its folder is missing.
    """
    place = OutputPlace(path)
    with place.refusals():
        if place.earlier() is None and not Path(os.path.realpath(path)).parent.is_dir():
            raise _refusal(errno.ENOENT)


def make_directory(path: Path) -> None:
    """Make a directory and its parents.

    Raises:
        OutputError: the file system refuses.
    """
    try:
        with suppress(
            FileNotFoundError
        ):  # another process has just removed a parent, which was empty
            return path.mkdir(parents=True, exist_ok=True)
        return path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made: {error.strerror}") from error
