"""Settings of a flow of coupling blocks, with the words that cards and scripts use."""

from __future__ import annotations

from typing import Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from madnis_py.flows.networks import NetworkSize
from madnis_py.flows.permutations import SOFT, Permutation
from madnis_py.flows.splines import MAX_BINS
from madnis_py.flows.transforms import AffineTransforms, SplineTransforms, TransformFamily


class FlowSettings(BaseModel):
    """Settings of a `SplineFlow`; defaults of the benchmarks of the MadNIS thesis, Tab. A.6."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: int = Field(10, ge=2, le=MAX_BINS, description="Bins of each rational-quadratic spline.")
    layers: int = Field(
        3, ge=1, description="Linear layers of the subnetworks, the output layer included."
    )
    units: int = Field(32, ge=1, description="Width of the hidden layers of the subnetworks.")
    blocks: int | None = Field(
        None, ge=2, description="Coupling blocks; 2 ceil(log2 dim), at least 2, when not given."
    )
    transform: Literal["spline", "affine"] = Field(
        "spline", description="What a block does to a feature."
    )
    periodic: tuple[int, ...] = Field(
        (), description="Features that are angles, their interval a circle; splines only."
    )
    permutation: Permutation = Field(
        "log",
        description="How the features alternate: log, exchange or random; soft or trainable "
        "rotations, affine only.",
    )
    dtype: Literal["float32", "float64"] = Field(
        "float32", description="Number type of the subnetworks."
    )
    seed: int = Field(
        0, ge=0, description="Seed of the initial parameters and of random permutations."
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.permutation in SOFT and self.transform != "affine":
            raise ValueError(
                f"permutation '{self.permutation}' rotates normally distributed features; "
                "needs transform 'affine'"
            )
        if self.periodic and self.transform != "spline":
            raise ValueError(f"periodic features need transform 'spline'; got '{self.transform}'")
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """Number type of the subnetworks."""
        return torch.float32 if self.dtype == "float32" else torch.float64

    @property
    def network_size(self) -> NetworkSize:
        """Depth, width and number type of the subnetworks."""
        return NetworkSize(self.layers, self.units, self.torch_dtype)

    @property
    def transforms(self) -> TransformFamily:
        """What the blocks do to features."""
        if self.transform == "affine":
            return AffineTransforms()
        return SplineTransforms(self.bins, frozenset(self.periodic))
