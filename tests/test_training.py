from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from integrands import CamelBack, Spoiled, gaussian, gaussian_integral
from pydantic import ValidationError
from scipy import integrate
from torch import Tensor

from madnis_py.errors import CheckpointError, InputError, IntegrandError, MadnisError
from madnis_py.flows.flow import FlowSettings, SplineFlow
from madnis_py.integration import checkpoint
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.progress import Progress
from madnis_py.integration.settings import PRESETS, TrainingSettings
from madnis_py.integration.training import Trainer, train
from madnis_py.integration.training_state import TrainingState
from madnis_py.integration.vegas import VegasFlow

SHORT = TrainingSettings(steps=12, batch_size=200)


def small(integrand: AbstractIntegrand | None = None) -> Integrator:
    integrand = integrand or CamelBack()
    return Integrator(integrand, SplineFlow(integrand.dim, integrand.n_channels, FlowSettings(bins=4, units=8)), seed=3)


def weights_only(cut: float = -math.inf) -> Integrator:
    """The set-up of Tab. 5.1 of the MadNIS thesis: fixed maps, flat prior, trained weights."""
    return Integrator(
        CamelBack(cut=cut), VegasFlow.uniform(1, 2, 1), ChannelWeights(1, 2, ChannelWeightSettings(layers=4, units=32))
    )


def flat_error(integrator: Integrator) -> float:
    """Relative error of 5000 + 5000 points."""
    result = integrator.moments(torch.tensor([200_000, 200_000]), "test").estimate()
    return result.error * math.sqrt(40) / result.value


def exact_flat_error(integrand: CamelBack) -> float:
    """The same by quadrature, for the normalised prior as weights: sigma_i^2 = Int alpha_i^2 f^2 / g_i dx - I_i^2."""

    def moment(power: int, i: int) -> float:
        def density(p: float) -> float:
            point = torch.tensor([p], dtype=torch.float64)
            g = integrand.density(point)[0]
            alpha = g[i] / g.sum() if integrand.optimal_prior else 0.5
            return float((alpha * integrand.function(point)[0]) ** power / g[i] ** (power - 1))

        start = max(integrand.cut, -2.0)
        return integrate.quad(density, start, 8.0, points=[2.0, 4.5, 5.0, 5.5][start > 2.0 :], limit=500)[0]

    variance = sum(2 * (moment(2, i) - moment(1, i) ** 2) for i in (0, 1))
    return math.sqrt(variance / 1e4) / sum(moment(1, i) for i in (0, 1))


def same(a: TrainingState, b: TrainingState) -> bool:
    names = a.tensors.keys() == b.tensors.keys()
    return a.step == b.step and names and all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)


def test_quadrature_reproduces_the_optimal_row_of_table_5_1() -> None:
    assert exact_flat_error(CamelBack(optimal_prior=True)) == pytest.approx(0.00773, abs=5e-6)
    assert exact_flat_error(CamelBack(optimal_prior=True, cut=2.5)) == pytest.approx(0.01018, abs=5e-6)


def test_untrained_weights_have_the_error_that_quadrature_gives() -> None:
    integrator = Integrator(CamelBack(optimal_prior=True), VegasFlow.uniform(1, 2, 1))
    assert flat_error(integrator) == pytest.approx(exact_flat_error(CamelBack(optimal_prior=True)), rel=0.01)


@pytest.mark.parametrize(("cut", "floor"), [(-math.inf, 0.007685), (2.5, 0.010017)])
def test_weights_trained_from_a_flat_prior_approach_the_floor_of_the_camel_back(cut: float, floor: float) -> None:
    integrator = weights_only(cut)
    assert flat_error(integrator) > 5 * floor
    train(integrator, TrainingSettings(steps=600, batch_size=1000, learning_rate=1e-2))
    assert floor * 0.99 < flat_error(integrator) < floor * 1.02


@pytest.mark.parametrize("loss", ["variance", "kl"])
def test_training_the_flow_lowers_the_variance_and_keeps_the_integral(loss: str) -> None:
    integrator = Integrator(gaussian, dim=2)
    before = integrator.integrate(20_000).relative_std
    train(integrator, TrainingSettings(steps=100, loss=loss, learning_rate=1e-2, final_learning_rate=1e-3))
    result = integrator.integrate(20_000)
    assert abs(result.value - gaussian_integral(2)) < 5 * result.error
    assert result.relative_std < 0.2 * before


def test_training_knows_no_scale_of_the_integrand() -> None:
    ordinary, tiny = (small(FunctionIntegrand(lambda x, s=s: s * gaussian(x), dim=2)) for s in (1.0, 2.0**-60))
    states = [train(integrator, SHORT) for integrator in (ordinary, tiny)]
    assert all(torch.equal(t, states[1].tensors[n]) for n, t in states[0].tensors.items() if n.startswith("flow."))


def test_a_sign_changing_integrand_can_be_trained() -> None:
    integrator = small(FunctionIntegrand(lambda x: torch.sin(2 * torch.pi * x[:, 0]), dim=2))
    state = train(integrator, SHORT)
    assert all(tensor.isfinite().all() for tensor in state.tensors.values())


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
    checkpoint.save(tmp_path, "training", first.state.tensors, {"step": first.state.step})
    tensors, meta = checkpoint.load(tmp_path, "training")
    assert same(train(small(), SHORT, state=TrainingState(meta["step"], tensors)), whole)


