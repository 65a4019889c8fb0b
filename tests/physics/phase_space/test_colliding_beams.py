"""Maps between beams of different kinds: heavy partons, one share that varies, peaked shares."""

from __future__ import annotations

import math
from collections.abc import Callable

import laws
import numpy as np
import pytest
from channels import POLES, cases, masses, volume
from scipy.integrate import quad

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.phase_space.colliding_beams import CollidingBeam, CollidingBeams
from madnis_py.physics.phase_space.topology_mapping import TopologyMapping

TOP = POLES[6][0]
ELECTRON = CollidingBeam(27.5, "whole")
PROTON = CollidingBeam(920.0, "smooth")
RADIATING = CollidingBeam(100.0, "peaked", power=0.06)
PEAK = 1000.0
"""GeV: energy of the partons at most in the tests of volumes."""

BEAMS = {
    "a parton and a hadron": ("e- u > e- u g", CollidingBeams(ELECTRON, PROTON)),
    "a hadron and a parton": ("u e- > e- u g", CollidingBeams(PROTON, ELECTRON)),
    "two heavy partons": ("t t~ > g g g", CollidingBeams.partons((200.0, 300.0), (TOP, TOP))),
    "two heavy partons, two particles": (
        "t t~ > t t~",
        CollidingBeams.partons((500.0, 400.0), (TOP, TOP)),
    ),
    "a heavy parton and a light one": (
        "t u > t u g",
        CollidingBeams.partons((TOP, 900.0), (TOP, 0)),
    ),
    "a heavy parton and a hadron": (
        "t u > t u g",
        CollidingBeams(CollidingBeam(300.0, "whole", TOP), PROTON),
    ),
}
PEAKED = {
    "a radiating beam and a parton": CollidingBeams(RADIATING, CollidingBeam(80.0, "whole")),
    "two radiating beams": CollidingBeams(RADIATING, CollidingBeam(80.0, "peaked", power=0.2)),
    "a radiating beam and a hadron": CollidingBeams(RADIATING, PROTON),
    "a hadron and a radiating beam": CollidingBeams(PROTON, RADIATING),
}


@pytest.fixture(params=BEAMS)
def maps(request: pytest.FixtureRequest) -> tuple[list[TopologyMapping], tuple[float, ...]]:
    process, beams = BEAMS[request.param]
    return [case.mapping() for case in cases(process, beams, ())], masses(process)


@pytest.fixture
def peaked(radiating: CollidingBeams) -> TopologyMapping:
    return cases("e+ e- > mu+ mu-", radiating)[0].mapping()


@pytest.fixture(params=PEAKED)
def radiating(request: pytest.FixtureRequest) -> CollidingBeams:
    return PEAKED[request.param]


Maps = tuple[list[TopologyMapping], tuple[float, ...]]


def test_inverse_undoes_forward(maps: Maps) -> None:
    for mapping in maps[0]:
        laws.mapping_inverse_undoes_forward(mapping, 1e-8, worst=1e-5)


def test_particles_are_on_shell_and_momentum_is_conserved(maps: Maps) -> None:
    for mapping in maps[0]:
        laws.mapping_particles_are_on_shell(mapping, maps[1])
        laws.mapping_conserves_momentum(mapping)


def test_no_point_of_the_cube_gives_nan(maps: Maps) -> None:
    for mapping in maps[0]:
        laws.mapping_gives_no_nan_at_edges_of_the_cube(mapping)
        laws.mapping_is_zero_outside_the_cube(mapping)
        laws.mapping_inverse_is_zero_outside_the_support(mapping)


def test_points_do_not_depend_on_their_neighbours(maps: Maps) -> None:
    for mapping in maps[0]:
        laws.mapping_does_not_depend_on_neighbours(mapping)


def test_no_point_of_the_cube_of_peaked_shares_gives_nan(peaked: TopologyMapping) -> None:
    laws.mapping_gives_no_nan_at_edges_of_the_cube(peaked)
    laws.mapping_is_zero_outside_the_cube(peaked)
    laws.mapping_does_not_depend_on_neighbours(peaked)


def test_momenta_of_peaked_shares_are_those_of_massless_beams(peaked: TopologyMapping) -> None:
    laws.mapping_particles_are_on_shell(peaked, (0.0,) * 4)
    laws.mapping_conserves_momentum(peaked)


