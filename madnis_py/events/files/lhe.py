"""Les Houches event files, version 3.0, plain or gzipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.event_format import EventReader, EventWriter, lacking, some
from madnis_py.events.files.ragged import MOST_ROWS, most_events
from madnis_py.events.files.text_sinks import ByteSink, GzipSink, PlainSink
from madnis_py.events.files.text_sources import TextSource
from madnis_py.events.les_houches.lhe_init import (
    NO_PDF,
    SIGNED_WEIGHTS_IN_PB,
    Generator,
    LheInit,
    LheProcess,
)
from madnis_py.events.les_houches.lhe_preamble import Preamble, decoded
from madnis_py.events.les_houches.weight_groups import (
    MOST_WEIGHTS,
    NamedWeight,
    WeightGroup,
    identifiers,
    weight_tags,
)
from madnis_py.events.les_houches.xml_text import NOT_XML
from madnis_py.output_file import OutputFile

__all__ = [
    "NO_PDF",
    "SIGNED_WEIGHTS_IN_PB",
    "Generator",
    "LheInit",
    "LheProcess",
    "LheReader",
    "LheWriter",
]

BYTES_PER_PIECE = 1 << 22
"""Text that is read together."""

MOST_TEXT = 1 << 26
"""Bytes of one event; the longest ones that are known have a hundredth."""

EVENT, COMMENT, END = b"<event", b"<!--", b"</LesHouchesEvents>"


class LheWriter(EventWriter):
    """Writes Les Houches files, gzipped if the name ends in .gz; see `EventWriter`."""

    suffixes = (".lhe", ".lhe.gz")

    def _begin(self, stack: ExitStack) -> None:
        file = stack.enter_context(OutputFile(self.path))
        self._tags = weight_tags(self.init.weight_groups)
        self._sink = self._new_sink(file, stack)
        self._sink.write(str(Preamble(self.header, self.init)).encode())

    def _new_sink(self, file: OutputFile, stack: ExitStack) -> ByteSink:
        if self.path.suffix != ".gz":
            return PlainSink(file)
        threads = _core.thread_count()
        return GzipSink(file, stack.enter_context(ThreadPoolExecutor(threads)), threads)

    def _append(self, events: EventBatch) -> None:
        for text in _core.lhe_text(events.columns(), self._tags):
            self._sink.write(text)

    def _finish(self) -> None:
        self._sink.write(END + b"\n")
        self._sink.finish()


class LheReader(EventReader):
    """Reads Les Houches files of any version and program, gzipped or not; see `EventReader`.

    Weights are those that the first events have, whether they are declared or not.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._whole = 0
        with self._opened() as text:
            preamble, pending = _preamble(text)
            self.header, self.init = preamble.header, preamble.init
            self.left_out |= preamble.left_out
            if self.init.unknown_cross_section:
                self.left_out.add("the cross section, which XSECUP does not say")
            with suppress(EOFError):  # which is told when the events before it are read
                pending += text.read(BYTES_PER_PIECE)
            self._look_at(pending)

    def _look_at(self, text: bytes) -> None:
        """Take the weights that the first events have for those of the file."""
        declared = identifiers(self.init.weight_groups)
        self._listed = list(range(len(declared)))
        limits = MOST_ROWS, most_events(len(declared))
        columns, _, undeclared, *_ = _core.lhe_events(text, declared, self._listed, 0, *limits)
        variations = columns["variations"]
        if not len(variations):
            return
        found = ~np.isnan(variations).all(axis=0)
        if missing := [name for name, there in zip(declared, found, strict=True) if not there]:
            self.left_out.add(f"declarations of weights that the events have not ({some(missing)})")
        self._listed = np.where(found, np.cumsum(found) - 1, -1).tolist()
        names = [name for name in map(decoded, undeclared) if name and not NOT_XML.search(name)]
        further = (
            WeightGroup("", "", (NamedWeight(name, ""),))
            for name in names[: MOST_WEIGHTS - len(declared)]
        )
        groups = (*_kept(self.init.weight_groups, set(missing)), *further)
        self.init = replace(self.init, weight_groups=groups)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        weights = identifiers(self.init.weight_groups)
        some_lack = np.zeros(len(weights), bool)
        undeclared: dict[str, None] = {}
        self._whole, finished = 0, False
        with self._opened() as text:
            _, pending = _preamble(text)
            while not finished:
                columns, left_out, others, end, finished = _core.lhe_events(
                    pending,
                    weights,
                    self._listed,
                    self._whole,
                    MOST_ROWS,
                    most_events(len(weights)),
                )
                pending = pending[end:]
                self.share = text.share
                self._leave_out(left_out)
                if not undeclared:
                    undeclared = dict.fromkeys(map(decoded, others))
                if len(columns["weight"]):
                    batch = EventBatch(**columns)
                    some_lack |= np.isnan(batch.variations).any(axis=0)
                    self._whole += len(batch)
                    yield batch
                elif not finished:
                    pending += self._more(text, pending)
            if _follows(text, pending[len(END) :]):
                self.left_out.add("what follows </LesHouchesEvents>")
            self.share = text.share
        if some_lack.any():
            self.left_out.add(lacking([weights[place] for place in np.flatnonzero(some_lack)]))
        if undeclared:
            self.left_out.add(f"weights that the first events have not ({some(list(undeclared))})")

    def _more(self, text: TextSource, pending: bytes) -> bytes:
        """Further text; there must be some."""
        if len(pending) > MOST_TEXT:
            raise InputError(
                f"event {self._whole + 1}: expected its end within {MOST_TEXT >> 20} MiB; got more text"
            )
        more = text.read(BYTES_PER_PIECE)
        if more:
            return more
        missing = f"expected {END.decode()} after {self._whole} events"
        if pending.startswith(EVENT):
            missing = f"event {self._whole + 1}: expected </event>"
        if pending.startswith(COMMENT):
            missing = f"expected the end of a comment after {self._whole} events"
        raise InputError(f"{missing}; got the end of the file")

    @contextmanager
    def _opened(self) -> Iterator[TextSource]:
        """The text of the file; what is wrong with it is said with its name."""
        try:
            with self.path.open("rb") as file:
                yield TextSource(file)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except EOFError as error:
            got = f"{error}, after {self._whole} whole events"
            raise InputError(f"{self.path}: expected a whole gzip file; got: {got}") from error
        except (InputError, _core.LheError) as error:
            raise InputError(f"{self.path}: {error}") from None


def _preamble(text: TextSource) -> tuple[Preamble, bytes]:
    """What precedes the events, and a first part of them."""
    content = b""
    while (found := Preamble.parse(content)) is None:
        more = text.read(max(BYTES_PER_PIECE, len(content)))
        if not more:
            raise InputError(
                "expected <LesHouchesEvents>, <header> and <init>; got the end of the file"
            )
        content += more
    return found[0], content[found[1] :]


def _kept(groups: Iterable[WeightGroup], missing: set[str]) -> Iterator[WeightGroup]:
    """Groups without weights that are missing, and no group without weights."""
    for group in groups:
        weights = tuple(weight for weight in group.weights if weight.identifier not in missing)
        if weights:
            yield replace(group, weights=weights)


def _follows(text: TextSource, content: bytes) -> bool:
    """Whether there is more than white space; a gzip file is whole only if it is read to its end."""
    while not content.strip():
        content = text.read(BYTES_PER_PIECE)
        if not content:
            return False
    return True
