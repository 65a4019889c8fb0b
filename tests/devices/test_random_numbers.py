"""Numbers of streams in the kernels of a device, against those of the processor."""

from __future__ import annotations

import pytest
import torch

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.devices.random_numbers import uniform_there
from madnis_py.parallel.random_streams import stream


@pytest.mark.parametrize("shape", [(0,), (1,), (127, 3), (128,), (43, 3), (0, 4)], ids=str)
@pytest.mark.parametrize("seed", range(4))  # with keys and subsequences of both signs
def test_a_device_draws_the_numbers_of_the_processor_bit_by_bit(
    shape: tuple[int, ...], seed: int
) -> None:
    kernels, here, there = EmulatedKernels(), stream(seed, "points"), stream(seed, "points")
    for count in (3, *shape):  # and from even and odd positions
        assert torch.equal(uniform_there(there, kernels, count), here.uniform(count))
        numbers = uniform_there(there, kernels, *shape)
        assert torch.equal(numbers, here.uniform(*shape))
    assert (numbers.shape, numbers.dtype) == (shape, torch.float64)
    assert here.position == there.position
