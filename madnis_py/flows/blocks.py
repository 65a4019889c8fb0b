"""Blocks of a flow: invertible maps of points that know the channel of each, and those of them without a network.

Points are passed features first, float64, shape (dim, n), sorted by channel; `counts` are the points of each channel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from madnis_py.flows.permutations import random_rotation

MARGIN = 2.0**-53
"""Sampled points keep this distance from the faces of the unit cube."""


class Block(nn.Module, ABC):
    """One layer of a flow; the two directions undo each other and agree on the Jacobian."""

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
    """A rotation R in O(dim), z = R x, which leaves normally distributed points what they are; Section 3.2.2.

    Every channel starts with the same random R. A trainable one is R exp(A - A^T) with a matrix A per channel,
    which is orthogonal whatever A is; A = 0 at first.

    Args:
        dim: features.
        n_channels: number of channels.
        trainable: rotate further in training.
        generator: source of R.
    """

    rotation: Tensor

    def __init__(self, dim: int, n_channels: int, trainable: bool, generator: torch.Generator) -> None:
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
        parts = zip(rotations.mT if transpose else rotations, torch.split(x, counts, dim=1), strict=True)
        return torch.cat([rotation @ part for rotation, part in parts], dim=1)


def _log_normal(x: Tensor) -> Tensor:
    """Log density of the normal distribution."""
    return -0.5 * x.square() - 0.5 * math.log(2.0 * math.pi)
