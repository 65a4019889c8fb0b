"""Stored states: tensors in a safetensors file, everything else in a JSON file beside it that vouches for them.

`<name>.json` names its tensor file, which carries the hash of its content in its own name. The JSON file is written
last and replaced in one step, so that a directory holds, at every moment, the complete old state or the complete new.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from madnis_py.errors import CheckpointError
from madnis_py.output_file import write_file

FORMAT = "madnis_py checkpoint"
VERSION = 1


def save(directory: Path, name: str, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Store a state, in place of an older one of the same name.

    Args:
        directory: where to; must exist.
        name: what kind of state it is, e.g. "training".
        tensors: any dtypes and shapes.
        meta: whatever JSON can hold.

    Raises:
        OutputError: a file could not be written; the older state is still there.
    """
    content = safetensors.torch.save({key: tensor.detach().clone().contiguous() for key, tensor in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    tensor_file = directory / f"{name}.{digest[:16]}.safetensors"
    sidecar = {
        "format": FORMAT,
        "version": VERSION,
        "kind": name,
        "tensors": tensor_file.name,
        "sha256": digest,
        "meta": dict(meta),
    }
    older = set(directory.glob(f"{name}.*.safetensors"))
    write_file(tensor_file, content)
    try:
        write_file(directory / f"{name}.json", (json.dumps(sidecar, indent=2) + "\n").encode())
    except BaseException:
        _remove({tensor_file} - older)
        raise
    _remove(older - {tensor_file})


def exists(directory: Path, name: str) -> bool:
    """Whether a state of this name is stored."""
    return (directory / f"{name}.json").exists()


def files(directory: Path, name: str) -> tuple[Path, Path]:
    """The two files of a stored state.

    Raises:
        CheckpointError: it is missing, truncated or of another kind.
    """
    path = directory / f"{name}.json"
    return path, directory / Path(_read_sidecar(path, name)["tensors"]).name


def load(directory: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state that `save` wrote.

    Returns:
        tensors: as stored, on the CPU.
        meta: as stored.

    Raises:
        CheckpointError: it is missing, truncated, changed, of another kind or of another version.
    """
    path, tensor_path = files(directory, name)
    sidecar = _read_sidecar(path, name)
    content = _read(tensor_path)
    if hashlib.sha256(content).hexdigest() != sidecar["sha256"]:
        raise CheckpointError(f"{tensor_path}: truncated or changed, it is not the file that {path.name} describes")
    return safetensors.torch.load(content), sidecar["meta"]


def _read_sidecar(path: Path, name: str) -> dict[str, Any]:
    try:
        sidecar = json.loads(_read(path))
    except ValueError as error:
        raise CheckpointError(f"{path}: truncated or not JSON: {error}") from error
    if not isinstance(sidecar, dict) or sidecar.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a {FORMAT}")
    if sidecar.get("version") != VERSION:
        raise CheckpointError(f"{path}: expected version {VERSION}; got {sidecar.get('version')}")
    if sidecar.get("kind") != name:
        raise CheckpointError(f"{path}: expected a state of kind '{name}'; got '{sidecar.get('kind')}'")
    missing = {"tensors", "sha256", "meta"} - sidecar.keys()
    if missing:
        raise CheckpointError(f"{path}: without {', '.join(sorted(missing))}")
    return sidecar


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error


def _remove(paths: Iterable[Path]) -> None:
    """Remove files that nothing refers to; one that cannot be removed does no harm."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
