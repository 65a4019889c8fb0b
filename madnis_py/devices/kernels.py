"""Kernels of a device and how they are launched on torch tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from madnis_py.progress import Watch

Argument = Tensor | int | float
"""Argument of a kernel: a tensor stands for its address, an int is int64, a float is double."""

BLOCK = 128
"""Threads of a block where a kernel does not say otherwise."""


class Kernels(ABC):
    """Compiled kernels of a device, by the sources in `cpp/cuda` and their names there.

    Attributes:
        torch_device: where the tensors are that they take.
    """

    torch_device: torch.device

    @abstractmethod
    def prepare(self, watch: Watch) -> None:
        """Make what the first launches would wait for.

        Args:
            watch: is told how far it is, if there is anything to make.

        Raises:
            DeviceError: a kernel cannot be compiled.
        """

    @abstractmethod
    def launch(
        self,
        source: str,
        name: str,
        threads: int,
        *arguments: Argument,
        block: int = BLOCK,
        shared_bytes: int = 0,
    ) -> None:
        """Run a kernel, without waiting for it to end.

        Args:
            source: stem of its file in `cpp/cuda`.
            name: its name there.
            threads: least number of threads, rounded up to whole blocks; nothing runs for 0.
            arguments: in the order of its parameters; tensors are contiguous in the layout that the
                kernel documents, and on `torch_device`.
            block: threads of a block.
            shared_bytes: memory that the threads of a block share.

        Raises:
            DeviceError: the kernel cannot be compiled or launched.
        """

    @abstractmethod
    def free_bytes(self) -> int:
        """Memory of the device that new tensors may take, what torch keeps of old ones included."""


def blocks_of_threads(threads: int, block: int) -> int:
    """Blocks that hold so many threads."""
    return -(-threads // block)
