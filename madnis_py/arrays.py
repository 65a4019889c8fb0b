"""Types of arrays, and a digest of arrays together with what they belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Array of real numbers, of any shape; docstrings give it."""

Integers = NDArray[np.int32]
"""Array of the integers of event files, such as PDG codes."""

Flags = NDArray[np.bool_]
"""Array of truth values."""


def array_digest(key: str, arrays: Mapping[str, Any]) -> NDArray[np.uint8]:
    """SHA-256 of a key and of names, dtypes, shapes and content of arrays, uint8, shape (32,).

    The same arrays under another key have another digest: they are not taken for what they do not
    belong to.

    Args:
        key: what the arrays belong to.
        arrays: by name, of any dtype but objects.
    """
    digest = hashlib.sha256(key.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(
            f"{name} {array.dtype.str} {array.shape}".encode()
            + np.ascontiguousarray(array).tobytes()
        )
    return np.frombuffer(digest.digest(), np.uint8)
