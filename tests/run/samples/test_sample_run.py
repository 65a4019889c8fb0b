"""Runs of several processes: each as by itself, events in proportion, whoever makes them."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from command_line import call

from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.events.event_batch import OUTGOING, EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.parallel.executors import process_executor
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.progress import StageProgress
from madnis_py.run.closing_table import process_table
from madnis_py.run.run import Run
from madnis_py.run.samples.any_run import begin_run, open_run
from madnis_py.run.samples.sample_run import EVEN_SHARE, SampleRun, seed_of
from madnis_py.run.stages.integration import POINTS_OF_CHANNEL
from madnis_py.run.verification.run_verification import verify_run

DEFINITIONS = ["p p > e+ e- @3", "p p > z g @5", "p p > ta+ ta- @3"]
NUMBERS = [3, 5, 3]
EVENTS, POINTS, SEED = 3000, 40_000, 11


def card_of(definitions: list[str], **training: object) -> Card:
    return Card.parse(
        {
            "process": {"definition": definitions},
            "beams": {"pdf": "toy"},
            "cuts": {"lepton": {"sfos_mass_min": 60.0}, "jet": {"pt_min": 30.0, "eta_max": 4.0}},
            "channels": {"prior": "diagram"},
            "training": {"preset": "quick", **training},
        }
    )


@pytest.fixture(scope="module")
def processes() -> ProcessSet:
    return ProcessSet.from_card(card_of(DEFINITIONS))


@pytest.fixture(scope="module")
def finished(processes: ProcessSet, tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    run = SampleRun(processes, tmp_path_factory.mktemp("samples") / "run", SEED, method="vegas")
    return run.execute(EVENTS, POINTS)


def events_of(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


def test_each_process_has_the_cross_section_of_a_run_of_its_own(
    finished: SampleRun, processes: ProcessSet, tmp_path: Path
) -> None:
    process, part = processes.processes[1], (finished.record.parts or ())[1]
    same = Run(process, tmp_path / "same", seed_of(SEED, 2), method="vegas")
    assert same.integrate(part.points).sigma_pb == part.sigma_pb
    other = Run(process, tmp_path / "other", 5, method="vegas").integrate(20_000)
    assert part.sigma_pb is not None
    assert part.sigma_error_pb is not None
    error = math.hypot(other.sigma_error_pb, part.sigma_error_pb)
    assert abs(other.sigma_pb - part.sigma_pb) < 5 * error


def test_lepton_flavours_have_one_cross_section_from_different_random_numbers(
    finished: SampleRun,
) -> None:
    electrons, _, taus = finished.integrate()
    assert electrons.sigma_pb != taus.sigma_pb
    error = math.hypot(electrons.sigma_error_pb, taus.sigma_error_pb)
    assert abs(electrons.sigma_pb - taus.sigma_pb) < 5 * error


def test_the_whole_is_the_sum_of_the_processes(finished: SampleRun) -> None:
    record, results = finished.record, finished.integrate()
    assert record.sigma_pb == pytest.approx(sum(one.sigma_pb for one in results), rel=1e-12)
    assert record.sigma_error_pb == pytest.approx(
        math.hypot(*(one.sigma_error_pb for one in results)), rel=1e-12
    )
    assert record.points == sum(one.points for one in results) == POINTS


def test_points_are_shared_out_for_the_least_error_of_the_sum(finished: SampleRun) -> None:
    deviations = np.array([part.deviation("vegas") for part in finished.parts])
    share = EVEN_SHARE / 3 + (1 - EVEN_SHARE) * deviations / deviations.sum()
    found = [part.points for part in finished.record.parts or ()]
    assert np.abs(np.array(found) - POINTS * share).max() <= 1


def test_no_process_has_fewer_points_than_its_channels_need(
    processes: ProcessSet, tmp_path: Path
) -> None:
    run = SampleRun(processes, tmp_path / "run", SEED, method="vegas")
    run.integrate(4)
    points = [part.points for part in run.record.parts or ()]
    assert points == [POINTS_OF_CHANNEL * part.choose_prior().n_channels for part in run.parts]


def test_events_come_in_proportion_to_the_cross_sections(finished: SampleRun) -> None:
    events = events_of(finished.events_file)
    assert len(events) == EVENTS
    codes = np.where(events.status == OUTGOING, np.abs(events.pdg), 0)
    sigma = np.array([one.sigma_pb for one in finished.integrate()])
    for particle, number, share, part in zip(
        (11, 23, 15), NUMBERS, sigma / sigma.sum(), finished.record.parts or (), strict=True
    ):
        own = (codes == particle).any(axis=1)
        assert set(events.process_id[own]) == {number}
        assert part.events == own.sum()
        assert abs(own.sum() - EVENTS * share) < 5 * math.sqrt(EVENTS * share * (1 - share))


def test_processes_are_mixed_in_a_random_order(finished: SampleRun) -> None:
    jets = events_of(finished.events_file).process_id == 5
    share = jets.mean()
    changes = (jets[1:] != jets[:-1]).sum()
    expected = 2 * share * (1 - share) * EVENTS
    assert abs(changes - expected) < 5 * math.sqrt(expected)


def test_the_file_has_a_line_for_each_number_with_the_cross_section_of_its_processes(
    finished: SampleRun,
) -> None:
    electrons, bosons, taus = finished.integrate()
    reader = open_events(finished.events_file)
    lines = {process.identifier: process for process in reader.init.processes}
    assert list(lines) == [3, 5]
    assert lines[3].cross_section == pytest.approx(electrons.sigma_pb + taus.sigma_pb)
    assert lines[3].error == pytest.approx(
        math.hypot(electrons.sigma_error_pb, taus.sigma_error_pb)
    )
    assert lines[5].cross_section == pytest.approx(bosons.sigma_pb)
    events = events_of(finished.events_file)
    for number, line in lines.items():
        assert line.maximum == pytest.approx(events.weight[events.process_id == number].max())
    assert events.weight.mean() == pytest.approx(finished.record.sigma_pb, rel=1e-9)


def test_weights_are_equal_but_for_what_the_maxima_leave(finished: SampleRun) -> None:
    events = events_of(finished.events_file)
    usual = np.median(events.weight)
    assert (np.abs(events.weight / usual - 1) < 2e-3).mean() > 0.99


def test_the_bytes_are_the_same_for_threads_and_worker_processes(
    finished: SampleRun, tmp_path: Path
) -> None:
    shutil.copytree(finished.directory.path, tmp_path / "run")
    run = open_run(tmp_path / "run")
    with ThreadPoolExecutor(2) as threads, run.executed_by(lambda _: nullcontext(threads)):
        run.generate(EVENTS, tmp_path / "threads.lhe.gz")
    with run.executed_by(lambda _: process_executor(2)):
        run.generate(EVENTS, tmp_path / "workers.lhe.gz")
    expected = finished.events_file.read_bytes()
    assert (tmp_path / "threads.lhe.gz").read_bytes() == expected
    assert (tmp_path / "workers.lhe.gz").read_bytes() == expected


def test_a_generation_that_was_interrupted_goes_on_with_the_same_bytes(
    finished: SampleRun, tmp_path: Path
) -> None:
    shutil.copytree(finished.directory.path, tmp_path / "run")

    def interrupt(progress: StageProgress) -> None:
        if (progress.part, progress.stage) == ("p p > z g @5", "generate"):
            raise KeyboardInterrupt

    output = tmp_path / "run" / "again.lhe.gz"
    with pytest.raises(KeyboardInterrupt):
        open_run(tmp_path / "run", watch=interrupt).generate(EVENTS, output)
    assert list((tmp_path / "run" / "chunks").rglob("*.npz"))
    assert not output.exists()
    open_run(tmp_path / "run").generate(EVENTS, output)
    assert output.read_bytes() == finished.events_file.read_bytes()
    assert not (tmp_path / "run" / "chunks").exists()


def test_more_events_begin_with_the_same_ones(finished: SampleRun, tmp_path: Path) -> None:
    shutil.copytree(finished.directory.path, tmp_path / "run")
    run = open_run(tmp_path / "run")
    more = events_of(run.generate(EVENTS + 1000, tmp_path / "more.lhe.gz"))
    fewer = events_of(finished.events_file)
    assert np.array_equal(more.momenta[:EVENTS], fewer.momenta)
    assert np.array_equal(more.process_id[:EVENTS], fewer.process_id)


def test_another_seed_gives_other_events(finished: SampleRun, tmp_path: Path) -> None:
    shutil.copytree(finished.directory.path, tmp_path / "run")
    other = events_of(open_run(tmp_path / "run").generate(500, tmp_path / "o.lhe.gz", seed=12))
    same = events_of(finished.events_file)
    assert not np.array_equal(other.process_id, same.process_id[:500])


def test_nothing_is_done_twice(finished: SampleRun) -> None:
    before = finished.directory.record_file.read_bytes()
    stages: list[str] = []
    again = open_run(
        finished.directory.path, watch=lambda progress: stages.append(progress.stage)
    ).execute(EVENTS, POINTS)
    assert stages == []
    assert again.record == finished.record
    assert finished.directory.record_file.read_bytes() == before


def test_a_directory_of_other_processes_is_not_used(finished: SampleRun) -> None:
    with pytest.raises(InputError, match=r"holds a run with card = .*; choose another directory"):
        begin_run(card_of(DEFINITIONS[:2]), finished.directory.path, SEED, method="vegas")


def test_the_table_has_a_row_for_each_process_and_one_for_all(finished: SampleRun) -> None:
    table = process_table(finished.record)
    first, *_, last = [list(column.cells) for column in table.columns]
    assert first == [*DEFINITIONS, "all"]
    assert last == ["VEGAS"] * 3 + [""]


def test_histograms_are_the_sum_of_the_processes_and_agree_with_the_events(
    finished: SampleRun,
) -> None:
    found = finished.histograms(30_000)
    by_name = {pair.name: pair for pair in found.every}
    whole = by_name["sqrt_s"]
    assert whole.weighted is not None
    assert whole.events is not None
    assert abs(whole.weighted.total - (finished.record.sigma_pb or 0)) < 5 * float(
        whole.weighted.all_errors[-1]
    )
    jet = by_name["pt(jet[1])"].weighted
    assert jet is not None
    bosons = finished.integrate()[1]
    assert jet.contents[:-1].sum() == pytest.approx(bosons.sigma_pb, rel=0.1)
    for pair in found.every:
        assert pair.comparison is not None
        assert pair.comparison.p_value > 1e-6


def test_a_run_of_several_processes_is_verified_with_all_its_parts(
    finished: SampleRun, tmp_path: Path
) -> None:
    assert verify_run(finished.directory.path).faults == ()
    shutil.copytree(finished.directory.path, tmp_path / "run")
    survey = next((tmp_path / "run" / "process_2").glob("survey.*.safetensors"))
    survey.write_bytes(survey.read_bytes()[:-8])
    (fault,) = verify_run(tmp_path / "run").faults
    assert "process_2" in fault


def test_a_gridpack_makes_the_events_of_the_run(finished: SampleRun, tmp_path: Path) -> None:
    finished.gridpack(tmp_path / "pack.tar.gz")
    with tarfile.open(tmp_path / "pack.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    unpacked = open_run(tmp_path / "pack" / "run")
    unpacked.generate(EVENTS, tmp_path / "events.lhe.gz")
    assert (tmp_path / "events.lhe.gz").read_bytes() == finished.events_file.read_bytes()


def test_flows_of_all_processes_are_trained(tmp_path: Path) -> None:
    card = card_of(["p p > e+ e-", "p p > mu+ mu-"], steps=6, batch_size=300)
    run = begin_run(card, tmp_path / "run").execute(200, 8_000)
    parts = run.record.parts or ()
    assert [part.sampler for part in parts] == ["madnis", "madnis"]
    assert Counter(events_of(run.events_file).process_id.tolist()) == {
        part.number: part.events for part in parts
    }
    assert run.record.stages["train"].evaluations > 0


def test_biased_events_of_several_processes_have_their_cross_sections(tmp_path: Path) -> None:
    card = card_of(["p p > e+ e-", "p p > z g"]).updated({"events": {"bias": "sqrt_s"}})
    run = begin_run(card, tmp_path / "run", 4, method="vegas").execute(4000, 40_000)
    assert isinstance(run, SampleRun)
    events = events_of(run.events_file)
    assert events.weight.mean() == pytest.approx(run.record.sigma_pb, rel=1e-9)
    for result, number in zip(run.integrate(), (1, 2), strict=True):
        own = np.where(events.process_id == number, events.weight, 0.0)
        error = math.hypot(own.std() / math.sqrt(len(own)), result.sigma_error_pb)
        assert abs(own.mean() - result.sigma_pb) < 5 * error
    squared = (events.momenta[:, :2].sum(axis=1) ** 2 * [1, -1, -1, -1]).sum(axis=1)
    unit = events.weight * np.sqrt(squared)  # the same for all, but for what the maxima leave
    assert (np.abs(unit / np.median(unit) - 1) < 2e-2).mean() > 0.98


def test_a_list_of_one_process_is_a_run_like_any_other(tmp_path: Path) -> None:
    run = begin_run(card_of(["p p > e+ e- @4"]), tmp_path / "run", method="vegas")
    assert isinstance(run, Run)
    run.execute(50, 10_000)
    assert set(events_of(run.events_file).process_id) == {4}
    assert [one.identifier for one in open_events(run.events_file).init.processes] == [4]


PAIRS = {"l+": "mu+ ta+", "l-": "mu- ta-"}


def test_pairs_of_several_masses_are_those_of_qed(tmp_path: Path) -> None:
    """e+ e- > mu+ mu- and tau+ tau-, 4 pi alpha^2 / 3 s beta (3 - beta^2) / 2, in one run."""
    definition = "e+ e- > l+ l- / z h"
    card = Card.parse(
        {
            "process": {"definition": definition, "multiparticles": PAIRS},
            "beams": {"pdf": "none", "energy": [3.0, 3.0]},
        }
    )
    run = begin_run(card, tmp_path / "run", SEED, method="vegas").execute(200, 100_000)
    muons, taus = (part.sigma_pb for part in run.record.parts or ())
    beta = math.sqrt(1 - (1.777 / 3) ** 2)
    alpha = 1 / 132.50698
    pointlike = 4 * math.pi * alpha**2 / (3 * 36) * 0.3893793721e9
    assert muons == pytest.approx(pointlike, rel=2e-3)
    assert taus == pytest.approx(pointlike * beta * (3 - beta**2) / 2, rel=2e-3)
    kinds = Counter(np.abs(events_of(tmp_path / "run" / "events.lhe.gz").pdg[:, 2]).tolist())
    assert kinds.keys() == {13, 15}
    share = 1 / (1 + beta * (3 - beta**2) / 2)
    assert abs(kinds[13] - 200 * share) < 5 * math.sqrt(200 * share * (1 - share))


def test_a_run_of_several_masses_goes_on_with_the_same_events(tmp_path: Path) -> None:
    process = {"definition": "e+ e- > l+ l- @4", "multiparticles": PAIRS}
    card = Card.parse({"process": process, "beams": {"pdf": "none", "energy": [45.0, 45.0]}})
    begun = begin_run(card, tmp_path / "run", SEED, method="vegas")
    assert [part.number for part in begun.record.parts or ()] == [4, 4]
    open_run(tmp_path / "run", trust=True).execute(200, 4000)
    begin_run(card, tmp_path / "at_once", SEED, method="vegas").execute(200, 4000)
    whole, at_once = ((tmp_path / name / "events.lhe.gz") for name in ("run", "at_once"))
    assert whole.read_bytes() == at_once.read_bytes()


def test_widths_into_several_masses_are_the_sum_of_closed_forms(tmp_path: Path) -> None:
    """Gamma(h > f f~) = N_c y^2 m_h beta^3 / 16 pi for b and tau in one definition."""
    labels = {"x": "b ta-", "x~": "b~ ta+"}
    card = Card.parse({"process": {"definition": "h > x x~", "multiparticles": labels}})
    run = begin_run(card, tmp_path / "run", SEED, method="vegas")
    assert isinstance(run, SampleRun)
    run.integrate(20_000)
    model = run.processes.processes[0].model
    expected = 0.0
    for colours, mass in ((3, model["MB"]), (1, model["MTA"])):
        beta = math.sqrt(1 - (2 * mass / model["MH"]) ** 2)
        yukawa = mass * math.sqrt(math.sqrt(2) * model["Gf"])
        expected += colours * yukawa**2 * model["MH"] * beta**3 / (8 * math.pi)
    assert run.record.sigma_pb == pytest.approx(expected, rel=2e-3)


def test_a_process_with_a_negative_cross_section_takes_its_part_away(tmp_path: Path) -> None:
    card = Card.parse(
        {
            "process": {"definition": ["u u~ > u u~ QCD^2==2 / z", "u u~ > d d~"]},
            "beams": {"pdf": "none", "energy": [50.0, 50.0]},
            "cuts": {"jet": {"pt_min": 20.0}},
            "channels": {"prior": "diagram"},
        }
    )
    begin_run(card, tmp_path / "run", SEED, method="vegas").execute(1000, 10_000)
    run = open_run(tmp_path / "run")
    negative, positive = (part.sigma_pb or 0.0 for part in run.record.parts or ())
    assert negative < 0 < negative + positive
    events = events_of(run.events_file)
    assert np.array_equal(events.weight < 0, events.process_id == 1)
    share = -negative / (positive - negative)  # of events; the total is (1 - 2 share) of all
    assert abs((events.weight < 0).mean() - share) < 5 * math.sqrt(share * (1 - share) / 1000)
    sizes = positive - negative
    fluctuation = 2 * sizes * math.sqrt(share * (1 - share) / 1000)
    assert abs(events.weight.mean() - (negative + positive)) < 5 * fluctuation
    assert not verify_run(tmp_path / "run").faults


def test_commands_of_one_process_refuse_a_card_of_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "card.toml").write_text(card_of(DEFINITIONS).to_toml())
    done = call(["diagrams", tmp_path / "card.toml"], capsys, monkeypatch)
    assert done.status == 2
    assert "process.definition: expected one process here; got 3" in done.err


def test_the_command_line_works_on_several_processes(
    finished: SampleRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "card.toml").write_text(card_of(DEFINITIONS).to_toml())
    shutil.copytree(finished.directory.path, tmp_path / "run")
    begin = ["--method", "vegas", "--seed", str(SEED), "--points", str(POINTS)]
    done = call(
        ["run", tmp_path / "card.toml", "-o", tmp_path / "run", "-n", "100", *begin],
        capsys,
        monkeypatch,
    )
    assert done.status == 0, done.err
    assert "p p > ta+ ta-" in done.out
    assert "100 events in" in done.out
    again = call(["integrate", tmp_path / "run", "--json"], capsys, monkeypatch)
    assert again.status == 0
    assert '"parts"' in again.out
    checked = call(["verify", tmp_path / "run"], capsys, monkeypatch)
    assert checked.status == 0, checked.err


@pytest.mark.slow
def test_jet_multiplicities_of_one_run_are_those_of_their_own_runs_and_survive_kill_minus_nine(
    tmp_path: Path,
) -> None:
    """p p > z, z j and z j j: sigma, shares, and the bytes of any workers and interruptions."""
    events, points = 60_000, 300_000
    card = card_of(["p p > z", "p p > z j", "p p > z j j"])
    card = card.updated({"cuts": {"jet,jet": {"dr_min": 0.4}, "lepton": None}})
    run = begin_run(card, tmp_path / "one", 3, method="vegas").execute(events, points)
    assert isinstance(run, SampleRun)
    counts = Counter(events_of(run.events_file).process_id.tolist())
    sigma = np.array([one.sigma_pb for one in run.integrate()])
    for place, (part, share) in enumerate(
        zip(run.record.parts or (), sigma / sigma.sum(), strict=True), start=1
    ):
        own = Run(run.processes.processes[place - 1], tmp_path / f"{place}", 8, method="vegas")
        other = own.integrate(100_000)
        assert part.sigma_pb is not None
        error = math.hypot(other.sigma_error_pb, part.sigma_error_pb or 0)
        assert abs(other.sigma_pb - part.sigma_pb) < 5 * error
        width = math.sqrt(events * share * (1 - share))
        assert abs(counts[part.number] - events * share) < 5 * width
    (tmp_path / "card.toml").write_text(card.to_toml())
    command = [sys.executable, "-m", "madnis_py", "run", str(tmp_path / "card.toml")]
    command += ["-o", str(tmp_path / "two"), "--seed", "3", "--method", "vegas", "--workers", "2"]
    command += ["--points", str(points), "--events", str(events)]
    for seconds in (8, 20, 35, 50):
        try:
            subprocess.run(command, timeout=seconds, capture_output=True, check=True)
        except subprocess.TimeoutExpired:  # subprocess.run kills with SIGKILL
            continue
    subprocess.run(command, capture_output=True, check=True)
    assert (tmp_path / "two" / "events.lhe.gz").read_bytes() == run.events_file.read_bytes()
