"""Momenta in general position."""

from __future__ import annotations

import numpy as np
import pytest
from amplitudes import reaction

from madnis_py.arrays import Array
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta

PROCESSES = (
    "g g > t t~ g g g", "e+ e- > mu+ mu-", "u b > d t", "b b~ > h", "w+ w- > h h",
    "t > b w+", "t > b e+ ve",
    "z > e+ e-", "h > z e+ e- a", "u u~ > z", "h h > t t~ t t~",
)  # fmt: skip


@pytest.fixture(params=PROCESSES)
def process(request: pytest.FixtureRequest) -> tuple[list[float], int, np.ndarray]:
    model = Model("sm")
    one = reaction(request.param, model)
    masses = [model.mass(pdg) for pdg in one.legs]
    return masses, len(one.incoming), generic_momenta(masses, len(one.incoming), 10)


def test_particles_are_on_shell(process: tuple[list[float], int, Array]) -> None:
    masses, _, p = process
    squared = p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=2)
    assert (p[..., 0] > 0).all()
    np.testing.assert_allclose(
        squared, np.broadcast_to(np.square(masses), squared.shape), rtol=0, atol=1e-8
    )


def test_four_momentum_is_conserved(process: tuple[list[float], int, Array]) -> None:
    _, n_incoming, p = process
    incoming, outgoing = p[:, :n_incoming].sum(axis=1), p[:, n_incoming:].sum(axis=1)
    np.testing.assert_allclose(outgoing, incoming, rtol=1e-11)


def test_no_component_is_zero_or_equal_to_another(process: tuple[list[float], int, Array]) -> None:
    masses, _, p = process
    assert (np.abs(p) > 1e-5 * p[..., :1]).all()
    if len(masses) > 3:
        for point in p:
            assert len(np.unique(point.round(9))) == point.size


def test_points_differ_and_are_the_same_every_time(process: tuple[list[float], int, Array]) -> None:
    masses, n_incoming, p = process
    np.testing.assert_array_equal(generic_momenta(masses, n_incoming, 10), p)
    np.testing.assert_array_equal(generic_momenta(masses, n_incoming, 3), p[:3])
    assert len(np.unique(p[:, -1, 1])) == len(p)


def test_momenta_have_the_layout_of_the_kernels(process: tuple[list[float], int, Array]) -> None:
    masses, _, p = process
    assert p.shape == (10, len(masses), 4)
    assert p.dtype == np.float64
    assert p.strides[0] == p.itemsize


def test_energy_is_above_every_threshold() -> None:
    for masses in ([0.0, 0.0, 173.0, 173.0], [173.0, 173.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]):
        total = generic_momenta(masses, 2)[:, :2].sum(axis=1)
        s = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
        assert (np.sqrt(s) > 1.2 * max(sum(masses[:2]), sum(masses[2:])) + 50).all()
