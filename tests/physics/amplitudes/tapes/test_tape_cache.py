"""The folder of built tapes."""

from __future__ import annotations

import io
import json
import os
import pwd
import stat
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amplitudes import ALPHA_S, points
from numpy.typing import NDArray
from places import ROOT

from madnis_py.array_cache import default_folder
from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.amplitudes.tapes import tape_cache
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import load_pdf

ARRAYS = {
    "table": np.arange(12, dtype=np.int32).reshape(4, 3),
    "factors": np.array([0.5, -2.0]),
    "text": np.array("x"),
}


class Builder:
    """Makes arrays and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, NDArray[Any]]:
        self.calls += 1
        return ARRAYS


@pytest.fixture
def builder() -> Builder:
    return Builder()


def same(arrays: Mapping[str, Any]) -> bool:
    return arrays.keys() == ARRAYS.keys() and all(
        np.array_equal(arrays[name], ARRAYS[name]) and arrays[name].dtype == ARRAYS[name].dtype
        for name in ARRAYS
    )


def test_arrays_are_built_once_and_then_read(builder: Builder, tmp_path: Path) -> None:
    for _ in range(3):
        assert same(TapeCache(tmp_path / "new" / "folder").get("a process", builder))
    assert builder.calls == 1


def test_other_descriptions_are_other_files(builder: Builder, tmp_path: Path) -> None:
    cache = TapeCache(tmp_path)
    for description in ("one", "another", "one"):
        cache.get(description, builder)
    assert builder.calls == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_no_other_files_are_left_behind(builder: Builder, tmp_path: Path) -> None:
    TapeCache(tmp_path).get("a process", builder)
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".npz"
    assert len(file.stem) == 64


def test_another_version_of_the_code_builds_anew(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TapeCache(tmp_path).get("a process", builder)
    monkeypatch.setattr(tape_cache, "_source_digest", lambda: b"another version")
    TapeCache(tmp_path).get("a process", builder)
    assert builder.calls == 2


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = content.index(np.float64(-2.0).tobytes())
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def other_arrays(content: bytes) -> bytes:
    file = Path("other.npz")
    np.savez(file, table=np.zeros(3), digest=np.zeros(32, np.uint8))
    return file.read_bytes()


def no_digest(content: bytes) -> bytes:
    file = Path("other.npz")
    np.savez(file, allow_pickle=True, **ARRAYS)
    return file.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flipped,
        other_arrays,
        no_digest,
        lambda content: b"",
        lambda content: b"not a file of arrays",
    ],
)
def test_damaged_files_are_built_again(
    builder: Builder,
    damage: Callable[[bytes], bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "cache"
    TapeCache(folder).get("a process", builder)
    (file,) = folder.iterdir()
    monkeypatch.chdir(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    for _ in range(2):
        assert same(TapeCache(folder).get("a process", builder))
    assert builder.calls == 2


def test_no_damaged_bit_is_an_error_or_gives_other_arrays(tmp_path: Path) -> None:
    TapeCache(tmp_path).get("a process", lambda: ARRAYS)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    for place in range(len(content)):
        bit = 1 << place % 8
        file.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with warnings.catch_warnings(action="ignore"):  # zipfile warns of names that differ
            assert same(TapeCache(tmp_path).get("a process", lambda: ARRAYS))


def test_a_folder_that_cannot_be_written_is_no_error(builder: Builder, tmp_path: Path) -> None:
    """The place is taken by a file, which not even the superuser can make a folder in."""
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert same(TapeCache(tmp_path / "file" / "cache").get("a process", builder))
    assert builder.calls == 2


def test_a_full_disk_is_no_error_and_leaves_nothing_behind(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(
        file: Path,
        **arrays: Array | NDArray[np.generic] | NDArray[np.int32] | NDArray[np.uint8] | bool,
    ) -> None:
        Path(file).write_bytes(b"the beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert same(TapeCache(tmp_path).get("a process", builder))
    assert list(tmp_path.iterdir()) == []


def test_the_tape_of_another_process_under_the_name_is_not_believed(
    builder: Builder, tmp_path: Path
) -> None:
    cache = TapeCache(tmp_path)
    cache.get("another process", lambda: ARRAYS | {"factors": np.array([1.0, -4.0])})
    (foreign,) = tmp_path.iterdir()
    cache.get("a process", builder)
    (own,) = set(tmp_path.iterdir()) - {foreign}
    own.write_bytes(foreign.read_bytes())
    assert same(cache.get("a process", builder))
    assert builder.calls == 2


def archive(*members: tuple[str, bytes], **how: int) -> bytes:
    memory = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(memory, "w") as file,
    ):  # of a name that comes twice
        for name, content in members:
            file.writestr(name, content, **how)
    return memory.getvalue()


def header(text: str) -> bytes:
    """The beginning of an array of numpy with this description."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


PICKLED = b"\x80\x04\x95\x10"
DICT = "{{'descr': {}, 'fortran_order': False, 'shape': {}}}\n"