def test_peaked_shares_that_are_resolved_come_back(
    peaked: TopologyMapping, radiating: CollidingBeams
) -> None:
    x = np.random.default_rng(5).random((20000, peaked.dim))
    p, jacobian = peaked.forward(x)
    found, again = peaked.inverse(p)
    rest = np.abs(1 - p[:, :2, 0] / radiating.energies)
    resolved = ((rest > 1e-6) | [share == "whole" for share in radiating.shares]).all(axis=1)
    assert resolved.sum() > 500
    np.testing.assert_allclose(again, jacobian, rtol=1e-3)
    np.testing.assert_allclose(found[resolved], x[resolved], atol=1e-6)


@pytest.mark.parametrize("name", BEAMS)
def test_every_channel_fills_the_volume(name: str) -> None:
    process, beams = BEAMS[name]
    final = masses(process)[2:]
    threshold = max(60.0, sum(final), sum(beams.masses)) * 1.2
    window = (Cut("mass", tuple(range(2, len(final) + 2)), threshold, math.inf),)
    exact = volume(math.sqrt(beams.s), final)
    if not beams.partonic:
        heavy = sum(mass**2 for mass in beams.masses)
        integral, _ = quad(
            lambda s: volume(math.sqrt(s), final) / s**2, threshold**2, beams.s, epsrel=1e-6
        )
        exact = integral / (beams.s - heavy)
    for case in cases(process, beams, () if beams.partonic else window):
        mapping = case.mapping()
        p, jacobian = mapping.forward(points(mapping))
        found = jacobian if beams.partonic else jacobian / s_of(p) ** 2 * (s_of(p) > threshold**2)
        error = found.std() / math.sqrt(len(found))
        assert error < 0.05 * exact
        assert found.mean() == pytest.approx(exact, abs=4 * error + 1e-6 * exact)


@pytest.mark.parametrize("name", PEAKED)
def test_peaked_densities_have_their_integral(name: str) -> None:
    beams = PEAKED[name]
    mapping = cases("e+ e- > mu+ mu-", beams, (Cut("mass", (2, 3), 20.0, math.inf),))[0].mapping()
    p, jacobian = mapping.forward(points(mapping))
    shares = [p[:, k, 0] / beam.energy for k, beam in enumerate(beams.both)]
    densities = [density(beam)(x) for beam, x in zip(beams.both, shares, strict=True)]
    found = jacobian * densities[0] * densities[1] * 8 * math.pi
    first, second = (spread(beam) for beam in beams.both)
    exact, _ = quad(
        lambda z: (
            first(z)[1]
            * quad(
                lambda y: second(y)[1] * (first(z)[0] * second(y)[0] * beams.s > 400.0),
                0,
                1,
                limit=200,
            )[0]
        ),
        0,
        1,
        epsrel=1e-4,
        limit=100,
    )
    error = found.std() / math.sqrt(len(found))
    assert error < 0.02 * exact
    assert found.mean() == pytest.approx(exact, abs=4 * error + 1e-3 * exact)


def density(beam: CollidingBeam) -> Callable[[Array], Array]:
    """Density of the shares of a beam: 1 - x for a hadron."""
    if beam.share == "peaked":
        power = beam.power
        return lambda x: power * np.maximum(1 - x, _core.LEAST_REST) ** (power - 1)
    return np.ones_like if beam.share == "whole" else lambda x: 1 - x


def spread(beam: CollidingBeam) -> Callable[[float], tuple[float, float]]:
    """Share and density of a beam at a number in [0, 1]."""
    if beam.share == "peaked":
        return lambda z: (1 - z ** (1 / beam.power), 1.0)
    return (lambda z: (1.0, 1.0)) if beam.share == "whole" else (lambda z: (z, 1 - z))


def s_of(p: Array) -> Array:
    """Energy squared of the partons in GeV^2."""
    total = p[:, 0] + p[:, 1]
    return np.asarray(total[:, 0] ** 2 - total[:, 3] ** 2)


def points(mapping: TopologyMapping) -> Array:
    return np.random.default_rng(11).random((40000, mapping.dim))
