"""Cuts of events in the kernels of a device, against those of the processor."""

from __future__ import annotations

import math
from itertools import combinations
from math import inf

import numpy as np
import pytest
import torch

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.devices.emulated import EmulatedKernels
from madnis_py.physics.observables.cuts import AnyCut, Cut, Isolation, Ranked, RankedCut
from madnis_py.physics.observables.momenta import as_momenta
from madnis_py.physics.observables.selection import Acceptance, Selection
from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.selection_on_device import SelectionOnDevice
from madnis_py.physics.process.process import Process

N_PARTICLES = 7
HARDEST, SECOND, THIRD = (Ranked((3, 4, 5, 6), rank) for rank in (1, 2, 3))
CUTS: list[AnyCut] = [
    Cut("pt", (3,), 40.0, inf),
    Cut("eta", (2,), 0.5, 2.0),
    Cut("rapidity", (4,), 0.0, 1.0),
    Cut("energy", (5,), 50.0, 120.0),
    Cut("mass", (2, 4), 0.0, 150.0),
    Cut("mass", (6, 2, 4), 100.0, inf),
    Cut("pt_sum", (2, 3, 5), 30.0, inf),
    Cut("dr", (5, 2), 1.0, 3.0),
    Cut("ht", (1, 3, 4), 200.0, inf),
    Cut("ht", (6,), 20.0, 60.0),
    RankedCut("pt", (HARDEST,), 100.0, inf),
    RankedCut("eta", (THIRD,), 0.0, 1.0),
    RankedCut("dr", (HARDEST, SECOND), 1.0, inf),
    RankedCut("mass", (SECOND, HARDEST, Ranked((2,))), 0.0, 300.0),
    RankedCut("dr", (HARDEST, Ranked((2, 3, 4), 1)), 2.0, inf),
    RankedCut("pt", (Ranked((6, 3), 2),), 0.0, 50.0),
    Cut("partonic_energy", (5,), 50.0, 120.0),
    Cut("deta", (5, 2), 1.0, 3.0),
    Cut("dy", (5, 2), 1.0, 3.0),
    Cut("dphi", (5, 2), 1.0, 3.0),
    Cut("eta_product", (5, 2), -2.0, 0.5),
    RankedCut("partonic_energy", (SECOND,), 80.0, inf),
    RankedCut("deta", (HARDEST, SECOND), 1.0, inf),
    RankedCut("ht", (HARDEST, SECOND, THIRD), 0.0, 250.0),
    Isolation(2, (3, 4, 5, 6), 1.5, 1.0, 1.0),
    Isolation(4, (2, 6), 0.8, 0.0, 0.3),
    Isolation(3, (4, 2), 2.0, 2.5, 5.0),
]
FURTHER: tuple[tuple[AnyCut, ...], ...] = (
    (CUTS[0], CUTS[10]),
    (CUTS[4],),
    (CUTS[8], CUTS[12], CUTS[2]),
)


@pytest.fixture
def p() -> Array:
    """Seven particles of random mass and direction."""
    rng = np.random.default_rng(1)
    momenta = rng.normal(size=(3001, N_PARTICLES, 4)) * 50
    momenta[:, :, 0] = np.sqrt(
        (momenta[:, :, 1:] ** 2).sum(axis=2) + rng.exponential(100.0, (3001, N_PARTICLES))
    )
    return as_momenta(momenta)


def on_device(selection: Selection) -> SelectionOnDevice:
    return SelectionOnDevice(selection, N_PARTICLES, EmulatedKernels())


def of(*cuts: AnyCut) -> Selection:
    return Selection(cuts, ((),), (0,))


def passing(selection: Selection, p: Array) -> Array:
    jacobian = torch.ones(len(p), dtype=torch.float64)
    return on_device(selection).passes(torch.from_numpy(p), jacobian).numpy()


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_events_pass_a_cut_that_pass_it_on_the_processor(cut: AnyCut, p: Array) -> None:
    expected = Acceptance(of(cut)).passes(p)
    assert 0.02 < expected.mean() < 0.98
    np.testing.assert_array_equal(passing(of(cut), p), expected)


def test_events_have_to_pass_all_cuts(p: Array) -> None:
    for pair in combinations(CUTS, 2):
        np.testing.assert_array_equal(passing(of(*pair), p), Acceptance(of(*pair)).passes(p))


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129])
def test_any_number_of_events_is_selected(p: Array, n: int) -> None:
    part = as_momenta(p[:n].copy())
    found = passing(of(*CUTS[:3]), part)
    assert found.shape == (n,)
    np.testing.assert_array_equal(found, Acceptance(of(*CUTS[:3])).passes(part))


