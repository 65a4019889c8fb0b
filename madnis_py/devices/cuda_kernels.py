"""Kernels of an NVIDIA GPU, compiled at first use and launched on the current stream of torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import chain
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from madnis_py.array_cache import ArrayCache
from madnis_py.devices.compilation import NvrtcCompiler, cuda_core
from madnis_py.devices.kernel_sources import kernel_sources
from madnis_py.devices.kernels import BLOCK, Argument, Kernels, blocks_of_threads
from madnis_py.errors import DeviceError
from madnis_py.progress import StageProgress, Watch

WITHOUT_ASKING = 48 * 1024
"""Bytes of shared memory that a block may have unless its kernel is told to allow more."""


class CudaKernels(Kernels):
    """Kernels of one GPU.

    Args:
        index: of the GPU, as torch counts them.
        cache: keeps compiled kernels between runs.

    Raises:
        DeviceError: there is no such GPU, or what it needs is missing or too old.
    """

    def __init__(self, index: int = 0, cache: ArrayCache | None = None) -> None:
        _require_gpu(index)
        self._index = index
        self.torch_device = torch.device("cuda", index)
        self._cuda = cuda_core()
        self._driver = import_module("cuda.bindings.driver")
        major, minor = torch.cuda.get_device_capability(index)
        self._compiler = NvrtcCompiler(f"sm_{major}{minor}")
        _require_driver(self._compiler.version)
        self._cache = cache or ArrayCache()
        self._codes: dict[str, Any] = {}
        self._loaded: dict[tuple[str, str], Any] = {}
        self._shared_bytes: dict[tuple[str, str], int] = {}
        self._streams: dict[int, Any] = {}
        self._loading = Lock()

    def prepare(self, watch: Watch) -> None:
        """See `Kernels.prepare`."""
        missing = [
            source for source in kernel_sources() if self._compiler.key(source) not in self._cache
        ]
        if not missing:
            return
        with ThreadPoolExecutor() as pool:
            compiled = pool.map(lambda source: self._compiler.kept(source, self._cache), missing)
            for done, _ in enumerate(chain([None], compiled)):
                watch(StageProgress("compile", done, len(missing), "files of kernels"))

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
        config = self._cuda.LaunchConfig(
            grid=blocks_of_threads(threads, block), block=block, shmem_size=shared_bytes
        )
        with torch.cuda.device(self.torch_device):
            self._require_context()
            kernel = self._kernel(source, name, shared_bytes)
            self._cuda.launch(self._current_stream(), config, kernel, *map(self._value, arguments))

    def _require_context(self) -> None:
        """Give a thread that has not called the GPU yet the context of torch.

        The runtime of CUDA, which torch calls, does so by itself at the first call that needs one;
        a launch through the driver does not, and choosing the GPU that is chosen is no such call.
        """
        _, context = self._driver.cuCtxGetCurrent()
        if int(context) == 0:
            result, primary = self._driver.cuDevicePrimaryCtxRetain(self._index)
            assert result == self._driver.CUresult.CUDA_SUCCESS, result
            self._driver.cuCtxSetCurrent(primary)

    def _current_stream(self) -> Any:
        """The stream of torch, as cuda.core takes it."""
        handle = torch.cuda.current_stream().cuda_stream
        if handle not in self._streams:
            self._streams[handle] = self._cuda.Stream.from_handle(handle)
        return self._streams[handle]

    def free_bytes(self) -> int:
        """See `Kernels.free_bytes`."""
        free, _ = torch.cuda.mem_get_info(self.torch_device)
        reserved = torch.cuda.memory_reserved(self.torch_device)
        return free + reserved - torch.cuda.memory_allocated(self.torch_device)

    def _value(self, argument: Argument) -> int | float:
        """What cuda.core passes on: an int has the 64 bits of an address or of std::int64_t."""
        if isinstance(argument, Tensor):
            assert argument.device == self.torch_device
            return argument.data_ptr()
        return argument

    def _kernel(self, source: str, name: str, shared_bytes: int) -> Any:
        """A kernel in the memory of the GPU, whose blocks may have so much shared memory."""
        place = source, name
        with self._loading:
            if place not in self._loaded:
                self._loaded[place] = self._load(source, name)
            kernel = self._loaded[place]
            if shared_bytes > self._shared_bytes.get(place, WITHOUT_ASKING):
                self._allow_shared_memory(kernel, shared_bytes)
                self._shared_bytes[place] = shared_bytes
            return kernel

    def _load(self, source: str, name: str) -> Any:
        if source not in self._codes:
            cubin = self._compiler.kept(source, self._cache).cubin
            self._codes[source] = self._cuda.ObjectCode.from_cubin(cubin, name=source)
        try:
            return self._codes[source].get_kernel(name)
        except Exception as error:
            if "CUDA_ERROR_NOT_FOUND" not in str(error):
                raise
            raise DeviceError(f"{source}.cu: expected a kernel {name}; it has none") from error

    def _allow_shared_memory(self, kernel: Any, wanted: int) -> None:
        properties: Any = torch.cuda.get_device_properties(self.torch_device)
        there = properties.shared_memory_per_block_optin
        if wanted > there:
            raise DeviceError(
                f"device: expected {wanted} bytes of memory that a block can share; the GPU has "
                f"{there}"
            )
        driver = self._driver
        attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        (result,) = driver.cuKernelSetAttribute(attribute, wanted, kernel.handle, self._index)
        assert result == driver.CUresult.CUDA_SUCCESS, result


def _require_gpu(index: int) -> None:
    """Raise an error unless torch can use the GPU."""
    if torch.version.cuda is None:
        raise DeviceError(
            f"device: expected a torch that was built with CUDA; got torch {torch.__version__}"
        )
    try:
        torch.cuda.init()
    except RuntimeError as error:
        told = str(error).splitlines()[0]
        raise DeviceError(f"device: expected a GPU that torch can use; {told}") from error
    there = torch.cuda.device_count()
    if index >= there:
        known = "cuda:0" if there == 1 else f"cuda:0 to cuda:{there - 1}"
        raise DeviceError(f"device: expected {known}, which this machine has; got cuda:{index}")


def _require_driver(compiled_for: tuple[int, int]) -> None:
    """Raise an error where the driver is of an earlier major version than the compiler.

    Within a major version code of a newer compiler runs on an older driver.
    """
    _, number = import_module("cuda.bindings.driver").cuDriverGetVersion()
    major, minor = number // 1000, number % 1000 // 10
    if major < compiled_for[0]:
        raise DeviceError(
            f"device: expected a driver for CUDA {compiled_for[0]}, which the kernels are compiled "
            f"for; got one for CUDA {major}.{minor}: a newer driver, or torch for CUDA {major}, "
            "would do"
        )
