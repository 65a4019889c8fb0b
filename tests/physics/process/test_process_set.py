"""Processes of a card that lists several: numbers, and which cuts and histograms are whose."""

from __future__ import annotations

from typing import Any

import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError
from madnis_py.physics.process import process_set as module
from madnis_py.physics.process.process import Process
from madnis_py.physics.process.process_set import ProcessSet


def process_set(*definitions: str, **tables: Any) -> ProcessSet:
    card = {"process": {"definition": definitions}, "beams": {"pdf": "toy"}, **tables}
    return ProcessSet.from_card(Card.parse(card))


def test_a_process_without_a_number_has_that_of_its_place() -> None:
    found = process_set("p p > z @7", "p p > w+", "p p > w- @7")
    assert [process.number for process in found.processes] == [7, 2, 7]


def test_the_number_0_is_one() -> None:
    assert [one.number for one in process_set("p p > z @0", "p p > w+ @1").processes] == [0, 1]


def test_a_cut_counts_for_the_processes_that_have_its_particles() -> None:
    found = process_set(
        "p p > z",
        "p p > z j",
        "p p > z j j",
        cuts={
            "jet": {"pt_min": 20.0},
            "jet[2]": {"pt_min": 30.0},
            "jet,jet": {"dr_min": 0.4},
            "z": {"pt_min": 5.0},
            "photon|lepton": {"pt_min": 1.0},
        },
    )
    none, one, two = (set(process.card.cuts.by_name) for process in found.processes)
    of_all = {"z", "photon|lepton"}  # no process has photons or leptons, which classes may be
    assert none == of_all
    assert one == of_all | {"jet", "jet,jet"}  # which a single jet passes
    assert two == of_all | {"jet", "jet,jet", "jet[2]"}
    assert [len(process.selection.common) for process in found.processes] == [1, 2, 5]


def test_a_histogram_is_one_of_the_processes_that_have_its_particles() -> None:
    found = process_set(
        "p p > z", "p p > z j", cuts={"jet": {"pt_min": 20.0}}, histograms={"pt(jet[1])": {}}
    )
    assert [list(process.card.histograms) for process in found.processes] == [[], ["pt(jet[1])"]]
    assert list(found.card.histograms) == ["pt(jet[1])"]


def test_flavours_of_one_definition_may_be_left_out_of_another() -> None:
    found = process_set("g g > t t~", "u u~ > t t~", "d d~ > t t~")
    assert len(found.processes) == 3


def test_an_overlap_in_a_single_flavour_is_one() -> None:
    sentence = r'got "p p > t t~ @1" and "d d~ > t~ t @2", both with d d~ > t~ t'
    with pytest.raises(CardError, match=sentence):
        process_set("p p > t t~", "d d~ > t~ t")
    process_set("p p > t t~", "b b~ > t t~")  # the protons of this card have no b quarks


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("p p > w+{0} w-", "p p > w+{T} w-"),
        ("p p > z{0} z{T}", "p p > z{T} z{T}"),
        ("p p > w+{0} w-, w+ > e+ ve", "p p > w+{-} w-, w+ > e+ ve"),
        ("g{L} g > t t~", "g{R} g > t t~"),
    ],
)
def test_states_that_exclude_each_other_have_no_events_in_common(one: str, other: str) -> None:
    assert len(process_set(one, other).processes) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("p p > w+{0} w-", "p p > w+ w-"),
        ("p p > z{0} z{T}", "p p > z{T} z{0}"),
        ("p p > w+{0T} w-, w+ > e+ ve", "p p > w+{T} w-, w+ > e+ ve"),
    ],
)
def test_states_in_common_are_an_overlap(one: str, other: str) -> None:
    with pytest.raises(CardError, match="expected processes without events in common"):
        process_set(one, other)


def test_the_card_of_the_whole_stands_for_itself() -> None:
    found = process_set("p p > z", "p p > w+", parameters={"MZ": 91.0})
    assert found.card.parameters.overrides["MZ"] == 91.0
    assert "MT" in found.card.parameters.overrides
    assert ProcessSet.from_card(found.card).card.digest() == found.card.digest()


