"""Cache of built tapes on disk, found by a description of what they were built from."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.arrays import array_digest

Arrays = Mapping[str, Any]

_SOURCES = (
    "physics/amplitudes/amplitude_builder.py",
    "physics/amplitudes/colour_flows.py",
    "physics/amplitudes/currents.py",
    "physics/amplitudes/diagram_squares.py",
    "physics/amplitudes/helicities.py",
    "physics/amplitudes/tape_tables.py",
    "physics/amplitudes/tape_writer.py",
    "physics/amplitudes/tree_amplitude.py",
    "physics/colour/colour.py",
    "physics/colour/colour_vertices.py",
    "physics/diagrams/diagrams.py",
    "physics/diagrams/recursion.py",
    "physics/diagrams/trees.py",
    "physics/diagrams/vertex_table.py",
    "physics/observables/generic_momenta.py",
)
"""Modules of the package that write tapes: other code does not read them."""


def default_folder() -> Path | None:
    """Folder of the tapes.

    `$MADNIS_PY_CACHE`, else `madnis_py` in the user's cache directory; for a user without a home,
    or with one that cannot be written, a folder among the temporary files. None if that belongs to
    another user, whose tapes are not to be trusted.
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


@cache
def _source_digest() -> bytes:
    """Digest of `_SOURCES`."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update(files("madnis_py").joinpath(name).read_bytes())
    return digest.digest()


class TapeCache:
    """A folder of tapes; one that cannot be read or written is no error, the tape is built again.

    Args:
        folder: where the files are; `default_folder()` if None, and if there is none either nothing
            is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or default_folder()

    def get(self, description: str, build: Callable[[], Arrays]) -> Arrays:
        """The arrays that belong to a description, from disk or built and kept.

        Args:
            description: everything that the arrays depend on, but for the code.
            build: makes them.
        """
        if self._folder is None:
            return build()
        key = hashlib.sha256(_source_digest() + description.encode()).hexdigest()
        path = self._folder / f"{key}.npz"
        arrays = _read(path, key)
        if arrays is None:
            arrays = build()
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
    except Exception:  # nothing that a file can hold may end a run: the tape is built again
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
