"""Built tapes on disk, found by what they were built from."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, Any]

_SOURCES = (
    "amplitude",
    "color",
    "color_flows",
    "color_vertices",
    "currents",
    "diagram_squares",
    "diagrams",
    "representative",
    "tape",
    "tree_amplitude",
)


def default_folder() -> Path:
    """`$MADNIS_PY_CACHE`, else `madnis_py` in the user's cache directory."""
    if chosen := os.environ.get("MADNIS_PY_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madnis_py"


@cache
def _source_digest() -> bytes:
    """Digest of the code that writes tapes: another version does not read them."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.digest()


class TapeCache:
    """A folder of tapes; one that cannot be read or written is no error, the tape is built again.

    Args:
        folder: where the files are; `default_folder()` if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or default_folder()

    def get(self, description: str, build: Callable[[], Arrays]) -> Arrays:
        """The arrays that belong to a description, from disk or built and kept.

        Args:
            description: everything that the arrays depend on, but for the code.
            build: makes them.
        """
        key = hashlib.sha256(_source_digest() + description.encode()).hexdigest()
        path = self._folder / f"{key}.npz"
        arrays = _read(path)
        if arrays is None:
            arrays = build()
            _write(path, arrays)
        return arrays


def _digest(arrays: Arrays) -> NDArray[np.uint8]:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8)


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None where there is none or it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        expected = arrays.pop("digest")
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None
    return arrays if np.array_equal(expected, _digest(arrays)) else None


def _write(path: Path, arrays: Arrays) -> None:
    """Write into a temporary folder, then move: another process never reads half a file, and nothing is left behind."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            file = Path(folder) / path.name
            np.savez(file, allow_pickle=False, digest=_digest(arrays), **arrays)
            file.replace(path)
    except OSError:
        pass
