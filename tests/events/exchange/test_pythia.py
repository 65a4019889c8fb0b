"""Pythia showers our events, from every format and from memory, and reports our cross section."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_samples import SIGMA, drell_yan, shower_of, with_resonance, with_variations

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.pythia import to_pythia
from madnis_py.events.files.formats import create_events
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup

EVENTS = 300
WEIGHTS = tuple(
    NamedWeight(f"muR_{factor}", f"muR={factor}", {"MUR": factor})
    for factor in ("0.5", "1.0", "2.0")
)
INIT = LheInit(
    (2212, 2212),
    (6500.0, 6500.0),
    (331900, 331900),
    (LheProcess(0.4 * SIGMA, 3.0, SIGMA, 1), LheProcess(0.6 * SIGMA, 3.0, SIGMA, 7)),
    (WeightGroup("scales", "envelope", WEIGHTS),),
)


def sample() -> EventBatch:
    """Pairs with and without a Z boson between, of two processes."""
    process = np.repeat(np.array([1, 7], dtype=np.int32), [2 * EVENTS // 5, 3 * EVENTS // 5])
    return replace(with_variations(with_resonance(drell_yan(EVENTS))), process_id=process)


def showered(pythia: Any) -> None:
    """All events pass, and the cross section is ours."""
    assert [pythia.next() for _ in range(EVENTS)] == [True] * EVENTS
    assert pythia.infoPython().sigmaGen() * 1e9 == pytest.approx(SIGMA, rel=1e-9)  # mb -> pb
    assert not pythia.next()
    assert pythia.infoPython().atEndOfFile()


def shower_from_memory(source: Any) -> Any:
    pythia = pytest.importorskip("pythia8mc").Pythia("", False)
    for setting in (
        "Print:quiet = on",
        "Beams:frameType = 5",
        "PartonLevel:MPI = off",
        "HadronLevel:all = off",
    ):
        assert pythia.readString(setting)
    assert pythia.setLHAupPtr(source)
    assert pythia.init()
    return pythia


@pytest.fixture(scope="module", autouse=True)
def pythia8mc() -> None:
    pytest.importorskip("pythia8mc")


@pytest.mark.parametrize("in_batches", [False, True])
def test_events_go_to_pythia_without_a_file(in_batches: bool) -> None:
    batch = sample()
    parts = [batch.select(slice(0, 7)), batch.select(slice(7, None))]
    source = to_pythia(iter(parts) if in_batches else batch, INIT)
    showered(shower_from_memory(source))


@pytest.mark.parametrize("name", ["events.h5"])
def test_events_of_a_file_go_to_pythia(tmp_path: Path, name: str) -> None:
    with create_events(tmp_path / name, INIT) as writer:
        writer.write(sample())
    source = to_pythia(tmp_path / name)
    showered(shower_from_memory(source))


def test_events_of_decays_are_refused() -> None:
    decays = replace(
        INIT, beam_pdg=(INIT.beam_pdg[0], 0), beam_energies=(INIT.beam_energies[0], 0.0)
    )
    with pytest.raises(InputError, match="expected collisions, which it takes; got decays"):
        to_pythia(sample(), decays)


def test_pythia_sees_the_event_that_we_hand_over() -> None:
    batch = sample()
    source = to_pythia(batch, INIT)
    pythia = shower_from_memory(source)
    for number in range(4):
        assert pythia.next()
        hard = [pythia.process[row] for row in range(3, pythia.process.size())]
        used = batch.used[number]
        assert [one.id() for one in hard] == batch.pdg[number, used].tolist()
        momenta = [[one.e(), one.px(), one.py(), one.pz()] for one in hard]
        np.testing.assert_allclose(momenta, batch.momenta[number, used], rtol=1e-9, atol=1e-9)
        info = pythia.infoPython()
        assert info.scalup() == batch.scale[number]
        assert info.weight() == pytest.approx(SIGMA)  # pb
        assert (info.alphaS(), info.alphaEM()) == pytest.approx(
            (batch.alpha_s[number], batch.alpha_qed[number])
        )


@pytest.mark.parametrize("name", ["events.lhe"])
def test_pythia_reads_text_with_resonances_and_variations(tmp_path: Path, name: str) -> None:
    batch = sample()
    with create_events(tmp_path / name, INIT) as writer:
        writer.write(batch)
    pythia = shower_of(tmp_path / name)
    assert pythia.next()
    info = pythia.infoPython()
    names = [info.weightNameByIndex(index) for index in range(info.numberOfWeights())]
    assert names == ["Weight", "muR_0.5", "muR_1.0", "muR_2.0"]
    values = [info.weightValueByIndex(index) for index in range(1, 4)]
    np.testing.assert_allclose(values, batch.variations[0], rtol=1e-12)
    showered(shower_of(tmp_path / name))


def test_a_batch_alone_does_not_say_its_cross_section() -> None:
    with pytest.raises(InputError, match="events for Pythia: expected an init"):
        to_pythia(sample())


def test_a_missing_pythia_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pythia8mc", None)
    with pytest.raises(
        InputError, match="expected the package pythia8mc; the extra 'pythia' brings it"
    ):
        to_pythia(sample(), INIT)


def test_an_event_without_particles_is_refused_instead_of_ending_them() -> None:
    """Pythia itself breaks off on such events of a file with an index error."""
    pythia8mc = pytest.importorskip("pythia8mc")
    batch = replace(drell_yan(3), variations=np.zeros((3, 3)))
    batch.status[1] = 0
    source = to_pythia(batch, INIT)
    pythia = pythia8mc.Pythia("", False)
    for setting in (
        "Print:quiet = on",
        "Beams:frameType = 5",
        "PartonLevel:all = off",
        "HadronLevel:all = off",
    ):
        assert pythia.readString(setting)
    pythia.setLHAupPtr(source)
    assert pythia.init()
    assert pythia.next()
    with pytest.raises(
        InputError, match=r"events for Pythia: expected particles, .* got an event of none"
    ):
        pythia.next()
