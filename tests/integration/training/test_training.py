"""What trainings reach, and their steps."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
import torch
from integrands import Mirrored, Spoiled, gaussian, gaussian_integral
from scipy import integrate
from short_trainings import EVERYTHING, SHORT, small
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.errors import InputError, IntegrandError, MadnisError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.block_sampler import BlockSampler
from madnis_py.integration.channel_weights import ChannelWeights, ChannelWeightSettings
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import Evaluation, FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training.buffer import Batch
from madnis_py.integration.training.losses import DENSITY_LOSSES, LOSSES
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer, train
from madnis_py.parallel.pickled_once import PickledOnce


def weights_only(cut: float = -math.inf) -> ImportanceSampler:
    """The set-up of Tab. 5.1 of the MadNIS thesis: fixed maps, flat prior, trained weights."""
    return ImportanceSampler(
        CamelBack(cut=cut),
        VegasFlow.uniform(1, 2, 1),
        ChannelWeights(1, 2, ChannelWeightSettings(layers=4, units=32)),
    )


def flat_error(sampler: ImportanceSampler) -> float:
    """Relative error of 5000 + 5000 points."""
    result = sampler.moments(torch.tensor([100_000, 100_000]), "test").estimate()
    return result.error * math.sqrt(20) / result.value


def best_error(sampler: ImportanceSampler) -> float:
    """Relative error of 10000 points spread in proportion to sigma_i."""
    return sampler.moments(torch.tensor([100_000, 100_000]), "test").estimate().relative_std / 100


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


def test_quadrature_reproduces_the_optimal_row_of_table_5_1() -> None:
    assert exact_flat_error(CamelBack(optimal_prior=True)) == pytest.approx(0.00773, abs=5e-6)
    assert exact_flat_error(CamelBack(optimal_prior=True, cut=2.5)) == pytest.approx(
        0.01018, abs=5e-6
    )


def test_untrained_weights_have_the_error_that_quadrature_gives() -> None:
    sampler = ImportanceSampler(CamelBack(optimal_prior=True), VegasFlow.uniform(1, 2, 1))
    assert flat_error(sampler) == pytest.approx(
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
    sampler = weights_only(cut)
    assert error(sampler) > 5 * floor
    settings = TrainingSettings(
        steps=300, batch_size=1000, learning_rate=1e-2, loss=loss, uniform_fraction=1.0
    )
    train(sampler, settings)
    assert floor * 0.99 < error(sampler) < floor * 1.03


@pytest.mark.parametrize("loss", list(LOSSES))
def test_training_the_flow_lowers_the_variance_and_keeps_the_integral(loss: str) -> None:
    sampler = ImportanceSampler(gaussian, dim=2)
    before = sampler.integrate(20_000).relative_std
    train(sampler, TrainingSettings(steps=60, loss=loss, learning_rate=1e-2))
    result = sampler.integrate(20_000)
    assert abs(result.value - gaussian_integral(2)) < 5 * result.error
    assert result.relative_std < 0.2 * before


def test_training_knows_no_scale_of_the_integrand() -> None:
    ordinary, tiny = (
        small(FunctionIntegrand(function, dim=2))
        for function in (gaussian, lambda x: 2.0**-60 * gaussian(x))
    )
    states = [train(sampler, SHORT) for sampler in (ordinary, tiny)]
    assert all(
        torch.equal(t, states[1].tensors[n])
        for n, t in states[0].tensors.items()
        if n.startswith("flow.")
    )


@pytest.mark.parametrize("loss", ["variance", "stratified"])
def test_training_lowers_the_variance_of_a_sign_changing_integrand_to_its_floor(loss: str) -> None:
    """No density does better than |f| / Int |f|, with sigma^2 = (Int |f|)^2 - I^2."""
    integrand = FunctionIntegrand(lambda x: torch.sin(2 * torch.pi * x[:, 0]) + 0.5, dim=2)
    sampler = ImportanceSampler(integrand, SplineFlow(2, 1, FlowSettings(bins=8, units=16)), seed=2)
    size = integrate.quad(
        lambda x: abs(math.sin(2 * math.pi * x) + 0.5), 0, 1, points=[7 / 12, 11 / 12]
    )[0]
    floor = math.sqrt(size**2 - 0.25)
    before = sampler.integrate(20_000)
    train(sampler, TrainingSettings(steps=100, batch_size=500, loss=loss, learning_rate=1e-2))
    after = sampler.integrate(20_000)
    assert abs(after.value - 0.5) < 5 * after.error
    assert floor < float(after.channel_stds[0]) * 1.01
    assert float(after.channel_stds[0]) - floor < 0.5 * (float(before.channel_stds[0]) - floor)


def test_an_integrand_that_is_zero_teaches_nothing() -> None:
    sampler = small(FunctionIntegrand(lambda x: torch.zeros(len(x)), dim=2, n_channels=2))
    before = Trainer(sampler, SHORT).state
    after = train(sampler, SHORT)
    assert all(torch.equal(tensor, after.tensors[name]) for name, tensor in before.tensors.items())


def test_progress_tells_the_integral_so_far() -> None:
    seen: list[StepProgress] = []
    train(
        ImportanceSampler(CamelBack(optimal_prior=True), seed=1),
        TrainingSettings(steps=30),
        seen.append,
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

    trainer.sampler.flow.log_prob_of_sample = poisoned  # type: ignore[method-assign]
    with pytest.raises(MadnisError, match=r"loss is inf at step 1, largest weight .* in channel 0"):
        trainer.step()
    assert trainer.state.step == 1


def test_a_gradient_that_is_not_finite_names_step_and_channel() -> None:
    trainer = Trainer(small(FunctionIntegrand(gaussian, dim=2)), SHORT)
    next(trainer.sampler.flow.parameters()).register_hook(lambda gradient: gradient * math.nan)
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
    sampler = ImportanceSampler(gaussian, VegasFlow.uniform(2, 1, 4), dim=2)
    with pytest.raises(InputError, match="nothing to train"):
        train(sampler, SHORT)


@pytest.mark.parametrize("loss", sorted(DENSITY_LOSSES))
def test_a_divergence_needs_a_trainable_flow(loss: str) -> None:
    with pytest.raises(InputError, match=f"nothing to train with the loss '{loss}'"):
        train(weights_only(), TrainingSettings(steps=1, loss=loss))


def test_a_batch_too_small_for_the_channels_is_refused() -> None:
    with pytest.raises(InputError, match="2 channels of 2 points need 4; got 3"):
        train(small(), TrainingSettings(batch_size=3))


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
        ImportanceSampler(gaussian, dim=2, seed=1), TrainingSettings(steps=40, learning_rate=1e-2)
    )
    old = trainer.sampler.sample(torch.tensor([100_000]), "old")
    trainer.run()
    new = trainer.sampler.sample(torch.tensor([100_000]), "new")
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
        sampler = ImportanceSampler(gaussian, dim=2, seed=1)
        train(sampler, settings.model_copy(update={"buffer_size": 10, **choice}))
        results.append(sampler.integrate(20_000))
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
            model = averaged.sampler.flow.state_dict()
            assert all(
                torch.equal(tensor, model[name])
                for name, tensor in plain.state.under("flow").items()
            )
    for prefix, module in (
        ("flow", averaged.sampler.flow),
        ("weights", averaged.sampler.weights),
    ):
        for name, parameter in module.named_parameters():
            assert torch.allclose(parameter, mean[f"{prefix}.{name}"], rtol=1e-5, atol=1e-8)


def test_a_sampler_in_training_travels_light() -> None:
    trainer = Trainer(small(), SHORT)
    trainer.step()
    sampler = trainer.sampler
    size = sum(p.nbytes for model in (sampler.flow, sampler.weights) for p in model.parameters())
    blocks = BlockSampler(
        PickledOnce(sampler.integrand),
        sampler.flow,
        sampler.weights,
        sampler.active,
        sampler.seed,
    )
    assert len(pickle.dumps(blocks)) < size + 50_000


def test_progress_tells_the_reuse_and_the_active_channels() -> None:
    seen: list[StepProgress] = []
    train(small(Mirrored()), EVERYTHING, seen.append)
    assert seen[0].active_channels == 3
    assert seen[-1].active_channels == 1
    assert seen[-1].reuse is not None
    assert seen[-1].reuse.draws + seen[-1].reuse.replays == 40
    assert "R = " in str(seen[-1].reuse)
