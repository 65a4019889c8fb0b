"""The folder of built tapes."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from amplitudes import ALPHA_S, points

from madnis_py.physics import tape_cache
from madnis_py.physics.model import Model
from madnis_py.physics.tape_cache import TapeCache, default_folder
from madnis_py.physics.tree_amplitude import TreeAmplitude, reaction_of

ARRAYS = {"table": np.arange(12, dtype=np.int32).reshape(4, 3), "factors": np.array([0.5, -2.0]), "text": np.array("x")}


class Builder:
    """Makes arrays and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, np.ndarray]:
        self.calls += 1
        return ARRAYS


@pytest.fixture
def builder() -> Builder:
    return Builder()


def same(arrays: dict[str, np.ndarray]) -> bool:
    return arrays.keys() == ARRAYS.keys() and all(
        np.array_equal(arrays[name], ARRAYS[name]) and arrays[name].dtype == ARRAYS[name].dtype for name in ARRAYS
    )


def test_arrays_are_built_once_and_then_read(builder, tmp_path):
    for _ in range(3):
        assert same(TapeCache(tmp_path / "new" / "folder").get("a process", builder))
    assert builder.calls == 1


def test_other_descriptions_are_other_files(builder, tmp_path):
    cache = TapeCache(tmp_path)
    for description in ("one", "another", "one"):
        cache.get(description, builder)
    assert builder.calls == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_no_other_files_are_left_behind(builder, tmp_path):
    TapeCache(tmp_path).get("a process", builder)
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".npz"
    assert len(file.stem) == 64


def test_another_version_of_the_code_builds_anew(builder, tmp_path, monkeypatch):
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
    np.savez(file, **ARRAYS)
    return file.read_bytes()


@pytest.mark.parametrize(
    "damage", [cut, flipped, other_arrays, no_digest, lambda content: b"", lambda content: b"not a file of arrays"]
)
def test_damaged_files_are_built_again(builder, damage, tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    TapeCache(folder).get("a process", builder)
    (file,) = folder.iterdir()
    monkeypatch.chdir(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    for _ in range(2):
        assert same(TapeCache(folder).get("a process", builder))
    assert builder.calls == 2


def test_no_damaged_bit_is_an_error_or_gives_other_arrays(tmp_path):
    TapeCache(tmp_path).get("a process", lambda: ARRAYS)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    for place in range(len(content)):
        bit = 1 << place % 8
        file.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        with warnings.catch_warnings(action="ignore"):  # zipfile warns of names that differ
            assert same(TapeCache(tmp_path).get("a process", lambda: ARRAYS))


def test_a_folder_that_cannot_be_written_is_no_error(builder, tmp_path):
    """The place is taken by a file, which not even the superuser can make a folder in."""
    (tmp_path / "file").write_text("")
    for _ in range(2):
        assert same(TapeCache(tmp_path / "file" / "cache").get("a process", builder))
    assert builder.calls == 2


def test_a_full_disk_is_no_error_and_leaves_nothing_behind(builder, tmp_path, monkeypatch):
    def full(file, **arrays):
        Path(file).write_bytes(b"the beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert same(TapeCache(tmp_path).get("a process", builder))
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_the_users_unless_the_environment_names_one(tmp_path, monkeypatch):
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "mine"))
    assert default_folder() == tmp_path / "mine"
    monkeypatch.delenv("MADNIS_PY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "madnis_py"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "madnis_py"


def test_a_cache_without_a_folder_takes_the_default(builder, tmp_path, monkeypatch):
    monkeypatch.setenv("MADNIS_PY_CACHE", str(tmp_path / "mine"))
    TapeCache().get("a process", builder)
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_amplitudes_from_disk_are_the_same_and_fast(tmp_path):
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


def test_widths_of_the_t_channel_are_part_of_the_description(tmp_path):
    reaction = reaction_of((2, 5), (1, 6))
    for t_channel_widths in (True, False):
        TreeAmplitude(reaction, Model("sm"), t_channel_widths, TapeCache(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2
