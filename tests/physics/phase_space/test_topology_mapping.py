"""Channel mappings from topologies: laws for every channel of a table of processes."""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import replace

import laws
import numpy as np
import pytest
from channels import ASYMMETRIC, HADRONS, PARTONS, POLES, Case, cases, masses

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.observables.cuts import Cut, Cuts
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.mapping import ChannelMapping
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.phase_space.topology_mapping import (
    PropagatorLines,
    TopologyMapping,
    flat_mapping,
)

NEAR_THE_Z = (Cut("mass", (2, 3), 60.0, 120.0), Cut("pt", (4,), 5.0, math.inf))
WINDOW = [
    *cases("u u~ > e+ e- g", CollidingBeams.partons((100.0, 100.0)), NEAR_THE_Z),
    *cases("u u~ > e+ e- g", CollidingBeams.hadrons((150.0, 100.0)), NEAR_THE_Z),
]
VBS = "u c > w+ w+ d s QCD=99 QED=99"
TABLE = [
    *cases("u d~ > w+ w+ w-", HADRONS),
    *cases("g g > w+ d u~ g", HADRONS),
    *cases("g g > t t~ g", PARTONS),
    *cases("g g > t t~ g g", ASYMMETRIC),
    *cases(VBS, HADRONS),
    *cases("u u~ > e+ e- g", PARTONS),
    *cases("u u~ > e+ e- g", ASYMMETRIC),
    *cases("g g > g g g", HADRONS),
    *cases("g g > g g g", PARTONS, cuts=()),
    *WINDOW,
]
SOME = TABLE[::7]


