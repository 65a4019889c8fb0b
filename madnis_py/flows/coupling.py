"""Coupling blocks, which transform some features given the others, and stacks of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from madnis_py.flows.blocks import (
    Block,
    CouplingShape,
    GaussianData,
    GaussianLatent,
    SoftPermutation,
)
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.networks import NetworkSize, StackedMLP
from madnis_py.flows.permutations import SOFT, Mask, coupling_masks, default_blocks
from madnis_py.flows.splines import Spline
from madnis_py.flows.transforms import Transform


class CouplingBlock(Block):
    """Transforms some features, given the others, by functions with learned parameters.

    The parameters are those that a subnetwork per channel makes of the other features.

    Args:
        mask: True for the features to transform, as from `coupling_masks`.
        n_channels: number of channels.
        transform: what happens to the features, made for this mask.
        size: depth, width and number type of the subnetworks.
        generator: source of the initial parameters; the output layers start at zero and the block
            as the identity.

    Attributes:
        mask: the mask given.
        transform: the transform given.
        subnet: the subnetworks. Their n_out outputs, seen as (3 K + 1, features), are the spline
            parameters of the transformed features in ascending order. With the last weight at zero,
            the last bias alone is the spline.
    """

    transformed: Tensor
    fixed: Tensor

    def __init__(
        self,
        mask: Mask,
        n_channels: int,
        transform: Transform,
        size: NetworkSize,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.mask = mask
        self.dtype = size.dtype
        self.register_buffer(
            "transformed", torch.tensor(mask).nonzero().flatten(), persistent=False
        )
        self.register_buffer(
            "fixed", torch.tensor(mask).logical_not().nonzero().flatten(), persistent=False
        )
        self.transform = transform
        self.theta_shape = (transform.parameter_count, len(self.transformed))
        n_in, n_out = transform.condition_count, math.prod(self.theta_shape)
        self.subnet = StackedMLP(n_channels, n_in, n_out, size, generator, zero_output=True)
        if transform.kernel_bins is not None:
            features = tuple(self.transformed.tolist())
            self.kernel_shape = CouplingShape(
                len(mask),
                n_channels,
                transform.kernel_bins,
                size.dtype,
                features,
                self.subnet.shapes,
            )

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_latent`."""
        return self._couple(self.transform.to_latent, x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `Block.to_data`."""
        return self._couple(self.transform.to_data, z, counts)

    def _couple(self, function: Spline, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        condition = self.transform.condition(x.index_select(0, self.fixed))
        theta = self.subnet(condition.to(self.dtype), counts)
        y, log_jac = function(
            x.index_select(0, self.transformed), theta.view(*self.theta_shape, x.shape[1])
        )
        return x.index_copy(0, self.transformed, y), log_jac.sum(0)


def coupling_stack(dim: int, n_channels: int, settings: FlowSettings) -> list[Block]:
    """Blocks between uniform numbers and data that together are the identity.

    Args:
        dim: dimension of the unit cube, at least 1.
        n_channels: number of channels.
        settings: number and kind of the blocks, and the seed of their parameters.

    Returns:
        the blocks in the order of sampling: coupling blocks, each with a rotation behind it for
        `SOFT` permutations, between two maps to the real line and back where the transforms act
        there.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    count = settings.blocks or default_blocks(dim)
    transforms, size = settings.transforms, settings.network_size
    blocks: list[Block] = [
        CouplingBlock(mask, n_channels, transforms.for_mask(mask), size, generator)
        for mask in coupling_masks(settings.permutation, dim, count, generator)
    ]
    if settings.permutation in SOFT:
        trainable = settings.permutation == "trainable"
        rotations = [SoftPermutation(dim, n_channels, trainable, generator) for _ in blocks]
        blocks = [block for pair in zip(blocks, rotations, strict=True) for block in pair]
    return [GaussianLatent(), *blocks, GaussianData()] if transforms.on_real_line else blocks
