"""Showers of the events of a file: chunks on several processes, joined to one HepMC3 file."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from math import hypot, sqrt
from pathlib import Path

from isal import igzip

from madnis_py import __version__, _core
from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.formats import create_events, open_events
from madnis_py.events.files.normalization import in_pb, init_in_pb
from madnis_py.events.les_houches.lhe_init import LheInit
from madnis_py.events.les_houches.text_sinks import ByteSink, GzipSink, PlainSink
from madnis_py.events.showers.shower_chunk import ShowerChunk, ShowerTally
from madnis_py.events.showers.shower_settings import ShowerSettings, pythia_version
from madnis_py.output_file import OutputFile, make_directory, require_place
from madnis_py.parallel.in_order import completed, in_order
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

SUFFIXES = (".hepmc", ".hepmc.gz", ".hepmc3", ".hepmc3.gz")

CHUNK = 500
"""Events of a chunk; each has a Pythia and a seed of its own."""

_CROSS_SECTION = re.compile(rb"^A 0 GenCrossSection .*$", re.MULTILINE)
_BEGIN, _END = b"HepMC::Asciiv3-START_EVENT_LISTING\n", b"HepMC::Asciiv3-END_EVENT_LISTING\n"


@dataclass(frozen=True)
class ShoweredFile:
    """What became of the events.

    Attributes:
        events: that came in.
        accepted: that are in the file; fewer where a merging vetoes some.
        failed: that Pythia gave up.
        cross_section: of the events in the file, in pb.
        error: its standard error, in pb.
    """

    events: int
    accepted: int
    failed: int
    cross_section: float
    error: float


@dataclass(frozen=True)
class Shower:
    """Showers events of a file.

    Attributes:
        settings: of Pythia.
        executor: makes several chunks at once; this process one after the other if None.
        ahead: how many chunks shall be under way.
        watch: called with the progress.
    """

    settings: ShowerSettings
    executor: Executor | None = None
    ahead: int = 1
    watch: Watch = unwatched

    def run(self, source: Path, output: Path, most: int | None = None) -> ShoweredFile:
        """Shower the events of a file, and write them in HepMC3's text format.

        The events are the same for any number of processes. Finished chunks stay beside the output
        after an interruption, and are not made again.

        The weights are in pb, such that their sum over the number of events that came in is the
        cross section, which stands with each event.

        Args:
            source: file of events, of any format.
            output: ends in .hepmc or .hepmc.gz.
            most: number of events to take from the file; all if None.

        Raises:
            InputError: the file is damaged, the output has another name, or Pythia does not start.
            GenerationError: no event came out.
            OutputError: a file cannot be written.
        """
        if not output.name.endswith(SUFFIXES):
            raise InputError(f"{output}: expected a file name that ends in {' or '.join(SUFFIXES)}")
        require_place(output)
        self.settings.check()
        reader = open_events(source)
        if reader.init.of_decay:
            raise InputError(f"{source}: expected collisions, which Pythia takes; got decays")
        chunks = ChunkFolder(output, self.settings, source)
        tallies: dict[ShowerChunk, ShowerTally] = {}
        clock = Stopwatch()
        with closing(self._tallies(chunks.of(reader, most), tallies)) as done:
            for events in done:
                share = max(reader.share if most is None else events / most, 1e-6)
                total, rate = max(events, round(events / share)), events / clock.total
                self.watch(StageProgress("shower", events, total, "events", rate, "events/s"))
        if not sum(tally.accepted for tally in tallies.values()):
            raise GenerationError(f"shower: expected events from Pythia; got none of {source}")
        made = _summary(list(tallies.values()), reader.init)
        _join([chunk.text for chunk in tallies], made, list(tallies.values()), output)
        chunks.clear()
        return made

    def _tallies(
        self, chunks: Iterator[ShowerChunk], tallies: dict[ShowerChunk, ShowerTally]
    ) -> Generator[int]:
        """Shower chunks, in order; gives the number of events after each."""
        begun: list[ShowerChunk] = []

        def begin(chunk: ShowerChunk) -> Future[ShowerTally]:
            begun.append(chunk)
            with suppress(CheckpointError):
                return completed(ShowerTally.load(chunk.tally))
            return self.executor.submit(chunk) if self.executor else completed(chunk())

        events = 0
        with closing(in_order(begin, chunks, lambda: self.ahead)) as finished:
            for place, tally in enumerate(finished):
                tallies[begun[place]] = tally
                yield (events := events + tally.events)


class ChunkFolder:
    """Folder of the chunks of an output, beside it, until that is complete.

    Args:
        output: the file that is to be made.
        settings: of Pythia.
        source: file of the events.
    """

    def __init__(self, output: Path, settings: ShowerSettings, source: Path) -> None:
        self._settings = settings
        with source.open("rb") as file:
            of_source = hashlib.file_digest(file, "sha256").hexdigest()
        key = json.dumps([of_source, asdict(settings), CHUNK, __version__, pythia_version()])
        self._all = output.parent / f".{output.name}.chunks"
        self._folder = self._all / hashlib.sha256(key.encode()).hexdigest()[:12]
        make_directory(self._folder)

    def of(self, reader: EventReader, most: int | None) -> Iterator[ShowerChunk]:
        """The chunks of the events of a file; those that are not finished have a file of events.

        Args:
            reader: of the file.
            most: number of events to take; all if None.
        """
        init, first = init_in_pb(reader.init), 0
        for number, events in enumerate(_divided(in_pb(reader), most)):
            path = self._folder / f"{number:06d}.lhe"
            chunk = ShowerChunk(self._settings, path, number, first, len(events))
            if not chunk.tally.exists():
                with create_events(path, init, reader.header) as writer:
                    writer.copy(events)
            yield chunk
            first += len(events)

    def clear(self) -> None:
        """Remove the chunks, and the folder of all chunks of the output if it is empty then."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):
            self._all.rmdir()


