from __future__ import annotations

import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from integrands import Mirrored, Spoiled, gaussian, gaussian_integral
from scipy import integrate
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import CheckpointError, InputError, IntegrandError, MadnisError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.block_sampler import BlockSampler
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.adam import FlatAdam
from madnis_py.integration.training.buffer import Batch
from madnis_py.integration.training.losses import DENSITY_LOSSES, LOSSES
from madnis_py.integration.training.parameter_update import ParameterUpdate
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer, train
from madnis_py.integration.training.training_state import TrainingState
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.parallel.random_streams import torch_generator

SHORT = TrainingSettings(steps=12, batch_size=200)


EVERYTHING = TrainingSettings(
    steps=40,
    batch_size=200,
    loss="stratified_softclip",
    schedule="cosine",
    gradient_clip=10.0,
    averaging=0.9,
    warmup_steps=4,
    dropping_cutoff=0.3,
    dropping_interval=3,
    buffer="partial",
    buffer_size=6,
    buffer_fraction=0.5,
    buffer_weights=2,
)
"""All features at once; on `Mirrored` the small channels 0 and 2 are dropped early."""


def small(integrand: AbstractIntegrand | None = None) -> Integrator:
    integrand = integrand or CamelBack()
    return Integrator(
        integrand,
        SplineFlow(integrand.dim, integrand.n_channels, FlowSettings(bins=4, units=8)),
        seed=3,
    )


def weights_only(cut: float = -math.inf) -> Integrator:
    """The set-up of Tab. 5.1 of the MadNIS thesis: fixed maps, flat prior, trained weights."""
    return Integrator(
        CamelBack(cut=cut),
        VegasFlow.uniform(1, 2, 1),
        ChannelWeights(1, 2, ChannelWeightSettings(layers=4, units=32)),
    )


def flat_error(integrator: Integrator) -> float:
    """Relative error of 5000 + 5000 points."""
    result = integrator.moments(torch.tensor([100_000, 100_000]), "test").estimate()
    return result.error * math.sqrt(20) / result.value


def best_error(integrator: Integrator) -> float:
    """Relative error of 10000 points spread in proportion to sigma_i."""
    return (
        integrator.moments(torch.tensor([100_000, 100_000]), "test").estimate().relative_std / 100
    )


def exact_flat_error(integrand: CamelBack) -> float:
    """The same by quadrature, for the normalised prior as weights.

    sigma_i^2 = Int alpha_i^2 f^2 / g_i dx - I_i^2.
    """

    def moment(power: int, i: int) -> float:
        def density(p: float) -> float:
            point = torch.tensor([p], dtype=torch.float64)
            g = integrand.density(point)[0]
            alpha = g[i] / g.sum() if integrand.optimal_prior else 0.5
            return float((alpha * integrand.function(point)[0]) ** power / g[i] ** (power - 1))

        start = max(integrand.cut, -2.0)
        breaks = [2.0, 4.5, 5.0, 5.5][start > 2.0 :]
        return float(integrate.quad(density, start, 8.0, points=breaks, limit=500)[0])

    variance = sum(2 * (moment(2, i) - moment(1, i) ** 2) for i in (0, 1))
    return math.sqrt(variance / 1e4) / sum(moment(1, i) for i in (0, 1))


def stored(directory: Path, trainer: Trainer) -> TrainingState:
    """The state of a trainer, written to files and read back."""
    checkpoint.save(directory, "training", trainer.state.tensors, {"step": trainer.state.step})
    tensors, meta = checkpoint.load(directory, "training")
    return TrainingState(meta["step"], tensors)


def same(a: TrainingState, b: TrainingState) -> bool:
    names = a.tensors.keys() == b.tensors.keys()
    return (
        a.step == b.step
        and names
        and all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)
    )


def test_quadrature_reproduces_the_optimal_row_of_table_5_1() -> None:
    assert exact_flat_error(CamelBack(optimal_prior=True)) == pytest.approx(0.00773, abs=5e-6)
    assert exact_flat_error(CamelBack(optimal_prior=True, cut=2.5)) == pytest.approx(
        0.01018, abs=5e-6
    )


def test_untrained_weights_have_the_error_that_quadrature_gives() -> None:
    integrator = Integrator(CamelBack(optimal_prior=True), VegasFlow.uniform(1, 2, 1))
    assert flat_error(integrator) == pytest.approx(
        exact_flat_error(CamelBack(optimal_prior=True)), rel=0.01
    )


