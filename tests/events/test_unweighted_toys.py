"""Events of a trained sampler against the exact density, seed after seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from toy_integrands import CamelBack

from madnis_py.arrays import Array
from madnis_py.events.channel_maxima import channel_maxima
from madnis_py.events.overweights import ENCODINGS
from madnis_py.events.unweighting import Unweighter
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import train
from madnis_py.parallel.random_streams import stream

TRAINING = TrainingSettings(steps=60, batch_size=500, learning_rate=1e-2, warmup_steps=10)
BINS = 25


def events(toy: CamelBack, seed: int, share: float) -> tuple[Array, Array]:
    """Points of the real line and weights of the events of 30 000 trials."""
    sampler = ImportanceSampler(toy, seed=seed)
    train(sampler, TRAINING)
    scan = sampler.sample(torch.tensor([50_000, 50_000]), "scan")
    unweighter = Unweighter(channel_maxima(scan, 2, share))
    samples = sampler.sample(unweighter.trials(30_000, stream(seed, "channels")), "events")
    accepted = unweighter.accept(samples, stream(seed, "accept").uniform(30_000))
    return samples.features[accepted.index, 0].numpy(), ENCODINGS["keep"].weight(accepted.ratio)


def cumulative(toy: CamelBack, p: Array) -> Array:
    """Share of the integral below p."""
    peaks = list(zip(toy.mean.tolist(), toy.width.tolist(), toy.area.tolist(), strict=True))

    def below(point: Array | float) -> Array:
        return np.asarray(
            sum(area * stats.norm.cdf(point, mean, width) for mean, width, area in peaks)
        )

    start = below(toy.cut) if math.isfinite(toy.cut) else 0.0
    return np.asarray((below(p) - start) / (1.0 - start))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "toy", [CamelBack(), CamelBack(cut=2.5)], ids=["camel back", "cut camel back"]
)
def test_unit_weight_events_have_the_exact_density(toy: CamelBack, seed: int) -> None:
    p, weight = events(toy, seed, share=0.0)
    unit = weight == 1.0
    assert unit.mean() > 0.999
    assert len(p) > 2000
    assert stats.kstest(p[unit], lambda x: cumulative(toy, x)).pvalue > 1e-3


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "toy", [CamelBack(), CamelBack(cut=2.5)], ids=["camel back", "cut camel back"]
)
def test_events_with_overweights_fill_the_bins_of_the_exact_density(
    toy: CamelBack, seed: int
) -> None:
    p, weight = events(toy, seed, share=0.01)
    assert weight.max() > 1.0
    place = np.digitize(cumulative(toy, p), np.linspace(0.0, 1.0, BINS + 1)[1:-1])
    content = np.bincount(place, weight, minlength=BINS)
    variance = np.bincount(place, weight**2, minlength=BINS)
    chi2 = ((content - weight.sum() / BINS) ** 2 / variance).sum()
    assert stats.chi2.sf(chi2, BINS - 1) > 1e-3
