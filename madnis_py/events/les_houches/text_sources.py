"""Where the text of an event file comes from: as it is, or decompressed, in pieces of bounded size."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from isal import isal_zlib

GZIP_MAGIC = b"\x1f\x8b"

COMPRESSED = 1 << 16
"""Bytes that are decompressed together."""


class ByteSource(Protocol):
    """Bytes one behind the other."""

    def read(self, size: int, /) -> bytes:
        """Some of the next bytes, at most so many; none at the end alone."""


class GzipSource:
    """The bytes of a gzip file of one or more members, which zeros may follow.

    Args:
        file: at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = b""
        self._member: isal_zlib.Decompress | None = None

    def read(self, size: int) -> bytes:
        """Some of the next bytes, at most so many; none at the end alone.

        Raises:
            EOFError: a member is damaged or does not end.
        """
        while True:
            self._held = self._held or self._file.read(COMPRESSED)
            if self._member is None:
                if not self._held:
                    return b""
                self._held = self._held.lstrip(b"\0")
                self._member = isal_zlib.decompressobj(wbits=31) if self._held else None
                continue
            if not self._held:
                raise EOFError("the file ended before its compressed text")
            text = self._decompressed(self._member, size)
            self._held = self._member.unconsumed_tail
            if self._member.eof:
                self._held, self._member = self._member.unused_data, None
            if text:
                return text

    def _decompressed(self, member: isal_zlib.Decompress, size: int) -> bytes:
        try:
            return bytes(member.decompress(self._held, size))
        except isal_zlib.error as error:  # type: ignore[misc]
            raise EOFError(error) from error


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
        self._bytes: ByteSource = GzipSource(file) if magic == GZIP_MAGIC else file
        self._broken: Exception | None = None

    def read(self, size: int) -> bytes:
        """The next bytes, so many unless the file ends or is broken; what precedes a broken place is read before."""
        if self._broken is not None:
            raise self._broken
        parts: list[bytes] = []
        try:
            while size and (part := self._bytes.read(size)):
                parts.append(part)
                size -= len(part)
        except (OSError, EOFError) as error:
            if not parts:
                raise
            self._broken = error
        return b"".join(parts)

    @property
    def share(self) -> float:
        """Share of the file that is read."""
        return self._file.tell() / self._size
