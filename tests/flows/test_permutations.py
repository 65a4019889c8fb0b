"""Masks of coupling blocks."""

from __future__ import annotations

import pytest

from madnis_py.flows.permutations import Permutation, coupling_masks, default_blocks
from madnis_py.parallel.random_streams import torch_generator


@pytest.mark.parametrize(("dim", "blocks"), [(1, 2), (2, 2), (3, 4), (7, 6), (10, 8), (13, 8)])
def test_number_of_blocks_of_the_logarithmic_decomposition(dim: int, blocks: int) -> None:
    assert default_blocks(dim) == blocks


@pytest.mark.parametrize("dim", range(2, 18))
def test_logarithmic_decomposition_conditions_every_feature_on_every_other(dim: int) -> None:
    masks = coupling_masks("log", dim, default_blocks(dim), torch_generator(0))
    for i in range(dim):
        for j in set(range(dim)) - {i}:
            assert any(mask[i] and not mask[j] for mask in masks)


@pytest.mark.parametrize("permutation", ["log", "exchange", "random"])
@pytest.mark.parametrize("dim", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("blocks", [2, 3, 8])
def test_last_two_blocks_transform_every_feature(
    permutation: Permutation, dim: int, blocks: int
) -> None:
    masks = coupling_masks(permutation, dim, blocks, torch_generator(1, "mask"))
    assert len(masks) == blocks
    assert all(len(mask) == dim and any(mask) for mask in masks)
    assert all(a or b for a, b in zip(masks[-2], masks[-1], strict=True))
    assert dim == 1 or not any(a and b for a, b in zip(masks[-2], masks[-1], strict=True))


def test_random_masks_are_a_function_of_the_generator() -> None:
    first, again, other = (
        coupling_masks("random", 12, 6, torch_generator(seed, "mask")) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
