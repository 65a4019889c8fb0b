"""Integrands of any size and kind of number: right, or refused in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from integrands import gaussian, gaussian_integral
from torch import Tensor

from madnis_py import vegas
from madnis_py.errors import IntegrandError
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.estimate import Moments, combine, unit_of
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import FunctionIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import train

SIZES = [1e-300, 1e-200, 1e-160, 1e160, 1e200, 1e300]


def integrate(function: Callable[[Tensor], Any]) -> Any:
    return ImportanceSampler(function, dim=2, seed=1).integrate(8000)


@pytest.mark.parametrize("size", SIZES)
def test_an_integrand_of_any_size_has_its_integral_error_and_chi2(size: float) -> None:
    ordinary, extreme = integrate(gaussian), integrate(lambda x: size * gaussian(x))
    assert abs(extreme.value / size - gaussian_integral(2)) < 5 * extreme.error / size
    for name in ("value", "error"):
        assert getattr(extreme, name) / size == pytest.approx(getattr(ordinary, name), rel=1e-9)
    assert extreme.chi2 == pytest.approx(ordinary.chi2, rel=1e-9)
    assert extreme.relative_std == pytest.approx(ordinary.relative_std, rel=1e-9)
    torch.testing.assert_close(
        extreme.channel_stds / size, ordinary.channel_stds, rtol=1e-9, atol=0
    )
    assert f"{extreme.value:.6g}" in str(extreme)
    assert f"{extreme.value:.6g}" in extreme.summary()


def test_a_power_of_two_changes_no_digit() -> None:
    ordinary, tiny = integrate(gaussian), integrate(lambda x: 2.0**-700 * gaussian(x))
    assert (tiny.value * 2.0**700, tiny.error * 2.0**700, tiny.chi2) == (
        ordinary.value,
        ordinary.error,
        ordinary.chi2,
    )


def test_ordinary_numbers_keep_their_unit() -> None:
    assert unit_of(0.0) == unit_of(1e-80, [1.0]) == unit_of(1e80) == 1.0
    assert 0.5 <= 1e-200 / unit_of(1e-200) < 1


def test_moments_of_different_units_merge() -> None:
    channel = torch.zeros(4, dtype=torch.int64)
    small, large = (
        torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64) * size for size in (1e-200, 1.0)
    )
    whole = Moments.of(channel, small, 1).merged(Moments.of(channel, large, 1)).estimate()
    direct = Moments.of(torch.cat([channel, channel]), torch.cat([small, large]), 1).estimate()
    assert whole.value == pytest.approx(direct.value)
    assert whole.error == pytest.approx(direct.error)
    one = Moments.of(channel, small, 1).estimate()
    assert combine([one, one]).error == pytest.approx(one.error / math.sqrt(2))
    assert one.moments.estimate().error == pytest.approx(one.error)


def scaled(factor: float, x: Tensor) -> Tensor:
    return factor * gaussian(x)


@pytest.mark.parametrize("size", [2.0**-700, 2.0**700])
def test_a_training_and_grids_know_no_size_either(size: float) -> None:
    results, states, last = [], [], []
    for factor in (1.0, size):
        integrand = FunctionIntegrand(partial(scaled, factor), 2)
        _, grids = train_vegas(integrand, VegasSettings(iterations=4, points=2000), seed=1)
        sampler = ImportanceSampler(
            integrand, SplineFlow(2, 1, FlowSettings(bins=4, units=8, seed=1)), seed=1
        )
        progress: list[StepProgress] = []
        states.append(train(sampler, TrainingSettings(steps=12, batch_size=200), progress.append))
        last.append(progress[-1])
        results.append((grids.value / factor, grids.error / factor, progress[-1].value / factor))
    assert results[0] == pytest.approx(results[1], rel=1e-9)
    assert last[0].relative_std == pytest.approx(last[1].relative_std, rel=1e-9)
    assert last[1].batch_error is not None
    assert last[0].batch_error == pytest.approx(last[1].batch_error / size, rel=1e-9)
    flows = [state.under("flow") for state in states]
    assert all(
        torch.allclose(tensor, flows[1][name], atol=1e-4) for name, tensor in flows[0].items()
    )


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.int32, torch.bool])
def test_other_real_numbers_are_taken_as_they_are(kind: torch.dtype) -> None:
    result = integrate(lambda x: (x[:, 0] > 0.25).to(kind))
    assert abs(result.value - 0.75) < 5 * result.error


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: x[:, 0] * 1j, "expected real numbers as value; got torch.complex128"),
        (lambda x: x[:, 0].numpy() * 1j, "expected real numbers as value; got torch.complex128"),
        (lambda x: None, "expected value as an array of numbers; got NoneType"),
        (
            lambda x: x[:, 0].numpy().astype(object),
            "expected value as an array of numbers; got object",
        ),
        (lambda x: x[1:, 0], r"expected value of shape \(.*,\); got"),
        (lambda x: x[:, :1], r"expected value of shape \(.*,\); got"),
        (lambda x: x[:, 0] / 0, r"value is inf in channel 0, event 0, x = "),
        (lambda x: x[:, 0] * math.nan, r"value is nan in channel 0, event 0, x = "),
    ],
)
def test_what_is_no_real_number_is_refused(
    function: Callable[[Tensor], Any], sentence: str
) -> None:
    with pytest.raises(IntegrandError, match=sentence):
        integrate(function)


def as_it_is(function: Any) -> Any:
    return function


@pytest.mark.parametrize("method", ["vegas", "auto", "flow"])
@pytest.mark.parametrize(
    ("wrap", "function"),
    [
        (vegas.lbatchintegrand, lambda x: x[:, 0] * 1j),
        (vegas.rbatchintegrand, lambda x: x[0] * 1j),
        (vegas.lbatchintegrand, lambda x: {"a": x[:, 0], "b": x[:, 1] * 1j}),
        (as_it_is, lambda x: {"a": x[0], "b": x[1] * 1j}),
    ],
)
def test_the_drop_in_refuses_complex_integrands(method: str, wrap: Any, function: Any) -> None:
    with pytest.raises(IntegrandError, match="integrand: expected real numbers; got complex ones"):
        vegas.Integrator([[0, 1]] * 2)(wrap(function), nitn=2, neval=500, method=method)


@pytest.mark.parametrize("method", ["vegas", "auto"])
@pytest.mark.parametrize("size", [1e-300, 1e-200])
def test_the_drop_in_refuses_integrals_whose_error_has_no_square(method: str, size: float) -> None:
    function = vegas.lbatchintegrand(lambda x: size * x[:, 0])
    with pytest.raises(
        IntegrandError,
        match=r"expected an integral of the size 1e-140 to 1e\+140, give it another unit",
    ):
        vegas.Integrator([[0, 1]] * 2)(function, nitn=2, neval=500, method=method)


def test_the_drop_in_refuses_infinite_integrands() -> None:
    function = vegas.lbatchintegrand(lambda x: np.where(x[:, 0] > 0.5, np.inf, 1.0))
    with pytest.raises(IntegrandError, match="expected finite numbers"):
        vegas.Integrator([[0, 1]] * 2)(function, nitn=2, neval=500)
