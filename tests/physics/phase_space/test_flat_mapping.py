"""Flat phase space against closed formulas, quadrature and exact distributions."""

from __future__ import annotations

import math

import laws
import numpy as np
import pytest
from channels import hadronic_volume, massless_volume, volume
from scipy.stats import beta, kstest, uniform

from madnis_py.arrays import Array
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.topology_mapping import (
    TopologyMapping,
    flat_mapping,
)

PARTONS = CollidingBeams.partons((500.0, 500.0))
SLOW = CollidingBeams.partons((40.0, 10.0))
HADRONS = CollidingBeams.hadrons((7000.0, 920.0))
MASSIVE = [
    (5.0, 12.0),
    (0.0, 3.0, 0.0),
    (173.0, 173.0, 0.0),
    (80.0, 80.0, 80.0),
    (100.0, 0.0, 300.0, 50.0),
]
NUMBERS = range(2, 8)


def flat(*final: float, beams: CollidingBeams = PARTONS) -> TopologyMapping:
    return flat_mapping(MassLimits((0.0, 0.0, *final), ()), beams)


def hadronic(*final: float) -> TopologyMapping:
    legs = tuple(range(2, len(final) + 2))
    energy = Cut("mass", legs, max(100.0, sum(final)), math.inf)
    return flat_mapping(MassLimits((0.0, 0.0, *final), [energy]), HADRONS)


CASES = {
    **{f"{n} massless": (flat(*[0.0] * n), (0.0,) * n, PARTONS) for n in NUMBERS},
    **{f"{final}": (flat(*final), final, PARTONS) for final in MASSIVE},
    "near the threshold": (flat(15.0, 17.0, 5.0, beams=SLOW), (15.0, 17.0, 5.0), SLOW),
    **{f"hadrons, {n} massless": (hadronic(*[0.0] * n), (0.0,) * n, HADRONS) for n in (2, 4)},
    "hadrons, massive": (hadronic(173.0, 0.0, 0.0, 173.0), (173.0, 0.0, 0.0, 173.0), HADRONS),
}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mapping(name: str) -> TopologyMapping:
    return CASES[name][0]


def points(mapping: TopologyMapping, n: int = 50_000) -> Array:
    return np.random.default_rng(3).random((n, mapping.dim))


@pytest.mark.parametrize("n", NUMBERS)
def test_massless_volume_is_exact_in_every_point(n: int) -> None:
    _, jacobian = flat(*[0.0] * n).forward(points(flat(*[0.0] * n)))
    np.testing.assert_allclose(jacobian, massless_volume(1000.0, n), rtol=1e-12)


@pytest.mark.parametrize("final", MASSIVE, ids=str)
def test_massive_volume_agrees_with_quadrature(final: tuple[float, ...]) -> None:
    _, jacobian = flat(*final).forward(points(flat(*final)))
    error = jacobian.std() / math.sqrt(len(jacobian))
    assert abs(jacobian.mean() - volume(1000.0, final)) < 4 * error + 1e-6 * jacobian.mean()
    assert error < 0.01 * jacobian.mean()


@pytest.mark.parametrize("final", [(0.0, 0.0), (0.0, 0.0, 0.0, 0.0), (173.0, 173.0, 0.0)], ids=str)
def test_hadronic_volume_agrees_with_quadrature(final: tuple[float, ...]) -> None:
    threshold, power = max(100.0, sum(final)), len(final) - 0.5
    p, jacobian = hadronic(*final).forward(points(hadronic(*final)))
    values = jacobian * (4 * p[:, 0, 0] * p[:, 1, 0]) ** -power
    error = values.std() / math.sqrt(len(values))
    assert abs(values.mean() - hadronic_volume(threshold**2, HADRONS.s, final, power)) < 4 * error
    assert error < 0.01 * values.mean()


@pytest.mark.parametrize("n", NUMBERS)
def test_energies_of_massless_particles_have_the_exact_distribution(n: int) -> None:
    # What recoils against a particle has a share u = 1 - 2 E / sqrt(s) of s-hat with density u^(n -
    # 3) (1 - u).
    p, _ = flat(*[0.0] * n).forward(points(flat(*[0.0] * n), 200_000))
    for leg in range(2, n + 2):
        share = 1 - 2 * p[:, leg, 0] / 1000.0
        if n == 2:
            assert np.abs(share).max() < 1e-12
        else:
            assert kstest(share, beta(n - 2, 2).cdf).pvalue > 1e-3


@pytest.mark.parametrize("legs", [(2, 3), (2, 4), (3, 4)])
def test_both_invariants_of_three_massless_particles_fill_the_dalitz_plot_evenly(
    legs: tuple[int, int],
) -> None:
    p, _ = flat(0.0, 0.0, 0.0).forward(points(flat(0.0, 0.0, 0.0)))
    total = p[:, legs].sum(axis=1)
    share = (total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)) / 1e6
    assert kstest(1 - (1 - share) ** 2, "uniform").pvalue > 1e-3
    other = next(leg for leg in (2, 3, 4) if leg not in legs)
    pair = p[:, [legs[0], other]].sum(axis=1)
    second = (pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1)) / 1e6
    assert kstest(second / (1 - share), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("n", [2, 3, 5])
def test_massless_particles_have_no_preferred_direction(n: int) -> None:
    p, _ = flat(*[0.0] * n).forward(points(flat(*[0.0] * n)))
    for leg in range(2, n + 2):
        assert kstest(p[:, leg, 3] / p[:, leg, 0], uniform(-1, 2).cdf).pvalue > 1e-3
        phi = np.arctan2(p[:, leg, 2], p[:, leg, 1])
        assert kstest(phi, uniform(-math.pi, 2 * math.pi).cdf).pvalue > 1e-3


def test_inverse_undoes_forward(mapping: TopologyMapping) -> None:
    laws.mapping_inverse_undoes_forward(mapping, 1e-9)


def test_jacobian_agrees_with_finite_differences(name: str, mapping: TopologyMapping) -> None:
    laws.mapping_jacobian_agrees_with_finite_differences(mapping, CASES[name][2].energies)


def test_particles_are_on_shell(name: str, mapping: TopologyMapping) -> None:
    laws.mapping_particles_are_on_shell(mapping, (0.0, 0.0, *CASES[name][1]))


def test_momentum_is_conserved(mapping: TopologyMapping) -> None:
    laws.mapping_conserves_momentum(mapping)


def test_edges_of_the_cube_give_no_nan(mapping: TopologyMapping) -> None:
    laws.mapping_gives_no_nan_at_edges_of_the_cube(mapping)


def test_jacobian_is_zero_outside_the_cube(mapping: TopologyMapping) -> None:
    laws.mapping_is_zero_outside_the_cube(mapping)


def test_inverse_is_zero_outside_the_support(mapping: TopologyMapping) -> None:
    laws.mapping_inverse_is_zero_outside_the_support(mapping)


def test_results_do_not_depend_on_neighbours_and_threads(mapping: TopologyMapping) -> None:
    laws.mapping_does_not_depend_on_neighbours(mapping)
    laws.mapping_does_not_depend_on_threads(mapping)
