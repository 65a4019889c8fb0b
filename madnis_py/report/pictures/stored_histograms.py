"""Histograms of a run as `madnis-py histograms` has left them: histograms/histograms.json."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from madnis_py.card.documents import parse_document, read_file
from madnis_py.run.stages.record_part import Edges

Numbers = tuple[float, ...]


class _Stored(BaseModel):
    """A part of the file; other keys of it are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class StoredBand(_Stored):
    """A band of variations of the events, in pb per bin."""

    low: Numbers
    high: Numbers


class StoredContents(_Stored):
    """Contents of a histogram with their errors, in pb per bin."""

    values: Numbers
    errors: Numbers
    bands: dict[str, StoredBand] = Field(default_factory=dict)


class StoredComparison(_Stored):
    """Agreement of weighted points and events."""

    chi2: float
    dof: int
    p_value: float


class StoredHistogram(_Stored):
    """An observable in weighted points, in events, or in both."""

    observable: str
    label: str = ""
    unit: str
    edges: Edges
    weighted: StoredContents | None = None
    events: StoredContents | None = None
    comparison: StoredComparison | None = None

    @model_validator(mode="after")
    def _has_a_number_per_bin(self) -> Self:
        bins = len(self.edges) - 1
        for one in (self.weighted, self.events):
            for band in one.bands.values() if one else ():
                if {len(band.low), len(band.high)} != {bins}:
                    raise ValueError(f"bands: expected {bins} numbers; got others")
            if one and {len(one.values), len(one.errors)} != {bins}:
                raise ValueError(f"values: expected {bins} numbers; got others")
        return self


class StoredHistograms(_Stored):
    """The content of the file."""

    points: int
    events_file: str | None
    histograms: tuple[StoredHistogram, ...]

    @classmethod
    def read(cls, directory: Path) -> Self | None:
        """Those of a run; None where none were made.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = directory / "histograms" / "histograms.json"
        return parse_document(read_file(path), cls, str(path)) if path.exists() else None
