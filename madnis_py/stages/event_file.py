"""From chunks of unweighted events to a file with the cross section of the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from madnis_py.errors import GenerationError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.event_files import create_events
from madnis_py.events.generation import TRIALS_PER_CHUNK, EventSource
from madnis_py.events.lhe import LheInit, LheProcess
from madnis_py.physics.process import Process
from madnis_py.stages.progress import StageProgress, Stopwatch, Watch
from madnis_py.stages.results import Result


def collect(source: EventSource, events: int, result: Result, watch: Watch) -> list[Path]:
    """Chunks that hold at least as many events as asked.

    Raises:
        GenerationError: far more trials than expected have not been enough.
    """
    chunks: list[Path] = []
    found = 0
    most = 10 + round(4 * events / (result.unweighting.efficiency * TRIALS_PER_CHUNK))
    while found < events:
        if len(chunks) >= most:
            raise GenerationError(
                f"generate: expected {events} events from {most * TRIALS_PER_CHUNK} trials; got {found}"
            )
        clock = Stopwatch()
        path, count = source.chunk(len(chunks))
        chunks.append(path)
        found += count
        watch(
            StageProgress(
                "generate",
                min(found, events),
                events,
                "events",
                rate=count / clock.total,
                rate_unit="events/s",
                sigma=result.sigma_pb,
                efficiency=found / (len(chunks) * TRIALS_PER_CHUNK),
            )
        )
    return chunks


def event_weights(chunks: list[Path], events: int) -> NDArray[np.float64]:
    """Weights of the first events of the chunks, 1 below the maximum, shape (events,)."""
    return np.concatenate([EventBatch.load(path).weight for path in chunks])[:events]


def write(
    output: Path, chunks: list[Path], weights: NDArray[np.float64], process: Process, pdf: int, result: Result
) -> None:
    """Write the first events of the chunks, with weights whose mean is the cross section.

    Args:
        output: the file.
        chunks: of events.
        weights: from `event_weights`.
        process: what was generated.
        pdf: LHAPDF number of the parton densities, `NO_PDF` of the event room for beams that are partons.
        result: cross section and its error.

    Raises:
        OutputError: the file cannot be written.
    """
    unit = result.sigma_pb / weights.mean()
    subprocess = LheProcess(result.sigma_pb, result.sigma_error_pb, float(unit * weights.max()))
    init = LheInit(process.beams.pdg, process.beams.energies, (pdf, pdf), (subprocess,))
    with create_events(output, init, {"madnis_py_card": process.card.to_toml()}) as writer:
        for path in chunks:
            batch = EventBatch.load(path).select(slice(0, len(weights) - writer.n_events))
            writer.write(batch.rescaled(unit))
