from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from madnis_py.errors import CheckpointError, OutputError
from madnis_py.integration.training import checkpoint

TENSORS = {
    "a.weight": torch.randn(3, 4, generator=torch.Generator().manual_seed(1)),
    "b": torch.arange(5),
    "flag": torch.tensor(True),
    "transposed": torch.rand(
        2, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    ).T,
}
META = {"step": 7, "loss": 0.25}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    checkpoint.save(tmp_path, "training", TENSORS, META)
    return tmp_path


def tensor_file(directory: Path) -> Path:
    (path,) = directory.glob("training.*.safetensors")
    return path


def change_sidecar(directory: Path, **changes: Any) -> None:
    path = directory / "training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_saved_is_loaded(saved: Path) -> None:
    tensors, meta = checkpoint.load(saved, "training")
    assert meta == META
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert all(tensors[name].dtype == tensor.dtype for name, tensor in TENSORS.items())


def test_a_later_state_replaces_the_earlier_one(saved: Path) -> None:
    checkpoint.save(saved, "training", {"b": torch.arange(6)}, {"step": 8})
    tensors, meta = checkpoint.load(saved, "training")
    assert (tensors["b"].tolist(), meta) == ([0, 1, 2, 3, 4, 5], {"step": 8})
    assert len(list(saved.iterdir())) == 2


def test_states_of_different_names_live_side_by_side(saved: Path) -> None:
    checkpoint.save(saved, "survey", {"grid": torch.zeros(2)}, {})
    assert checkpoint.load(saved, "training")[1] == META
    assert checkpoint.load(saved, "survey")[1] == {}


def test_the_same_state_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        checkpoint.save(tmp_path / name, "training", TENSORS, META)
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two")
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize("fails", ["safetensors", "json"])
def test_a_full_disk_leaves_the_earlier_state_and_nothing_else(
    saved: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    before = {path: path.read_bytes() for path in saved.iterdir()}
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.suffix == f".{fails}":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(
        OutputError, match=rf"training.*\.{fails}: cannot be written: No space left on device"
    ):
        checkpoint.save(saved, "training", {"b": torch.arange(6)}, {"step": 8})
    assert {path: path.read_bytes() for path in saved.iterdir()} == before


def test_an_interruption_between_the_two_files_leaves_the_earlier_state(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(saved, "training", {"b": torch.arange(6)}, {"step": 8})
    assert checkpoint.load(saved, "training")[1] == META


def test_a_missing_directory_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        checkpoint.save(tmp_path / "absent", "training", TENSORS, META)


def test_a_missing_state_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"training\.json: cannot be read: No such file"):
        checkpoint.load(tmp_path, "training")


def test_a_missing_tensor_file_is_refused(saved: Path) -> None:
    tensor_file(saved).unlink()
    with pytest.raises(CheckpointError, match="safetensors: cannot be read"):
        checkpoint.load(saved, "training")


def test_a_truncated_tensor_file_is_refused(saved: Path) -> None:
    path = tensor_file(saved)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="truncated or changed"):
        checkpoint.load(saved, "training")


def test_a_truncated_sidecar_is_refused(saved: Path) -> None:
    path = saved / "training.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(CheckpointError, match=r"training\.json: truncated or not JSON"):
        checkpoint.load(saved, "training")


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "something else"}'])
def test_a_foreign_file_is_refused(saved: Path, content: str) -> None:
    (saved / "training.json").write_text(content)
    with pytest.raises(CheckpointError, match="not a madnis_py checkpoint"):
        checkpoint.load(saved, "training")


def test_another_version_is_refused(saved: Path) -> None:
    change_sidecar(saved, version=1)
    with pytest.raises(
        CheckpointError,
        match=r"expected version 2; got 1, which another version .* begin the run anew",
    ):
        checkpoint.load(saved, "training")


def test_a_state_of_another_kind_is_refused(saved: Path) -> None:
    change_sidecar(saved, kind="survey")
    with pytest.raises(CheckpointError, match="of kind 'training'; got 'survey'"):
        checkpoint.load(saved, "training")


def test_an_incomplete_sidecar_is_refused(saved: Path) -> None:
    path = saved / "training.json"
    sidecar = json.loads(path.read_text())
    del sidecar["sha256"]
    path.write_text(json.dumps(sidecar))
    with pytest.raises(
        CheckpointError, match=r"training\.json: sha256: expected a value; got none"
    ):
        checkpoint.load(saved, "training")


def test_a_sidecar_cannot_point_out_of_its_directory(saved: Path) -> None:
    change_sidecar(saved, tensors="../../etc/passwd")
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load(saved, "training")


def test_numbers_beside_the_tensors_that_were_changed_are_refused(saved: Path) -> None:
    sidecar = json.loads((saved / "training.json").read_text())
    change_sidecar(saved, meta=sidecar["meta"] | {"step": 1})
    for read in (checkpoint.load, checkpoint.meta):
        with pytest.raises(
            CheckpointError, match=r"training\.json: meta: changed, it is not what was stored"
        ):
            read(saved, "training")
