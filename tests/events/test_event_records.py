"""Records of events: rows, mothers, what resonances carry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn_events import drawn, points, process
from flat_mapping import flat_integrand

from madnis_py.events.event_batch import EventBatch
from madnis_py.events.event_records import event_records
from madnis_py.physics.cross_section.partonic_events import PartonicEvents

TOPS = "g g > t t~, (t > w+ b, w+ > e+ ve), (t~ > w- b~, w- > mu- vm~)"


def records(text: str, n: int = 400, **tables: dict[str, Any]) -> tuple[PartonicEvents, EventBatch]:
    one = flat_integrand(process(text, **tables))
    events = drawn(one, *points(one, n))
    return events, event_records(events, np.linspace(1.0, 2.0, len(events.pdg)))


def test_events_without_resonances_have_two_mothers_and_no_unused_rows() -> None:
    events, batch = records("g g > t t~")
    np.testing.assert_array_equal(batch.pdg, events.pdg)
    np.testing.assert_array_equal(batch.status, np.tile([-1, -1, 1, 1], (len(batch), 1)))
    np.testing.assert_array_equal(batch.mothers[0], [[0, 0], [0, 0], [1, 2], [1, 2]])
    np.testing.assert_array_equal(batch.spin, events.helicity)
    batch.check()


def test_every_particle_of_a_decay_chain_has_the_nearest_mother() -> None:
    _, batch = records(TOPS, events={"resonance_widths": 1e9})
    batch.check()
    for event in range(0, len(batch), 20):
        mother = {
            int(pdg): int(batch.pdg[event, batch.mothers[event, row, 0] - 1])
            for row, pdg in enumerate(batch.pdg[event].tolist())
            if row > 1
        }
        assert {pdg: mother[pdg] for pdg in (24, -24, 5, -5, -11, 12, 13, -14)} == {
            24: 6, -24: -6, 5: 6, -5: -6, -11: 24, 12: 24, 13: -24, -14: -24,
        }  # fmt: skip
        tops = np.isin(np.abs(batch.pdg[event]), 6)
        assert (batch.mothers[event, tops] == [1, 2]).all()


def test_events_with_and_without_a_resonance_stand_side_by_side() -> None:
    _, batch = records("u u~ > e+ e-", beams={"pdf": "none", "energy": [38.0, 38.0]})
    batch.check()
    with_z = (batch.pdg == 23).any(axis=1)
    assert 0 < with_z.sum() < len(batch)
    assert (batch.counts == np.where(with_z, 5, 4)).all()
    assert (batch.status[~with_z, 4] == 0).all()
    np.testing.assert_allclose(batch.mass[with_z, 2], 76.0, rtol=1e-12)


def test_a_resonance_far_from_its_mass_is_left_out() -> None:
    near, far = ({"pdf": "none", "energy": [energy, energy]} for energy in (45.6, 80.0))
    assert (records("u u~ > e+ e-", beams=near)[1].pdg == 23).any()
    assert not (records("u u~ > e+ e-", beams=far)[1].pdg == 23).any()
    wider = {"resonance_widths": 50.0}
    assert (records("u u~ > e+ e-", beams=far, events=wider)[1].pdg == 23).any()


def test_a_top_that_radiates_is_no_resonance() -> None:
    _, batch = records(
        "g g > t t~ g", cuts={"jet": {"pt_min": 1.0}}, events={"resonance_widths": 1e9}
    )
    assert (batch.counts == 5).all()


def test_variations_are_weights_of_their_own() -> None:
    events, batch = records("p p > e+ e-", cuts={"e+,e-": {"mass_min": 60.0}})
    np.testing.assert_allclose(batch.variations, events.variations * batch.weight[:, None])
    np.testing.assert_allclose(batch.reweighted(3 * batch.weight).variations, 3 * batch.variations)
    assert batch.n_variations == 8


@pytest.mark.parametrize(
    "text", ["p p > t t~ j", "p p > w+ j", "p p > z j, z > e+ e-", "e+ e- > mu+ mu-"]
)
def test_events_of_many_kinds_can_be_showered(text: str) -> None:
    beams = {"beams": {"pdf": "none", "energy": [100.0, 100.0]}} if text.startswith("e+") else {}
    points = 40_000 if "," in text else 2000  # few are near the mass of a Z
    _, batch = records(text, points, cuts={"jet": {"pt_min": 20.0}}, **beams)
    assert len(batch) > 50
    batch.check()
