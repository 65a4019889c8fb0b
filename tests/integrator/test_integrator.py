"""The integrator that users hold: new points at each call, boxes, densities, unweighted points."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from integrands import gaussian, gaussian_integral, ridge
from scipy import stats
from toy_integrands import CamelBack

import madnis_py as mn
from madnis_py.errors import GenerationError, InputError, IntegrandError
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation, FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integrator.integrator import Integrator

QUICK: dict[str, Any] = {"batch_size": 500, "learning_rate": 1e-2, "warmup_steps": 10}


def numpy_peak(x: Any) -> Any:
    """A peak of width 0.1 around the origin."""
    return np.exp(-50.0 * np.sum(x**2, axis=1))


def two_channels() -> Integrator:
    shares = FunctionIntegrand(
        gaussian, 2, n_channels=2, prior=lambda x: torch.stack([x[:, 0], 1 - x[:, 0]], dim=1)
    )
    return Integrator(shares, seed=3)


@pytest.fixture(scope="module")
def trained() -> Integrator:
    """Of a ridge in the square [-1, 1] x [0, 2]."""

    def wide_ridge(x: Any) -> Any:
        return np.exp(-((x[:, 0] - x[:, 1] + 1) ** 2) / (2 * 0.06**2))

    integrator = Integrator(wide_ridge, bounds=[(-1, 1), (0, 2)], seed=2)
    integrator.train(steps=80, **QUICK)
    return integrator


def same(one: Any, other: Any) -> bool:
    return bool((one == other).all())


# new points


def test_every_call_draws_new_points() -> None:
    integrator = Integrator(gaussian, dim=2)
    first, second = (integrator.integrate(4000) for _ in range(2))
    assert first.value != second.value
    assert abs(first.value - second.value) < 5 * math.hypot(first.error, second.error)
    x = [integrator.sample(10).x for _ in range(2)]
    assert not np.isin(x[0], x[1]).any()


def test_the_same_seed_gives_the_same_sequence() -> None:
    def sequence(seed: int) -> list[float]:
        integrator = Integrator(gaussian, dim=2, seed=seed)
        one, points, events = (
            integrator.integrate(2000),
            integrator.sample(5),
            integrator.unweight(5),
        )
        integrator.train(steps=2, batch_size=100)
        return [
            one.value,
            *points.weight.tolist(),
            *events.x.flatten().tolist(),
            integrator.metrics(100).kish,
            integrator.integrate(2000).value,
        ]

    assert sequence(1) == sequence(1)
    assert not set(sequence(1)) & set(sequence(2))


@pytest.mark.parametrize(
    "source",
    [
        lambda: 7,
        lambda: np.int64(7),
        lambda: np.random.default_rng(7),
        lambda: torch.Generator().manual_seed(7),
    ],
)
def test_a_seed_or_a_generator_decides_about_the_points_of_a_call(
    source: Callable[[], Any],
) -> None:
    used, fresh = Integrator(gaussian, dim=2, seed=1), Integrator(gaussian, dim=2, seed=2)
    used.integrate(100)
    assert same(used.sample(50, rng=source()).x, fresh.sample(50, rng=source()).x)
    generator = source()
    repeats = same(used.sample(50, rng=generator).x, used.sample(50, rng=generator).x)
    assert repeats == isinstance(generator, int | np.integer)


def test_executors_do_not_change_the_numbers() -> None:
    with ThreadPoolExecutor(2) as executor:
        threaded = Integrator(gaussian, dim=2, executor=executor).integrate(50_000)
    assert threaded.value == Integrator(gaussian, dim=2).integrate(50_000).value


def pulls_of_pairs(pairs: int) -> list[float]:
    """Differences of two integrals of one integrator in units of their error."""
    pulls = []
    for seed in range(pairs):
        integrator = Integrator(ridge, dim=2, seed=seed)
        one, other = (integrator.integrate(20_000) for _ in range(2))
        pulls.append((one.value - other.value) / math.hypot(one.error, other.error))
    return pulls


@pytest.mark.slow
def test_pairs_of_calls_differ_as_independent_integrals_do() -> None:
    assert stats.kstest(pulls_of_pairs(200), "norm").pvalue > 0.01


# what is integrated


def test_bounds_are_the_box_of_the_integral() -> None:
    integrator = Integrator(numpy_peak, bounds=[(-1, 1), (-2, 0.5)], seed=1)
    result = integrator.integrate(50_000)
    assert abs(result.value - math.pi / 50) < 5 * result.error
    points = integrator.sample(2000)
    assert -1 <= points.x[:, 0].min() < -0.9 < 0.9 < points.x[:, 0].max() <= 1
    assert -2 <= points.x[:, 1].min() < -1.9 < 0.4 < points.x[:, 1].max() <= 0.5
    np.testing.assert_allclose(points.value, numpy_peak(points.x))


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        ([(0, 1), (2, 2)], "lower < upper"),
        ([(0, math.inf)], "finite pair"),
        ([0, 1], r"got an array of shape \(2,\)"),
        ("ab", "got ab"),
        ([(0, 1e200)] * 3, "the volume of the box is inf"),
    ],
)
def test_bounds_that_are_no_box_are_refused(bounds: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Integrator(gaussian, bounds=bounds)


def test_dimension_and_bounds_have_to_agree() -> None:
    with pytest.raises(InputError, match="of which dim says 3; got 2"):
        Integrator(gaussian, dim=3, bounds=[(0, 1)] * 2)
    with pytest.raises(InputError, match="needs dim, the dimension of the unit cube, or bounds"):
        Integrator(gaussian)
    with pytest.raises(InputError, match="this integrand has the dimension 1"):
        Integrator(CamelBack(), bounds=[(0, 1)])


def test_an_integrand_of_numpy_gets_and_gives_arrays_of_numpy() -> None:
    integrator = Integrator(numpy_peak, dim=2)
    integrator.train(steps=2, batch_size=100)
    for points in (integrator.sample(10), integrator.unweight(10)):
        for name in ("x", "channel", "weight"):
            assert isinstance(getattr(points, name), np.ndarray)
    assert isinstance(integrator.log_prob(np.full((3, 2), 0.5)), np.ndarray)


def test_an_integrand_of_torch_gets_and_gives_tensors() -> None:
    integrator = Integrator(gaussian, dim=2)
    for points in (integrator.sample(10), integrator.unweight(10)):
        assert isinstance(points.x, torch.Tensor)
    assert isinstance(integrator.log_prob(torch.full((3, 2), 0.5)), torch.Tensor)


@pytest.mark.parametrize(
    ("function", "arrays"),
    [
        (lambda x: np.exp(-(x**2).sum(axis=1)), "numpy"),
        (lambda x: np.where(x[:, 0] > 0.5, 1.0, 0.0), "numpy"),
        (lambda x: x.astype(float)[:, 0], "numpy"),
        (lambda x: torch.cos(x).prod(dim=1), "torch"),
        (lambda x: x[:, 0] * 2, "torch"),
        (lambda x: np.exp(x.numpy())[:, 0], "torch"),
        (lambda x: None, "torch"),
    ],
)
def test_the_arrays_of_a_function_are_found_out(
    function: Callable[[Any], Any], arrays: str
) -> None:
    assert FunctionIntegrand(function, 2).arrays == arrays


def test_the_arrays_of_a_function_may_be_said_and_then_nothing_is_tried() -> None:
    seen = []

    def product(x: Any) -> Any:
        seen.append(x)
        return x[:, 0] * x[:, 1]

    integrator = Integrator(product, dim=2, arrays="numpy")
    assert seen == []
    assert isinstance(integrator.sample(10).x, np.ndarray)
    assert isinstance(seen[0], np.ndarray)


def test_a_function_that_fails_is_told_what_it_got() -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Integrator(lambda x: math.exp(-sum(x[d] ** 2 for d in range(3))), dim=3).integrate(100)
    (note,) = caught.value.__notes__
    assert note.startswith("The integrand got all points at once: x is a tensor of torch of shape")


@pytest.mark.parametrize("method", ["integrate", "sample", "unweight", "metrics"])
@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x[:, 0] * 1j, "expected real numbers as value; got torch.complex128"),
        (lambda x: np.exp(1j * x[:, 0]), "expected real numbers as value; got torch.complex128"),
        (lambda x: "text", "expected value as an array of numbers; got str"),
        (
            lambda x: 1.0,
            r"expected value of shape \(.*,\); got \(\), where a function takes all points",
        ),
    ],
)
def test_what_is_no_real_number_is_refused_everywhere(
    method: str, function: Callable[[Any], Any], sentence: str
) -> None:
    with pytest.raises(IntegrandError, match=sentence):
        getattr(Integrator(function, dim=1), method)(100)


class Mismeasured(CamelBack):
    """Returns complex numbers."""

    def evaluate(self, x: torch.Tensor, channel: torch.Tensor) -> Evaluation:
        found = super().evaluate(x, channel)
        return Evaluation(found.value * 1j, found.features, found.prior)


def test_complex_values_of_a_class_are_refused_too() -> None:
    with pytest.raises(IntegrandError, match=r"expected value as torch.float64"):
        Integrator(Mismeasured()).integrate(1000)


@pytest.mark.parametrize("size", [2.0**-664, 2.0**664])
def test_the_size_of_an_integrand_changes_no_digit_of_anything(size: float) -> None:
    def results(factor: float) -> list[float]:
        integrator = Integrator(lambda x: factor * gaussian(x), dim=2, seed=4)
        history = integrator.train(steps=4, batch_size=200)
        points, events = integrator.sample(50), integrator.unweight(50, scan=1000)
        metrics = integrator.metrics(2000)
        return [
            integrator.integrate(2000).value / factor,
            history.value[-1] / factor,
            *(points.weight / factor).tolist(),
            *events.x.flatten().tolist(),
            events.efficiency,
            metrics.kish,
            metrics.efficiency[0.001],
        ]

    assert results(size) == pytest.approx(results(1.0), rel=1e-9)


# points and densities


def test_the_mean_weight_of_points_is_the_integral_with_several_channels_too() -> None:
    for integrator, expected in (
        (two_channels(), gaussian_integral(2)),
        (Integrator(CamelBack(), seed=1), 1.0),
    ):
        weight = integrator.sample(40_000).weight
        error = float(weight.std()) / math.sqrt(len(weight))
        assert abs(float(weight.mean()) - expected) < 5 * error


def test_weights_are_value_over_density(trained: Integrator) -> None:
    points = trained.sample(500)
    np.testing.assert_allclose(points.weight, points.value / np.exp(points.log_prob), rtol=1e-9)
    np.testing.assert_allclose(trained.log_prob(points.x), points.log_prob, atol=1e-9)
    np.testing.assert_allclose(trained.log_prob(points.x, 0), points.log_prob, atol=1e-9)


def test_the_density_is_normalised_over_the_box_and_0_outside(trained: Integrator) -> None:
    edges = [np.linspace(-1, 1, 401), np.linspace(0, 2, 401)]
    centres = [(one[1:] + one[:-1]) / 2 for one in edges]
    x = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(trained.log_prob(x))
    assert density.max() > 2 * density.mean()
    assert density.sum() * (2 / 400) ** 2 == pytest.approx(1.0, rel=2e-3)
    assert trained.log_prob([[0.0, 2.1], [-1.1, 1.0], [math.nan, 1.0]]).tolist() == [-math.inf] * 3


def test_the_density_of_a_mixture_is_that_of_the_points_drawn() -> None:
    integrator = two_channels()
    integrator.train(steps=60, **QUICK)
    points = integrator.sample(40_000)
    grid = (torch.arange(100) + 0.5) / 100
    x = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), dim=-1).reshape(-1, 2)
    density = integrator.log_prob(x).exp().reshape(100, 100) / 100**2
    assert float(density.sum()) == pytest.approx(1.0, rel=1e-2)
    left = float(density[:40].sum())
    found = float((points.x[:, 0] < 0.4).double().mean())
    assert abs(found - left) < 5 * math.sqrt(left * (1 - left) / len(points)) + 1e-3
    own = [integrator.log_prob(x, channel).exp() for channel in range(2)]
    assert not torch.allclose(own[0], own[1])
    mixed = torch.where(x[:, 0] < 0.5, own[0], own[1])
    channel = (x[:, 0] >= 0.5).long()
    torch.testing.assert_close(integrator.log_prob(x, channel).exp(), mixed)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.zeros((3, 1)),), r"expected points of shape \(n, 2\); got \(3, 1\)"),
        ((np.zeros(2),), r"expected points of shape \(n, 2\); got \(2,\)"),
        ((np.zeros((3, 2)), 2), r"expected channels in 0 ... 1; got 2"),
        ((np.zeros((3, 2)), [0, 1]), "expected one channel, or 3; got"),
        ((np.zeros((3, 2)), 0.5), "expected one channel, or 3; got"),
    ],
)
def test_densities_are_refused_for_what_are_no_points(arguments: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        two_channels().log_prob(*arguments)


def test_channels_with_cubes_of_their_own_have_no_common_density() -> None:
    integrator = Integrator(CamelBack())
    with pytest.raises(InputError, match="expected the channel of the points, since each channel"):
        integrator.log_prob([[0.5]])
    assert integrator.log_prob([[0.5]], 1) == pytest.approx(0.0, abs=1e-6)


# unweighted points


def test_unweighted_points_follow_the_integrand(trained: Integrator) -> None:
    events = trained.unweight(5000)
    assert len(events) == 5000
    across = (events.x[:, 0] - events.x[:, 1] + 1) / 0.06
    assert stats.kstest(across, "norm").pvalue > 1e-3
    assert (events.weight >= 1).all()
    assert events.weight.mean() < 1.01
    assert 0 <= events.overweight_share < 0.01
    flat = Integrator(trained.integrand, seed=1).unweight(100)
    assert events.efficiency > 1.5 * flat.efficiency


def test_unweighted_points_of_several_channels_have_the_mean_of_the_integrand() -> None:
    integrator = Integrator(
        FunctionIntegrand(lambda x: x[:, 0] ** 2, 1, 2, lambda x: torch.cat([x, 1 - x], dim=1))
    )
    events = integrator.unweight(20_000, overweight_share=0)
    x = events.x[:, 0]
    assert set(events.channel.tolist()) == {0, 1}
    assert abs(float(x.mean()) - 0.75) < 5 * math.sqrt(3 / 80 / len(x))
    halves = x[:10_000].mean() - x[10_000:].mean()
    assert abs(float(halves)) < 5 * math.sqrt(3 / 80 / 5000)


def test_unweighted_points_carry_the_sign_of_the_integrand() -> None:
    events = Integrator(lambda x: torch.cos(math.pi * x[:, 0]), dim=1).unweight(3000)
    assert ((events.weight > 0) == (events.x[:, 0] < 0.5)).all()


class Cancelling(AbstractIntegrand):
    """Parts +1 and -0.4 everywhere."""

    dim, n_channels, n_features = 1, 1, 1

    def evaluate(self, x: torch.Tensor, channel: torch.Tensor) -> Evaluation:
        ones = torch.ones(len(x), dtype=torch.float64)
        return Evaluation(0.6 * ones, x, ones[:, None], magnitude=1.4 * ones)


def test_signs_are_drawn_where_parts_cancel() -> None:
    events = Integrator(Cancelling()).unweight(10_000)
    assert set(events.weight.tolist()) == {-1.0, 1.0}
    assert abs(float(events.weight.mean()) - 0.6 / 1.4) < 5 / math.sqrt(10_000)


def test_weights_above_the_maxima_are_kept() -> None:
    integrator = Integrator(lambda x: x[:, 0], dim=1)
    events = integrator.unweight(20_000, overweight_share=0.1)
    assert float(events.weight.max()) > 1.1
    assert events.overweight_share == pytest.approx(0.1, abs=0.01)
    mean = float((events.weight * events.x[:, 0]).sum() / events.weight.sum())
    assert abs(mean - 2 / 3) < 5 * 0.25 / math.sqrt(20_000)


def test_an_integrand_that_is_0_has_no_events() -> None:
    with pytest.raises(GenerationError, match="no point has a weight"):
        Integrator(lambda x: torch.zeros(len(x)), dim=1).unweight(10)


def test_an_integrand_that_vanishes_after_the_scan_does_not_go_on_for_ever() -> None:
    calls = []

    def fading(x: torch.Tensor) -> torch.Tensor:
        calls.append(x)
        return torch.full((len(x),), float(len(calls) == 1))

    integrator = Integrator(fading, dim=1, arrays="torch")
    with pytest.raises(GenerationError, match="expected a point in 1 trials, as in the scan; got"):
        integrator.unweight(10, scan=1000)


# training


def test_training_again_goes_on_from_there() -> None:
    integrator = Integrator(gaussian, dim=2, seed=1)
    spreads = [integrator.integrate(10_000).relative_std]
    for _ in range(2):
        integrator.train(steps=40, **QUICK)
        spreads.append(integrator.integrate(10_000).relative_std)
    assert spreads[0] > 1.5 * spreads[1]
    assert spreads[1] > spreads[2]
    assert integrator.steps == 80


def test_an_interrupted_training_leaves_its_last_step() -> None:
    integrator = Integrator(gaussian, dim=2)

    def stop(progress: StepProgress) -> None:
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        integrator.train(steps=10, batch_size=200, callback=stop)
    assert integrator.steps == 3
    assert integrator.integrate(1000).value != Integrator(gaussian, dim=2).integrate(1000).value


def test_the_progress_of_a_training_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Integrator(gaussian, dim=2).train(steps=20, batch_size=100, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert len(lines) == 10
    assert lines[-1].startswith("training 20/20, integral 0.0")
    assert "std/mean" in lines[-1]


def test_a_training_says_nothing_unless_it_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    Integrator(gaussian, dim=2).train(steps=2, batch_size=100)
    assert capsys.readouterr() == ("", "")


# what it looks like


def test_an_integrator_says_what_it_is() -> None:
    integrator = two_channels()
    assert repr(integrator) == (
        "Integrator(gaussian of 2 dimensions; 2 of 2 channels, ChannelWeights; "
        "SplineFlow of 15,800 parameters; untrained)"
    ).replace("15,800", f"{sum(p.numel() for p in integrator.flow.parameters()):,}")
    assert "<td>untrained</td>" in integrator._repr_html_()
    integrator.train(steps=2, batch_size=100)
    assert "2 steps" in repr(integrator)


def test_points_say_what_they_are() -> None:
    integrator = Integrator(lambda x: x[:, 0] * 0 + 3.0, dim=1)
    assert repr(integrator.sample(1e3)) == "WeightedPoints(1,000 points, mean weight 3)"
    assert repr(integrator.unweight(10)) == (
        "UnweightedPoints(10 points, efficiency 1, overweights 0)"
    )


def test_the_package_shows_at_most_ten_names() -> None:
    shown = [name for name in dir(mn) if not name.startswith("_")]
    assert len(shown) <= 10
    assert set(shown) <= set(mn.__all__)
    assert all(inspect.getdoc(getattr(mn, name)) for name in shown)


def test_every_public_name_imports() -> None:
    for name in mn.__all__:
        assert getattr(mn, name) is not None
    with pytest.raises(AttributeError, match=r"madnis_py.train is integrator.train\("):
        mn.train  # noqa: B018
