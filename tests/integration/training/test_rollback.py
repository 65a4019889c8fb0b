"""Trainings that lose a part of the integral: they go back, and what comes out is right."""

from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from command_line import call, small_process
from torch import Tensor

from madnis_py.card import card as cards
from madnis_py.errors import CheckpointError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.integration.estimate import Measurement, Moments
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.samples import Samples
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.buffer import SampleBuffer
from madnis_py.integration.training.rollback import (
    LOST,
    Deficit,
    IntegralCheck,
    Rollback,
    batches_per_look,
)
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer, train
from madnis_py.integration.training.training_state import TrainingState
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run
from madnis_py.run.stages.results import Result
from madnis_py.run.stages.run_warnings import refusal

CENTRES = torch.tensor([[0.25] * 3, [0.75] * 3], dtype=torch.float64)
TOO_FAST = TrainingSettings(steps=200, batch_size=1000, learning_rate=0.1, schedule="constant")


def bumps(x: Tensor, width: tuple[float, float] = (0.1, 0.1)) -> Tensor:
    """Two Gaussians of equal integral in three dimensions, at 1/4 and 3/4 of the diagonal."""
    peaks = [
        torch.exp(-(x - centre).square().sum(1) / (2 * w**2)) / w**3
        for centre, w in zip(CENTRES, width, strict=True)
    ]
    return torch.stack(peaks).sum(0)


def bumps_integral(width: tuple[float, float] = (0.1, 0.1)) -> float:
    ends = [
        (math.erf(0.75 / (w * math.sqrt(2))) + math.erf(0.25 / (w * math.sqrt(2)))) / 2
        for w in width
    ]
    return sum((math.sqrt(2 * math.pi) * end) ** 3 for end in ends)


def sampler(width: tuple[float, float] = (0.1, 0.1), seed: int = 5) -> ImportanceSampler:
    flow = SplineFlow(3, 1, FlowSettings(bins=6, units=16, seed=1))
    return ImportanceSampler(FunctionIntegrand(lambda x: bumps(x, width), 3), flow, seed=seed)


def same(a: TrainingState, b: TrainingState) -> bool:
    names = a.tensors.keys() == b.tensors.keys()
    return (
        a.step == b.step
        and names
        and all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)
    )


def stored(directory: Path, state: TrainingState) -> TrainingState:
    checkpoint.save(directory, "training", state.tensors, {"step": state.step})
    tensors, meta = checkpoint.load(directory, "training")
    return TrainingState(meta["step"], tensors)


def test_without_looks_a_training_with_too_large_a_rate_loses_the_integral(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("madnis_py.integration.training.trainer.LOST", math.inf)
    integral = sampler()
    Trainer(integral, TOO_FAST).run()
    result = integral.integrate(20_000)
    assert abs(result.value - bumps_integral()) > LOST * result.error


@pytest.fixture(scope="module")
def healed() -> tuple[Trainer, list[int]]:
    """A finished training that went back, and the steps that it went through."""
    trainer = Trainer(sampler(), TOO_FAST)
    steps: list[int] = []
    trainer.run(lambda progress: steps.append(progress.step))
    return trainer, steps


def test_a_training_that_loses_the_integral_goes_back_and_ends_with_a_good_sampler(
    healed: tuple[Trainer, list[int]],
) -> None:
    trainer, _ = healed
    (sentence,) = trainer.sentences
    assert re.fullmatch(
        r"training: went back .* is .* standard deviations below .* earlier steps .*", sentence
    )
    result = trainer.sampler.integrate(50_000)
    assert abs(result.value - bumps_integral()) < LOST * result.error
    assert result.relative_std < 0.3 * sampler().integrate(50_000).relative_std


def test_steps_that_were_given_up_count_as_evaluations(healed: tuple[Trainer, list[int]]) -> None:
    trainer, steps = healed
    assert trainer.evaluations == TOO_FAST.batch(1) * len(steps)
    assert any(later <= earlier for earlier, later in pairwise(steps))


def test_a_training_in_python_that_went_back_says_so_in_a_warning(
    healed: tuple[Trainer, list[int]],
) -> None:
    with pytest.warns(UserWarning, match=r"training: went back .* standard deviations below"):
        train(sampler(), TOO_FAST, state=healed[0].state)


@pytest.mark.parametrize("buffer", ["none", "partial"])
def test_a_training_that_goes_back_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: str
) -> None:
    """Looks of four small batches, for which any fluctuation downwards is a loss."""
    for name, value in {"BATCHES": 4, "POINTS": 400, "HEAVY": 1.0}.items():
        monkeypatch.setattr(f"madnis_py.integration.training.rollback.{name}", value)
    monkeypatch.setattr("madnis_py.integration.training.trainer.LOST", 0.7)
    changes = {"steps": 60, "batch_size": 100, "buffer": buffer, "buffer_size": 3, "averaging": 0.9}
    settings = TrainingSettings(**changes)
    whole = Trainer(sampler(), settings)
    path: list[int] = []
    final = whole.run(lambda progress: path.append(progress.step))
    assert any(one.to > 0 for one in whole._finished.rollbacks)
    trainer = Trainer(sampler(), settings)
    for count, _ in enumerate(path, start=1):
        if count % 3 == 0:
            trainer = Trainer(sampler(), settings, stored(tmp_path, trainer.state))
        trainer.step()
    assert same(trainer.state, final)


