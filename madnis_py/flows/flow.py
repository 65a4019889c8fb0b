"""Samplers of the unit cube: what every one promises, and the coupling flow of rational-quadratic splines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from madnis_py.errors import InputError
from madnis_py.flows import splines
from madnis_py.flows.networks import StackedMLP
from madnis_py.flows.permutations import Mask, Permutation, coupling_masks, default_blocks

Spline = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

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

    bins: int = Field(10, ge=2, le=1000, description="Bins of each rational-quadratic spline.")
    layers: int = Field(3, ge=1, description="Linear layers of the subnetworks, the output layer included.")
    units: int = Field(32, ge=1, description="Width of the hidden layers of the subnetworks.")
    blocks: int | None = Field(None, ge=2, description="Coupling blocks; 2 ceil(log2 dim), at least 2, when not given.")
    permutation: Permutation = Field("log", description="How the features alternate: log, exchange or random.")
    dtype: Literal["float32", "float64"] = Field("float32", description="Number type of the subnetworks.")
    seed: int = Field(0, ge=0, description="Seed of the initial parameters and of random permutations.")


class CouplingBlock(nn.Module):
    """Transforms some features by splines whose parameters are functions of the channel and of the other features.

    Args:
        mask: True for the features to transform, as from `coupling_masks`.
        n_channels: number of channels.
        settings: bins, layers, units and dtype of the subnetworks.
        generator: source of the initial parameters; the output layers start at zero and the block as the identity.

    Attributes:
        mask: the mask given.
        subnet: the subnetworks; their outputs are, feature after feature in ascending order, the spline parameters
            (widths, heights, derivatives). With the last weight at zero the last bias alone is the spline.
    """

    def __init__(self, mask: Mask, n_channels: int, settings: FlowSettings, generator: torch.Generator) -> None:
        super().__init__()
        self.mask = mask
        transformed = [i for i, chosen in enumerate(mask) if chosen]
        fixed = [i for i, chosen in enumerate(mask) if not chosen]
        n_out = len(transformed) * splines.parameter_count(settings.bins)
        dtype = getattr(torch, settings.dtype)
        shape = (n_channels, len(fixed), n_out, settings.layers, settings.units)
        self.subnet = StackedMLP(*shape, generator, dtype, zero_output=True)
        self.dtype = dtype
        self.register_buffer("transformed", torch.tensor(transformed), persistent=False)
        self.register_buffer("fixed", torch.tensor(fixed, dtype=torch.int64), persistent=False)

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data to latent: x, float64, shape (n, dim), sorted by channel -> z (n, dim) and log |dz/dx| (n,)."""
        return self._couple(splines.forward, x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent to data: z, float64, shape (n, dim), sorted by channel -> x (n, dim) and log |dx/dz| (n,)."""
        return self._couple(splines.inverse, z, counts)

    def _couple(self, spline: Spline, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        y, log_jac = spline(x.index_select(1, self.transformed), self._theta(x, counts))
        return x.index_copy(1, self.transformed, y), log_jac.sum(1)

    def _theta(self, x: Tensor, counts: list[int]) -> Tensor:
        theta: Tensor = self.subnet(x.index_select(1, self.fixed).to(self.dtype), counts)
        return theta.to(x.dtype).unflatten(1, (len(self.transformed), -1))


class SplineFlow(AbstractFlow):
    """Coupling blocks of rational-quadratic splines, one set of subnetworks per channel, Section 5.1.1 of the thesis.

    Sampling maps uniform z to x through `blocks` in order; `log_prob` goes back from x to z. The splines run forward,
    without a square root, from x to z, the direction that training differentiates: their widths live in x, their heights
    in z. Subnetworks compute in `settings.dtype`, splines in float64, so that points are not rounded to float32 and a
    narrow peak keeps its resolution. A new flow is exactly uniform: log q = 0.

    Args:
        dim: dimension of the unit cube, at least 1.
        n_channels: number of channels, at least 1.
        settings: shape of the flow; defaults when None.

    Attributes:
        settings: the settings given.
        blocks: coupling blocks in the order of sampling; the last two carry complementary masks (for dim = 1 both
            transform the one feature).
    """

    blocks: nn.ModuleList

    def __init__(self, dim: int, n_channels: int, settings: FlowSettings | None = None) -> None:
        super().__init__()
        if dim < 1 or n_channels < 1:
            raise InputError(f"SplineFlow: expected dim and n_channels of at least 1; got {dim} and {n_channels}")
        self.dim = dim
        self.n_channels = n_channels
        self.settings = FlowSettings() if settings is None else settings
        generator = torch.Generator().manual_seed(self.settings.seed)
        count = self.settings.blocks or default_blocks(dim)
        masks = coupling_masks(self.settings.permutation, dim, count, generator)
        self.blocks = nn.ModuleList(CouplingBlock(mask, n_channels, self.settings, generator) for mask in masks)

    @torch.no_grad()
    def sample(self, channel: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, strictly inside the unit cube; see `AbstractFlow.sample`."""
        counts = channel_counts(channel, self.n_channels)
        x = torch.rand(len(channel), self.dim, generator=generator, dtype=torch.float64)
        log_q = x.new_zeros(len(channel))
        for block in self.blocks:
            x, log_jac = block.to_data(x, counts)
            log_q -= log_jac
        return x.clamp(MARGIN, 1.0 - MARGIN), log_q

    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points; see `AbstractFlow.log_prob`.

        Raises:
            InputError: x or channel has the wrong shape or dtype, lies outside its range or is not sorted.
        """
        counts = channel_counts(channel, self.n_channels)
        _check_points(x, len(channel), self.dim)
        log_q = x.new_zeros(len(x))
        for block in reversed(self.blocks):
            x, log_jac = block.to_latent(x, counts)
            log_q = log_q + log_jac
        return log_q


def channel_counts(channel: Tensor, n_channels: int) -> list[int]:
    """Points of each channel, after checking that `channel` is a sorted int64 tensor of shape (n,).

    Raises:
        InputError: it is not, or an entry lies outside 0 ... n_channels - 1.
    """
    if channel.dtype != torch.int64 or channel.dim() != 1:
        shape = tuple(channel.shape)
        raise InputError(f"channel: expected int64 of shape (n,); got {channel.dtype} of shape {shape}")
    if not bool((channel[1:] >= channel[:-1]).all()):
        raise InputError("channel: expected sorted entries; got descending ones")
    if len(channel) and not (0 <= channel[0] and channel[-1] < n_channels):
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
