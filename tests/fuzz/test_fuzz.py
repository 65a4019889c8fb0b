"""Damaged inputs end in a right result or in one sentence; `make fuzz` tries many more."""

from __future__ import annotations

import random

import pytest
from campaign import attempt, doors, trials
from mutators import damaged_bytes, damaged_text, damaged_tree

INPUTS = 300
TRIALS = trials(INPUTS)


@pytest.mark.parametrize("name", list(doors()))
def test_a_damaged_input_gives_a_right_result_or_one_sentence(name: str) -> None:
    failures = {trial.number: attempt(trial) for trial in TRIALS if trial.door == name}
    assert {number: failure for number, failure in failures.items() if failure is not None} == {}


def test_the_same_trial_damages_in_the_same_way() -> None:
    tree = {"a": [1, {"b": 2.5}], "c": "text"}
    damages = (
        lambda: damaged_bytes(random.Random("3"), b"some bytes"),
        lambda: damaged_text(random.Random("3"), "1 word = 2\n"),
        lambda: damaged_tree(random.Random("3"), tree),
    )
    for damaged in damages:
        assert repr(damaged()) == repr(damaged())
