"""Gridpacks: the same bytes for the same seed anywhere, and a sentence where they cannot be had."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from event_samples import read_lhe
from places import ROOT
from ufo_models import copied

from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.physics.process.process import Process
from madnis_py.run.abstract_run import AbstractRun
from madnis_py.run.run import Run
from madnis_py.run.samples.any_run import begin_run

SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("packed") / "run"
    made = Run(Process.from_card("ttbar"), directory, seed=4, method="vegas")
    made.integrate(20_000)
    return made


@pytest.fixture(scope="module")
def packed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.gridpack(tmp_path_factory.mktemp("gridpack") / "ttbar.tar.gz")


@pytest.fixture
def unpacked(packed: Path, tmp_path: Path) -> Path:
    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path / "elsewhere", filter="data")
    return tmp_path / "elsewhere" / "ttbar"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def execute(
    script: Path, folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    program = folder.parent / "madnis-py"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m madnis_py "$@"\n'
    )
    program.chmod(0o755)
    settings = {**os.environ, "MADNIS_PY": str(program), **environment}
    return subprocess.run(
        [script, *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


def test_the_same_run_gives_the_same_tarball(run: Run, packed: Path, tmp_path: Path) -> None:
    assert run.gridpack(tmp_path / "ttbar.tar.gz").read_bytes() == packed.read_bytes()


def test_a_gridpack_makes_the_same_bytes_for_the_same_seed_and_others_for_another(
    run: Run, unpacked: Path, work: Path, tmp_path: Path
) -> None:
    made = []
    for seed in ("7", "8"):
        done = execute(unpacked / "run.sh", work, "500", seed)
        assert done.returncode == 0, done.stderr
        assert [path.name for path in work.iterdir()] == ["events.lhe.gz"]
        made.append((work / "events.lhe.gz").read_bytes())
        (work / "events.lhe.gz").unlink()
    direct = Run.open(run.directory.path).generate(500, tmp_path / "direct.lhe.gz", seed=7)
    assert direct.read_bytes() == made[0] != made[1]


CHANNELS = ["e+ e- > d d~", "e+ e- > lq lq~"]


def packed_with_model(folder: Path, definition: str | list[str]) -> tuple[Path, Path, AbstractRun]:
    """The script of an unpacked gridpack, the model of its run, and the run."""
    model = copied("leptoquark", folder, {})
    tables = {
        "process": {"definition": definition, "model": str(model)},
        "beams": {"energy": [500.0, 500.0], "pdf": "none"},
    }
    made = begin_run(Card.parse(tables, "test"), folder / "run", seed=4, method="vegas")
    made.integrate(2_000)
    with tarfile.open(made.gridpack(folder / "pack.tar.gz")) as tar:
        tar.extractall(folder / "elsewhere", filter="data")
    return folder / "elsewhere" / "pack" / "run.sh", model, made


@pytest.mark.parametrize("definition", ["e+ e- > d d~", pytest.param(CHANNELS, marks=SLOW)])
def test_a_gridpack_has_its_model_with_it(
    tmp_path: Path, work: Path, definition: str | list[str]
) -> None:
    """No word of trust is needed where the folder of the model has gone or is another one."""
    script, model, made = packed_with_model(tmp_path, definition)
    direct = made.generate(50, tmp_path / "direct.lhe.gz", seed=7).read_bytes()
    if isinstance(definition, str):
        shutil.rmtree(model)
    else:
        (model / "couplings.py").write_text("")
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    done = execute(script, work, "50", "7", **state)
    assert done.returncode == 0, done.stderr
    assert (work / "events.lhe.gz").read_bytes() == direct


@pytest.mark.slow
def test_a_gridpack_whose_model_was_changed_is_refused(tmp_path: Path, work: Path) -> None:
    script, model, _ = packed_with_model(tmp_path, "e+ e- > d d~")
    shutil.rmtree(model)
    path = script.parent / "models" / "leptoquark" / "couplings.py"
    path.write_text(path.read_text().replace("ylq", "2*ylq"))
    done = execute(script, work, "50", "7", MADNIS_PY_TRUST="1")
    assert done.returncode == 2
    assert "expected the files that the card was made with" in done.stderr


@pytest.mark.slow
def test_the_cms_face_writes_its_file(unpacked: Path, work: Path) -> None:
    done = execute(unpacked / "runcmsgrid.sh", work, "300", "7", "2")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in work.iterdir()] == ["cmsgrid_final.lhe"]
    assert len(list(read_lhe(work / "cmsgrid_final.lhe").events)) == 300


@pytest.mark.slow
def test_a_gridpack_on_a_read_only_place_works(unpacked: Path, work: Path) -> None:
    for path in (unpacked / "run", unpacked):
        path.chmod(0o555)
    try:
        assert execute(unpacked / "run.sh", work, "100", "1").returncode == 0
    finally:
        for path in (unpacked, unpacked / "run"):
            path.chmod(0o755)


def test_the_tarball_names_no_folder_of_the_machine_that_made_it(run: Run, packed: Path) -> None:
    content = gzip.decompress(packed.read_bytes())
    assert str(run.directory.path.parent).encode() not in content


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), r"run.sh: expected NEVENTS SEED \[NTHREADS\]; got 0 arguments"),
        (("10",), "got 1 arguments"),
        (("0", "1"), "events: expected at least 1; got 0"),
        (("many", "1"), "expected whole numbers; got many"),
        (("10", "-1"), "expected whole numbers; got -1"),
    ],
)
def test_wrong_arguments_end_with_a_sentence_and_status_2(
    unpacked: Path, work: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    done = execute(unpacked / "run.sh", work, *arguments)
    assert done.returncode == 2
    assert re.search(sentence, done.stderr)
    assert not list(work.iterdir())


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (
            lambda pack: damage(next((pack / "run").glob("survey*.safetensors"))),
            "truncated or changed",
        ),
        pytest.param(
            lambda pack: (pack / "run" / "run.json").unlink(),
            "with a run.json; found none",
            marks=SLOW,
        ),
        pytest.param(
            lambda pack: damage(pack / "run" / "run.json"),
            "expected the JSON that a run",
            marks=SLOW,
        ),
        pytest.param(
            lambda pack: (pack / "run" / "card.toml").write_text("nonsense"),
            "expected TOML",
            marks=SLOW,
        ),
    ],
)
def test_a_broken_gridpack_is_refused_with_a_sentence(
    unpacked: Path, work: Path, what: Callable[[Path], object], sentence: str
) -> None:
    what(unpacked)
    done = execute(unpacked / "run.sh", work, "10", "1")
    assert done.returncode != 0
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(work.iterdir())


def test_a_gridpack_without_its_run_is_refused(unpacked: Path, work: Path) -> None:
    (unpacked / "run").rename(unpacked / "moved")
    done = execute(unpacked / "run.sh", work, "10", "1")
    assert done.returncode == 2
    assert "there is no folder run" in done.stderr


def change_version(unpacked: Path) -> None:
    file = unpacked / "run" / "run.json"
    record = json.loads(file.read_text())
    record["identity"]["version"] = "0.0.1"
    file.write_text(json.dumps(record))


def test_another_version_is_refused_unless_told_otherwise(unpacked: Path, work: Path) -> None:
    change_version(unpacked)
    done = execute(unpacked / "run.sh", work, "10", "1")
    assert done.returncode == 2
    assert "got one of 0.0.1, whose events may differ" in done.stderr


@pytest.mark.slow
def test_another_version_goes_on_if_told_so(unpacked: Path, work: Path) -> None:
    change_version(unpacked)
    assert execute(unpacked / "run.sh", work, "10", "1", MADNIS_PY_ANY_VERSION="1").returncode == 0


def test_a_missing_program_is_named(unpacked: Path, work: Path) -> None:
    done = execute(unpacked / "run.sh", work, "10", "1", MADNIS_PY="no-such-program")
    assert done.returncode == 2
    assert "found no no-such-program on the PATH" in done.stderr


def test_another_kind_of_file_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a file name that ends in .tar.gz or .tgz"):
        run.gridpack(tmp_path / "ttbar.zip")


@pytest.mark.parametrize(
    "name", [".tar.gz", "..tar.gz", "...tar.gz", "....tgz", "a\nb.tar.gz", "\x1b[2J.tgz"]
)
def test_a_name_that_no_folder_can_have_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected a file name that the folder inside can have"):
        run.gridpack(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["tt bar.tar.gz", "-x.tgz", "..x.tar.gz", "ttbar.tar.tgz", "$(touch x).tgz"]
)
def test_every_member_lies_in_one_folder_and_has_a_plain_mode(
    run: Run, tmp_path: Path, name: str
) -> None:
    with tarfile.open(run.gridpack(tmp_path / name)) as tar:
        members = tar.getmembers()
    top = name.removesuffix(".tgz").removesuffix(".tar.gz")
    for member in members:
        first, *rest = member.name.split("/")
        assert first == top
        assert rest
        assert ".." not in rest
        assert member.isfile()
        assert member.mode == (0o755 if member.name.endswith(".sh") else 0o644)
        assert (member.uid, member.gid, member.uname, member.mtime) == (0, 0, "", 0)


def test_a_folder_with_spaces_is_found_from_a_shell_with_a_cdpath(
    unpacked: Path, tmp_path: Path
) -> None:
    (tmp_path / "decoy" / "tt bar").mkdir(parents=True)
    unpacked.rename(tmp_path / "tt bar")
    program = tmp_path / "says its arguments"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    settings = {**os.environ, "MADNIS_PY": str(program), "CDPATH": str(tmp_path / "decoy")}
    command = ["sh", "tt bar/run.sh", "10", "1"]
    done = subprocess.run(
        command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "generate"
    assert said[2:] == [
        "--events",
        "10",
        "--seed",
        "1",
        "--threads",
        "1",
        "--output",
        str(tmp_path / "events.lhe.gz"),
    ]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_the_program_and_leaves_no_folder(
    unpacked: Path, work: Path, number: signal.Signals, status: int
) -> None:
    program = work.parent / "sleeps"
    program.write_text('#!/bin/sh\necho $$ > "$(dirname "$0")/pid"\nexec sleep 60\n')
    program.chmod(0o755)
    pid = work.parent / "pid"
    settings = {**os.environ, "MADNIS_PY": str(program)}
    script = subprocess.Popen(
        [unpacked / "run.sh", "10", "1"],
        cwd=work,
        env=settings,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # jobs behind & ignore some
    )
    while not (pid.exists() and pid.read_text().endswith("\n")):
        time.sleep(0.01)
    assert [path.name[:10] for path in work.iterdir()] == [".gridpack."]
    script.send_signal(number)
    assert script.wait(timeout=10) == status
    assert not list(work.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_cms_face_leaves_other_event_files_alone(unpacked: Path, work: Path) -> None:
    (work / "events.lhe.gz").write_bytes(b"of another run")
    program = work.parent / "writes"
    program.write_text('#!/bin/sh\nfor last; do :; done\necho events > "$last"\n')
    program.chmod(0o755)
    settings = {**os.environ, "MADNIS_PY": str(program)}
    subprocess.run([unpacked / "runcmsgrid.sh", "10", "1", "2"], cwd=work, env=settings, check=True)
    assert {path.name: path.read_bytes() for path in work.iterdir()} == {
        "events.lhe.gz": b"of another run",
        "cmsgrid_final.lhe": b"events\n",
    }
