from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from madnis_py.errors import InputError
from madnis_py.integration.training.losses import LOSSES
from madnis_py.integration.training.settings import PRESETS, TrainingSettings


@pytest.mark.parametrize(
    ("n_channels", "batch"), [(8, 1056), (15, 1745), (30, 3039), (105, 8279), (384, 10_000)]
)
def test_the_batch_grows_with_the_channels_as_in_table_a6(n_channels: int, batch: int) -> None:
    assert abs(PRESETS["paper"].batch(n_channels) - batch) <= 1


@pytest.mark.parametrize(
    ("schedule", "middle", "last"),
    [("inverse", 1e-2 / 5.5, 1e-3), ("cosine", 5.5e-3, 1e-3), ("constant", 1e-2, 1e-2)],
)
def test_the_learning_rate_goes_from_the_first_value_to_the_last(
    schedule: str, middle: float, last: float
) -> None:
    settings = TrainingSettings(
        steps=100, learning_rate=1e-2, final_learning_rate=1e-3, schedule=schedule
    )
    rates = [settings.learning_rate_at(step) for step in (0, 50, 100)]
    assert rates == pytest.approx([1e-2, middle, last])


def test_the_cosine_starts_and_ends_flat() -> None:
    settings = TrainingSettings(
        steps=1000, learning_rate=1.0, final_learning_rate=0.1, schedule="cosine"
    )
    assert settings.learning_rate_at(0) - settings.learning_rate_at(1) < 1e-5
    assert settings.learning_rate_at(999) - settings.learning_rate_at(1000) < 1e-5
    assert settings.learning_rate_at(250) == pytest.approx(0.1 + 0.45 * (1 + math.sqrt(0.5)))


def test_presets_are_found_by_name() -> None:
    assert TrainingSettings.preset("standard") == TrainingSettings()
    assert [TrainingSettings.preset(name).steps for name in ("quick", "standard", "paper")] == [
        500,
        3000,
        88_000,
    ]
    with pytest.raises(InputError, match="expected one of quick, standard, paper; got 'fast'"):
        TrainingSettings.preset("fast")


def test_the_preset_paper_is_table_a6() -> None:
    paper = TrainingSettings.preset("paper")
    assert (paper.learning_rate, paper.final_learning_rate, paper.schedule) == (
        1e-3,
        1e-4,
        "inverse",
    )
    assert (paper.steps, paper.warmup_steps, paper.uniform_fraction) == (88_000, 1000, 0.1)
    assert (paper.buffer, paper.buffer_size, paper.buffer_fraction, paper.buffer_weights) == (
        "partial",
        1000,
        0.25,
        75,
    )
    assert (paper.loss, paper.dropping_cutoff) == ("stratified", 1e-3)


def test_every_loss_has_a_setting() -> None:
    assert all(TrainingSettings(loss=name).loss == name for name in LOSSES)


def test_settings_survive_the_way_through_plain_values() -> None:
    settings = TrainingSettings(buffer="partial", averaging=0.99, gradient_clip=2.0)
    assert TrainingSettings.model_validate(settings.model_dump()) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"stesp": 100},
        {"buffer": "ring"},
        {"buffer_fraction": 0.0},
        {"uniform_fraction": 1.5},
        {"averaging": 1},
    ],
)
def test_a_setting_that_is_none_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainingSettings.model_validate(wrong)
