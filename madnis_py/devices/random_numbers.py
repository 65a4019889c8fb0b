"""Numbers of random streams that are made on a device, the same as those of the processor."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from madnis_py.devices.kernels import Kernels
from madnis_py.parallel.random_streams import RandomStream


def uniform_there(stream: RandomStream, kernels: Kernels, *shape: int) -> Tensor:
    """The next numbers of a stream on a device; see `RandomStream.uniform`.

    Returns:
        multiples of 2^-53 in [0, 1), float64, the last axis fastest.
    """
    count = math.prod(shape)
    numbers = torch.empty(shape, dtype=torch.float64, device=kernels.torch_device)
    place = (stream.key, stream.subsequence, stream.position)
    kernels.launch("sampling", "uniform_numbers", count, *place, numbers, count)
    stream.position += count
    return numbers
