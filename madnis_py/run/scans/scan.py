"""A scan: a run of each point, one after the other, in folders of one directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.output_file import make_directory, write_file
from madnis_py.progress import Watch, watch_of_part
from madnis_py.run.abstract_run import AbstractRun
from madnis_py.run.progress.progress_file import ProgressFile
from madnis_py.run.samples.any_run import SCAN
from madnis_py.run.scans.scan_points import ScanPoint, scan_points
from madnis_py.run.scans.scan_record import ScanRecord, ScanRow

BeginRun = Callable[[Card, Path, Watch], AbstractRun]
"""A new run of a card, or the one in its directory, with a watcher."""


@dataclass(frozen=True)
class Scan:
    """Runs of a card with each combination of the values that it lists.

    The points have one seed, so that they differ by their values more than by chance; the run of a
    point is that of its card with this seed. What is there already is read, not done again.

    Args:
        card: with lists, see `scan_points`.
        directory: where everything goes.
        begin: makes the run of a point.
        watch: called with the progress of each stage, which names its point.
    """

    card: Card
    directory: Path
    begin: BeginRun
    watch: Watch

    def execute(self, events: int, points: int | None = None) -> ScanRecord:
        """All stages of all points; the table is written after each.

        Args:
            events: of each point; 0 for cross sections alone.
            points: of the cross section of each point; by the preset of the card when not given.

        Raises:
            CardError: a list cannot be used.
            InputError: the directory holds something else.
            GenerationError: the cross section of a point cannot be had.
        """
        every = scan_points(self.card)
        if (self.directory / "run.json").exists():
            raise InputError(f"{self.directory}: expected a place for a scan; got a run")
        make_directory(self.directory)
        with ProgressFile(self.directory) as progress:
            return self._execute(every, progress.beside(self.watch), events, points)

    def _execute(
        self, every: Sequence[ScanPoint], watch_all: Watch, events: int, points: int | None
    ) -> ScanRecord:
        rows: list[ScanRow] = []
        if not (self.directory / SCAN).exists():
            unit = "GeV" if self.card.process.is_decay else None
            self._write(ScanRecord(points=len(every), unit=unit))
        for number, point in enumerate(every, start=1):
            folder = f"point_{number}"
            watch = watch_of_part(watch_all, f"{number}/{len(every)} {point}")
            run = self.begin(point.card, self.directory / folder, watch).execute(events, points)
            rows.append(ScanRow.of(folder, point.values, run.outcome))
            record = ScanRecord(points=len(every), unit=run.record.unit, rows=tuple(rows))
            self._write(record)
        return record

    def _write(self, record: ScanRecord) -> None:
        write_file(self.directory / "card.toml", self.card.to_toml().encode())
        record.write(self.directory)
