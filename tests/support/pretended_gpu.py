"""A GPU that torch and CudaKernels see, although its memory and its kernels are the processor's.

    python pretended_gpu.py ARGUMENTS OF madnis-py

calls the command line with it. The driver of `emulated_driver.c` has to be found as libcuda.so.1.
"""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import torch

from madnis_py import cli
from madnis_py.devices import device
from madnis_py.devices.cuda_kernels import CudaKernels


def pretend_to_have_a_gpu() -> None:
    """Let torch, which has no CUDA, say that there is one, of compute capability 9.0."""
    properties = SimpleNamespace(shared_memory_per_block_optin=227 * 1024)
    pretended = {
        "init": lambda: None,
        "device_count": lambda: 1,
        "get_device_capability": lambda index: (9, 0),
        "get_device_properties": lambda device: properties,
        "mem_get_info": lambda device: (1 << 30, 1 << 30),
        "memory_reserved": lambda device: 0,
        "memory_allocated": lambda device: 0,
        "device": lambda device: nullcontext(),
        "current_stream": lambda: SimpleNamespace(cuda_stream=0),
    }
    for name, value in pretended.items():
        setattr(torch.cuda, name, value)
    torch.version.cuda = "13.0"
    vars(device)["CudaKernels"] = KernelsInMemory


class KernelsInMemory(CudaKernels):
    """Kernels that take tensors of the processor."""

    def __init__(self, index: int = 0) -> None:
        super().__init__(index)
        self.torch_device = torch.device("cpu")


if __name__ == "__main__":
    pretend_to_have_a_gpu()
    cli.main()