def test_the_number_of_workers_changes_no_bit() -> None:
    serial, threaded = small(), small()
    with ThreadPoolExecutor(2) as executor:
        threaded.executor = executor
        assert same(train(threaded, SHORT), train(serial, SHORT))


def test_a_callback_that_stops_leaves_the_last_finished_step() -> None:
    def stop_at_five(progress: Progress) -> None:
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
    update = torch.optim.Adam.step

    def interrupted(self: torch.optim.Adam) -> None:
        update(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(torch.optim.Adam, "step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            trainer.step()
    model = trainer.integrator.flow.state_dict()
    assert all(torch.equal(model[name], tensor) for name, tensor in trainer.state.under("flow").items())
    assert same(trainer.run(), train(small(), SHORT))


def test_a_state_does_not_change_with_later_steps() -> None:
    trainer = Trainer(small(), SHORT)
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
    settings = TrainingSettings(steps=60, batch_size=3000, learning_rate=1e-9, final_learning_rate=1e-9)
    sigma = train(integrator, settings).sigma
    truth = integrator.moments(torch.tensor([200_000, 200_000]), "test").estimate().channel_stds
    assert torch.allclose(sigma, truth, rtol=0.02)


def test_progress_tells_the_integral_so_far() -> None:
    seen: list[Progress] = []
    train(Integrator(CamelBack(optimal_prior=True), seed=1), TrainingSettings(steps=30), seen.append)
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
    poisoned: Callable[..., Tensor] = lambda x, channel: x.new_full((len(x),), -1e3).requires_grad_()  # noqa: E731
    trainer.integrator.flow.log_prob = poisoned  # type: ignore[method-assign]
    with pytest.raises(MadnisError, match=r"loss is inf at step 1, largest weight .* in channel 0"):
        trainer.step()
    assert trainer.state.step == 1


def test_a_gradient_that_is_not_finite_names_step_and_channel() -> None:
    trainer = Trainer(small(FunctionIntegrand(gaussian, dim=2)), SHORT)
    next(trainer.integrator.flow.parameters()).register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(MadnisError, match=r"gradient is nan at step 0, largest weight .* in channel 0"):
        trainer.step()


def test_clipping_bounds_the_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    trainer = Trainer(small(), TrainingSettings(steps=1, gradient_clip=1e-3))
    update = torch.optim.Adam.step

    def watched(self: torch.optim.Adam) -> None:
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.nn.utils.get_total_norm(gradients)))
        update(self)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    trainer.step()
    assert norms == [pytest.approx(1e-3, rel=1e-3)]


def test_a_fixed_model_cannot_be_trained() -> None:
    integrator = Integrator(gaussian, VegasFlow.uniform(2, 1, 4), dim=2)
    with pytest.raises(InputError, match="nothing to train"):
        train(integrator, SHORT)


def test_kullback_leibler_needs_a_trainable_flow() -> None:
    with pytest.raises(InputError, match="nothing to train with the loss 'kl'"):
        train(weights_only(), TrainingSettings(steps=1, loss="kl"))


def test_a_batch_too_small_for_the_channels_is_refused() -> None:
    with pytest.raises(InputError, match="2 channels of 2 points need 4; got 3"):
        train(small(), TrainingSettings(batch_size=3))


def test_a_state_of_another_model_is_refused() -> None:
    state = train(small(), SHORT)
    with pytest.raises(CheckpointError, match="made for another flow"):
        Trainer(Integrator(CamelBack()), SHORT, state)


def test_a_state_without_averages_is_refused() -> None:
    state = train(small(), SHORT)
    stripped = {name: tensor for name, tensor in state.tensors.items() if not name.startswith("average.")}
    with pytest.raises(CheckpointError, match="running averages of 2 channels"):
        Trainer(small(), SHORT, TrainingState(state.step, stripped))


@pytest.mark.parametrize(("n_channels", "batch"), [(8, 1056), (15, 1745), (30, 3039), (105, 8279), (384, 10_000)])
def test_the_batch_grows_with_the_channels_as_in_table_a6(n_channels: int, batch: int) -> None:
    assert abs(PRESETS["paper"].batch(n_channels) - batch) <= 1


def test_the_learning_rate_decays_from_the_first_value_to_the_last() -> None:
    settings = TrainingSettings(steps=100, learning_rate=1e-2, final_learning_rate=1e-3)
    rates = [settings.learning_rate_at(step) for step in (0, 50, 100)]
    assert rates == pytest.approx([1e-2, 1e-2 / 5.5, 1e-3])


def test_presets_are_found_by_name() -> None:
    assert TrainingSettings.preset("standard") == TrainingSettings()
    assert [TrainingSettings.preset(name).steps for name in ("quick", "standard", "paper")] == [500, 3000, 88_000]
    with pytest.raises(InputError, match="expected one of quick, standard, paper; got 'fast'"):
        TrainingSettings.preset("fast")


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        TrainingSettings(stesp=100)  # type: ignore[call-arg]
