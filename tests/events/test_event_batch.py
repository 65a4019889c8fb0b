"""Columns of events: their checks and their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from event_samples import drell_yan, equal, with_resonance, with_variations

from madnis_py.errors import GenerationError, InputError
from madnis_py.events.event_batch import EventBatch


def changed(
    column: str, place: tuple[int, ...], value: object, batch: EventBatch | None = None
) -> EventBatch:
    """Ten events with some numbers altered."""
    batch = batch or drell_yan(10)
    array = batch.columns()[column].copy()
    array[place] = value
    return replace(batch, **{column: array})


def test_momenta_may_come_with_the_events_fastest_in_memory() -> None:
    batch = drell_yan(5)
    fastest = np.moveaxis(np.ascontiguousarray(np.moveaxis(batch.momenta, 0, -1)), -1, 0)
    assert fastest.strides[0] == 8
    assert replace(batch, momenta=fastest).momenta.flags.c_contiguous


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("pdg", np.zeros((10, 4)), r"pdg: expected int32 \(10, 4\); got float64 \(10, 4\)"),
        ("weight", np.zeros(9), r"weight: expected float64 \(10,\); got float64 \(9,\)"),
        (
            "momenta",
            np.zeros((10, 4, 3)),
            r"momenta: expected float64 \(10, 4, 4\); got float64 \(10, 4, 3\)",
        ),
        ("scale", 91.188, r"scale: expected float64 \(10,\); got float"),
        (
            "variations",
            np.zeros((9, 2)),
            r"variations: expected float64 \(10, 2\); got float64 \(9, 2\)",
        ),
    ],
)
def test_column_of_another_dtype_or_shape_is_refused(
    column: str, value: Any, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        replace(drell_yan(10), **{column: value})


def test_concatenation_undoes_selection() -> None:
    batch = drell_yan(10)
    assert equal(
        EventBatch.concatenate([batch.select(slice(0, 3)), batch.select(np.arange(3, 10))]), batch
    )


def test_concatenation_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="expected batches of one number of variations"):
        EventBatch.concatenate([])


def test_batches_of_different_variations_are_not_concatenated() -> None:
    with pytest.raises(
        InputError, match=r"expected batches of one number of variations; got \[0, 3\]"
    ):
        EventBatch.concatenate([drell_yan(1), with_variations(drell_yan(1))])


def test_concatenation_makes_room_for_the_widest_batch() -> None:
    narrow, wide = drell_yan(3), with_resonance(drell_yan(4))
    both = EventBatch.concatenate([narrow, wide])
    assert both.counts.tolist() == [4, 4, 4, 5, 4, 5, 4]
    assert equal(both.select(slice(0, 3)), narrow.padded(5))
    assert equal(both.select(slice(3, None)), wide)
    both.check()


def test_rows_are_not_cut_off() -> None:
    with pytest.raises(InputError, match="events: expected at most 3 rows per event; got 4"):
        drell_yan(1).padded(3)


def test_another_unit_is_that_of_the_variations_too() -> None:
    batch = with_variations(drell_yan(10))
    scaled = batch.rescaled(0.25)
    assert np.array_equal(scaled.variations, 0.25 * batch.variations)
    assert np.array_equal(scaled.weight, 0.25 * batch.weight)


def test_selection_keeps_the_order_of_the_index() -> None:
    batch = drell_yan(10)
    assert np.array_equal(batch.select(np.array([7, 2])).scale, batch.scale[[7, 2]])


def test_synthetic_drell_yan_events_pass() -> None:
    drell_yan(1000).check()


def test_events_with_and_without_resonance_pass() -> None:
    batch = with_resonance(drell_yan(1000))
    assert batch.counts.tolist() == [5, 4] * 500
    batch.check()


def test_what_unused_rows_hold_does_not_matter() -> None:
    changed("mothers", (1, 4), [9, 9], with_resonance(drell_yan(10))).check()
    changed("momenta", (1, 4), np.nan, with_resonance(drell_yan(10))).check()


def octet() -> EventBatch:
    """u u~ > g* > d d~, with a colour flow through the gluon."""
    batch = with_resonance(drell_yan(1))
    colour = [[501, 0], [0, 502], [501, 502], [501, 0], [0, 502]]
    return replace(batch, colour=np.array([colour], dtype=np.int32))


def test_an_intermediate_gluon_hands_its_colours_on() -> None:
    octet().check()


@pytest.mark.parametrize(
    ("column", "place", "value", "sentence"),
    [
        (
            "mothers",
            (0, 3),
            [4, 4],
            r"particle 4: expected the mothers 1 2, or an earlier .*; got \[4, 4\]",
        ),
        (
            "mothers",
            (0, 3),
            [3, 4],
            r"particle 4: expected the mothers 1 2, or an earlier .*; got \[3, 4\]",
        ),
        ("mothers", (0, 3), [1, 2], r"particle 3: expected the momentum of its daughters, \["),
        ("status", (0, 2), 1, r"particle 4: expected the mothers 1 2"),
        (
            "colour",
            (0, 2),
            [502, 501],
            r"particle 3: expected the colour of its decay to \[\[501, 0\], \[0, 502\]\]",
        ),
        (
            "colour",
            (0, 2),
            [0, 0],
            r"particle 3: expected the colour of its decay .*; got \[0, 0\]",
        ),
    ],
)
def test_inconsistent_decay_is_named(
    column: str, place: tuple[int, ...], value: object, sentence: str
) -> None:
    with pytest.raises(GenerationError, match=f"event 0: {sentence}"):
        changed(column, place, value, octet()).check()


def test_an_intermediate_particle_has_the_momentum_of_its_decay() -> None:
    batch = with_resonance(drell_yan(10))
    momenta, mass = batch.momenta.copy(), batch.mass.copy()
    momenta[4, 2, 3] += 1.0
    mass[4, 2] = np.sqrt(np.square(momenta[4, 2]) @ [1.0, -1.0, -1.0, -1.0])
    with pytest.raises(
        GenerationError, match="event 4: particle 3: expected the momentum of its daughters"
    ):
        replace(batch, momenta=momenta, mass=mass).check()


def test_the_first_of_many_faults_is_named_for_any_number_of_events() -> None:
    batch = drell_yan(10_000)
    weight = batch.weight.copy()
    weight[[9_000, 4_097]] = np.nan
    with pytest.raises(GenerationError, match="event 4097: weight is not finite"):
        replace(batch, weight=weight).check()


def test_empty_batch_passes() -> None:
    drell_yan(0).check()


def test_scattered_quark_keeps_its_colour_line() -> None:
    """E.g. q q' -> q' q by a photon: a line begins and ends in quarks with the same tag."""
    batch = drell_yan(1)
    colour = np.array([[[501, 0], [502, 0], [502, 0], [501, 0]]], dtype=np.int32)
    replace(batch, colour=colour).check()


def test_gluon_pair_to_quark_pair_has_three_lines() -> None:
    colour = np.array([[[501, 502], [502, 503], [501, 0], [0, 503]]], dtype=np.int32)
    replace(drell_yan(1), colour=colour).check()


@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        (changed("momenta", (4, 2, 1), np.nan), "event 4: momenta is not finite"),
        (changed("weight", (7,), np.inf), "event 7: weight is not finite: inf"),
        (
            changed("status", (1, 1), 1),
            "event 1: particle 2: expected the mothers 1 1, or an earlier",
        ),
        (changed("status", (1, 3), 7), "event 1: expected one or two incoming particles"),
        (changed("status", (1, 3), 0), "event 1: momentum is not conserved"),
        (
            changed("status", (1, 2), 0),
            r"event 1: expected unused rows .* at the end only; got .*-1, -1, 0, 1",
        ),
        (changed("lifetime", (6, 3), np.nan), "event 6: lifetime is not finite"),
        (
            changed("mothers", (6, 1), [1, 1]),
            r"event 6: particle 2: expected no mothers; got \[1, 1\]",
        ),
        (
            changed("mothers", (6, 3), [1, 1]),
            r"event 6: particle 4: expected the mothers 1 2, or .*; got \[1, 1\]",
        ),
        (
            changed("mothers", (6, 3), [3, 3]),
            r"event 6: particle 4: expected the mothers 1 2, or .*; got \[3, 3\]",
        ),
        (changed("mass", (2, 3), 5.0), r"event 2: particle 4: expected E = sqrt\(p\^2 \+ m\^2\)"),
        (changed("status", (3, 2), 2), "event 3: momentum is not conserved"),
        (changed("colour", (5, 0, 0), 502), "event 5: colour tags do not pair up"),
    ],
)
def test_unusable_event_is_named(batch: EventBatch, sentence: str) -> None:
    with pytest.raises(GenerationError, match=sentence):
        batch.check()


@pytest.mark.parametrize(
    "colour",
    [
        [[501, 0], [501, 0], [0, 0], [0, 0]],  # both incoming lines end
        [[501, 0], [0, 501], [501, 0], [0, 501]],  # four ends of one line
        [[1, 0], [0, 1], [0, 0], [0, 0]],  # not a tag
        [[501, 0], [0, 0], [0, 501], [0, 0]],  # incoming colour needs an outgoing colour
    ],
)
def test_wrong_colour_flow_is_refused(colour: list[list[int]]) -> None:
    batch = replace(drell_yan(1), colour=np.array([colour], dtype=np.int32))
    with pytest.raises(GenerationError, match="event 0: colour tags do not pair up"):
        batch.check()
