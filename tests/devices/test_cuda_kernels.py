"""Kernels of a GPU where torch and the driver pretend that there is one: launches, refusals."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from command_line import small_process
from places import ROOT, TESTS

from madnis_py.array_cache import ArrayCache
from madnis_py.devices import kernel_sources as sources_of_kernels
from madnis_py.devices.cuda_kernels import CudaKernels
from madnis_py.devices.device import device_of
from madnis_py.errors import DeviceError
from madnis_py.progress import StageProgress, unwatched

SOURCE = 'extern "C" __global__ void scale(double* y, double a, long n) { y[n] *= a; }\n'


Through = Callable[..., subprocess.CompletedProcess[str]]
"""Runs a script of tests/support with a driver that runs kernels on the processor."""


class Gpu:
    """A GPU of compute capability 9.0 and its driver, as torch and cuda.core show them.

    Attributes:
        launched: (device, stream, grid, block, shared bytes, kernel, arguments) of each launch.
        allowed: (kernel, shared bytes) of each permission for more shared memory.
        current: the device that is current.
    """

    def __init__(self) -> None:
        self.launched: list[tuple[Any, ...]] = []
        self.allowed: list[tuple[str, int]] = []
        self.current: torch.device | None = None

    @contextmanager
    def device(self, wanted: torch.device) -> Iterator[None]:
        before, self.current = self.current, wanted
        yield
        self.current = before

    def current_stream(self) -> SimpleNamespace:
        assert self.current is not None
        return SimpleNamespace(cuda_stream=4096 + self.current.index)

    def launch(self, stream: Any, config: Any, kernel: Any, *arguments: int | float) -> None:
        self.launched.append(
            (
                int(stream.handle),
                config.grid,
                config.block,
                config.shmem_size,
                kernel.handle,
                arguments,
            )
        )

    def allow(self, attribute: Any, value: int, kernel: str, index: int) -> tuple[Any]:
        driver = import_module("cuda.bindings.driver")
        assert (
            attribute == driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        )
        self.allowed.append((kernel, value))
        return (driver.CUresult.CUDA_SUCCESS,)


class Code:
    """Code in the memory of the GPU."""

    @staticmethod
    def from_cubin(cubin: bytes, *, name: str) -> Code:
        code = Code()
        code.cubin = cubin
        return code

    cubin: bytes

    def get_kernel(self, name: str) -> SimpleNamespace:
        if f".text.{name}\0".encode() not in self.cubin:
            raise Exception(
                "CUDA_ERROR_NOT_FOUND: This indicates that a named symbol was not found"
            )
        return SimpleNamespace(handle=name)


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    gpu = Gpu()
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    properties = SimpleNamespace(shared_memory_per_block_optin=227 * 1024)
    for name, value in {
        "init": lambda: None,
        "device_count": lambda: 2,
        "get_device_capability": lambda index: (9, 0),
        "get_device_properties": lambda device: properties,
        "device": gpu.device,
        "current_stream": gpu.current_stream,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    core, driver = import_module("cuda.core"), import_module("cuda.bindings.driver")
    monkeypatch.setattr(core, "ObjectCode", Code)
    monkeypatch.setattr(core, "launch", gpu.launch)
    monkeypatch.setattr(driver, "cuKernelSetAttribute", gpu.allow)
    monkeypatch.setattr(driver, "cuCtxGetCurrent", lambda: (0, 4096))
    monkeypatch.setattr(driver, "cuDriverGetVersion", lambda: (0, 13000))

    sources = tmp_path / "cpp"
    (sources / "cuda").mkdir(parents=True)
    (sources / "cuda" / "own.cu").write_text(SOURCE)
    monkeypatch.setattr(sources_of_kernels, "source_folder", lambda: sources)
    return gpu


@pytest.fixture
def kernels(gpu: Gpu, tmp_path: Path) -> CudaKernels:
    kernels = CudaKernels(1, ArrayCache(tmp_path / "cache"))
    assert kernels.torch_device == torch.device("cuda:1")
    return kernels


class OnTheGpu(torch.Tensor):
    """A tensor that says it lies on the second GPU."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("cuda:1")


