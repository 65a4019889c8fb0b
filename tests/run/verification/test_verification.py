"""What `verify` finds wrong with event files, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, call
from event_samples import SIGMA, drell_yan, with_resonance

from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.les_houches.lhe_init import LheGenerator, LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup
from madnis_py.run.verification.event_file_verification import verify_events

OURS = LheInit((2212, 2212), (6500.0, 6500.0), (331900, 331900), (LheProcess(SIGMA, 3.0, SIGMA),))
THEIRS = replace(OURS, generators=(LheGenerator("other", "1", ""),))


def written(path: Path, batch: EventBatch, init: LheInit = OURS) -> Path:
    with create_events(path, init) as writer:
        writer.copy(batch)
    return path


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    return lambda *arguments: call(arguments, capsys, monkeypatch)


@pytest.mark.parametrize("name", ["a.lhe", "a.lhe.gz", "a.h5", "a.parquet"])
def test_a_file_of_ours_is_as_it_should_be(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, with_resonance(drell_yan(300)))
    found = verify_events(path)
    assert found.faults == ()
    assert found.facts["events"] == 300
    assert found.facts["sigma_pb"] == pytest.approx(SIGMA, rel=1e-12)
    assert found.facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def changed(**columns: Callable[[np.ndarray], np.ndarray]) -> EventBatch:
    batch = drell_yan(300)
    return replace(
        batch, **{name: change(getattr(batch, name)) for name, change in columns.items()}
    )


def at(event: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(column: np.ndarray) -> np.ndarray:
        copy = column.copy()
        copy[event] = value
        return copy

    return change


@pytest.mark.parametrize(
    ("batch", "init", "sentence"),
    [
        (changed(mass=at(7, 1.0)), OURS, "event 8: particle 1: expected E = sqrt"),
        (
            changed(weight=at(3, 2 * SIGMA)),
            OURS,
            "expected weights with the mean XSECUP = 1500 pb; got 1505 pb",
        ),
        (
            changed(weight=lambda one: 2 * one),
            THEIRS,
            "expected weights with the mean XSECUP = 1500 pb; got 3000 pb",
        ),
        (
            changed(process_id=at(3, 2)),
            OURS,
            r"expected events of the processes \[1\] of <init>; got \[2\]",
        ),
        (
            changed(weight=at(3, -1.0)),
            replace(THEIRS, weighting=4),
            "IDWTUP 4: expected weights >= 0; got 1 negative",
        ),
        (
            changed(weight=at(3, 1.0)),
            replace(OURS, weighting=-3),
            "IDWTUP -3: expected weights of one size; got 1 to",
        ),
        (
            changed(weight=at(3, 1501.0)),
            replace(OURS, weighting=1),
            "process 1: expected weights up to XMAXUP = 1500",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence(
    batch: EventBatch, init: LheInit, sentence: str, tmp_path: Path
) -> None:
    (fault,) = verify_events(written(tmp_path / "a.lhe", batch, init)).faults
    assert fault.startswith(f"{tmp_path / 'a.lhe'}: ")
    assert re.search(sentence, fault)


def test_weights_of_others_may_fluctuate_about_their_cross_section(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    batch = changed(weight=lambda one: one * random.exponential(1.0, len(one)))
    assert verify_events(written(tmp_path / "a.lhe", batch, THEIRS)).faults == ()
    assert (
        "expected weights with the mean"
        in verify_events(written(tmp_path / "b.lhe", batch)).faults[0]
    )


def test_signed_weights_of_others_may_lack_the_negative_ones_by_chance(tmp_path: Path) -> None:
    weight = (
        SIGMA / 0.985
    )  # of both signs, 0.75 % of them negative: 300 events have none in one file of ten
    batch = changed(weight=lambda one: np.full_like(one, weight))
    assert verify_events(written(tmp_path / "a.lhe", batch, THEIRS)).faults == ()
    (fault,) = verify_events(
        written(tmp_path / "b.lhe", batch, replace(THEIRS, weighting=4))
    ).faults
    assert "expected weights with the mean XSECUP = 1500 pb; got 1522.84 pb" in fault


def test_colour_lines_of_others_have_tags_from_one_on(tmp_path: Path) -> None:
    batch = changed(colour=lambda tags: np.where(tags > 0, tags - 400, 0).astype(np.int32))
    assert verify_events(written(tmp_path / "a.lhe", batch, THEIRS)).faults == ()
    (fault,) = verify_events(written(tmp_path / "b.lhe", batch)).faults
    assert "event 1: colour tags do not pair up" in fault
    broken = changed(
        colour=lambda tags: (
            np.where(tags > 0, tags - 400, 0).astype(np.int32) + np.array([1, 0], np.int32)
        )
    )
    (fault,) = verify_events(written(tmp_path / "c.lhe", broken, THEIRS)).faults
    assert "event 1: colour tags do not pair up" in fault


@pytest.mark.parametrize(("weighting", "says"), [(3, False), (-3, False), (2, False), (-4, True)])
def test_a_cross_section_that_relative_weights_need_and_xsecup_does_not_say_is_told(
    weighting: int, says: bool, tmp_path: Path
) -> None:
    unknown = replace(THEIRS, weighting=weighting, processes=(LheProcess(SIGMA, SIGMA, SIGMA),))
    path = written(tmp_path / "a.lhe", drell_yan(300), unknown)
    faults = verify_events(path).faults
    assert [fault.partition(": ")[2] for fault in faults] == (
        []
        if says
        else [
            f"IDWTUP {weighting}: expected an XSECUP that is known; got {SIGMA:g} +- {SIGMA:g} pb"
        ]
    )
    assert (
        "the cross section, which XSECUP does not say" in open_events(path).left_out
    ) is not says


def test_a_weight_that_an_event_lacks_is_left_out_and_no_fault(tmp_path: Path) -> None:
    variations = np.ones((300, 2))
    variations[7, 1] = np.nan
    groups = (WeightGroup("", "", (NamedWeight("a", ""), NamedWeight("b", ""))),)
    path = written(
        tmp_path / "a.lhe",
        changed(variations=lambda _: variations),
        replace(OURS, weight_groups=groups),
    )
    found = verify_events(path)
    assert found.faults == ()
    assert found.facts["left_out"] == ["weights that some events have not (b)"]
    assert found.summary.endswith(
        "as it should be; left out: weights that some events have not (b)"
    )


def test_weights_beyond_all_numbers_are_a_fault(tmp_path: Path) -> None:
    (fault,) = verify_events(
        written(tmp_path / "a.lhe", changed(weight=lambda one: one * 1e200))
    ).faults
    assert "expected weights that can be squared; got 1.5e+203" in fault


def test_a_truncated_file_is_a_fault(tmp_path: Path) -> None:
    path = written(tmp_path / "a.lhe", drell_yan(300))
    path.write_bytes(path.read_bytes()[:-3000])
    (fault,) = verify_events(path).faults
    assert "</event>; got the end of the file" in fault


def test_the_command_tells_what_is_right_and_what_is_wrong(
    tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    good = written(tmp_path / "good.lhe", drell_yan(100))
    bad = written(tmp_path / "bad.lhe", changed(mass=at(7, 1.0)))
    right = command("verify", good)
    assert (right.status, right.err) == (0, "")
    assert f"{good}: 100 events, 1500 pb, as it should be" in right.out
    wrong = command("verify", good, bad)
    assert wrong.status == 1
    assert len(wrong.err.splitlines()) == 1
    assert f"{bad}: event 8: particle 1" in wrong.err


def test_the_command_prints_json(tmp_path: Path, command: Callable[..., Outcome]) -> None:
    bad = written(tmp_path / "bad.lhe", changed(mass=at(7, 1.0)))
    found = command("verify", bad, "--json")
    assert found.status == 1
    (record,) = json.loads(found.out)
    assert record["path"] == str(bad)
    assert record["events"] == 300
    assert len(record["faults"]) == 1


@pytest.mark.parametrize("name", ["missing.lhe", "a.root"])
def test_what_is_no_event_file_is_refused(
    name: str, tmp_path: Path, command: Callable[..., Outcome]
) -> None:
    refused = command("verify", tmp_path / name)
    assert refused.status == 2
    assert len(refused.err.splitlines()) == 1
