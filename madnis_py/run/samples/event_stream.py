"""Stream of unweighted events of a run, made in memory and without end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from madnis_py.counts import whole_number
from madnis_py.errors import InputError
from madnis_py.events.chunk import Chunk
from madnis_py.events.chunk_generation import ChunkMaker
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.column_libraries import LIBRARIES
from madnis_py.events.overweights import ENCODINGS, Encoding
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.parallel.in_order import completed, in_order
from madnis_py.parallel.random_streams import stream as random_stream
from madnis_py.run.abstract_run import AbstractRun
from madnis_py.run.run import Run
from madnis_py.run.samples.any_run import open_run
from madnis_py.run.samples.mixed_events import EventQueue, in_order_of
from madnis_py.run.samples.sample_run import SampleRun

_BLOCK = 16_384
"""Number of events of several processes that are put in order at a time."""


def stream(
    run: AbstractRun | Path | str,
    batch_size: int = 1000,
    *,
    seed: int = 1,
    sampler: SamplerName | None = None,
    library: str | None = None,
    threads: int = 1,
) -> Iterator[Any]:
    """Unweighted events of a run in memory, without end: the same for every number of threads.

        for events in mn.stream("runs/ttbar", batch_size=512, library="torch"):
            train_on(events["momenta"], events["weight"])

    The maxima are those of the run and do not grow; what lies above them is treated as the card
    says, so that the mean of the weights is the cross section. One process and the same seed give
    the events of `generate`, in their order, as long as that does not raise its maxima.

    Args:
        run: a run with a cross section, or its directory.
        batch_size: events of a batch.
        seed: of the events; another one gives others.
        sampler: that draws them; that of the run if None.
        library: "numpy" or "torch", a dictionary of the columns of `EventBatch`, or "awkward", an
            array of records; `EventBatch` itself if None.
        threads: how many make events at the same time; memory grows with it.

    Returns:
        an iterator that never ends; closing it, or forgetting it, ends its threads.

    Raises:
        InputError: there is no such run, library or sampler, or a number below 1.
        GenerationError: the run has no cross section that events can be made with.
    """
    if library not in (None, *LIBRARIES):
        raise InputError(f"library: expected {', '.join(LIBRARIES)}; got {library}")
    batch_size, threads = (
        whole_number(name, number)
        for name, number in (("batch_size", batch_size), ("threads", threads))
    )
    opened = run if isinstance(run, AbstractRun) else open_run(run)
    events = _batches(_parts(opened, seed, sampler), opened, seed, batch_size, threads)
    return events if library is None else map(LIBRARIES[library], events)


@dataclass(frozen=True)
class _EndlessEvents:
    """Events of one process.

    Attributes:
        maker: makes their chunks.
        encoding: treatment of weights above the maxima.
        unit: weight of an event below them in pb: the mean of all is the cross section.
    """

    maker: ChunkMaker
    encoding: Encoding
    unit: float

    @classmethod
    def of_run(cls, run: Run, seed: int, sampler: SamplerName | None) -> _EndlessEvents:
        maker, result = run.chunk_maker(seed, sampler)
        encoding = ENCODINGS[run.process.card.events.overweights]
        efficiency = result.unweighting.efficiency
        above = efficiency * result.unweighting.overweight_share
        events_per_trial = encoding.expected_events(efficiency, above)
        return cls(maker, encoding, float(result.maxima.sum()) * events_per_trial)

    def batches(self, executor: Executor | None, ahead: int, unit: float) -> Generator[EventBatch]:
        """All events, chunk by chunk, in units of `unit` pb."""
        begin = partial(self._begin, executor)
        with closing(in_order(begin, count(), lambda: ahead)) as chunks:
            for chunk in chunks:
                ratio = chunk.events.weight
                rows = np.repeat(np.arange(len(ratio)), self.encoding.copies(ratio, chunk.uniform))
                size = self.encoding.weight(ratio) / chunk.bias
                yield chunk.events.reweighted(unit * size).select(rows)

    def _begin(self, executor: Executor | None, index: int) -> Future[Chunk]:
        return executor.submit(self.maker, index) if executor else completed(self.maker(index))


def _parts(run: AbstractRun, seed: int, sampler: SamplerName | None) -> list[_EndlessEvents]:
    """The events of each process of a run."""
    if isinstance(run, Run):
        return [_EndlessEvents.of_run(run, seed, sampler)]
    assert isinstance(run, SampleRun)
    return [_EndlessEvents.of_run(part, seed, sampler) for part in run.parts]


def _batches(
    parts: Sequence[_EndlessEvents], run: AbstractRun, seed: int, size: int, threads: int
) -> Iterator[EventBatch]:
    executor = ThreadPoolExecutor(threads) if threads > 1 else None
    unit = sum(part.unit for part in parts)
    sources = [part.batches(executor, threads, unit) for part in parts]
    try:
        made = sources[0] if len(parts) == 1 else _mixed(parts, sources, run, seed)
        queue = EventQueue(made)
        while True:
            yield queue.take(size)
    finally:
        for source in sources:
            source.close()
        if executor:
            executor.shutdown(cancel_futures=True)


def _mixed(
    parts: Sequence[_EndlessEvents],
    sources: Sequence[Generator[EventBatch]],
    run: AbstractRun,
    seed: int,
) -> Iterator[EventBatch]:
    """Events of all processes in one random order, as often as the weight of an event wants."""
    shares = np.array([part.unit for part in parts])
    queues = {place: EventQueue(source) for place, source in enumerate(sources)}
    for block in count():
        draws = random_stream(run.record.identity.seed, "stream", seed, "processes", block)
        labels = draws.choices(shares, _BLOCK).numpy()
        yield in_order_of(labels, queues)
