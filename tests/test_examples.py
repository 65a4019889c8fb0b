"""The examples of the documentation run and find the right numbers."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import numpy as np
import pytest
from places import ROOT

EXAMPLES = ROOT / "docs" / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agrees(value: float, error: float, expected: float) -> bool:
    return abs(value - expected) < 5 * error


@pytest.mark.parametrize("name", ["crossed_ring", "sign_changes"])
def test_a_training_finds_the_integral_with_a_smaller_error(name: str) -> None:
    before, after, exact = example(name).main(steps=250)
    for estimate in (before, after):
        assert agrees(estimate.value, estimate.error, exact)
    assert after.error < before.error / 2


def test_a_density_over_categories_has_a_smaller_error_than_one_that_knows_none() -> None:
    before, after, without, exact = example("categories").main(steps=150)
    for estimate in (before, after, without):
        assert agrees(estimate.value, estimate.error, exact)
    assert after.error < before.error / 4
    assert after.error < without.error / 1.2


def test_the_path_integral_is_that_of_the_determinant() -> None:
    result, exact = example("path_integral").main(evaluations=4_000)
    assert agrees(result.mean, result.sdev, exact)
    assert result.sdev < 0.1 * exact


def test_the_ridge_is_the_same_for_both() -> None:
    theirs, ours = example("ridge").main(evaluations=10_000)
    assert agrees(theirs.mean, np.hypot(theirs.sdev, ours.sdev), ours.mean)


@pytest.mark.slow
def test_the_ridge_has_an_error_several_times_smaller_than_with_vegas() -> None:
    theirs, ours = example("ridge").main()
    assert ours.sdev < theirs.sdev / 5
    assert agrees(ours.mean, ours.sdev, 1.0)
