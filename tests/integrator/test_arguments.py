"""Sources of random numbers and settings of a training as callers give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from madnis_py.errors import InputError
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integrator.arguments import seed_of, training_settings


def test_a_generator_gives_a_new_seed_each_time() -> None:
    for make in (lambda: np.random.default_rng(1), lambda: torch.Generator().manual_seed(1)):
        one, other = make(), make()
        seeds = [seed_of(one), seed_of(one)]
        assert seeds[0] != seeds[1]
        assert [seed_of(other), seed_of(other)] == seeds


@pytest.mark.parametrize("given", [-1, 1.0, True, "seed", np.random.RandomState(1)])
def test_what_is_no_source_of_random_numbers_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match=r"^rng: expected a torch.Generator, a numpy.random"):
        seed_of(given)


def test_settings_change_a_preset() -> None:
    found = training_settings("quick", {"steps": 7, "loss": "kl"})
    assert found == TrainingSettings.preset("quick").model_copy(update={"steps": 7, "loss": "kl"})
    assert training_settings(found, {}) == found


@pytest.mark.parametrize(
    ("preset", "changes", "sentence"),
    [
        ("quik", {}, "expected one of quick, standard, paper; got 'quik'"),
        ("quick", {"learningrate": 1}, "no setting 'learningrate'; did you mean \"learning_rate\""),
        ("quick", {"loss": "mse"}, 'train: loss: expected "variance", .*; got "mse"'),
        ("quick", {"batch_size": -1}, "train: batch_size: expected .*; got -1"),
    ],
)
def test_wrong_settings_are_refused(preset: str, changes: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        training_settings(preset, changes)