def test_polarisations_that_exclude_each_other_stand_beside_each_other() -> None:
    assert len(process_set("p p > z{0} z{0}", "p p > z{0} z{T}", "p p > z{T} z{T}").processes) == 3
    with pytest.raises(CardError, match="expected processes without events in common"):
        process_set("p p > z{0} z{T}", "p p > z{T} z{0}")
    with pytest.raises(CardError, match="expected processes without events in common"):
        process_set("p p > z z", "p p > z{T} z{T}")


LEPTONS = {"l+": "e+ mu+ ta+", "l-": "e- mu- ta-", "vl": "ve vm vt", "vl~": "ve~ vm~ vt~"}
TAU = 1.777


def by_masses(definition: str, **tables: Any) -> ProcessSet:
    card = {"process": {"definition": definition, "multiparticles": LEPTONS}, **tables}
    return ProcessSet.from_card(Card.parse({"beams": {"pdf": "toy"}, **card}))


def masses_of(processes: ProcessSet) -> list[tuple[float, ...]]:
    return [
        one.definition.masses[one.definition.n_incoming :] if one.definition.masses else ()
        for one in processes.processes
    ]


def test_a_definition_is_a_process_for_each_choice_of_masses() -> None:
    found = by_masses("p p > l+ l-")
    assert masses_of(found) == [(0, 0), (TAU, TAU)]
    light, heavy = (
        {frozenset(map(abs, legs[2:])) for legs in one.flavours} for one in found.processes
    )
    assert light == {frozenset({11}), frozenset({13})}
    assert heavy == {frozenset({15})}
    assert [one.number for one in found.processes] == [1, 1]


def test_equal_particles_of_several_masses_are_counted_once() -> None:
    """Two pairs of three leptons: 3 pairs of one kind, 3 of two kinds, whatever legs they have."""
    found = by_masses("p p > l+ l- l+ l-")
    assert masses_of(found) == [(0, 0, 0, 0), (0, 0, TAU, TAU), (TAU, TAU, TAU, TAU)]
    states = [
        [tuple(sorted(legs[2:])) for legs in one.flavours if legs[:2] == (2, -2)]
        for one in found.processes
    ]
    assert [len(of_part) for of_part in states] == [3, 2, 1]
    assert len({one for of_part in states for one in of_part}) == 6


def test_legs_of_a_label_are_counted_once_where_the_first_names_are_heavy() -> None:
    labels = {"x": "b ta- e-", "x~": "ta+ e+ b~"}
    card = {"process": {"definition": "u u~ > x x x~ x~ QCD=0", "multiparticles": labels}}
    found = ProcessSet.from_card(Card.parse({**card, "beams": {"pdf": "none"}}))
    contents = [tuple(sorted(legs[2:])) for one in found.processes for legs in one.flavours]
    assert len(contents) == len({*contents}) == 6  # multisets of two pairs of three kinds


def test_each_lepton_of_two_decays_has_a_mass_of_its_own() -> None:
    chain = "p p > w+ w-, w+ > l+ vl, w- > l- vl~"
    of_charged = [(masses[0], masses[2]) for masses in masses_of(by_masses(chain))]
    assert of_charged == [(0, 0), (0, TAU), (TAU, 0), (TAU, TAU)]


def test_the_lowest_orders_are_those_of_all_masses() -> None:
    """Beside jets, electroweak pairs of taus are no part of a definition without orders."""
    labels = {"x": "d ta-", "x~": "d~ ta+"}
    card = {"process": {"definition": "u u~ > x x~", "multiparticles": labels}}
    found = ProcessSet.from_card(Card.parse({**card, "beams": {"pdf": "none"}}))
    assert [one.flavours for one in found.processes] == [((2, -2, 1, -1),)]


def test_one_mass_of_each_leg_is_one_process_of_an_unchanged_card() -> None:
    card = Card.parse({"process": {"definition": "p p > e+ e-"}, "beams": {"pdf": "toy"}})
    (process,) = ProcessSet.from_card(card).processes
    assert process.card.digest() == Process.from_card(card).card.digest()
    assert process.definition.title == "p p > e+ e-"


