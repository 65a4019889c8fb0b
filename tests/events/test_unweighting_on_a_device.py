"""Hit or miss in the kernels of a device, against that of the processor."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from drawn_events import process

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import GenerationError
from madnis_py.events.chunk_generation import ChunkMaker
from madnis_py.events.unweighting import Unweighter
from madnis_py.events.unweighting_on_device import UnweighterOnDevice
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler

MAXIMA = np.array([0.7, 0.0, 3.0])


def trials(n: int) -> Samples:
    """Trials of both signs, some without weight, some above the maxima, some of several parts."""
    random = np.random.default_rng(8)
    channel = torch.from_numpy(np.sort(random.choice([0, 2], n)))
    weight = torch.from_numpy(random.lognormal(-1, 1, n) * random.choice([-1.0, 0.0, 1.0, 1.0], n))
    parts = torch.from_numpy(random.choice([1.0, 1.0, 1.5], n))
    empty = torch.zeros(n, 0, dtype=torch.float64)
    return Samples(channel, empty, weight, weight, empty, empty, weight, weight.abs() * parts)


@pytest.mark.parametrize("n", [0, 1, 127, 16_384, 40_000])
def test_a_device_accepts_the_trials_of_the_processor_bit_by_bit(n: int) -> None:
    samples, uniform = trials(n), stream(1, "accept").uniform(n)
    unweighter = Unweighter(MAXIMA)
    expected = unweighter.accept(samples, uniform)
    found = UnweighterOnDevice(unweighter, EmulatedKernels()).accept(samples, uniform)
    assert torch.equal(found.index, expected.index)
    np.testing.assert_array_equal(found.ratio, expected.ratio)
    np.testing.assert_array_equal(found.uniform, expected.uniform)
    np.testing.assert_allclose(astuple(found.tally), astuple(expected.tally), rtol=1e-13)
    assert n < 127 or (found.ratio < 0).any()
    assert n < 127 or (found.ratio > 1).any()


def test_a_size_that_equals_its_random_number_is_a_miss() -> None:
    samples = replace(trials(4), channel=torch.zeros(4, dtype=torch.int64))
    sizes = samples.magnitude / MAXIMA[0]
    for uniform, hits in ((sizes, []), (torch.nextafter(sizes, -torch.ones(4).double()), None)):
        accepted = UnweighterOnDevice(Unweighter(MAXIMA), EmulatedKernels()).accept(
            samples, uniform
        )
        assert accepted.index.tolist() == (list(range(4)) if hits is None else hits)


def test_a_weight_in_a_channel_without_maximum_is_told_as_on_the_processor() -> None:
    samples = trials(100)
    samples = replace(samples, channel=torch.where(samples.channel == 0, 1, samples.channel))
    unweighter, uniform = Unweighter(MAXIMA), torch.full((100,), 0.5, dtype=torch.float64)
    with pytest.raises(GenerationError) as expected:
        unweighter.accept(samples, uniform)
    with pytest.raises(GenerationError) as found:
        UnweighterOnDevice(unweighter, EmulatedKernels()).accept(samples, uniform)
    assert str(found.value) == str(expected.value)
    none = replace(samples, weight=samples.weight * 0, magnitude=samples.magnitude * 0)
    assert len(UnweighterOnDevice(unweighter, EmulatedKernels()).accept(none, uniform).index) == 0


def test_chunks_of_events_are_the_same_where_a_device_decides() -> None:
    one = CrossSection(process("u u~ > t t~"))
    flow = VegasFlow.uniform(one.dim, one.n_channels, 8)
    maxima = np.full(one.n_channels, 1e3)
    here, there = (
        ChunkMaker(
            ImportanceSampler(one, flow, device=device), PartonicEventSampler(one), maxima, seed=3
        )(0)
        for device in (None, "emulated")
    )
    assert len(here.events) > 100
    np.testing.assert_array_equal(there.uniform, here.uniform)
    np.testing.assert_allclose(astuple(there.tally), astuple(here.tally), rtol=1e-13)
    for name, column in here.events.columns().items():
        np.testing.assert_array_equal(there.events.columns()[name], column)
