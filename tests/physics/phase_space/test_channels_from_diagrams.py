"""Channels from diagrams: topologies, the diagrams of each, and symmetry groups."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.coupling_orders import OrderLimit
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.reactions import Reaction, reaction_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.phase_space.channel_topologies import (
    ChannelTopology,
    channel_topologies,
    leg_kind,
    line_kind,
)
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.process.evaluation import describe_diagrams
from madnis_py.physics.process.process import Process

MODEL = Model("sm")
CKM = Model("sm", {"lamWS": 0.2253, "AWS": 0.808, "rhoWS": 0.132, "etaWS": 0.341})
VBS = "u c > w+ w+ d s QCD=99 QED=99"
PUBLISHED = {
    "u d~ > w+ w+ w-": (17, 16, 8),
    VBS: (51, 30, 15),
    "g g > w+ d u~": (8, 8, 4),
    "g g > w+ d u~ g": (50, 48, 24),
    "g g > w+ d u~ g g": (428, 384, 108),
    "g g > t t~ g": (16, 15, 9),
    "g g > t t~ g g": (123, 105, 35),
    "g g > t t~ g g g": (1240, 945, 119),
}
"""Diagrams, channels and groups of Tab. 5.3 of the MadNIS thesis."""
OTHERS = (
    "u u~ > e+ e-",
    "g g > g g g",
    "u c > w+ w+ d s",
    "ve vm > ve vm h QED=99",
    "u u > u u QED=99 QCD=99",
)
PROCESSES = pytest.mark.parametrize("name", [*PUBLISHED, *OTHERS])
Lines = frozenset[tuple[str, int, tuple[int, ...]]]


@cache
def reaction(name: str) -> Reaction:
    words: list[str] = []
    orders: list[OrderLimit] = []
    for word in name.split():
        key, is_order, power = word.partition("=")
        if is_order:
            orders.append(OrderLimit(key, int(power)))
        else:
            words.append(word)
    incoming, outgoing = (
        [MODEL.pdg_of[word] for word in side.split()] for side in " ".join(words).split(" > ")
    )
    return reaction_of(incoming, outgoing, *orders)


@cache
def diagrams(name: str, model: Model = MODEL) -> tuple[Diagram, ...]:
    return diagrams_of(recursion_of(reaction(name), VertexTable(model)))


@cache
def channels(
    name: str, photon_only: bool = True, model: Model = MODEL
) -> tuple[ChannelTopology, ...]:
    one = reaction(name)
    return channel_topologies(
        diagrams(name, model),
        one.legs,
        model,
        n_incoming=len(one.incoming),
        photon_only_t_channel=photon_only,
    )


def n_groups(selected: tuple[ChannelTopology, ...]) -> int:
    return len({channel.group for channel in selected})


def representatives(selected: tuple[ChannelTopology, ...]) -> dict[int, ChannelTopology]:
    return {channel.group: channel for channel in reversed(selected)}


def lines(topology: Topology) -> Lines:
    return frozenset((line.kind, line.pdg, line.legs) for line in topology.propagators)


def structure(topology: Topology) -> frozenset[object]:
    """A topology as far as phase space knows it."""
    return frozenset(
        (line.kind, line_kind(line.pdg, MODEL), line.legs) for line in topology.propagators
    )


def card(definition: str) -> Card:
    return Card.parse({"process": {"definition": definition}, "beams": {"pdf": "none"}})


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_are_those_of_the_thesis(name: str) -> None:
    selected = channels(name)
    assert (len(diagrams(name)), len(selected), n_groups(selected)) == PUBLISHED[name]


class ReferenceLine(TypedDict):
    """A propagator as the reference has it; its legs count from 1."""

    kind: str
    pdg: int
    legs: list[int]


def reference_lines(propagators: list[ReferenceLine], n_legs: int) -> Lines:
    """Propagators of the reference: t-channel legs on the side of leg 1, no external leg."""
    everything = set(range(1, n_legs + 1))
    found = set()
    for line in propagators:
        legs = set(line["legs"])
        if line["kind"] == "t" and 1 not in legs:
            legs = everything - legs
        if line["kind"] == "s" or 1 < len(legs) < n_legs - 1:
            found.add((line["kind"], line["pdg"], tuple(sorted(leg - 1 for leg in legs))))
    return frozenset(found)


@pytest.mark.parametrize(
    "name", [name for name in PUBLISHED if name not in ("g g > w+ d u~ g g", "g g > t t~ g g g")]
)
def test_channels_and_their_groups_are_those_of_madgraph(name: str, shared: Path) -> None:
    reference = json.loads((shared / "reference" / "channels.json").read_text())["processes"][name]
    selected = channels(name, photon_only=False)  # as the version of the reference
    n_legs = len(reaction(name).legs)
    theirs = [
        reference_lines(propagators, n_legs) for propagators in reference["channel_propagators"]
    ]
    assert len(set(theirs)) == len(theirs) == len(selected)
    assert {lines(channel.topology) for channel in selected} == set(theirs)
    groups: dict[str, dict[int, set[Lines]]] = {
        "ours": defaultdict(set),
        "theirs": defaultdict(set),
    }
    for one, group in zip(theirs, reference["group_of_channel"], strict=True):
        groups["theirs"][group].add(one)
    for channel in selected:
        groups["ours"][channel.group].add(lines(channel.topology))
    ours, expected = (
        {frozenset(group) for group in groups[side].values()} for side in ("ours", "theirs")
    )
    assert ours == expected


@PROCESSES
def test_a_topology_has_the_propagators_of_its_diagram(name: str) -> None:
    legs = range(len(reaction(name).legs))
    for diagram in diagrams(name):
        topology = Topology.of(diagram)
        assert (topology is None) == (diagram.max_vertex > 3)
        if topology is None:
            continue
        assert len(topology.exchanges) == len(topology.clusters) - 1
        assert sum(cluster.legs for cluster in topology.clusters) == 2 ** len(legs) - 4
        away = [
            (line.pdg, tuple(leg for leg in legs if (leg in line.legs) == (line.kind == "s")))
            for line in topology.propagators
        ]
        assert tuple(sorted(away)) == diagram.propagators


def inside(cluster: Cluster) -> list[Cluster]:
    return [cluster, *(part for child in cluster.children for part in inside(child))]


@PROCESSES
def test_clusters_split_in_two_ordered_by_the_lowest_leg_and_end_in_external_legs(
    name: str,
) -> None:
    legs = reaction(name).legs
    for channel in channels(name):
        for cluster in (part for top in channel.topology.clusters for part in inside(top)):
            if not cluster.children:
                assert cluster.legs.bit_count() == 1
                assert cluster.pdg == abs(legs[cluster.legs.bit_length() - 1])
                continue
            first, second = cluster.children
            assert first.legs + second.legs == first.legs | second.legs == cluster.legs
            assert first.legs & -first.legs < second.legs & -second.legs


@PROCESSES
def test_a_permutation_there_and_back_changes_nothing(name: str) -> None:
    n_legs, draw = len(reaction(name).legs), random.Random(1)
    for channel in channels(name):
        there = [*draw.sample(range(2), 2), *draw.sample(range(2, n_legs), n_legs - 2)]
        back = [there.index(leg) for leg in range(n_legs)]
        assert channel.topology.permuted(there).permuted(back) == channel.topology


def test_an_exchange_of_the_incoming_legs_reads_the_line_from_the_other_end() -> None:
    leaf = {leg: Cluster(1 << leg, pdg) for leg, pdg in ((2, 24), (3, 1), (4, 2))}
    pair = Cluster(0b01100, 2, (leaf[2], leaf[3]))
    assert Topology((pair, leaf[4]), (2,)).permuted((1, 0, 2, 3, 4)) == Topology(
        (leaf[4], pair), (2,)
    )
    swapped = Topology((leaf[2], leaf[3], leaf[4]), (1, 2)).permuted((1, 0, 4, 3, 2))
    assert swapped == Topology((Cluster(4, 2), leaf[3], Cluster(16, 24)), (2, 1))


@PROCESSES
@pytest.mark.parametrize("photon_only", [True, False])
def test_every_three_point_diagram_belongs_to_one_channel_the_first_of_them_in_order(
    name: str, photon_only: bool
) -> None:
    selected = channels(name, photon_only)
    columns = sorted(column for channel in selected for column in channel.diagrams)
    assert columns == [
        column for column, diagram in enumerate(diagrams(name)) if diagram.max_vertex == 3
    ]
    firsts = [channel.diagrams[0] for channel in selected]
    assert firsts == sorted(firsts)
    for channel in selected:
        assert list(channel.diagrams) == sorted(channel.diagrams)
        assert channel.topology in [
            Topology.of(diagrams(name)[column]) for column in channel.diagrams
        ]


@PROCESSES
@pytest.mark.parametrize("photon_only", [True, False])
def test_permutations_carry_the_representative_to_its_members_by_moves_of_alike_particles(
    name: str, photon_only: bool
) -> None:
    selected, legs = channels(name, photon_only), reaction(name).legs
    first = representatives(selected)
    assert sorted(first) == list(range(len(first)))
    for channel in selected:
        permutation = channel.permutation
        carried = first[channel.group].topology.permuted(permutation)
        assert structure(carried) == structure(channel.topology)
        assert sorted(permutation) == list(range(len(legs)))
        assert permutation[:2] == (0, 1)
        for leg, there in enumerate(permutation):
            assert leg_kind(legs[leg], MODEL) == leg_kind(legs[there], MODEL)
        if channel is first[channel.group]:
            assert permutation == tuple(range(len(legs)))
    if {abs(pdg) for pdg in legs} <= {6, 21}:
        assert all(
            first[channel.group].topology.permuted(channel.permutation) == channel.topology
            for channel in selected
        )


def test_groups_of_identical_particles_alone_exchange_nothing_else() -> None:
    found = {}
    for name in ("g g > w+ d u~", "g g > t t~ g", "g g > t t~ g g", VBS):
        legs = reaction(name).legs
        selected = channel_topologies(diagrams(name), legs, MODEL, identical_only=True)
        assert all(
            legs[there] == pdg
            for channel in selected
            for pdg, there in zip(legs, channel.permutation, strict=True)
        )
        found[name] = n_groups(selected)
    assert list(found.values()) == [8, 15, 60, 15]


@pytest.mark.parametrize(
    "name", ["u d~ > w+ w+ w-", VBS, "g g > w+ d u~", "g g > w+ d u~ g", "g g > t t~ g"]
)
def test_members_of_a_group_have_the_matrix_element_and_the_share_of_their_representative(
    name: str,
) -> None:
    amplitude, selected = TreeAmplitude(reaction(name), MODEL), channels(name)
    p = generic_momenta([MODEL.mass(pdg) for pdg in amplitude.legs], 2)
    me2, squares = amplitude.evaluate(as_momenta(p), 0.118)
    first = representatives(selected)
    for channel in selected:
        me2_there, there = amplitude.evaluate(as_momenta(p[:, list(channel.permutation)]), 0.118)
        np.testing.assert_allclose(me2_there, me2, rtol=1e-12)
        share = squares[:, channel.diagrams].sum(axis=1) / squares.sum(axis=1)
        share_there = there[:, first[channel.group].diagrams].sum(axis=1) / there.sum(axis=1)
        np.testing.assert_allclose(share_there, share, rtol=1e-12)


@PROCESSES
def test_groups_do_not_depend_on_names_and_order_of_legs_or_diagrams(name: str) -> None:
    draw, one = random.Random(2), reaction(name)
    outgoing = [branch.pdg for branch in one.outgoing]
    for _ in range(2):
        other = reaction_of(one.incoming, draw.sample(outgoing, len(outgoing)), *one.orders)
        found = list(diagrams_of(recursion_of(other, VertexTable(MODEL))))
        draw.shuffle(found)
        selected = channel_topologies(found, other.legs, MODEL)
        assert sorted(group_sizes(selected)) == sorted(group_sizes(channels(name)))


def group_sizes(selected: tuple[ChannelTopology, ...]) -> list[int]:
    groups = [channel.group for channel in selected]
    return [groups.count(group) for group in set(groups)]


def test_t_channel_z_and_higgs_boson_join_the_photon_where_there_is_one() -> None:
    first = {channel.diagrams: channel for channel in channels(VBS)}
    joined = [columns for columns in first if len(columns) > 1]
    exchanged = [
        sorted(topology_of(diagrams(VBS)[k]).exchanges for k in columns) for columns in joined
    ]
    added = sum(len(columns) - 1 for columns in joined)
    assert added == 20
    for columns, exchanges in zip(joined, exchanged, strict=True):
        assert first[columns].topology.exchanges in exchanges
        assert 22 in first[columns].topology.exchanges
        assert {pdg for one in exchanges for pdg in one} >= {22, 23}
    neutrinos = channels("ve vm > ve vm h QED=99")
    assert {pdg for channel in neutrinos for pdg in channel.topology.exchanges} == {23}


def topology_of(diagram: Diagram) -> Topology:
    """The topology of a diagram of three-point vertices."""
    topology = Topology.of(diagram)
    assert topology is not None
    return topology


def test_gluon_and_photon_in_one_place_are_two_channels() -> None:
    assert len(channels("u u > u u QED=99 QCD=99")) == 4
    assert len(channels("u u > u u QED=99 QCD=99", photon_only=False)) == 6


def test_quarks_of_equal_mass_behind_a_ckm_matrix_are_one_channel() -> None:
    name = "u u~ > w+ w- QED=99"
    assert len(diagrams(name, CKM)) > len(diagrams(name))
    assert (
        len(channels(name, model=CKM)) == len(channels(name)) + 1
    )  # the massive b quark in the t channel
    merged = [channel for channel in channels(name, model=CKM) if len(channel.diagrams) > 1]
    assert [
        topology_of(diagrams(name, CKM)[column]).exchanges for column in merged[0].diagrams
    ] == [(1,), (3,)]


def test_a_decay_has_one_cluster() -> None:
    one = reaction("t > b w+ g")
    found = diagrams_of(recursion_of(one, VertexTable(MODEL)))
    selected = channel_topologies(found, one.legs, MODEL, n_incoming=1)
    assert len(selected) == len(found) == 2
    for channel, diagram in zip(selected, found, strict=True):
        (cluster,) = channel.topology.clusters
        assert (cluster.legs, cluster.pdg, channel.topology.exchanges) == (0b1110, 6, ())
        assert (
            tuple((line.pdg, line.legs) for line in channel.topology.propagators)
            == diagram.propagators
        )


def test_five_particles_take_little_time() -> None:
    name = "g g > t t~ g g g"
    start = time.process_time()
    found = diagrams_of(recursion_of(reaction(name), VertexTable(MODEL)))
    channel_topologies(found, reaction(name).legs, MODEL)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(("name", "counts"), PUBLISHED.items())
def test_a_card_tells_its_channels(name: str, counts: tuple[int, int, int]) -> None:
    described = describe_diagrams(Process.from_card(card(name)))
    assert (described["diagrams"], described["channels"], described["groups"]) == counts
    assert [entry["channels"] for entry in described["processes"]] == [counts[1]]


def test_totals_of_a_card_are_those_of_its_matrix_elements_and_topologies_come_on_demand() -> None:
    process = Process.from_card(Card.parse({"process": {"definition": "p p > t t~ j"}}))
    described = describe_diagrams(process, with_propagators=True)
    assert len(described["processes"]) > 1
    for key in ("diagrams", "channels", "groups"):
        assert described[key] == sum(entry[key] for entry in described["processes"])
    for entry in described["processes"]:
        topologies = entry["topologies"]
        assert len(topologies) == entry["channels"]
        assert {one["group"] for one in topologies} == set(range(1, entry["groups"] + 1))
        for one in topologies:
            (column,) = one["diagrams"]
            s_lines = [
                [line["pdg"], line["legs"]] for line in one["propagators"] if line["kind"] == "s"
            ]
            assert all(
                [pdg, legs] in s_lines or 2 in legs
                for pdg, legs in entry["propagators"][column - 1]
            )
    assert "topologies" not in describe_diagrams(process)["processes"][0]


def test_a_card_of_a_decay_tells_its_channels() -> None:
    described = describe_diagrams(Process.from_card(card("z > e+ e- a")))
    assert (described["diagrams"], described["channels"], described["groups"]) == (2, 2, 1)
