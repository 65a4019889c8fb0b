from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madnis_py.integration.step_progress import Reuse
from madnis_py.integration.training.schedule import (
    AbstractSchedule,
    Draw,
    EpochSchedule,
    OnlineSchedule,
    PartialSchedule,
    Replay,
    schedule,
)
from madnis_py.integration.training.settings import TrainingSettings


def epochs(size: int, passes: int) -> AbstractSchedule:
    return schedule(TrainingSettings(buffer="epochs", buffer_size=size, buffer_passes=passes))


def partial(size: int, fraction: float) -> AbstractSchedule:
    return schedule(TrainingSettings(buffer="partial", buffer_size=size, buffer_fraction=fraction))


def in_words(plan: AbstractSchedule, steps: int) -> str:
    """Slots drawn, and passes replayed with their letter: +0 +1 a0 a1."""
    moves = [plan.at(step) for step in range(steps)]
    words = [
        f"+{m.slot}" if isinstance(m, Draw) else f"{chr(97 + m.sweep)}{m.position}" for m in moves
    ]
    return " ".join(words)


def test_without_a_buffer_every_step_draws() -> None:
    plan = schedule(TrainingSettings())
    assert isinstance(plan, OnlineSchedule)
    assert plan.at(17) == Draw(None)


def test_epochs_draw_a_buffer_replay_it_and_discard_it() -> None:
    assert in_words(epochs(2, 2), 14) == "+0 +1 a0 a1 b0 b1 +0 +1 c0 c1 d0 d1 +0 +1"


def test_partial_replacement_fills_the_buffer_then_replaces_the_oldest_batches_between_passes() -> (
    None
):
    assert in_words(partial(4, 0.5), 18) == "+0 +1 +2 +3 +0 +1 a0 a1 a2 a3 +2 +3 b0 b1 b2 b3 +0 +1"


@pytest.mark.parametrize("passes", [1, 2, 3, 4])
def test_with_epochs_every_batch_is_used_once_more_than_there_are_passes(passes: int) -> None:
    plan = epochs(10, passes)
    steps = 5 * 10 * (passes + 1)
    assert steps / plan.draws_before(steps) == passes + 1


@pytest.mark.parametrize(("fraction", "reuse"), [(0.25, 5.0), (0.5, 3.0)])
def test_a_quarter_replaced_means_r_5_and_a_half_r_3(fraction: float, reuse: float) -> None:
    plan = partial(100, fraction)
    drawn = plan.draws_before(100_000) - plan.draws_before(50_000)
    assert 50_000 / drawn == pytest.approx(reuse, rel=2e-3)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 100), st.booleans())
def test_draws_are_counted_as_they_happen(size: int, number: int, steps: int, whole: bool) -> None:
    plan = EpochSchedule(size, number) if whole else PartialSchedule(size, min(number, size))
    drawn = [plan.draws_before(step) for step in range(steps + 1)]
    assert drawn[0] == 0
    assert [b - a for a, b in pairwise(drawn)] == [
        isinstance(plan.at(step), Draw) for step in range(steps)
    ]


@given(st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_a_pass_replays_every_batch_once_when_the_buffer_is_full(
    size: int, number: int, whole: bool
) -> None:
    plan = EpochSchedule(size, number) if whole else PartialSchedule(size, min(number, size))
    moves = [plan.at(step) for step in range(20 * size)]
    replays = [move for move in moves if isinstance(move, Replay)]
    full = replays[: len(replays) // size * size]
    assert [(move.sweep, move.position) for move in full] == [
        divmod(k, size) for k in range(len(full))
    ]
    slots = [move.slot for move in moves[:size] if isinstance(move, Draw)]
    assert slots == list(range(size))


def test_both_definitions_of_the_reuse_are_told_in_words() -> None:
    reuse = Reuse()
    for _ in range(10):
        reuse = reuse.after_draw(7.0)
    for _ in range(40):
        reuse = reuse.after_replay(3.0)
    assert reuse.at_fixed_updates == 5.0
    assert reuse.at_fixed_time == pytest.approx((10 * 7 + 40 * 3) / (10 * 7))
    assert str(reuse) == (
        "50 updates on 10 fresh batches: R = 5.00 at fixed updates (Eq. 5.44), "
        "R = 2.71 at fixed time (Eq. 5.18)"
    )


def test_the_definitions_of_the_reuse_obey_equation_5_18() -> None:
    """n / n_base = (1 - 1/R) (t_draw / t_replay) + 1/R at fixed time, n counting updates."""
    reuse = Reuse(draws=10, replays=15, draw_seconds=10 * 4.0, replay_seconds=15 * 3.0)
    r = reuse.at_fixed_time
    n_base = reuse.seconds / 4.0
    assert 25 / n_base == pytest.approx((1 - 1 / r) * 4.0 / 3.0 + 1 / r)
