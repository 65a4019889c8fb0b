"""Chunks of unweighted events: finished files, the unit of work that survives an interruption."""

from __future__ import annotations

import io
import zipfile
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.lib.npyio import NpzFile

from madnis_py.errors import CheckpointError, InputError
from madnis_py.events.event_batch import COLUMNS, EventBatch, Floats
from madnis_py.events.unweight import UnweightingTally
from madnis_py.output_file import OutputFile


@dataclass(frozen=True, eq=False)
class Chunk:
    """The accepted trials of one task.

    Attributes:
        events: k events with w / M_i as weight.
        uniform: the number in [0, 1) that accepted each, float64, shape (k,).
        tally: what all its trials add to the figures of the run.
    """

    events: EventBatch
    uniform: Floats
    tally: UnweightingTally

    def save(self, path: Path) -> None:
        """Write the chunk (numpy's npz); the file appears under its name only when complete.

        Raises:
            OutputError: the file system refuses.
        """
        memory = io.BytesIO()
        tally = np.array(astuple(self.tally))
        np.savez(memory, allow_pickle=False, **self.events.columns(), uniform=self.uniform, tally=tally)
        with OutputFile(path) as file:
            file.write(memory.getvalue())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a chunk.

        Raises:
            CheckpointError: the file is missing, truncated, damaged or something else.
        """
        try:
            with path.open("rb") as file, NpzFile(file, allow_pickle=False) as archive:
                columns = {name: archive[name] for name in archive.files}
        except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path}: not a readable file of events: {error}") from error
        expected = {*COLUMNS, "uniform", "tally"}
        if set(columns) != expected:
            got = ", ".join(columns) or "none"
            raise CheckpointError(f"{path}: expected the columns {', '.join(sorted(expected))}; got {got}")
        uniform, tally = columns.pop("uniform"), columns.pop("tally")
        try:
            return cls(EventBatch(**columns), uniform, UnweightingTally(*map(float, tally)))
        except (InputError, TypeError) as error:
            raise CheckpointError(f"{path}: {error}") from error
