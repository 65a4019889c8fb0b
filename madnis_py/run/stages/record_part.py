"""Base of everything that run.json holds: typed, frozen, all keys known, all numbers finite."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

NonNegative = Annotated[float, Field(ge=0)]


class RecordPart(BaseModel):
    """A part of run.json: all keys known, all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
