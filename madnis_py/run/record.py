"""The record of a run: everything that run.json holds, typed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from madnis_py.card.documents import defect, fingerprint, parse_document
from madnis_py.errors import GenerationError
from madnis_py.events.unweighting_quality import TruncatedQuality
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.physics.pdf.grid_limits import Outside
from madnis_py.physics.phase_space.priors import ChosenPrior
from madnis_py.run.stages.results import ChannelResult, Result, TrainingResult

Method = Literal["madnis", "vegas", "auto"]
Device = Literal["cpu", "cuda"]

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
NonNegative = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    """A part of run.json: all keys known, all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunIdentity(_Part):
    """What has to be the same to go on with a run."""

    card: Digest = Field(description="Digest of the card.")
    seed: int = Field(ge=0, description="Of all random numbers.")
    method: Method = Field(description="How points are sampled.")
    device: Device = Field(description="Where networks compute.")
    training: TrainingSettings = Field(description="Settings of the training.")
    version: str = Field(description="Of the package.")

    @property
    def digest(self) -> str:
        """Of all but the version, 64 hexadecimal digits: what the states of a run belong to."""
        return hashlib.sha256(self.model_dump_json(exclude={"version"}).encode()).hexdigest()


class StageRecord(_Part):
    """What a stage took."""

    seconds: NonNegative = Field(description="Wall time.")
    evaluations: int = Field(ge=0, description="Of the integrand.")


class PriorRecord(_Part):
    """The channel weights before the training."""

    chosen: ChosenPrior = Field(description="Name of the prior.")
    relative_std: dict[ChosenPrior, NonNegative | None] = Field(
        description="sum_i sigma_i / sigma of each prior in a short survey; null for infinity."
    )


class UnweightingRecord(_Part):
    """What unweighting costs and how good its events are; after `generate` that of the generation."""

    efficiency: float = Field(gt=0, description="sigma / sum_i M_i.")
    efficiency_bootstrap: NonNegative = Field(description="The same with the maxima of Eq. (2.67).")
    overweight_share: NonNegative = Field(
        description="Share of the cross section above the maxima."
    )
    n_eff: NonNegative = Field(description="Kish's effective number of events.")
    negative_share: float = Field(
        ge=0, le=1, description="Share of the events with a negative weight."
    )
    cut_acceptance: float = Field(
        ge=0, le=1, description="Share of the trials with a weight other than 0."
    )
    maximum_factor: float = Field(1.0, ge=1, description="By which the maxima grew.")


class EventFileRecord(_Part):
    """A file of events, wanted or made."""

    file: str = Field(description="Its path, seen from the directory of the run if it lies inside.")
    events: int = Field(ge=1, description="How many it has.")
    seed: int = Field(ge=0, description="Of its random numbers.")
    sampler: SamplerName | None = Field(None, description="Who drew its points.")
    integration: Digest | None = Field(
        None, description="Digest of the result that its events are made with."
    )
    size: int | None = Field(None, ge=0, description="Bytes, once it is made.")
    sha256: Digest | None = Field(None, description="Digest of its bytes.")
    unweighting: UnweightingRecord | None = Field(None, description="How good its events are.")
    warnings: tuple[str, ...] = Field((), description="What was noticed while they were made.")

    def made(self, path: Path, unweighting: Mapping[str, float], warnings: Sequence[str]) -> Self:
        """This file as it was made.

        Args:
            path: where it is.
            unweighting: figures of its events.
            warnings: what was noticed.
        """
        size, sha256 = fingerprint(path)
        figures = {
            "size": size,
            "sha256": sha256,
            "unweighting": unweighting,
            "warnings": tuple(warnings),
        }
        return type(self).model_validate(self.model_dump() | figures)

    def is_at(self, path: Path) -> bool:
        """Whether the bytes that were made are there."""
        return (
            path.is_file()
            and path.stat().st_size == self.size
            and fingerprint(path) == (self.size, self.sha256)
        )

    def is_same(self, other: EventFileRecord) -> bool:
        """Whether the events are the same."""
        names = ("file", "events", "seed", "sampler", "integration")
        return all(getattr(self, name) == getattr(other, name) for name in names)


