"""Device of a run by its name: cpu, cuda, cuda:1 or emulated."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import torch

from madnis_py.devices.cuda_kernels import CudaKernels
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.devices.kernels import Kernels
from madnis_py.errors import InputError
from madnis_py.parallel.process_workers import worker_number

CPU = torch.device("cpu")

_CUDA = re.compile(r"cuda(:(?P<index>\d+))?", re.ASCII)


@dataclass(frozen=True)
class Device:
    """A device that the whole chain from random numbers to accepted events can run on.

    Attributes:
        name: "cuda", "cuda:1" or "emulated".
        kernels: its kernels.
    """

    name: str
    kernels: Kernels

    @property
    def torch_device(self) -> torch.device:
        """Where its tensors are."""
        return self.kernels.torch_device

    def __reduce__(self) -> tuple[object, ...]:
        return device_of, (self.name,)


@cache
def device_of(name: str) -> Device | None:
    """The device of this name; None for "cpu", where compiled kernels take arrays.

    Raises:
        InputError: there is no such device on this machine.
        DeviceError: its kernels cannot be used.
    """
    if name == "cpu":
        return None
    if name == "emulated":
        return Device(name, EmulatedKernels())
    if found := _CUDA.fullmatch(name):
        return Device(name, CudaKernels(int(found["index"] or _own_gpu())))
    raise InputError(f"device: expected cpu, cuda, cuda:1, ... or emulated; got {name!r}")


def _own_gpu() -> int:
    """The GPU of this process: workers have one each, in turn where there are more of them."""
    return worker_number() % max(torch.cuda.device_count(), 1)
