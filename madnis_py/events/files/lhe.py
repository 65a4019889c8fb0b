"""Les Houches event files, version 3.0, plain or gzipped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files.event_reader import EventReader, first_names
from madnis_py.events.files.event_writer import EventWriter
from madnis_py.events.files.ragged import MOST_ROWS, most_events
from madnis_py.events.les_houches.lhe_preamble import Preamble, decoded
from madnis_py.events.les_houches.text_sinks import ByteSink, GzipSink, PlainSink
from madnis_py.events.les_houches.text_sources import TextSource
from madnis_py.events.les_houches.weight_groups import (
    MOST_WEIGHTS,
    NamedWeight,
    WeightGroup,
    identifiers,
    weight_tags,
)
from madnis_py.events.les_houches.xml_text import NOT_XML
from madnis_py.output_file import OutputFile

BYTES_PER_PIECE = 1 << 22
"""Bytes of text that are read at once, 4 MiB."""

MOST_TEXT = 1 << 26
"""Bytes that one event may have, 64 MiB; the longest ones known have a hundredth of it."""

MOST_KINDS_LEFT_OUT = 32
"""Kinds of things in events that `LheReader.left_out` names."""

EVENT, COMMENT, END = b"<event", b"<!--", b"</LesHouchesEvents>"


class LheWriter(EventWriter):
    """Writes Les Houches files, gzipped if the name ends in .gz; see `EventWriter`."""

    suffixes = (".lhe", ".lhe.gz")
    for_merging = True

    def _begin(self, stack: ExitStack) -> None:
        file = stack.enter_context(OutputFile(self.path))
        self._tags = weight_tags(self.init.weight_groups)
        self._sink: ByteSink = PlainSink(file)
        if self.path.suffix == ".gz":
            threads = _core.thread_count()
            self._sink = GzipSink(file, stack.enter_context(ThreadPoolExecutor(threads)), threads)
        self._sink.write(str(Preamble(self.header, self.init)).encode())

    def _append(self, events: EventBatch) -> None:
        for text in _core.lhe_text(events.columns(), self._tags):
            self._sink.write(text)

    def _finish(self) -> None:
        self._sink.write(END + b"\n")
        self._sink.finish()


class LheReader(EventReader):
    """Reads Les Houches files of any version and program, gzipped or not; see `EventReader`.

    The variations are those that the first events have, whether they are declared or not.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._complete = 0  # events read so far
        with self._opened() as text:
            preamble, pending = _preamble(text)
            self.header, self.init = preamble.header, preamble.init
            self.left_out |= preamble.left_out
            if self.init.unknown_cross_section:
                self.left_out.add("the cross section, which XSECUP does not say")
            with suppress(EOFError):  # raised once more after the events that precede the damage
                pending += text.read(BYTES_PER_PIECE)
            self._find_weights(pending)

    def _find_weights(self, text: bytes) -> None:
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
            names = first_names(missing)
            self.left_out.add(f"declarations of weights that the events have not ({names})")
        self._listed = np.where(found, np.cumsum(found) - 1, -1).tolist()
        groups, absent = [], set(missing)
        for group in self.init.weight_groups:
            weights = tuple(weight for weight in group.weights if weight.identifier not in absent)
            groups += [replace(group, weights=weights)] if weights else []
        others = [name for name in map(decoded, undeclared) if name and not NOT_XML.search(name)]
        for name in others[: MOST_WEIGHTS - len(declared)]:
            groups.append(WeightGroup("", "", (NamedWeight(name, ""),)))
        self.init = replace(self.init, weight_groups=tuple(groups))

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        weights = identifiers(self.init.weight_groups)
        lacking = np.zeros(len(weights), bool)
        undeclared: dict[str, None] = {}
        self._complete, finished = 0, False
        with self._opened() as text:
            _, pending = _preamble(text)
            while not finished:
                columns, left_out, others, end, finished = _core.lhe_events(
                    pending,
                    weights,
                    self._listed,
                    self._complete,
                    MOST_ROWS,
                    most_events(len(weights)),
                )
                pending = pending[end:]
                self.share = text.share
                for kind in sorted(left_out):
                    known = len(self.left_out) < MOST_KINDS_LEFT_OUT
                    self.left_out.add(kind if known else "more")
                if not undeclared:
                    undeclared = dict.fromkeys(map(decoded, others))
                _drop_absent(columns)
                if len(columns["weight"]):
                    batch = EventBatch(**columns)
                    lacking |= np.isnan(batch.variations).any(axis=0)
                    self._complete += len(batch)
                    yield batch
                elif not finished:
                    pending += self._more(text, pending)
            self._read_rest(text, pending[len(END) :])
        self._leave_out_weights(lacking)
        if undeclared:
            names = first_names(list(undeclared))
            self.left_out.add(f"weights that the first events have not ({names})")

    def _more(self, text: TextSource, pending: bytes) -> bytes:
        """Further text behind what is pending, which does not hold a whole event.

        Raises:
            InputError: there is none, or an event is too long.
        """
        if len(pending) > MOST_TEXT:
            expected = f"expected its end within {MOST_TEXT >> 20} MiB"
            raise InputError(f"event {self._complete + 1}: {expected}; got more text")
        more = text.read(BYTES_PER_PIECE)
        if more:
            return more
        missing = f"expected {END.decode()} after {self._complete} events"
        if pending.startswith(EVENT):
            missing = f"event {self._complete + 1}: expected </event>"
        if pending.startswith(COMMENT):
            missing = f"expected the end of a comment after {self._complete} events"
        raise InputError(f"{missing}; got the end of the file")

    def _read_rest(self, text: TextSource, further: bytes) -> None:
        """Read what follows the events to its end, which shows that a gzip file is whole."""
        while not further.strip() and (more := text.read(BYTES_PER_PIECE)):
            further = more
        if further.strip():
            self.left_out.add("what follows </LesHouchesEvents>")
        self.share = text.share

    @contextmanager
    def _opened(self) -> Iterator[TextSource]:
        """The text of the file; errors of reading name the file."""
        try:
            with self.path.open("rb") as file:
                yield TextSource(file)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except EOFError as error:
            got = f"{error}, after {self._complete} whole events"
            raise InputError(f"{self.path}: expected a whole gzip file; got: {got}") from error
        except (InputError, _core.LheError) as error:
            raise InputError(f"{self.path}: {error}") from None


def _drop_absent(columns: dict[str, NDArray[Any]]) -> None:
    """Drop the columns for merging in which no event has a number."""
    if not columns["jet_kt"].any():
        del columns["jet_kt"]
    if (columns["n_jets"] < 0).all():
        del columns["n_jets"]


def _preamble(text: TextSource) -> tuple[Preamble, bytes]:
    """The preamble of a file, and the text behind it that was read already."""
    content = b""
    while (found := Preamble.parse(content)) is None:
        more = text.read(max(BYTES_PER_PIECE, len(content)))
        if not more:
            raise InputError(
                "expected <LesHouchesEvents>, <header> and <init>; got the end of the file"
            )
        content += more
    return found[0], content[found[1] :]