class RunRecord(_Part):
    """The content of run.json after any stage: what is not known yet is not there."""

    identity: RunIdentity
    card: dict[str, Any]
    versions: dict[str, str]
    stages: dict[str, StageRecord] = Field(
        {}, description="By name, in the order in which they were finished."
    )

    prior: PriorRecord | None = None
    plan: Choice | None = Field(
        None, description='The choice of the method "auto" before the training.'
    )

    sampler: SamplerName | None = Field(
        None,
        description="Who makes the events, to whom the next figures belong; none that the survey excludes.",
    )
    sigma_pb: float | None = None
    sigma_error_pb: NonNegative | None = None
    sigma_absolute_pb: NonNegative | None = None
    chi2_per_dof: NonNegative | None = None
    relative_std: NonNegative | None = None
    points: int | None = Field(None, ge=1)
    seconds_per_point: NonNegative | None = None
    unweighting: UnweightingRecord | None = None
    truncated: tuple[TruncatedQuality, ...] | None = None
    channels: tuple[ChannelResult, ...] | None = None

    vegas: Result | None = None
    madnis: Result | None = None
    warnings: tuple[str, ...] = ()
    outside_grid: tuple[Outside, ...] = Field(
        (), description="What lies beyond the ends of the parton densities."
    )
    choice: Choice | None = None
    training_sigma: TrainingResult | None = None

    events: int = Field(0, ge=0, description="Of the file that was written last; 0 before that.")
    generated: EventFileRecord | None = Field(None, description="The file that was written last.")
    event_files: tuple[EventFileRecord, ...] = Field(
        (), description="All files that were written, the last one last."
    )

    @classmethod
    def parse(cls, content: bytes, where: str) -> Self:
        """Read the text of a run.json.

        Raises:
            CheckpointError: something in it cannot be; names the place.
        """
        return parse_document(content, cls, where)

    def updated(self, **entries: Any) -> Self:
        """This record with some entries replaced, checked again.

        Raises:
            GenerationError: a figure is not finite or cannot be.
        """
        try:
            return type(self).model_validate(self.content() | entries)
        except ValidationError as error:
            raise GenerationError(f"run.json: {defect(error)}") from None

    def with_stage(self, name: str, stage: StageRecord) -> Self:
        """With a stage that is finished."""
        return self.updated(stages=self.stages | {name: stage})

    def with_events(self, made: EventFileRecord) -> Self:
        """With a file of events; its sampler and its figures are those of the run, unless that has a new result."""
        others = [one for one in self.event_files if one.file != made.file]
        entries: dict[str, Any] = {
            "events": made.events,
            "generated": made,
            "event_files": [*others, made],
        }
        result = self.madnis if made.sampler == "madnis" else self.vegas
        if result is not None and made.integration == digest(result):
            earlier = [
                sentence for sentence in self.warnings if not sentence.startswith("generate")
            ]
            entries |= result.model_dump() | {
                "sampler": made.sampler,
                "unweighting": made.unweighting,
            }
            entries["warnings"] = [*earlier, *made.warnings]
        return self.updated(**entries)

    def content(self) -> dict[str, Any]:
        """What is known, as plain JSON values."""
        known = self.model_fields_set - {name for name in _IN_USE if getattr(self, name) is None}
        return {
            name: value for name, value in self.model_dump(mode="json").items() if name in known
        }

    def event_file(self, path: str) -> EventFileRecord | None:
        """The file of that path, if it was written by this run."""
        return next((made for made in self.event_files if made.file == path), None)

    @model_validator(mode="after")
    def _definition_is_text(self) -> Self:
        process = self.card.get("process")
        if not isinstance(process, dict) or not isinstance(process.get("definition"), str):
            raise ValueError("card: expected the definition of a process")
        return self

    @model_validator(mode="after")
    def _figures_are_those_of_a_sampler(self) -> Self:
        """The figures of the run are a copy; only the unweighting goes on after the integrate stage."""
        figures = set(Result.model_fields)
        if self.sampler is None:
            if any(getattr(self, name) is not None for name in figures):
                raise ValueError("sampler: expected a value; got none")
            return self
        for name in dict.fromkeys(("vegas", self.sampler)):
            if getattr(self, name) is None:
                raise ValueError(f"{name}: expected a value; got none")
        if self.unweighting is None:
            raise ValueError("unweighting: expected a value; got none")
        for figure in sorted(figures - {"unweighting"}):
            if getattr(self, figure) != getattr(getattr(self, self.sampler), figure):
                raise ValueError(
                    f"{figure}: expected the same as in {self.sampler}; got another value"
                )
        return self


_IN_USE = frozenset({"sampler", *Result.model_fields})
"""What is there only while a sampler is in use: before the integrate stage, and after a refusal,
there is none."""


def digest(result: Result) -> str:
    """Of the figures of a sampler, 64 hexadecimal digits: what events are made with."""
    return hashlib.sha256(result.model_dump_json().encode()).hexdigest()
