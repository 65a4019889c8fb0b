"""Base of everything that run.json holds: typed, frozen, all keys known, all numbers finite."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NonNegative = Annotated[float, Field(ge=0)]


def _ascending(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(high <= low for low, high in pairwise(values)):
        raise ValueError("expected ascending numbers; got others")
    return values


Edges = Annotated[tuple[float, ...], Field(min_length=2), AfterValidator(_ascending)]
"""Ends of bins, ascending."""


class RecordPart(BaseModel):
    """A part of run.json: all keys known, all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
