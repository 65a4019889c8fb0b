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
import torch
from numpy.typing import NDArray

from madnis_py.errors import CheckpointError
from madnis_py.events.chunk import Chunk
from madnis_py.events.records import event_records
from madnis_py.events.unweight import Encoding, Unweighter, UnweightingTally, raised_maximum
from madnis_py.integration.integrator import Integrator
from madnis_py.output_file import make_directory
from madnis_py.parallel.in_order import completed, in_order
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import DRAWS

TRIALS_PER_CHUNK = 32_768
"""Trials of one chunk; fixed, because the events depend on it."""


@dataclass(frozen=True)
class MadeChunk:
    """What a generation remembers of a chunk.

    Attributes:
        path: its file.
        key: of the file.
        ratio: w / M_i of its events, float64, shape (k,).
        uniform: the numbers that accepted them, float64, shape (k,).
        tally: of all its trials.
    """

    path: Path
    key: str
    ratio: NDArray[np.float64]
    uniform: NDArray[np.float64]
    tally: UnweightingTally

    def load(self) -> Chunk:
        """Read the chunk again.

        Raises:
            CheckpointError: its file is no longer what it was.
        """
        return Chunk.load(self.path, self.key)


@dataclass(frozen=True)
class ChunkMaker:
    """Makes chunks, each a function of its number; it can be sent to other processes.

    Attributes:
        sampler: draws the trials, by itself.
        cross_section: makes events of accepted points.
        maxima: per channel in pb.
        seed: of the random streams.
    """

    sampler: Integrator
    cross_section: CrossSection
    maxima: NDArray[np.float64]
    seed: int

    def __call__(self, index: int) -> Chunk:
        """The chunk of a number."""
        unweighter = Unweighter(self.maxima)
        counts = unweighter.trials(TRIALS_PER_CHUNK, self._stream(index, "channels"))
        samples = self.sampler.sample(counts, "generate", self.seed, index, "points")
        accepted = unweighter.accept(samples, self._uniform((len(samples),), index, "accept"))
        chosen = samples.select(accepted.index)
        numbers = self._uniform((len(chosen), DRAWS), index, "details")
        partonic = self.cross_section.partonic_events(chosen.x, chosen.channel, numbers)
        events = event_records(partonic, np.copysign(accepted.ratio, partonic.sign))
        order = torch.randperm(len(events), generator=self._stream(index, "order")).numpy()
        return Chunk(events.select(order), accepted.uniform[order], accepted.tally)

    def _uniform(self, shape: tuple[int, ...], index: int, purpose: str) -> torch.Tensor:
        return torch.rand(shape, generator=self._stream(index, purpose), dtype=torch.float64)

    def _stream(self, index: int, purpose: str) -> torch.Generator:
        return stream(self.sampler.seed, "generate", self.seed, index, purpose)


