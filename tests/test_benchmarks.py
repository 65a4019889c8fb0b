"""The comparisons with other programs, in their quick modes, and peers that fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import gpu
import number_types
import pytest
import validation
from gpu_cards import Sizes
from side_by_side import QUICK, Program, compare, installed, row, table
from workers import Side, Worker, WorkerError

from madnis_py.devices.device import Device
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.model.model import Model

PEERS = {
    "training_step": {"madnis", "madspace"},
    "sampling": {"madnis", "madspace", "zuko"},
    "vegas_warmup": {"vegas"},
    "vegas_dropin": {"vegas"},
    "phase_space": {"madspace"},
    "import_time": {"vegas"},
    "peak_memory": {"madnis"},
    "loss_curves": {"madnis"},
}
SOUND = Side("sound 1.0", "broken_side", "sound")


def is_here(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def broken(work: str, **arguments: str) -> Side:
    return Side(
        "broken 1.0", "broken_side", work, arguments, limit=0.5 if work == "hanging" else 30
    )


def compared(ours: Side, peer: Side) -> dict[str, Any]:
    return compare(ours, peer, {"dim": 4}, "ms", 1e-3, threads=1, effort=QUICK)


@pytest.mark.parametrize("name", PEERS)
def test_the_quick_mode_has_rows_of_all_peers_that_are_here(name: str, tmp_path: Path) -> None:
    output = tmp_path / "rows.json"
    import_module(name).main(["--quick", "--output", str(output)])
    result = json.loads(output.read_text())
    assert result["benchmark"] == name
    assert {row["peer_name"].split()[0] for row in result["rows"]} == {
        peer for peer in PEERS[name] if is_here(peer)
    }
    for entry in result["rows"]:
        assert entry["ratio"] > 0, entry
        assert entry["spread"][0] <= entry["ratio"] <= entry["spread"][1]
        assert min(entry["ours"], entry["peer"]) > 0


def test_the_quick_mode_of_event_files_has_times_and_memory(tmp_path: Path) -> None:
    output = tmp_path / "rows.json"
    import_module("event_files").main(["--quick", "--output", str(output)])
    result = json.loads(output.read_text())
    (entry,), (peak,) = result["rows"], result["memory"]
    assert (entry["case"]["work"], entry["case"]["format"]) == ("write", ".lhe.gz")
    assert entry["peer_name"].startswith("pylhe ")
    assert entry["spread"][0] <= entry["ratio"] <= entry["spread"][1]
    assert entry["events_per_second"] == pytest.approx(1e6 / entry["ours"])
    assert 0 < peak["idle"] <= peak["peak"]


@pytest.mark.parametrize("suffix", [".lhe", ".lhe.gz", ".h5", ".parquet"])
@pytest.mark.parametrize("module", ["our_files_side", "pylhe_side"])
def test_either_side_of_the_event_files_reads_what_it_writes(module: str, suffix: str) -> None:
    side = import_module(module)
    assert side.write(suffix, 2, 30)() == 30
    assert side.read(suffix, 2, 30)() == 30


def test_the_quick_mode_of_matrix_elements_has_times_and_tapes(tmp_path: Path) -> None:
    output = tmp_path / "rows.json"
    import_module("matrix_elements").main(["--quick", "--output", str(output)])
    result = json.loads(output.read_text())
    assert "not side by side" in result["anchors"]
    for entry, process, diagrams in zip(
        result["rows"], ["g g > t t~", "g g > t t~ g"], [3, 16], strict=True
    ):
        assert (entry["case"]["process"], entry["diagrams"]) == (process, diagrams)
        assert entry["ratio"] == pytest.approx(entry["peer"] / entry["ours"])
        assert entry["spread"][0] <= entry["ratio"] == entry["spread"][1]
        times = ("ours", "diagram_squares", "single", "build_seconds", "load_seconds")
        assert min(entry[name] for name in times) > 0
        assert 0 < entry["single_error"] < 1e-4


@pytest.mark.parametrize(
    ("instruction_set", "process", "peer", "microseconds"),
    [
        ("avx512", "g g > t t~ g g", "cudacpp 3.7.1 AVX-512", 55.0),
        ("avx2", "g g > t t~ g g", "cudacpp 3.7.1 AVX2", 90.0),
        ("baseline", "g g > t t~ g g", "cudacpp 3.7.1 scalar", 397.0),
        ("avx2", "e+ e- > mu+ mu-", "cudacpp 3.7.1 scalar", 0.75),
        ("avx512", "g g > w+ d u~", "MG5_aMC 2.6.0 Fortran", 7.5),
    ],
)
def test_matrix_elements_are_compared_with_the_build_for_their_instruction_set(
    instruction_set: str, process: str, peer: str, microseconds: float
) -> None:
    (anchor,) = import_module("matrix_elements").anchors((process,), instruction_set)
    assert anchor == (process, f"{peer}, elsewhere", microseconds)


def test_the_counts_of_a_tape_are_those_made_by_hand() -> None:
    module, model = import_module("tape_counts"), Model("sm")
    found = module.amplitude_counts(TreeAmplitude(module.reaction("g g > t t~", model), model))
    assert (found.helicities, found.currents, found.instances) == (16, 6, 8 + 6 * 4)
    assert (found.vertices, found.contractions, found.colour) == (6 * 4, 16 * 4, 16 * 3)
    assert found.vertex_operations == 4 * (88 + 164 + 4 * 80)
    assert found.traffic == 64 * (24 * 2 + 32 + 16 * (3 + 4))


def test_the_loss_curves_are_drawn(tmp_path: Path) -> None:
    pytest.importorskip("madnis")
    pair = [
        import_module("loss_curves").Curve(name, 4, 1, 0, [2.0, 1.0, 0.5], 1.0)
        for name in ("ours", "peer")
    ]
    import_module("loss_curves").draw(tmp_path / "curves.svg", pair)
    assert (tmp_path / "curves.svg").stat().st_size > 1000


def test_ratios_say_how_many_times_better_ours_is() -> None:
    result = row({}, [(1.0, 2.0), (2.0, 6.0), (1.0, 10.0)], "peer 1.0", "ms")
    assert (result["ours"], result["peer"], result["ratio"], result["spread"]) == (
        1.0,
        6.0,
        3.0,
        [2.0, 10.0],
    )


def test_times_are_per_unit_of_work() -> None:
    result = compared(SOUND, SOUND)
    assert result["clock"] == "process"
    assert 0.5 <= result["ours_wall"] < 50
    assert result["ours"] == result["ours_process"] < result["ours_wall"]


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ("raising", "ValueError: no such flow"),
        ("crashing", "ended with status 3"),
        ("hanging", "no answer within 0.5 s"),
    ],
)
def test_a_peer_that_fails_again_and_again_leaves_a_marked_row(work: str, reason: str) -> None:
    result = compared(SOUND, broken(work))
    assert result["failed"] == [f"broken 1.0: {reason}"] * 3
    assert result["ratio"] is None
    assert table("test", [result]).row_count == 1


def test_a_peer_that_fails_once_is_tried_again(tmp_path: Path) -> None:
    result = compared(SOUND, broken("crashing_once", flag=str(tmp_path / "flag")))
    assert result["failed"] == ["broken 1.0: ended with status 3"]
    assert result["ratio"] > 0


def test_a_failure_of_ours_is_an_error() -> None:
    with pytest.raises(WorkerError, match=r"broken 1\.0: ended with status 3"):
        compared(broken("crashing"), SOUND)


def test_a_worker_knows_its_memory() -> None:
    with Worker(SOUND, threads=1) as worker:
        assert 5 < worker.idle_peak <= worker.do(1).peak


def test_a_missing_peer_is_named_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert installed(Program("no_such_package", "no_such_side")) == []
    assert capsys.readouterr().err.startswith(
        "no_such_package is not installed: its rows are left out"
    )


def test_squared_amplitudes_are_those_of_madgraph_at_every_stored_point() -> None:
    rows = validation.beside_madgraph(json.loads(validation.MADGRAPH_VALUES.read_text()))
    assert len(rows) == 45
    assert [row.as_markdown() for row in rows if not row.agrees] == []


def test_the_ratio_of_number_types_is_that_of_their_times(tmp_path: Path) -> None:
    output = tmp_path / "rows.json"
    number_types.main(["--quick", "--output", str(output)])
    rows = json.loads(output.read_text())["rows"]
    assert [one["work"] for one in rows] == ["sample", "log_prob and backward"]
    for one in rows:
        assert min(one["float64"], one["float32"]) > 0
        assert one["spread"][0] <= one["ratio"] <= one["spread"][1]


@pytest.mark.parametrize("parts", [3, pytest.param(None, marks=pytest.mark.slow)])
def test_the_benchmark_of_a_gpu_finds_nothing_wrong_in_emulation(
    parts: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "PARTS", dict(islice(gpu.PARTS.items(), parts)))
    output = tmp_path / "gpu.json"
    assert gpu.main(["--device", "emulated", "--quick", "--output", str(output)]) == 0
    result = json.loads(output.read_text())
    assert {row["part"] for row in result["rows"]} == set(gpu.PARTS)
    assert result["device"] == "emulated"


def test_the_benchmark_of_a_gpu_goes_on_after_a_part_that_fails_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(device: Device, sizes: Sizes) -> Iterator[dict[str, Any]]:
        yield {"what": "first", "ok": True}
        raise RuntimeError("device lost")

    def sound(device: Device, sizes: Sizes) -> Iterator[dict[str, Any]]:
        yield {"what": "third", "ok": True}

    monkeypatch.setattr(gpu, "PARTS", {"one": failing, "two": sound})
    output = tmp_path / "gpu.json"
    assert gpu.main(["--device", "emulated", "--quick", "--output", str(output)]) == 1
    rows = json.loads(output.read_text())["rows"]
    assert [row["what"] for row in rows] == ["first", "one", "third"]
    assert "device lost" in rows[1]["note"]


def test_the_benchmark_of_a_gpu_without_one_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu.main(["--device", "cpu", "--output", str(tmp_path / "gpu.json")]) == 2
    assert "expected cuda" in capsys.readouterr().out