@pytest.fixture(params=TABLE, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture(params=SOME, ids=str)
def some(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_inverse_undoes_forward(case: Case) -> None:
    laws.mapping_inverse_undoes_forward(case.mapping(), 1e-9)


def test_jacobian_agrees_with_finite_differences(case: Case) -> None:
    laws.mapping_jacobian_agrees_with_finite_differences(case.mapping(), case.beams.energies)


def test_particles_are_on_shell(case: Case) -> None:
    laws.mapping_particles_are_on_shell(case.mapping(), masses(case.process))


def test_momentum_is_conserved(case: Case) -> None:
    laws.mapping_conserves_momentum(case.mapping())


def test_edges_of_the_cube_give_no_nan(case: Case) -> None:
    laws.mapping_gives_no_nan_at_edges_of_the_cube(case.mapping())


def test_jacobian_is_zero_outside_the_cube(case: Case) -> None:
    laws.mapping_is_zero_outside_the_cube(case.mapping())


def test_inverse_is_zero_for_scaled_momenta(case: Case) -> None:
    laws.mapping_inverse_is_zero_outside_the_support(case.mapping())


def test_inverse_is_zero_for_momenta_that_are_not_numbers(some: Case) -> None:
    mapping = some.mapping()
    momenta, _ = mapping.forward(points(mapping, 8))
    for value in (np.nan, np.inf, -np.inf):
        for leg in range(2, mapping.n_particles):
            for component in range(4):
                p = momenta.copy()
                p[:, leg, component] = value
                x, jacobian = mapping.inverse(as_momenta(p))
                assert (jacobian == 0).all()
                assert ((x >= 0) & (x <= 1)).all()


@pytest.mark.parametrize("other", [(500.0, 499.0), (250.0, 1000.0), (499.0, 501.0)])
def test_inverse_is_zero_for_partons_of_other_energies(other: tuple[float, float]) -> None:
    case = cases("g g > t t~ g", PARTONS)[3]
    flat = flat_mapping(MassLimits(masses(case.process), ()), CollidingBeams.partons(other))
    p, _ = flat.forward(points(flat, 1000))
    assert (case.mapping().inverse(p)[1] == 0).all()


@pytest.mark.parametrize("case", WINDOW, ids=str)
def test_a_line_is_within_the_window_that_cuts_leave_to_its_mass(case: Case) -> None:
    assert (2, 3) in [line.legs for line in case.channel.topology.propagators]
    mapping = case.mapping()
    p, jacobian = mapping.forward(points(mapping, 4000))
    mass = invariant_mass(p[:, 2:4])[jacobian > 0]
    assert len(mass) > 3000
    assert ((mass > 60 * (1 - 1e-9)) & (mass < 120 * (1 + 1e-9))).all()
    wider = replace(case, cuts=()).mapping()
    p, _ = wider.forward(points(wider, 4000))
    mass, jacobian = invariant_mass(p[:, 2:4]), mapping.inverse(as_momenta(p))[1]
    assert (jacobian[(mass < 60) | (mass > 120)] == 0).all()


def test_a_window_below_the_masses_of_a_line_is_refused() -> None:
    cuts = (Cut("mass", (2, 3), 0.0, 300.0),)
    closed = next(
        case
        for case in cases("g g > t t~ g", PARTONS, cuts)
        if (2, 3) in [line.legs for line in case.channel.topology.propagators]
    )
    with pytest.raises(
        InputError, match=r"expected a mass of particles 3 4 above 346 GeV; got at most 300"
    ):
        closed.mapping()


@pytest.mark.parametrize("process", ["g g > g g g", "g g > t t~ g g"])
def test_inverse_is_zero_where_a_line_is_lighter_than_its_floor(process: str) -> None:
    for case in cases(process, PARTONS):
        mapping, flat = case.mapping(), replace(case, cuts=()).flat()
        p, _ = flat.forward(points(flat, 20000))
        lines = [list(line.legs) for line in case.channel.topology.propagators if line.kind == "s"]
        mass = np.array([invariant_mass(p[:, legs]) for legs in lines]).reshape(len(lines), len(p))
        least = np.array([case.mass_limits.least_mass(legs) for legs in lines])[:, None]
        jacobian = mapping.inverse(p)[1]
        assert (jacobian[(mass < least * (1 - 1e-9)).any(axis=0)] == 0).all()


def test_every_event_that_passes_the_cuts_is_reached_by_every_channel(case: Case) -> None:
    mapping, flat = case.mapping(), case.flat()
    p, _ = flat.forward(points(flat, 4000))
    p = as_momenta(p[Cuts(case.cuts).passes(p)])
    assert len(p) > 200
    x, jacobian = mapping.inverse(p)
    assert (jacobian > 0).all()
    again, same = mapping.forward(x)
    error = np.abs(again - p).max(axis=(1, 2)) / p[:, :2, 0].sum(axis=1)
    assert np.quantile(error, 0.99) < 1e-9
    assert error.max() < 1e-5
    assert np.quantile(np.abs(same / jacobian - 1), 0.99) < 1e-8


def test_results_do_not_depend_on_neighbours(some: Case) -> None:
    laws.mapping_does_not_depend_on_neighbours(some.mapping())


def test_results_do_not_depend_on_threads(some: Case) -> None:
    laws.mapping_does_not_depend_on_threads(some.mapping())


def test_empty_batches_are_served(some: Case) -> None:
    laws.mapping_serves_empty_batches(some.mapping())


def test_instruction_sets_agree() -> None:
    mappings = [case.mapping() for case in SOME]
    laws.instruction_sets_agree(
        [(mapping.forward, (points(mapping, 101),)) for mapping in mappings], 1e-10
    )


def test_permuted_legs_give_permuted_momenta(some: Case) -> None:
    mapping, rng = some.mapping(), np.random.default_rng(5)
    legs = (0, 1, *(int(leg) for leg in 2 + rng.permutation(mapping.n_particles - 2)))
    x = points(mapping, 1000)
    p, jacobian = mapping.forward(x)
    permuted, same = some.mapping(legs).forward(x)
    np.testing.assert_array_equal(permuted[:, legs], p)
    np.testing.assert_array_equal(same, jacobian)
    for ours, theirs in zip(some.mapping(legs).inverse(permuted), mapping.inverse(p), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_exchanged_incoming_legs_turn_the_event_round(some: Case) -> None:
    n = len(masses(some.process))
    turned = replace(some, beams=CollidingBeams(some.beams.second, some.beams.first))
    legs = (1, 0, *reversed(range(2, n)))
    mapping, exchanged = some.mapping(), turned.mapping(legs)
    x = points(mapping, 1000)
    p, jacobian = mapping.forward(x)
    there, same = exchanged.forward(x)
    np.testing.assert_array_equal(there[:, legs], p * [1, 1, -1, -1])
    np.testing.assert_array_equal(same, jacobian)
    for ours, theirs in zip(exchanged.inverse(there), mapping.inverse(p), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("process", ["g g > t t~ g g", VBS])
def test_channels_of_a_group_are_their_representative_with_permuted_legs(process: str) -> None:
    representatives: dict[int, Case] = {}
    for case in cases(process, HADRONS):
        representative = representatives.setdefault(case.channel.group, case)
        mapping = representative.mapping(case.channel.permutation)
        laws.mapping_conserves_momentum(mapping)
        laws.mapping_inverse_undoes_forward(mapping, 1e-9)
        laws.mapping_particles_are_on_shell(mapping, masses(process))


def test_mappings_survive_pickling(some: Case) -> None:
    mapping = some.mapping()
    x = points(mapping, 3)
    again = pickle.loads(pickle.dumps(mapping))
    np.testing.assert_array_equal(again.forward(x)[0], mapping.forward(x)[0])


def test_a_line_on_its_pole_is_drawn_from_a_breit_wigner() -> None:
    (case,) = (
        one
        for one in cases("u u~ > e+ e- g", PARTONS)
        if [line.pdg for line in one.channel.topology.propagators if line.kind == "s"] == [23]
        and one.channel.topology.clusters[0].children
    )
    p, _ = case.mapping().forward(points(case.mapping(), 20000))
    mass, width = POLES[23]
    inside = np.abs(invariant_mass(p[:, 2:4]) ** 2 - mass**2) < mass * width
    assert abs(inside.mean() - 0.5) < 0.02


@pytest.mark.parametrize(
    ("process", "beams", "message"),
    [
        (
            "g g > t t~ g",
            CollidingBeams.hadrons((100.0, 100.0)),
            "beams above the threshold of 366 GeV; got sqrt(s) = 200",
        ),
        (
            "g g > t t~ g",
            CollidingBeams.partons((183.0, 183.0)),
            "expected beams above the threshold of 366",
        ),
        (
            "g g > w+ d u~",
            CollidingBeams.partons((60.0, 60.0)),
            "expected beams above the threshold of 120",
        ),
    ],
)
def test_beams_below_the_threshold_are_named(
    process: str, beams: CollidingBeams, message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        cases(process, beams)[0].mapping()


def test_massless_particles_of_hadrons_need_no_cuts() -> None:
    mapping = cases("g g > g g g", HADRONS, cuts=())[0].mapping()
    p, jacobian = mapping.forward(points(mapping, 1000))
    assert (jacobian > 0).all()
    assert np.isfinite(p).all()


def points(mapping: ChannelMapping, n: int) -> Array:
    return np.random.default_rng(17).random((n, mapping.dim))


def invariant_mass(p: Array) -> Array:
    total = p.sum(axis=1)
    square: Array = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    return np.sqrt(np.maximum(square, 0.0))


MASSIVE = {
    24: (80.4, 2.0),
    25: (125.0, 0.006),
    6: (173.0, 1.5),
    5: (4.7, 0.0),
    11: (0.0, 0.0),
    12: (0.0, 0.0),
}


def decay(pdg: int, *children: Cluster) -> Cluster:
    return Cluster(sum(child.legs for child in children), pdg, children)


def test_points_lie_on_the_tail_of_a_resonance_half_of_them_if_its_decay_is_above_it() -> None:
    first, second = (decay(24, Cluster(1 << leg, 11), Cluster(2 << leg, 12)) for leg in (2, 4))
    lines = PropagatorLines(MASSIVE, 20.0)
    higgs, top = decay(25, first, second), decay(6, first, Cluster(1 << 4, 5))
    whole = [lines.s_hat(Topology((one,), ()), 100.0) for one in (higgs, top)]
    inner = [lines.decaying(one, 10.0) for one in (higgs, top)]
    assert [(line.kind, line.share) for line in (*whole, *inner)] == [
        (_core.LineKind.mixture, share) for share in (0.5, 0.95, 0.95, 0.95)
    ]
    assert lines.decaying(higgs, 130.0).kind == _core.LineKind.power


@pytest.mark.parametrize("width", [1e-3, 0.006, 2.5, 60.0])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_mixture_finds_the_way_back_for_narrow_and_wide_resonances(
    width: float, share: float
) -> None:
    class Mixed(PropagatorLines):
        def decaying(self, cluster: Cluster, least: float) -> _core.Line:
            return _core.Line(
                kind=_core.LineKind.mixture,
                mass=125.0,
                width=width,
                power=1.0,
                pole=least**2 - 1.0,
                share=share,
            )

    pair = decay(25, Cluster(1 << 2, 11), Cluster(1 << 3, 12))
    limits = MassLimits((0.0,) * 5, ())
    topology = Topology((decay(23, pair, Cluster(1 << 4, 12)),), ())
    poles = {**MASSIVE, 23: (91.2, 2.4)}
    mapping = TopologyMapping(
        topology, Mixed(poles, 20.0), limits, 50.0, CollidingBeams.hadrons((6500.0, 6500.0))
    )
    laws.mapping_inverse_undoes_forward(mapping, 1e-9, worst=1e-7)
    laws.mapping_jacobian_agrees_with_finite_differences(mapping, HADRONS.energies)
    laws.mapping_gives_no_nan_at_edges_of_the_cube(mapping)
