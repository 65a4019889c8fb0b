"""Events of either sampler from one run, and what the run says of the better one."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
from command_line import call, small_process

from madnis_py.errors import InputError
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.physics.process.process import Process
from madnis_py.run.closing_table import better_sampler
from madnis_py.run.run import Run
from madnis_py.run.stages.run_warnings import lost_comparison

SEED, POINTS, EVENTS = 3, 20_000, 200
UNTRAINED = TrainingSettings(steps=4, batch_size=300, vegas_init="none")
"""Leaves the flow about uniform, which on the peak of the Z is worse than any grid."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    return small_process(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def finished(process: Process, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a flow that is worse than VEGAS."""
    return Run(process, tmp_path_factory.mktemp("finished"), SEED, training=UNTRAINED).execute(
        EVENTS, POINTS
    )


@pytest.fixture(scope="module")
def vegas_alone(process: Process, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(process, tmp_path_factory.mktemp("vegas"), SEED, method="vegas").execute(
        EVENTS, POINTS
    )


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(finished.directory.path, tmp_path / "run"))


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a training was begun")

    monkeypatch.setattr(Trainer, "run", refuse)


def figures(part: dict[str, Any]) -> dict[str, Any]:
    """Figures of the sampler in use, without those of the clock and of the events."""
    return {
        name: part[name]
        for name in ("sigma_pb", "sigma_error_pb", "relative_std", "channels", "truncated")
    }


@pytest.mark.usefixtures("no_training")
def test_vegas_events_of_a_run_with_a_flow_are_those_of_a_run_with_vegas_alone(
    copied: Run, vegas_alone: Run, tmp_path: Path
) -> None:
    output = copied.generate(EVENTS, tmp_path / "events.lhe.gz", sampler="vegas")
    assert gzip.decompress(output.read_bytes()) == gzip.decompress(
        vegas_alone.events_file.read_bytes()
    )


def test_run_json_names_the_sampler_of_the_events_and_has_its_figures(
    copied: Run, tmp_path: Path
) -> None:
    assert (
        copied.record.content()["sampler"]
        == copied.record.content()["generated"]["sampler"]
        == "madnis"
    )
    copied.generate(EVENTS, tmp_path / "events.lhe.gz", sampler="vegas")
    record = copied.record.content()
    assert record["sampler"] == record["generated"]["sampler"] == "vegas"
    assert figures(record) == figures(record["vegas"])
    copied.generate(EVENTS, tmp_path / "events.lhe.gz")
    assert copied.record.content()["sampler"] == "madnis"
    assert figures(copied.record.content()) == figures(copied.record.content()["madnis"])


def test_events_of_the_other_sampler_are_not_taken_for_those_that_are_there(
    copied: Run, tmp_path: Path
) -> None:
    output = tmp_path / "events.lhe.gz"
    flow = copied.generate(EVENTS, output).read_bytes()
    assert copied.generate(EVENTS, output, sampler="vegas").read_bytes() != flow
    assert copied.generate(EVENTS, output).read_bytes() == flow


@pytest.mark.usefixtures("no_training")
def test_vegas_makes_events_of_a_run_that_has_not_been_trained(
    process: Process, vegas_alone: Run, tmp_path: Path
) -> None:
    run = Run(process, tmp_path / "run", SEED)
    run.integrate(POINTS, sampler="vegas")
    run.generate(EVENTS, sampler="vegas")
    assert "madnis" not in run.record.content()
    assert gzip.decompress(run.events_file.read_bytes()) == gzip.decompress(
        vegas_alone.events_file.read_bytes()
    )


def test_a_run_without_a_flow_refuses_to_use_one(vegas_alone: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sampler: expected vegas in .*; got madnis"):
        vegas_alone.generate(EVENTS, tmp_path / "events.lhe.gz", sampler="madnis")


def test_a_flow_that_loses_is_a_warning_in_the_run_that_asked_for_it(finished: Run) -> None:
    (sentence,) = [
        one for one in finished.record.warning_sentences if "the flow is worse than VEGAS" in one
    ]
    flow, vegas = (
        finished.record.content()[name]["unweighting"]["efficiency"] for name in ("madnis", "vegas")
    )
    assert flow < vegas
    assert f"unweighting efficiency {flow:.3g} where VEGAS has {vegas:.3g}" in sentence
    assert "--sampler vegas" in sentence


@pytest.mark.parametrize(("efficiency", "lost"), [(0.5, 0), (0.46, 0), (0.44, 1)])
def test_a_flow_loses_by_a_tenth_of_the_efficiency(
    finished: Run, efficiency: float, lost: int
) -> None:
    measured = finished.record.madnis
    assert measured is not None
    vegas, flow = (
        measured.model_copy(
            update={"unweighting": measured.unweighting.model_copy(update={"efficiency": share})}
        )
        for share in (0.5, efficiency)
    )
    assert len(lost_comparison(vegas, flow)) == lost


def test_the_closing_line_names_the_sampler_with_less_time_per_event_and_a_command_that_runs(
    copied: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert copied.record.madnis is not None
    slow = copied.record.madnis.model_copy(update={"seconds_per_point": 1.0})
    record = copied.record.model_copy(update={"madnis": slow})
    (line,) = better_sampler(record, copied.directory.path)
    assert re.search(r"better sampler: VEGAS makes 10\^6 events in .* s, neural in .*: ", line)
    words = shlex.split(line[line.index("madnis-py ") :])
    assert words[-1] == "vegas"
    assert str(EVENTS) in words
    done = call(words[1:], capsys, monkeypatch)
    assert done.status == 0, done.err
    assert copied.record.content()["generated"]["sampler"] == "vegas"
    assert copied.record.result_of("vegas") is not None
    assert not better_sampler(record.model_copy(update={"sampler": "vegas"}), copied.directory.path)


def test_a_gridpack_for_vegas_asks_for_vegas(copied: Run, tmp_path: Path) -> None:
    packed = copied.gridpack(tmp_path / "pack.tar.gz", sampler="vegas")
    with tarfile.open(packed) as tar:
        script = tar.extractfile("pack/run.sh")
        record = tar.extractfile("pack/run/run.json")
        assert script is not None
        assert record is not None
        assert " --sampler vegas" in script.read().decode()
        assert "vegas" in json.loads(record.read())
