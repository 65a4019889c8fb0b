"""Showers by Pythia: HepMC3 files that other programs read, the same on any number of processes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import call
from event_samples import SIGMA, drell_yan, with_variations

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import create_events
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.events.showers import shower as showers
from madnis_py.events.showers.shower import Shower, ShoweredFile
from madnis_py.events.showers.shower_chunk import ShowerChunk, ShowerTally
from madnis_py.events.showers.shower_settings import ShowerSettings
from madnis_py.parallel.executors import process_executor

pytest.importorskip("pythia8mc")
pyhepmc = pytest.importorskip("pyhepmc")

FAST = ("PartonLevel:MPI = off", "HadronLevel:all = off")
GROUPS = (WeightGroup("scales", "envelope", (NamedWeight("up", ""), NamedWeight("down", ""))),)


def written(path: Path, events: EventBatch) -> Path:
    init = LheInit((2212, 2212), (6500.0, 6500.0), (0, 0), (LheProcess(SIGMA, 3.0, SIGMA),), GROUPS)
    with create_events(path, init) as writer:
        writer.write(events)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 25 events with two variations of the weights, twice and half of them."""
    events = with_variations(drell_yan(25), 2)
    events = replace(events, variations=events.weight[:, None] * [2.0, 0.5])
    return written(tmp_path_factory.mktemp("events") / "events.lhe.gz", events)


@pytest.fixture(scope="module", autouse=True)
def _small_chunks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(showers, "CHUNK", 10)
        yield


def showered(source: Path, output: Path, lines: Sequence[str] = FAST, **more: Any) -> ShoweredFile:
    return Shower(ShowerSettings(tuple(lines), **more)).run(source, output)


