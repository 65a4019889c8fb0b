"""A run from card to events: stages, reproducibility, interruption and resumption."""

from __future__ import annotations

import gzip
import json
import math
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gvar
import numpy as np
import pylhe
import pytest
from command_line import call, small_process
from event_samples import read_lhe, shower_of
from rich.table import Table
from torch import Tensor

from madnis_py import _core
from madnis_py.card import card as cards
from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files.formats import open_events
from madnis_py.integration.grids.sampler_choice import Choice, SamplerCost, choose_sampler
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.parallel.executors import thread_executor
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress
from madnis_py.report.report_page import write_report
from madnis_py.run.closing_table import (
    SHOWN_CHANNELS,
    channel_table,
    conclusions,
    next_steps,
    result_table,
    times,
)
from madnis_py.run.run import Run

EVENTS = 2000
POINTS = 20_000
SEED = 5
FOR_TESTS = 'parton densities: "toy" is for tests, not for predictions'


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    return small_process(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def finished(process: Process, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(process, tmp_path_factory.mktemp("finished"), SEED)
    return run.execute(EVENTS, POINTS)


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_a_run_writes_exactly_the_events_asked_for(finished: Run) -> None:
    assert lines_of(finished.events_file).count("<event>") == EVENTS
    assert finished.record.content()["events"] == EVENTS


def test_a_run_and_its_process_say_what_they_are(finished: Run) -> None:
    said, page = repr(finished), finished._repr_html_()
    sigma = str(gvar.gvar(finished.record.sigma_pb, finished.record.sigma_error_pb))
    for text in (said, page):
        assert f"{sigma} pb" in text
        assert f"{EVENTS:,} events" in text
        assert str(finished.directory.path) in text
    assert repr(finished.process).startswith("Process(p p > ")
    assert "toy" in finished.process._repr_html_()
    assert len(repr(finished.process)) < 200


def test_run_json_has_the_figures_of_both_methods(finished: Run) -> None:
    record = json.loads((finished.directory.path / "run.json").read_text())
    for part in (record, record["vegas"], record["madnis"]):
        assert part["sigma_pb"] > 0
        assert part["sigma_error_pb"] > 0
        assert 0 < part["unweighting"]["efficiency"] <= 1
        assert math.isclose(
            sum(channel["share"] for channel in part["channels"]), 1.0, rel_tol=1e-9
        )
    assert record["sigma_pb"] == record["madnis"]["sigma_pb"]
    assert list(record["stages"]) == ["prior", "survey", "train", "integrate", "generate"]


def test_run_json_has_the_efficiency_at_two_overweight_shares_channel_by_channel(
    finished: Run,
) -> None:
    for part in (finished.record.content()["vegas"], finished.record.content()["madnis"]):
        small, large = part["truncated"]
        assert (small["share"], large["share"]) == (0.001, 0.01)
        assert small["combined"]["efficiency"] < large["combined"]["efficiency"]
        assert len(small["channels"]) == len(part["channels"]) == 3
        assert all(0 < channel["n_eff"] <= 1 for channel in small["channels"])
        assert part["unweighting"]["overweight_share"] == small["combined"]["overweight_share"]


def test_run_json_has_the_channel_shares_before_and_after_the_training(finished: Run) -> None:
    vegas, neural = (
        finished.record.content()["vegas"]["channels"],
        finished.record.content()["madnis"]["channels"],
    )
    assert [channel["share_prior"] for channel in neural] == [channel["share"] for channel in vegas]
    assert sum(channel["share_prior"] for channel in neural) == pytest.approx(1.0)


def test_the_average_over_the_training_batches_agrees_with_the_integrate_stage(
    finished: Run,
) -> None:
    training = finished.record.content()["training_sigma"]
    assert training["batches"] == 12
    error = math.hypot(training["sigma_error_pb"], finished.record.content()["sigma_error_pb"])
    assert training["pull"] == pytest.approx(
        (training["sigma_pb"] - finished.record.content()["sigma_pb"]) / error
    )
    assert abs(training["pull"]) < 5


def test_the_break_even_follows_from_the_measured_costs(finished: Run) -> None:
    choice = finished.record.content()["choice"]
    vegas, flow = (
        SamplerCost(
            part["seconds_per_point"], part["unweighting"]["efficiency"], part["relative_std"]
        )
        for part in (finished.record.content()["vegas"], finished.record.content()["madnis"])
    )
    again = choose_sampler(vegas, flow, choice["training_seconds"], events=EVENTS, points=POINTS)
    assert json.loads(json.dumps(again.to_dict())) == choice


def test_a_run_with_a_channel_per_peak_has_no_warnings_but_that_of_the_densities(
    finished: Run,
) -> None:
    assert finished.record.warning_sentences == [FOR_TESTS]


def test_densities_for_tests_are_named_wherever_results_stand(finished: Run) -> None:
    assert FOR_TESTS in str(result_table(finished.record).title)
    assert f"warning: {FOR_TESTS}" in conclusions(finished.record)
    assert open_events(finished.events_file).header.blocks["madnis_py_warnings"] == FOR_TESTS
    assert (
        FOR_TESTS in json.loads(finished.directory.record_file.read_bytes())["warnings"][0].values()
    )
    assert "toy" in write_report(finished.directory.path).read_text()


def rows_of(table: Table) -> dict[str, tuple[str, ...]]:
    """Cells of a table by the first one of their row."""
    first, *others = [[str(cell) for cell in column.cells] for column in table.columns]
    return dict(zip(first, zip(*others, strict=True), strict=True))


def test_the_closing_table_has_one_efficiency_and_one_name_for_the_spread(finished: Run) -> None:
    record = finished.record
    assert record.vegas is not None
    assert record.madnis is not None
    shown, detailed = (rows_of(result_table(record, details)) for details in (False, True))
    assert [label for label in shown if "efficiency" in label] == ["unweighting efficiency"]
    assert shown["std/mean"] == tuple(
        f"{one.relative_std:.4f}" for one in (record.vegas, record.madnis)
    )
    assert shown.items() < detailed.items()
    assert "scales 91.188 GeV" in str(result_table(record).title)
    assert "2 x 6500 GeV, parton densities toy" in str(result_table(record).title)


def test_cross_sections_of_the_channels_add_up_to_the_whole(finished: Run) -> None:
    record = finished.record
    assert record.channels is not None
    assert record.sigma_pb is not None
    sigma = [float(cells[0]) for cells in rows_of(channel_table(record, details=False)).values()]
    assert sum(sigma) == pytest.approx(record.sigma_pb, rel=1e-3)
    many = [
        one.model_copy(update={"name": f"{one.name}{n}"})
        for one in record.channels
        for n in range(9)
    ]
    names = [*rows_of(channel_table(record.model_copy(update={"channels": many}), details=False))]
    assert len(names) == SHOWN_CHANNELS + 1
    assert names[-1] == f"{len(many) - SHOWN_CHANNELS} others"


def test_the_end_of_a_run_tells_the_time_of_all_stages(finished: Run) -> None:
    assert re.match(
        r"time .* s: prior .* s, survey .* s, train .* s, integrate .* s, generate .* s$",
        times(finished.record),
    )


def test_what_comes_next_are_commands_of_the_command_line(
    finished: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copied = shutil.copytree(finished.directory.path, tmp_path / "a run")
    monkeypatch.chdir(tmp_path)
    steps = next_steps(finished.record, copied.relative_to(tmp_path))
    assert {shlex.split(one)[1] for one in steps.values()} == {
        "histograms",
        "report",
        "generate",
        "gridpack",
        "integrate",
    }
    for command in steps.values():
        if "histograms" not in command:
            words = shlex.split(command.replace("1e6", "100"))
            assert call(words[1:], capsys, monkeypatch).status == 0, command
    assert (tmp_path / "a run.tar.gz").is_file()


def test_a_run_without_the_channel_of_a_narrow_peak_warns(process: Process, tmp_path: Path) -> None:
    blind = process.card.updated({"parameters": {"WZP": 0.5e-3}, "channels": {"omit": ["Z'"]}})
    run = Run(Process.from_card(blind), tmp_path, SEED, method="vegas")
    run.integrate(100_000)
    assert any(
        "channel photon" in sentence or "channel Z" in sentence
        for sentence in run.record.warning_sentences
    )


def test_the_first_iteration_follows_what_the_training_knows_of_the_channels(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, ...]] = []
    original = ImportanceSampler.iterations

    def spy(self: ImportanceSampler, n: int, iterations: int, sigma: Tensor) -> Iterator[Samples]:
        seen.append(tuple(sigma.tolist()))
        return original(self, n, iterations, sigma)

    monkeypatch.setattr(ImportanceSampler, "iterations", spy)
    run = Run(process, tmp_path, SEED, method="vegas")
    run.integrate(POINTS)
    assert seen == [tuple(run.survey().sigma.tolist())]


def test_auto_stays_with_vegas_when_few_events_cannot_pay_a_training(
    process: Process, tmp_path: Path
) -> None:
    run = Run(process, tmp_path, SEED, method="auto", training=TrainingSettings(steps=100_000))
    run.execute(100, POINTS)
    assert run.record.content()["plan"]["sampler"] == "vegas"
    assert "madnis" not in run.record.content()
    assert lines_of(run.events_file).count("<event>") == 100


def planned(sampler: str) -> Callable[..., Choice]:
    """A pilot that has made up its mind."""
    fast, slow = SamplerCost(1e-6, 0.9, 0.1), SamplerCost(1.0, 0.1, 1.0)
    vegas, flow = (fast, slow) if sampler == "vegas" else (slow, fast)
    return lambda *_: choose_sampler(vegas, flow, 1.0, events=1000, trained=False)


def test_auto_trains_when_that_pays_and_a_resumed_run_keeps_the_decision(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madnis_py.run.stages.cost_prediction.predict", planned("madnis"))
    with pytest.raises(KeyboardInterrupt):
        Run(process, tmp_path, SEED, method="auto", watch=interrupt_in("train", 5)).execute(
            100, POINTS
        )
    monkeypatch.setattr("madnis_py.run.stages.cost_prediction.predict", planned("vegas"))
    resumed = Run.open(tmp_path).execute(100, POINTS)
    assert resumed.record.content()["plan"]["sampler"] == "madnis"
    cheaper = resumed.record.content()["choice"]["sampler"]
    assert resumed.record.content()["sigma_pb"] == resumed.record.content()[cheaper]["sigma_pb"]
    assert resumed.record.preferred_sampler == cheaper


def test_vegas_and_neural_cross_sections_are_compatible(finished: Run) -> None:
    vegas, neural = finished.record.content()["vegas"], finished.record.content()["madnis"]
    error = math.hypot(vegas["sigma_error_pb"], neural["sigma_error_pb"])
    assert abs(vegas["sigma_pb"] - neural["sigma_pb"]) < 5 * error


def test_nothing_is_done_again_when_the_run_is_finished(finished: Run) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.directory.path.iterdir()}
    told: list[StageProgress] = []
    again = Run.open(finished.directory.path, watch=told.append)
    again.execute(EVENTS, POINTS)
    assert not told
    assert {path: path.stat().st_mtime_ns for path in finished.directory.path.iterdir()} == before


def test_two_threads_give_the_same_bytes_as_one(
    finished: Run, process: Process, tmp_path: Path
) -> None:
    before = _core.thread_count()
    with thread_executor(2) as executor:
        assert isinstance(executor, ThreadPoolExecutor)
        other = Run(process, tmp_path, SEED, executor=executor).execute(EVENTS, POINTS)
    _core.set_thread_count(before)
    assert other.events_file.read_bytes() == finished.events_file.read_bytes()


def test_events_are_the_same_in_every_format(finished: Run, tmp_path: Path) -> None:
    opened = Run.open(finished.directory.path)
    text, columns = (
        opened.generate(100, tmp_path / name) for name in ("events.lhe.gz", "events.parquet")
    )
    convert(columns, tmp_path / "converted.lhe.gz")
    assert (tmp_path / "converted.lhe.gz").read_bytes() == text.read_bytes()


def test_another_seed_gives_other_events(finished: Run, tmp_path: Path) -> None:
    path = Run.open(finished.directory.path).generate(100, tmp_path / "other.lhe.gz", seed=SEED + 1)
    first = Run.open(finished.directory.path).generate(100, tmp_path / "same.lhe.gz")
    assert path.read_bytes() != first.read_bytes()
    assert lines_of(first)[:10] == lines_of(finished.events_file)[:10]


def interrupt_in(stage: str, after: int) -> Callable[[StageProgress], None]:
    """A watcher that stops a run like Ctrl-C, at the n-th word of a stage."""
    heard = 0

    def watch(progress: StageProgress) -> None:
        nonlocal heard
        if progress.stage.startswith(stage):
            heard += 1
            if heard == after:
                raise KeyboardInterrupt

    return watch


@pytest.mark.parametrize(
    ("stage", "after"),
    [
        ("prior", 5),
        ("survey", 3),
        ("train", 5),
        ("integrate vegas", 2),
        ("integrate madnis", 2),
        ("generate", 1),
    ],
)
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    finished: Run, process: Process, tmp_path: Path, stage: str, after: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        Run(process, tmp_path, SEED, watch=interrupt_in(stage, after)).execute(EVENTS, POINTS)
    assert not (tmp_path / "events.lhe.gz").exists()
    resumed = Run(process, tmp_path, SEED).execute(EVENTS, POINTS)
    assert resumed.events_file.read_bytes() == finished.events_file.read_bytes()
    for name in ("training.csv", "diagnostics.json"):
        assert (tmp_path / name).read_bytes() == (finished.directory.path / name).read_bytes()


def test_training_goes_on_from_the_step_where_it_stopped(process: Process, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Run(process, tmp_path, SEED, watch=interrupt_in("train", 7)).samplers()
    told: list[StageProgress] = []
    Run(process, tmp_path, SEED, watch=told.append).samplers()
    assert [progress.done for progress in told if progress.stage == "train"] == list(range(8, 13))


def test_a_directory_with_another_run_is_refused(finished: Run, process: Process) -> None:
    with pytest.raises(
        InputError, match=r"holds a run with seed = 5; got 6; choose another directory"
    ):
        Run(process, finished.directory.path, SEED + 1)


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a directory with a run\.json"):
        Run.open(tmp_path)


def test_a_damaged_run_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"run\.json: expected the JSON that a run wrote"):
        Run.open(tmp_path)


def test_vegas_alone_makes_events_too(process: Process, tmp_path: Path) -> None:
    run = Run(process, tmp_path, SEED, method="vegas").execute(200, POINTS)
    assert lines_of(run.events_file).count("<event>") == 200
    assert "madnis" not in run.record.content()


def test_fewer_events_than_one_are_refused(finished: Run) -> None:
    with pytest.raises(InputError, match="events: expected at least 1; got 0"):
        Run.open(finished.directory.path).generate(0)


def test_pylhe_reads_every_event_as_a_shower_would(finished: Run) -> None:
    file = read_lhe(finished.events_file)
    info = file.init.procInfo[0]
    events = list(file.events)
    assert len(events) == EVENTS
    weights = np.array([event.eventinfo.weight for event in events])
    assert math.isclose(weights.mean(), info.xSection, rel_tol=1e-9)
    assert info.xSection == finished.record.content()["sigma_pb"]
    for event in events:
        check_kinematics(event)
        check_colour(event)


def check_kinematics(event: pylhe.LHEEvent) -> None:
    incoming = [p for p in event.particles if p.status == -1]
    outgoing = [p for p in event.particles if p.status == 1]
    assert sorted(p.id for p in outgoing) == [-11, 11]
    scale = sum(p.e for p in incoming)
    for component in ("e", "px", "py", "pz"):
        change = sum(getattr(p, component) for p in incoming) - sum(
            getattr(p, component) for p in outgoing
        )
        assert abs(change) < 1e-6 * scale
    for p in incoming + outgoing:
        assert p.m == 0.0
        assert abs(p.e**2 - p.px**2 - p.py**2 - p.pz**2) < 1e-9 * p.e**2


def check_colour(event: pylhe.LHEEvent) -> None:
    """The quark's colour is the antiquark's anticolour, and leptons have none."""
    quark, antiquark = sorted(event.particles[:2], key=lambda p: -p.id)
    assert quark.id == -antiquark.id
    assert 1 <= quark.id <= 4
    assert (quark.color1, quark.color2) == (antiquark.color2, antiquark.color1) == (501, 0)
    assert all(p.color1 == p.color2 == 0 for p in event.particles[2:])


def test_pythia_showers_the_events_and_reports_our_cross_section(
    finished: Run, tmp_path: Path
) -> None:
    file = Run.open(finished.directory.path).generate(300, tmp_path / "events.lhe.gz")
    pythia = shower_of(file)
    assert sum(pythia.next() for _ in range(300)) == 300
    assert math.isclose(
        pythia.infoPython().sigmaGen(), finished.record.content()["sigma_pb"] * 1e-9, rel_tol=1e-6
    )


def test_a_process_without_cross_section_is_refused_after_the_survey(tmp_path: Path) -> None:
    nowhere = {"t": {"pt_min": 100.0, "eta_max": 1.0}, "t~": {"rapidity_min": 6.0}}
    card = cards.Card.parse(
        {"process": {"definition": "g g > t t~"}, "beams": {"pdf": "toy"}, "cuts": nowhere}
    )
    with pytest.raises(
        GenerationError,
        match=r"expected points with a cross section; got none among 420,000 of g g > t t~: the",
    ):
        Run(Process.from_card(card), tmp_path, SEED).execute(10, POINTS)
    assert not list(tmp_path.glob("survey*"))
