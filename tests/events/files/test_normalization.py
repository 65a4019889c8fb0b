"""The cross section of an event file is the same in every format, whatever its IDWTUP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pylhe
import pytest
from command_line import Outcome, call
from event_samples import drell_yan, equal, shower_of, with_variations

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.files.normalization import WeightSums, in_pb, units
from madnis_py.events.les_houches.lhe_init import LheGenerator, LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.run.stages.distributions import distributions_of_file
from madnis_py.run.verification.event_file_verification import verify_events

GROUPS = (WeightGroup("scales", "envelope", (NamedWeight("up", ""), NamedWeight("down", ""))),)
PROCESSES = (LheProcess(1000.0, 2.0, 8000.0, 1), LheProcess(500.0, 1.0, 8000.0, 7))
SIGMA = 1500.0
EVENTS = 400


def init_of(weighting: int, processes: tuple[LheProcess, ...] = PROCESSES) -> LheInit:
    generators = (LheGenerator("other", "1", ""),)
    return LheInit((2212, 2212), (6500.0, 6500.0), (1, 1), processes, GROUPS, generators, weighting)


def sample(weight_of: Callable[[np.random.Generator, np.ndarray], np.ndarray]) -> EventBatch:
    """Events of two processes, 300 and 100, with weights by their process.

    The variations are 1.5 and 0.5 times the weights.
    """
    random = np.random.default_rng(4)
    process = np.repeat(np.array([1, 7], np.int32), [300, 100])
    batch = with_variations(drell_yan(EVENTS), 2)
    weight = weight_of(random, process)
    return replace(
        batch, process_id=process, weight=weight, variations=weight[:, None] * [1.5, 0.5]
    )


def of_mean(
    random: np.random.Generator, process: np.ndarray, first: float, second: float
) -> np.ndarray:
    """Random weights with the given mean in each process."""
    weight = random.exponential(1.0, len(process))
    for number, mean in ((1, first), (7, second)):
        weight[process == number] *= mean / weight[process == number].mean()
    return weight


# hep-ph/0109068: 1 is pb with the cross section of a process as mean of its events, 2 anything that
# XSECUP normalises process by process, 3 anything that the sum of XSECUP normalises, 4 is pb with
# the cross section as mean of all.
MEANINGS = {
    1: lambda random, process: of_mean(random, process, 1000.0, 500.0),
    2: lambda random, process: of_mean(random, process, 0.2, 3.0),
    3: lambda random, process: np.full(len(process), SIGMA / EVENTS),
    -3: lambda random, process: random.choice([1.0, 1.0, 1.0, -1.0], len(process)),
    -4: lambda random, process: (
        of_mean(random, process, SIGMA, SIGMA) * random.permutation(np.repeat([2.0, 0.0], 200))
    ),
}


def written(path: Path, weighting: int) -> Path:
    batch = sample(MEANINGS[weighting])
    if weighting == -4:
        batch = batch.rescaled(SIGMA / batch.weight.mean())
    with create_events(path, init_of(weighting)) as writer:
        writer.copy(batch)
    return path


@pytest.mark.parametrize("name", ["a.lhe", "a.parquet"])
@pytest.mark.parametrize("weighting", MEANINGS)
def test_tables_have_the_cross_section_as_weights_by_trials(
    weighting: int, name: str, tmp_path: Path
) -> None:
    source = written(tmp_path / name, weighting)
    done = convert(source, tmp_path / "b.h5")
    said = () if weighting == -4 else (f"IDWTUP {weighting} (weights are in pb)",)
    assert done.left_out == said
    with h5py.File(tmp_path / "b.h5") as file:
        table = file["events"]
        column = dict(zip(table.attrs["properties"], table[()].T, strict=True))
        assert file["init"][8] == -4
    trials = column["trials"].sum()
    assert column["NOMINAL"].sum() / trials == pytest.approx(SIGMA, rel=1e-12)
    assert column["up"].sum() / trials == pytest.approx(1.5 * SIGMA, rel=1e-12)
    assert column["down"].sum() / trials == pytest.approx(0.5 * SIGMA, rel=1e-12)
    theirs = [one.eventinfo.weight for one in pylhe.LHEFile.fromfile(tmp_path / "b.h5").events]
    assert np.mean(theirs) == pytest.approx(SIGMA, rel=1e-12)


def test_relative_weights_keep_their_proportions(tmp_path: Path) -> None:
    """Unweighted events stay unweighted, with their signs, in proportion for each process."""
    for weighting in (3, -3):
        convert(written(tmp_path / f"{weighting}.lhe", weighting), tmp_path / f"{weighting}.h5")
        before, after = (
            next(iter(open_events(tmp_path / f"{weighting}.{kind}"))) for kind in ("lhe", "h5")
        )
        np.testing.assert_allclose(
            after.weight / before.weight, SIGMA / before.weight.mean(), rtol=1e-12
        )
    convert(written(tmp_path / "2.lhe", 2), tmp_path / "2.h5")
    before, after = (next(iter(open_events(tmp_path / f"2.{kind}"))) for kind in ("lhe", "h5"))
    for process, cross_section in ((1, 1000.0), (7, 500.0)):
        of_process = before.process_id == process
        np.testing.assert_allclose(
            after.weight[of_process].sum() / EVENTS, cross_section, rtol=1e-12
        )
        assert np.ptp(after.weight[of_process] / before.weight[of_process]) < 1e-9


@pytest.mark.parametrize("weighting", [*MEANINGS, 4, -2, -1])
def test_text_and_columns_keep_weights_and_their_meaning(weighting: int, tmp_path: Path) -> None:
    batch = sample(MEANINGS[3])
    with create_events(tmp_path / "a.lhe", init_of(weighting)) as writer:
        writer.copy(batch)
    convert(tmp_path / "a.lhe", tmp_path / "b.parquet")
    convert(tmp_path / "b.parquet", tmp_path / "c.lhe.gz")
    for name in ("a.lhe", "b.parquet", "c.lhe.gz"):
        reader = open_events(tmp_path / name)
        assert reader.init == init_of(weighting)
        assert equal(next(iter(reader)), batch)


@pytest.mark.parametrize("weighting", MEANINGS)
def test_histograms_and_verification_find_the_cross_section(weighting: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a.lhe", weighting)
    for one in distributions_of_file(path).every[:2]:
        assert one.events is not None
        assert one.events.total == pytest.approx(SIGMA, rel=1e-9)
    found = verify_events(path)
    assert found.facts["sigma_pb"] == pytest.approx(SIGMA, rel=1e-9)
    assert found.faults == ()


@pytest.mark.parametrize("weighting", [3, -4])
def test_pythia_finds_the_same_cross_section(weighting: int, tmp_path: Path) -> None:
    """Of one process; Pythia unweights in strategies 1 and 2, so a statistical error is left."""
    path = tmp_path / "a.lhe"
    batch = replace(drell_yan(200), weight=np.full(200, 1000.0 if weighting == -4 else 1.0))
    with create_events(
        path, replace(init_of(weighting, PROCESSES[:1]), weight_groups=())
    ) as writer:
        writer.copy(batch)
    pythia = shower_of(path)
    while pythia.next():
        pass
    mean = np.mean(np.concatenate([one.weight for one in in_pb(open_events(path))]))
    assert mean == pytest.approx(pythia.infoPython().sigmaGen() * 1e9, rel=1e-9)


def test_trials_of_other_programs_are_divided_out(tmp_path: Path) -> None:
    """As Sherpa counts them: the cross section is the sum of the weights by that of the trials."""
    convert(written(tmp_path / "a.lhe", -4), tmp_path / "b.h5")
    trials = np.random.default_rng(6).integers(1, 9, EVENTS)
    with h5py.File(tmp_path / "b.h5", "r+") as file:
        file["events"][:, 3] = trials
    reader = open_events(tmp_path / "b.h5")
    assert np.mean(next(iter(reader)).weight) == pytest.approx(
        SIGMA * EVENTS / trials.sum(), rel=1e-12
    )
    assert reader.left_out == {"trials, by whose mean the weights are divided"}
    convert(tmp_path / "b.h5", tmp_path / "c.lhe")
    convert(tmp_path / "c.lhe", tmp_path / "d.h5")
    for name in ("c.lhe", "d.h5"):
        mean = next(iter(open_events(tmp_path / name))).weight.mean()
        assert mean == pytest.approx(SIGMA * EVENTS / trials.sum(), rel=1e-12)


def test_weights_that_add_up_to_nothing_are_refused(tmp_path: Path) -> None:
    batch = replace(drell_yan(4), weight=np.array([1.0, -1.0, 1.0, -1.0]))
    with create_events(tmp_path / "a.lhe", replace(init_of(-3), weight_groups=())) as writer:
        writer.copy(batch)
    with pytest.raises(
        InputError,
        match=r"a\.lhe: expected weights that add up to a part of XSECUP, as IDWTUP -3 says; got 0",
    ):
        convert(tmp_path / "a.lhe", tmp_path / "b.h5")
    assert not (tmp_path / "b.h5").exists()
    with pytest.raises(InputError, match=r"b\.h5: expected weights in pb .*; got IDWTUP -3"):
        create_events(tmp_path / "b.h5", init_of(-3))


def test_a_process_without_events_leaves_its_cross_section_to_the_others() -> None:
    sums = WeightSums()
    sums.add(replace(drell_yan(10), weight=np.full(10, 0.25)))
    assert units(init_of(2), sums) == {1: pytest.approx(SIGMA / 0.25)}
    with pytest.raises(
        InputError, match=r"expected events of the processes \[7\] of <init>; got \[1\]"
    ):
        units(init_of(2, PROCESSES[1:]), sums)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    return lambda *arguments: call(arguments, capsys, monkeypatch)


def test_the_header_of_a_file_reaches_no_other_file(
    tmp_path: Path, command: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card in it may name files; none is read, and none is printed."""
    monkeypatch.setattr(
        "madnis_py.run.stages.distributions.usual_observables", lambda finals, model: ()
    )
    secret = tmp_path / "secret"
    secret.write_text("the password is 1234\n")
    card = f"""
        process.definition = "p p > e+ e-"
        parameters.param_card = "{secret}"
        histograms."pt(e-)".bins = 4
    """
    with create_events(
        tmp_path / "a.lhe",
        LheInit((2212, 2212), (1.0, 1.0), (1, 1), (LheProcess(1, 1, 1),)),
        {"madnis_py_card": card},
    ) as w:
        w.write(drell_yan(50))
    drawn = command("histograms", tmp_path / "a.lhe", "--threads", "1", "--json")
    assert drawn.status == 0
    assert "password" not in drawn.out + drawn.err
    assert "left out: the param_card of the header, which is not read" in drawn.err
    secret.unlink()
    assert command("histograms", tmp_path / "a.lhe", "--threads", "1").status == 0
