"""The history of a training: a line per step, each once.

That an interrupted training ends with the same bytes is in `test_run`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from madnis_py.errors import CheckpointError
from madnis_py.integration.step_progress import StepProgress
from madnis_py.run.stages.history_file import MOST_LINES, HistoryFile, read_history


def progress(step: int, rollbacks: int = 0) -> StepProgress:
    return StepProgress(
        step,
        40,
        0.5 / (step + 1),
        4200.0,
        0.2,
        1e5,
        0.7,
        3,
        rollbacks=rollbacks,
        learning_rate=1e-3,
    )


def test_steps_whose_state_was_not_stored_are_written_once(tmp_path: Path) -> None:
    with HistoryFile(tmp_path, 40, (0, 0)) as history:
        for step in range(1, 20):
            history.add(progress(step))
    with (tmp_path / "training.csv").open("ab") as file:
        file.write(b"0,20,0.1")  # the process was killed in the middle of a line
    with HistoryFile(tmp_path, 40, (0, 12)) as history:
        for step in range(13, 16):
            history.add(progress(step))
    assert [line.step for line in read_history(tmp_path)] == list(range(1, 16))


def test_a_rollback_keeps_what_came_before_it(tmp_path: Path) -> None:
    with HistoryFile(tmp_path, 40, (0, 0)) as history:
        for step in range(1, 11):
            history.add(progress(step))
        history.add(replace(progress(5, rollbacks=1), rolled_back=True))
        history.add(progress(6, rollbacks=1))
    with HistoryFile(tmp_path, 40, (1, 6)) as history:
        history.add(progress(7, rollbacks=1))
    found = [(line.rollbacks, line.step) for line in read_history(tmp_path)]
    assert found == [*((0, step) for step in range(1, 11)), (1, 5), (1, 6), (1, 7)]


def test_a_long_training_has_a_bounded_number_of_lines(tmp_path: Path) -> None:
    steps = 3 * MOST_LINES
    with HistoryFile(tmp_path, steps, (0, 0)) as history:
        for step in range(1, steps + 1):
            history.add(progress(step))
    assert len(read_history(tmp_path)) == MOST_LINES
    assert (tmp_path / "training.csv").stat().st_size < 500_000


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"0,1,0.5\n", "line 2: expected 8 cells; got 3"),
        (b"0,1,much,4200,0.2,0.7,0.001,3\n", "line 2: loss: expected a valid number"),
        (b"0,-1,0.5,4200,0.2,0.7,0.001,3\n", "line 2: step: expected"),
        (b"0,1,0.5,inf,0.2,0.7,0.001,3\n", "line 2: sigma_pb: expected a finite number"),
    ],
)
def test_a_damaged_history_is_a_sentence(tmp_path: Path, line: bytes, sentence: str) -> None:
    with HistoryFile(tmp_path, 40, (0, 0)):
        pass
    with (tmp_path / "training.csv").open("ab") as file:
        file.write(line)
    with pytest.raises(CheckpointError, match=sentence):
        read_history(tmp_path)
