"""Record of a process that works on a run: its stage, how far that is, and what it knows."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field

from madnis_py.progress import StageProgress
from madnis_py.run.stages.record_part import NonNegative, RecordPart


class WorkerRecord(RecordPart):
    """A process that works on a run; its stage is empty until the first one has progress."""

    pid: int = Field(description="Number of the process.")
    host: str = Field(description="Its machine.")
    updated: float = Field(description="When this was written, in seconds since 1970.")
    part: str = Field("", description="Process or point that the stage is of, among others.")
    stage: str = Field("", description="Stage of the run.")
    done: int = Field(0, ge=0, description="How much of the stage is done.")
    total: int = Field(0, ge=0, description="How much there is to do.")
    unit: str = Field("", description="What is counted.")
    seconds: NonNegative = Field(0.0, description="Since the first progress of the stage.")
    seconds_left: NonNegative | None = Field(None, description="That the stage will take.")
    rate: NonNegative | None = Field(None, description="Speed in `rate_unit`.")
    rate_unit: str = Field("", description="Unit of the speed.")
    sigma: float | None = Field(None, description="Cross section so far in pb, or width in GeV.")
    relative_std: NonNegative | None = Field(None, description="sum_i sigma_i / sigma so far.")
    efficiency: NonNegative | None = Field(None, description="Unweighting efficiency so far.")
    of_decay: bool = Field(False, description="Whether a width is computed.")
    outlook: str = Field("", description="How long the next stages will take, in words.")

    def at(self, progress: StageProgress, updated: float, seconds: float, done: int) -> Self:
        """The same process with the progress of a stage.

        Args:
            progress: of the stage.
            updated: the time, in seconds since 1970.
            seconds: since the first progress of the stage.
            done: as much as was done in them.
        """
        left = (progress.total - progress.done) * seconds / done if done > 0 else None
        figures = {
            name: value if value is not None and math.isfinite(value) and value >= least else None
            for name, value, least in (
                ("seconds_left", left, 0.0),
                ("rate", progress.rate, 0.0),
                ("sigma", progress.sigma, -math.inf),
                ("relative_std", progress.relative_std, 0.0),
                ("efficiency", progress.efficiency, 0.0),
            )
        }
        counts = {"done": max(progress.done, 0), "total": max(progress.total, 0)}
        names = ("part", "stage", "unit", "rate_unit", "of_decay")
        same = {name: getattr(progress, name) for name in names}
        times = {"updated": updated, "seconds": seconds}
        return self.model_copy(update=counts | same | times | figures)

    def expecting(self, progress: StageProgress) -> Self:
        """The same process after words about the stages to come, which count nothing."""
        return self.model_copy(update={"outlook": progress.note})

    @property
    def share(self) -> float | None:
        """How much of the stage is done, from 0 to 1; None where that is not known."""
        return min(self.done / self.total, 1.0) if self.total else None
