"""Output files of HDF5, whose library crashes where the file system refuses to write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self


class Hdf5Output:
    """A file object for HDF5 that raises nothing: it keeps the first refusal, and drops the rest.

    Args:
        path: of the file.

    Attributes:
        error: the first refusal.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self.error: OSError | None = None
        self.seek, self.tell = self._file.seek, self._file.tell
        self.read, self.readinto = self._file.read, self._file.readinto

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def write(self, data: memoryview) -> int:
        """All of the bytes, or none of them after a refusal."""
        done = 0
        while done < len(data) and self.error is None:
            done += self._unless_refused(self._file.write, data[done:])
        return len(data)

    def truncate(self, size: int) -> int:
        """Set the size, if nothing was refused."""
        return self._unless_refused(self._file.truncate, size)

    def flush(self) -> None:
        """Nothing is held back."""

    def _unless_refused(self, act: Callable[[Any], int | None], what: Any) -> int:
        try:
            return (act(what) or 0) if self.error is None else 0
        except OSError as error:
            self.error = error
            return 0
