"""A GPU, or what it needs, that is not there ends a command with a sentence before it begins."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch
from command_line import call, small_process

from madnis_py.devices import kernel_sources

Patch = pytest.MonkeyPatch


@pytest.fixture
def two_gpus(monkeypatch: Patch) -> None:
    """torch and the driver say that there are two GPUs."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (9, 0))
    driver = import_module("cuda.bindings.driver")
    monkeypatch.setattr(driver, "cuDriverGetVersion", lambda: (0, 13000))


def torch_without_cuda(patch: Patch, folder: Path) -> None:
    patch.setattr(torch.version, "cuda", None)


def no_gpu(patch: Patch, folder: Path) -> None:
    def init() -> None:
        raise RuntimeError("No CUDA GPUs are available")

    patch.setattr(torch.cuda, "init", init)


def driver_too_old_for_torch(patch: Patch, folder: Path) -> None:
    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).")

    patch.setattr(torch.cuda, "init", init)


def one_gpu(patch: Patch, folder: Path) -> None:
    patch.setattr(torch.cuda, "device_count", lambda: 1)


def driver_too_old_for_nvrtc(patch: Patch, folder: Path) -> None:
    patch.setattr(import_module("cuda.bindings.driver"), "cuDriverGetVersion", lambda: (0, 11080))


def no_nvrtc(patch: Patch, folder: Path) -> None:
    def version() -> None:
        raise import_module("cuda.pathfinder").DynamicLibNotFoundError("libnvrtc.so.13")

    patch.setattr(import_module("cuda.bindings.nvrtc"), "nvrtcVersion", version)


def no_cuda_core(patch: Patch, folder: Path) -> None:
    patch.setitem(sys.modules, "cuda.core", None)


def kernels_that_do_not_compile(patch: Patch, folder: Path) -> None:
    (folder / "cpp" / "cuda").mkdir(parents=True)
    (folder / "cpp" / "cuda" / "own.cu").write_text("nonsense;\n")
    patch.setattr(kernel_sources, "source_folder", lambda: folder / "cpp")


MISSING: dict[Callable[[Patch, Path], None], str] = {
    torch_without_cuda: "expected a torch that was built with CUDA; got torch",
    no_gpu: "expected a GPU that torch can use; No CUDA GPUs are available",
    driver_too_old_for_torch: "expected a GPU that torch can use; The NVIDIA driver .* too old",
    one_gpu: "expected cuda:0, which this machine has; got cuda:1",
    driver_too_old_for_nvrtc: r"expected a driver for CUDA \d+, .* got one for CUDA 11\.8",
    no_nvrtc: "expected the library NVRTC, .* pip install nvidia-cuda-nvrtc",
    no_cuda_core: r"expected the packages cuda-core and cuda-bindings, .*'madnis_py\[cuda\]'",
    kernels_that_do_not_compile: r"own\.cu does not compile with NVRTC .* for sm_90: own\.cu\(1\)",
}


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("missing", MISSING, ids=lambda missing: missing.__name__)
def test_a_run_is_refused_in_a_sentence_and_nothing_is_written(
    missing: Callable[[Patch, Path], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: Patch,
) -> None:
    small_process(tmp_path)
    monkeypatch.chdir(tmp_path)
    missing(monkeypatch, tmp_path)
    done = call(["run", "small.toml", "-o", "run", "--device", "cuda:1"], capsys, monkeypatch)
    assert done.status == 2
    assert not Path("run").exists()
    assert re.fullmatch(f"madnis-py: device: {MISSING[missing]}.*\n", done.err), done.err
