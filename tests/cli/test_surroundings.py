"""Signals, lack of memory and lost directories end a command with a sentence; it can go on."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import Outcome, call, small_process

from madnis_py.errors import MadnisError, from_surroundings
from madnis_py.physics.process import evaluation
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress
from madnis_py.run.display import progress_display
from madnis_py.run.run import Run

GOES_ON = "the same command goes on from here"
SLOW = partial(pytest.param, marks=pytest.mark.slow)
COMMAND = (
    "run",
    "small.toml",
    "-o",
    "run",
    "--points",
    "20000",
    "--events",
    "200",
    "--threads",
    "1",
)


@pytest.fixture
def command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    small_process(tmp_path)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: call(arguments or COMMAND, capsys, monkeypatch)


@pytest.fixture
def strike(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Lets something happen, once, when a stage first tells of its progress."""
    original = progress_display.LogDisplay.__call__

    def in_stage(stage: str, happens: Callable[[], object]) -> None:
        left = [happens]

        def update(self: progress_display.LogDisplay, progress: StageProgress) -> None:
            original(self, progress)
            if progress.stage == stage and left:
                left.pop()()

        monkeypatch.setattr(progress_display.LogDisplay, "__call__", update)

    return in_stage


@pytest.mark.parametrize("number", [signal.SIGTERM, *map(SLOW, (signal.SIGINT, signal.SIGHUP))])
def test_a_signal_ends_a_run_with_a_sentence_and_the_same_command_goes_on(
    number: signal.Signals,
    command: Callable[..., Outcome],
    strike: Callable[..., None],
    tmp_path: Path,
) -> None:
    handlers = [signal.getsignal(one) for one in signal.valid_signals()]
    strike("train", lambda: os.kill(os.getpid(), number))
    done = command()
    assert done.status == 128 + number
    assert done.err == f"madnis-py: interrupted; {GOES_ON}\n"
    assert list((tmp_path / "run").glob("survey.*.safetensors"))
    assert not (tmp_path / "run" / "events.lhe.gz").exists()
    assert [signal.getsignal(one) for one in signal.valid_signals()] == handlers
    assert command().status == 0
    assert (tmp_path / "run" / "events.lhe.gz").exists()


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_so(
    command: Callable[..., Outcome], strike: Callable[..., None]
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        strike("train", lambda: os.kill(os.getpid(), signal.SIGHUP))
        assert command("train", *COMMAND[1:4]).status == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))


def no_more_threads() -> None:
    raise RuntimeError("can't start new thread")


def no_module() -> None:
    raise ImportError("libtorch_cpu.so: failed to map segment from shared object")


class CUDAError(Exception):
    """As cuda.core raises it, whose class is not public."""


def no_gpu_memory() -> None:
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.15 GiB "
        "of which 5.06 GiB is free. Process 1 has 3.00 GiB memory in use."
    )


def no_gpu_memory_of_the_driver() -> None:
    raise CUDAError("CUDA_ERROR_OUT_OF_MEMORY: The API call failed")


def lost_gpu() -> None:
    raise torch.AcceleratorError(
        "CUDA error: unspecified launch failure\nCUDA kernel errors might be reported late"
    )


def broken_gpu() -> None:
    raise torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered\nmore")


def lost_gpu_of_the_driver() -> None:
    raise CUDAError("CUDA_ERROR_DEVICE_UNAVAILABLE: This error indicates that the device")


def broken() -> None:
    raise BrokenExecutor("A process in the process pool was terminated abruptly")


SHORTAGES: dict[str, tuple[Callable[[], object], str]] = {
    "python": (lambda: [0] * (1 << 60), "enough memory"),
    "numpy": (lambda: np.empty(1 << 58), "enough memory"),
    "torch": (lambda: torch.empty(1 << 58), "enough memory"),
    "system": (lambda: refuse(errno.ENOMEM), "enough memory"),
    "loader": (no_module, "enough memory"),
    "files": (lambda: refuse(errno.EMFILE), "enough open files"),
    "threads": (no_more_threads, "enough threads"),
    "gpu": (
        no_gpu_memory,
        "the GPU did not give enough memory .20.00 GiB were asked for, of 79.15 GiB are 5.06 GiB "
        "free.",
    ),
    "driver": (no_gpu_memory_of_the_driver, "the GPU did not give enough memory"),
    "lost gpu": (lost_gpu, "the GPU was lost .CUDA error: unspecified launch failure."),
    "broken gpu": (
        broken_gpu,
        "the GPU was lost .CUDA error: uncorrectable ECC error encountered.",
    ),
    "lost driver": (lost_gpu_of_the_driver, "the GPU was lost .CUDA_ERROR_DEVICE_UNAVAILABLE"),
    "workers": (broken, "a process that worked for this run has died"),
}


