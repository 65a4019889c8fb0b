"""Chunks of unweighted events: finished files, the unit of work that survives an interruption."""

from __future__ import annotations

import io
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from madnis_py.arrays import Array, array_digest
from madnis_py.errors import CheckpointError, InputError
from madnis_py.events.event_batch import COLUMNS, MERGING_COLUMNS, EventBatch
from madnis_py.events.unweighting import UnweightingTally
from madnis_py.output_file import OutputFile


@dataclass(frozen=True, eq=False)
class Chunk:
    """The accepted trials of one task.

    Attributes:
        events: k events with w / M_i as weight.
        uniform: the number in [0, 1) that accepted each event, float64, shape (k,).
        bias: how many times as often as by the cross section each is made, float64, shape (k,).
        tally: sums over all trials, for the figures of the run.

    Raises:
        InputError: there are not as many numbers as events.
    """

    events: EventBatch
    uniform: Array
    bias: Array
    tally: UnweightingTally

    def __post_init__(self) -> None:
        expected = ((len(self.events),), np.dtype(np.float64))
        for name, column in (("uniform", self.uniform), ("bias", self.bias)):
            if (column.shape, column.dtype) != expected:
                got = f"{column.dtype} {column.shape}"
                raise InputError(f"{name}: expected float64 ({len(self.events)},); got {got}")

    def save(self, path: Path, key: str = "") -> None:
        """Write the chunk (numpy's npz); the file appears under its name only when complete.

        Args:
            path: the file.
            key: what the chunk belongs to; it is read only with the same key.

        Raises:
            OutputError: the file system refuses.
        """
        memory = io.BytesIO()
        arrays = self.events.columns() | {
            "uniform": self.uniform,
            "bias": self.bias,
            "tally": np.array(astuple(self.tally)),
        }
        np.savez(memory, allow_pickle=False, digest=array_digest(key, arrays), **arrays)
        with OutputFile(path) as file:
            file.write(memory.getvalue())

    @classmethod
    def load(cls, path: Path, key: str = "") -> Self:
        """Read a chunk.

        Args:
            path: the file.
            key: what the chunk belongs to.

        Raises:
            CheckpointError: the file is missing, damaged or no chunk, or it belongs to something
                else.
        """
        try:
            columns = _columns(path)
        except Exception as error:  # whatever the readers of zip files and arrays stumble over
            raise CheckpointError(f"{path}: not a readable file of events: {error}") from error
        expected = {*COLUMNS, "uniform", "bias", "tally", "digest"}
        if set(columns) - set(MERGING_COLUMNS) != expected:
            got = ", ".join(columns) or "none"
            raise CheckpointError(
                f"{path}: expected the columns {', '.join(sorted(expected))}; got {got}"
            )
        if not np.array_equal(columns.pop("digest"), array_digest(key, columns)):
            raise CheckpointError(f"{path}: changed, or a chunk of something else")
        uniform, bias, tally = (columns.pop(name) for name in ("uniform", "bias", "tally"))
        if tally.dtype != np.float64 or tally.shape != (_SUMS,):
            raise CheckpointError(
                f"{path}: tally: expected float64 ({_SUMS},); got {tally.dtype} {tally.shape}"
            )
        try:
            return cls(EventBatch(**columns), uniform, bias, UnweightingTally(*tally.tolist()))
        except InputError as error:
            raise CheckpointError(f"{path}: {error}") from error


_SUMS = len(fields(UnweightingTally))


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@dataclass(frozen=True)
class StoredChunk:
    """A chunk in its file, and what decides in memory which of its events are selected.

    Attributes:
        path: the file.
        key: what the chunk belongs to.
        ratio: w / M_i of the events, float64, shape (k,).
        uniform: the numbers that accepted them, float64, shape (k,).
        bias: as in `Chunk`.
        tally: sums over all trials of the chunk.
    """

    path: Path
    key: str
    ratio: Array
    uniform: Array
    bias: Array
    tally: UnweightingTally

    def load(self) -> Chunk:
        """Read the chunk again.

        Raises:
            CheckpointError: its file is no longer what it was.
        """
        return Chunk.load(self.path, self.key)
