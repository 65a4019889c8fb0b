"""Processes of a card that lists several: numbers, and which cuts and histograms are whose."""

from __future__ import annotations

from typing import Any

import pytest

from madnis_py.card.card import Card
from madnis_py.errors import CardError
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
