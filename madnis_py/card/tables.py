"""Tables of a process card: channels, training, events, variations, scans, workers, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from madnis_py.card.choices import Preset, PriorName
from madnis_py.card.sentences import shown
from madnis_py.card.values import (
    Bins,
    Count,
    Factor,
    Flag,
    NonNegative,
    Positive,
    Range,
    ScaleFactors,
    ScannedValue,
    ScannedValues,
    Setting,
    Share,
    Text,
)


class CardTable(BaseModel):
    """A table whose keys are all known, and which does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HistogramTable(CardTable):
    """One entry of [histograms]: bins of an observable; what is missing follows from the events."""

    bins: Bins | None = Field(None, description="Number of bins, all of one width.")
    range: Range | None = Field(
        None, description="Lower end of the first bin and upper end of the last one."
    )


class ChannelTable(CardTable):
    """[channels]: how the integral is split."""

    prior: PriorName = Field(
        "auto", description="Channel weights before training; auto chooses for the process."
    )
    phase_space: Literal["diagrams", "flat"] = Field(
        "diagrams",
        description="One channel per diagram, or a single one with flat phase space (RAMBO on "
        "diet).",
    )
    omit: tuple[Text, ...] = Field(
        (), description="Names of channels to leave out; the others then have to cover their peaks."
    )


class TrainingTable(BaseModel):
    """[training]: a preset, and settings that differ, by the names in `TrainingSettings`."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Setting]

    preset: Preset = Field("standard", description="Size of networks and training.")

    @property
    def overrides(self) -> dict[str, Setting]:
        """Setting name -> value, to be checked by the training."""
        return dict(self.__pydantic_extra__)


class EventTable(CardTable):
    """[events]: how weighted events become unweighted ones."""

    overweight_share: Share = Field(
        0.001,
        description="Share of the cross section that may lie in events above the maximum weight.",
    )
    overweights: Literal["keep", "copies"] = Field(
        "keep",
        description="Events above the maximum keep their weight, or come as copies of weight 1.",
    )
    maximum_raise: Factor = Field(
        2.0,
        description="Factor by which the maxima may grow during generation to keep the overweight "
        "share; 1 leaves them.",
    )
    resonance_widths: NonNegative | None = Field(
        None,
        description="Distance from its mass, in widths, within which an unstable particle is "
        "written to events; process.bwcutoff without it.",
    )
    lifetimes: NonNegative | None = Field(
        None,
        description="Least c tau in mm that unstable particles have in events, drawn from their "
        "widths; without it all decay at once.",
    )
    bias: Text | None = Field(
        None,
        description='How many times as often events are made, "pt(jet[1])**2"; their weights undo '
        "it.",
    )
    order_weights: tuple[Text, ...] | None = Field(
        None,
        description='Coupling orders, ["NP"]: events have a weight for every power in |M|^2, '
        "NP^2==0, 1, ...",
    )


class SystematicsTable(CardTable):
    """[systematics]: weights that every event carries beside its own."""

    scale_factors: ScaleFactors = Field(
        (0.5, 1.0, 2.0),
        description="Factors of mu_R and mu_F, all pairs of them, or the pairs [mu_R, mu_F] "
        "themselves; none if empty.",
    )
    emission_factors: tuple[Positive, ...] | None = Field(
        None,
        description="Factors of the scales of emissions in samples for MLM; none without it.",
    )
    pdf_members: Flag = Field(True, description="Whether to use the other members of the PDF set.")
    pdf_sets: tuple[Text, ...] = Field(
        (), description='Other sets, members of them like "SET/3", or all of them: "SET/*".'
    )

    @property
    def scale_pairs(self) -> tuple[tuple[float, float], ...]:
        """Factors of (mu_R, mu_F), other than (1, 1)."""
        pairs = [one for one in self.scale_factors if isinstance(one, tuple)]
        factors = [one for one in self.scale_factors if not isinstance(one, tuple)]
        every = pairs or product(factors, factors)
        return tuple(pair for pair in every if pair != (1.0, 1.0))


SCANNED = ("parameters", "beams", "scales", "cuts")
"""Tables whose keys a scan can go through."""


class ScanTable(BaseModel):
    """[scan]: lists of values; each combination of them is a run of its own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, ScannedValues]

    combine: Literal["product", "zip"] = Field(
        "product",
        description="All combinations, the last key first, or the first values, the second ones, "
        "...",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_whole_keys(cls, data: Any) -> Any:
        """Keys may be written as tables in each other: parameters.MT is "parameters.MT"."""
        return dict(_flattened(data)) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _has_keys_that_can_be_scanned(self) -> Self:
        for key in self.lists:
            table, _, name = key.partition(".")
            if table not in SCANNED or not name:
                wanted = 'expected a key like "parameters.MT", of '
                raise ValueError(f"{wanted}{', '.join(SCANNED)}; got {shown(key)}")
        lengths = {len(values) for values in self.lists.values()}
        if self.combine == "zip" and len(lengths) > 1:
            got = ", ".join(f"{len(values)} of {key}" for key, values in self.lists.items())
            raise ValueError(f"expected lists of one length for zip; got {got}")
        return self

    @property
    def lists(self) -> dict[str, tuple[ScannedValue, ...]]:
        """Key of the card, such as "beams.energy" -> its values."""
        return dict(self.__pydantic_extra__)


def _flattened(data: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


class ClusterTable(CardTable):
    """[cluster]: workers that are started for a run; without it, threads of this machine."""

    kind: Literal["none", "local", "slurm", "htcondor"] = Field(
        "none", description="Processes of this machine, or jobs of a batch system, through dask."
    )
    workers: Count = Field(4, description="How many, with one core each.")
    memory: Text = Field("4GB", description="Memory of each job.")
    walltime: Text = Field("02:00:00", description="Time limit of each job (Slurm).")
    queue: Text | None = Field(None, description="Partition of the jobs (Slurm).")
    account: Text | None = Field(None, description="Account of the jobs (Slurm).")
    tls: bool = Field(
        True, description="Reach the workers with credentials that are made for the run."
    )
    options: dict[str, Setting] = Field(
        {}, description="Further arguments of dask's cluster class."
    )
