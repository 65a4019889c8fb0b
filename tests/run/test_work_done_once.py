"""A run does nothing twice: its files are read and written, and its samplers built, once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import small_process

from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.output_file import write_file
from madnis_py.run.record import RunRecord
from madnis_py.run.run import Run

EVENTS, POINTS, SEED = 100, 20_000, 5
STAGES = ["prior", "survey", "train", "integrate", "generate"]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what a run reads, writes and builds."""
    found: Counter[str] = Counter()

    def counted(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            found[what] += 1
            return original(*arguments, **named)

        return call

    def built(sampler: ImportanceSampler, *arguments: Any, **named: Any) -> None:
        caller = sys._getframe(1).f_globals["__name__"]
        found["samplers"] += caller.startswith("madnis_py.run.")
        original(sampler, *arguments, **named)

    def written(path: Path, content: bytes) -> None:
        found[f"{path.name} written"] += 1
        write_file(path, content)

    original = ImportanceSampler.__init__
    monkeypatch.setattr(ImportanceSampler, "__init__", built)
    monkeypatch.setattr("madnis_py.run.directory.write_file", written)
    for name, reader in (("run.json read", RunRecord), ("survey read", Survey)):
        method = "parse" if reader is RunRecord else "from_tensors"
        read = counted(name, getattr(reader, method))
        monkeypatch.setattr(reader, method, staticmethod(read))
    return found


def test_a_run_from_card_to_events_does_nothing_twice(tmp_path: Path, work: Counter[str]) -> None:
    run = Run(small_process(tmp_path), tmp_path / "run", SEED).execute(EVENTS, POINTS)
    assert list(run.record.stages) == STAGES
    assert work["run.json read"] <= 1
    assert work["run.json written"] == 1 + len(STAGES)  # when it begins, and after each stage
    assert work["survey read"] <= 1
    assert work["samplers"] == 2  # the grids and the flow


def test_a_run_that_goes_on_reads_everything_once(tmp_path: Path, work: Counter[str]) -> None:
    Run(small_process(tmp_path), tmp_path / "run", SEED).execute(EVENTS, POINTS)
    work.clear()
    Run.open(tmp_path / "run").execute(EVENTS, POINTS)
    assert work == {"run.json read": 1, "survey read": 1}
    work.clear()
    run = Run.open(tmp_path / "run")
    run.integrate(POINTS // 2)
    run.generate(EVENTS, tmp_path / "other.lhe")
    assert work == {
        "run.json read": 1,
        "survey read": 1,
        "run.json written": 2,
        "samplers": 2,
    }


def test_a_run_sees_what_another_process_has_written(tmp_path: Path, work: Counter[str]) -> None:
    run = Run(small_process(tmp_path), tmp_path / "run", SEED, method="vegas")
    run.integrate(POINTS)
    other = Run.open(tmp_path / "run")
    other.generate(EVENTS, tmp_path / "other.lhe", seed=SEED + 1)
    work.clear()
    assert run.record.events == EVENTS
    run.generate(EVENTS, tmp_path / "own.lhe")
    assert [Path(one.file).name for one in run.record.event_files] == ["other.lhe", "own.lhe"]
    assert work["run.json read"] == 1
    assert other.record == run.record