class EventSource:
    """Chunks of unweighted events in files: those that are there are read, the others are made.

    Args:
        maker: makes the chunks, in any process.
        directory: where the files go; each choice of maxima and seed has a folder of its own in it.
        key: what the chunks are a part of: they are read again for the same maxima, seed and key
            only.
    """

    def __init__(self, maker: ChunkMaker, directory: Path, key: str = "") -> None:
        self.maker = maker
        self._shipped = PickledOnce(maker)
        self._name = hashlib.sha256(
            maker.maxima.tobytes() + f"{maker.seed} {key}".encode()
        ).hexdigest()
        self.directory = directory / self._name[:12]

    def chunks(
        self, most: int, ahead: Callable[[], int], executor: Executor | None
    ) -> Generator[MadeChunk]:
        """The chunks in their order, at most so many.

        Args:
            most: how many there may be.
            ahead: how many shall be in the making; asked before each.
            executor: makes them beside each other; this thread, one by one, if None.
        """
        numbers = range(most)
        begun = in_order(partial(self._begin, executor), numbers, ahead if executor else lambda: 1)
        with closing(begun):
            for index, made in zip(numbers, begun, strict=False):
                yield self._kept(index, made)

    def clear(self) -> None:
        """Forget the chunks."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with suppress(OSError):  # another seed may still have chunks beside it
            self.directory.parent.rmdir()

    def _begin(self, executor: Executor | None, index: int) -> Future[Chunk]:
        """Have a chunk made, unless it waits in its file."""
        stored = self._stored(index)
        if stored is not None:
            return completed(stored)
        return executor.submit(self._shipped, index) if executor else completed(self.maker(index))

    def _stored(self, index: int) -> Chunk | None:
        """The chunk of a file; one that is damaged or belongs to something else is removed."""
        path = self._path(index)
        try:
            return Chunk.load(path, self._key(index))
        except CheckpointError:
            path.unlink(missing_ok=True)
            return None

    def _kept(self, index: int, chunk: Chunk) -> MadeChunk:
        path, key = self._path(index), self._key(index)
        if not path.exists():
            make_directory(self.directory)
            chunk.save(path, key)
        return MadeChunk(path, key, chunk.events.weight, chunk.uniform, chunk.tally)

    def _key(self, index: int) -> str:
        return f"{self._name} {index}"

    def _path(self, index: int) -> Path:
        return self.directory / f"{index:06d}.npz"


@dataclass
class Selection:
    """Which events of the chunks so far go to the file, under maxima that grow where too much lies above them.

    Args:
        encoding: of events above the maxima.
        share: of the cross section that may lie above them.
        most: largest factor of the maxima.

    Attributes:
        chunks: in their order.
        factor: of the maxima.
    """

    encoding: Encoding
    share: float
    most: float

    def __post_init__(self) -> None:
        self.chunks: list[MadeChunk] = []
        self.factor = 1.0
        self._tally = UnweightingTally()
        self._excess: list[NDArray[np.float64]] = []
        self._counts: list[int] = []

    def add(self, chunk: MadeChunk) -> None:
        """Take a chunk; events of earlier ones are tested again if the maxima grow."""
        size = np.abs(chunk.ratio)
        self.chunks.append(chunk)
        self._tally += chunk.tally
        self._excess.append(size[size > 1])
        factor = raised_maximum(
            np.concatenate(self._excess), self._tally.magnitude, self.share, self.most
        )
        if factor > self.factor:
            self.factor = factor
            self._counts = [int(self.copies(one).sum()) for one in self.chunks]
        else:
            self._counts.append(int(self.copies(chunk).sum()))

    @property
    def events(self) -> int:
        """How many events there are."""
        return sum(self._counts)

    @property
    def trials(self) -> int:
        """How many trials they took."""
        return round(self._tally.trials)

    @property
    def efficiency(self) -> float:
        """Cross section over the sum of the maxima."""
        return self._tally.magnitude / (self.factor * self._tally.trials)

    @property
    def overweight_share(self) -> float:
        """Share of the cross section that lies above the maxima."""
        return (
            float(np.maximum(np.concatenate(self._excess) - self.factor, 0.0).sum())
            / self._tally.magnitude
        )

    @property
    def cut_acceptance(self) -> float:
        """Share of the trials with a weight other than 0."""
        return self._tally.live / self._tally.trials

    @property
    def mean_ratio(self) -> tuple[float, float]:
        """Mean of w / M_i over all trials, the cross section over the sum of the first maxima, and its error."""
        trials = self._tally.trials
        mean = self._tally.ratio / trials
        return mean, float(np.sqrt((self._tally.squared / trials - mean**2) / trials))

    def copies(self, chunk: MadeChunk) -> NDArray[np.int64]:
        """How often each event of a chunk goes to the file."""
        return self.encoding.copies(chunk.ratio / self.factor, chunk.uniform)

    def weights(self, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
        """Signed weights of events with these w / M_i, 1 below the maximum."""
        return self.encoding.weight(ratio / self.factor)
