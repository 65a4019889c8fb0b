"""Context of a run: what all of its stages work with, and how each of them is done once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from madnis_py.devices.device import Device
from madnis_py.integration.step_progress import StepProgress
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress, Stopwatch, Watch
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import RunIdentity, RunRecord, StageName, StageRecord

T = TypeVar("T")


def unchanged(record: RunRecord) -> RunRecord:
    """A stage that leaves no figures in run.json."""
    return record


@dataclass
class RunContext:
    """What all stages of a run work with.

    Attributes:
        process: what is computed.
        directory: where everything goes.
        identity: seed, method, device and settings.
        executor: runs blocks of points; this thread if None.
        device: where points are made and events accepted; None for the CPU.
        watch: called with the progress of each stage.
    """

    process: Process
    directory: RunDirectory
    identity: RunIdentity
    executor: Executor | None
    device: Device | None
    watch: Watch

    @property
    def record(self) -> RunRecord:
        """The content of run.json."""
        return self.directory.record

    def once(self, stored: Callable[[], T | None], make: Callable[[], T]) -> T:
        """The result of a stage: stored, or made now while no other process works on the run.

        Args:
            stored: reads the result; None if there is none.
            make: makes and stores it.

        Raises:
            LockedError: another process works on the run.
        """
        found = stored()
        if found is None:
            with self.directory.working():
                found = stored()  # another process may have just finished it
                if found is None:
                    found = make()
        return found

    def finish(
        self,
        name: StageName,
        clock: Stopwatch,
        evaluations: int = 0,
        change: Callable[[RunRecord], RunRecord] = unchanged,
    ) -> None:
        """Write to run.json, in one step, what a stage took and what it found.

        Args:
            name: of the stage.
            clock: started with it.
            evaluations: of the integrand.
            change: adds what was found.
        """
        stage = StageRecord(seconds=round(clock.total, 3), evaluations=evaluations)
        self.directory.change(lambda record: change(record).with_stage(name, stage))

    def watcher(self, stage: StageName, unit: str) -> Callable[[StepProgress], None]:
        """Passes the progress of a sampler or a training on to the watcher of the run.

        Args:
            stage: of the run.
            unit: what is counted.
        """

        def watch(progress: StepProgress) -> None:
            self.watch(
                StageProgress(
                    stage,
                    progress.step,
                    progress.total,
                    unit,
                    rate=progress.points_per_second,
                    sigma=progress.value,
                    relative_std=progress.relative_std,
                    efficiency=progress.efficiency,
                )
            )

        return watch