@pytest.fixture(scope="module")
def file(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("showers") / "events.hepmc.gz"
    made = showered(source, path)
    assert (made.events, made.accepted, made.failed) == (25, 25, 0)
    assert (made.cross_section, made.error) == pytest.approx((SIGMA, 3.0))
    return path


def read(path: Path) -> list[Any]:
    with pyhepmc.open(path) as events:
        return list(events)


def test_another_program_reads_every_event_with_its_weights_and_cross_section(file: Path) -> None:
    events = read(file)
    assert [event.event_number for event in events] == list(range(25))
    for event in events:
        assert event.weights == pytest.approx([SIGMA, 2 * SIGMA, SIGMA / 2])
        assert event.weight_names == ["Weight", "up", "down"]
        sigma = event.cross_section
        assert [sigma.xsec(n) for n in range(3)] == pytest.approx([SIGMA, 2 * SIGMA, SIGMA / 2])
        assert sigma.xsec_err() == pytest.approx(3.0)
        assert [tool.name for tool in event.run_info.tools] == ["madnis_py", "Pythia"]


def test_momentum_is_conserved_from_the_beams_to_the_last_particles(file: Path) -> None:
    for event in read(file):
        beams = [[one.momentum.e, one.momentum.pz] for one in event.beams]
        assert np.allclose(beams, [[6500.0, 6500.0], [6500.0, -6500.0]], rtol=1e-6)
        last = [one.momentum for one in event.particles if one.status == 1]
        total = [sum(getattr(one, axis) for one in last) for axis in ("e", "px", "py", "pz")]
        assert total == pytest.approx([13000.0, 0.0, 0.0, 0.0], abs=1e-3)
        assert {-11, 11} <= {one.pid for one in event.particles if one.status == 1}


def test_every_particle_but_the_beams_comes_out_of_a_vertex(file: Path) -> None:
    event = read(file)[0]
    roots = [one for one in event.particles if one.production_vertex.id == 0]
    assert {one.id for one in roots} == {one.id for one in event.beams}


def test_finished_chunks_are_used_again_and_the_bytes_are_the_same(
    source: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "events.hepmc.gz"
    made: list[int] = []
    original = ShowerChunk.__call__

    def interrupted(self: ShowerChunk) -> ShowerTally:
        if len(made) == 2:
            raise KeyboardInterrupt
        return counted(self)

    def counted(self: ShowerChunk) -> ShowerTally:
        made.append(self.number)
        return original(self)

    monkeypatch.setattr(ShowerChunk, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        showered(source, output)
    assert not output.exists()
    monkeypatch.setattr(ShowerChunk, "__call__", counted)
    showered(source, output)
    assert made == [0, 1, 2]
    assert output.read_bytes() == file.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["events.hepmc.gz"]


def test_another_seed_gives_other_showers(source: Path, file: Path, tmp_path: Path) -> None:
    showered(source, tmp_path / "other.hepmc", seed=2)
    first, other = (len(read(path)[0].particles) for path in (file, tmp_path / "other.hepmc"))
    assert first != other


def test_events_that_a_matching_vetoes_leave_the_cross_section(
    source: Path, tmp_path: Path
) -> None:
    matching = (
        "JetMatching:merge = on",
        "JetMatching:scheme = 1",
        "JetMatching:setMad = off",
        "JetMatching:qCut = 10",
        "JetMatching:nJetMax = 1",  # so that events without a jet get none from the shower
    )
    made = showered(source, tmp_path / "matched.hepmc", (*FAST, *matching))
    assert 5 < made.accepted < 25
    assert (made.events, made.failed) == (25, 0)
    assert made.cross_section == pytest.approx(SIGMA * made.accepted / 25)
    assert made.error > 3.0
    events = read(tmp_path / "matched.hepmc")
    assert sum(event.weights[0] for event in events) / 25 == pytest.approx(made.cross_section)
    assert events[0].cross_section.xsec() == pytest.approx(made.cross_section)


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_number_of_processes(
    source: Path, file: Path, tmp_path: Path
) -> None:
    with process_executor(2) as executor:
        Shower(ShowerSettings(FAST), executor, 4).run(source, tmp_path / "two.hepmc.gz")
    assert (tmp_path / "two.hepmc.gz").read_bytes() == file.read_bytes()


@pytest.mark.slow
def test_ten_thousand_events_with_everything_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showers, "CHUNK", 500)
    source = written(tmp_path / "many.lhe.gz", with_variations(drell_yan(10_000), 2))
    output = tmp_path / "many.hepmc.gz"
    with process_executor(2) as executor:
        made = Shower(ShowerSettings(), executor, 4).run(source, output)
    count, total, worst = 0, 0.0, 0.0
    with pyhepmc.open(output) as events:
        for event in events:
            last = [one.momentum for one in event.particles if one.status == 1]
            for axis, expected in (("e", 13000.0), ("px", 0.0), ("py", 0.0), ("pz", 0.0)):
                worst = max(worst, abs(sum(getattr(one, axis) for one in last) - expected))
            count += 1
            total += event.weights[0]
    assert (count, made.failed) == (made.accepted, made.events - made.accepted)
    assert made.accepted > 9990
    assert total / count == pytest.approx(SIGMA)
    assert worst < 0.1


def test_decays_by_themselves_are_refused(tmp_path: Path) -> None:
    init = LheInit((6, 0), (173.0, 0.0), (-1, -1), (LheProcess(1.5, 0.1, 1.5),))
    with create_events(tmp_path / "top.lhe", init):
        pass
    with pytest.raises(InputError, match="expected collisions, which Pythia takes; got decays"):
        showered(tmp_path / "top.lhe", tmp_path / "x.hepmc")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("PartonLevel:MIP = off", 'expected a setting of Pythia, "KEY = VALUE"'),
        ("Beams:LHEF = other.lhe", "expected a setting that this command does not make itself"),
    ],
)
def test_what_pythia_does_not_know_is_refused(
    line: str, sentence: str, source: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=sentence):
        showered(source, tmp_path / "x.hepmc", [line])
    assert list(tmp_path.iterdir()) == []


def test_the_command_takes_a_run_or_a_file(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["--workers", "1", "--events", "5", *(f"--set={line}" for line in FAST)]
    run = tmp_path / "run"
    run.mkdir()
    missing = call(["shower", run, "-o", tmp_path / "x.hepmc"], capsys, monkeypatch)
    assert missing.status == 2
    assert "expected events in events.lhe.gz" in missing.err
    shutil.copy(source, run / "events.lhe.gz")
    told = call(["shower", run, "-o", tmp_path / "x.hepmc", *arguments], capsys, monkeypatch)
    assert (told.status, len(read(tmp_path / "x.hepmc"))) == (0, 5)
    assert "sigma = 1500 +- 3 pb" in told.out
