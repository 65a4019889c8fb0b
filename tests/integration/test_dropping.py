from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from integrands import ManyPeaks
from torch import Tensor
from toy_integrands import CamelBack

from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.dropping import remaining_channels, restricted
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.symmetry import ChannelGroups
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer

DROPPING = TrainingSettings(
    steps=12,
    batch_size=480,
    warmup_steps=2,
    dropping_interval=4,
    buffer="partial",
    buffer_size=6,
    buffer_fraction=0.5,
    buffer_weights=4,
)


def doubles(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def left(size: Tensor, cutoff: float, groups: tuple[int, ...] | None = None) -> list[bool]:
    kept: list[bool] = remaining_channels(size, cutoff, ChannelGroups(groups, len(size))).tolist()
    return kept


def test_channels_are_dropped_from_the_smallest_until_their_sum_reaches_the_cutoff() -> None:
    assert left(doubles(4.0, 5e1, 3.0, 8e2, 1.0, 1e2), 0.0041) == [
        True,
        True,
        True,
        True,
        False,
        True,
    ]
    assert left(doubles(4.0, 5e1, 3.0, 8e2, 1.0, 1e2), 0.0042) == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert left(doubles(4.0, 5e1, 3.0, 8e2, 1.0, 1e2), 0.0085) == [
        False,
        True,
        False,
        True,
        False,
        True,
    ]


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=50), st.floats(0, 0.999))
def test_what_is_dropped_is_less_than_the_cutoff(sizes: list[float], cutoff: float) -> None:
    size = doubles(*sizes)
    kept = remaining_channels(size, cutoff, ChannelGroups(None, len(size)))
    assert kept.any()
    assert float(size[~kept].sum()) <= cutoff * float(size.sum())


def test_a_cutoff_of_zero_keeps_every_channel() -> None:
    assert left(doubles(1.0, 0.0, 1e-300), 0.0) == [True, True, True]


def test_symmetry_groups_stay_or_go_as_a_whole() -> None:
    assert left(doubles(1.0, 1e-5, 1e-4, 1e-9), 1e-3, (0, 1, 0, 1)) == [True, False, True, False]


def test_the_prior_of_dropped_channels_is_zero_and_points_of_them_alone_are_shared() -> None:
    prior = doubles(3.0, 1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0).view(3, 3)
    expected = [[0.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    assert restricted(prior, torch.tensor([False, True, True])).tolist() == expected


def test_with_every_channel_active_the_prior_is_what_it_was() -> None:
    prior = doubles(3.0, 1.0).view(1, 2)
    assert restricted(prior, torch.tensor([True, True])) is prior


@pytest.mark.parametrize("dropped", [0, 1])
def test_a_channel_that_is_given_up_leaves_the_whole_integral_to_the_other(dropped: int) -> None:
    sampler = ImportanceSampler(CamelBack(), VegasFlow.uniform(1, 2, 1), PriorWeights())
    sampler.active = torch.arange(2) != dropped
    result = sampler.integrate(400_000)
    assert result.channel_counts[dropped] == 0
    assert result.value == pytest.approx(1.0, abs=5 * result.error)
    assert result.error < 0.1


def trained(seed: int, settings: TrainingSettings = DROPPING) -> Trainer:
    flow = SplineFlow(10, 16, FlowSettings(bins=4, units=8, layers=2, blocks=2, seed=seed))
    trainer = Trainer(ImportanceSampler(ManyPeaks(), flow, seed=seed), settings)
    trainer.run()
    return trainer


def test_training_drops_the_eight_channels_that_hardly_count() -> None:
    trainer = trained(1)
    assert trainer.state.active.tolist() == [True] * 8 + [False] * 8
    assert trainer.sampler.active.tolist() == [True] * 8 + [False] * 8
    assert (trainer.state.sigma[8:] == 0).all()


def test_the_buffer_is_purged_of_dropped_channels_and_holds_m_weights_per_point() -> None:
    for batch in trained(1).state.buffer.batches:
        assert (batch.channel < 8).all()
        assert batch.counts[8:].sum() == 0
        assert batch.prior.shape[1] == 4


def test_the_memory_of_the_buffer_is_that_of_m_weights_per_point() -> None:
    buffer = trained(1).state.buffer
    points = sum(len(batch.channel) for batch in buffer.batches)
    assert points == 6 * 480 - sum(480 - int(batch.counts.sum()) for batch in buffer.batches)
    assert buffer.memory == points * (18 + 8 * 10 + 4 * 10 + 6 * 4) + 6 * 8 * 16


def test_dropped_channels_get_no_more_points() -> None:
    trainer = trained(1, DROPPING.model_copy(update={"buffer": "none"}))
    counts = trainer._allocate(drawn=100)
    assert counts[8:].sum() == 0
    assert counts.sum() == 480


@pytest.mark.parametrize("seeds", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_dropping_leaves_the_integral_unbiased(
    seeds: int, record_property: Callable[[str, object], None]
) -> None:
    """A pull is (estimate - truth) / error.

    Each lies within 3, their mean within 5 / sqrt(seeds).
    """
    truth = ManyPeaks().integral
    pulls = []
    for seed in range(seeds):
        trainer = trained(seed)
        assert trainer.state.active.tolist() == [True] * 8 + [False] * 8
        result = trainer.sampler.integrate(10_000, sigma=trainer.state.sigma)
        pulls.append((result.value - truth) / result.error)
    record_property("pulls", [round(pull, 2) for pull in pulls])
    assert max(map(abs, pulls)) < 3
    assert abs(sum(pulls) / seeds) < 5 / math.sqrt(seeds)