@pytest.mark.parametrize(
    ("loss", "cut", "floor"),
    [
        ("variance", -math.inf, 0.007685),
        ("variance", 2.5, 0.010017),
        ("stratified", -math.inf, 0.007367),
        ("stratified", 2.5, 0.008625),
    ],
)
def test_weights_trained_from_a_flat_prior_approach_the_floor_of_the_camel_back(
    loss: str, cut: float, floor: float
) -> None:
    """The variance loss of flat counts, the stratified one of counts by sigma_i."""
    error = flat_error if loss == "variance" else best_error
    integrator = weights_only(cut)
    assert error(integrator) > 5 * floor
    settings = TrainingSettings(
        steps=300, batch_size=1000, learning_rate=1e-2, loss=loss, uniform_fraction=1.0
    )
    train(integrator, settings)
    assert floor * 0.99 < error(integrator) < floor * 1.03


@pytest.mark.parametrize("loss", list(LOSSES))
def test_training_the_flow_lowers_the_variance_and_keeps_the_integral(loss: str) -> None:
    integrator = Integrator(gaussian, dim=2)
    before = integrator.integrate(20_000).relative_std
    train(integrator, TrainingSettings(steps=60, loss=loss, learning_rate=1e-2))
    result = integrator.integrate(20_000)
    assert abs(result.value - gaussian_integral(2)) < 5 * result.error
    assert result.relative_std < 0.2 * before


def test_training_knows_no_scale_of_the_integrand() -> None:
    ordinary, tiny = (
        small(FunctionIntegrand(function, dim=2))
        for function in (gaussian, lambda x: 2.0**-60 * gaussian(x))
    )
    states = [train(integrator, SHORT) for integrator in (ordinary, tiny)]
    assert all(
        torch.equal(t, states[1].tensors[n])
        for n, t in states[0].tensors.items()
        if n.startswith("flow.")
    )


@pytest.mark.parametrize("loss", ["variance", "stratified"])
def test_training_lowers_the_variance_of_a_sign_changing_integrand_to_its_floor(loss: str) -> None:
    """No density does better than |f| / Int |f|, with sigma^2 = (Int |f|)^2 - I^2."""
    integrand = FunctionIntegrand(lambda x: torch.sin(2 * torch.pi * x[:, 0]) + 0.5, dim=2)
    integrator = Integrator(integrand, SplineFlow(2, 1, FlowSettings(bins=8, units=16)), seed=2)
    size = integrate.quad(
        lambda x: abs(math.sin(2 * math.pi * x) + 0.5), 0, 1, points=[7 / 12, 11 / 12]
    )[0]
    floor = math.sqrt(size**2 - 0.25)
    before = integrator.integrate(20_000)
    train(integrator, TrainingSettings(steps=100, batch_size=500, loss=loss, learning_rate=1e-2))
    after = integrator.integrate(20_000)
    assert abs(after.value - 0.5) < 5 * after.error
    assert floor < float(after.channel_stds[0]) * 1.01
    assert float(after.channel_stds[0]) - floor < 0.5 * (float(before.channel_stds[0]) - floor)


def test_an_integrand_that_is_zero_teaches_nothing() -> None:
    integrator = small(FunctionIntegrand(lambda x: torch.zeros(len(x)), dim=2, n_channels=2))
    before = Trainer(integrator, SHORT).state
    after = train(integrator, SHORT)
    assert all(torch.equal(tensor, after.tensors[name]) for name, tensor in before.tensors.items())


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
    model = trainer.integrator.flow.state_dict()
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
    assert torch.equal(trainer.integrator.active, before.active)
    assert same(trainer.run(), train(small(Mirrored()), EVERYTHING))


@pytest.mark.parametrize("settings", [SHORT, EVERYTHING], ids=["plain", "everything"])
def test_a_state_does_not_change_with_later_steps(settings: TrainingSettings) -> None:
    trainer = Trainer(small(Mirrored()), settings)
    trainer.step()
    state = trainer.state
    copies = {name: tensor.clone() for name, tensor in state.tensors.items()}
    trainer.run()
    assert all(torch.equal(state.tensors[name], copy) for name, copy in copies.items())


def test_a_state_loads_into_an_integrator_that_then_gives_the_same_integral() -> None:
    trained, fresh = small(), small()
    train(trained, SHORT).load_into(fresh)
    assert fresh.integrate(1000).value == trained.integrate(1000).value


