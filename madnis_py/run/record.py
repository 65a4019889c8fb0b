"""The record of a run: everything that run.json holds, typed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from madnis_py.card.card import Card
from madnis_py.card.choices import DEVICE_NAME, Method
from madnis_py.card.documents import defect, fingerprint, parse_document
from madnis_py.errors import CardError, GenerationError
from madnis_py.events.unweighting_quality import TruncatedQuality
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.physics.pdf.grid_limits import ShareOutside
from madnis_py.physics.phase_space.priors import ChosenPrior
from madnis_py.run.stages.integration import Integration
from madnis_py.run.stages.order_results import OrderResult
from madnis_py.run.stages.record_part import NonNegative, RecordPart
from madnis_py.run.stages.results import (
    ChannelResult,
    Result,
    TrainingResult,
    UnweightingRecord,
)
from madnis_py.run.stages.run_warnings import RunWarning

StageName = Literal["prior", "survey", "pilot", "train", "integrate", "generate", "histograms"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


OF_THE_PACKAGE = ("version", "random_numbers")
"""Keys of an identity that say which package began a run, not which run it is."""


class RunIdentity(RecordPart):
    """What has to be the same to go on with a run."""

    card: Digest = Field(description="SHA-256 of the card, 64 hexadecimal digits.")
    seed: int = Field(ge=0, description="Seed of all random numbers.")
    method: Method = Field(description="How points are sampled: one sampler, or the cheaper one.")
    device: str = Field(
        pattern=f"^({DEVICE_NAME})$",
        description="Where it computes: cpu, cuda, cuda:1, ... or emulated.",
    )
    training: TrainingSettings = Field(description="Settings of the training.")
    version: str = Field(description="Version of the package that began the run.")
    random_numbers: str = Field(
        "mt19937", description="What makes the random numbers; earlier builds did not say it."
    )

    @property
    def digest(self) -> str:
        """What the states of a run belong to, 64 hexadecimal digits.

        That is everything but what `--any-version` lets differ.
        """
        content = self.model_dump_json(exclude=set(OF_THE_PACKAGE))
        return hashlib.sha256(content.encode()).hexdigest()


class StageRecord(RecordPart):
    """What a stage took."""

    seconds: NonNegative = Field(description="Wall time in seconds.")
    evaluations: int = Field(ge=0, description="Evaluations of the integrand.")


class PriorRecord(RecordPart):
    """The channel weights before the training."""

    chosen: ChosenPrior = Field(description="Name of the prior.")
    relative_std: dict[ChosenPrior, NonNegative | None] = Field(
        description="sum_i sigma_i / sigma of each prior in a short survey; null for infinity."
    )


class EventFileRecord(RecordPart):
    """A file of events, asked for or made."""

    file: str = Field(description="Path, relative to the directory of the run if it lies inside.")
    events: int = Field(ge=1, description="Number of events.")
    seed: int = Field(ge=0, description="Seed of its random numbers.")
    sampler: SamplerName | None = Field(None, description="Sampler that drew its points.")
    integration: Digest | None = Field(
        None, description="Digest of the result that its events are made with."
    )
    size: int | None = Field(None, ge=0, description="Size in bytes, once the file is made.")
    sha256: Digest | None = Field(None, description="Digest of its bytes.")
    unweighting: UnweightingRecord | None = Field(None, description="How good its events are.")
    warnings: tuple[RunWarning, ...] = Field(
        (), description="Warnings from while the events were made."
    )

    def made(
        self, path: Path, unweighting: UnweightingRecord, warnings: Sequence[RunWarning]
    ) -> Self:
        """This file as it was made.

        Args:
            path: where it is.
            unweighting: figures of its events.
            warnings: of the stage that made them.
        """
        size, sha256 = fingerprint(path)
        figures = {"size": size, "sha256": sha256, "unweighting": unweighting}
        return self.model_copy(update=figures | {"warnings": tuple(warnings)})

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


class FailureRecord(RecordPart):
    """Why the last command on a run did not do what it was asked for."""

    sentence: str = Field(description="What was expected, and what came.")


class PartRecord(RecordPart):
    """One of the processes of a run of several."""

    folder: str = Field(description="Folder of its own run, in the directory of the whole.")
    definition: str = Field(description="The process, with its number.")
    number: int = Field(ge=0, description="Its number in event files; several may have one.")
    sampler: SamplerName | None = Field(None, description="Sampler that makes its events.")
    sigma_pb: float | None = Field(None, description="Its cross section in pb.")
    sigma_error_pb: NonNegative | None = Field(None, description="Standard error of it in pb.")
    points: int | None = Field(None, ge=1, description="Points of the estimate.")
    efficiency: NonNegative | None = Field(None, description="Its unweighting efficiency.")
    events: int = Field(0, ge=0, description="Its events in the file that was written last.")


def _figure(name: str) -> Any:
    """A figure of the sampler in use: the sentence is that of `Result`."""
    return Field(None, description=Result.model_fields[name].description)


class RunRecord(RecordPart):
    """The content of run.json after any stage: what is not known yet is not there."""

    identity: RunIdentity = Field(description="What has to be the same to go on with the run.")
    unit: Literal["GeV"] | None = Field(
        None, description="Of what the names call pb: GeV for the width of a decay; pb without it."
    )
    card: Card = Field(description="The process card with every default written out.")
    versions: dict[str, str] = Field(
        description="Versions of the package and of what computes, and the instruction set."
    )
    stages: dict[StageName, StageRecord] = Field(
        {}, description="What each stage took, in the order in which they were finished."
    )

    parts: tuple[PartRecord, ...] | None = Field(
        None, description="The processes, where the card lists several."
    )

    failure: FailureRecord | None = Field(
        None, description="Why the last command failed; not there if it did not."
    )
    prior: PriorRecord | None = Field(None, description="Channel weights before the training.")
    plan: Choice | None = Field(
        None, description='The choice of the method "auto" before the training.'
    )

    sampler: SamplerName | None = Field(
        None,
        description="Sampler that makes the events and has the next figures; none if refused.",
    )
    sigma_pb: float | None = _figure("sigma_pb")
    sigma_error_pb: NonNegative | None = _figure("sigma_error_pb")
    sigma_absolute_pb: NonNegative | None = _figure("sigma_absolute_pb")
    orders: tuple[OrderResult, ...] | None = _figure("orders")
    chi2_per_dof: NonNegative | None = _figure("chi2_per_dof")
    relative_std: NonNegative | None = _figure("relative_std")
    points: Annotated[int, Field(ge=1)] | None = _figure("points")
    seconds_per_point: NonNegative | None = _figure("seconds_per_point")
    unweighting: UnweightingRecord | None = _figure("unweighting")
    truncated: tuple[TruncatedQuality, ...] | None = _figure("truncated")
    channels: tuple[ChannelResult, ...] | None = _figure("channels")

    vegas: Result | None = Field(None, description="Figures of the VEGAS grids, the baseline.")
    madnis: Result | None = Field(None, description="Figures of the trained flow.")
    warnings: tuple[RunWarning, ...] = Field(
        (), description="Warnings; none when nothing was noticed."
    )
    outside_grid: tuple[ShareOutside, ...] = Field(
        (), description="What lies beyond the ends of the parton densities."
    )
    choice: Choice | None = Field(
        None, description="The sampler that is cheaper from now on, after a training."
    )
    training_sigma: TrainingResult | None = Field(
        None, description="Cross section from the training batches alone, as a check."
    )

    events: int = Field(
        0, ge=0, description="Events of the file that was written last; 0 before that."
    )
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

    def updated(self, **entries: object) -> Self:
        """This record with some entries replaced, checked again.

        Raises:
            GenerationError: a figure is not finite or cannot be.
        """
        try:
            return type(self).model_validate(self.content() | entries)
        except ValidationError as error:
            raise GenerationError(f"run.json: {defect(error)}") from None

    @property
    def preferred_sampler(self) -> SamplerName | None:
        """The sampler whose result counts where nobody asks for one; None if not known yet.

        That of the method; for "auto" the cheaper one of those that were integrated, before that
        the one that was predicted to be.
        """
        if self.identity.method != "auto":
            return self.identity.method
        decision = self.choice or self.plan
        return decision.sampler if decision else None

    def result_of(self, sampler: SamplerName) -> Result | None:
        """The figures of a sampler, if it was integrated."""
        return self.vegas if sampler == "vegas" else self.madnis

    @property
    def warning_sentences(self) -> list[str]:
        """The warnings without their stages."""
        return [warning.sentence for warning in self.warnings]

    def with_stage(self, name: StageName, stage: StageRecord) -> Self:
        """With a stage that is finished."""
        return self.updated(stages=self.stages | {name: stage})

    def with_integration(self, found: Integration, sampler: SamplerName | None = None) -> Self:
        """With the results of the integrate stage; no figures are in use where one was refused.

        Args:
            found: the results.
            sampler: to be used, if one was asked for.
        """
        compared = (
            {"choice": found.choice, "training_sigma": found.training} if found.choice else {}
        )
        known = self.updated(**compared)
        used = sampler or known.preferred_sampler
        if used is None or used in found.refusals:
            figures: dict[str, object] = dict.fromkeys(("sampler", *Result.model_fields))
        else:
            figures = {"sampler": used, **found.results[used].model_dump()}
        return known.updated(
            **{str(name): result for name, result in found.results.items()},
            **figures,
            warnings=found.warnings,
            outside_grid=found.outside,
            events=0,
        )

    def with_events(self, made: EventFileRecord) -> Self:
        """With a file of events, whose figures are those of the run unless it has a new result."""
        others = tuple(one for one in self.event_files if one.file != made.file)
        known = self.updated(events=made.events, generated=made, event_files=(*others, made))
        earlier = [one for one in self.warnings if one.stage != "generate"]
        if self.parts is not None:
            return known.updated(unweighting=made.unweighting, warnings=(*earlier, *made.warnings))
        result = self.result_of(made.sampler or "vegas")
        if result is None or made.integration != digest(result):
            return known
        figures = {"sampler": made.sampler, **result.model_dump(), "unweighting": made.unweighting}
        return known.updated(**figures, warnings=(*earlier, *made.warnings))

    def with_events_of_parts(self, made: EventFileRecord, counts: Sequence[int]) -> Self:
        """With a file of events of several processes.

        Args:
            made: the file.
            counts: its events of each process.
        """
        parts = [
            part.model_copy(update={"events": count})
            for part, count in zip(self.parts or (), counts, strict=True)
        ]
        return self.with_events(made).updated(parts=parts)

    def content(self) -> dict[str, Any]:
        """What is known, as plain JSON values."""
        known = self.model_fields_set - {name for name in _IN_USE if getattr(self, name) is None}
        return {
            name: value for name, value in self.model_dump(mode="json").items() if name in known
        }

    def event_file(self, path: str) -> EventFileRecord | None:
        """The file of that path, if it was written by this run."""
        return next((made for made in self.event_files if made.file == path), None)

    @field_validator("card", mode="before")
    @classmethod
    def _card_as_people_write_it(cls, value: Any) -> Any:
        """Read the card as from TOML, where 6500 is a number and a list of two is a pair."""
        try:
            return Card.parse(value, "run.json") if isinstance(value, dict) else value
        except CardError as error:
            raise ValueError(str(error).removeprefix("run.json: ")) from None

    @field_serializer("card")
    def _card_without_what_is_not_given(self, card: Card) -> dict[str, Any]:
        return card.content()

    @model_validator(mode="after")
    def _figures_are_those_of_a_sampler(self) -> Self:
        """The figures in use are those of the sampler, apart from the unweighting of events."""
        figures = set(Result.model_fields)
        if self.parts is not None:
            return self._figures_are_sums_of_parts()
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

    def _figures_are_sums_of_parts(self) -> Self:
        """The cross section of several processes is the sum of theirs."""
        parts = [part.sigma_pb for part in self.parts or ()]
        known = [sigma for sigma in parts if sigma is not None]
        if self.sigma_pb is None:
            return self
        if len(known) < len(parts):
            raise ValueError("parts: expected a sigma_pb in each; got none in some")
        if not math.isclose(sum(known), self.sigma_pb, rel_tol=1e-9):
            expected = f"sigma_pb: expected the sum of the parts, {sum(known):.9g}"
            raise ValueError(f"{expected}; got {self.sigma_pb:.9g}")
        return self


_IN_USE = frozenset({"sampler", "failure", *Result.model_fields})
"""Keys that are there only while a sampler is in use, none before the integrate stage or after a
refusal, or while there is a failure."""


def version_of(content: bytes) -> str | None:
    """The version of the package that began a run, from a run.json that may not be readable."""
    try:
        version = json.loads(content)["identity"]["version"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) else None


def digest(result: Result) -> str:
    """SHA-256 of the figures of a sampler, 64 hexadecimal digits: what events are made with."""
    return hashlib.sha256(result.model_dump_json().encode()).hexdigest()
