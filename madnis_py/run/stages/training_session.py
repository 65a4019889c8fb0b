"""The training of a run: goes on from the last stored step and stores the last finished one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from madnis_py.card.card import Card
from madnis_py.card.documents import parse_document
from madnis_py.errors import CheckpointError
from madnis_py.integration.estimate import Measurement
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.step_progress import Callback, StepProgress
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.integration.training.training_integral import TrainingIntegral
from madnis_py.integration.training.training_state import TrainingState
from madnis_py.progress import Stopwatch
from madnis_py.run.stages.history_file import HistoryFile

CHECKPOINT_INTERVAL = 20.0
"""Least seconds of training between two stored states."""

CHECKPOINT_SHARE = 0.05
"""Share of the time that storing states may take; a buffer of points can be large."""

NAME = "training"
"""Name of the checkpoint."""


def training_settings(card: Card) -> TrainingSettings:
    """The settings of a card: its preset with what it overrides.

    Raises:
        CardError: an override has an unknown name or a value that cannot be used.
    """
    preset = TrainingSettings.preset(card.training.preset)
    try:
        return TrainingSettings.model_validate(preset.model_dump() | card.training.overrides)
    except ValidationError as error:
        first = error.errors()[0]
        raise card.error(
            f"training.{'.'.join(map(str, first['loc']))}",
            f"{first['msg']}; known settings are {', '.join(TrainingSettings.model_fields)}",
        ) from None


class _Reached(BaseModel):
    """How far a stored training is."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    step: int = Field(ge=0)
    ended: bool = Field(
        False, description="Whether the training ended there, before its last step."
    )

    @classmethod
    def parse(cls, meta: Mapping[str, Any], directory: Path) -> Self:
        """What is stored beside the tensors."""
        return parse_document(json.dumps(meta).encode(), cls, f"{directory / NAME}.json: meta")


class _Meta(_Reached):
    """Everything that is stored beside the tensors."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0)
    average: TrainingIntegral
    kept: dict[int, TrainingIntegral] = Field(
        description="The average at each step that the trainer may go back to."
    )


class TrainingSession:
    """A trainer whose state is kept in a directory.

    Args:
        trainer: at the step where to go on.
        directory: where the state goes.
        seconds: that earlier sessions worked.
        average: of the batches of earlier sessions.
        kept: the average at each step that the trainer may go back to.
    """

    def __init__(
        self,
        trainer: Trainer,
        directory: Path,
        seconds: float = 0.0,
        average: TrainingIntegral | None = None,
        kept: Mapping[int, TrainingIntegral] | None = None,
    ) -> None:
        self.trainer = trainer
        self.directory = directory
        self.seconds = seconds
        self.average = average or TrainingIntegral()
        self._kept = dict(kept or dict.fromkeys(trainer.kept_steps, self.average))

    @classmethod
    def resume(
        cls,
        sampler: ImportanceSampler,
        settings: TrainingSettings,
        directory: Path,
        survey: Measurement | None = None,
    ) -> Self:
        """At the last stored step, or at the beginning.

        Args:
            sampler: to be trained.
            settings: of the training.
            directory: where the state goes.
            survey: what is known of the integral beforehand.

        Raises:
            CheckpointError: what is stored is damaged or belongs to another model.
        """
        if not cls.exists(directory):
            return cls(Trainer(sampler, settings, survey=survey), directory)
        tensors, content = checkpoint.load(directory, NAME)
        # Whether others than before will do has been asked of the identity of the run.
        stored = TrainingState(_Reached.parse(content, directory).step, tensors)
        state = stored.with_random_numbers_of_this_build()
        trainer, meta = (
            Trainer(sampler, settings, state, survey),
            _Meta.parse(content, directory),
        )
        missing = trainer.kept_steps - meta.kept.keys()
        if missing and not trainer.finished:
            where = f"{directory / NAME}.json: meta: kept"
            raise CheckpointError(f"{where}: expected the average at step {min(missing)}; got none")
        return cls(trainer, directory, meta.seconds, meta.average, meta.kept)

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether a directory holds the state of a training."""
        return checkpoint.exists(directory, NAME)

    @staticmethod
    def is_finished(directory: Path, settings: TrainingSettings) -> bool:
        """Whether a directory holds the state of a training with nothing left to do.

        Raises:
            CheckpointError: what is stored is damaged.
        """
        if not checkpoint.exists(directory, NAME):
            return False
        reached = _Reached.parse(checkpoint.meta(directory, NAME), directory)
        return reached.ended or reached.step >= settings.steps

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.trainer.finished

    def run(self, callback: Callback) -> None:
        """Do the steps that are left; whatever happens, the last finished one is stored."""
        clock = Stopwatch(self.seconds)
        interval = CHECKPOINT_INTERVAL

        def follow(progress: StepProgress) -> None:
            nonlocal interval
            if progress.rolled_back:  # the batches of steps that were given up leave the average
                self.average = self._kept[progress.step]
            else:
                self.average = self.average.updated(progress)
            known = self._kept | {progress.step: self.average}
            self._kept = {step: known[step] for step in self.trainer.kept_steps}
            callback(progress)
            if clock.lap() > interval:
                clock.restart_lap()
                self._save(clock.total)
                interval = max(CHECKPOINT_INTERVAL, clock.lap() / CHECKPOINT_SHARE)
                clock.restart_lap()

        with HistoryFile(
            self.directory, self.trainer.settings.steps, self.trainer.place
        ) as history:

            def follow_and_note(progress: StepProgress) -> None:
                history.add(progress)
                follow(progress)

            try:
                self.trainer.run(follow_and_note)
            finally:
                self._save(clock.total)

    def _save(self, seconds: float) -> None:
        self.seconds = seconds
        state = self.trainer.state
        meta = {
            "step": state.step,
            "ended": self.trainer.ended,
            "seconds": seconds,
            "average": self.average.to_dict(),
        }
        meta["kept"] = {
            str(step): average.to_dict() for step, average in sorted(self._kept.items())
        }
        checkpoint.save(self.directory, NAME, state.tensors, meta)
