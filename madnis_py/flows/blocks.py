"""Blocks of a flow, invertible maps of points by channel, and those blocks without a network.

Points are passed features first, float64, shape (dim, n), sorted by channel; `counts` are the
points of each channel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from madnis_py.flows import splines
from madnis_py.flows.permutations import random_rotation

MARGIN = 2.0**-53
"""Sampled points keep this distance from the faces of the unit cube."""


class CouplingShape(NamedTuple):
    """What the kernels have to know about a coupling block of splines.

    Attributes:
        dim: number of features.
        n_channels: number of channels.
        bins: bins of each spline.
        dtype: of the subnetworks.
        transformed: features to transform, ascending; the others are the inputs of the subnetworks.
        layers: inputs and outputs of each layer of the subnetworks.
    """

    dim: int
    n_channels: int
    bins: int
    dtype: torch.dtype
    transformed: tuple[int, ...]
    layers: tuple[tuple[int, int], ...]


class Block(nn.Module, ABC):
    """One layer of a flow; the two directions undo each other and agree on the Jacobian.

    Attributes:
        kernel_shape: what compiled kernels have to know; None for blocks that they do not compute.
    """

    kernel_shape: CouplingShape | None = None

    @abstractmethod
    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data x to latent z, shape (dim, n); also returns log |dz/dx|, shape (n,)."""

    @abstractmethod
    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent z to data x, shape (dim, n); also returns log |dx/dz|, shape (n,)."""


class GaussianLatent(Block):
    """From uniform latent points to normally distributed ones, feature by feature: z = Phi(x).

    Points within `MARGIN` of a face of the cube are taken to be there.
    """

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`; x on the real line, z in the unit cube."""
        return torch.special.ndtr(x), _log_normal(x).sum(0)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`; z in the unit cube, x on the real line."""
        x = torch.special.ndtri(z.clamp(MARGIN, 1.0 - MARGIN))
        return x, -_log_normal(x).sum(0)


class GaussianData(Block):
    """From the real line to the unit cube, x = Phi(z): the inverse of `GaussianLatent`."""

    def __init__(self) -> None:
        super().__init__()
        self.inverse = GaussianLatent()

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`; x in the unit cube, z on the real line."""
        return self.inverse.to_data(x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`; z on the real line, x in the unit cube."""
        return self.inverse.to_latent(z, counts)


class SoftPermutation(Block):
    """A rotation R in O(dim), z = R x; Section 3.2.2 of the MadNIS thesis.

    Normally distributed points stay normally distributed.

    Every channel starts with the same random R. A trainable one is R exp(A - A^T) with a matrix A
    per channel, which is orthogonal whatever A is; A = 0 at first.

    Args:
        dim: features.
        n_channels: number of channels.
        trainable: rotate further in training.
        generator: source of R.
    """

    rotation: Tensor

    def __init__(
        self, dim: int, n_channels: int, trainable: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.register_buffer("rotation", random_rotation(dim, generator))
        zero = torch.zeros(n_channels, dim, dim, dtype=torch.float64)
        self.generators = nn.Parameter(zero) if trainable else None

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`."""
        return self._rotate(x, counts, transpose=False), x.new_zeros(x.shape[1])

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`."""
        return self._rotate(z, counts, transpose=True), z.new_zeros(z.shape[1])

    def _rotate(self, x: Tensor, counts: list[int], transpose: bool) -> Tensor:
        if self.generators is None:
            return (self.rotation.T if transpose else self.rotation) @ x
        rotations = self.rotation @ torch.linalg.matrix_exp(self.generators - self.generators.mT)
        parts = zip(
            rotations.mT if transpose else rotations, torch.split(x, counts, dim=1), strict=True
        )
        return torch.cat([rotation @ part for rotation, part in parts], dim=1)


class GridBlock(Block):
    """The map of a VEGAS grid, which is not trained.

    Latent bins have equal size, data bins that of the bins of the grid.

    Nearest the data, behind blocks that are the identity, it makes the density that of the grid.
    With the ends of each bin as steep as its middle the map is piecewise linear, Eq. (2.38), and
    the density jumps from bin to bin.

    Args:
        edges: of the bins, ascending from 0 to 1, float64, shape (n_channels, dim, bins + 1).
        ends: density at the lower and the upper end of each bin in units of the mean density of the
            bin, positive, float64, shape (2, n_channels, dim, bins); ones by default.
    """

    edges: Tensor
    ends: Tensor

    def __init__(self, edges: Tensor, ends: Tensor | None = None) -> None:
        super().__init__()
        ends = edges.new_ones(2, *edges.shape[:2], edges.shape[2] - 1) if ends is None else ends
        self.register_buffer("edges", edges.clone())
        self.register_buffer("ends", ends.clone())

    @classmethod
    def smooth(cls, edges: Tensor) -> GridBlock:
        """Rational-quadratic splines through the edges.

        The density is continuous, with the contents of the bins of the grid.

        At an edge it is the geometric mean of the densities on both sides; towards the faces it
        goes on as it came.
        """
        ratio = _widths(edges).log().diff(dim=2) / 2.0
        slope_left = torch.cat((ratio[:, :, :1], ratio), dim=2)
        slope_right = torch.cat((ratio, ratio[:, :, -1:]), dim=2)
        return cls(edges, torch.stack((slope_left, -slope_right)).exp())

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`."""
        z, log_jac = self.map(x, counts)
        return z, log_jac.sum(0)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`."""
        count = self.ends.shape[3]
        bin_ = self._bins((z.detach() * count).long().clamp(0, count - 1), counts)
        xi = splines.solve_bin(((z - bin_.y) * count).clamp(0.0, 1.0), bin_)
        _, log_jac = splines.bin_shift(xi, bin_)
        return bin_.x + xi * bin_.width, -log_jac.sum(0)

    def map(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data to latent points feature by feature.

        Returns:
            latent points and log dz/dx, both of shape (dim, n).
        """
        inner = self.edges[:, :, 1:-1].contiguous()
        parts = zip(inner, torch.split(x.detach(), counts, dim=1), strict=True)
        index = [torch.searchsorted(edges, part.contiguous(), right=True) for edges, part in parts]
        bin_ = self._bins(torch.cat(index, dim=1), counts)
        shift, log_jac = splines.bin_shift(((x - bin_.x) / bin_.width).clamp(0.0, 1.0), bin_)
        return (x + shift).clamp(0.0, 1.0), log_jac

    def _bins(self, index: Tensor, counts: list[int]) -> splines.Bin:
        """The bins of these numbers, shape (dim, n)."""
        height = torch.full_like(self.ends[0], 1.0 / self.ends.shape[3])
        table = torch.stack((self.edges[:, :, :-1], _widths(self.edges), height, *self.ends))
        parts = zip(table.unbind(1), torch.split(index, counts, dim=1), strict=True)
        chosen = [rows.gather(2, part.expand(len(rows), *part.shape)) for rows, part in parts]
        x, width, height, left, right = torch.cat(chosen, dim=2).unbind()
        return splines.Bin(x, index * height, width, height, left, right)


def _widths(edges: Tensor) -> Tensor:
    """Sizes of bins; one that has collapsed counts as very narrow."""
    return edges.diff(dim=2).clamp(min=torch.finfo(torch.float64).tiny)


def _log_normal(x: Tensor) -> Tensor:
    """Log density of the normal distribution."""
    return -0.5 * x.square() - 0.5 * math.log(2.0 * math.pi)
