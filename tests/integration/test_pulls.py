"""Whether errors are what they say, over many seeds and with a training in between."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from integrands import Mirrored, ridge
from toy_integrands import CamelBack

from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, FunctionIntegrand
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import train

WIDTH = 0.03
RIDGE = math.sqrt(2 * math.pi) * WIDTH * math.erf(1 / (WIDTH * math.sqrt(2))) - 2 * WIDTH**2 * (
    1 - math.exp(-0.5 / WIDTH**2)
)
"""Int_0^1 2 (1 - u) exp(-u^2 / 2 s^2) du, the integral of `ridge`."""

TRAINING = TrainingSettings(
    steps=30, batch_size=300, learning_rate=1e-2, warmup_steps=5, buffer="partial", buffer_size=8
)


def pull(integrand: AbstractIntegrand, truth: float, seed: int) -> float:
    """(estimate - truth) / error after a short training."""
    flow = SplineFlow(
        integrand.dim,
        integrand.n_channels,
        FlowSettings(bins=6, units=16, seed=seed),
        integrand.groups,
    )
    sampler = ImportanceSampler(integrand, flow, seed=seed)
    state = train(sampler, TRAINING)
    result = sampler.integrate(20_000, iterations=5, sigma=state.sigma)
    return (result.value - truth) / result.error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("integrand", "truth"),
    [(CamelBack(), 1.0), (Mirrored(), Mirrored.integral), (FunctionIntegrand(ridge, dim=2), RIDGE)],
    ids=["camel back", "mirrored", "ridge"],
)
def test_pulls_of_the_integral_are_normal_over_four_hundred_seeds(
    integrand: AbstractIntegrand, truth: float, record_property: Callable[[str, object], None]
) -> None:
    pulls = torch.tensor([pull(integrand, truth, seed) for seed in range(400)])
    mean, width = float(pulls.mean()), float(pulls.std())
    record_property("pulls", {"mean": mean, "width": width})
    assert abs(mean) < 0.2
    assert 0.9 < width < 1.1
