"""Unweighted events in chunks, each a function of the seed, the maxima and its number alone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from madnis_py.arrays import Array
from madnis_py.devices.random_numbers import uniform_there
from madnis_py.errors import CheckpointError
from madnis_py.events.chunk import Chunk, StoredChunk
from madnis_py.events.event_records import event_records
from madnis_py.events.lifetimes import Lifetimes
from madnis_py.events.unweighting import Accepted, Unweighter
from madnis_py.events.unweighting_on_device import UnweighterOnDevice
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples
from madnis_py.output_file import make_directory
from madnis_py.parallel.in_order import completed, in_order
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.parallel.random_streams import RANDOM_NUMBERS, RandomStream, stream
from madnis_py.physics.cross_section.partonic_events import DRAWS, PartonicEventSampler

TRIALS_PER_CHUNK = 32_768
"""Trials of one chunk; fixed, because the events depend on it."""


@dataclass(frozen=True)
class ChunkMaker:
    """Makes chunks, each a function of its number; it can be sent to other processes.

    Attributes:
        sampler: draws the points of the trials, in this process.
        events: makes events of accepted points.
        maxima: maximum weight of each channel in pb, float64, shape (n_channels,).
        seed: seed of the random streams.
        process_id: of the events in the terms of a file's <init>.
        lifetimes: of unstable particles; None where all decay at once.
    """

    sampler: ImportanceSampler
    events: PartonicEventSampler
    maxima: Array
    seed: int
    process_id: int = 1
    lifetimes: Lifetimes | None = None

    def __call__(self, index: int) -> Chunk:
        """Make the chunk with a number."""
        unweighter = Unweighter(self.maxima)
        counts = unweighter.trials(TRIALS_PER_CHUNK, self._stream(index, "channels"))
        samples = self.sampler.sample(counts, "generate", self.seed, index, "points")
        accepted = self._accepted(unweighter, samples, self._stream(index, "accept"))
        x, channel = samples.x[accepted.index].cpu(), samples.channel[accepted.index.cpu()]
        numbers = self._stream(index, "details").uniform(len(x), DRAWS)
        partonic = self.events.sample(x, channel, numbers)
        weight = np.copysign(accepted.ratio, partonic.sign)
        events = event_records(partonic, weight, self.process_id)
        if self.lifetimes is not None:
            events = self.lifetimes.drawn(events, self._stream(index, "lifetimes"))
        order = self._stream(index, "order").permutation(len(events)).numpy()
        uniform, bias = accepted.uniform[order], partonic.bias[order]
        return Chunk(events.select(order), uniform, bias, accepted.tally)

    def _accepted(
        self, unweighter: Unweighter, samples: Samples, numbers: RandomStream
    ) -> Accepted:
        """Decide about the trials where their weights are."""
        if self.sampler.device is None:
            return unweighter.accept(samples, numbers.uniform(len(samples)))
        kernels = self.sampler.device.kernels
        uniform = uniform_there(numbers, kernels, len(samples))
        return UnweighterOnDevice(unweighter, kernels).accept(samples, uniform)

    def _stream(self, index: int, purpose: str) -> RandomStream:
        return stream(self.sampler.seed, "generate", self.seed, index, purpose)


class EventSource:
    """Chunks of unweighted events in files: those that are there are read, the others are made.

    Args:
        maker: makes the chunks, in any process.
        directory: folder for the files, in which each choice of maxima, seed and key has its own.
        key: what the chunks belong to; they are read only with the same maxima, seed and key, and
            only if their random numbers come from where those of others come from.
    """

    def __init__(self, maker: ChunkMaker, directory: Path, key: str = "") -> None:
        self.maker = maker
        self._pickled = PickledOnce(maker)
        self._name = hashlib.sha256(
            maker.maxima.tobytes() + f"{RANDOM_NUMBERS} {maker.seed} {key}".encode()
        ).hexdigest()
        self.directory = directory / self._name[:12]

    def chunks(
        self, most: int, ahead: Callable[[], int], executor: Executor | None
    ) -> Generator[StoredChunk]:
        """The chunks in the order of their numbers.

        Args:
            most: largest number of chunks.
            ahead: number of chunks that shall be in the making, called before each.
            executor: makes several at once; this thread makes one after the other if None.
        """
        numbers = range(most)
        begun = in_order(partial(self._begin, executor), numbers, ahead if executor else lambda: 1)
        with closing(begun):
            for index, made in zip(numbers, begun, strict=False):
                yield self._kept(index, made)

    def clear(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with suppress(OSError):  # another seed may still have chunks beside it
            self.directory.parent.rmdir()

    def _begin(self, executor: Executor | None, index: int) -> Future[Chunk]:
        """Begin to make a chunk, unless it is in its file."""
        stored = self._stored(index)
        if stored is not None:
            return completed(stored)
        return executor.submit(self._pickled, index) if executor else completed(self.maker(index))

    def _stored(self, index: int) -> Chunk | None:
        """The chunk of a file; one that is damaged or belongs to something else is removed."""
        path = self._path(index)
        try:
            return Chunk.load(path, self._key(index))
        except CheckpointError:
            path.unlink(missing_ok=True)
            return None

    def _kept(self, index: int, chunk: Chunk) -> StoredChunk:
        path, key = self._path(index), self._key(index)
        if not path.exists():
            make_directory(self.directory)
            chunk.save(path, key)
        ratio = chunk.events.weight
        return StoredChunk(path, key, ratio, chunk.uniform, chunk.bias, chunk.tally)

    def _key(self, index: int) -> str:
        return f"{self._name} {index}"

    def _path(self, index: int) -> Path:
        return self.directory / f"{index:06d}.npz"