def on_the_gpu(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(OnTheGpu)


def test_a_kernel_is_launched_on_the_current_stream_of_its_device(
    kernels: CudaKernels, gpu: Gpu
) -> None:
    y = on_the_gpu(torch.zeros(4))
    kernels.launch("own", "scale", 1000, y, 0.5, 7, block=256, shared_bytes=64)
    kernels.launch("own", "scale", 128, y, 2.0, 1)
    stream = 4097
    assert gpu.launched == [
        (stream, (4, 1, 1), (256, 1, 1), 64, "scale", (y.data_ptr(), 0.5, 7)),
        (stream, (1, 1, 1), (128, 1, 1), 0, "scale", (y.data_ptr(), 2.0, 1)),
    ]
    assert gpu.current is None


def test_nothing_is_launched_for_no_threads(kernels: CudaKernels, gpu: Gpu) -> None:
    kernels.launch("own", "scale", 0, 1.0)
    assert not gpu.launched


def test_a_tensor_elsewhere_is_a_mistake(kernels: CudaKernels) -> None:
    with pytest.raises(AssertionError):
        kernels.launch("own", "scale", 1, torch.zeros(1), 0.5, 0)


def test_much_shared_memory_is_asked_for_once_and_never_taken_back(
    kernels: CudaKernels, gpu: Gpu
) -> None:
    for kibibytes in (48, 100, 60, 100, 120):
        kernels.launch("own", "scale", 1, 0, 0.5, 0, shared_bytes=kibibytes * 1024)
    assert gpu.allowed == [("scale", 100 * 1024), ("scale", 120 * 1024)]


def test_more_shared_memory_than_there_is_is_refused_in_a_sentence(kernels: CudaKernels) -> None:
    wanted = 228 * 1024
    with pytest.raises(DeviceError, match=rf"expected {wanted} bytes.*the GPU has {227 * 1024}"):
        kernels.launch("own", "scale", 1, 0, 0.5, 0, shared_bytes=wanted)


def test_an_unknown_kernel_is_refused_in_a_sentence(kernels: CudaKernels) -> None:
    with pytest.raises(DeviceError, match=r"own\.cu: expected a kernel nothing; it has none"):
        kernels.launch("own", "nothing", 1)


def test_kernels_are_compiled_beforehand_with_a_word_about_it_and_only_once(
    kernels: CudaKernels, gpu: Gpu, tmp_path: Path
) -> None:
    told: list[StageProgress] = []
    kernels.prepare(told.append)
    assert told == [StageProgress("compile", done, 1, "files of kernels") for done in (0, 1)]
    kernels.prepare(told.append)
    assert len(told) == 2


def test_a_kernel_that_does_not_compile_is_told_and_nothing_is_kept(
    kernels: CudaKernels, tmp_path: Path
) -> None:
    (tmp_path / "cpp" / "cuda" / "own.cu").write_text("nonsense")
    with pytest.raises(DeviceError, match=r"own\.cu does not compile with NVRTC .* for sm_90: "):
        kernels.prepare(unwatched)
    assert not (tmp_path / "cache").exists()


def test_a_torch_without_cuda_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)  # also one for GPUs of AMD
    with pytest.raises(DeviceError, match=r"expected a torch that was built with CUDA; got torch"):
        device_of("cuda")


@pytest.mark.parametrize(
    "words",
    [
        "No CUDA GPUs are available",
        "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU",
        "The NVIDIA driver on your system is too old (found version 11040). Please update",
    ],
)
def test_what_torch_says_of_a_missing_gpu_or_an_old_driver_is_passed_on(
    words: str, gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init() -> None:
        raise RuntimeError(f"{words}\nmore")

    monkeypatch.setattr(torch.cuda, "init", init)
    with pytest.raises(DeviceError) as told:
        device_of("cuda:0")
    assert told.value.sentence == f"device: expected a GPU that torch can use; {words}"
    assert told.value.exit_status == 2


def test_a_gpu_that_is_not_there_is_told_with_those_that_are(gpu: Gpu) -> None:
    with pytest.raises(DeviceError) as told:
        device_of("cuda:2")
    assert told.value.sentence == (
        "device: expected cuda:0 to cuda:1, which this machine has; got cuda:2"
    )
    assert told.value.exit_status == 2


def test_a_driver_older_than_the_compiler_is_told(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = import_module("cuda.bindings.driver")
    monkeypatch.setattr(driver, "cuDriverGetVersion", lambda: (0, 12040))
    monkeypatch.setattr(import_module("cuda.bindings.nvrtc"), "nvrtcVersion", lambda: (0, 13, 0))
    with pytest.raises(DeviceError, match=r"expected a driver for CUDA 13.*got one for CUDA 12\.4"):
        CudaKernels()


def test_an_older_driver_of_the_same_major_version_will_do(
    gpu: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("cuda.bindings.nvrtc"), "nvrtcVersion", lambda: (0, 13, 5))
    assert CudaKernels().torch_device == torch.device("cuda:0")


@pytest.fixture(scope="module")
def through_a_driver(
    tmp_path_factory: pytest.TempPathFactory,
) -> Through:
    folder = tmp_path_factory.mktemp("driver")
    support = TESTS / "support"
    library, source = str(folder / "libcuda.so.1"), str(support / "emulated_driver.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder),
        "MADNIS_EMULATED": str(ROOT / "madnis_py" / "_core_emulated.so"),
        "PYTHONPATH": str(ROOT),
    }

    def run(
        script: str, *arguments: str, cwd: Path, **more: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", support / script, *arguments],
            cwd=cwd,
            env=environment | more,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_launches_reach_a_driver_with_grids_memory_and_arguments_as_they_are_meant(
    through_a_driver: Through, tmp_path: Path
) -> None:
    done = through_a_driver("kernels_through_a_driver.py", cwd=tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_run_whose_gpu_is_lost_goes_on_to_the_events_of_an_emulated_run(
    through_a_driver: Through, tmp_path: Path
) -> None:
    small_process(tmp_path)

    def run(device: str, **more: str) -> subprocess.CompletedProcess[str]:
        size = ["--points", "6000", "--events", "100", "--threads", "1"]
        command = ["run", "small.toml", "-o", device, "--device", device, *size]
        return through_a_driver("pretended_gpu.py", *command, cwd=tmp_path, **more)

    def events(device: str) -> bytes:
        text = gzip.decompress((tmp_path / device / "events.lhe.gz").read_bytes())
        return text.partition(b"</header>")[2]

    lost = run("cuda", MADNIS_LAUNCHES="500")
    assert lost.returncode == 1
    assert re.fullmatch(
        r"madnis-py: the GPU was lost \(CUDA_ERROR_LAUNCH_FAILED: .*\); "
        r"the same command goes on from here\n",
        lost.stderr,
    )
    assert list((tmp_path / "cuda").glob("survey.*.safetensors"))
    assert not (tmp_path / "cuda" / "events.lhe.gz").exists()
    for device in ("cuda", "emulated"):
        done = run(device)
        assert done.returncode == 0, done.stderr
    assert events("cuda").count(b"<event>") == 100
    assert events("cuda") == events("emulated")
