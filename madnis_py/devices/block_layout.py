"""Layout of blocks of threads that pass the weights of networks through memory that they share."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.devices.kernels import Kernels

THREADS = (128, 64, 32)
"""Threads of a block: as many of these as the memory that they share has room for."""

SHARED_BYTES = 48 * 1024
"""Memory that the threads of a block may share on any device."""


class BlockLayout(NamedTuple):
    """Threads of a block, one point each, and where the numbers of these points are.

    Attributes:
        threads: their number.
        shared_bytes: memory that they share.
        workspace: numbers in the memory of the device, for each block, where the points have no
            room in shared memory; 0 where they have.
        dtype: of the numbers.
    """

    threads: int
    shared_bytes: int
    workspace: int
    dtype: torch.dtype

    @classmethod
    def of(cls, rows: int, dtype: torch.dtype) -> BlockLayout:
        """As many threads as have room for this count of numbers each in shared memory."""
        for threads in THREADS:
            shared_bytes = (_core.TILE_NUMBERS + rows * (threads + 1)) * dtype.itemsize
            if shared_bytes <= SHARED_BYTES:
                return cls(threads, shared_bytes, 0, dtype)
        tile_bytes = _core.TILE_NUMBERS * dtype.itemsize
        return cls(THREADS[0], tile_bytes, rows * (THREADS[0] + 1), dtype)

    def memory(self, blocks: int, kernels: Kernels) -> Tensor | int:
        """The workspace of so many blocks; 0, the null pointer, where they need none."""
        if not self.workspace:
            return 0
        size = blocks * self.workspace
        return torch.empty(size, dtype=self.dtype, device=kernels.torch_device)
