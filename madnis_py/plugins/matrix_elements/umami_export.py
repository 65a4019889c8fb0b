"""Our matrix elements as libraries with the UMAMI interface, version 1.1.

A library is a copy of `_core_umami.so`, which holds the kernels and the interface, with the tape
behind its end: no compiler is needed, and the file works wherever it is put. The kernels are those
of `_core`, so the numbers are the same bit by bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np

from madnis_py.errors import InputError
from madnis_py.output_file import OutputFile
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.process.flavour_groups import FlavourGroup
from madnis_py.physics.process.process import Process

_TEMPLATE = Path(str(files("madnis_py"))) / "_core_umami.so"
"""The library without a tape."""

_MARK = b"madnis01"
"""Last bytes of a library with a tape, after the length of the records."""

_KINDS = {"int32": 0, "float64": 1}
_TEXT = 2
"""Kinds of records; `cpp/umami/cargo.hpp` reads them."""


def export_umami(process: Process, output: Path) -> dict[Path, FlavourGroup]:
    """Write one library per matrix element.

    If there are several, numbers in front of the suffix count from 1. The parameters of the model
    are those of the process for good. `DIAGRAM_AMP2` are |M_i|^2 without colour and averaging
    factors, in the order of `madnis-py diagrams --propagators`; colour flows and helicities are
    numbered as in `madnis-py evaluate --weights`, from 0; the flavour index counts the flavours of
    the group and changes nothing.

    Args:
        process: whose matrix elements.
        output: ends in .so.

    Returns:
        The files with their flavours. A matrix element that follows from an earlier one by exchange
        of the incoming particles has none.

    Raises:
        InputError: another suffix, or the package was built without the template.
        OutputError: a file cannot be written.
    """
    if output.suffix != ".so":
        raise InputError(f"{output}: expected a file name that ends in .so")
    groups = process.unmirrored
    paths = {output: groups[0]}
    if len(groups) > 1:
        paths = {
            output.with_name(f"{output.stem}_{number}.so"): group
            for number, group in enumerate(groups, start=1)
        }
    for path, group in paths.items():
        _write(path, group, process)
    return paths


def _write(path: Path, group: FlavourGroup, process: Process) -> None:
    if any(diagram.off_shell for diagram in process.diagrams(group)):
        expected = 'expected a definition without particles off their mass shell ("$") in a library'
        raise process.card.error(
            "process.definition", f'{expected}; got "{process.definition.text}"'
        )
    contents = _contents(process.tree_amplitude(group), len(group.flavours))
    records = b"".join(_record(name, value) for name, value in contents)
    try:
        template = _TEMPLATE.read_bytes()
    except OSError:
        expected = "expected a part of the package; build it anew, it has none"
        raise InputError(f"{_TEMPLATE}: {expected}") from None
    with OutputFile(path) as file:
        file.write(template)
        file.write(records + pack("<Q", len(records)) + _MARK)


def _contents(tree: TreeAmplitude, flavours: int) -> Iterator[tuple[str, Any]]:
    """Name and value of every record: the tapes, and the facts that a library tells."""
    tapes = tree.tapes
    for tape, arrays in (("amplitude", tapes.amplitude), ("squares", tapes.squares)):
        yield from ((f"{tape}.{name}", array) for name, array in sorted(arrays.items()))
    yield "average", np.array([tapes.average])
    yield "masses", np.array([tree.model.mass(pdg) for pdg in tree.legs], np.float64)
    yield "flavours", np.array([flavours], np.int32)
    yield "fingerprint", fingerprint(tree)


def fingerprint(tree: TreeAmplitude) -> str:
    """Value of PROCESS_FINGERPRINT: the process and a digest of tape and parameters."""
    return f"madnis_py {tree.name} {hashlib.sha256(str(tree.identity).encode()).hexdigest()}"


def _record(name: str, value: Any) -> bytes:
    """Lengths and kind, then name and data."""
    if isinstance(value, str):
        kind, count, data = _TEXT, len(value.encode()), value.encode()
    else:
        array = np.ascontiguousarray(value)
        kind, count, data = _KINDS[array.dtype.name], array.size, array.tobytes()
    return pack("<QQQ", len(name), kind, count) + name.encode() + data
