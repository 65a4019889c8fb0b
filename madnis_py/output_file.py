"""Output: files that appear under their name only when they are complete, and directories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from madnis_py.errors import OutputError


class OutputPlace:
    """A file that somebody else writes, beside its place, moved there when the `with` block ends well.

    An error inside the block removes what was written; a file that stood under the name before stays as it was.

    Args:
        path: where the file shall be; its directory must exist.

    Attributes:
        partial: where to write it.

    Raises:
        OutputError: from any step that the file system refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Move the complete file to its place, or remove the incomplete one."""
        if kind is not None:
            self.discard()
            return
        try:
            with self.refusals():
                self._publish()
        except OutputError:
            self.discard()
            raise

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Errors of the file system in this block are those of the file."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # the first error is the one to tell
            self.partial.unlink(missing_ok=True)

    def _publish(self) -> None:
        _flush_to_disk(self.partial)
        self.partial.replace(self.path)
        _flush_to_disk(self.path.parent)


class OutputFile(OutputPlace):
    """A binary file, written beside its place and moved there when the `with` block ends well; see `OutputPlace`."""

    def __enter__(self) -> Self:
        """Open the file."""
        with self.refusals():
            self._file: BinaryIO = self.partial.open("wb")
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


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: the file system refuses.
    """
    with OutputFile(path) as file:
        file.write(content)


def make_directory(path: Path) -> None:
    """Make a directory and its parents.

    Raises:
        OutputError: the file system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be made: {error.strerror}") from error
