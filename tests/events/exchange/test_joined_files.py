"""Files of events joined into one: number, weights, cross sections and errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import hypot, sqrt
from pathlib import Path

import numpy as np
import pytest
from command_line import call
from event_samples import drell_yan

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.joined_files import HEADER_BLOCK, join_files
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess

Maker = Callable[..., Path]


@pytest.fixture
def sample(tmp_path: Path) -> Maker:
    """Writes n events of a process with the cross section as weight."""

    def made(
        name: str, n: int, sigma: float, error: float = 1.0, seed: int = 1, number: int = 1
    ) -> Path:
        events = replace(drell_yan(n, seed), process_id=np.full(n, number, np.int32))
        init = LheInit(
            (2212, 2212), (6500.0, 6500.0), (1, 1), (LheProcess(sigma, error, sigma, number),)
        )
        with create_events(tmp_path / name, init, {"card": f"of {name}"}) as writer:
            writer.write(events.reweighted(np.full(n, sigma)))
        return tmp_path / name

    return made


def read(path: Path) -> tuple[LheInit, EventBatch]:
    reader = open_events(path)
    return reader.init, EventBatch.concatenate(list(reader))


@pytest.mark.parametrize("suffix", ["lhe.gz", "h5", "parquet"])
def test_files_of_one_gridpack_share_its_cross_section_and_error(
    suffix: str, sample: Maker, tmp_path: Path
) -> None:
    sources = [sample(f"{seed}.lhe.gz", 20 * seed, 1500.0, 2.0, seed) for seed in (1, 2, 3)]
    done = join_files(sources, tmp_path / f"all.{suffix}")
    init, events = read(tmp_path / f"all.{suffix}")
    assert (done.events, len(events)) == (120, 120)
    assert init.cross_section == (1500.0, 2.0)
    assert set(events.weight) == {1500.0}
    parts = [read(source)[1].momenta for source in sources]
    assert np.array_equal(events.momenta, np.concatenate(parts))


def test_independent_estimates_are_averaged_by_their_errors(sample: Maker, tmp_path: Path) -> None:
    sources = [sample("a.lhe", 10, 1500.0, 3.0), sample("b.lhe", 30, 1503.0, 4.0, seed=2)]
    done = join_files(sources, tmp_path / "all.lhe")
    mean = (1500.0 / 9 + 1503.0 / 16) / (1 / 9 + 1 / 16)
    assert (done.cross_section, done.error) == pytest.approx((mean, 1 / sqrt(1 / 9 + 1 / 16)))
    init, events = read(tmp_path / "all.lhe")
    assert init.cross_section == pytest.approx((mean, done.error))
    assert events.weight.mean() == pytest.approx(mean)
    assert done.factors == pytest.approx((mean / 1500, mean / 1503))


def test_an_estimate_counts_once_however_many_files_share_it(sample: Maker, tmp_path: Path) -> None:
    sources = [sample(f"{seed}.lhe", 10, 1500.0, 3.0, seed) for seed in (1, 2, 3)]
    done = join_files([*sources, sample("d.lhe", 10, 1503.0, 3.0, 4)], tmp_path / "all.lhe")
    assert (done.cross_section, done.error) == pytest.approx((1501.5, 3.0 / sqrt(2)))


def test_different_processes_add_up_and_keep_their_shares(sample: Maker, tmp_path: Path) -> None:
    sources = [sample("a.lhe", 100, 1000.0, 3.0), sample("b.lhe", 300, 500.0, 4.0, seed=2)]
    done = join_files(sources, tmp_path / "all.lhe", "different")
    init, events = read(tmp_path / "all.lhe")
    assert init.cross_section == pytest.approx((1500.0, 5.0))
    assert events.weight.mean() == pytest.approx(1500.0)
    for number, sigma in ((1, 1000.0), (2, 500.0)):
        share = events.weight[events.process_id == number].sum() / events.weight.sum()
        assert share == pytest.approx(sigma / 1500.0)
    assert [one.identifier for one in init.processes] == [1, 2]
    assert done.error == hypot(3.0, 4.0)
    for process in init.processes:
        own = events.weight[events.process_id == process.identifier]
        assert own.max() == pytest.approx(process.maximum)


def test_process_numbers_that_are_free_stay(sample: Maker, tmp_path: Path) -> None:
    sources = [sample("a.lhe", 5, 10.0, number=7), sample("b.lhe", 5, 10.0, seed=2, number=3)]
    join_files(sources, tmp_path / "all.lhe", "different")
    init, events = read(tmp_path / "all.lhe")
    assert [one.identifier for one in init.processes] == [7, 3]
    assert set(events.process_id) == {3, 7}


def test_the_header_says_what_was_joined(sample: Maker, tmp_path: Path) -> None:
    sources = [sample("a.lhe", 5, 10.0), sample("b.lhe", 5, 10.0, seed=2)]
    join_files(sources, tmp_path / "all.lhe")
    blocks = open_events(tmp_path / "all.lhe").header.blocks
    assert blocks["card"] == "of a.lhe"
    assert '"file": "b.lhe"' in blocks[HEADER_BLOCK]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sigma": 1600.0}, "expected about the 1500 .* got 1600"),
        ({"number": 2}, r"expected the processes \[1\]"),
        ({"seed": 1}, "expected other events, from another seed"),
        ({"n": 0}, "expected events; got none"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    changes: dict[str, float], sentence: str, sample: Maker, tmp_path: Path
) -> None:
    given = {"n": 10, "sigma": 1500.0, "seed": 2} | changes
    sources = [sample("a.lhe", 10, 1500.0), sample("b.lhe", **given)]
    with pytest.raises(InputError, match=sentence):
        join_files(sources, tmp_path / "all.lhe")
    assert not (tmp_path / "all.lhe").exists()


@pytest.mark.parametrize("suffix", ["h5", "parquet", "root"])
def test_jets_for_merging_are_kept_or_refused(suffix: str, sample: Maker, tmp_path: Path) -> None:
    sources = [sample("a.lhe", 5, 10.0), sample("b.lhe", 5, 10.0, seed=2)]
    for source in sources:
        reader = open_events(source)
        events = EventBatch.concatenate(list(reader))
        with create_events(source, reader.init) as writer:
            writer.write(replace(events, n_jets=np.full(len(events), 2, np.int32)))
    join_files(sources, tmp_path / "all.lhe")
    _, joined = read(tmp_path / "all.lhe")
    assert joined.n_jets is not None
    assert joined.n_jets.tolist() == [2] * 10
    with pytest.raises(InputError, match="whose jets it lacks"):
        join_files(sources, tmp_path / f"all.{suffix}")
    assert not (tmp_path / f"all.{suffix}").exists()


def test_a_source_is_never_the_target(sample: Maker) -> None:
    sources = [sample("a.lhe", 5, 10.0), sample("b.lhe", 5, 10.0, seed=2)]
    before = sources[0].read_bytes()
    with pytest.raises(InputError, match="expected another file than the sources"):
        join_files(sources, sources[0])
    assert sources[0].read_bytes() == before


def test_other_beams_are_refused(sample: Maker, tmp_path: Path) -> None:
    init = LheInit((11, -11), (125.0, 125.0), (-1, -1), (LheProcess(1.0, 0.1, 1.0),))
    with create_events(tmp_path / "lepton.lhe", init) as writer:
        writer.write(drell_yan(3, 9))
    with pytest.raises(InputError, match=r"expected the beams of .*, \(2212, 2212\); got \(11"):
        join_files([sample("a.lhe", 5, 10.0), tmp_path / "lepton.lhe"], tmp_path / "all.lhe")


def test_the_command_tells_events_cross_section_and_weights(
    sample: Maker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = [sample("a.lhe", 10, 1000.0, 3.0), sample("b.lhe", 30, 500.0, 4.0, seed=2)]
    told = call(["merge", *sources, "-o", tmp_path / "all.lhe.gz", "--add"], capsys, monkeypatch)
    assert told.status == 0
    assert "40 events in" in told.out
    assert "sigma = 1500 +- 5 pb" in told.out
    assert f"weights of {sources[0]} times 4" in told.out
    refused = call(["merge", sources[0], "-o", tmp_path / "x.lhe"], capsys, monkeypatch)
    assert refused.status == 2
    assert "expected two files or more; got 1" in refused.err
