"""Stored states: tensors in a safetensors file, everything else in a JSON file.

The JSON file, `<name>.json`, names the tensor file and has the hash of its content, which is also
part of its name. The JSON file is written last and replaced in one step, so that a directory holds,
at every moment, the complete old state or the complete new.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from madnis_py.card.documents import parse_document, read_file
from madnis_py.errors import CheckpointError
from madnis_py.output_file import write_file

FORMAT = "madnis_py checkpoint"
VERSION = 2


def save(
    directory: Path, name: str, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> None:
    """Store a state, in place of an older one of the same name.

    Args:
        directory: where to; must exist.
        name: what kind of state it is, e.g. "training".
        tensors: any dtypes and shapes.
        meta: whatever JSON can hold.

    Raises:
        OutputError: a file could not be written; the older state is still there.
    """
    content = safetensors.torch.save(
        {key: tensor.detach().cpu().clone().contiguous() for key, tensor in tensors.items()}
    )
    digest = hashlib.sha256(content).hexdigest()
    tensor_file = directory / f"{name}.{digest[:16]}.safetensors"
    sidecar = {
        "format": FORMAT,
        "version": VERSION,
        "kind": name,
        "tensors": tensor_file.name,
        "sha256": digest,
        "meta": dict(meta),
        "meta_sha256": _meta_digest(meta),
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
    return _path(directory, name), directory / Path(_read_sidecar(directory, name).tensors).name


def load(directory: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a state that `save` wrote.

    Returns:
        tensors: as stored, on the CPU.
        meta: as stored.

    Raises:
        CheckpointError: it is missing, truncated, changed, of another kind or of another version.
    """
    path, tensor_path = files(directory, name)
    sidecar, content = _read_sidecar(directory, name), read_file(tensor_path)
    if hashlib.sha256(content).hexdigest() != sidecar.sha256:
        raise CheckpointError(
            f"{tensor_path}: truncated or changed, it is not the file that {path.name} describes"
        )
    try:
        return safetensors.torch.load(content), sidecar.meta
    except (
        Exception
    ) as error:  # it has the right digest and is none: whatever the reader stumbles over
        raise CheckpointError(
            f"{tensor_path}: expected a safetensors file; got: {error}"
        ) from error


def meta(directory: Path, name: str) -> dict[str, Any]:
    """What was stored beside the tensors, without reading them.

    Raises:
        CheckpointError: it is missing, truncated, changed or of another kind.
    """
    return _read_sidecar(directory, name).meta


class _Sidecar(BaseModel):
    """The JSON file of a stored state."""

    model_config = ConfigDict(extra="forbid")

    format: str
    version: int
    kind: str
    tensors: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    meta: dict[str, Any]
    meta_sha256: str


def _meta_digest(meta: Mapping[str, Any]) -> str:
    """SHA-256 of what JSON makes of it, in one order of the keys."""
    stored = json.loads(json.dumps(dict(meta)))
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def _path(directory: Path, name: str) -> Path:
    return directory / f"{name}.json"


def _read_sidecar(directory: Path, name: str) -> _Sidecar:
    path = _path(directory, name)
    content = read_file(path)
    try:
        head = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: truncated or not JSON: {error}") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a {FORMAT}")
    if head.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: expected version {VERSION}; got {head.get('version')}, which another version "
            "of the package has made; begin the run anew, in another directory"
        )
    if head.get("kind") != name:
        raise CheckpointError(
            f"{path}: expected a state of kind '{name}'; got '{head.get('kind')}'"
        )
    sidecar = parse_document(content, _Sidecar, str(path))
    if _meta_digest(sidecar.meta) != sidecar.meta_sha256:
        raise CheckpointError(f"{path}: meta: changed, it is not what was stored")
    return sidecar


def _remove(paths: Iterable[Path]) -> None:
    """Remove files that nothing refers to; one that cannot be removed does no harm."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()