def test_the_card_of_a_part_stands_for_itself() -> None:
    for part in by_masses("p p > l+ l- j", cuts={"jet": {"pt_min": 20.0}}).processes:
        again = Process.from_card(Card.parse(part.card.content()))
        assert again.flavours == part.flavours
        assert again.card.digest() == part.card.digest()


def test_a_cut_on_a_particle_of_one_mass_is_no_error_in_the_other_part() -> None:
    light, heavy = by_masses("p p > l+ l-", cuts={"e+|ta+": {"pt_min": 5.0}}).processes
    assert [cut.minimum for cut in heavy.selection.cuts] == [5.0]
    assert {len(light.selection.of(place)) for place in range(len(light.flavours))} == {0, 1}


@pytest.mark.parametrize(
    ("masses", "sentence"),
    [
        ([0.0, 0.0, TAU, 0.0], r"expected \[0.0, 0.0, 0.0, 0.0\] or \[0.0, 0.0, 1.777, 1.777\]; "),
        ([0.0, TAU], r"got \[0.0, 1.777\]"),
    ],
)
def test_masses_that_no_process_of_a_definition_has_are_refused(
    masses: list[float], sentence: str
) -> None:
    process = {"definition": "p p > l+ l-", "multiparticles": LEPTONS, "masses": masses}
    with pytest.raises(CardError, match=rf"process\.masses: .*{sentence}"):
        Process.from_card(Card.parse({"process": process, "beams": {"pdf": "toy"}}))


def test_masses_are_those_of_a_single_definition() -> None:
    process = {"definition": ["p p > z", "p p > w+"], "masses": [0.0, 0.0, 91.188]}
    with pytest.raises(CardError, match=r"process\.masses: expected one definition .*; got 2"):
        ProcessSet.from_card(Card.parse({"process": process, "beams": {"pdf": "toy"}}))


def test_too_many_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PROCESSES", 3)
    with pytest.raises(CardError, match=r"expected at most 3 processes, each of one mass .* got 4"):
        by_masses("p p > w+ w-, w+ > l+ vl, w- > l- vl~")


def test_another_program_gives_one_process() -> None:
    element = {"provider": "python", "function": "any.py:function"}
    card = {"definition": "u u~ > l+ l-", "multiparticles": LEPTONS, "matrix_element": element}
    with pytest.raises(CardError, match=r"expected one process where another program .*; got 2"):
        ProcessSet.from_card(Card.parse({"process": card, "beams": {"pdf": "none"}}))


def test_polarised_particles_that_decay_to_several_masses_are_told_apart() -> None:
    """The tau comes from the longitudinal W or from the transverse one."""
    found = by_masses("u u > w+{T} w+{0} d d QCD=0, w+ > l+ vl", beams={"pdf": "none"})
    of_charged = [(masses[0], masses[2]) for masses in masses_of(found)]
    assert of_charged == [(0, 0), (0, TAU), (TAU, 0), (TAU, TAU)]


def test_a_definition_of_several_masses_that_is_listed_twice_is_refused() -> None:
    process = {"definition": ["p p > l+ l- @1", "p p > l+ l- @1"], "multiparticles": LEPTONS}
    with pytest.raises(CardError, match=r"expected processes without events in common"):
        ProcessSet.from_card(Card.parse({"process": process, "beams": {"pdf": "toy"}}))


def test_the_same_particles_from_other_decays_are_no_overlap() -> None:
    radiating = "u u~ > t t~, t > b w+ a, t~ > b~ w- @1", "u u~ > t t~, t > b w+, t~ > b~ w- a @2"
    cuts = {"photon": {"pt_min": 5.0}}
    assert len(process_set(*radiating, beams={"pdf": "none"}, cuts=cuts).processes) == 2


def test_decays_in_another_order_are_an_overlap() -> None:
    pairs = "u u~ > z z, z > e+ e-, z > mu+ mu-", "u u~ > z z, z > mu+ mu-, z > e+ e-"
    with pytest.raises(CardError, match="expected processes without events in common"):
        process_set(*pairs, beams={"pdf": "none"})
