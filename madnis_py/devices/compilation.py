"""Compilation of kernels by NVRTC for the GPU at hand, without a compiler of the system."""

from __future__ import annotations

import hashlib
import io
import json
import re
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from madnis_py.array_cache import ArrayCache
from madnis_py.devices.kernel_sources import include_folders, kernel_sources, source_digest
from madnis_py.errors import DeviceError

_OPTIONS: dict[str, Any] = {
    "std": "c++20",
    "define_macro": "MADNIS_DEVICE",
    "device_as_default_execution_space": True,  # generic lambdas cannot say MADNIS_FN
    "ptxas_options": ["-v"],  # registers, stack and spills of each kernel in the log
}
"""Options of `cuda.core.ProgramOptions`."""

_ERROR = re.compile(r"^.*\berror: .*$", re.MULTILINE)


@dataclass(frozen=True)
class CompiledSource:
    """What NVRTC makes of a source.

    Attributes:
        cubin: code of its kernels for one architecture.
        log: warnings, and what the assembler says about each kernel.
    """

    cubin: bytes
    log: str

    def arrays(self) -> dict[str, Any]:
        """Both as bytes, uint8, for a file."""
        return {
            "cubin": np.frombuffer(self.cubin, np.uint8),
            "log": np.frombuffer(self.log.encode(), np.uint8),
        }


class NvrtcCompiler:
    """NVRTC, compiling for one architecture.

    Args:
        architecture: "sm_90" for compute capability 9.0.

    Attributes:
        version: of CUDA, (major, minor).

    Raises:
        DeviceError: NVRTC, or a package that calls it, is missing.
    """

    def __init__(self, architecture: str) -> None:
        self.version = _nvrtc_version()
        self._architecture = architecture

    def compile(self, source: str) -> CompiledSource:
        """Compile the kernels of a source.

        Args:
            source: stem of a file in `cpp/cuda`.

        Raises:
            DeviceError: they do not compile; the message has the first error.
        """
        core = cuda_core()
        path = kernel_sources()[source]
        options = core.ProgramOptions(
            name=path.name,
            arch=self._architecture,
            include_path=[str(folder) for folder in include_folders()],
            **_OPTIONS,
        )
        log = io.StringIO()
        try:
            compiled = core.Program(path.read_text(), "c++", options).compile("cubin", logs=log)
        except Exception as error:  # the class of cuda.core's errors is not public
            raise DeviceError(self._failure(path.name, str(error))) from error
        return CompiledSource(bytes(compiled.code), log.getvalue())

    def _failure(self, name: str, told: str) -> str:
        found = _ERROR.search(told)
        first = " ".join((found[0] if found else told).split("\0")[0].split())
        compiler = f"NVRTC {self.version[0]}.{self.version[1]}"
        return f"device: {name} does not compile with {compiler} for {self._architecture}: {first}"

    def kept(self, source: str, cache: ArrayCache) -> CompiledSource:
        """A source, compiled unless the cache has it."""
        arrays = cache.get(self.key(source), lambda: self.compile(source).arrays())
        return CompiledSource(arrays["cubin"].tobytes(), arrays["log"].tobytes().decode())

    def key(self, source: str) -> str:
        """Digest of all that the cubin of a source depends on."""
        everything = [source_digest(source), _OPTIONS, self.version, self._architecture]
        return hashlib.sha256(json.dumps(everything).encode()).hexdigest()


def cuda_core() -> Any:
    """The package `cuda.core`, imported where a GPU is used.

    Raises:
        DeviceError: it, or `cuda.bindings` below it, is missing.
    """
    try:
        return import_module("cuda.core")
    except ImportError as error:
        raise DeviceError(
            "device: expected the packages cuda-core and cuda-bindings, which compile and launch "
            f"kernels of a GPU ({error}); pip install 'madnis_py[cuda]' brings them"
        ) from error


def _nvrtc_version() -> tuple[int, int]:
    cuda_core()  # says it in a sentence where the bindings are missing
    try:
        _, major, minor = import_module("cuda.bindings.nvrtc").nvrtcVersion()
    except RuntimeError as error:
        raise DeviceError(
            "device: expected the library NVRTC, which compiles kernels for the GPU; torch with "
            "CUDA brings it, and so does pip install nvidia-cuda-nvrtc"
        ) from error
    return int(major), int(minor)
