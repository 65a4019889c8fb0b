"""States of trainings: stored, taken up again to the same bits, refused where they do not fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from integrands import Mirrored
from short_trainings import EVERYTHING, SHORT, same, small, stored
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import CheckpointError
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.integration.training.parameter_update import ParameterUpdate
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer, train
from madnis_py.integration.training.training_state import TrainingState
from madnis_py.parallel.random_streams import torch_generator


@pytest.mark.parametrize("stop", [0, 1, 5, 11])
def test_a_resumed_training_ends_at_the_same_bits(tmp_path: Path, stop: int) -> None:
    whole = train(small(), SHORT)
    first = Trainer(small(), SHORT)
    for _ in range(stop):
        first.step()
    assert same(train(small(), SHORT, state=stored(tmp_path, first)), whole)


@pytest.mark.parametrize("buffer", ["epochs", "partial"])
def test_killed_at_twenty_random_steps_and_resumed_a_training_ends_at_the_same_bits(
    tmp_path: Path, buffer: str
) -> None:
    settings = EVERYTHING.model_copy(update={"buffer": buffer})
    whole = train(small(Mirrored()), settings)
    assert whole.active.tolist() == [False, True, False]
    stops = 1 + torch.randperm(39, generator=torch_generator(1, "stops"))[:20]
    trainer = Trainer(small(Mirrored()), settings)
    for stop in sorted(stops.tolist()):
        while trainer.state.step < stop:
            trainer.step()
        trainer = Trainer(small(Mirrored()), settings, stored(tmp_path, trainer))
    assert same(trainer.run(), whole)


@pytest.mark.slow
@pytest.mark.parametrize("kill", range(20))
@pytest.mark.parametrize("buffer", ["none", "epochs", "partial"])
def test_killed_once_anywhere_and_resumed_a_long_training_ends_at_the_same_bits(
    tmp_path: Path, buffer: str, kill: int
) -> None:
    settings = EVERYTHING.model_copy(update={"buffer": buffer, "steps": 300, "buffer_size": 20})
    whole = Trainer(small(Mirrored()), settings)
    stop = int(torch.randint(300, (1,), generator=torch_generator(kill, "stop")))
    while whole.state.step < stop:
        whole.step()
    resumed = Trainer(small(Mirrored()), settings, stored(tmp_path, whole))
    assert same(resumed.run(), whole.run())


def test_the_number_of_workers_changes_no_bit() -> None:
    serial, threaded = small(), small()
    with ThreadPoolExecutor(2) as executor:
        threaded.executor = executor
        assert same(train(threaded, SHORT), train(serial, SHORT))


def test_a_callback_that_stops_leaves_the_last_finished_step() -> None:
    def stop_at_five(progress: StepProgress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    trainer = Trainer(small(), SHORT)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(stop_at_five)
    assert trainer.state.step == 5
    assert same(trainer.run(), train(small(), SHORT))


def test_an_interruption_inside_the_update_undoes_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(small(), SHORT)
    trainer.step()
    update = FlatAdam.step

    def interrupted(self: FlatAdam, learning_rate: float, scale: float) -> None:
        update(self, learning_rate, scale)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FlatAdam, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.step()
    model = trainer.sampler.flow.state_dict()
    assert all(
        torch.equal(model[name], tensor) for name, tensor in trainer.state.under("flow").items()
    )
    assert same(trainer.run(), train(small(), SHORT))


@pytest.mark.parametrize("step", [2, 6, 9, 20])
def test_an_interruption_undoes_a_step_with_every_feature_on(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    trainer = Trainer(small(Mirrored()), EVERYTHING)
    while trainer.state.step < step:
        trainer.step()
    before = trainer.state

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ParameterUpdate, "average", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.step()
    assert same(trainer.state, before)
    assert torch.equal(trainer.sampler.active, before.active)
    assert same(trainer.run(), train(small(Mirrored()), EVERYTHING))


@pytest.mark.parametrize("settings", [SHORT, EVERYTHING], ids=["plain", "everything"])
def test_a_state_does_not_change_with_later_steps(settings: TrainingSettings) -> None:
    trainer = Trainer(small(Mirrored()), settings)
    trainer.step()
    state = trainer.state
    copies = {name: tensor.clone() for name, tensor in state.tensors.items()}
    trainer.run()
    assert all(torch.equal(state.tensors[name], copy) for name, copy in copies.items())


def test_a_state_loads_into_a_sampler_that_then_gives_the_same_integral() -> None:
    trained, fresh = small(), small()
    train(trained, SHORT).load_into(fresh)
    assert fresh.integrate(1000).value == trained.integrate(1000).value


def test_the_state_knows_the_standard_deviations() -> None:
    sampler = ImportanceSampler(CamelBack(optimal_prior=True), VegasFlow.uniform(1, 2, 1))
    settings = TrainingSettings(
        steps=60, batch_size=3000, learning_rate=1e-9, final_learning_rate=1e-9
    )
    sigma = train(sampler, settings).sigma
    truth = sampler.moments(torch.tensor([200_000, 200_000]), "test").estimate().channel_stds
    assert torch.allclose(sigma, truth, rtol=0.02)


def test_a_state_of_another_model_is_refused() -> None:
    state = train(small(), SHORT)
    with pytest.raises(CheckpointError, match="made for another flow"):
        Trainer(ImportanceSampler(CamelBack()), SHORT, state)


def test_a_state_without_averages_is_refused() -> None:
    state = train(small(), SHORT)
    stripped = {
        name: tensor for name, tensor in state.tensors.items() if not name.startswith("average.")
    }
    with pytest.raises(CheckpointError, match="running averages of 2 channels"):
        Trainer(small(), SHORT, TrainingState(state.step, stripped))


def test_a_state_of_other_settings_of_the_buffer_is_refused() -> None:
    state = Trainer(small(Mirrored()), SHORT)
    state.step()
    with pytest.raises(CheckpointError, match="expected 1 batches in its buffer; got 0"):
        Trainer(small(Mirrored()), EVERYTHING.model_copy(update={"averaging": None}), state.state)


def test_a_state_of_another_setting_of_averaging_is_refused() -> None:
    state = train(small(), SHORT)
    with pytest.raises(CheckpointError, match="made with another setting of averaging"):
        Trainer(small(), SHORT.model_copy(update={"averaging": 0.9}), state)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("active", None, r"expected torch\.bool \(2,\) as active; got nothing"),
        (
            "active",
            torch.ones(2),
            r"expected torch\.bool \(2,\) as active; got torch\.float32 \(2,\)",
        ),
        (
            "weights.mean",
            torch.zeros(1),
            r"another weights: expected torch\.float64 \(1,\) as weights\.mean; "
            r"got torch\.float32 \(1,\)",
        ),
        (
            "adam.exp_avg.weights.network.stack.biases.0",
            None,
            r"expected .* as adam\.exp_avg\.weights.*; got nothing",
        ),
        (
            "adam.exp_avg_sq.weights.network.stack.biases.0",
            torch.zeros(3),
            r"got torch\.float32 \(3,\)",
        ),
    ],
)
def test_a_state_that_is_incomplete_or_foreign_is_refused(
    name: str, change: Tensor | None, message: str
) -> None:
    state = train(small(), SHORT)
    assert name in state.tensors
    tensors = {key: tensor for key, tensor in state.tensors.items() if key != name}
    if change is not None:
        tensors[name] = change
    with pytest.raises(CheckpointError, match=message):
        Trainer(small(), SHORT, TrainingState(state.step, tensors))


def begun(steps: int) -> TrainingState:
    trainer = Trainer(small(), SHORT)
    for _ in range(steps):
        trainer.step()
    return trainer.state


def as_of_an_earlier_build(state: TrainingState) -> TrainingState:
    """With the numbers of a Mersenne twister, which it did not say."""
    tensors = {name: state.tensors[name] for name in state.tensors if name != "random_numbers"}
    return TrainingState(state.step, tensors)


def test_a_stored_training_says_what_its_random_numbers_came_from(tmp_path: Path) -> None:
    trainer = Trainer(small(), SHORT)
    trainer.step()
    assert stored(tmp_path, trainer).random_numbers == "philox4x32-10"


def test_a_training_with_other_random_numbers_does_not_go_on() -> None:
    got = (
        r"numbers of philox4x32-10; got one with those of mt19937, after 5 steps, .*; "
        "begin the training anew"
    )
    with pytest.raises(CheckpointError, match=got):
        Trainer(small(), SHORT, as_of_an_earlier_build(begun(5)))


def test_a_training_goes_on_with_other_random_numbers_where_its_owner_agrees() -> None:
    state = as_of_an_earlier_build(begun(5)).with_random_numbers_of_this_build()
    assert same(train(small(), SHORT, state=state), train(small(), SHORT))


def test_a_finished_training_can_be_used_whatever_its_random_numbers_came_from() -> None:
    state = as_of_an_earlier_build(begun(SHORT.steps))
    trainer = Trainer(small(), SHORT, state)
    assert trainer.finished
    assert state.random_numbers == "mt19937"
