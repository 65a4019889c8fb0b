"""Break-even of flow and VEGAS, and the choice of a sampler that follows from it."""

from __future__ import annotations

import json

import pytest

from madnis_py.integration.grids.sampler_choice import Choice, SamplerCost, choose_sampler

VEGAS = SamplerCost(seconds_per_point=1e-6, efficiency=0.01, relative_std=5.0)
FLOW = SamplerCost(seconds_per_point=4e-6, efficiency=0.2, relative_std=1.0)


def total_seconds(choice: Choice, events: float = 0.0, points: float = 0.0) -> tuple[float, float]:
    """Seconds of VEGAS, and of the flow with its training.

    For events, and for the precision of VEGAS points.
    """
    precise = points * (choice.flow.relative_std / choice.vegas.relative_std) ** 2
    vegas = choice.vegas.seconds_per_point * (points + events / choice.vegas.efficiency)
    flow = choice.flow.seconds_per_point * (precise + events / choice.flow.efficiency)
    return vegas, choice.training_seconds + flow


def test_both_samplers_take_the_same_time_at_the_break_even() -> None:
    choice = choose_sampler(VEGAS, FLOW, 100.0, events=1)
    assert choice.break_even_events is not None
    assert choice.break_even_points is not None
    for asked in ({"events": choice.break_even_events}, {"points": choice.break_even_points}):
        vegas, flow = total_seconds(choice, **asked)
        assert vegas == pytest.approx(flow)


@pytest.mark.parametrize(("factor", "sampler"), [(0.9, "vegas"), (1.1, "madnis")])
def test_before_the_training_the_number_of_events_decides(factor: float, sampler: str) -> None:
    number = choose_sampler(VEGAS, FLOW, 100.0).break_even_events
    assert number is not None
    choice = choose_sampler(VEGAS, FLOW, 100.0, events=round(factor * number), trained=False)
    assert (choice.sampler, choice.predicted) == (sampler, True)


@pytest.mark.parametrize(("factor", "sampler"), [(0.9, "vegas"), (1.1, "madnis")])
def test_before_the_training_the_precision_decides(factor: float, sampler: str) -> None:
    number = choose_sampler(VEGAS, FLOW, 100.0).break_even_points
    assert number is not None
    assert (
        choose_sampler(VEGAS, FLOW, 100.0, points=round(factor * number), trained=False).sampler
        == sampler
    )


def test_a_training_that_is_paid_no_longer_counts_for_the_choice() -> None:
    choice = choose_sampler(VEGAS, FLOW, 1e9, events=10)
    assert choice.sampler == "madnis"
    assert choice.break_even_events == pytest.approx(1e9 / (1e-4 - 2e-5))


def test_a_slower_flow_never_pays() -> None:
    slow = SamplerCost(seconds_per_point=1.0, efficiency=0.9, relative_std=0.1)
    choice = choose_sampler(VEGAS, slow, 1.0, events=10**9, points=10**9)
    assert choice.sampler == "vegas"
    assert choice.break_even_events is choice.break_even_points is None


def test_even_a_perfect_flow_cannot_pay_a_long_training_for_few_events() -> None:
    choice = choose_sampler(VEGAS, SamplerCost.perfect(1e-6), 60.0, events=10_000, trained=False)
    assert choice.sampler == "vegas"
    assert (
        "10,000 events and the precision of 0 VEGAS points take 1 s with VEGAS and 60 s"
        in choice.reason
    )


def test_a_choice_can_be_written_down() -> None:
    content = json.loads(json.dumps(choose_sampler(VEGAS, FLOW, 100.0, events=5).to_dict()))
    assert content["vegas"] == {"seconds_per_point": 1e-6, "efficiency": 0.01, "relative_std": 5.0}
