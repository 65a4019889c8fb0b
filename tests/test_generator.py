"""The generator that other samplers drive."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.generator import Generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.from_card("ttbar_1j")


def uniform(generator: Generator, per_channel: int, seed: int) -> tuple[Array, NDArray[np.int64]]:
    channel = np.arange(generator.n_channels).repeat(per_channel)
    return np.random.Generator(np.random.Philox(seed)).random(
        (len(channel), generator.dim)
    ), channel


def cross_section(generator: Generator, seed: int) -> tuple[float, float]:
    random, channel = uniform(generator, 4000, seed)
    points = generator(random, channel)
    parts = (points.weight * points.channel_weights[np.arange(len(channel)), channel]).reshape(
        generator.n_channels, -1
    )
    return parts.mean(axis=1).sum(), float(np.sqrt((parts.var(axis=1) / parts.shape[1]).sum()))


def test_vegas_driving_one_channel_after_the_other_finds_the_cross_section_of_uniform_points(
    generator: Generator,
) -> None:
    import vegas

    total, variance = 0.0, 0.0
    for channel in range(generator.n_channels):

        def of_channel(x: Array, channel: int = channel) -> Array:
            points = generator(np.asarray(x), channel)
            return points.weight * points.channel_weights[:, channel]

        integrand = vegas.lbatchintegrand(of_channel)
        integrator = vegas.Integrator(
            [[0, 1]] * generator.dim, ran_array_generator=np.random.default_rng(channel).random
        )
        integrator(integrand, nitn=3, neval=4000, adapt=True)
        result = integrator(integrand, nitn=3, neval=4000)
        total, variance = total + result.mean, variance + result.sdev**2
    mean, error = cross_section(generator, 7)
    assert abs(total - mean) < 5 * np.hypot(error, np.sqrt(variance))


def test_points_come_back_in_the_order_of_the_arguments(generator: Generator) -> None:
    random, channel = uniform(generator, 20, 1)
    sorted_points = generator(random, channel)
    shuffled = np.random.default_rng(3).permutation(len(channel))
    points = generator(random[shuffled], channel[shuffled])
    assert np.array_equal(points.momenta, sorted_points.momenta[shuffled])
    assert np.array_equal(points.weight, sorted_points.weight[shuffled])
    assert np.array_equal(points.channel_weights, sorted_points.channel_weights[shuffled])


def test_momenta_are_conserved_and_channel_weights_add_up_to_one(generator: Generator) -> None:
    points = generator(*uniform(generator, 50, 2))
    p = points.momenta
    assert np.allclose(
        p[:, :2].sum(axis=1),
        p[:, 2:].sum(axis=1),
        rtol=0,
        atol=1e-9 * p[:, :2, 0].sum(axis=1).max(),
    )
    assert np.allclose(points.channel_weights.sum(axis=1), 1)
    assert points.channel_weights.shape == (len(p), generator.n_channels)


def test_channels_of_a_group_have_the_same_integral(generator: Generator) -> None:
    random, channel = uniform(generator, 20_000, 5)
    points = generator(random, channel)
    parts = (points.weight * points.channel_weights[np.arange(len(channel)), channel]).reshape(
        generator.n_channels, -1
    )
    mean, error = parts.mean(axis=1), parts.std(axis=1) / np.sqrt(parts.shape[1])
    first = {group: generator.groups.index(group) for group in generator.groups}
    assert max(generator.groups) + 1 == 9
    for member, group in enumerate(generator.groups):
        assert abs(mean[member] - mean[first[group]]) <= 5 * np.hypot(
            error[member], error[first[group]]
        )


@pytest.mark.parametrize(
    ("shape", "channel", "sentence"),
    [
        ((4, 3), 0, r"random: expected shape \(n, 7\); got \(4, 3\)"),
        ((4, 7), 15, "channel: expected 0 to 14; got 15 to 15"),
        ((4, 7), 0.5, "channel: expected integers; got float64"),
    ],
)
def test_what_cannot_be_generated_is_refused(
    generator: Generator, shape: tuple[int, int], channel: float, sentence: str
) -> None:
    with pytest.raises(InputError, match=f"Generator: {sentence}"):
        generator(np.full(shape, 0.5), channel)  # type: ignore[call-overload]
