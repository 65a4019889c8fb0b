"""Cache on disk of partial widths, found by all that they follow from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from madnis_py import _core
from madnis_py.array_cache import ArrayCache, Arrays
from madnis_py.physics.decays.decay_modes import Products
from madnis_py.physics.model.model import Model

Widths = Sequence[tuple[Products, float]]
"""PDG codes of the products and partial widths in GeV."""

_ROOMS = ("amplitudes", "colour", "decays", "diagrams", "lorentz", "model", "observables")
"""Rooms of `physics` whose code the widths follow from."""


def kept_widths(what: str, model: Model, make: Callable[[], Widths]) -> Widths:
    """Partial widths from disk, or made and kept.

    Args:
        what: the particle and which decays.
        model: its tables and values are part of the key.
        make: computes them.
    """

    def arrays() -> Arrays:
        widths = make()
        return {
            "codes": np.array([code for products, _ in widths for code in products], np.int64),
            "sizes": np.array([len(products) for products, _ in widths], np.int64),
            "widths": np.array([width for _, width in widths], np.float64),
        }

    values = sorted(model.values.items())
    description = f"{what} {_code()} {model.tables.content_digest} {values!r}"
    key = hashlib.sha256(f"partial widths {description}".encode()).hexdigest()
    return list(_widths(ArrayCache().get(key, arrays)))


def _widths(found: Arrays) -> Iterator[tuple[Products, float]]:
    codes = iter(found["codes"].tolist())
    for size, width in zip(found["sizes"].tolist(), found["widths"].tolist(), strict=True):
        yield tuple(next(codes) for _ in range(size)), width


@cache
def _code() -> str:
    """Digest of the sources, with size and time of what is compiled."""
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((Path(__file__).parents[1] / room).rglob("*.py")):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    compiled = Path(_core.__file__).stat()
    digest.update(f"{compiled.st_size} {compiled.st_mtime_ns}".encode())
    return digest.hexdigest()
