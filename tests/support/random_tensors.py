"""Random tensors that are a function of a seed."""

from __future__ import annotations

import torch
from torch import Tensor

from madnis_py.parallel.random_streams import torch_generator


def randn(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normally distributed numbers."""
    return torch.randn(shape, generator=torch_generator(seed, "test"), dtype=dtype)


def rand(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Uniform numbers in [0, 1)."""
    return torch.rand(shape, generator=torch_generator(seed, "test"), dtype=dtype)
