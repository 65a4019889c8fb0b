"""An integrator in a file: parameters as safetensors, what they belong to as JSON in its head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from madnis_py.arrays import array_digest
from madnis_py.card.documents import parse_document, read_file
from madnis_py.errors import CheckpointError
from madnis_py.flows.discrete import MixedFlow
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import (
    AbstractChannelWeights,
    ChannelWeights,
    ChannelWeightSettings,
    PriorWeights,
)
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.training.training_state import TrainingState
from madnis_py.output_file import write_file

FORMAT = "madnis_py integrator 1"
"""Key of the description in the head of a file."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredSplineFlow(_Part):
    """What a `SplineFlow` is made of."""

    kind: Literal["SplineFlow"] = "SplineFlow"
    settings: FlowSettings
    groups: tuple[int, ...] | None


class StoredMixedFlow(_Part):
    """What a `MixedFlow` is made of."""

    kind: Literal["MixedFlow"] = "MixedFlow"
    settings: FlowSettings
    categories: tuple[int, ...]


class StoredVegasFlow(_Part):
    """What a `VegasFlow` is made of: tensors alone."""

    kind: Literal["VegasFlow"] = "VegasFlow"


class StoredChannelWeights(_Part):
    """What `ChannelWeights` are made of."""

    kind: Literal["ChannelWeights"] = "ChannelWeights"
    settings: ChannelWeightSettings


class StoredPriorWeights(_Part):
    """The bare prior, made of nothing."""

    kind: Literal["PriorWeights"] = "PriorWeights"


class ForeignPart(_Part):
    """A flow or channel weights of another class; whoever loads the file brings an object of it."""

    kind: Literal["foreign"] = "foreign"
    name: str


