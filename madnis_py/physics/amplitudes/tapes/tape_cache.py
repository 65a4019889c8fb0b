"""Cache of built tapes on disk, found by a description of what they were built from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from madnis_py import _core
from madnis_py.array_cache import ArrayCache, Arrays

_SOURCES = (
    "physics/amplitudes/tapes/amplitude_builder.py",
    "physics/amplitudes/tapes/colour_flows.py",
    "physics/amplitudes/tapes/currents.py",
    "physics/amplitudes/tapes/diagram_squares.py",
    "physics/amplitudes/tapes/helicities.py",
    "physics/amplitudes/tapes/majorana_vertices.py",
    "physics/amplitudes/tapes/stored_tapes.py",
    "physics/amplitudes/tapes/tape_patterns.py",
    "physics/amplitudes/tapes/tape_tables.py",
    "physics/amplitudes/tapes/tape_writer.py",
    "physics/colour/colour.py",
    "physics/colour/colour_matrix.py",
    "physics/colour/colour_strings.py",
    "physics/colour/colour_vertices.py",
    "physics/colour/inner_legs.py",
    "physics/diagrams/coupling_orders.py",
    "physics/diagrams/diagrams.py",
    "physics/diagrams/formed_particles.py",
    "physics/diagrams/recursion.py",
    "physics/diagrams/trees.py",
    "physics/diagrams/vertex_table.py",
    "physics/lorentz/factor_programs.py",
    "physics/lorentz/form_factors.py",
    "physics/lorentz/gaussian.py",
    "physics/lorentz/kernel_terms.py",
    "physics/lorentz/programs.py",
    "physics/lorentz/propagator_terms.py",
    "physics/lorentz/structures.py",
    "physics/lorentz/tensors.py",
    "physics/observables/generic_momenta.py",
)
"""Modules of the package that write tapes: other code does not read them."""


@cache
def _source_digest() -> bytes:
    """Digest of `_SOURCES`, and of the columns that the kernels read."""
    digest = hashlib.sha256(json.dumps(_core.TAPE_COLUMNS).encode())
    for name in _SOURCES:
        digest.update(files("madnis_py").joinpath(name).read_bytes())
    return digest.digest()


class TapeCache:
    """A folder of tapes; one that cannot be read or written is no error, the tape is built again.

    Args:
        folder: where the files are; that of every `ArrayCache` if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._arrays = ArrayCache(folder)

    def get(self, description: str, build: Callable[[], Arrays]) -> Arrays:
        """The arrays that belong to a description, from disk or built and kept.

        Args:
            description: everything that the arrays depend on, but for the code.
            build: makes them.
        """
        key = hashlib.sha256(_source_digest() + description.encode()).hexdigest()
        return self._arrays.get(key, build)
