"""History of a training: training.csv in the directory of a run, a line for each step.

Lines are only added. They hold nothing that depends on the machine, so a training that was
interrupted ends with the same bytes as one that was not.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pydantic import Field, ValidationError

from madnis_py.card.documents import defect, read_file
from madnis_py.errors import CheckpointError, OutputError
from madnis_py.integration.step_progress import StepProgress
from madnis_py.run.stages.record_part import NonNegative, RecordPart

HISTORY = "training.csv"
"""Name of the file."""

MOST_LINES = 4000
"""Lines that a history has at most; of longer trainings there is one for every so many steps."""


class HistoryLine(RecordPart):
    """A step of a training."""

    rollbacks: int = Field(ge=0, description="How often the training went back before.")
    step: int = Field(ge=0, description="Steps finished.")
    loss: float = Field(description="Loss of the step.")
    sigma_pb: float = Field(description="Running estimate of the cross section in pb.")
    relative_std: NonNegative | None = Field(description="Running sum_i sigma_i / sigma.")
    efficiency: NonNegative | None = Field(description="Running unweighting efficiency.")
    learning_rate: NonNegative | None = Field(description="Learning rate of the step.")
    active_channels: int | None = Field(ge=0, description="Channels that were not dropped.")

    @classmethod
    def of(cls, progress: StepProgress) -> Self:
        """What is kept of a step."""
        figures = {
            name: float(f"{value:.8g}") if value is not None and math.isfinite(value) else None
            for name, value in (
                ("loss", progress.loss),
                ("sigma_pb", progress.value),
                ("relative_std", progress.relative_std),
                ("efficiency", progress.efficiency),
                ("learning_rate", progress.learning_rate),
            )
        }
        counts = {"rollbacks": progress.rollbacks, "step": progress.step}
        return cls.model_validate(counts | figures | {"active_channels": progress.active_channels})

    @property
    def cells(self) -> list[str]:
        """Its cells in the file; nothing for what is not known."""
        values = (getattr(self, name) for name in COLUMNS)
        return ["" if value is None else f"{value:.8g}" for value in values]


COLUMNS = tuple(HistoryLine.model_fields)
"""Names in the first line of the file."""


def read_history(directory: Path) -> tuple[HistoryLine, ...]:
    """The history of a training, as far as it is complete; nothing where none was kept.

    Raises:
        CheckpointError: the file is damaged; names the line.
    """
    path = directory / HISTORY
    if not path.exists():
        return ()
    return tuple(_parsed(path, read_file(path)))


def _parsed(path: Path, content: bytes) -> Iterator[HistoryLine]:
    text = content[: content.rfind(b"\n") + 1].decode(errors="replace")
    header, *rows = csv.reader(io.StringIO(text)) if text else [list(COLUMNS)]
    if tuple(header) != COLUMNS:
        raise CheckpointError(f"{path}: expected the columns {', '.join(COLUMNS)}; got others")
    for number, row in enumerate(rows, start=2):
        try:
            cells = zip(COLUMNS, row, strict=True)
            yield HistoryLine.model_validate({name: cell or None for name, cell in cells})
        except ValidationError as error:
            raise CheckpointError(f"{path}: line {number}: {defect(error)}") from None
        except ValueError:
            wanted = f"expected {len(COLUMNS)} cells; got {len(row)}"
            raise CheckpointError(f"{path}: line {number}: {wanted}") from None


class HistoryFile:
    """The history of a training that goes on, as a context manager.

    Lines of steps that are done again, because the process was killed before their state was
    stored, are removed first.

    Args:
        directory: of the run.
        steps: of the training in all.
        place: where it goes on, `Trainer.place`.

    Raises:
        OutputError: the file system refuses.
    """

    def __init__(self, directory: Path, steps: int, place: tuple[int, int]) -> None:
        self._path = directory / HISTORY
        self._interval = -(-max(steps, 1) // MOST_LINES)
        self._steps, self._place = steps, place

    def __enter__(self) -> Self:
        """Open the file where the training goes on."""
        with self._refusals():
            self._file: BinaryIO = self._path.open("r+b" if self._path.exists() else "w+b")
            try:
                self._file.truncate(self._end(self._file.read()))
                self._file.seek(0, io.SEEK_END)
                if not self._file.tell():
                    self._write(COLUMNS)
            except BaseException:
                self._file.close()
                raise
        return self

    def _end(self, content: bytes) -> int:
        """Bytes of the lines up to the place where the training goes on."""
        end = 0
        for number, line in enumerate(content.splitlines(keepends=True)):
            if not line.endswith(b"\n") or (number and not self._is_before(line)):
                break
            end += len(line)
        return end

    def _is_before(self, line: bytes) -> bool:
        try:
            rollbacks, step = map(int, line.split(b",")[:2])
        except ValueError:
            return False
        return (rollbacks, step) <= self._place

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(self, progress: StepProgress) -> None:
        """Add the line of a step, if it is one of those that have one."""
        if progress.step % self._interval and not progress.rolled_back:
            return
        with self._refusals():
            self._write(HistoryLine.of(progress).cells)

    def _write(self, cells: Sequence[str]) -> None:
        self._file.write((",".join(cells) + "\n").encode())
        self._file.flush()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from error
