"""Generation that is killed again and again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

EVENTS = 400_000
KILLS = 10


def generating(directory: Path, output: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "madnis_py",
        "generate",
        str(directory),
        "--events",
        str(EVENTS),
        "--output",
        str(output),
    ]
    return subprocess.Popen(
        command,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_generation_killed_at_ten_random_moments_ends_with_the_bytes_of_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    Run(Process.from_card("ttbar"), tmp_path / "run", seed=3, method="vegas").integrate(50_000)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    begin = time.monotonic()
    assert generating(tmp_path / "run", tmp_path / "expected.lhe.gz").wait() == 0
    seconds = time.monotonic() - begin
    moments, kept = random.Random(1), []
    for _ in range(KILLS):
        process = generating(tmp_path / "copy", tmp_path / "events.lhe.gz")
        time.sleep(moments.uniform(0.1, 0.9) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (tmp_path / "events.lhe.gz").exists():  # it was complete before it was killed
            (tmp_path / "events.lhe.gz").unlink()
        kept.append(len(list((tmp_path / "copy" / "chunks").rglob("*.npz"))))
    assert max(kept) > 0
    assert generating(tmp_path / "copy", tmp_path / "events.lhe.gz").wait() == 0
    assert (tmp_path / "events.lhe.gz").read_bytes() == (tmp_path / "expected.lhe.gz").read_bytes()
    assert not (tmp_path / "copy" / "chunks").exists()
