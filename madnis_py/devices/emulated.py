"""Kernels of a GPU emulated on the processor: a launch is a loop over blocks and threads."""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor

from madnis_py.devices.kernels import BLOCK, Argument, Kernels, blocks_of_threads
from madnis_py.errors import DeviceError
from madnis_py.progress import Watch

_LIBRARY = Path(str(files("madnis_py"))) / "_core_emulated.so"


class EmulatedKernels(Kernels):
    """Kernels built from the same sources by the compiler of the processor, for tests.

    Args:
        memory: bytes that are always free, `free_bytes`.

    Raises:
        DeviceError: their library is missing.
    """

    torch_device = torch.device("cpu")

    def __init__(self, memory: int = 2**30) -> None:
        self._launch, self._memory = _library().madnis_launch, memory

    def prepare(self, watch: Watch) -> None:
        """See `Kernels.prepare`; they are compiled when the package is built."""

    def launch(
        self,
        source: str,
        name: str,
        threads: int,
        *arguments: Argument,
        block: int = BLOCK,
        shared_bytes: int = 0,
    ) -> None:
        """See `Kernels.launch`."""
        if threads == 0:
            return
        values = [_value(argument) for argument in arguments]
        addresses = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        blocks = blocks_of_threads(threads, block)
        if self._launch(name.encode(), blocks, block, shared_bytes, addresses):
            raise DeviceError(f"{source}.cu: expected a kernel {name}; {_LIBRARY.name} has none")

    def free_bytes(self) -> int:
        """See `Kernels.free_bytes`."""
        return self._memory


def _value(argument: Argument) -> ctypes.c_void_p | ctypes.c_int64 | ctypes.c_double:
    if isinstance(argument, Tensor):
        assert argument.is_cpu
        return ctypes.c_void_p(argument.data_ptr())
    return ctypes.c_int64(argument) if isinstance(argument, int) else ctypes.c_double(argument)


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(_LIBRARY))
    except OSError as error:
        raise DeviceError(f"device: expected the emulated kernels {_LIBRARY}; {error}") from None
    library.madnis_launch.argtypes = [
        ctypes.c_char_p,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_void_p,
    ]
    library.madnis_launch.restype = ctypes.c_int
    return library
