"""Event files of every format: what goes in comes out, and from one format to the other nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from event_samples import SIGMA, drell_yan, equal, with_resonance, with_variations

from madnis_py.events.event_batch import EventBatch
from madnis_py.events.event_files import create_events, open_events
from madnis_py.events.lhe import LheInit, LheProcess
from madnis_py.events.weight_groups import NamedWeight, WeightGroup

NAMES = ["events.lhe", "events.lhe.gz", "events.h5", "events.hdf5", "events.parquet"]
FORMATS = ["events.lhe.gz", "events.h5", "events.parquet"]
INIT = LheInit(
    (2212, -2212),
    (6500.0, 980.0),
    (331900, -1),
    (LheProcess(SIGMA, 3.0, 1.1 * SIGMA), LheProcess(1 / 3, 0.1, 2.0, 7)),
    (
        WeightGroup(
            "scale & <more>",
            "envelope",
            (NamedWeight("21", "muR 0.5", {"MUR": "0.5", "MUF": "1.0", "PDF": "331900"}), NamedWeight("it's", " 2 ")),
        ),
        WeightGroup("", "", (NamedWeight("lone", "of no group"),)),
    ),
)
HEADER = {"madnis_py_card": 'definition = "p p > e+ e-"  # a & b <init> -- ]]> <!-- ü\r\n\tend', "empty": ""}


def sample(n: int) -> EventBatch:
    """Events of different numbers of particles and two processes, with every column in use."""
    batch = with_variations(with_resonance(drell_yan(n)))
    random = np.random.default_rng(5)
    return replace(
        batch,
        lifetime=random.exponential(1.0, batch.lifetime.shape) * batch.used,
        process_id=random.choice(np.array([1, 7], dtype=np.int32), n),
        weight=random.uniform(-1, 2, n),
    )


def written(path: Path, *batches: EventBatch, init: LheInit = INIT) -> Path:
    with create_events(path, init, HEADER) as writer:
        for batch in batches:
            writer.write(batch)
    assert writer.n_events == sum(map(len, batches))
    return path


def read(path: Path) -> EventBatch:
    return EventBatch.concatenate(list(open_events(path)))


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    batch = sample(2001)
    reader = open_events(written(tmp_path / name, batch))
    assert reader.init == INIT
    assert reader.header.blocks == HEADER
    assert equal(EventBatch.concatenate(list(reader)), batch)
    assert reader.share == 1.0
    assert not reader.left_out
    assert [path.name for path in tmp_path.iterdir()] == [name]
