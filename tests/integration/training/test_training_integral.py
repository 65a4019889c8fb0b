"""The integral from the batches of a training: unbiased, with the right error."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from integrands import gaussian, gaussian_integral
from pydantic import TypeAdapter
from toy_integrands import CamelBack
from trainings import trained

from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.training_integral import TrainingIntegral


def batch(step: int, total: int, value: float | None, error: float | None) -> StepProgress:
    return StepProgress(step, total, 0.0, 0.0, 0.0, 0.0, batch_value=value, batch_error=error)


def average_of(values: list[tuple[float, float]]) -> TrainingIntegral:
    average = TrainingIntegral()
    for step, (value, error) in enumerate(values, start=1):
        average = average.updated(batch(step, len(values), value, error))
    return average


def test_the_weight_of_a_batch_does_not_depend_on_itself() -> None:
    common = [(1.0, 0.1), (1.2, 0.2)]
    low, high = average_of([*common, (1.0, 0.01)]), average_of([*common, (1.0, 10.0)])
    assert low.whole.weight == high.whole.weight
    assert low.whole.mean == high.whole.mean


def test_batches_of_equal_variance_count_equally() -> None:
    average = average_of([(9.0, 0.1), (1.0, 0.1), (2.0, 0.1), (3.0, 0.1)])
    assert average.whole.mean == pytest.approx(2.0)
    assert average.whole.error == pytest.approx(0.1 / math.sqrt(3))


def test_steps_without_fresh_points_change_nothing() -> None:
    average = average_of([(1.0, 0.1), (1.2, 0.2)])
    assert average.updated(batch(3, 3, None, None)) == average


def test_an_average_comes_back_from_json_bit_by_bit() -> None:
    average = average_of([(1.0, 0.1), (1.2, 0.2), (0.3, 0.7)])
    assert TypeAdapter(TrainingIntegral).validate_json(json.dumps(average.to_dict())) == average


def pulls(values: list[tuple[float, float]], truth: float) -> float:
    whole = average_of(values).whole
    return (whole.mean - truth) / whole.error


def skewed_training(random: np.random.Generator) -> list[tuple[float, float]]:
    """100 batches of 100 log-normal weights around 1, with estimated errors.

    Their width falls from 1.3 to 0.3.
    """
    width = np.geomspace(1.3, 0.3, 100)[:, None]
    weight = np.exp(width * random.standard_normal((100, 100)) - width**2 / 2)
    return list(zip(weight.mean(axis=1), weight.std(axis=1, ddof=1) / 10, strict=True))


def test_pulls_of_skewed_batches_have_mean_zero_and_width_one() -> None:
    random = np.random.default_rng(8)
    found = np.array([pulls(skewed_training(random), 1.0) for _ in range(500)])
    assert abs(found.mean()) < 5 / math.sqrt(500)
    assert found.std() == pytest.approx(1.0, abs=5 / math.sqrt(2 * 500))


def test_weights_by_the_error_of_the_same_batch_would_be_biased() -> None:
    random = np.random.default_rng(8)

    def naive(values: list[tuple[float, float]]) -> float:
        weight = np.array([error**-2 for _, error in values])
        return float(
            (weight @ [value for value, _ in values] / weight.sum() - 1) * math.sqrt(weight.sum())
        )

    assert np.mean([naive(skewed_training(random)) for _ in range(500)]) < -1


def trained_pull(integrand: AbstractIntegrand, truth: float, seed: int, steps: int) -> float:
    settings = TrainingSettings(steps=steps, batch_size=500, learning_rate=3e-3)
    whole = trained(integrand, seed, settings)[1].whole
    return (whole.mean - truth) / whole.error


def test_the_average_of_a_training_agrees_with_the_integral() -> None:
    found = [trained_pull(CamelBack(), 1.0, seed, steps=30) for seed in range(2)]
    assert np.abs(found).max() < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("integrand", "truth"),
    [(CamelBack(), 1.0), (FunctionIntegrand(gaussian, 3), gaussian_integral(3))],
    ids=["camel back", "Gaussian"],
)
def test_pulls_of_200_trainings_have_mean_zero_and_width_one(
    integrand: AbstractIntegrand, truth: float
) -> None:
    found = np.array([trained_pull(integrand, truth, seed, steps=60) for seed in range(200)])
    assert abs(found.mean()) < 0.2
    assert 0.8 < found.std() < 1.2