def _divided(batches: Iterable[EventBatch], most: int | None) -> Iterator[EventBatch]:
    """Events in chunks of `CHUNK`, at most so many in all."""
    held: list[EventBatch] = []
    left = most
    for batch in batches:
        while len(batch) and left != 0:
            size = min(CHUNK - sum(map(len, held)), len(batch) if left is None else left)
            held.append(batch.select(slice(0, size)))
            batch = batch.select(slice(size, None))
            left = None if left is None else left - len(held[-1])
            if sum(map(len, held)) == CHUNK:
                yield EventBatch.concatenate(held)
                held = []
        if left == 0:
            break
    if held:
        yield EventBatch.concatenate(held)


def _summary(tallies: Sequence[ShowerTally], init: LheInit) -> ShoweredFile:
    """Numbers of events, and the cross section of those that Pythia let through.

    Its error: that of the file, and that of the share of events.
    """
    events, accepted, failed = (
        sum(getattr(tally, name) for tally in tallies) for name in ("events", "accepted", "failed")
    )
    tried = events - failed
    cross_section = _cross_sections(tallies)[0]
    share, (before, error) = accepted / tried, init.cross_section
    relative = hypot(error / before, sqrt(max(1 - share, 0.0) / accepted))
    return ShoweredFile(events, accepted, failed, cross_section, abs(cross_section) * relative)


def _cross_sections(tallies: Sequence[ShowerTally]) -> list[float]:
    """The cross section by each of the weights in pb."""
    tried = sum(tally.events - tally.failed for tally in tallies)
    sums = [tally.sums for tally in tallies if tally.sums]
    return [sum(column) / tried for column in zip(*sums, strict=True)]


def _join(
    texts: Sequence[Path], made: ShoweredFile, tallies: Sequence[ShowerTally], output: Path
) -> None:
    """Write one file of all chunks, with the cross section in every event."""
    relative = made.error / abs(made.cross_section) if made.cross_section else 0.0
    each = [f"{sigma:.8e} {abs(sigma) * relative:.8e}" for sigma in _cross_sections(tallies)]
    counts = f"{made.accepted} {made.events - made.failed}"
    line = f"A 0 GenCrossSection {' '.join([each[0], counts, *each[1:]])}".encode()
    threads = _core.thread_count()
    with OutputFile(output) as file, ThreadPoolExecutor(threads) as pool:
        packed = output.name.endswith(".gz")
        sink: ByteSink = GzipSink(file, pool, threads) if packed else PlainSink(file)
        for place, text in enumerate(texts):
            head, events = _parts(text)
            sink.write(b"" if place else head)
            sink.write(_CROSS_SECTION.sub(line, events))
        sink.write(_END)
        sink.finish()


def _parts(path: Path) -> tuple[bytes, bytes]:
    """What precedes the events of a file, and the events."""
    with igzip.open(path, "rb") as file:  # type: ignore[no-untyped-call]
        head, begin, rest = file.read().partition(_BEGIN)
    return head + begin, rest.rpartition(_END)[0]
