"""Events of a run without end: those of files, whoever makes them and however they are taken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from command_line import small_process

from madnis_py.card.card import Card
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.formats import open_events
from madnis_py.physics.process.process_set import ProcessSet
from madnis_py.run.run import Run
from madnis_py.run.samples.event_stream import stream
from madnis_py.run.samples.sample_run import SampleRun


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    process = small_process(tmp_path_factory.mktemp("card"))
    run = Run(process, tmp_path_factory.mktemp("run"), 3, method="vegas")
    return run.execute(3000, 20_000)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    card = Card.parse(
        {
            "process": {"definition": ["e+ e- > mu+ mu- @1", "e+ e- > u u~ @2"]},
            "beams": {"pdf": "none", "energy": [50.0, 50.0]},
            "training": {"preset": "quick"},
        }
    )
    directory = tmp_path_factory.mktemp("several")
    run = SampleRun(ProcessSet.from_card(card), directory, 3, method="vegas")
    run.integrate(20_000)
    return run


def taken(events: Iterator[EventBatch], batches: int) -> EventBatch:
    return EventBatch.concatenate(list(islice(events, batches)))


def are_equal(some: EventBatch, others: EventBatch) -> bool:
    columns, same = some.columns(), others.columns()
    return columns.keys() == same.keys() and all(
        np.array_equal(columns[name], same[name]) for name in columns
    )


def test_events_are_those_of_a_file_of_the_same_seed(finished: Run) -> None:
    written = EventBatch.concatenate(list(open_events(finished.events_file)))
    made = taken(stream(finished.directory.path, 1000, seed=3), 3)
    assert len(made) == 3000
    assert np.array_equal(made.used, written.used)
    for name in ("pdg", "status", "mothers", "colour", "momenta"):
        ours, theirs = (getattr(events, name)[events.used] for events in (made, written))
        assert np.allclose(ours, theirs, rtol=1e-8, atol=1e-6)


@pytest.mark.parametrize("run", ["finished", "several"])
def test_events_depend_neither_on_threads_nor_on_the_size_of_batches(
    run: str, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(run)
    alone = taken(stream(source, 10_000, seed=8), 2)
    assert are_equal(alone, taken(stream(source, 4_000, seed=8, threads=4), 5))
    assert not are_equal(alone, taken(stream(source, 10_000, seed=9), 2))


def test_the_mean_weight_is_the_cross_section(finished: Run) -> None:
    weights = taken(stream(finished, 20_000, seed=5), 1).weight
    sigma, error = finished.record.sigma_pb, finished.record.sigma_error_pb
    assert sigma is not None
    assert error is not None
    assert abs(weights.mean() - sigma) < 5 * error
    assert np.mean(weights == np.median(weights)) > 0.98


def test_processes_come_in_proportion_to_their_cross_sections(several: SampleRun) -> None:
    events = taken(stream(several, 20_000), 1)
    parts = several.record.parts or ()
    for part in parts:
        of_part = events.process_id == part.number
        sigma, error = part.sigma_pb or 0.0, part.sigma_error_pb or 0.0
        found = events.weight[of_part].sum() / len(events)
        spread = float(np.sqrt(of_part.mean() * (1 - of_part.mean()) / len(events)))
        assert abs(found - sigma) < 5 * (error + spread * float(events.weight.mean()))


def test_libraries_have_the_same_numbers(finished: Run) -> None:
    events = next(stream(finished, 100))
    columns = next(stream(finished, 100, library="numpy"))
    tensors = next(stream(finished, 100, library="torch"))
    records = next(stream(finished, 100, library="awkward"))
    for name, column in events.columns().items():
        assert np.array_equal(columns[name], column)
        assert np.array_equal(tensors[name].numpy(), column)
    assert np.array_equal(np.asarray(records.weight), events.weight)
    energies = events.momenta[:, :, 0][events.used]
    assert np.array_equal(np.asarray([e for one in records for e in one.particles.E]), energies)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"library": "pandas"}, "library: expected numpy, torch, awkward; got pandas"),
        ({"batch_size": 0}, "batch_size: expected at least 1; got 0"),
        ({"threads": 0}, "threads: expected at least 1; got 0"),
    ],
)
def test_what_cannot_be_streamed_is_a_sentence(
    finished: Run, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        stream(finished, **arguments)  # type: ignore[arg-type]


MEMORY = """
import resource, sys
import madnis_py as mn
from itertools import islice

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

events = mn.stream(sys.argv[1], 1000, threads=2)
for _ in islice(events, 100):
    pass
before = peak()
for _ in islice(events, 900):
    pass
print((peak() - before) / 1024)
"""


@pytest.mark.slow
def test_a_million_events_take_no_more_memory_than_the_first_hundred_thousand(
    finished: Run,
) -> None:
    program = [sys.executable, "-c", MEMORY, str(Path(finished.directory.path))]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert float(done.stdout) < 30.0  # MiB