class StoredIntegrator(_Part):
    """Everything about an integrator that is neither a tensor nor the integrand.

    Attributes:
        dim: of the integrand.
        n_channels: of the integrand.
        n_features: of the integrand.
        bounds: of an integrand that is a function.
        flow: what it is made of.
        weights: what they are made of.
        seed: of the integrator.
        calls: number of calls that have drawn points.
        steps: of training.
    """

    dim: int = Field(ge=1)
    n_channels: int = Field(ge=1)
    n_features: int = Field(ge=0)
    bounds: tuple[tuple[float, float], ...] | None
    flow: StoredSplineFlow | StoredMixedFlow | StoredVegasFlow | ForeignPart = Field(
        discriminator="kind"
    )
    weights: StoredChannelWeights | StoredPriorWeights | ForeignPart = Field(discriminator="kind")
    seed: int = Field(ge=0)
    calls: int = Field(ge=0)
    steps: int = Field(ge=0)

    @classmethod
    def of(cls, sampler: ImportanceSampler, calls: int, steps: int) -> Self:
        """The description of an integrator.

        Args:
            sampler: its sampler.
            calls: number of calls that have drawn points.
            steps: of training.
        """
        return cls(
            dim=sampler.integrand.dim,
            n_channels=sampler.integrand.n_channels,
            n_features=sampler.integrand.n_features,
            bounds=_bounds(sampler.integrand),
            flow=_flow(sampler.flow),
            weights=_weights(sampler.weights),
            seed=sampler.seed,
            calls=calls,
            steps=steps,
        )

    def require(self, integrand: AbstractIntegrand, path: str) -> None:
        """Refuse an integrand that the file was not made for.

        Raises:
            CheckpointError: it has other dimensions, channels, features or bounds.
        """
        for name in ("dim", "n_channels", "n_features"):
            expected, got = getattr(self, name), getattr(integrand, name)
            if got != expected:
                raise CheckpointError(
                    f"{path}: expected an integrand with {name} = {expected}; got {got}"
                )
        if (got := _bounds(integrand)) != self.bounds:
            raise CheckpointError(f"{path}: expected the bounds {self.bounds}; got {got}")

    def new_flow(self, tensors: Mapping[str, Tensor], path: str) -> AbstractFlow:
        """An untrained flow that the tensors fit into.

        Raises:
            CheckpointError: it is of a class that is not known here.
        """
        match self.flow:
            case StoredSplineFlow(settings=settings, groups=groups):
                return SplineFlow(self.dim, self.n_channels, settings, groups)
            case StoredMixedFlow(settings=settings, categories=categories):
                continuous = self.dim - len(categories)
                return MixedFlow(categories, continuous, self.n_channels, settings)
            case StoredVegasFlow():
                return VegasFlow.from_tensors(TrainingState(self.steps, tensors).under("flow"))
            case ForeignPart(name=name):
                raise CheckpointError(f"{path}: expected flow=, an untrained {name}; got none")

    def new_weights(self, path: str) -> AbstractChannelWeights:
        """Untrained channel weights that the tensors fit into.

        Raises:
            CheckpointError: they are of a class that is not known here.
        """
        match self.weights:
            case StoredChannelWeights(settings=settings):
                return ChannelWeights(self.n_features, self.n_channels, settings)
            case StoredPriorWeights():
                return PriorWeights()
            case ForeignPart(name=name):
                raise CheckpointError(f"{path}: expected weights=, untrained {name}; got none")

    def sigma(self, tensors: Mapping[str, Tensor], path: str) -> Tensor | None:
        """The standard deviations of the channels, float64, shape (n_channels,), if there are any.

        Raises:
            CheckpointError: they are something else.
        """
        found = tensors.get("sigma")
        if found is None:
            return None
        kind = f"{found.dtype} {tuple(found.shape)}"
        if found.dtype != torch.float64 or found.shape != (self.n_channels,):
            expected = f"torch.float64 {(self.n_channels,)}"
            raise CheckpointError(f"{path}: expected {expected} as sigma; got {kind}")
        if not (found.isfinite() & (found >= 0)).all():
            raise CheckpointError(f"{path}: expected sigma >= 0; got {found.tolist()}")
        return found

    def write(self, path: Path, tensors: Mapping[str, Tensor]) -> None:
        """Write a file; it appears when it is complete.

        Raises:
            OutputError: it cannot be written.
        """
        write_parts(path, self.model_dump_json(), tensors)

    @classmethod
    def read(cls, path: Path) -> tuple[Self, dict[str, Tensor]]:
        """Read a file that `write` wrote; nothing in it is executed.

        Raises:
            CheckpointError: it is missing, damaged or something else.
        """
        content = read_file(path)
        try:
            tensors = safetensors.torch.load(content)
            with safetensors.safe_open(path, "pt") as file:
                head = file.metadata() or {}
        except safetensors.SafetensorError as error:
            raise CheckpointError(f"{path}: expected a safetensors file; got: {error}") from None
        if FORMAT not in head:
            raise CheckpointError(f"{path}: expected a {FORMAT}; got something else")
        if head.get("sha256") != _digest(head[FORMAT], tensors):
            raise CheckpointError(f"{path}: changed, it is not what was stored")
        return parse_document(head[FORMAT].encode(), cls, str(path)), tensors


def write_parts(path: Path, description: str, tensors: Mapping[str, Tensor]) -> None:
    """Write a file with a description as JSON, tensors, and the digest of both."""
    here = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    head = {FORMAT: description, "sha256": _digest(description, here)}
    write_file(path, safetensors.torch.save(here, metadata=head))


def _flow(flow: AbstractFlow) -> StoredSplineFlow | StoredMixedFlow | StoredVegasFlow | ForeignPart:
    match flow:
        case SplineFlow():
            groups = None if flow.groups is None else tuple(flow.groups.tolist())
            return StoredSplineFlow(settings=flow.settings, groups=groups)
        case MixedFlow():
            return StoredMixedFlow(settings=flow.settings, categories=flow.chain.categories)
        case VegasFlow():
            return StoredVegasFlow()
    return ForeignPart(name=type(flow).__name__)


def _weights(
    weights: AbstractChannelWeights,
) -> StoredChannelWeights | StoredPriorWeights | ForeignPart:
    match weights:
        case ChannelWeights():
            return StoredChannelWeights(settings=weights.settings)
        case PriorWeights():
            return StoredPriorWeights()
    return ForeignPart(name=type(weights).__name__)


def _bounds(integrand: AbstractIntegrand) -> tuple[tuple[float, float], ...] | None:
    if not isinstance(integrand, FunctionIntegrand):
        return None
    box = integrand.box
    return tuple(zip(box.lower.tolist(), box.upper.tolist(), strict=True))


def _digest(description: str, tensors: Mapping[str, Tensor]) -> str:
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    return array_digest(description, arrays).tobytes().hex()