@pytest.mark.parametrize(
    "content",
    [
        archive(("table.npy", header(DICT.format("'<f8'", "(10000000000000,)")))),
        archive(("table.npy", header(DICT.format("'|O'", "(1,)")) + PICKLED)),
        archive(("table.npy", header("(((((((((("))),
        archive(("table.npy", header(DICT.format("'<f8'", "(-1,)")))),
        archive(("table.npy", b"no array"), ("digest.npy", b"")),
        archive(("table.npy", b"abc"), ("table.npy", b"abc")),
        archive(("table.npy", b"abc" * 100), compress_type=zipfile.ZIP_LZMA)[:-30],
        archive(("../../table.npy", b"abc")),
        header(DICT.format("'<f8'", "(2,)")) + bytes(16),
        PICKLED,
    ],
    ids=[
        "huge",
        "pickle",
        "nested",
        "negative",
        "none",
        "twice",
        "lzma",
        "outside",
        "array",
        "pickled",
    ],
)
def test_whatever_a_file_holds_the_tape_is_built_again(
    builder: Builder, content: bytes, tmp_path: Path
) -> None:
    cache = TapeCache(tmp_path)
    cache.get("a process", builder)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    with warnings.catch_warnings(action="ignore"):
        assert same(cache.get("a process", builder))
    assert builder.calls == 2
    assert same(cache.get("a process", builder))
    assert builder.calls == 2


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)])
def test_what_is_no_file_is_no_hindrance(
    builder: Builder, make: Callable[..., object], tmp_path: Path
) -> None:
    cache = TapeCache(tmp_path)
    cache.get("a process", builder)
    (file,) = tmp_path.iterdir()
    file.unlink()
    make(file)
    assert same(cache.get("a process", builder))
    assert builder.calls == 2


def test_the_folder_is_the_users_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.delenv("MADNIS_PY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "madnis_py"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "madnis_py"


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An unknown user without a home; temporary files go to a folder of the test."""

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in ("MADNIS_PY_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"madnis_py-{os.getuid()}"


def test_a_user_without_a_home_has_a_folder_among_the_temporary_files(
    nobody: Path, builder: Builder
) -> None:
    for _ in range(2):
        assert same(TapeCache().get("a process", builder))
    assert builder.calls == 1
    assert stat.S_IMODE(nobody.stat().st_mode) == 0o700


def test_a_home_where_nothing_can_be_kept_is_none(
    nobody: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    assert default_folder() == nobody


@pytest.mark.parametrize(
    "make", [Path.touch, lambda path: path.symlink_to("."), lambda path: path.mkdir(0o777)]
)
def test_a_temporary_folder_that_another_user_may_have_made_is_left_alone(
    nobody: Path, builder: Builder, make: Callable[..., object]
) -> None:
    before = os.umask(0)
    try:
        make(nobody)
    finally:
        os.umask(before)
    assert default_folder() is None
    for _ in range(2):
        assert same(TapeCache().get("a process", builder))
    assert builder.calls == 2


def test_paths_from_a_home_that_nobody_has_are_not_found_in_a_sentence(nobody: Path) -> None:
    with pytest.raises(PdfError, match="PDF set '~/set' is not in"):
        load_pdf("~/set")
    with pytest.raises(PdfError, match="PDF set '~nosuchuser/set' is not in"):
        load_pdf("~nosuchuser/set")


UNKNOWN_USER = """
import pwd, sys

def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = unknown
from madnis_py.cli import main
main()
"""


@pytest.mark.slow
def test_a_command_runs_for_a_user_that_the_machine_does_not_know(tmp_path: Path) -> None:
    momenta = [
        [500, 0, 0, 500],
        [500, 0, 0, -500],
        [500, 0, 300, 361.3862],
        [500, 0, -300, -361.3862],
    ]
    (tmp_path / "momenta.json").write_text(json.dumps({"points": [{"momenta": momenta}]}))
    (tmp_path / "card.toml").write_text('process.definition = "e+ e- > mu+ mu-"')
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [
        sys.executable,
        "-c",
        UNKNOWN_USER,
        "evaluate",
        "card.toml",
        "--momenta",
        "momenta.json",
    ]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["me2"][0] > 0
    assert len(list((tmp_path / f"madnis_py-{os.getuid()}").iterdir())) == 1


def test_a_cache_without_a_folder_takes_the_default(
    builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "mine"))
    TapeCache().get("a process", builder)
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_amplitudes_from_disk_are_the_same_and_fast(tmp_path: Path) -> None:
    model, reaction = Model("sm"), reaction_of((21, 21), (6, -6, 21, 21, 21))
    p = points("g g > t t~ g g g", 2)
    seconds, values = [], []
    for _ in range(2):
        start = time.process_time()
        one = TreeAmplitude(reaction, model, cache=TapeCache(tmp_path))
        seconds.append(time.process_time() - start)
        values.append((*one.evaluate(p, ALPHA_S), one.helicities, np.array(one.flows)))
    for built, read in zip(*values, strict=True):
        np.testing.assert_array_equal(built, read)
    assert seconds[0] < 30
    assert seconds[1] < 1
    assert len(list(tmp_path.iterdir())) == 1


def test_propagators_without_width_are_part_of_the_description(tmp_path: Path) -> None:
    reaction = reaction_of((2, 5), (1, 6))
    for without_width in (frozenset(), frozenset({(24, 0b1010)})):
        TreeAmplitude(reaction, Model("sm"), without_width, TapeCache(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
