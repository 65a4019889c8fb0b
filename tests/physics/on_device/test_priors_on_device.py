"""Priors on a device, against those of the processor."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from drawn_events import process
from waiting import WITHOUT_VALUES, NoWaiting

from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.on_device.momenta_on_device import new_momenta
from madnis_py.physics.on_device.priors_on_device import PriorOnDevice, prior_on_device
from madnis_py.physics.phase_space.channel import Channel
from madnis_py.physics.phase_space.priors import PRIORS, ChosenPrior, prior_of

CPU = torch.device("cpu")
N = 500
PROCESSES = ("g g > t t~ g", "u d~ > w+ g g", "u u~ > e+ e-")
"""With momentum transfers and resonances."""


@cache
def channels(text: str) -> tuple[Channel, ...]:
    """Of one diagram each, but for the first, which has two and one propagator."""
    first, *others = process(text).channels
    return replace(first, diagrams=(1, 0), propagators=first.propagators[:1]), *others


def events(text: str, n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    """Momenta from all channels in turn, and |M_i|^2 made up."""
    random = np.random.default_rng(7)
    parts = [one.mapping.forward(random.random((n, one.mapping.dim)))[0] for one in channels(text)]
    p = as_momenta(np.stack([parts[k % len(parts)][k] for k in range(n)]))
    columns = 1 + max(column for one in channels(text) for column in one.diagrams)
    return torch.from_numpy(p), torch.from_numpy(random.random((columns, n)).T)


def on_device(name: ChosenPrior, text: str) -> PriorOnDevice:
    maps = MapsOnDevice([one.mapping for one in channels(text)], EmulatedKernels())
    return prior_on_device(prior_of(channels(text), name), maps, CPU)


@pytest.mark.parametrize("text", PROCESSES)
@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_has_the_channel_weights_of_the_processor(name: ChosenPrior, text: str) -> None:
    p, diagrams = events(text)
    expected = prior_of(channels(text), name)(p.numpy(), diagrams.numpy())
    found = on_device(name, text)(p, diagrams, LiveEvents.all(N, CPU))
    assert found.shape == expected.shape == (N, len(channels(text)))
    assert (found.stride(0), found.dtype) == (1, torch.float64)
    rtol = 1e-9 if name == "density" else 1e-13  # maps multiply rounding
    np.testing.assert_allclose(found.numpy(), expected, rtol=rtol)


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_of_no_event_has_no_row(name: ChosenPrior) -> None:
    text = PROCESSES[0]
    _, diagrams = events(text)
    found = on_device(name, text)(new_momenta(0, 5, CPU)[1], diagrams[:0], LiveEvents.all(0, CPU))
    assert found.shape == (0, len(channels(text)))


@pytest.mark.parametrize("name", PRIORS)
def test_the_host_does_not_wait_for_a_prior(name: ChosenPrior) -> None:
    text, device = PROCESSES[0], WITHOUT_VALUES.torch_device
    maps = MapsOnDevice([one.mapping for one in channels(text)], WITHOUT_VALUES.kernels)
    prior = prior_on_device(prior_of(channels(text), name), maps, device)
    diagrams = torch.empty(30, N, dtype=torch.float64, device=device).T
    with NoWaiting():
        found = prior(new_momenta(N, 5, device)[1], diagrams, LiveEvents.all(N, device))
    assert found.shape == (N, len(channels(text)))
