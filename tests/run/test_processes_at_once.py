"""Several processes in one run directory at once."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import multiprocessing
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Barrier

import pytest
from command_line import small_process

from madnis_py import cli
from madnis_py.card.documents import fingerprint
from madnis_py.errors import LockedError, OutputError
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

EVENTS, POINTS = 200, 20_000

Command = Sequence[str | Path]


def work(commands: Sequence[Command], begin: Barrier, log: Path) -> None:
    """Do commands when all processes are ready; statuses and errors go to a file."""
    said, statuses = io.StringIO(), []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        begin.wait()
        for command in commands:
            sys.argv = ["madnis-py", *map(str, command)]
            try:
                cli.main()
            except SystemExit as end:
                statuses.append(end.code or 0)
    log.write_text(json.dumps([statuses, said.getvalue()]))


def at_once(each: Sequence[Sequence[Command]], logs: Path) -> list[tuple[list[int], str]]:
    """Statuses and sentences of processes that begin at once; each does its commands in order."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["madnis_py.run.run"])
    begin = context.Barrier(len(each))
    paths = [logs / f"{number}.json" for number in range(len(each))]
    processes = [
        context.Process(target=work, args=(commands, begin, path))
        for commands, path in zip(each, paths, strict=True)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [tuple(json.loads(path.read_text())) for path in paths]


@pytest.fixture
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a cross section."""
    folder = tmp_path_factory.mktemp("ready")
    card = small_process(folder).card.updated({"channels": {"prior": "diagram"}})
    Run(Process.from_card(card), folder / "run", seed=5, method="vegas").integrate(POINTS)
    return folder / "run"


@pytest.fixture
def directory(ready: Path, tmp_path: Path) -> Path:
    shutil.copytree(ready, tmp_path / "run")
    return tmp_path / "run"


def generate(directory: Path, output: Path, seed: int, *options: str) -> list[str | Path]:
    wanted = ["--events", str(EVENTS), "--seed", str(seed), "--output", str(output)]
    return ["generate", directory, *wanted, "--threads", "1", *options]


def check(directory: Path, outputs: Sequence[Path], expected: Sequence[bytes]) -> None:
    """Every file is complete, run.json knows all of them, and nothing else is left."""
    made = {
        entry["file"]: entry
        for entry in json.loads((directory / "run.json").read_text())["event_files"]
    }
    for output, content in zip(outputs, expected, strict=True):
        assert output.read_bytes() == content
        entry = made[str(output)]
        assert (entry["size"], entry["sha256"]) == fingerprint(output)
    assert not (directory / "chunks").exists()
    assert not [
        path
        for path in (*directory.iterdir(), *outputs[0].parent.iterdir())
        if path.name.startswith(".")
    ]


def test_two_seeds_at_once_make_the_files_that_one_after_the_other_make(
    directory: Path, tmp_path: Path, logs: Path
) -> None:
    outputs = [tmp_path / f"events{seed}.lhe" for seed in (1, 2)]
    expected = []
    for seed in (1, 2):
        Run.open(directory).generate(EVENTS, tmp_path / "alone.lhe", seed)
        expected.append((tmp_path / "alone.lhe").read_bytes())
    (tmp_path / "alone.lhe").unlink()
    commands = [
        [generate(directory, output, seed)] for seed, output in zip((1, 2), outputs, strict=True)
    ]
    assert at_once(commands, logs) == [([0], "")] * 2
    check(directory, outputs, expected)


@pytest.mark.slow
def test_the_same_file_twice_at_once_is_made_by_one_and_the_other_waits(
    directory: Path, tmp_path: Path, logs: Path
) -> None:
    output = tmp_path / "events.lhe"
    expected = Run.open(directory).generate(EVENTS, output, 1).read_bytes()
    output.unlink()
    assert at_once([[generate(directory, output, 1, "--wait")]] * 2, logs) == [([0], "")] * 2
    check(directory, [output], [expected])


def test_a_file_that_another_process_makes_is_refused_with_its_name(
    directory: Path, tmp_path: Path
) -> None:
    run, output = Run.open(directory), tmp_path / "events.lhe"
    with (
        run.directory.making(output),
        pytest.raises(LockedError, match=rf"events.lhe: process {os.getpid()} on "),
    ):
        Run.open(directory).generate(EVENTS, output)
    assert not output.exists()
    run.generate(EVENTS, output)


@pytest.mark.parametrize(
    ("number", "way_out"), [(errno.EROFS, "; copy .* to where you may write"), (errno.EIO, "$")]
)
def test_a_run_directory_that_cannot_be_written_is_to_be_copied(
    number: int, way_out: str, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(number, os.strerror(number))

    run = Run.open(directory)
    monkeypatch.setattr("madnis_py.file_lock.locked", refuse)
    with pytest.raises(
        OutputError, match=rf"\.lock: cannot be written: {os.strerror(number)}{way_out}"
    ):
        run.generate(EVENTS, tmp_path / "events.lhe")


def test_a_stage_that_all_share_is_refused_while_another_process_works(
    directory: Path, tmp_path: Path
) -> None:
    run = Run.open(directory)
    with run.directory.working():
        with pytest.raises(LockedError, match=rf"run: process {os.getpid()} on .* \(--wait\)"):
            Run.open(directory).integrate(2 * POINTS)
        Run.open(directory).generate(EVENTS, tmp_path / "events.lhe")
    assert Run.open(directory).integrate(2 * POINTS).points == 2 * POINTS


TRIES = 50


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 4, 8])
def test_many_processes_fifty_times_are_all_right_or_say_one_sentence(
    directory: Path, tmp_path: Path, logs: Path, count: int
) -> None:
    """Every other process has files of its own, the others all make the same one."""
    own = {number: tmp_path / f"events{number}.lhe" for number in range(1, count, 2)}
    shared = tmp_path / "shared.lhe"
    seeds = {number: 1000 * number if number in own else 0 for number in range(count)}
    each = [
        [generate(directory, own.get(number, shared), seed + k) for k in range(TRIES)]
        for number, seed in seeds.items()
    ]
    for number, (statuses, said) in enumerate(at_once(each, logs)):
        assert len(statuses) == TRIES
        sentences = said.splitlines()
        assert len(sentences) == sum(statuses) == statuses.count(1)
        assert number not in own or not sentences
        assert all(
            "shared.lhe: process" in sentence and "works on it" in sentence
            for sentence in sentences
        )
    made = {
        entry["file"]: entry
        for entry in json.loads((directory / "run.json").read_text())["event_files"]
    }
    outputs = [*own.values(), shared]
    expected = []
    for output in outputs:
        alone = Run.open(directory).generate(
            EVENTS, tmp_path / "alone.lhe", made[str(output)]["seed"]
        )
        expected.append(alone.read_bytes())
    check(directory, outputs, expected)
    assert all(made[str(output)]["seed"] % 1000 == TRIES - 1 for output in own.values())


@pytest.mark.slow
def test_eight_processes_that_begin_one_run_end_with_the_same_run(
    tmp_path: Path, logs: Path
) -> None:
    small_process(tmp_path)
    command: list[str | Path] = [
        "run",
        tmp_path / "small.toml",
        "-o",
        tmp_path / "run",
        "--events",
        "100",
        "--points",
        str(POINTS),
    ]
    ends = at_once([[[*command, "--method", "vegas", "--threads", "1", "--wait"]]] * 8, logs)
    assert [statuses for statuses, _ in ends] == [[0]] * 8
    assert json.loads((tmp_path / "run" / "run.json").read_text())["events"] == 100