def test_the_state_knows_the_standard_deviations() -> None:
    integrator = Integrator(CamelBack(optimal_prior=True), VegasFlow.uniform(1, 2, 1))
    settings = TrainingSettings(
        steps=60, batch_size=3000, learning_rate=1e-9, final_learning_rate=1e-9
    )
    sigma = train(integrator, settings).sigma
    truth = integrator.moments(torch.tensor([200_000, 200_000]), "test").estimate().channel_stds
    assert torch.allclose(sigma, truth, rtol=0.02)


def test_progress_tells_the_integral_so_far() -> None:
    seen: list[StepProgress] = []
    train(
        Integrator(CamelBack(optimal_prior=True), seed=1), TrainingSettings(steps=30), seen.append
    )
    assert [progress.step for progress in seen] == list(range(1, 31))
    assert {progress.total for progress in seen} == {30}
    assert seen[-1].value == pytest.approx(1.0, rel=0.05)
    assert seen[-1].loss == pytest.approx(seen[-1].relative_std ** 2, rel=0.3)
    assert seen[-1].points_per_second > 0


def test_an_integrand_error_keeps_its_address() -> None:
    with pytest.raises(IntegrandError, match="value is nan in channel 1, event 102"):
        train(small(Spoiled(bad_value=math.nan)), SHORT)


def test_a_loss_that_overflows_names_step_and_channel_and_changes_nothing() -> None:
    trainer = Trainer(small(FunctionIntegrand(gaussian, dim=2)), SHORT)
    trainer.step()

    def poisoned(x: Tensor, channel: Tensor, log_q: Tensor) -> Tensor:
        return x.new_full((len(x),), -torch.inf).requires_grad_()

    trainer.integrator.flow.log_prob_of_sample = poisoned  # type: ignore[method-assign]
    with pytest.raises(MadnisError, match=r"loss is inf at step 1, largest weight .* in channel 0"):
        trainer.step()
    assert trainer.state.step == 1


def test_a_gradient_that_is_not_finite_names_step_and_channel() -> None:
    trainer = Trainer(small(FunctionIntegrand(gaussian, dim=2)), SHORT)
    next(trainer.integrator.flow.parameters()).register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(
        MadnisError, match=r"gradient is nan at step 0, largest weight .* in channel 0"
    ):
        trainer.step()


def test_clipping_bounds_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    trainer = Trainer(small(), TrainingSettings(steps=1, gradient_clip=1e-3))

    def watched(_: object, gradients: list[Tensor], *args: object, **options: object) -> None:
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))

    monkeypatch.setattr("madnis_py.integration.training.adam.adam", watched)
    trainer.step()
    assert norms == [pytest.approx(1e-3, rel=1e-3)]


def test_a_fixed_model_cannot_be_trained() -> None:
    integrator = Integrator(gaussian, VegasFlow.uniform(2, 1, 4), dim=2)
    with pytest.raises(InputError, match="nothing to train"):
        train(integrator, SHORT)


@pytest.mark.parametrize("loss", sorted(DENSITY_LOSSES))
def test_a_divergence_needs_a_trainable_flow(loss: str) -> None:
    with pytest.raises(InputError, match=f"nothing to train with the loss '{loss}'"):
        train(weights_only(), TrainingSettings(steps=1, loss=loss))


def test_a_batch_too_small_for_the_channels_is_refused() -> None:
    with pytest.raises(InputError, match="2 channels of 2 points need 4; got 3"):
        train(small(), TrainingSettings(batch_size=3))


def test_a_state_of_another_model_is_refused() -> None:
    state = train(small(), SHORT)
    with pytest.raises(CheckpointError, match="made for another flow"):
        Trainer(Integrator(CamelBack()), SHORT, state)


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


def test_points_are_spread_evenly_during_the_warm_up_and_by_their_deviation_after_it() -> None:
    settings = TrainingSettings(
        steps=20, batch_size=999, warmup_steps=10, uniform_fraction=0.2, dropping_cutoff=0
    )
    trainer = Trainer(small(Mirrored()), settings)
    sigma = ChannelGroups(Mirrored.groups, 3).mean(trainer.run().tensors["average.variance"]).sqrt()
    assert trainer._allocate(drawn=9).tolist() == [333, 333, 333]
    expected = 2 + 993 * (0.2 / 3 + 0.8 * sigma / sigma.sum())
    assert (trainer._allocate(drawn=10) - expected).abs().max() < 1
    assert (expected - 333).abs().max() > 50


