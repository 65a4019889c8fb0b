"""Damaged inputs end in a right result or in one sentence; `make fuzz` tries many more."""

from __future__ import annotations

import pytest
from campaign import attempt, doors, trials

INPUTS = 300
TRIALS = trials(INPUTS)


@pytest.mark.parametrize("name", list(doors()))
def test_a_damaged_input_gives_a_right_result_or_one_sentence(name: str) -> None:
    failures = {trial.number: attempt(trial) for trial in TRIALS if trial.door == name}
    assert {number: failure for number, failure in failures.items() if failure is not None} == {}


def test_the_same_trial_damages_in_the_same_way(tmp_path) -> None:
    import random

    from mutators import damaged_bytes, damaged_text, damaged_tree

    tree = {"a": [1, {"b": 2.5}], "c": "text"}
    for damaged, sound in (
        (damaged_bytes, b"some bytes"),
        (damaged_text, "1 word = 2\n"),
        (damaged_tree, tree),
    ):
        assert repr(damaged(random.Random("3"), sound)) == repr(damaged(random.Random("3"), sound))
