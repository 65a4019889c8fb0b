"""Les Houches event files, version 3.0, plain or gzipped."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from madnis_py import __version__, _core
from madnis_py.errors import InputError
from madnis_py.events import xml_text
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.weight_groups import WeightGroup, identifiers, weight_declarations, weight_tags
from madnis_py.output_file import OutputFile

SIGNED_WEIGHTS_IN_PB = -4  # IDWTUP: the mean of the event weights is the cross section
NO_PDF = -1
EVENTS_PER_PIECE = 65536  # bounds the memory of the text
COMPRESSION_LEVEL = 1  # four times faster than zlib's default, files 15 % larger
COMPRESSION_PIECE = 1 << 20  # bytes; fixed, so that the file does not depend on how the events came


@dataclass(frozen=True)
class LheProcess:
    """One subprocess of a file.

    Attributes:
        cross_section: XSECUP in pb.
        error: XERRUP, its standard error in pb.
        maximum: XMAXUP, the largest event weight in pb.
        identifier: LPRUP, a positive number that the events of the process carry.
    """

    cross_section: float
    error: float
    maximum: float
    identifier: int = 1

    def __post_init__(self) -> None:
        numbers = tuple(map(float, (self.cross_section, self.error, self.maximum)))
        if not all(map(isfinite, numbers)) or self.identifier < 1:
            raise InputError(f"LHE process {self.identifier}: expected finite pb and an identifier > 0; got {numbers}")

    def __str__(self) -> str:
        return f" {float(self.cross_section)} {float(self.error)} {float(self.maximum)} {self.identifier}"


@dataclass(frozen=True)
class LheInit:
    """The <init> of a file: beams and processes. Event weights are in pb, with the cross section as their mean.

    Attributes:
        beam_pdg: PDG codes of the beams, 2212 for protons.
        beam_energies: GeV.
        pdf_sets: LHAPDF numbers of the parton densities of the beams; -1 for a beam without.
        processes: at least one, with different identifiers.
        weight_groups: what the variations of the events stand for.
    """

    beam_pdg: tuple[int, int]
    beam_energies: tuple[float, float]
    pdf_sets: tuple[int, int]
    processes: tuple[LheProcess, ...]
    weight_groups: tuple[WeightGroup, ...] = ()

    def __post_init__(self) -> None:
        if not all(isfinite(energy) and energy > 0 for energy in self.beam_energies):
            raise InputError(f"LHE beams: expected energies > 0 in GeV; got {self.beam_energies}")
        numbers = [process.identifier for process in self.processes]
        if not numbers or len(set(numbers)) != len(numbers):
            raise InputError(f"LHE processes: expected at least one, with different identifiers; got {numbers}")
        identifiers(self.weight_groups)

    def __str__(self) -> str:
        groups = [NO_PDF if pdf_set == NO_PDF else 0 for pdf_set in self.pdf_sets]
        beams = (*self.beam_pdg, *map(float, self.beam_energies), *groups, *self.pdf_sets)
        run = (*beams, SIGNED_WEIGHTS_IN_PB, len(self.processes))
        return "\n".join([" " + " ".join(map(str, run)), *map(str, self.processes)])


class ByteSink(Protocol):
    """Where the text of a file goes."""

    def write(self, data: bytes) -> None:
        """Append bytes."""

    def finish(self) -> None:
        """Write what is still held back."""


class PlainSink:
    """Text as it is."""

    def __init__(self, file: OutputFile) -> None:
        self.write = file.write

    def finish(self) -> None:
        """Nothing is held back."""


class GzipSink:
    """Text in one gzip member without name and time, a function of the text alone."""

    def __init__(self, file: OutputFile) -> None:
        self.file = file
        self.held = bytearray()
        self.compressor = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, wbits=zlib.MAX_WBITS | 16)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.held += data
        whole = len(self.held) - len(self.held) % COMPRESSION_PIECE
        for begin in range(0, whole, COMPRESSION_PIECE):
            self.file.write(self.compressor.compress(self.held[begin : begin + COMPRESSION_PIECE]))
        del self.held[:whole]

    def finish(self) -> None:
        """Compress the rest."""
        self.file.write(self.compressor.compress(self.held) + self.compressor.flush())


class LheWriter:
    """Writes events to a Les Houches file that appears under its name only when it is complete.

    Use it as a context manager:

        with LheWriter(directory / "events.lhe.gz", init, {"madnis_py_card": card_text}) as writer:
            for batch in batches:
                writer.write(batch)

    The weights of the events are in pb and their mean over the file must be the cross section of <init> (IDWTUP -4):
    an unweighted sample carries sigma for every event, an overweight event its multiple. The caller scales them.

    The same events give the same bytes, however they are divided into batches and for any number of threads.

    Args:
        path: ends in .lhe or .lhe.gz.
        init: beams and processes.
        header_blocks: element name -> text, put into <header> as escaped XML; a reader gets the text back verbatim.

    Attributes:
        n_events: events written so far.

    Raises:
        InputError: another suffix, or header blocks that XML cannot hold.
        OutputError: the file system refuses.
    """

    def __init__(self, path: Path, init: LheInit, header_blocks: Mapping[str, str] | None = None) -> None:
        require_event_file_name(path)
        self.path = path
        self.n_events = 0
        self._identifiers = [process.identifier for process in init.processes]
        self._weight_tags = weight_tags(init.weight_groups)
        self._preamble = preamble(init, header_blocks or {})

    def __enter__(self) -> Self:
        """Open the file and write all that precedes the events."""
        with ExitStack() as stack:
            file = stack.enter_context(OutputFile(self.path))
            self._sink: ByteSink = GzipSink(file) if self.path.suffix == ".gz" else PlainSink(file)
            self._sink.write(self._preamble)
            self._stack = stack.pop_all()
        return self

    def write(self, events: EventBatch) -> None:
        """Append events, in bounded memory.

        Args:
            events: complete events; weights in pb with the cross section as mean.

        Raises:
            GenerationError: an event is not one that a shower can use; see `EventBatch.check`.
            InputError: an event belongs to a process that <init> does not have, or has other variations.
            OutputError: the file system refuses.
        """
        self._check_variations(events)
        for begin in range(0, len(events), EVENTS_PER_PIECE):
            piece = events.select(slice(begin, begin + EVENTS_PER_PIECE))
            piece.check()
            self._check_processes(piece)
            for text in _core.lhe_text(piece.columns(), self._weight_tags):
                self._sink.write(text)
            self.n_events += len(piece)

    def _check_processes(self, events: EventBatch) -> None:
        unknown = np.setdiff1d(events.process_id, self._identifiers)
        if len(unknown):
            raise InputError(
                f"{self.path}: expected events of the processes {self._identifiers}; got {unknown.tolist()}"
            )

    def _check_variations(self, events: EventBatch) -> None:
        expected, got = len(self._weight_tags), events.n_variations
        if got != expected:
            raise InputError(f"{self.path}: expected events with {expected} variations, as <init> declares; got {got}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Complete the file, or remove it after an error."""
        if kind is not None:
            self._stack.__exit__(kind, error, traceback)
            return
        with self._stack:
            self._sink.write(b"</LesHouchesEvents>\n")
            self._sink.finish()


def require_event_file_name(path: Path) -> None:
    """Refuse a file name that says another format.

    Raises:
        InputError: it ends neither in .lhe nor in .lhe.gz.
    """
    if not path.name.endswith((".lhe", ".lhe.gz")):
        raise InputError(f"{path}: expected a file name that ends in .lhe or .lhe.gz")


def preamble(init: LheInit, header_blocks: Mapping[str, str]) -> bytes:
    """All of a file that precedes the events, as UTF-8.

    Raises:
        InputError: a block has a name or a character that XML does not allow.
    """
    where = "LHE header"
    blocks = [
        f"<{xml_text.name(where, name)}>{xml_text.escaped(f'{where}: {name}', text)}</{name}>\n"
        for name, text in header_blocks.items()
    ]
    generator = f'<generator name="madnis_py" version="{__version__}">madnis_py {__version__}</generator>'
    return (
        '<LesHouchesEvents version="3.0">\n'
        f"<header>\n{''.join(blocks)}{weight_declarations(init.weight_groups)}</header>\n"
        f"<init>\n{init}\n{generator}\n</init>\n"
    ).encode()
