"""Chunk files: what comes back, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_samples import drell_yan, with_resonance, with_variations
from numpy.typing import NDArray

from madnis_py.arrays import array_digest
from madnis_py.errors import CheckpointError, OutputError
from madnis_py.events.chunk import Chunk
from madnis_py.events.unweighting import UnweightingTally


def chunk(n: int = 100) -> Chunk:
    events = with_variations(with_resonance(drell_yan(n)))
    uniform = np.random.default_rng(1).random(n)
    return Chunk(
        events,
        uniform,
        1.0 + uniform,
        UnweightingTally(1000.0, 500.0, 99.5, 0.0, 100.0, 100.0, 110.0, 120.0),
    )


def columns(n: int = 10) -> dict[str, NDArray[Any]]:
    return chunk(n).events.columns() | {
        "uniform": np.zeros(n),
        "bias": np.ones(n),
        "tally": np.zeros(8),
    }


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """A file with the digest that it should have."""
    digest = array_digest("", arrays)
    np.savez(path, allow_pickle=False, digest=digest, **arrays)


def test_a_chunk_comes_back_as_it_was(tmp_path: Path) -> None:
    one = chunk()
    one.save(tmp_path / "chunk.npz")
    back = Chunk.load(tmp_path / "chunk.npz")
    assert all(
        np.array_equal(column, back.events.columns()[name])
        for name, column in one.events.columns().items()
    )
    assert np.array_equal(back.uniform, one.uniform)
    assert np.array_equal(back.bias, one.bias)
    assert back.tally == one.tally
    assert [path.name for path in tmp_path.iterdir()] == ["chunk.npz"]


def test_chunk_file_is_a_function_of_its_events(tmp_path: Path) -> None:
    chunk(100).save(tmp_path / "a.npz")
    chunk(100).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("size", [0, 1000, -1])
def test_truncated_chunk_file_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "chunk.npz"
    chunk(100).save(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match=r"chunk.npz: not a readable file of events"):
        Chunk.load(path)


def test_damaged_chunk_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chunk.npz"
    chunk(100).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"chunk.npz: not a readable file of events"):
        Chunk.load(path)


def test_missing_chunk_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="No such file"):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "chunk.npz", x=np.zeros(3))
    with pytest.raises(CheckpointError, match=r"expected the columns alpha_qed, .*; got x"):
        Chunk.load(tmp_path / "chunk.npz")


def test_single_array_is_refused_as_chunk_file(tmp_path: Path) -> None:
    with (tmp_path / "chunk.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(CheckpointError, match="not a readable file of events"):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_with_columns_of_different_lengths_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "chunk.npz", columns() | {"weight": np.ones(9)})
    with pytest.raises(
        CheckpointError, match=r"chunk.npz: events: weight: expected float64 \(10,\)"
    ):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_with_a_tally_of_another_version_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "chunk.npz", columns() | {"tally": np.zeros(30)})
    with pytest.raises(
        CheckpointError, match=r"chunk.npz: tally: expected float64 \(8,\); got float64 \(30,\)"
    ):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_that_was_rewritten_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chunk.npz"
    chunk(100).save(path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(path, **(arrays | {"weight": 2 * arrays["weight"]}))
    with pytest.raises(CheckpointError, match=r"chunk.npz: changed, or a chunk of something else"):
        Chunk.load(path)


def test_chunk_file_of_another_run_or_number_is_refused(tmp_path: Path) -> None:
    chunk(100).save(tmp_path / "chunk.npz", "one 7")
    assert len(Chunk.load(tmp_path / "chunk.npz", "one 7").events) == 100
    for other in ("another 7", "one 8", ""):
        with pytest.raises(
            CheckpointError, match=r"chunk.npz: changed, or a chunk of something else"
        ):
            Chunk.load(tmp_path / "chunk.npz", other)


@pytest.mark.parametrize(
    "value", [np.zeros(0), np.array(0.0), np.array(["x"] * 10), np.full(10, None)], ids=str
)
@pytest.mark.parametrize("name", ["weight", "uniform", "tally", "pdg", "digest"])
def test_chunk_file_with_a_column_of_another_kind_is_refused(
    tmp_path: Path, name: str, value: np.ndarray
) -> None:
    arrays = columns() | {name: value}
    np.savez(tmp_path / "chunk.npz", **({"digest": array_digest("", arrays)} | arrays))
    with pytest.raises(CheckpointError, match=r"chunk.npz: "):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_runs_no_pickle(tmp_path: Path) -> None:
    np.savez(tmp_path / "chunk.npz", pdg=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="not a readable file of events"):
        Chunk.load(tmp_path / "chunk.npz")


def test_chunk_file_in_a_missing_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"chunk.npz: cannot be written: No such file"):
        chunk(1).save(tmp_path / "missing" / "chunk.npz")
