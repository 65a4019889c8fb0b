"""Numbers of diagrams, colour flows and helicities, against literature and combinatorics."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from amplitudes import amplitude, numbered, reaction, reactions

from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.amplitude_builder import average_factor
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model

MODEL = Model("sm")
VERTICES = VertexTable(MODEL)


def diagrams(text: str) -> tuple[Diagram, ...]:
    return diagrams_of(recursion_of(reaction(text, MODEL), VERTICES))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("u d~ > w+ w+ w-", 17),
        ("u c > w+ w+ d s QCD=99 QED=99", 51),
        ("u c > w+ w+ d s QCD=2 QED=2", 8),
        ("u c > w+ w+ d s QCD=0", 43),
        ("g g > w+ d u~", 8),
        ("g g > w+ d u~ g", 50),
        ("g g > w+ d u~ g g", 428),
        ("g g > t t~ g", 16),
        ("g g > t t~ g g", 123),
        ("g g > t t~ g g g", 1240),
    ],
)
def test_processes_of_table_5_3_have_its_numbers_of_diagrams(text: str, count: int) -> None:
    assert len(diagrams(text)) == count


@pytest.mark.parametrize(("n", "count"), [(4, 4), (5, 25), (6, 220)])
@pytest.mark.parametrize("particle", ["g", "h"])
def test_trees_with_vertices_of_three_and_four_are_counted_as_for_gluons(
    particle: str, n: int, count: int
) -> None:
    assert len(diagrams(f"{particle} {particle} >{f' {particle}' * (n - 2)}")) == count


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_photons_along_a_quark_line_come_in_any_order(n: int) -> None:
    assert len(diagrams(f"u u~ >{' a' * n}")) == factorial(n)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_photons_along_two_lines_with_one_photon_between_them(n: int) -> None:
    """Sum over k of C(n, k) (k + 1)! (n - k + 1)! = (n + 3)! / 6."""
    assert len(diagrams(f"e+ e- > mu+ mu-{' a' * n} / z")) == factorial(n + 3) // 6


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("u u~ > e+ e-", 2),
        ("u u~ > e+ e- / z", 1),
        ("u u~ > e+ e- / a", 1),
        ("u u~ > z g", 2),
        ("u u~ > z g / z", 2),  # external particles are no intermediate ones
        ("w+ w- > z z", 4),
        ("w+ w- > z z / h", 3),
        ("w+ w- > w+ w-", 7),
        ("w+ w- > w+ w- / a h", 3),
        ("u d~ > w+ w+ w- / h", 15),
        ("g g > t t~ / t", 1),
        ("g g > t t~ / t~", 1),
        ("g g > g g / g", 1),
    ],
)
def test_excluded_particles_do_not_propagate(text: str, count: int) -> None:
    assert len(diagrams(text)) == count


def test_nothing_left_by_exclusions_is_an_error_that_names_the_process() -> None:
    with pytest.raises(InputError, match="u u~ > e\\+ e-"):
        TreeAmplitude(reaction("u u~ > e+ e- / a z", MODEL), MODEL)


@pytest.mark.parametrize(
    ("orders", "count"),
    [
        ("", 1),
        ("WEIGHTED=2", 1),
        ("WEIGHTED<=3", 1),
        ("WEIGHTED=4", 4),
        ("QCD=0", 3),
        ("QED=0", 1),
        ("QED=2", 4),
        ("QCD=2 QED=2", 4),
        ("QCD=1", 3),
        ("QCD=0 QED=1", 0),
        ("WEIGHTED=1", 0),
    ],
)
def test_orders_are_the_highest_powers_of_the_amplitude(orders: str, count: int) -> None:
    """u u~ > d d~ goes through a gluon, a photon, a Z or, in the t channel, a W."""
    assert len(diagrams(f"u u~ > d d~ {orders}")) == count


@pytest.mark.parametrize(
    ("orders", "count"), [("WEIGHTED=6", 8), ("WEIGHTED=7", 8), ("WEIGHTED=8", 51), ("", 8)]
)
def test_the_lowest_weight_is_what_no_orders_mean(orders: str, count: int) -> None:
    assert len(diagrams(f"u c > w+ w+ d s {orders}")) == count


def test_powers_of_couplings_are_those_of_the_legs() -> None:
    """Three-point vertices bring one coupling each, four-point ones two: n - 2 in all."""
    for text in ("u c > w+ w+ d s QCD=99 QED=99", "g g > t t~ g g", "w+ w- > z z h"):
        for diagram in diagrams(text):
            n_legs = diagram.tree.n_legs + 1
            assert sum(diagram.powers) == n_legs - 2
            vertices = [len(tree.children) + 1 for tree in diagram.tree.subtrees() if tree.children]
            assert sum(size - 2 for size in vertices) == n_legs - 2
            assert len(diagram.propagators) == len(vertices) - 1


def test_gluon_contacts_own_one_amplitude_per_colour_structure() -> None:
    counts = sorted(len(diagram.amplitudes) for diagram in diagrams("g g > g g"))
    assert counts == [1, 1, 1, 3]


TOP_DECAYS = "(t > b w+, w+ > e+ ve), (t~ > b~ w-, w- > mu- vm~)"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"g g > t t~, {TOP_DECAYS}", 3),
        (f"u u~ > t t~, {TOP_DECAYS}", 1),
        (f"g g > t t~ g, {TOP_DECAYS}", 16),
        ("u u~ > z g, z > e+ e-", 2),
        ("u u~ > z z, z > e+ e-, z > mu+ mu- a", 4),
    ],
)
def test_diagrams_of_a_chain_are_the_products_of_those_of_its_steps(text: str, count: int) -> None:
    assert len(diagrams(text)) == count


def test_decay_products_stand_in_the_place_of_their_parent() -> None:
    assert reaction(f"g g > t t~, {TOP_DECAYS}", MODEL).legs == (21, 21, 5, -11, 12, -5, 13, -14)


def test_decaying_particles_are_propagators_of_every_diagram() -> None:
    for diagram in diagrams(f"g g > t t~, {TOP_DECAYS}"):
        assert {(6, (2, 3, 4)), (24, (3, 4)), (6, (5, 6, 7)), (24, (6, 7))} <= set(
            diagram.propagators
        )


@pytest.mark.parametrize(
    ("text", "denominator"),
    [
        ("g g > g g g", 4 * 64 * 6),
        ("u u > u u", 4 * 9 * 2),
        ("u u~ > u u~", 4 * 9),
        ("u d~ > w+ w+ w-", 4 * 9 * 2),
        ("w+ w- > z z", 9 * 2),
        ("g u > z u", 4 * 24),
        ("ve ve~ > e+ e-", 4),
        ("h h > h h", 2),
        ("t > b w+", 2 * 3),
        ("u u~ > z z, z > e+ e-", 4 * 9 * 2),
        ("u u~ > z z, z > e+ e-, z > mu+ mu-", 4 * 9),
        ("g g > t t~, (t > b w+, w+ > u d~), (t~ > b~ w-, w- > d u~)", 4 * 64),
        ("h > z z, z > e+ e-", 2),
        ("u u~ > z z g g, z > u u~", 4 * 9 * 2 * 2),
    ],
)
def test_averages_count_initial_states_and_permutations_of_equal_particles(
    text: str, denominator: int
) -> None:
    (first, *_) = reactions(text, MODEL)
    assert 1 / average_factor(first, MODEL) == denominator


@pytest.mark.parametrize(
    ("text", "flows"),
    [
        *((f"g g >{' g' * (n - 2)}", factorial(n - 1)) for n in (4, 5, 6)),
        *((f"u u~ >{' g' * n}", factorial(n)) for n in (2, 3, 4)),
        *((f"u u~ > d d~{' g' * n}", 2 * factorial(n + 1)) for n in (0, 1, 2)),
        ("u u~ > d d~ s s~", 6),
        ("u u~ > w+ w- g", 1),
        ("e+ e- > u u~ s s~ QCD=0", 1),
        ("e+ e- > u u~ d d~ QCD=0", 2),
        ("u c > w+ w+ d s QCD=99 QED=99", 2),
    ],
)
def test_colour_flows_are_permutations(text: str, flows: int) -> None:
    assert len(amplitude(text).flows) == len(set(map(numbered, amplitude(text).flows))) == flows


@pytest.mark.parametrize("n", [4, 5, 6])
def test_gluons_need_two_helicities_of_either_sign(n: int) -> None:
    states = amplitude(f"g g >{' g' * (n - 2)}").helicities
    outgoing = states * np.where(np.arange(n) < 2, -1, 1)
    assert len(states) == 2**n - 2 - 2 * n
    assert np.abs(outgoing.sum(axis=1)).max() == n - 4


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("u u~ > e+ e-", 4),
        ("u d~ > e+ ve", 1),
        ("u u~ > t t~", 8),
        ("h h > h h", 1),
        ("t > b w+", 12),
    ],
)
def test_helicities_follow_chirality_and_spin(text: str, count: int) -> None:
    assert len(amplitude(text).helicities) == count
