"""The record of a scan: its points with their figures, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from madnis_py.card.documents import parse_document, read_file
from madnis_py.card.values import ScannedValue
from madnis_py.output_file import write_file
from madnis_py.run.record import RunRecord
from madnis_py.run.samples.any_run import SCAN
from madnis_py.run.stages.record_part import NonNegative, RecordPart


class ScanRow(RecordPart):
    """A point of a scan that is done."""

    folder: str = Field(description="Its run, in the directory of the scan.")
    values: dict[str, ScannedValue] = Field(description="Key of the card -> value.")
    sigma_pb: float = Field(description="Cross section in pb.")
    sigma_error_pb: NonNegative = Field(description="Its standard error in pb.")
    efficiency: NonNegative = Field(description="Unweighting efficiency.")
    events: int = Field(ge=0, description="Events of the file that was written last.")

    @classmethod
    def of(cls, folder: str, values: Mapping[str, ScannedValue], record: RunRecord) -> Self:
        """The row of a run whose cross section is known."""
        assert record.sigma_pb is not None
        assert record.sigma_error_pb is not None
        assert record.unweighting is not None
        return cls(
            folder=folder,
            values=dict(values),
            sigma_pb=record.sigma_pb,
            sigma_error_pb=record.sigma_error_pb,
            efficiency=record.unweighting.efficiency,
            events=record.events,
        )


class ScanRecord(RecordPart):
    """All points of a scan that are done."""

    points: int = Field(ge=1, description="How many there will be.")
    unit: Literal["GeV"] | None = Field(
        None, description="Of what the names call pb: GeV for the width of a decay; pb without it."
    )
    rows: tuple[ScanRow, ...] = Field((), description="Those that are done, in their order.")

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The record in a directory.

        Raises:
            CheckpointError: there is none, or something in it cannot be.
        """
        path = directory / SCAN
        return parse_document(read_file(path), cls, str(path))

    def write(self, directory: Path) -> None:
        """Write scan.json, and scan.csv with a line for each point.

        Raises:
            OutputError: the file system refuses.
        """
        content = json.dumps(self.model_dump(mode="json"), indent=2) + "\n"
        write_file(directory / SCAN, content.encode())
        write_file(directory / "scan.csv", self.csv().encode())

    def csv(self) -> str:
        """A line for each point: values, cross section, error, efficiency, events, folder."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        figures = ("sigma_pb", "sigma_error_pb", "efficiency", "events", "folder")
        names = figures if self.unit is None else ("width_gev", "width_error_gev", *figures[2:])
        writer.writerow([*(self.rows[0].values if self.rows else ()), *names])
        for row in self.rows:
            values = (
                " ".join(map(str, one)) if isinstance(one, tuple) else one
                for one in row.values.values()
            )
            writer.writerow([*values, *(getattr(row, name) for name in figures)])
        return text.getvalue()
