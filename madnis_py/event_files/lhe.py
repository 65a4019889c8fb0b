"""Les Houches event files, version 3.0, plain or gzipped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from isal import igzip, isal_zlib

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.event_files.event_format import EventReader, EventWriter
from madnis_py.event_files.lhe_header import LheHeader
from madnis_py.event_files.lhe_init import NO_PDF, SIGNED_WEIGHTS_IN_PB, Generator, LheInit, LheProcess
from madnis_py.event_files.text_sinks import ByteSink, GzipSink, PlainSink
from madnis_py.event_files.weight_groups import identifiers, weight_tags
from madnis_py.events.event_batch import EventBatch
from madnis_py.output_file import OutputFile

__all__ = [
    "NO_PDF",
    "SIGNED_WEIGHTS_IN_PB",
    "Generator",
    "LheInit",
    "LheProcess",
    "LheReader",
    "LheWriter",
    "parse_preamble",
    "preamble",
]

GZIP_MAGIC = b"\x1f\x8b"
BYTES_PER_PIECE = 1 << 22
"""Text that is read together."""

ROOT_WITHIN = 1 << 22
"""Bytes after which nobody begins a Les Houches file any more."""

ROOT, END = b"<LesHouchesEvents", b"</LesHouchesEvents>"
HEADER, HEADER_END = re.compile(rb"<header(?:\s[^>]*)?(?<!/)>"), b"</header>"
EMPTY_HEADER = re.compile(r"<header(?:\s[^>]*)?/>")
INIT, INIT_END, EVENT = re.compile(rb"<init[\s>]"), b"</init>", re.compile(rb"<event[\s>]")
PREAMBLE = re.compile(
    r"<LesHouchesEvents[^>]*>(?P<before>.*?)(?:<header[^>]*>(?P<header>.*)</header>.*?)?"
    r"<init(?:\s[^>]*)?>(?P<init>.*)</init>",
    re.DOTALL,
)


class LheWriter(EventWriter):
    """Writes Les Houches files, gzipped if the name ends in .gz; see `EventWriter`."""

    suffixes = (".lhe", ".lhe.gz")

    def _begin(self, stack: ExitStack) -> None:
        file = stack.enter_context(OutputFile(self.path))
        self._tags = weight_tags(self.init.weight_groups)
        self._sink = self._new_sink(file, stack)
        self._sink.write(preamble(self.init, self.header).encode())

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
    """Reads Les Houches files of any version and program, gzipped or not; see `EventReader`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._opened() as text:
            content, _ = self._preamble(text)
            self.header, self.init = parse_preamble(content)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        weights = identifiers(self.init.weight_groups)
        before = 0
        with self._opened() as text:
            _, pending = self._preamble(text)
            while True:
                columns, left_out, end = _core.lhe_events(pending, weights, before)
                pending = pending[end:]
                self.left_out |= left_out
                if end:
                    batch = EventBatch(**columns)
                    before += len(batch)
                    yield batch
                more = text.read(BYTES_PER_PIECE)
                self.share = text.share
                if not more:
                    return _require_end(pending, before)
                pending += more

    @contextmanager
    def _opened(self) -> Iterator[TextSource]:
        """The text of the file; what is wrong with it is said with its name."""
        try:
            with self.path.open("rb") as file:
                yield TextSource(file)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except (EOFError, isal_zlib.error) as error:  # type: ignore[misc]
            raise InputError(f"{self.path}: expected a whole gzip file; got: {error}") from error
        except (InputError, _core.LheError) as error:
            raise InputError(f"{self.path}: {error}") from None

    def _preamble(self, text: TextSource) -> tuple[str, bytes]:
        """What precedes the events, and a first part of them."""
        content = b""
        while (end := preamble_end(content)) is None:
            more = text.read(max(BYTES_PER_PIECE, len(content)))
            if not more:
                raise InputError("expected <LesHouchesEvents>, <header> and <init>; got the end of the file")
            content += more
        return _decoded(content[:end]), content[end:]


class TextSource:
    """Text of a file, decompressed if it is gzipped.

    Args:
        file: open at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = max(1, file.seek(0, 2))
        file.seek(0)
        magic = file.read(len(GZIP_MAGIC))
        file.seek(0)
        self._text: BinaryIO = igzip.open(file, "rb") if magic == GZIP_MAGIC else file  # type: ignore[no-untyped-call]

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many, none at the end."""
        return self._text.read(size)

    @property
    def share(self) -> float:
        """Share of the file that is read."""
        return self._file.tell() / self._size


def preamble(init: LheInit, header: LheHeader) -> str:
    """All of a file that precedes the events."""
    return f'<LesHouchesEvents version="3.0">\n{header.element(init.weight_groups)}<init>\n{init}\n</init>\n'


def parse_preamble(text: str) -> tuple[LheHeader, LheInit]:
    """What a file says before its events.

    Args:
        text: from <LesHouchesEvents> to </init>. What other programs put before <header> becomes a part of it.

    Raises:
        InputError: there is no <init>, or it has not the numbers that it should.
    """
    if (found := PREAMBLE.search(EMPTY_HEADER.sub("", text, count=1))) is None:
        raise InputError("expected <LesHouchesEvents> and <init>")
    before = found["before"].strip()
    header, groups = LheHeader.parse(f"{before}{found['header'] or ''}")
    return header, LheInit.parse(found["init"], groups)


def preamble_end(content: bytes) -> int | None:
    """Where the events begin; nothing if that lies behind what is given.

    Raises:
        InputError: this is no Les Houches file.
    """
    root = content.find(ROOT)
    if root < 0:
        if len(content) >= ROOT_WITHIN:
            raise InputError("expected a Les Houches file; got no <LesHouchesEvents>")
        return None
    header, init = HEADER.search(content, root), INIT.search(content, root)
    if header is not None and (init is None or header.start() < init.start()):
        close = content.find(HEADER_END, header.end())
        init = INIT.search(content, close) if close >= 0 else None
    if init is None:
        if EVENT.search(content, root):
            raise InputError("expected <init> before the first event")
        return None
    end = content.find(INIT_END, init.end())
    return end + len(INIT_END) if end >= 0 else None


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _require_end(rest: bytes, events: int) -> None:
    if EVENT.search(rest):
        raise InputError(f"event {events + 1}: expected </event>; got the end of the file")
    if END not in rest:
        raise InputError(f"expected </LesHouchesEvents> after {events} events; got the end of the file")
