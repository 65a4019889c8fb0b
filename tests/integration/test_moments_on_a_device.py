"""Moments of the weights of channels in the kernels of a device, against those of the processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.integration.estimate import Moments

COUNTS = {
    "no points": [0, 0, 0],
    "one point": [0, 1, 0],
    "fewer than threads": [3, 0, 1000],
    "as many as threads": [1024, 2048, 0],
    "more than threads": [1025, 7, 50_000],
}


@pytest.mark.parametrize("size", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_moments_on_a_device_are_those_of_the_processor(counts: list[int], size: float) -> None:
    channel = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    random = np.random.default_rng(6)
    spread = np.array([1.0, 1e-6, 10.0])[channel.numpy()]  # the second varies little
    weight = torch.from_numpy(size * (1 + spread * random.normal(size=len(channel))))
    expected = Moments.of(channel, weight, 3)
    found = Moments.on_device(channel, weight, 3, EmulatedKernels())
    assert found.unit == expected.unit
    assert found.counts.tolist() == expected.counts.tolist() == counts
    np.testing.assert_allclose(found.means, expected.means, rtol=1e-13)
    np.testing.assert_allclose(found.squares, expected.squares, rtol=1e-9)
    large = [0, 2]
    np.testing.assert_allclose(found.squares[large], expected.squares[large], rtol=1e-13)