def test_a_replayed_step_calls_no_integrand() -> None:
    class Counting(CamelBack):
        calls = 0

        def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
            self.calls += 1
            return super().evaluate(x, channel)

    integrand = Counting()
    settings = TrainingSettings(
        steps=30, batch_size=200, buffer="epochs", buffer_size=5, buffer_passes=2
    )
    trainer = Trainer(small(integrand), settings)
    before = integrand.calls
    trainer.run()
    assert integrand.calls - before == 10
    assert trainer.reuse.draws == 10
    assert trainer.reuse.at_fixed_updates == 3.0


def test_replayed_batches_are_weighted_with_the_density_of_their_drawing() -> None:
    """Eq. (5.13): points of an untrained flow give the loss of the trained one.

    With the q_i of their drawing.
    """
    trainer = Trainer(
        Integrator(gaussian, dim=2, seed=1), TrainingSettings(steps=40, learning_rate=1e-2)
    )
    old = trainer.integrator.sample(torch.tensor([100_000]), "old")
    trainer.run()
    new = trainer.integrator.sample(torch.tensor([100_000]), "new")
    with torch.no_grad():
        losses = [
            float(
                trainer._update.loss(
                    Batch.of(samples, torch.tensor([100_000])), trainer._averages.size.sum()
                )
            )
            for samples in (old, new)
        ]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_buffered_training_reaches_what_online_training_does() -> None:
    settings = TrainingSettings(steps=100, batch_size=300, learning_rate=1e-2)
    choices: list[dict[str, Any]] = [
        {},
        {"buffer": "epochs", "buffer_passes": 4},
        {"buffer": "partial"},
    ]
    results = []
    for choice in choices:
        integrator = Integrator(gaussian, dim=2, seed=1)
        train(integrator, settings.model_copy(update={"buffer_size": 10, **choice}))
        results.append(integrator.integrate(20_000))
    assert all(abs(result.value - gaussian_integral(2)) < 5 * result.error for result in results)
    assert max(result.relative_std for result in results) < 1.5 * results[0].relative_std


def test_a_buffer_costs_no_copy_per_step() -> None:
    trainer = Trainer(small(Mirrored()), EVERYTHING.model_copy(update={"dropping_cutoff": 0.0}))
    for _ in range(7):
        trainer.step()
    before, after = (
        trainer._finished.buffer.batches,
        (trainer.step(), trainer._finished.buffer.batches)[1],
    )
    assert sum(a is b for a, b in zip(before, after, strict=True)) == 5


def test_averaged_parameters_take_the_place_of_the_last_ones_after_the_last_step() -> None:
    settings = SHORT.model_copy(update={"averaging": 0.8})
    plain, averaged = Trainer(small(), SHORT), Trainer(small(), settings)
    mean: dict[str, Tensor] = {}
    for step in range(12):
        plain.step()
        averaged.step()
        share = max(0.2, 1 / (step + 1))
        for name, parameter in plain._update.parameters().items():
            mean[name] = torch.lerp(mean.get(name, parameter.detach()), parameter.detach(), share)
        if step == 10:
            model = averaged.integrator.flow.state_dict()
            assert all(
                torch.equal(tensor, model[name])
                for name, tensor in plain.state.under("flow").items()
            )
    for prefix, module in (
        ("flow", averaged.integrator.flow),
        ("weights", averaged.integrator.weights),
    ):
        for name, parameter in module.named_parameters():
            assert torch.allclose(parameter, mean[f"{prefix}.{name}"], rtol=1e-5, atol=1e-8)


def test_a_sampler_in_training_travels_light() -> None:
    trainer = Trainer(small(), SHORT)
    trainer.step()
    integrator = trainer.integrator
    size = sum(
        p.nbytes for model in (integrator.flow, integrator.weights) for p in model.parameters()
    )
    sampler = BlockSampler(
        PickledOnce(integrator.integrand),
        integrator.flow,
        integrator.weights,
        integrator.active,
        integrator.seed,
    )
    assert len(pickle.dumps(sampler)) < size + 50_000


def test_progress_tells_the_reuse_and_the_active_channels() -> None:
    seen: list[StepProgress] = []
    train(small(Mirrored()), EVERYTHING, seen.append)
    assert seen[0].active_channels == 3
    assert seen[-1].active_channels == 1
    assert seen[-1].reuse is not None
    assert seen[-1].reuse.draws + seen[-1].reuse.replays == 40
    assert "R = " in str(seen[-1].reuse)