@pytest.mark.parametrize("name", SHORTAGES)
def test_a_shortage_is_told_in_a_sentence(
    name: str, command: Callable[..., Outcome], strike: Callable[..., None]
) -> None:
    happens, words = SHORTAGES[name]
    strike("prior", happens)
    done = command()
    assert done.status == 1
    assert re.fullmatch(rf"madnis-py: .*{words}.*; {GOES_ON}\n", done.err), done.err


def test_a_shortage_ends_a_command_without_stages_with_a_sentence_too(
    command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "points.json").write_text('{"points": []}')
    monkeypatch.setattr(evaluation, "evaluate_points", lambda *_, **__: no_gpu_memory())
    done = command("evaluate", "small.toml", "--momenta", "points.json")
    assert done.status == 1
    assert re.fullmatch(r"madnis-py: the GPU did not give enough memory .*\n", done.err), done.err


def test_a_run_whose_gpu_is_lost_goes_on_with_the_same_command(
    command: Callable[..., Outcome], strike: Callable[..., None], tmp_path: Path
) -> None:
    strike("train", lost_gpu)
    done = command()
    assert done.status == 1
    assert done.err.startswith("madnis-py: the GPU was lost")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("survey.*")}
    assert kept
    assert not (tmp_path / "run" / "events.lhe.gz").exists()
    assert command().status == 0
    assert (tmp_path / "run" / "events.lhe.gz").exists()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`", "enough memory"),
        ("CUDA error: out of memory", "enough memory"),
        ("CUDA driver error: out of memory", "enough memory"),
        ("CUDA driver error: unknown error", "lost"),
        ("CUDA error: CUDA-capable device(s) is/are busy or unavailable", "lost"),
        ("CUDA error: the launch timed out and was terminated", "lost"),
    ],
)
def test_other_words_of_torch_about_a_gpu_are_understood(words: str, sentence: str) -> None:
    told = from_surroundings(RuntimeError(f"{words}\nmore"))
    assert told is not None
    assert sentence in str(told)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("stages"),
        ValueError("memory"),
        RuntimeError("a mistake"),
        OSError(5, ""),
        RuntimeError("CUDA error: an illegal memory access"),
    ],
)
def test_a_mistake_in_the_code_is_not_taken_for_a_shortage(error: Exception) -> None:
    assert from_surroundings(error) is None


@pytest.mark.parametrize(
    "stage", ["prior", *map(SLOW, ("survey", "train", "integrate madnis", "generate"))]
)
def test_a_directory_that_goes_away_is_told_and_the_run_can_be_begun_again(
    stage: str, tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    seen: list[StageProgress] = []

    def watch(progress: StageProgress) -> None:
        if progress.stage == stage and not seen:
            seen.append(progress)
            shutil.rmtree(directory)

    process = small_process(tmp_path)
    with pytest.raises(MadnisError, match=re.escape(str(directory))) as told:
        Run(process, directory, watch=watch).execute(200, 20_000)
    assert told.value.exit_status == 1, told.value
    assert not (directory / "run.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("workers", [("--threads", "2"), ("--workers", "2")])
def test_a_generation_that_a_signal_ends_goes_on_to_the_same_bytes(
    number: signal.Signals, workers: tuple[str, str], tmp_path: Path
) -> None:
    Run(Process.from_card("ttbar"), tmp_path / "run", seed=3, method="vegas").integrate(20_000)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")

    def generating(name: str) -> subprocess.Popen[str]:
        command = [
            "generate",
            str(tmp_path / name),
            "--events",
            "200000",
            "--output",
            str(tmp_path / f"{name}.lhe"),
            *workers,
        ]
        return subprocess.Popen(
            [sys.executable, "-m", "madnis_py", *command], stderr=subprocess.PIPE, text=True
        )

    def is_done(process: subprocess.Popen[str]) -> bool:
        process.communicate()
        return process.returncode == 0

    assert is_done(generating("run"))
    interrupted = generating("copy")
    while not list((tmp_path / "copy" / "chunks").rglob("*.npz")):
        time.sleep(0.01)
    interrupted.send_signal(number)
    assert GOES_ON in interrupted.communicate()[1]
    assert interrupted.returncode == 128 + number
    assert not (tmp_path / "copy.lhe").exists()
    assert list((tmp_path / "copy" / "chunks").rglob("*.npz"))
    assert is_done(generating("copy"))
    assert (tmp_path / "copy.lhe").read_bytes() == (tmp_path / "run.lhe").read_bytes()
