"""Samplers of the unit cube: what every one promises, and the coupling flow of rational-quadratic splines."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Literal, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from madnis_py.errors import InputError
from madnis_py.flows import fused, splines
from madnis_py.flows.networks import StackedMLP
from madnis_py.flows.permutations import Mask, Permutation, coupling_masks, default_blocks

_DTYPES = {"float32": torch.float32, "float64": torch.float64}

MARGIN = 2.0**-53
"""Sampled points keep this distance from the faces of the unit cube."""


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
    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points, differentiable in the parameters of the flow.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,).

        Returns:
            log q_channel(x), float64, shape (n,).
        """


class FlowSettings(BaseModel):
    """Shape of a `SplineFlow`; the defaults are those of the benchmarks of the MadNIS thesis, Tab. A.6."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: int = Field(10, ge=2, le=splines.MAX_BINS, description="Bins of each rational-quadratic spline.")
    layers: int = Field(3, ge=1, description="Linear layers of the subnetworks, the output layer included.")
    units: int = Field(32, ge=1, description="Width of the hidden layers of the subnetworks.")
    blocks: int | None = Field(None, ge=2, description="Coupling blocks; 2 ceil(log2 dim), at least 2, when not given.")
    permutation: Permutation = Field("log", description="How the features alternate: log, exchange or random.")
    dtype: Literal["float32", "float64"] = Field("float32", description="Number type of the subnetworks.")
    seed: int = Field(0, ge=0, description="Seed of the initial parameters and of random permutations.")


class CouplingBlock(nn.Module):
    """Transforms some features by splines whose parameters are functions of the channel and of the other features.

    Points are passed features first, float64, shape (dim, n), sorted by channel. The subnetworks see the conditioning
    features as sqrt(12) (x - 1/2), of mean 0 and variance 1 for uniform x, with which they learn faster than from x.

    Args:
        mask: True for the features to transform, as from `coupling_masks`.
        n_channels: number of channels.
        settings: bins, layers, units and dtype of the subnetworks.
        generator: source of the initial parameters; the output layers start at zero and the block as the identity.

    Attributes:
        mask: the mask given.
        subnet: the subnetworks. Their n_out outputs, seen as (3 K + 1, features), are the spline parameters of the
            transformed features in ascending order. With the last weight at zero, the last bias alone is the spline.
    """

    transformed: Tensor
    fixed: Tensor

    def __init__(self, mask: Mask, n_channels: int, settings: FlowSettings, generator: torch.Generator) -> None:
        super().__init__()
        self.mask = mask
        self.dtype = _DTYPES[settings.dtype]
        self.register_buffer("transformed", torch.tensor(mask).nonzero().flatten(), persistent=False)
        self.register_buffer("fixed", torch.tensor(mask).logical_not().nonzero().flatten(), persistent=False)
        self.theta_shape = (splines.parameter_count(settings.bins), len(self.transformed))
        shape = (n_channels, len(self.fixed), math.prod(self.theta_shape), settings.layers, settings.units)
        self.subnet = StackedMLP(*shape, generator, self.dtype, zero_output=True)

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data x to latent z, shape (dim, n); also returns log |dz/dx|, shape (n,)."""
        return self._couple(splines.forward, x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent z to data x, shape (dim, n); also returns log |dx/dz|, shape (n,)."""
        return self._couple(splines.inverse, z, counts)

    def _couple(self, spline: splines.Spline, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        condition = math.sqrt(12.0) * (x.index_select(0, self.fixed) - 0.5)
        theta = self.subnet(condition.to(self.dtype), counts)
        y, log_jac = spline(x.index_select(0, self.transformed), theta.view(*self.theta_shape, x.shape[1]))
        return x.index_copy(0, self.transformed, y), log_jac.sum(0)


Direction = Callable[[CouplingBlock, Tensor, list[int]], tuple[Tensor, Tensor]]
"""Either direction of a block, as an unbound method."""


class SplineFlow(AbstractFlow):
    """Coupling blocks of rational-quadratic splines, one set of subnetworks per channel, Section 5.1.1 of the thesis.

    Sampling maps uniform z to x through `blocks` in order; `log_prob` goes back from x to z. The splines run forward
    from x to z, the direction that training differentiates: their widths live in x, their heights in z. Subnetworks
    compute in `settings.dtype`, splines in float64, so that points are not rounded to float32 and a narrow peak keeps
    its resolution. A new flow is exactly uniform: log q = 0.

    Args:
        dim: dimension of the unit cube, at least 1.
        n_channels: number of channels, at least 1.
        settings: shape of the flow; defaults when None.
        fused: compute in the compiled kernels of `fused` while the parameters are on the CPU, otherwise and when False
            in plain torch.

    Attributes:
        settings: the settings given.
        fused: as given; may be changed at any time.
        blocks: coupling blocks in the order of sampling; the last two carry complementary masks (for dim = 1 both
            transform the one feature).
    """

    blocks: nn.ModuleList

    def __init__(
        self, dim: int, n_channels: int, settings: FlowSettings | None = None, *, fused: bool = True
    ) -> None:
        super().__init__()
        if dim < 1 or n_channels < 1:
            raise InputError(f"SplineFlow: expected dim and n_channels of at least 1; got {dim} and {n_channels}")
        self.dim = dim
        self.n_channels = n_channels
        self.settings = FlowSettings() if settings is None else settings
        self.fused = fused
        generator = torch.Generator().manual_seed(self.settings.seed)
        count = self.settings.blocks or default_blocks(dim)
        masks = coupling_masks(self.settings.permutation, dim, count, generator)
        self.blocks = nn.ModuleList(CouplingBlock(mask, n_channels, self.settings, generator) for mask in masks)

    @torch.no_grad()
    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, strictly inside the unit cube; see `AbstractFlow.sample`.

        Raises:
            InputError: channel has the wrong shape or dtype, an entry outside its range or is not sorted.
        """
        counts = channel_counts(channel, self.n_channels)
        uniform = torch.rand(len(channel), self.dim, generator=generator, dtype=torch.float64)
        x, log_jac = self._to_data(uniform, counts)
        return x.clamp_(MARGIN, 1.0 - MARGIN), log_jac.neg_()

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points; see `AbstractFlow.log_prob`.

        Raises:
            InputError: x or channel has the wrong shape or dtype, an entry outside its range or channel is not sorted.
        """
        counts = channel_counts(channel, self.n_channels)
        _check_points(x, len(channel), self.dim)
        return self._to_latent(x, counts)[1]

    def _to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data x to latent z, shape (n, dim); also returns log |dz/dx|, shape (n,)."""
        parameters = self._block_parameters()
        if self.fused and fused.is_served(parameters, self._shape):
            return fused.to_latent(self._shape, parameters, x, counts, self._plain_to_latent)
        return self._plain_to_latent(x, counts)

    def _to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent z to data x, shape (n, dim); also returns log |dx/dz|, shape (n,)."""
        parameters = self._block_parameters()
        if self.fused and fused.is_served(parameters, self._shape):
            return fused.to_data(self._shape, parameters, z, counts)
        return self._through(CouplingBlock.to_data, self._sampling_order(), z, counts)

    def _plain_to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        return self._through(CouplingBlock.to_latent, self._sampling_order()[::-1], x, counts)

    def _through(
        self, direction: Direction, blocks: list[CouplingBlock], points: Tensor, counts: list[int]
    ) -> tuple[Tensor, Tensor]:
        points = points.T.contiguous().to(self._device)
        log_jac = points.new_zeros(points.shape[1])
        for block in blocks:
            points, log_slope = direction(block, points, counts)
            log_jac = log_jac + log_slope
        return points.T.contiguous().cpu(), log_jac.cpu()

    def _block_parameters(self) -> list[Tensor]:
        """Weights, then biases, of each block, from data to latent."""
        return [parameter for block in self._sampling_order()[::-1] for parameter in block.subnet.parameters()]

    @cached_property
    def _shape(self) -> fused.Shape:
        blocks = tuple(
            (tuple(block.transformed.tolist()), block.subnet.shapes) for block in self._sampling_order()[::-1]
        )
        return fused.Shape(self.dim, self.n_channels, self.settings.bins, _DTYPES[self.settings.dtype], blocks)

    @property
    def _device(self) -> torch.device:
        """Where the parameters are; points come from the CPU and go back to it."""
        return next(self.parameters()).device

    def _sampling_order(self) -> list[CouplingBlock]:
        return cast("list[CouplingBlock]", list(self.blocks))


def channel_counts(channel: Tensor, n_channels: int) -> list[int]:
    """Points of each channel, after checking that `channel` is a sorted int64 tensor of shape (n,).

    Raises:
        InputError: it is not, or an entry lies outside 0 ... n_channels - 1.
    """
    if channel.dtype != torch.int64 or channel.dim() != 1:
        shape = tuple(channel.shape)
        raise InputError(f"channel: expected int64 of shape (n,); got {channel.dtype} of shape {shape}")
    descents = channel[1:] < channel[:-1]
    if bool(descents.any()):
        i = int(descents.nonzero()[0]) + 1
        raise InputError(f"channel: expected sorted entries; entry {i} is {channel[i]} after {channel[i - 1]}")
    if len(channel) and not (channel[0] >= 0 and channel[-1] < n_channels):
        first, last = int(channel[0]), int(channel[-1])
        raise InputError(f"channel: expected entries in 0 ... {n_channels - 1}; got {first} ... {last}")
    counts: list[int] = torch.bincount(channel, minlength=n_channels).tolist()
    return counts


def _check_points(x: Tensor, n: int, dim: int) -> None:
    if x.dtype != torch.float64 or x.shape != (n, dim):
        raise InputError(f"x: expected float64 of shape {(n, dim)}; got {x.dtype} of shape {tuple(x.shape)}")
    if x.numel() == 0:
        return
    low, high = (float(end) for end in x.detach().aminmax())
    if not (low >= 0.0 and high <= 1.0):
        raise InputError(f"x: expected points in [0, 1]; got values from {low} to {high}")
