"""Cuts between jets for CKKW-L, against the measures of Pythia itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations, product
from typing import Any

import numpy as np
import pytest

from madnis_py.arrays import Array
from madnis_py.physics.clustering.lund_cut import LundCut
from madnis_py.physics.clustering.merging_cuts import DurhamCut
from madnis_py.physics.observables.generic_momenta import generic_momenta

JETS = (3, 4, 5)
"""Three jets beside a Z."""


@pytest.fixture(scope="module")
def events() -> Array:
    return generic_momenta([0.0, 0.0, 91.188, 0.0, 0.0, 0.0], 2, 300)


@pytest.fixture(scope="module")
def pythia() -> Any:
    pythia8 = pytest.importorskip("pythia8mc")
    started = pythia8.Pythia("", False)
    for line in (
        "Print:quiet = on",
        "HardQCD:gg2gg = on",
        "PhaseSpace:pTHatMin = 100",
        "PartonLevel:all = off",
        "Merging:doPTLundMerging = on",
        "Merging:Process = pp>jj",
        "Merging:TMS = 10",
    ):
        assert started.readString(line), line
    assert started.init()
    return started


def record(pythia: Any, p: Array) -> Any:
    """An event of Pythia; leg k has the index k + 1."""
    from pythia8mc import Event, Particle

    event = Event()
    event.init("", pythia.particleData)
    event.append(Particle(90, -11, 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0.0, 1.0, 1.0))
    for k, (energy, x, y, z) in enumerate(p):
        code, status = (23, 22) if k == 2 else (21, -21 if k < 2 else 23)
        event.append(Particle(code, status, 0, 0, 0, 0, 0, 0, x, y, z, energy))
    return event


def least_lund_pt(pythia: Any, p: Array) -> float:
    """The smallest of all splittings that Pythia finds possible, in GeV."""
    event, hooks = record(pythia, p), pythia.mergingHooksPtr

    def found() -> Iterator[float]:
        for jet, beam in product(JETS, (0, 1)):
            yield hooks.rhoPythia(event, beam + 1, jet + 1, 2 - beam, -1)
        for radiator, jet in permutations(JETS, 2):
            for recoiler in {0, 1, *JETS} - {radiator, jet}:
                yield hooks.rhoPythia(event, radiator + 1, jet + 1, recoiler + 1, 1)

    return min(found())


def test_jets_are_apart_by_the_evolution_scale_of_pythia(pythia: Any, events: Array) -> None:
    scales = np.array([least_lund_pt(pythia, p) for p in events])
    for least in np.quantile(scales, (0.2, 0.5, 0.8)):
        passes = LundCut(JETS, 6, float(least))(events)
        np.testing.assert_array_equal(passes[scales != least], (scales > least)[scales != least])


def test_pairs_of_jets_are_apart_by_the_kt_of_pythia(pythia: Any, events: Array) -> None:
    hooks = pythia.mergingHooksPtr
    records = [record(pythia, p) for p in events]
    scales = np.array(
        [
            min(hooks.kTdurham(one[a + 1], one[b + 1], 1, 0.7) for a, b in combinations(JETS, 2))
            for one in records
        ]
    )
    for least in np.quantile(scales, (0.2, 0.5, 0.8)):
        passes = DurhamCut(JETS, float(least), 0.7)(events)
        clear = np.abs(scales / least - 1) > 1e-9
        np.testing.assert_array_equal(passes[clear], (scales > least)[clear])


def test_two_jets_alone_have_a_least_transverse_momentum() -> None:
    p = generic_momenta([0.0, 0.0, 0.0, 0.0], 2, 100)
    pt = np.hypot(p[:, 2:, 1], p[:, 2:, 2]).min(axis=1)
    least = float(np.median(pt))
    np.testing.assert_array_equal(LundCut((2, 3), 4, least)(p), pt > least)