@pytest.mark.slow
def test_after_three_returns_a_training_ends_at_the_last_sound_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("madnis_py.integration.training.training_state.RATE_FACTOR", 1.0)
    trainer = Trainer(sampler(), TOO_FAST.model_copy(update={"learning_rate": 0.5}))
    state = trainer.run()
    (sentence,) = trainer.sentences
    assert "went back 4 times" in sentence
    assert f"it ended there, after {state.step} of 200 steps" in sentence
    again = Trainer(sampler(), trainer.settings, state)
    assert again.finished
    assert again.sentences == trainer.sentences
    result = trainer.sampler.integrate(50_000)
    assert abs(result.value - bumps_integral()) < LOST * result.error


def test_a_peak_that_is_found_late_is_learned_and_not_taken_for_a_loss() -> None:
    width = (0.1, 0.006)
    trainer = Trainer(sampler(width, seed=8), TrainingSettings(steps=300, batch_size=1000))
    trainer.run()
    total, error = trainer.state.check.looks[0, :2].tolist()
    assert total + LOST * error < bumps_integral(width)
    assert trainer.sentences == []
    result = trainer.sampler.integrate(100_000)
    assert abs(result.value - bumps_integral(width)) < LOST * result.error
    assert result.error < 0.05 * result.value


def figures(*looks: tuple[float, float]) -> IntegralCheck:
    return IntegralCheck(
        torch.zeros(4, dtype=torch.float64), torch.tensor([2 * look for look in looks]).double()
    )


def test_a_figure_that_rises_is_no_fall() -> None:
    assert (
        figures((1.0, 0.1), (5.0, 0.1)).largest_deficit(Measurement("survey", 1.0, 0.01)).size < 0
    )


def test_the_fall_below_the_survey_is_told_with_both_numbers() -> None:
    deficit = figures((3.0, 0.3)).largest_deficit(Measurement("survey", 7.0, 0.4))
    assert deficit.size == pytest.approx(8.0)
    assert str(deficit) == "estimate 3 +- 0.3 is 8.0 standard deviations below survey 7 +- 0.4"


def test_a_negative_integral_falls_towards_zero_too() -> None:
    assert figures((-1.0, 0.1)).largest_deficit(
        Measurement("survey", -2.0, 0.0)
    ).size == pytest.approx(10, rel=1e-3)


def test_a_figure_that_says_nothing_is_no_height_to_fall_from() -> None:
    assert figures((0.0, 0.0), (1.0, 0.1)).largest_deficit(None).size == 0
    assert figures((0.01, 0.1), (-2.0, 0.1)).largest_deficit(None).size == 0


def test_a_part_that_single_points_carry_leaves_the_bulk() -> None:
    """1000 points of weight 1, then 999 of weight 1/2 and one that makes up for them.

    The total stays.
    """
    channel, even = torch.zeros(1000, dtype=torch.int64), torch.ones(1000, dtype=torch.float64)
    lost = torch.cat([0.5 * even[1:], torch.tensor([500.5], dtype=torch.float64)])
    check = IntegralCheck.start()
    for weight in (even, lost):
        empty = torch.empty(1000, 0, dtype=torch.float64)
        samples = Samples(channel, empty, empty, weight, empty, empty, weight, weight)
        check = check.with_batch(samples, Moments.of(channel, weight, 1), heavy=0.01).after_look(1)
    (total, _, bulk, bulk_error) = check.looks[1].tolist()
    assert total == pytest.approx(1.0)
    assert bulk == pytest.approx(0.4995)
    deficit = check.largest_deficit(None)
    assert deficit.found.name == "bulk of the estimate"
    assert deficit.size == pytest.approx(0.5005 / math.hypot(bulk_error, 1e-4), rel=1e-3)


def test_a_look_has_fifty_batches_and_ten_thousand_points_and_long_trainings_a_hundred() -> None:
    assert [batches_per_look(*few) for few in ((500, 1000), (500, 100), (88_000, 1000))] == [
        50,
        100,
        880,
    ]


def test_returns_come_back_from_their_rows() -> None:
    one = Rollback(700, 600, Deficit.between(2, (1.0, 0.1), (2.0, 0.05)))
    assert Rollback.of_row(one.row) == one


