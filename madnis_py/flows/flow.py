"""Samplers of the unit cube: what every one promises, and the flow of coupling blocks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal, Self, cast

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from madnis_py.errors import InputError
from madnis_py.flows import fused, splines
from madnis_py.flows.blocks import (
    MARGIN,
    Block,
    GaussianData,
    GaussianLatent,
    GridBlock,
    SoftPermutation,
)
from madnis_py.flows.networks import StackedMLP
from madnis_py.flows.permutations import SOFT, Mask, Permutation, coupling_masks, default_blocks
from madnis_py.flows.transforms import (
    AffineTransform,
    PeriodicSplineTransform,
    SplineTransform,
    Transform,
)


class AbstractFlow(nn.Module, ABC):
    """One normalised density q_i(x) per channel i on the unit cube [0, 1]^dim.

    Channels are sorted int64 tensors of shape (n,), so that the points of a channel are contiguous.

    Attributes:
        dim: dimension of the unit cube.
        n_channels: number of channels.
    """

    dim: int
    n_channels: int

    @abstractmethod
    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, without gradients.

        Args:
            channel: sorted, int64, shape (n,).
            generator: source of randomness; the points are a function of it and of `channel` alone.

        Returns:
            x: points in [0, 1], float64, shape (n, dim).
            log_q: log density at x, float64, shape (n,).
        """

    @abstractmethod
    def log_prob(self, x: Tensor, channel: Tensor, known: Tensor | None = None) -> Tensor:
        """Log density of given points, differentiable in the parameters of the flow.

        Args:
            x: points in [0, 1], float64, shape (n, dim). Those on another device than the CPU are
                taken as they are: to look at them would mean waiting for the device.
            channel: sorted, int64, shape (n,), CPU.
            known: log densities under the present parameters, as `sample` returned them, float64,
                shape (n,). They save computing the values again where only the gradient is wanted.

        Returns:
            log q_channel(x), float64, shape (n,), where x is.
        """


