from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from madnis_py.integration.training import losses
from madnis_py.integration.training.losses import LossInput
from madnis_py.parallel.random_streams import torch_generator

COUNTS = torch.tensor([37, 0, 13])
CHANNEL = torch.arange(3).repeat_interleave(COUNTS)


def uniform(name: str, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(
        50, generator=torch_generator(3, name), dtype=torch.float64
    )


LOG_Q_SAMPLE = uniform("log q", -1.0, 1.0)
VALUE = uniform("value", -1.0, 2.0)
ALPHA = uniform("alpha", 0.1, 1.0)
LOG_Q = uniform("log q theta", -1.0, 1.0)


def points(
    log_q: Tensor = LOG_Q,
    alpha: Tensor = ALPHA,
    value: Tensor = VALUE,
    log_q_sample: Tensor = LOG_Q_SAMPLE,
) -> LossInput:
    """50 points of three channels, one of which is empty."""
    return LossInput(log_q, alpha, value, log_q_sample, CHANNEL, COUNTS)


def means(x: np.ndarray) -> np.ndarray:
    return np.array([x[:37].mean(), 0.0, x[37:].mean()])


def variance(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.variance(points(log_q, alpha))


def kullback_leibler(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.kullback_leibler(points(log_q, alpha))


def stratified(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.stratified(points(log_q, alpha))


def reverse_kullback_leibler(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.reverse_kullback_leibler(points(log_q, alpha))


def variance_softclip(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.variance_softclip(points(log_q, alpha))


def stratified_softclip(log_q: Tensor, alpha: Tensor) -> Tensor:
    return losses.stratified_softclip(points(log_q, alpha))


ALL = [
    variance,
    stratified,
    kullback_leibler,
    reverse_kullback_leibler,
    variance_softclip,
    stratified_softclip,
]
TRAIN_ALPHA = [variance, stratified, variance_softclip, stratified_softclip]
TRAIN_DENSITY_ONLY = [kullback_leibler, reverse_kullback_leibler]
N_GRID = 1000


def on_a_grid(name: str, q: Tensor, f: Tensor) -> float:
    """The loss of one channel on a grid of points that stands for the integral over [0, 1]."""
    live = f.nonzero().flatten()
    flat = torch.zeros(len(live), dtype=torch.float64)
    loss = losses.LOSSES[name](
        LossInput(
            log_q_theta=q[live].log(),
            alpha=torch.ones_like(flat),
            value=f[live],
            log_q_sample=flat,
            channel=torch.zeros_like(live),
            counts=torch.tensor([len(f)]),
        )
    )
    return float(loss)


def test_variance_is_equation_5_13() -> None:
    g, q, f, a = (array.numpy() for array in (LOG_Q.exp(), LOG_Q_SAMPLE.exp(), VALUE, ALPHA))
    terms = means(a**2 * f**2 / (g * q)) - means(a * f / q) ** 2
    assert float(variance(LOG_Q, ALPHA)) == pytest.approx(
        50 / 37 * terms[0] + 50 / 13 * terms[2], rel=1e-13
    )


def test_variance_at_the_sampling_density_is_n_times_the_squared_error() -> None:
    weight = (ALPHA * VALUE / LOG_Q_SAMPLE.exp()).numpy()
    expected = 50 * (weight[:37].var() / 37 + weight[37:].var() / 13)
    assert float(variance(LOG_Q_SAMPLE, ALPHA)) == pytest.approx(expected, rel=1e-13)


def test_stratified_is_equation_5_20_with_the_square() -> None:
    g, q, f, a = (array.numpy() for array in (LOG_Q.exp(), LOG_Q_SAMPLE.exp(), VALUE, ALPHA))
    terms = means(a**2 * f**2 / (g * q)) - means(a * f / q) ** 2
    assert terms[0] > 0
    assert terms[2] > 0
    assert float(stratified(LOG_Q, ALPHA)) == pytest.approx(
        (terms[0] ** 0.5 + terms[2] ** 0.5) ** 2, rel=1e-13
    )


def test_a_channel_whose_variance_comes_out_negative_counts_as_one_without() -> None:
    log_q = torch.where(CHANNEL == 0, LOG_Q + 10.0, LOG_Q).requires_grad_()
    loss = stratified(log_q, ALPHA)
    g, q, f, a = (
        array.detach().numpy() for array in (log_q.exp(), LOG_Q_SAMPLE.exp(), VALUE, ALPHA)
    )
    terms = means(a**2 * f**2 / (g * q)) - means(a * f / q) ** 2
    assert terms[0] < 0
    assert float(loss.detach()) == pytest.approx(terms[2], rel=1e-13)
    loss.backward()
    assert log_q.grad is not None
    assert (log_q.grad[CHANNEL == 0] == 0).all()
    assert log_q.grad.isfinite().all()


def test_at_the_best_allocation_variance_and_stratified_loss_agree() -> None:
    """Eq. (2.55): with counts in proportion to sigma_i the variance is the square of the sum."""
    weight = ALPHA * VALUE * torch.exp(-LOG_Q_SAMPLE)
    sigma = torch.stack(
        [weight[:37].std(correction=0), torch.tensor(0.0), weight[37:].std(correction=0)]
    )
    scale = torch.where(CHANNEL == 0, 37 / 13 * sigma[2] / sigma[0], 1.0)
    scaled = points(LOG_Q_SAMPLE, value=VALUE * scale)
    assert float(losses.variance(scaled)) == pytest.approx(
        float(losses.stratified(scaled)), rel=1e-12
    )


def test_softclip_compresses_only_weights_far_above_the_mean_of_their_channel() -> None:
    weight = torch.ones(50, dtype=torch.float64)
    weight[3] = -2000.0
    one_channel = replace(
        points(), channel=torch.zeros(50, dtype=torch.int64), counts=torch.tensor([50])
    )
    clipped = losses.softclip(weight, one_channel)
    unit = 30.0 * (2000.0 + 49.0) / 50
    assert float(clipped[3]) == pytest.approx(-unit * np.arcsinh(2000.0 / unit), rel=1e-13)
    assert torch.allclose(clipped[4:], weight[4:], rtol=1e-5)


def test_soft_clipped_losses_are_those_of_the_clipped_weights() -> None:
    weight = ALPHA * VALUE * torch.exp(-LOG_Q_SAMPLE)
    value = losses.softclip(weight, points()) * LOG_Q_SAMPLE.exp() / ALPHA
    clipped = points(value=value)
    assert float(variance_softclip(LOG_Q, ALPHA)) == pytest.approx(
        float(losses.variance(clipped)), rel=1e-12
    )
    assert float(stratified_softclip(LOG_Q, ALPHA)) == pytest.approx(
        float(losses.stratified(clipped)), rel=1e-12
    )


def test_an_outlier_weighs_less_in_the_soft_clipped_loss() -> None:
    value = VALUE.abs()
    value[5] *= 1e5
    outlier = points(value=value)
    assert losses.stratified_softclip(outlier) < 0.95 * losses.stratified(outlier)


def test_reverse_kullback_leibler_is_the_divergence_of_the_flow_weighted_with_the_shares() -> None:
    g, q, f, a = (array.numpy() for array in (LOG_Q.exp(), LOG_Q_SAMPLE.exp(), VALUE, ALPHA))
    size = np.abs(a * f)
    integrals = means(size / q)
    share = integrals / integrals.sum()
    log_p = np.log(size / integrals[CHANNEL.numpy()])
    expected = share @ means(g / q * (np.log(g) - log_p - 1.0))
    assert float(reverse_kullback_leibler(LOG_Q, ALPHA)) == pytest.approx(expected, rel=1e-13)


def test_kullback_leibler_is_the_weighted_cross_entropy() -> None:
    weight = np.abs((ALPHA * VALUE / LOG_Q_SAMPLE.exp()).numpy())
    expected = -means(weight * LOG_Q.numpy()).sum() / means(weight).sum()
    assert float(kullback_leibler(LOG_Q, ALPHA)) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("loss", ALL)
def test_gradient_in_the_density_is_that_of_finite_differences(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    assert torch.autograd.gradcheck(
        lambda log_q: loss(log_q, ALPHA), LOG_Q.clone().requires_grad_()
    )


@pytest.mark.parametrize("loss", [variance, stratified])
def test_gradient_in_alpha_is_that_of_finite_differences(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    assert torch.autograd.gradcheck(
        lambda alpha: loss(LOG_Q, alpha), ALPHA.clone().requires_grad_()
    )


@pytest.mark.parametrize("loss", TRAIN_DENSITY_ONLY)
def test_divergences_hold_alpha_constant(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    alpha = ALPHA.clone().requires_grad_()
    loss(LOG_Q.clone().requires_grad_(), alpha).backward()
    assert alpha.grad is None


@pytest.mark.parametrize("name", losses.LOSSES)
def test_the_unit_of_the_integrand_only_scales_the_loss(name: str) -> None:
    def loss(value: Tensor) -> float:
        return float(losses.LOSSES[name](points(value=value)))

    power = 0 if name in losses.DENSITY_LOSSES else 2
    assert loss(1e6 * VALUE) == pytest.approx(1e6**power * loss(VALUE), rel=1e-9)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_points_of_value_zero_may_be_left_out(name: str) -> None:
    loss = losses.LOSSES[name]
    value = VALUE * (VALUE > 0)
    live = value != 0
    assert 0 < live.sum() < 50
    without = LossInput(
        LOG_Q[live], ALPHA[live], value[live], LOG_Q_SAMPLE[live], CHANNEL[live], COUNTS
    )
    assert float(loss(without)) == pytest.approx(float(loss(points(value=value))))


@pytest.mark.parametrize("name", ["variance", "stratified", "kl", "rkl"])
@pytest.mark.parametrize("edge", [0.0, 0.3], ids=["everywhere positive", "zero below a cut"])
def test_the_loss_is_least_at_the_density_proportional_to_the_integrand(
    name: str, edge: float
) -> None:
    """Eq. (2.52): no normalised change of q lowers the loss.

    Shown on a grid of points that stands for the integral.
    """
    x = (torch.arange(N_GRID, dtype=torch.float64) + 0.5) / N_GRID
    f = (1.0 + x.square()) * (x > edge)
    best = torch.where(f > 0, f / f.mean(), 1e-12)
    wave = torch.sin(2 * torch.pi * (x - edge) / (1.0 - edge)) * (x > edge)
    least = on_a_grid(name, best, f)
    for eps in (-0.1, 0.1):
        changed = best + eps * wave
        assert float(changed.mean()) == pytest.approx(float(best.mean()), abs=1e-12)
        assert on_a_grid(name, changed, f) > least + 1e-6
    assert on_a_grid(name, torch.where(f > 0, 0.9 * best, 1.0), f) > least + 1e-6


def test_variance_and_stratified_loss_vanish_at_their_minimum() -> None:
    x = (torch.arange(N_GRID, dtype=torch.float64) + 0.5) / N_GRID
    f = 1.0 + x.square()
    assert on_a_grid("variance", f / f.mean(), f) == pytest.approx(0.0, abs=1e-12)
    assert on_a_grid("stratified", f / f.mean(), f) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", ["variance", "stratified"])
def test_for_a_sign_changing_integrand_the_best_density_follows_its_size(name: str) -> None:
    """The variance Int f^2 / q - I^2 is least at q = |f| / Int |f|: (Int |f|)^2 - I^2."""
    x = (torch.arange(N_GRID, dtype=torch.float64) + 0.5) / N_GRID
    f = torch.sin(2 * torch.pi * x) + 0.3
    best = f.abs() / f.abs().mean()
    least = float(f.abs().mean() ** 2 - f.mean() ** 2)
    assert on_a_grid(name, best, f) == pytest.approx(least, rel=1e-9)
    wave = torch.cos(6 * torch.pi * x) * best
    assert all(
        on_a_grid(name, best + eps * (wave - wave.mean() * best), f) > least for eps in (-0.1, 0.1)
    )


@pytest.mark.parametrize("loss", [losses.variance, losses.stratified])
def test_a_weight_of_zero_adds_nothing_however_small_the_density_that_is_trained(
    loss: losses.Loss,
) -> None:
    far = LOG_Q_SAMPLE.index_fill(0, torch.tensor([5]), 1100.0)
    log_q = LOG_Q.clone().requires_grad_()
    result = loss(points(log_q, log_q_sample=far))
    (gradient,) = torch.autograd.grad(result, log_q)
    without = VALUE.index_fill(0, torch.tensor([5]), 0.0)
    assert result.item() == loss(points(value=without)).item()
    assert gradient.isfinite().all()
    assert gradient[5] == 0
