"""Which of several forms of an integral VEGAS samples best."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from madnis_py.integration.grids.prior_comparison import compare, preferred
from madnis_py.integration.grids.vegas_flow import VegasSettings
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress

SETTINGS = VegasSettings(iterations=5, points=1000, bins=16)
CENTRES = torch.tensor([[0.25, 0.25], [0.75, 0.75]], dtype=torch.float64)


def peaks(x: Tensor) -> Tensor:
    """Two peaks on the diagonal of the plane, one by one, (n, 2).

    A grid for both would see two more off the diagonal.
    """
    return torch.exp(-(x.unsqueeze(1) - CENTRES).square().sum(dim=2) / (2 * 0.05**2))


def both(x: Tensor) -> Tensor:
    return peaks(x).sum(dim=1)


CANDIDATES = {"flat": FunctionIntegrand(both, 2, 2), "peaks": FunctionIntegrand(both, 2, 2, peaks)}


def test_channels_that_follow_the_peaks_are_better_than_flat_ones() -> None:
    found = compare(CANDIDATES, SETTINGS, seed=1)
    assert found["peaks"] < 0.7 * found["flat"]
    assert preferred(found, 0.1) == "peaks"


def test_points_of_channels_that_are_alike_are_taken_together() -> None:
    """3 points show no deviation above sqrt(3) times the mean; 256 equal channels do."""
    peak = FunctionIntegrand(lambda x: torch.exp(-((x - 0.5) / 0.02).square().sum(dim=1)), 2, 256)
    alone = VegasSettings(iterations=1, points=3, damping=0.0)
    peak.groups = (0,) * 256
    alike = compare({"alike": peak}, alone.model_copy(update={"points": 768}), seed=1)["alike"]
    truth = math.sqrt(2 / (math.pi * 0.02**2) / 4 - 1)
    assert alike == pytest.approx(truth, rel=0.5)
    assert alike > 2 * math.sqrt(3)


def test_two_threads_find_the_same_figures_as_one() -> None:
    with ThreadPoolExecutor(2) as executor:
        assert compare(CANDIDATES, SETTINGS, seed=1, executor=executor) == compare(
            CANDIDATES, SETTINGS, seed=1
        )


def test_the_same_candidate_twice_has_the_same_figure() -> None:
    twice = compare({"one": CANDIDATES["flat"], "other": CANDIDATES["flat"]}, SETTINGS, seed=2)
    assert twice["one"] == twice["other"]


def test_progress_counts_the_iterations_of_all_candidates() -> None:
    told: list[StepProgress] = []
    compare(CANDIDATES, SETTINGS, callback=told.append)
    assert [(progress.step, progress.total) for progress in told] == [
        (step, 10) for step in range(1, 11)
    ]


def test_an_integrand_that_is_zero_everywhere_has_an_infinite_figure() -> None:
    nothing = FunctionIntegrand(lambda x: torch.zeros(len(x)), 1)
    assert compare({"nothing": nothing}, SETTINGS) == {"nothing": math.inf}


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"a": 1.0, "b": 0.91, "c": 2.0}, "a"),
        ({"a": 1.0, "b": 0.89, "c": 2.0}, "b"),
        ({"a": 1.0, "b": 0.8, "c": 0.75}, "b"),
        ({"a": 1.0, "b": 0.95, "c": 0.85}, "c"),
        ({"a": math.inf, "b": math.inf}, "a"),
        ({"a": math.inf, "b": 3.0}, "b"),
        ({"a": 0.0, "b": 0.0}, "a"),
    ],
)
def test_a_later_name_has_to_be_better_by_the_margin(
    figures: dict[str, float], expected: str
) -> None:
    assert preferred(figures, 0.1) == expected