class FlowSettings(BaseModel):
    """Shape of a `SplineFlow`; the defaults are those of the benchmarks of the MadNIS thesis, Tab. A.6."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: int = Field(
        10, ge=2, le=splines.MAX_BINS, description="Bins of each rational-quadratic spline."
    )
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
        description="How the features alternate: log, exchange or random; soft or trainable rotations, affine only.",
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
                f"permutation '{self.permutation}' rotates normally distributed features; needs transform 'affine'"
            )
        if self.periodic and self.transform != "spline":
            raise ValueError(f"periodic features need transform 'spline'; got '{self.transform}'")
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """Number type of the subnetworks."""
        return torch.float32 if self.dtype == "float32" else torch.float64

    def make_transform(self, mask: Mask) -> Transform:
        """The transform of a block with this mask."""
        if self.transform == "affine":
            return AffineTransform(mask)
        if self.periodic:
            return PeriodicSplineTransform(mask, self.bins, frozenset(self.periodic))
        return SplineTransform(mask, self.bins)


class CouplingBlock(Block):
    """Transforms some features by functions whose parameters depend on the channel and on the other features.

    Args:
        mask: True for the features to transform, as from `coupling_masks`.
        n_channels: number of channels.
        settings: transform, layers, units and dtype of the subnetworks.
        generator: source of the initial parameters; the output layers start at zero and the block
            as the identity.

    Attributes:
        mask: the mask given.
        transform: how features are transformed.
        subnet: the subnetworks. Their n_out outputs, seen as (3 K + 1, features), are the spline
            parameters of the transformed features in ascending order. With the last weight at zero,
            the last bias alone is the spline.
    """

    transformed: Tensor
    fixed: Tensor

    def __init__(
        self, mask: Mask, n_channels: int, settings: FlowSettings, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.mask = mask
        self.dtype = settings.torch_dtype
        self.register_buffer(
            "transformed", torch.tensor(mask).nonzero().flatten(), persistent=False
        )
        self.register_buffer(
            "fixed", torch.tensor(mask).logical_not().nonzero().flatten(), persistent=False
        )
        self.transform = settings.make_transform(mask)
        self.theta_shape = (self.transform.parameter_count, len(self.transformed))
        shape = (
            self.transform.condition_count,
            math.prod(self.theta_shape),
            settings.layers,
            settings.units,
        )
        self.subnet = StackedMLP(n_channels, *shape, generator, self.dtype, zero_output=True)
        if type(self.transform) is SplineTransform:
            features = tuple(self.transformed.tolist())
            self.shape = fused.Shape(
                len(mask), n_channels, settings.bins, self.dtype, features, self.subnet.shapes
            )

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`."""
        return self._couple(self.transform.to_latent, x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`."""
        return self._couple(self.transform.to_data, z, counts)

    def _couple(
        self, function: splines.Spline, x: Tensor, counts: list[int]
    ) -> tuple[Tensor, Tensor]:
        condition = self.transform.condition(x.index_select(0, self.fixed))
        theta = self.subnet(condition.to(self.dtype), counts)
        y, log_jac = function(
            x.index_select(0, self.transformed), theta.view(*self.theta_shape, x.shape[1])
        )
        return x.index_copy(0, self.transformed, y), log_jac.sum(0)


class SplineFlow(AbstractFlow):
    """Coupling blocks, of splines by default, one set of subnetworks per channel; Section 5.1.1 of the thesis.

    Sampling maps uniform z to x through `blocks` in order; `log_prob` goes back from x to z. The
    splines run forward from x to z, the direction that training differentiates: their widths live
    in x, their heights in z. Subnetworks compute in `settings.dtype`, transforms in float64, so
    that points are not rounded to float32 and a narrow peak keeps its resolution. A new flow is
    exactly uniform: log q = 0 (rounded, behind rotations).

    Affine blocks act on the real line, between two maps that make uniform points normally
    distributed and back. There, and nowhere else, rotations of all features between the blocks
    ("soft" permutations) keep a new flow uniform.

    Args:
        dim: dimension of the unit cube, at least 1.
        n_channels: number of channels, at least 1.
        settings: shape of the flow; defaults when None.
        groups: which of the densities 0 ... n_flows - 1 each channel has, as for channels that are
            equal up to a permutation of particles; one each when None.
        fused: compute in the compiled kernels of `fused` what they can; plain torch throughout when
            False.

    Attributes:
        settings: the settings given.
        fused: as given; may be changed at any time.
        n_flows: number of different densities.
        blocks: in the order of sampling; the last two coupling blocks carry complementary masks
            (for dim = 1 both transform the one feature).
        grid: fixed map between the blocks and the data, see `start_from_grid`; None in a new flow.
            Loading the state of a flow that has one makes one.

    Raises:
        InputError: dim or n_channels is below 1, or a periodic feature does not exist.
    """

    blocks: nn.ModuleList
    grid: GridBlock | None
    groups: Tensor | None
    _plan: _Plan | None

    def __init__(
        self,
        dim: int,
        n_channels: int,
        settings: FlowSettings | None = None,
        groups: Sequence[int] | None = None,
        *,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if dim < 1 or n_channels < 1:
            raise InputError(
                f"SplineFlow: expected dim and n_channels of at least 1; got {dim} and {n_channels}"
            )
        self.dim = dim
        self.n_channels = n_channels
        self.settings = FlowSettings() if settings is None else settings
        self.fused = fused
        for feature in self.settings.periodic:
            if not 0 <= feature < dim:
                raise InputError(
                    f"SplineFlow: expected periodic features in 0 ... {dim - 1}; got {feature}"
                )
        self.n_flows = _count_flows(groups, n_channels)
        self.groups = None if groups is None else torch.tensor(groups)
        self.blocks = nn.ModuleList(self._make_blocks())
        self.grid = None
        self._plan = None
        self.register_load_state_dict_pre_hook(SplineFlow._adopt_grid)  # type: ignore[no-untyped-call]

    def _make_blocks(self) -> list[Block]:
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed)
        count = settings.blocks or default_blocks(self.dim)
        masks = coupling_masks(settings.permutation, self.dim, count, generator)
        blocks: list[Block] = [
            CouplingBlock(mask, self.n_flows, settings, generator) for mask in masks
        ]
        if settings.permutation in SOFT:
            blocks = self._rotated(blocks, generator)
        return (
            [GaussianLatent(), *blocks, GaussianData()]
            if settings.transform == "affine"
            else blocks
        )

    def _rotated(self, blocks: list[Block], generator: torch.Generator) -> list[Block]:
        """A rotation after each block."""
        trainable = self.settings.permutation == "trainable"
        rotations = [SoftPermutation(self.dim, self.n_flows, trainable, generator) for _ in blocks]
        return [block for pair in zip(blocks, rotations, strict=True) for block in pair]

    @torch.no_grad()
    def start_from(self, theta: Tensor, grid: GridBlock | None = None) -> None:
        """Make the density a product over the features; what was learned is forgotten.

        Args:
            theta: parameters of splines for the biases of the last two coupling blocks, shape (3 K
                + 1, n_flows, dim); zeros leave them the identity, as the blocks before are. The
                last derivative of an angle is not used.
            grid: fixed map to put between the blocks and the data.

        Raises:
            InputError: the parameters or the grids are for another flow.
        """
        expected = (self.n_flows, self.dim)
        if tuple(theta.shape[1:]) != expected or (
            grid is not None and tuple(grid.edges.shape[:2]) != expected
        ):
            got = [tuple(theta.shape[1:]), *([] if grid is None else [tuple(grid.edges.shape[:2])])]
            raise InputError(
                f"start of a flow: expected (n_flows, dim) = {expected} throughout; got {got}"
            )
        self.reset()
        self.grid = None if grid is None else grid.to(self._device)
        if self.settings.transform == "spline":
            self._set_splines(theta.to(self._device))

    def _set_splines(self, theta: Tensor) -> None:
        theta = theta.clone()
        theta[-1, :, list(self.settings.periodic)] = 0.0  # the place of the shift
        for block in self.coupling_blocks[-1 if self.dim == 1 else -2 :]:
            block.subnet.biases[-1].copy_(theta[:, :, block.transformed].transpose(0, 1).flatten(1))

    @torch.no_grad()
    def reset(self) -> None:
        """Make the flow uniform again; the hidden layers of the subnetworks stay as they are."""
        self.grid = None
        for block in self.coupling_blocks:
            nn.init.zeros_(block.subnet.weights[-1])
            nn.init.zeros_(block.subnet.biases[-1])

    @property
    def coupling_blocks(self) -> list[CouplingBlock]:
        """The blocks with subnetworks in the order of sampling."""
        return [block for block in self.blocks if isinstance(block, CouplingBlock)]

    @property
    def sampling_order(self) -> list[Block]:
        """Everything between uniform numbers and data."""
        blocks = cast("list[Block]", list(self.blocks))
        return blocks if self.grid is None else [*blocks, self.grid]

    def _steps(self) -> list[Block | fused.FusedBlocks]:
        """What is computed one after the other when sampling; found again when parameters have been moved."""
        if self._plan is None or not self._plan.serves(self):
            self._plan = _Plan(self)
        return self._plan.steps

    @property
    def _first_parameter(self) -> Tensor:
        block = next(block for block in self.blocks if isinstance(block, CouplingBlock))
        weight: Tensor = block.subnet.weights[0]
        return weight

    def __getstate__(self) -> dict[str, object]:
        """Without what can be found again."""
        return {**self.__dict__, "_plan": None}

    @torch.no_grad()
    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, strictly inside the unit cube; see `AbstractFlow.sample`.

        Raises:
            InputError: channel has the wrong shape or dtype, an entry outside its range or is not
                sorted.
        """
        return self.transform(
            torch.rand(len(channel), self.dim, generator=generator, dtype=torch.float64), channel
        )

    @torch.no_grad()
    def transform(self, z: Tensor, channel: Tensor) -> tuple[Tensor, Tensor]:
        """Map points of the latent cube to the data, so that uniform points get the density of the flow.

        Args:
            z: points in [0, 1], float64, shape (n, dim), CPU.
            channel: sorted, int64, shape (n,).

        Returns:
            x: points strictly inside the unit cube, float64, shape (n, dim).
            log_q: log density at x, -log |dx/dz|, float64, shape (n,).

        Raises:
            InputError: z or channel has the wrong shape or dtype, an entry outside its range or
                channel is not sorted.
        """
        order, counts = self._by_flow(channel)
        check_points(z, len(channel), self.dim)
        x = z.T.contiguous().to(self._device)
        log_q = x.new_zeros(len(channel))
        for block in self._steps():
            x, log_jac = block.to_data(x, counts)
            log_q -= log_jac
        points = x.T.clamp(MARGIN, 1.0 - MARGIN).contiguous().cpu()
        return _undone(order, points), _undone(order, log_q.cpu())

    def log_prob(self, x: Tensor, channel: Tensor, known: Tensor | None = None) -> Tensor:
        """Log density of given points; see `AbstractFlow.log_prob`.

        Raises:
            InputError: x or channel has the wrong shape or dtype, an entry outside its range or
                channel is not sorted.
        """
        order, counts = self._by_flow(channel)
        check_points(x, len(channel), self.dim)
        y = _sorted(order, x).T.contiguous().to(self._device)
        first, *others = self._steps()
        log_q = y.new_zeros(len(x))
        for block in reversed(others):
            y, log_jac = block.to_latent(y, counts)
            log_q = log_q + log_jac
        if known is not None and isinstance(first, fused.FusedBlocks) and not log_q.requires_grad:
            return _undone(order, first.log_jac(y, counts, _sorted(order, known)))
        return _undone(order, (log_q + first.to_latent(y, counts)[1]).to(x.device))

    def _by_flow(self, channel: Tensor) -> tuple[Tensor | None, list[int]]:
        """The order that sorts points by density, None where they are sorted already, and the points of each."""
        counts = channel_counts(channel, self.n_channels)
        if self.groups is None:
            return None, counts
        flow = self.groups[channel]
        points: list[int] = np.bincount(flow.numpy(), minlength=self.n_flows).tolist()
        return torch.argsort(flow, stable=True), points

    @property
    def _device(self) -> torch.device:
        """Where the parameters are; results go back to where the points came from."""
        return self._first_parameter.device

    def _adopt_grid(self, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
        edges = state.get(f"{prefix}grid.edges")
        self.grid = None if edges is None else GridBlock(edges).to(self._device)


class _Plan:
    """The steps of a flow, and what tells whether they are still right."""

    def __init__(self, flow: SplineFlow) -> None:
        order = flow.sampling_order
        self.steps: list[Block | fused.FusedBlocks] = (
            fused.joined(order) if flow.fused else [*order]
        )
        self._parameters = list(flow.parameters())
        self._made_for = self._facts(flow)

    def serves(self, flow: SplineFlow) -> bool:
        """Whether nothing has changed that the steps depend on."""
        return self._facts(flow) == self._made_for

    def _facts(self, flow: SplineFlow) -> tuple[object, ...]:
        addresses = [p.data_ptr() for p in self._parameters]
        return flow.fused, id(flow.grid), id(flow._first_parameter), addresses


def channel_counts(channel: Tensor, n_channels: int) -> list[int]:
    """Points of each channel, after checking that `channel` is a sorted int64 tensor of shape (n,).

    Raises:
        InputError: it is not, or an entry lies outside 0 ... n_channels - 1.
    """
    if channel.dtype != torch.int64 or channel.dim() != 1:
        shape = tuple(channel.shape)
        raise InputError(
            f"channel: expected int64 of shape (n,); got {channel.dtype} of shape {shape}"
        )
    values = channel.numpy()
    descents = values[1:] < values[:-1]
    if descents.any():
        i = int(descents.argmax()) + 1
        raise InputError(
            f"channel: expected sorted entries; entry {i} is {values[i]} after {values[i - 1]}"
        )
    if len(values) and not (values[0] >= 0 and values[-1] < n_channels):
        raise InputError(
            f"channel: expected entries in 0 ... {n_channels - 1}; got {values[0]} ... {values[-1]}"
        )
    counts: list[int] = np.bincount(values, minlength=n_channels).tolist()
    return counts


def _count_flows(groups: Sequence[int] | None, n_channels: int) -> int:
    if groups is None:
        return n_channels
    n_flows = len(set(groups))
    if len(groups) != n_channels or set(groups) != set(range(n_flows)):
        raise InputError(
            f"groups: expected a number 0 ... n_flows - 1 for each of {n_channels} channels; got {groups}"
        )
    return n_flows


def _sorted(order: Tensor | None, x: Tensor) -> Tensor:
    """Rows in this order."""
    return x if order is None else x[order.to(x.device, non_blocking=True)]


def _undone(order: Tensor | None, x: Tensor) -> Tensor:
    """Rows that were sorted by `order`, as they were before."""
    return x if order is None else x[torch.argsort(order).to(x.device, non_blocking=True)]


def check_points(x: Tensor, n: int, dim: int) -> None:
    """Check that x are points of the unit cube, float64, shape (n, dim); where they lie on the CPU alone.

    Raises:
        InputError: they are not.
    """
    if x.dtype != torch.float64 or x.shape != (n, dim):
        raise InputError(
            f"x: expected float64 of shape {(n, dim)}; got {x.dtype} of shape {tuple(x.shape)}"
        )
    if x.numel() == 0 or not x.is_cpu:
        return
    values = x.detach().numpy()
    low, high = values.min(), values.max()
    if not (low >= 0.0 and high <= 1.0):
        raise InputError(f"x: expected points in [0, 1]; got values from {low} to {high}")