def test_a_buffer_comes_back_from_its_differences_to_a_later_one() -> None:
    trainer = Trainer(
        sampler(), TrainingSettings(steps=9, batch_size=50, buffer="partial", buffer_size=4)
    )
    buffers: list[SampleBuffer] = []
    trainer.run(lambda progress: buffers.append(trainer._buffer))
    early, late = buffers[2], buffers[5]
    tensors = early.differences(late)
    assert {name.partition(".")[0] for name in tensors} < {"0", "1", "2"}
    restored = late.with_differences(tensors, 3).batches
    assert all(torch.equal(a.x, b.x) for a, b in zip(restored, early.batches, strict=True))
    with pytest.raises(CheckpointError, match="expected 9 batches in its buffer; got 4"):
        late.with_differences({}, 9)


# Runs


COLLAPSING = TrainingSettings(
    steps=100, batch_size=1000, learning_rate=0.3, schedule="constant", warmup_steps=1000
)


@pytest.mark.slow
def test_a_run_whose_training_loses_the_cross_section_goes_back_and_says_so(tmp_path: Path) -> None:
    run = Run(small_process(tmp_path), tmp_path / "run", 3, training=COLLAPSING)
    run.integrate(20_000)
    assert any(
        sentence.startswith("training: went back") for sentence in run.record.warning_sentences
    )
    vegas, neural = run.record.content()["vegas"], run.record.content()["madnis"]
    error = math.hypot(vegas["sigma_error_pb"], neural["sigma_error_pb"])
    assert abs(vegas["sigma_pb"] - neural["sigma_pb"]) < 5 * error
    assert abs(run.record.content()["training_sigma"]["pull"]) < 5


def test_a_flow_that_has_lost_the_cross_section_is_refused_and_vegas_makes_the_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("madnis_py.integration.training.trainer.LOST", math.inf)
        Run(small_process(tmp_path), directory, 3, training=COLLAPSING).train()
    commands: list[list[str | Path]] = [
        ["integrate", directory, "--points", "20000"],
        ["generate", directory, "--events", "100"],
    ]
    for command in commands:
        done = call(command, capsys, monkeypatch)
        assert done.status == 1
        words = (
            r"madnis \S+ \+- \S+ and survey \S+ \+- \S+ are \S+ standard deviations apart"
            ".*--method vegas"
        )
        assert re.search(words, done.err), done.err
        assert "sigma_pb" not in json.loads((directory / "run.json").read_text())
    done = call(
        ["generate", directory, "--events", "100", "--sampler", "vegas"], capsys, monkeypatch
    )
    assert done.status == 0, done.err
    record = json.loads((directory / "run.json").read_text())
    assert record["sigma_pb"] == record["vegas"]["sigma_pb"]
    assert any("madnis" in warning["sentence"] for warning in record["warnings"])


@pytest.mark.parametrize(
    ("sampler", "value", "words"),
    [
        ("madnis", 1.0, "--method vegas"),
        ("madnis", 3.0, "the survey seems to have missed a part"),
        ("vegas", 1.0, "the survey seems to have missed a part"),
        ("madnis", 2.1, None),
    ],
)
def test_a_result_that_the_survey_excludes_is_refused_with_a_way_out(
    sampler: SamplerName, value: float, words: str | None
) -> None:
    survey = Measurement("survey", 2.0, 0.1)
    result = SimpleNamespace(measurement=lambda name: Measurement(name, value, 0.1))
    sentence = refusal(CoverageCheck(["only"]), survey, sampler, cast("Result", result))
    assert (sentence is None) == (words is None)
    if words is not None and sentence is not None:
        assert sentence.startswith(
            f"{sampler} {value:g} +- 0.1 and survey 2 +- 0.1 are 7.1 standard deviations apart"
        )
        assert words in sentence


@pytest.mark.slow
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("seed", [2, 4])
def test_w2j_with_too_large_a_rate_keeps_its_cross_section(
    tmp_path: Path, seed: int, clip: float | None
) -> None:
    """Lost all of it with the stratified loss.

    Or left a few points with all of it where the gradient was clipped.
    """
    changes = {"preset": "standard", "loss": "stratified", "learning_rate": 3e-2}
    card = cards.load("w2j").updated(
        {"training": changes | ({"gradient_clip": clip} if clip else {})}
    )
    run = Run(Process.from_card(card), tmp_path, seed)
    run.integrate(200_000)
    vegas, neural = run.record.content()["vegas"], run.record.content()["madnis"]
    error = math.hypot(vegas["sigma_error_pb"], neural["sigma_error_pb"])
    assert abs(vegas["sigma_pb"] - neural["sigma_pb"]) < 5 * error
    worse = any(
        "the flow is worse than VEGAS" in sentence for sentence in run.record.warning_sentences
    )
    assert worse or neural["unweighting"]["efficiency"] > 0.9 * vegas["unweighting"]["efficiency"]
    assert clip or not worse
    assert any(
        sentence.startswith("training: went back") for sentence in run.record.warning_sentences
    )
