"""Distributions of the first events of a file, in the bins of the diagnostics of its run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from pydantic import Field

from madnis_py.card.documents import parse_document, read_file
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.events.files.normalization import in_pb
from madnis_py.events.histograms.histogram import Binning
from madnis_py.events.histograms.histogram_filling import histograms_of_events
from madnis_py.output_file import write_file
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.observable import Observable
from madnis_py.run.diagnostics.diagnostics import Diagnostics
from madnis_py.run.diagnostics.rounding import rounded
from madnis_py.run.stages.record_part import RecordPart

EVENT_DISTRIBUTIONS = "event_distributions.json"
"""Name of the file."""

_MOST_EVENTS = 20_000
"""Events of a file that are looked at."""

_FEWEST_EVENTS = 100
"""Events below which there is nothing to see."""


class EventContents(RecordPart):
    """An observable in events; pb per bin."""

    values: tuple[float, ...] = Field(description="Cross section of each bin.")
    errors: tuple[float, ...] = Field(description="Their standard errors.")


class EventDistributions(RecordPart):
    """Distributions of the events of a file, for the report."""

    sha256: str = Field(description="Digest of the file.")
    events: int = Field(ge=1, description="Events that were looked at, the first of the file.")
    observables: dict[str, EventContents] = Field(description="Observable -> contents.")

    @classmethod
    def of(cls, path: Path, sha256: str, kept: Diagnostics, model: Model) -> EventDistributions:
        """Those of a file.

        Args:
            path: of the file.
            sha256: its digest.
            kept: with the observables and their bins.
            model: of the process.
        """
        bins = [
            Binning(Observable.parse(one.observable, model), np.array(one.edges))
            for one in kept.distributions
        ]
        events = list(_first(in_pb(open_events(path)), _MOST_EVENTS))
        found = histograms_of_events(events, bins)
        return cls(
            sha256=sha256,
            events=sum(map(len, events)),
            observables={
                one.observable: EventContents(
                    values=rounded(histogram.values), errors=rounded(histogram.errors)
                )
                for one, histogram in zip(kept.distributions, found, strict=True)
            },
        )

    @classmethod
    def read(cls, directory: Path) -> EventDistributions | None:
        """Those of a run; None where none were kept.

        Raises:
            CheckpointError: the file is damaged.
        """
        path = directory / EVENT_DISTRIBUTIONS
        return parse_document(read_file(path), cls, str(path)) if path.exists() else None

    def write(self, directory: Path) -> None:
        """Write the file.

        Raises:
            OutputError: the file system refuses.
        """
        content = json.dumps(self.model_dump(mode="json"), separators=(",", ":")) + "\n"
        write_file(directory / EVENT_DISTRIBUTIONS, content.encode())


def keep_event_distributions(
    directory: Path, path: Path, sha256: str, events: int, model: Model
) -> None:
    """Keep the distributions of a file of events in the directory of its run.

    Nothing is kept where the diagnostics of the run are damaged, which its report will say, or
    where all events are copies of one: the events have been made, and are right.

    Args:
        directory: of the run.
        path: of the file.
        sha256: its digest.
        events: of the file; of few ones nothing is kept.
        model: of the process.

    Raises:
        OutputError: the file system refuses.
    """
    if events < _FEWEST_EVENTS:
        return
    with suppress(InputError):
        kept = Diagnostics.read(directory)
        if kept is not None and kept.distributions:
            EventDistributions.of(path, sha256, kept, model).write(directory)


def _first(batches: Iterable[EventBatch], number: int) -> Iterator[EventBatch]:
    """The first events, so many at most."""
    for batch in batches:
        yield batch.select(np.arange(min(len(batch), number)))
        number -= len(batch)
        if number <= 0:
            return
