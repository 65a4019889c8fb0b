"""Descriptions of kernels in the memory of a device."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from madnis_py.devices.kernels import Kernels


class Described(Protocol):
    """Object of `_core` whose description a kernel of a device can read."""

    def image(self, address: int) -> bytes:
        """Bytes of the description and its arrays, with pointers as if they lay at the address."""


def upload(described: Described, kernels: Kernels) -> Tensor:
    """A description where the kernels can read it.

    Returns:
        its bytes, uint8, on the device of the kernels; they last as long as the tensor.
    """
    size = len(described.image(0))
    memory = torch.empty(size, dtype=torch.uint8, device=kernels.torch_device)
    image = bytearray(described.image(memory.data_ptr()))
    return memory.copy_(torch.frombuffer(image, dtype=torch.uint8))


def pointers(tensors: list[Tensor], kernels: Kernels) -> Tensor:
    """Addresses of tensors of a device, int64, shape (len(tensors),), there."""
    addresses = torch.tensor([tensor.data_ptr() for tensor in tensors], dtype=torch.int64)
    return addresses.to(kernels.torch_device)
