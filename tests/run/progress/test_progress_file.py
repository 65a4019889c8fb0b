"""Progress files: who works on a directory, as others see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import SMALL_CARD, call, small_process

from madnis_py.card import card as cards
from madnis_py.progress import StageProgress, unwatched
from madnis_py.run.progress import progress_file
from madnis_py.run.progress.progress_file import ProgressFile, workers_of
from madnis_py.run.progress.worker_record import WorkerRecord
from madnis_py.run.run import Run
from madnis_py.run.samples.any_run import begin_run


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.glob(".progress*"))


def test_a_process_is_seen_until_its_outermost_block_ends(tmp_path: Path) -> None:
    progress = ProgressFile(tmp_path)
    assert workers_of(tmp_path) == []
    with progress:
        with progress:
            (worker,) = workers_of(tmp_path)
            assert (worker.pid, worker.stage, worker.share) == (os.getpid(), "", None)
        assert workers_of(tmp_path)
    assert workers_of(tmp_path) == []
    assert files(tmp_path) == []


def test_progress_is_passed_on_and_written_down_with_the_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    seen: list[StageProgress] = []
    with ProgressFile(tmp_path) as progress:
        watch = progress.beside(seen.append)
        watch(StageProgress("train", 10, 50, "steps", sigma=3.5))
        watch(StageProgress("expected", 1, 1, "", note="integrate 3 s"))
        now += 4.0
        watch(StageProgress("train", 30, 50, "steps", sigma=float("nan"), of_decay=True))
        (worker,) = workers_of(tmp_path)
    assert [one.done for one in seen] == [10, 1, 30]
    assert (worker.stage, worker.done, worker.share) == ("train", 30, 0.6)
    assert worker.outlook == "integrate 3 s"
    assert worker.seconds_left == pytest.approx(4.0)
    assert worker.sigma is None
    assert worker.of_decay


def test_writing_takes_no_more_than_a_hundredth_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, written = 0.0, 0

    def clock() -> float:
        return now

    write = os.write

    def slow_write(descriptor: int, content: bytes) -> int:
        nonlocal now, written
        now, written = now + 0.1, written + 1
        return write(descriptor, content)

    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(os, "write", slow_write)
    with ProgressFile(tmp_path) as progress:
        watch = progress.beside(unwatched)
        for step in range(1000):
            watch(StageProgress("train", step, 1000, "steps"))
            now += 0.05
    assert 3 <= written <= 7


def test_a_file_system_that_refuses_stops_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with ProgressFile(folder) as progress:
        (path,) = folder.iterdir()
        path.unlink()
        folder.rmdir()
        progress.beside(unwatched)(StageProgress("train", 1, 2, "steps"))
        assert workers_of(folder) == []
    with ProgressFile(tmp_path / "never") as progress:
        progress.beside(unwatched)(StageProgress("train", 1, 2, "steps"))


WORKING = """
import sys, time
from pathlib import Path
from madnis_py.run.progress.progress_file import ProgressFile
with ProgressFile(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(600)
"""


def test_a_process_that_was_killed_is_at_work_no_more_and_the_next_one_clears_up(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", WORKING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        assert [worker.pid for worker in workers_of(tmp_path)] == [process.pid]
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = files(tmp_path)
    assert len(left) == 1
    assert workers_of(tmp_path) == []
    with ProgressFile(tmp_path):
        assert left[0] not in files(tmp_path)
    assert files(tmp_path) == []


def test_where_nothing_is_locked_silence_tells_that_a_process_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_file, "is_locked", lambda descriptor: None)
    with ProgressFile(tmp_path):
        assert len(workers_of(tmp_path)) == 1
        later = time.time() + 3600
        monkeypatch.setattr(time, "time", lambda: later)
        assert workers_of(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 10, b'{"pid": "1"}'])
def test_a_damaged_file_is_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".progress.123").write_bytes(content)
    (tmp_path / ".progress.link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / ".progress.pipe")
    assert workers_of(tmp_path) == []


def test_stages_of_a_run_are_seen_from_its_directory_while_they_go_on(tmp_path: Path) -> None:
    seen: dict[str, WorkerRecord] = {}

    def watch(progress: StageProgress) -> None:
        for worker in workers_of(tmp_path / "run"):
            seen[worker.stage] = worker

    run = Run(small_process(tmp_path), tmp_path / "run", 5, method="vegas", watch=watch)
    run.integrate(6000)  # as from a notebook
    assert files(run.directory.path) == []
    run.execute(100, 6000)
    assert [stage for stage in seen if stage != "prior"] == [
        "survey",
        "integrate vegas",
        "generate",
    ]
    assert seen["integrate vegas"].total == 6000
    assert seen["generate"].rate_unit == "events/s"
    assert files(run.directory.path) == []


def test_processes_of_a_run_are_seen_in_its_directory_and_in_their_own(tmp_path: Path) -> None:
    text = SMALL_CARD.replace('"p p > e+ e-"', '["p p > e+ e- @1", "p p > mu+ mu- @2"]')
    (tmp_path / "two.toml").write_text(text.replace('"e+,e-" =', '"lepton,lepton" ='))
    whole: set[str] = set()
    second: set[str] = set()

    def watch(progress: StageProgress) -> None:
        whole.update(worker.part for worker in workers_of(tmp_path / "run"))
        second.update(worker.part for worker in workers_of(tmp_path / "run" / "process_2"))

    run = begin_run(
        cards.load(tmp_path / "two.toml"), tmp_path / "run", method="vegas", watch=watch
    )
    run.execute(0, 6000)
    assert {"p p > e+ e- @1", "p p > mu+ mu- @2"} <= whole
    assert second == {""}
    assert not list((tmp_path / "run").rglob(".progress*"))


def test_points_of_a_scan_are_seen_in_its_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SMALL_CARD + '\n[scan]\n"parameters.MZP" = [400.0, 500.0]\n'
    (tmp_path / "scan.toml").write_text(card)
    seen: set[str] = set()
    write = progress_file.ProgressFile._write

    def noted(self: ProgressFile) -> None:
        write(self)
        seen.update(worker.part for worker in workers_of(tmp_path / "scan"))

    monkeypatch.setattr(progress_file.ProgressFile, "_write", noted)
    size = ("--points", "6000", "--events", "0", "--threads", "1", "--method", "vegas")
    done = call(
        ("run", tmp_path / "scan.toml", "-o", tmp_path / "scan", *size), capsys, monkeypatch
    )
    assert done.status == 0, done.err
    assert {part[:4] for part in seen if part} == {"1/2 ", "2/2 "}
    assert not list((tmp_path / "scan").rglob(".progress*"))
