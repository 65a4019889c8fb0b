"""Output: files that appear under their name only when they are complete, and directories."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from madnis_py.errors import OutputError


class OutputFile:
    """A binary file, written beside its place and moved there when the `with` block ends well.

    An error inside the block removes what was written; a file that stood under the name before stays as it was.

    Args:
        path: where the file shall be; its directory must exist.

    Raises:
        OutputError: from any step that the file system refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Self:
        """Open the file."""
        try:
            self._file: BinaryIO = self.partial.open("wb")
        except OSError as error:
            raise self._refused(error) from error
        return self

    def write(self, data: bytes) -> None:
        """Append bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            raise self._refused(error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Move the complete file to its place, or remove the incomplete one."""
        if kind is not None:
            self._discard()
            return
        try:
            self._publish()
        except OSError as reason:
            self._discard()
            raise self._refused(reason) from reason

    def _publish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.partial.replace(self.path)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _discard(self) -> None:
        with suppress(OSError):  # closing flushes, which fails again on a full disk
            self._file.close()
        with suppress(OSError):  # the first error is the one to tell
            self.partial.unlink(missing_ok=True)

    def _refused(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror or error}")


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