def test_without_cuts_what_lies_in_phase_space_passes(p: Array) -> None:
    jacobian = torch.arange(len(p), dtype=torch.float64) % 3
    jacobian[5] = math.nan
    found = on_device(of()).passes(torch.from_numpy(p), jacobian)
    assert found.dtype == torch.bool
    np.testing.assert_array_equal(found, jacobian.numpy() > 0)


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_an_observable_that_is_no_number_passes_as_on_the_processor(cut: AnyCut, p: Array) -> None:
    for particle in range(2, N_PARTICLES):
        p[particle::9, particle] = np.nan
    p[8::9] = np.nan
    found = passing(of(cut), p)
    np.testing.assert_array_equal(found, Acceptance(of(cut)).passes(p))
    assert found[8::9].all()


def test_limits_themselves_pass() -> None:
    p = as_momenta(np.tile([5.0, 3.0, 4.0, 0.0], (1, N_PARTICLES, 1)))
    cuts = (
        Cut("pt", (2,), 5.0, 5.0),
        Cut("ht", (2, 3), 10.0, 10.0),
        RankedCut("pt", (HARDEST,), 5.0, 5.0),
    )
    assert passing(of(*cuts), p).all()


def test_of_particles_with_equal_transverse_momenta_the_first_comes_first(p: Array) -> None:
    p[:, 3:, 1], p[:, 3:, 2] = 30.0, 40.0
    for rank in (1, 2, 3, 4):
        cut = RankedCut("eta", (Ranked((3, 4, 5, 6), rank),), 0.5, inf)
        np.testing.assert_array_equal(
            passing(of(cut), p), passing(of(Cut("eta", (2 + rank,), 0.5, inf)), p)
        )


def test_momenta_in_any_layout_are_understood(p: Array) -> None:
    expected = passing(of(*CUTS[:3]), p)
    np.testing.assert_array_equal(passing(of(*CUTS[:3]), np.ascontiguousarray(p)), expected)
    np.testing.assert_array_equal(passing(of(*CUTS[:3]), p[100:300]), expected[100:300])


def test_one_further_set_of_cuts_is_enough_to_pass(p: Array) -> None:
    selection = Selection((CUTS[2],), FURTHER, (0, 1, 2, 0))
    found = passing(selection, p)
    np.testing.assert_array_equal(found, Acceptance(selection).passes(p))
    assert 0 < found.sum() < passing(of(CUTS[2]), p).sum()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_densities_are_restricted_to_flavours_whose_cuts_pass(p: Array, share: float) -> None:
    selection = Selection((), FURTHER, (0, 1, 2, 0, 1))
    rng = np.random.default_rng(4)
    densities, mask = rng.normal(size=(len(p), 5)), rng.random(len(p)) < share
    expected = np.where(mask[:, None], Acceptance(selection).restrict(p, densities), 0.0)
    found = on_device(selection).restrict(
        torch.from_numpy(p), torch.from_numpy(densities), LiveEvents.of(torch.from_numpy(mask))
    )
    np.testing.assert_array_equal(found.numpy(), expected)


def test_cuts_alike_for_all_flavours_restrict_no_densities(p: Array) -> None:
    densities = torch.ones(len(p), 2, dtype=torch.float64)
    live = LiveEvents.all(len(p), torch.device("cpu"))
    selection = Selection((CUTS[0],), ((),), (0, 0))
    assert on_device(selection).restrict(torch.from_numpy(p), densities, live) is densities


def test_cuts_of_a_card_select_the_events_of_the_processor(p: Array) -> None:
    card = {
        "process": {"definition": "p p > e+ e- j j j"},
        "beams": {"pdf": "toy"},
        "cuts": {
            "jet": {"pt_min": 20, "eta_max": 2.5},
            "jet[1]": {"pt_min": 60},
            "jet[1],jet[2]": {"dr_min": 0.8},
            "event": {"ht_min": 150},
            "c": {"pt_min": 50},
        },
    }
    selection = Process.from_card(Card.parse(card)).selection
    found = passing(selection, p)
    np.testing.assert_array_equal(found, Acceptance(selection).passes(p))
    assert 0 < found.sum() < len(p)


@pytest.mark.parametrize(
    ("particles", "rank"), [((2, 7), 1), ((-1, 2), 1), ((2, 3), 3), ((2, 3), 0), ((), 1)]
)
def test_a_cut_on_particles_that_there_are_not_is_refused(
    particles: tuple[int, ...], rank: int
) -> None:
    cut = ("pt", [(particles, rank)], 0.0, 1.0)
    with pytest.raises(ValueError, match="cuts: expected 1 to 16 particles below 7 and ranks"):
        _core.Selection(n_particles=7, common=([], [cut], []), further=[])
