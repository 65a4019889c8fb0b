"""Unweighted events in chunks, the unit of work that survives an interruption."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from madnis_py.errors import CheckpointError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.unweight import Unweighter
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.random_streams import stream
from madnis_py.output_file import make_directory
from madnis_py.physics.cross_section import CrossSection

TRIALS_PER_CHUNK = 50_000
"""Trials of one chunk; fixed, because the events depend on it."""


class EventSource:
    """Unweighted events in chunks that are finished files: chunk k is a function of the seed, the maxima and k alone.

    Args:
        sampler: draws the trials.
        cross_section: makes events of accepted points.
        maxima: per channel in pb.
        seed: of the random streams.
        directory: where the chunks go; each choice of maxima and seed has a folder of its own in it.
    """

    def __init__(
        self,
        sampler: Integrator,
        cross_section: CrossSection,
        maxima: NDArray[np.float64],
        seed: int,
        directory: Path,
    ) -> None:
        self.sampler = sampler
        self.cross_section = cross_section
        self.unweighter = Unweighter(maxima)
        self.seed = seed
        name = hashlib.sha256(maxima.tobytes()).hexdigest()[:12]
        self.directory = directory / f"{name}-{seed}"

    def chunk(self, index: int) -> tuple[Path, int]:
        """The file of a chunk and how many events it has; read if it is there and sound, made otherwise."""
        path = self.directory / f"{index:06d}.npz"
        try:
            return path, len(EventBatch.load(path))
        except CheckpointError:
            events = self._make(index)
        make_directory(self.directory)
        events.save(path)
        return path, len(events)

    def clear(self) -> None:
        """Forget the chunks."""
        shutil.rmtree(self.directory, ignore_errors=True)
        with suppress(OSError):  # another seed may still have chunks beside it
            self.directory.parent.rmdir()

    def _make(self, index: int) -> EventBatch:
        counts = self.unweighter.trials(TRIALS_PER_CHUNK, self._stream(index, "channels"))
        samples = self.sampler.sample(counts, "generate", self.seed, index, "points")
        accepted = self.unweighter.accept(samples, self._uniform(len(samples), index, "accept"))
        chosen = samples.select(accepted.index)
        flavour = self._uniform(len(chosen), index, "flavour")
        partonic = self.cross_section.partonic_events(chosen.x, chosen.channel, flavour)
        events = EventBatch.from_partonic(partonic, accepted.weight.numpy())
        return events.shuffled(self._stream(index, "order"))

    def _uniform(self, n: int, index: int, purpose: str) -> torch.Tensor:
        return torch.rand(n, generator=self._stream(index, purpose), dtype=torch.float64)

    def _stream(self, index: int, purpose: str) -> torch.Generator:
        return stream(self.sampler.seed, "generate", self.seed, index, purpose)
