"""Sinks for the text of event files: plain, or compressed on several threads."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from isal import isal_zlib

from madnis_py.output_file import OutputFile

COMPRESSION_LEVEL = 1
"""Level of ISA-L, 0 to 3."""

PIECE = 1 << 20
"""Bytes that are compressed together, 1 MiB; fixed, so that the file depends neither on the threads
nor on the batches of events."""

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""RFC 1952: deflate, no name, no time, fastest, unknown system."""


class ByteSink(Protocol):
    """A file that text is written to."""

    def write(self, data: bytes) -> None:
        """Append bytes."""

    def finish(self) -> None:
        """Write what is still in memory."""


class PlainSink:
    """Text as it is."""

    def __init__(self, file: OutputFile) -> None:
        self.write = file.write

    def finish(self) -> None:
        """Nothing is in memory."""


class GzipSink:
    """One gzip member without name and time, so that equal texts give equal files.

    Pieces of the text are compressed independently and end at whole bytes, so that several threads
    can work.

    Args:
        file: where the compressed text goes.
        pool: threads that compress.
        threads: how many there are.
    """

    def __init__(self, file: OutputFile, pool: ThreadPoolExecutor, threads: int) -> None:
        self.file = file
        self.pool = pool
        self.batch = threads * PIECE
        self.held = bytearray()
        self.size = self.check = 0
        file.write(GZIP_HEADER)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.held += data
        while len(self.held) >= self.batch:
            self._compress(self.batch)

    def finish(self) -> None:
        """Compress the rest."""
        self._compress(len(self.held) - len(self.held) % PIECE)
        self.file.write(_last(self._counted(bytes(self.held))))
        self.file.write(struct.pack("<II", self.check, self.size % 2**32))

    def _compress(self, size: int) -> None:
        """Compress the first `size` bytes that are held, whole pieces."""
        pieces = [bytes(self.held[begin : begin + PIECE]) for begin in range(0, size, PIECE)]
        del self.held[:size]
        for piece, compressed in zip(pieces, self.pool.map(_deflated, pieces), strict=True):
            self._counted(piece)
            self.file.write(compressed)

    def _counted(self, piece: bytes) -> bytes:
        """A piece of the text, counted in the size and the checksum at the end of the member."""
        self.check = isal_zlib.crc32(piece, self.check)
        self.size += len(piece)
        return piece


def _deflated(piece: bytes) -> bytes:
    """A piece after which others follow."""
    compressor = _compressor()
    return compressor.compress(piece) + compressor.flush(isal_zlib.Z_SYNC_FLUSH)


def _last(piece: bytes) -> bytes:
    compressor = _compressor()
    return compressor.compress(piece) + compressor.flush()


def _compressor() -> isal_zlib.Compress:
    return isal_zlib.compressobj(COMPRESSION_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
