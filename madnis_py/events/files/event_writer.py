"""Writers of event files: batches of events to any format, in bounded memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.normalization import needs_sums
from madnis_py.events.files.ragged import part_size
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import LheInit
from madnis_py.events.les_houches.weight_groups import identifiers


class EventWriter(ABC):
    """Writes events to a file that appears under its name only when it is complete.

    Use it as a context manager:

        with LheWriter(directory / "events.lhe.gz", init, {"madnis_py_card": card_text}) as writer:
            for batch in batches:
                writer.write(batch)

    The weights of the events are in pb and their mean over the file must be the cross section of
    <init> (IDWTUP -4): an unweighted sample carries sigma for every event, an overweight event its
    multiple. The caller scales them.

    The same events give the same bytes, however they are divided into batches and for any number of
    threads.

    Args:
        path: the file.
        init: beams, processes and weight groups.
        header: blocks of text, element name -> text, or the header of another file.

    Attributes:
        suffixes: how the names of the files end.
        n_events: events written so far.

    Raises:
        InputError: another suffix, header blocks that XML cannot hold, or a meaning of weights that
            the format has not.
        OutputError: the file system refuses.
    """

    suffixes: ClassVar[tuple[str, ...]]
    in_pb: ClassVar[bool] = False
    """Whether the format has no other meaning of weights than that of IDWTUP -4."""
    for_merging: ClassVar[bool] = False
    """Whether the format has room for what merging needs: kT and number of jets of each event."""

    def __init__(
        self, path: Path, init: LheInit, header: LheHeader | Mapping[str, str] | None = None
    ) -> None:
        if not path.name.endswith(self.suffixes):
            raise InputError(
                f"{path}: expected a file name that ends in {' or '.join(self.suffixes)}"
            )
        if self.in_pb and needs_sums(init):
            expected = "expected weights in pb with the cross section as mean (IDWTUP -4)"
            advice = "as madnis-py convert makes them"
            raise InputError(f"{path}: {expected}, {advice}; got IDWTUP {init.weighting}")
        self.path = path
        self.init = init
        self.header = header if isinstance(header, LheHeader) else LheHeader.of(header or {})
        self.n_events = 0
        self._blocks = EventBlocks()
        self._processes = [process.identifier for process in init.processes]
        self._n_variations = len(identifiers(init.weight_groups))

    def __enter__(self) -> Self:
        """Open the file and write all that precedes the events."""
        with ExitStack() as stack:
            self._begin(stack)
            self._stack = stack.pop_all()
        return self

    def write(self, events: EventBatch) -> None:
        """Append events, in bounded memory.

        Args:
            events: complete events; weights in pb with the cross section as mean.

        Raises:
            GenerationError: an event is not one that a shower can use; see `EventBatch.check`.
            InputError: an event belongs to a process that <init> does not have, or has other
                variations.
            OutputError: the file system refuses.
        """
        events.check()
        unknown = np.setdiff1d(events.process_id, self._processes)
        if len(unknown):
            expected = f"expected events of the processes {self._processes}"
            raise InputError(f"{self.path}: {expected}; got {unknown.tolist()}")
        self.copy(events)

    def copy(self, events: EventBatch) -> None:
        """Append events of another file as they are, whether a shower can use them or not.

        Raises:
            InputError: they have other variations than <init> declares, weights that are not
                finite, or jets for merging that the format has no room for.
            OutputError: the file system refuses.
        """
        if events.n_variations != self._n_variations:
            expected = f"expected events with {self._n_variations} variations, as <init> declares"
            raise InputError(f"{self.path}: {expected}; got {events.n_variations}")
        if not self.for_merging and events.for_merging:
            expected = "expected .lhe or .lhe.gz for events for merging, whose jets it lacks"
            raise InputError(f"{self.path}: {expected}")
        if not np.isfinite(events.weight).all() or np.isinf(events.variations).any():
            raise InputError(f"{self.path}: expected finite weights of events; got others")
        for block in self._blocks.add(events):
            self._append(block)
        self.n_events += len(events)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Complete the file, or remove it after an error."""
        if kind is not None:
            self._stack.__exit__(kind, error, traceback)
            return
        with self._stack:
            for block in self._blocks.rest():
                self._append(block)
            self._finish()

    @abstractmethod
    def _begin(self, stack: ExitStack) -> None:
        """Open the file and write what precedes the events.

        What is entered into the stack leaves the file complete, or removes it after an error.
        """

    @abstractmethod
    def _append(self, events: EventBatch) -> None:
        """Write a block."""

    @abstractmethod
    def _finish(self) -> None:
        """Write what follows the events."""


class EventBlocks:
    """Events divided into blocks that depend on the events, not on the batches they come in."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self._held: list[EventBatch] = []
        self._count = self._rows = 0

    def add(self, events: EventBatch) -> Iterator[EventBatch]:
        """Take events; give the blocks that are now complete."""
        counts, begin = events.counts, 0
        while begin < len(events):
            size = part_size(counts[begin:], events.n_variations, self._count, self._rows)
            if size:
                piece = events.select(slice(begin, begin + size)).narrowed()
                self._held.append(piece)
                self._count += size
                self._rows = max(self._rows, piece.n_particles)
                begin += size
            if begin < len(events):
                yield from self.rest()

    def rest(self) -> Iterator[EventBatch]:
        """Give what is held, if there is any."""
        held = self._held
        self._clear()
        if held:
            yield held[0] if len(held) == 1 else EventBatch.concatenate(held)
