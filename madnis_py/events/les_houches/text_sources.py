"""Sources of the text of event files: plain or decompressed, in pieces of bounded size."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from isal import isal_zlib

GZIP_MAGIC = b"\x1f\x8b"
"""First bytes of a gzip file, RFC 1952."""

COMPRESSED = 1 << 16
"""Bytes that are decompressed at once, 64 KiB."""


class ByteSource(Protocol):
    """A file that bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Some of the next bytes, at most `size`; none only at the end."""


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
        """Some of the next bytes, at most `size`; none only at the end.

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
            try:
                text = bytes(self._member.decompress(self._held, size))
            except isal_zlib.error as error:  # type: ignore[misc]
                raise EOFError(error) from error
            self._held = self._member.unconsumed_tail
            if self._member.eof:
                self._held, self._member = self._member.unused_data, None
            if text:
                return text


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
        self._error: Exception | None = None

    def read(self, size: int) -> bytes:
        """The next bytes, as many as `size` unless the file ends or is damaged before.

        What precedes the damage is returned; only the next call raises.

        Raises:
            EOFError: a gzip file is damaged or does not end.
            OSError: the file system refuses.
        """
        if self._error is not None:
            raise self._error
        parts: list[bytes] = []
        try:
            while size and (part := self._bytes.read(size)):
                parts.append(part)
                size -= len(part)
        except (OSError, EOFError) as error:
            if not parts:
                raise
            self._error = error
        return b"".join(parts)

    @property
    def share(self) -> float:
        """Share of the file that is read."""
        return self._file.tell() / self._size
