"""Cache on disk of arrays that can be made again, found by a digest of what they are made from."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.arrays import array_digest

Arrays = Mapping[str, Any]


def default_folder() -> Path | None:
    """Folder of what can be made again.

    `$MADNIS_PY_CACHE`, else `madnis_py` in the user's cache directory; for a user without a home,
    or with one that cannot be written, a folder among the temporary files. None if that belongs to
    another user, whose files are not to be trusted.
    """
    if chosen := os.environ.get("MADNIS_PY_CACHE"):
        return Path(chosen)
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen) / "madnis_py"
    with suppress(RuntimeError):  # no $HOME, and no entry for the user
        home = Path.home()
        folder = home / ".cache" / "madnis_py"
        if folder.is_dir() or os.access(home, os.W_OK):
            return folder
    return _temporary_folder()


def _temporary_folder() -> Path | None:
    """A folder that belongs to the user alone; None if there cannot be one."""
    try:
        folder = Path(tempfile.gettempdir()) / f"madnis_py-{os.getuid()}"
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if ours else None


class ArrayCache:
    """A folder of arrays; what cannot be read or written is no error, it is made again.

    Args:
        folder: where the files are; `default_folder()` if None, and if there is none either nothing
            is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or default_folder()

    def __contains__(self, key: str) -> bool:
        """Whether there is a file for a key, whatever is in it."""
        return self._folder is not None and (self._folder / f"{key}.npz").is_file()

    def get(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays that belong to a key, from disk or made and kept.

        Args:
            key: digest of everything that the arrays depend on, in hexadecimal digits.
            make: makes them.
        """
        if self._folder is None:
            return make()
        path = self._folder / f"{key}.npz"
        arrays = _read(path, key)
        if arrays is None:
            arrays = make()
            _write(path, key, arrays)
        return arrays


def _read(path: Path, key: str) -> Arrays | None:
    """The arrays of a file; None where there is none, or whatever is wrong with it."""
    try:
        if not path.is_file():  # to open a pipe would wait for its other end
            return None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        return arrays if np.array_equal(arrays.pop("digest"), array_digest(key, arrays)) else None
    except Exception:  # nothing that a file can hold may end a run: the arrays are made again
        return None


def _write(path: Path, key: str, arrays: Arrays) -> None:
    """Write into a temporary folder, then move: no process reads half a file or leaves one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            file = Path(folder) / path.name
            np.savez(file, allow_pickle=False, digest=array_digest(key, arrays), **arrays)
            file.replace(path)
    except OSError:
        pass
