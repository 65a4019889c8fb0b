"""The survey that chooses the prior of a process, and what a run makes of it."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import small_process

from madnis_py import _core
from madnis_py.integration.estimate import Estimate
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.physics.cross_section import prior_choice
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.prior_choice import PriorChoice, PriorSurvey, choose_prior
from madnis_py.physics.phase_space.priors import PRIORS, ChosenPrior
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress
from madnis_py.run.closing_table import prior_sentence
from madnis_py.run.record import PriorRecord
from madnis_py.run.run import Run

SEED = 5


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    return small_process(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def www() -> Process:
    return Process.from_card("www")


def explicit(process: Process, prior: str) -> Process:
    return Process.from_card(process.card.updated({"channels": {"prior": prior}}))


def test_a_prior_that_is_clearly_the_worst_is_not_chosen(process: Process) -> None:
    choice = choose_prior(process, SEED)
    assert list(choice.relative_std) == list(PRIORS)
    assert choice.relative_std["flat"] > 3 * max(
        choice.relative_std[name] for name in PRIORS if name != "flat"
    )
    assert choice.chosen != "flat"


def vegas(process: Process, prior: ChosenPrior) -> Estimate:
    settings = VegasSettings(iterations=4, points=1000)
    return train_vegas(CrossSection(process, prior), settings, SEED)[1]


def test_the_chosen_prior_is_better_in_a_longer_survey_and_gives_the_same_cross_section(
    www: Process,
) -> None:
    choice = choose_prior(www, SEED)
    assert choice.chosen == "propagator"
    chosen, default = vegas(www, choice.chosen), vegas(www, "diagram")
    assert chosen.relative_std < 0.8 * default.relative_std
    assert abs(chosen.value - default.value) < 5 * math.hypot(chosen.error, default.error)


def test_near_ties_keep_the_single_diagrams(process: Process) -> None:
    choice = choose_prior(process, SEED)
    close = [
        name
        for name, value in choice.relative_std.items()
        if value < 1.05 * min(choice.relative_std.values())
    ]
    assert len(close) > 1
    assert choice.chosen == "diagram"


def test_two_threads_choose_the_same_with_the_same_figures(process: Process) -> None:
    before = _core.thread_count()
    _core.set_thread_count(2)
    with ThreadPoolExecutor(2) as executor:
        parallel = choose_prior(process, SEED, executor)
    _core.set_thread_count(before)
    assert parallel == choose_prior(process, SEED)


def test_the_choice_does_not_depend_on_the_prior_of_the_card(process: Process) -> None:
    assert choose_prior(explicit(process, "flat"), SEED) == choose_prior(process, SEED)


def test_another_seed_finds_other_figures(process: Process) -> None:
    assert choose_prior(process, SEED + 1).relative_std != choose_prior(process, SEED).relative_std


def test_more_channels_than_a_few_points_can_tell_apart_have_propagators(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prior_choice, "MOST_CHANNELS", 2)
    survey = PriorSurvey(CrossSection(process))
    assert survey.evaluations == 0
    assert survey.choose(SEED) == PriorChoice("propagator")


def test_a_single_channel_has_nothing_to_choose(process: Process) -> None:
    flat = process.card.updated({"channels": {"phase_space": "flat"}})
    assert choose_prior(Process.from_card(flat)) == PriorChoice("diagram")


def test_many_channels_are_not_all_inverted_at_every_event(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prior_choice, "MOST_MAPS", 2)
    assert list(choose_prior(process, SEED).relative_std) == ["diagram", "propagator"]


@pytest.mark.parametrize("name", ["drell_yan", "www", "w3j", "ttbar_2j"])
def test_the_survey_of_the_priors_is_short(name: str) -> None:
    integrand = CrossSection(Process.from_card(name))
    assert PriorSurvey(integrand).evaluations < 0.12 * VegasSettings.for_integrand(
        integrand
    ).evaluations(integrand)


def test_a_run_surveys_the_priors_once_and_writes_down_what_it_found(
    process: Process, tmp_path: Path
) -> None:
    run = Run(process, tmp_path, SEED)
    integrand = run.choose_prior()
    record = run.record.content()
    assert integrand.prior == record["prior"]["chosen"]
    assert record["prior"] == choose_prior(process, SEED).to_dict()
    assert list(record["stages"]) == ["prior"]
    assert record["stages"]["prior"]["evaluations"] == PriorSurvey(integrand).evaluations


def test_a_prior_of_the_card_is_used_without_a_survey(process: Process, tmp_path: Path) -> None:
    run = Run(explicit(process, "flat"), tmp_path, SEED)
    assert run.choose_prior().prior == "flat"
    assert run.record.content()["stages"] == {}
    assert run.record.content()["prior"] == {"chosen": "flat", "relative_std": {}}


def test_a_run_that_goes_on_keeps_the_prior(
    process: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PriorChoice("density", {"diagram": 2.0, "density": 1.0})
    monkeypatch.setattr(PriorSurvey, "choose", lambda *_: other)
    assert Run(process, tmp_path, SEED, method="vegas").choose_prior().prior == "density"
    monkeypatch.undo()
    told: list[StageProgress] = []
    resumed = Run.open(tmp_path, watch=told.append)
    resumed.integrate(20_000)
    assert resumed.choose_prior().prior == "density"
    assert resumed.record.content()["prior"] == other.to_dict()
    assert not any(progress.stage == "prior" for progress in told)


def test_the_result_tells_the_prior_in_one_line(process: Process, tmp_path: Path) -> None:
    choice = PriorChoice("propagator", {"diagram": 2.345, "propagator": 1.0, "flat": math.inf})
    line = "prior: propagator; std/mean in a short survey: diagram 2.35, propagator 1"
    assert prior_sentence(PriorRecord.model_validate(choice.to_dict())) == line
    fixed = PriorRecord.model_validate(PriorChoice("flat").to_dict())
    assert prior_sentence(fixed) == "prior: flat"
