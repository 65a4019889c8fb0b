"""Maps of phase space in the kernels of a device, against those of the processor."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from channels import ASYMMETRIC, HADRONS, PARTONS, POLES, Case, cases
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.errors import InputError
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.phase_space.channel import Channel
from madnis_py.physics.phase_space.colliding_beams import CollidingBeam, CollidingBeams
from madnis_py.physics.phase_space.invariants import BreitWigner, Flat, Massless
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.on_shell_mapping import OnShellMapping
from madnis_py.physics.phase_space.priors import DensityPrior
from madnis_py.physics.phase_space.s_channel import SChannelMapping
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.phase_space.topology_mapping import diagram_mapping, flat_mapping


def s_channels(*invariants: BreitWigner | Massless | Flat, **options: bool) -> list[ChannelMapping]:
    return [
        SChannelMapping((6500.0, 4000.0), (0.0, 30.0), one, 50.0**2, **options)
        for one in invariants
    ]


def processes(table: Sequence[Case]) -> list[ChannelMapping]:
    return [case.mapping() for case in table]


def of_ten_gluons() -> list[ChannelMapping]:
    """Nine and ten final particles: in a row along the line between the partons, and decaying."""
    legs = [Cluster(1 << leg, 21) for leg in range(2, 12)]
    along = Topology(tuple(legs), (21,) * 9)
    pairs = tuple(
        Cluster(a.legs | b.legs, 21, (a, b)) for a, b in zip(legs[::2], legs[1::2], strict=True)
    )
    limits = MassLimits((0.0,) * 12, [Cut("pt", (leg,), 20.0, math.inf) for leg in range(2, 12)])
    return [
        flat_mapping(limits, HADRONS),
        diagram_mapping(along, limits, POLES, HADRONS),
        diagram_mapping(Topology(pairs, (21,) * 4), limits, POLES, HADRONS),
    ]


FAMILIES: dict[str, Callable[[], list[ChannelMapping]]] = {
    "resonances": lambda: processes(cases("g g > w+ d u~ g", HADRONS)),
    "partons": lambda: processes(cases("g g > t t~ g", PARTONS)),
    "asymmetric": lambda: processes(cases("u u~ > e+ e- g", ASYMMETRIC)),
    "massless": lambda: processes(cases("g g > g g g", HADRONS)),
    "heavy partons": lambda: processes(
        cases("t t~ > g g g", CollidingBeams.partons((200.0, 300.0), (173.0, 173.0)))
    ),
    "a heavy parton and a hadron": lambda: processes(
        cases(
            "t u > t u g",
            CollidingBeams(CollidingBeam(300.0, "whole", 173.0), CollidingBeam(920.0, "smooth")),
        )
    ),
    "flat": lambda: [flat_mapping(MassLimits((0.0, 0.0, 173.0, 173.0, 0.0, 0.0), ()), HADRONS)],
    "eight legs": lambda: [flat_mapping(MassLimits((0.0,) * 8, ()), HADRONS)],
    "nine legs": lambda: [flat_mapping(MassLimits((0.0,) * 9, ()), HADRONS)],
    "ten gluons": of_ten_gluons,
    "sixteen legs": lambda: [flat_mapping(MassLimits((0.0,) * 16, ()), PARTONS)],
    "s channels": lambda: s_channels(
        BreitWigner(91.188, 2.4952), Massless(1.0), Massless(2.0), Massless(0.3), Flat()
    ),
    "s channel of partons": lambda: s_channels(Flat(), partonic=True),
    "on shell": lambda: [OnShellMapping((6500.0, 4000.0), 91.188)],
}
SIZES = [0, 1, 127, 128, 300]


@pytest.fixture
def kernels() -> EmulatedKernels:
    return EmulatedKernels()


@pytest.fixture(params=FAMILIES)
def mappings(request: pytest.FixtureRequest) -> list[ChannelMapping]:
    return FAMILIES[request.param]()


Channels = NDArray[np.int64]


def points(mappings: Sequence[ChannelMapping], n: int) -> tuple[Array, Channels]:
    """Points and channels, not sorted."""
    rng = np.random.default_rng(n)
    return rng.random((n, mappings[0].dim)), rng.integers(len(mappings), size=n)


def by_channel(
    use: Callable[[ChannelMapping, Array], tuple[Array, Array]],
    mappings: Sequence[ChannelMapping],
    values: Array,
    channel: Channels,
) -> tuple[Array, Array]:
    """What the maps of the processor give, each for the events of its channel, in C order."""
    parts = [use(one, values[channel == number]) for number, one in enumerate(mappings)]
    order = np.argsort(np.concatenate([np.flatnonzero(channel == k) for k in range(len(mappings))]))
    first, second = (np.concatenate(part)[order] for part in zip(*parts, strict=True))
    return first, second


def event_fastest(p: Array) -> Array:
    return np.ascontiguousarray(p.transpose(1, 2, 0)).transpose(2, 0, 1)


def forward(mapping: ChannelMapping, x: Array) -> tuple[Array, Array]:
    return mapping.forward(np.ascontiguousarray(x))


def inverse(mapping: ChannelMapping, p: Array) -> tuple[Array, Array]:
    return mapping.inverse(event_fastest(p))


def sensitivity(use: Callable[[Array], tuple[Array, Array]], values: Array) -> tuple[Array, Array]:
    """By how much results change with one unit in the last place of any number of an event.

    The unit is that of the largest number: a map has sums of all of them.
    """
    base = use(values)
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    unit = np.spacing(np.abs(flat).max(axis=1))
    change = [np.zeros_like(one) for one in base]
    for k, sign in product(range(flat.shape[1]), (-1, 1)):
        moved = flat.copy()
        moved[:, k] += sign * unit
        for total, one, there in zip(change, use(moved.reshape(values.shape)), base, strict=True):
            total += np.abs(one - there)
    return change[0], change[1]


def agree(found: Array, expected: Array, change: Array, scale: Array) -> bool:
    """Whether results agree to 1e-13 of their scale, or as well as the map determines them.

    95 % do so to what a unit in the last place makes, all to what a few units make.
    """
    difference, unit = np.abs(found - expected), 1e-13 * scale + change
    return bool(
        (difference <= 16 * unit).all() and (difference <= unit).sum() >= 0.95 * difference.size
    )


@pytest.mark.parametrize("n", SIZES)
def test_points_of_all_channels_go_to_the_momenta_of_the_processor(
    mappings: list[ChannelMapping], kernels: EmulatedKernels, n: int
) -> None:
    x, channel = points(mappings, n)
    use = partial(by_channel, forward, mappings, channel=channel)
    (p, jacobian), (dp, dj) = use(x), sensitivity(use, x)
    found_p, found_jacobian = MapsOnDevice(mappings, kernels).forward(
        torch.from_numpy(x), torch.from_numpy(channel)
    )
    assert found_p.shape == (n, mappings[0].n_particles, 4)
    assert agree(found_p.numpy(), p, dp, p[:, :2, :1].sum(axis=1, keepdims=True))
    assert agree(found_jacobian.numpy(), jacobian, dj, jacobian)


@pytest.mark.parametrize("n", SIZES)
def test_momenta_of_all_channels_go_back_to_the_points_of_the_processor(
    mappings: list[ChannelMapping], kernels: EmulatedKernels, n: int
) -> None:
    x, channel = points(mappings, n)
    p, _ = by_channel(forward, mappings, x, channel)
    use = partial(by_channel, inverse, mappings, channel=channel)
    (y, jacobian), (dy, dj) = use(p), sensitivity(use, p)
    found_x, found_jacobian = MapsOnDevice(mappings, kernels).inverse(
        torch.from_numpy(p), torch.from_numpy(channel)
    )
    assert agree(found_x.numpy(), y, dy, np.ones(1))
    assert agree(found_jacobian.numpy(), jacobian, dj, jacobian)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_densities_of_live_events_are_those_of_the_density_prior(
    mappings: list[ChannelMapping], kernels: EmulatedKernels, share: float
) -> None:
    x, channel = points(mappings, 300)
    p, _ = by_channel(forward, mappings, x, channel)
    mask = np.random.default_rng(9).random(300) < share
    prior = DensityPrior([Channel("", one, (), (), 0) for one in mappings])

    def use(p: Array) -> tuple[Array, Array]:
        densities = np.where(mask[:, None], prior(event_fastest(p), np.empty(0)), 0.0)
        return densities, densities

    (expected, _), (change, _) = use(p), sensitivity(use, p)
    live = LiveEvents.of(torch.from_numpy(mask))
    found = MapsOnDevice(mappings, kernels).densities(torch.from_numpy(p), live)
    assert found.shape == (300, len(mappings))
    assert agree(found.numpy(), expected, change, expected)
    assert (expected.sum(axis=1) > 0).sum() >= 0.99 * mask.sum()


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1, np.inf])
def test_points_outside_of_the_cube_have_no_jacobian(
    mappings: list[ChannelMapping], kernels: EmulatedKernels, bad: float
) -> None:
    maps, dim = MapsOnDevice(mappings, kernels), mappings[0].dim
    x, channel = points(mappings, 4 * dim)
    x[np.arange(4 * dim)[::2], np.arange(4 * dim)[::2] % dim] = bad
    _, expected = by_channel(forward, mappings, x, channel)
    p, jacobian = maps.forward(torch.from_numpy(x), torch.from_numpy(channel))
    assert (jacobian.numpy()[::2] == 0).all()
    assert ((jacobian.numpy() > 0) == (expected > 0)).all()
    assert np.isfinite(p.numpy()).all()


@pytest.mark.parametrize("bad", [np.nan, -1.0, 1e9])
def test_momenta_of_no_event_have_no_density(
    mappings: list[ChannelMapping], kernels: EmulatedKernels, bad: float
) -> None:
    x, channel = points(mappings, 40)
    p, _ = by_channel(forward, mappings, x, channel)
    p[::2, 0, 0] = bad
    live = LiveEvents.all(40, torch.device("cpu"))
    densities = MapsOnDevice(mappings, kernels).densities(torch.from_numpy(p), live)
    assert (densities[::2] == 0).all()
    assert (densities[1::2].sum(dim=1) > 0).any()


def test_momenta_in_any_layout_are_understood(kernels: EmulatedKernels) -> None:
    mappings = FAMILIES["massless"]()
    maps, (x, channel) = MapsOnDevice(mappings, kernels), points(mappings, 200)
    p, _ = maps.forward(torch.from_numpy(x), torch.from_numpy(channel))
    part = torch.from_numpy(channel[50:150])
    for layout in (p[50:150], p[50:150].contiguous(), p[50:150].clone()):
        assert (
            maps.inverse(layout, part)[0] == maps.inverse(p, torch.from_numpy(channel))[0][50:150]
        ).all()


def test_the_memory_of_a_batch_is_written_and_no_other(kernels: EmulatedKernels) -> None:
    mappings, n = FAMILIES["partons"](), 130
    x, channel = (torch.from_numpy(one) for one in points(mappings, n))
    maps = MapsOnDevice(mappings, kernels)
    whole, single = maps.forward(x, channel), maps.forward(x[128:129], channel[128:129])
    assert (whole[0][128] == single[0][0]).all()
    assert whole[1][128] == single[1][0]


def test_maps_without_kernels_are_refused_in_a_sentence(kernels: EmulatedKernels) -> None:
    class Own(ChannelMapping):
        def forward(self, x: Array) -> tuple[Array, Array]:
            raise NotImplementedError

        def inverse(self, p: Array) -> tuple[Array, Array]:
            raise NotImplementedError

    expected = r"maps of phase space that have kernels there; got Own, which --device cpu runs"
    with pytest.raises(InputError, match=expected):
        MapsOnDevice([Own()], kernels)


def test_channels_with_maps_of_two_kinds_are_refused_in_a_sentence(
    kernels: EmulatedKernels,
) -> None:
    mixed = [*FAMILIES["s channel of partons"](), *FAMILIES["on shell"]()]
    with pytest.raises(
        InputError, match=r"one kind of map; got on_shell, s_channel, which --device cpu"
    ):
        MapsOnDevice(mixed, kernels)
