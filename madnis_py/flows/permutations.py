"""Masks of coupling blocks: the features that each transforms; Section 3.2.2 of the MadNIS thesis.

The other features condition the block.
"""

from __future__ import annotations

from typing import Literal

import torch

Mask = tuple[bool, ...]
Permutation = Literal["log", "exchange", "random", "soft", "trainable"]
SOFT = ("soft", "trainable")
"""Permutations that rotate all features between two blocks, fixed or trained."""


def default_blocks(dim: int) -> int:
    """Number of blocks of the logarithmic decomposition, 2 ceil(log2 D) of Eq. (3.46).

    2 for D = 1.
    """
    return 2 * max((dim - 1).bit_length(), 1)


def coupling_masks(
    permutation: Permutation, dim: int, blocks: int, generator: torch.Generator
) -> list[Mask]:
    """Masks of the coupling blocks in the order of sampling, latent first, data last.

    True marks a feature that the block transforms, False one that conditions it. Masks come in
    complementary pairs; an odd number of blocks drops the first mask, so that the last two blocks
    together transform every feature exactly once. One feature has nothing to be conditioned on:
    every block transforms it.

    Args:
        permutation: "log", bits of the feature index and their complements, so that
            `default_blocks` masks condition every feature on every other; "exchange", the two
            halves in turn; "random", random halves; the `SOFT` ones, which rotate the features
            between the blocks, the two halves in turn.
        dim: number of features, at least 1.
        blocks: number of masks, at least 2. Fewer than `default_blocks` keep the last masks of the
            logarithmic decomposition, more repeat it.
        generator: source of the random halves; "log" and "exchange" do not draw from it.
    """
    if dim == 1:
        return [(True,)] * blocks
    pairs = (blocks + 1) // 2
    halves = [_half(permutation, dim, pair - pairs, generator) for pair in range(pairs)]
    complements = [tuple(not transformed for transformed in mask) for mask in halves]
    return [mask for pair in zip(halves, complements, strict=True) for mask in pair][-blocks:]


def _half(permutation: Permutation, dim: int, pair: int, generator: torch.Generator) -> Mask:
    """The first mask of a pair; the pairs are counted from the data, -1 is the last."""
    if permutation == "log":
        bit = pair % (dim - 1).bit_length()
        return tuple(bool(feature >> bit & 1) for feature in range(dim))
    if permutation == "exchange" or permutation in SOFT:
        return tuple(feature < dim // 2 for feature in range(dim))
    chosen = torch.randperm(dim, generator=generator)[: dim // 2].tolist()
    return tuple(feature in chosen for feature in range(dim))


def random_rotation(dim: int, generator: torch.Generator) -> torch.Tensor:
    """A matrix of O(dim), uniformly distributed (Haar), float64, shape (dim, dim)."""
    q, r = torch.linalg.qr(torch.randn(dim, dim, generator=generator, dtype=torch.float64))
    rotation: torch.Tensor = q * r.diagonal().sign()
    return rotation
