"""Figures of weights against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from toy_integrands import CamelBack

from madnis_py.errors import GenerationError, InputError
from madnis_py.integrator.integrator import Integrator


def test_weights_in_a_triangle_have_the_figures_of_a_triangle() -> None:
    metrics = Integrator(lambda x: x[:, 0], dim=1).metrics(400_000)
    assert metrics.relative_std == pytest.approx(math.sqrt(1 / 3), rel=0.01)
    assert metrics.kish == pytest.approx(3 / 4, rel=0.01)
    assert metrics.negative_share == pytest.approx(0, abs=1e-12)
    assert metrics.efficiency[0.0] == pytest.approx(1 / 2, rel=0.01)
    # above M lies (1 - M)^2 of the integral, so that a share s leaves M = 1 - sqrt(s)
    for share in (0.001, 0.01):
        assert metrics.efficiency[share] == pytest.approx(0.5 / (1 - math.sqrt(share)), rel=0.01)
        assert metrics.overweight_share[share] == pytest.approx(share, rel=0.2)
        assert 1 - share < metrics.event_kish[share] <= 1
    (channel,) = metrics.channels
    assert channel.share == 1
    assert (channel.kish, channel.relative_std) == (metrics.kish, metrics.relative_std)


def test_signs_are_counted() -> None:
    metrics = Integrator(lambda x: torch.where(x[:, 0] < 0.2, -1.0, 1.0), dim=1).metrics(20_000)
    assert metrics.negative_share == pytest.approx(0.2, abs=0.01)
    assert metrics.kish == pytest.approx(1.0)


def test_channels_have_figures_of_their_own() -> None:
    integrator = Integrator(CamelBack(), seed=1)
    metrics = integrator.metrics(100_000)
    assert sum(channel.share for channel in metrics.channels) == pytest.approx(1.0)
    for channel in metrics.channels:
        assert 0 < channel.kish < 1
        assert 0 < channel.efficiency[0.01] <= 1
    assert metrics.relative_std == pytest.approx(
        sum(abs(channel.share) * channel.relative_std for channel in metrics.channels)
    )


def test_metrics_can_be_read() -> None:
    metrics = Integrator(lambda x: x[:, 0], dim=1).metrics(1000, shares=[0, 0.01])
    assert list(metrics.efficiency) == [0, 0.01]
    assert "unweighting efficiency, largest weights as maxima" in repr(metrics)
    assert "unweighting efficiency, overweights 1.00%" in repr(metrics)
    assert "<td>std/mean</td>" in metrics._repr_html_()


def test_figures_of_nothing_are_refused() -> None:
    with pytest.raises(GenerationError, match="no point has a weight"):
        Integrator(lambda x: torch.zeros(len(x)), dim=1).metrics(100)
    with pytest.raises(InputError, match=r"expected a number in \[0, 1\); got 2"):
        Integrator(lambda x: x[:, 0], dim=1).metrics(100, shares=[2])
