"""Limits of invariant masses: events that pass the cuts are inside, and some reach them."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from channels import ASYMMETRIC, MODEL, PARTONS, Case, card_cuts, cases, masses

from madnis_py.arrays import Array
from madnis_py.physics.observables.cuts import Cut, Cuts
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams

PROCESSES = [
    "g g > g g g",
    "g g > t t~ g g",
    "g g > w+ d u~ g",
    "u u~ > e+ e- g",
    "u u~ > e+ e- mu+ mu-",
]
LOW = CollidingBeams.partons((200.0, 200.0))
SLOW = CollidingBeams.partons((50.0, 50.0))
"""Not far above thresholds."""


def passing_events(case: Case, n: int = 20_000) -> np.ndarray:
    """Events of a channel that knows a cut on its energy alone: many are soft or collinear."""
    mapping = case.mapping()
    p, jacobian = mapping.forward(np.random.default_rng(case.number).random((n, mapping.dim)))
    kept = (jacobian > 0) & Cuts(card_cuts(case.process)).passes(p)
    return p[kept]


def invariant_mass(p: Array) -> Array:
    total = p.sum(axis=1)
    return np.asarray(np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1), 0.0)))


@pytest.mark.parametrize(
    "beams", [PARTONS, LOW, ASYMMETRIC], ids=["partons", "slow partons", "hadrons"]
)
@pytest.mark.parametrize("process", PROCESSES)
def test_no_event_that_passes_lies_below_its_least_mass(
    process: str, beams: CollidingBeams
) -> None:
    everything = range(2, len(masses(process)))
    some_energy = Cut(
        "mass", tuple(everything), max(15.0, sum(masses(process)[2:]) + 1.0), math.inf
    )
    limits = MassLimits(masses(process), card_cuts(process), math.sqrt(beams.s))
    n_events = 0
    for case in cases(process, beams, (some_energy,))[::3]:
        p = passing_events(case)
        n_events += len(p)
        assert (
            np.sqrt(4 * p[:, 0, 0] * p[:, 1, 0]) >= limits.least_energy(everything) * (1 - 1e-12)
        ).all()
        for size in range(2, len(everything) + 1):
            for legs in combinations(everything, size):
                least, greatest = limits.least_mass(legs), limits.greatest_mass(legs)
                mass = invariant_mass(p[:, legs])
                assert (mass >= least * (1 - 1e-9)).all(), legs
                assert (mass <= greatest * (1 + 1e-9)).all(), legs
    assert n_events > 1000


@pytest.mark.parametrize(
    ("process", "beams", "legs"),
    [("g g > g g g", SLOW, (2, 3)), ("g g > t t~ g g", PARTONS, (4, 5))],
)
def test_events_come_near_the_floor_of_a_pair_of_jets(
    process: str, beams: CollidingBeams, legs: tuple[int, ...]
) -> None:
    limits = MassLimits(masses(process), card_cuts(process), math.sqrt(beams.s))
    lightest = min(
        invariant_mass(passing_events(case)[:, legs]).min() for case in cases(process, beams, ())
    )
    assert limits.least_mass(legs) <= lightest < 1.1 * limits.least_mass(legs)


def test_a_pair_at_its_least_separation_has_its_least_mass() -> None:
    p = np.zeros((1, 4, 4))
    for leg, (pt, phi) in enumerate([(20.0, 1.0), (30.0, 1.4)], start=2):
        p[:, leg] = [pt, pt * math.cos(phi), pt * math.sin(phi), 0.0]
    cuts = [
        Cut("pt", (2,), 20.0, math.inf),
        Cut("pt", (3,), 30.0, math.inf),
        Cut("dr", (2, 3), 0.4, math.inf),
    ]
    assert invariant_mass(p[:, 2:])[0] == pytest.approx(
        MassLimits((0.0,) * 4, cuts).least_mass((2, 3)), rel=1e-12
    )
    looser = [*cuts[:2], Cut("dr", (2, 3), 0.4 - 1e-9, math.inf)]
    assert Cuts(looser).passes(as_momenta(p)).all()


def test_a_transverse_star_of_jets_has_the_least_energy() -> None:
    cuts = card_cuts("g g > g g g")
    limits = MassLimits((0.0,) * 5, cuts)
    p = np.zeros((1, 5, 4))
    for leg, phi in enumerate([0.0, 2 * math.pi / 3, -2 * math.pi / 3], start=2):
        p[:, leg] = [1.0, math.cos(phi), math.sin(phi), 0.0]
    p[:, :2] = [[1.5, 0.0, 0.0, 1.5], [1.5, 0.0, 0.0, -1.5]]
    assert limits.least_energy((2, 3, 4)) == 60.0
    assert Cuts(cuts).passes(as_momenta(20.0 * (1 + 1e-12) * p)).all()


def test_massive_particles_raise_the_least_masses_by_their_masses() -> None:
    top = MODEL.mass(6)
    limits = MassLimits(masses("g g > t t~ g g"), card_cuts("g g > t t~ g g"), 13000.0)
    assert limits.least_mass((2, 3)) == 2 * top
    assert limits.least_energy((2, 3, 4, 5)) == pytest.approx(2 * top + 40.0, rel=1e-12)
    assert limits.least_mass((2, 4)) == pytest.approx(
        math.sqrt(top**2 + 40.0 * top**2 / 13000.0), rel=1e-12
    )


def test_a_system_raises_the_floor_of_all_sets_that_contain_it() -> None:
    limits = MassLimits(
        (0.0,) * 5, [Cut("mass", (2, 3), 15.0, math.inf), Cut("mass", (2, 3, 4), 50.0, math.inf)]
    )
    assert limits.least_mass((2, 3)) == 15.0
    assert limits.least_mass((2, 3, 4)) == 50.0
    assert limits.least_mass((2, 4)) == 0.0


@pytest.mark.parametrize("observable", ["dr", "mass"])
def test_the_larger_of_two_cuts_on_the_same_particles_counts_in_any_order(observable: str) -> None:
    pt = [Cut("pt", (leg,), 20.0, math.inf) for leg in (2, 3)]
    loose, tight = Cut(observable, (2, 3), 0.4, math.inf), Cut(observable, (3, 2), 0.7, math.inf)
    expected = MassLimits((0.0,) * 4, [*pt, tight]).least_mass((2, 3))
    assert expected > MassLimits((0.0,) * 4, [*pt, loose]).least_mass((2, 3)) > 0
    for cuts in ([loose, tight], [tight, loose]):
        assert MassLimits((0.0,) * 4, [*pt, *cuts]).least_mass((2, 3)) == expected


def test_least_masses_grow_with_the_set() -> None:
    for process in PROCESSES:
        limits = MassLimits(masses(process), card_cuts(process), 13000.0)
        everything = range(2, len(masses(process)))
        for size in range(2, len(everything)):
            for legs in combinations(everything, size):
                for more in set(everything) - set(legs):
                    assert limits.least_mass((*legs, more)) >= limits.least_mass(legs)


@pytest.mark.parametrize("separation", [3.0, math.pi, 4.0, 7.0])
def test_separations_beyond_half_a_turn_are_true_limits(separation: float) -> None:
    y, phi = (
        part.ravel()
        for part in np.meshgrid(np.linspace(0.0, 8.0, 801), np.linspace(0.0, math.pi, 801))
    )
    far = np.hypot(y, phi) >= separation
    lightest = np.sqrt(2 * 20.0 * 20.0 * (np.cosh(y) - np.cos(phi))[far]).min()
    cuts = [
        Cut("pt", (2,), 20.0, math.inf),
        Cut("pt", (3,), 20.0, math.inf),
        Cut("dr", (2, 3), separation, math.inf),
    ]
    least = MassLimits((0.0,) * 4, cuts).least_mass((2, 3))
    assert 0 < least <= lightest
    if separation <= math.pi:
        assert lightest < 1.001 * least


@pytest.mark.parametrize("observable", ["deta", "dy", "dphi"])
@pytest.mark.parametrize("gap", [0.4, 2.5])
def test_distances_of_a_pair_bound_its_mass(observable: str, gap: float) -> None:
    y, phi = (
        part.ravel()
        for part in np.meshgrid(np.linspace(0.0, 8.0, 801), np.linspace(0.0, math.pi, 801))
    )
    far = (phi if observable == "dphi" else y) >= gap
    lightest = np.sqrt(2 * 20.0 * 20.0 * (np.cosh(y) - np.cos(phi))[far]).min()
    pt = [Cut("pt", (leg,), 20.0, math.inf) for leg in (2, 3)]
    least = MassLimits((0.0,) * 4, [*pt, Cut(observable, (2, 3), gap, math.inf)]).least_mass((2, 3))
    assert least <= lightest * (1 + 1e-12) < 1.01 * least


def test_a_gap_in_pseudorapidity_of_massive_particles_says_nothing_of_their_mass() -> None:
    """They may have the same rapidity, and different transverse masses."""
    pt = [Cut("pt", (leg,), 20.0, math.inf) for leg in (2, 3)]
    far = [*pt, Cut("deta", (2, 3), 2.0, math.inf)]
    masses = (0.0, 0.0, 100.0, 0.0)
    assert MassLimits(masses, far).least_mass((2, 3)) == MassLimits(masses, pt).least_mass((2, 3))


def test_energies_in_the_frame_of_the_collision_add_up_to_its_energy() -> None:
    cuts = [Cut("pt", (2,), 20.0, math.inf), Cut("partonic_energy", (3,), 70.0, math.inf)]
    limits = MassLimits((0.0, 0.0, 15.0, 4.0), cuts, 200.0)
    assert limits.least_energy((2, 3)) == 25.0 + 70.0
    assert limits.least_mass((2, 3)) == 19.0


def test_without_cuts_only_masses_count() -> None:
    limits = MassLimits((0.0, 0.0, 3.0, 0.0, 4.0), ())
    assert [limits.least_mass(legs) for legs in ((2,), (3,), (2, 3), (2, 4), (2, 3, 4))] == [
        3.0,
        0.0,
        3.0,
        7.0,
        7.0,
    ]
    assert limits.least_energy((2, 3, 4)) == 7.0


def test_the_others_and_cuts_limit_masses_from_above() -> None:
    cuts = [
        Cut("pt", (4,), 20.0, math.inf),
        Cut("mass", (2, 3, 4), 0.0, 150.0),
        Cut("mass", (2, 3), 0.0, 90.0),
    ]
    limits = MassLimits((0.0, 0.0, 3.0, 4.0, 0.0, 5.0), cuts, 200.0)
    assert limits.greatest_mass((2, 3)) == 90.0
    assert limits.greatest_mass((2, 4)) == 146.0
    assert limits.greatest_mass((2, 5)) == 200.0 - 4.0 - 20.0
    assert limits.greatest_mass((2, 3, 4, 5)) == 200.0


def test_a_decaying_particle_leaves_what_the_others_do_not_weigh() -> None:
    decay = MassLimits((173.0, 4.7, 0.0, 0.0), (), 173.0, n_incoming=1)
    assert decay.greatest_mass((2, 3)) == 173.0 - 4.7


@pytest.mark.parametrize(
    ("mass", "width", "reached"),
    [
        (90.0, 0.0, True),
        (60.0, 0.0, True),  # the ends belong to the range
        (59.9, 0.0, False),
        (59.0, 0.1, True),  # the mass is not within the range, but 15 widths are
        (120.0, 0.0, True),
        (120.1, 0.0, False),
        (122.0, 0.2, True),
    ],
)
def test_a_propagator_reaches_its_pole_where_cuts_and_energy_leave_its_mass(
    mass: float, width: float, reached: bool
) -> None:
    limits = MassLimits((0.0,) * 5, [Cut("mass", (2, 3), 60.0, 120.0)], 200.0)
    assert limits.reaches_pole((2, 3), mass, width) == reached


@pytest.mark.parametrize(("mass", "reached"), [(91.188, True), (91.2, False)])
def test_a_fixed_energy_is_the_mass_of_the_s_channel(mass: float, reached: bool) -> None:
    energy = 2 * math.sqrt(45.594 * 45.594)
    fixed = Cut("mass", (2, 3), energy, energy)
    assert MassLimits((0.0,) * 4, [fixed], energy).reaches_pole((2, 3), mass) == reached
