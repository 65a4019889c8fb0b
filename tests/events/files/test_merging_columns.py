"""What merging needs of each event, in files: kT of jets, and how many jets there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from event_samples import drell_yan, with_resonance

from madnis_py.events.chunk import Chunk
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.conversion import convert
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.events.unweighting import UnweightingTally

INIT = LheInit((2212, 2212), (6500.0, 6500.0), (0, 0), (LheProcess(1.0, 0.1, 1.0),))


def merged_events(count: int = 20) -> EventBatch:
    """Events in which every second one knows its jets."""
    events = with_resonance(drell_yan(count))
    kt = np.where(events.status == 1, 13000.0, 0.0)
    kt[::2] = 0.0
    kt[1, 2] = 21.625
    n_jets = np.where(np.arange(count) % 2 == 0, -1, np.arange(count) % 3).astype(np.int32)
    return replace(events, jet_kt=kt, n_jets=n_jets)


def written(events: EventBatch, path: Path) -> EventBatch:
    with create_events(path, INIT) as writer:
        writer.copy(events)
    return EventBatch.concatenate(list(open_events(path)))


def test_les_houches_files_keep_the_jets_of_events(tmp_path: Path) -> None:
    events = merged_events()
    back = written(events, tmp_path / "events.lhe.gz")
    assert back.jet_kt is not None
    assert events.jet_kt is not None
    np.testing.assert_array_equal(back.jet_kt, events.jet_kt)
    np.testing.assert_array_equal(back.n_jets, events.n_jets)
    text = tmp_path / "events.lhe"
    written(events, text)
    lines = text.read_text()
    assert '<event npLO="1" npNLO="-1">' in lines
    assert 'pt_clust_3="21.625"' in lines
    assert not open_events(text).left_out


def test_events_without_jets_are_written_as_ever(tmp_path: Path) -> None:
    events = drell_yan(5)
    back = written(events, tmp_path / "events.lhe")
    assert back.jet_kt is None
    assert back.n_jets is None
    assert "pt_clust" not in (tmp_path / "events.lhe").read_text()
    assert "npLO" not in (tmp_path / "events.lhe").read_text()


def test_chunks_keep_the_jets_of_events(tmp_path: Path) -> None:
    events = merged_events()
    tally = UnweightingTally(1000.0, 500.0, 99.5, 0.0, 100.0, 100.0, 110.0, 120.0)
    Chunk(events, np.zeros(len(events)), np.ones(len(events)), tally).save(tmp_path / "chunk.npz")
    back = Chunk.load(tmp_path / "chunk.npz").events
    np.testing.assert_array_equal(back.jet_kt, events.jet_kt)


def test_batches_with_and_without_jets_stand_behind_each_other() -> None:
    plain, merged = drell_yan(3), merged_events(4)
    both = EventBatch.concatenate([plain, merged])
    assert both.n_jets is not None
    assert both.jet_kt is not None
    assert both.n_jets[:3].tolist() == [-1, -1, -1]
    assert not both.jet_kt[:3].any()
    np.testing.assert_array_equal(both.select(slice(3, 7)).n_jets, merged.n_jets)


def test_a_conversion_says_what_the_other_format_has_no_room_for(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    written(merged_events(), tmp_path / "events.lhe")
    done = convert(tmp_path / "events.lhe", tmp_path / "events.parquet")
    assert done.left_out == ("kT and number of jets, for merging",)
