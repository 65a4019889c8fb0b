"""Entries of PDF sets: lines of an info file, or of the head of a member file, with checks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import PdfError

LARGEST_NUMBER = 1e100
"""Largest number that a file may hold: larger ones overflow when they are interpolated."""

_NO_TEXT = re.compile(rb"[^\t-\r -\xff]|\x7f")
_ENTRY = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+(.*))?$")


@dataclass(frozen=True)
class FileLine:
    """A line of a file, for reading and for error messages.

    Attributes:
        file: where it stands.
        number: counted from 1.
        text: without white space at the ends.
    """

    file: Path
    number: int
    text: str

    def error(self, message: str) -> PdfError:
        """The error that names this line."""
        return PdfError(f"{self.file}:{self.number}: {message}")

    def numbers(self, name: str) -> list[float]:
        """The finite numbers of the line.

        Args:
            name: what they are, for the error message.

        Raises:
            PdfError: something else stands there.
        """
        values = []
        for word in self.text.split():
            try:
                value = float(word)
            except ValueError:
                value = math.nan
            if not abs(value) <= LARGEST_NUMBER:
                expected = f"expected finite numbers up to {LARGEST_NUMBER:g}"
                raise self.error(f"{name}: {expected}; got {word!r}")
            values.append(value)
        return values


def read_lines(file: Path) -> list[FileLine]:
    """All lines of a text file.

    Raises:
        PdfError: the file is absent, unreadable or no text.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PdfError(f"{file}: cannot be read: {error.strerror}") from error
    if found := _NO_TEXT.search(content):
        raise PdfError(f"{file}: expected text; got other bytes at position {found.start()}")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # names of authors
    return [FileLine(file, number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]


class Metadata:
    """The entries `Key: value` of an info file or of the head of a member file, a subset of YAML.

    Values are words, numbers, quoted strings and lists of them, in brackets or one item per line; a
    value may go on over several lines. Typed access checks the value.

    Args:
        file: the file they come from, named where a key is missing.
        lines: the lines of the file that hold the entries.
        defaults: entries that hold where this file has none (a member inherits those of its set).
    """

    def __init__(
        self, file: Path, lines: Iterable[FileLine], defaults: Metadata | None = None
    ) -> None:
        self.file = file
        self._entries: dict[str, FileLine] = dict(defaults._entries) if defaults else {}
        self._read(lines)

    def _read(self, lines: Iterable[FileLine]) -> None:
        key = ""
        for line in lines:
            if not line.text or line.text.startswith("#") or line.text in {"---", "..."}:
                continue
            is_open = key and _is_open(self._entries[key].text)
            match = None if is_open else _ENTRY.match(line.text)
            if match:
                key = match[1]
                self._entries[key] = FileLine(line.file, line.number, (match[2] or "").strip())
            elif key:
                entry = self._entries[key]
                is_item = line.text.startswith("- ") and entry.text[:2] in ("", "- ")
                text = f"{entry.text}{chr(10) if is_item else ' '}{line.text}".strip()
                self._entries[key] = FileLine(entry.file, entry.number, text)
            else:
                raise line.error(f"expected 'Key: value'; got {line.text[:60]!r}")

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def _entry(self, key: str) -> FileLine:
        if key not in self._entries:
            raise PdfError(f"{self.file}: expected the key {key}; it is missing")
        return self._entries[key]

    def text(self, key: str, default: str | None = None) -> str:
        """The value as text, without quotes.

        Raises:
            PdfError: the key is missing and there is no default.
        """
        if default is not None and key not in self:
            return default
        return _unquoted(self._entry(key).text)

    def integer(self, key: str, default: int | None = None) -> int:
        """The value as an integer.

        Raises:
            PdfError: the key is missing and there is no default, or the value is none.
        """
        if default is not None and key not in self:
            return default
        try:
            return int(self.text(key))
        except ValueError:
            raise self._entry(key).error(
                f"{key}: expected an integer; got {self.text(key)!r}"
            ) from None

    def number(self, key: str, default: float | None = None) -> float:
        """The value as a finite number.

        Raises:
            PdfError: the key is missing and there is no default, or the value is none.
        """
        if default is not None and key not in self:
            return default
        entry = self._entry(key)
        found = FileLine(entry.file, entry.number, self.text(key)).numbers(key)
        if len(found) != 1:
            raise entry.error(f"{key}: expected a number; got {self.text(key)!r}")
        return found[0]

    def integers(self, key: str) -> list[int]:
        """The value as a list of integers.

        Raises:
            PdfError: the key is missing or the value is none.
        """
        try:
            return [int(item) for item in self._items(key)]
        except ValueError:
            raise self._entry(key).error(f"{key}: expected a list of integers") from None

    def numbers(self, key: str) -> Array:
        """The value as a list of finite numbers, float64 (n,).

        Raises:
            PdfError: the key is missing or the value is none.
        """
        entry = self._entry(key)
        return np.array(FileLine(entry.file, entry.number, " ".join(self._items(key))).numbers(key))

    def error(self, key: str, message: str) -> PdfError:
        """The error that names the line of a key."""
        return self._entry(key).error(f"{key}: {message}")

    def _items(self, key: str) -> list[str]:
        entry = self._entry(key)
        if entry.text.startswith("- "):
            return [_unquoted(item.removeprefix("- ")) for item in entry.text.split("\n")]
        if not (entry.text.startswith("[") and entry.text.endswith("]")):
            raise entry.error(f"{key}: expected a list in brackets; got {entry.text[:60]!r}")
        return [_unquoted(item) for item in entry.text[1:-1].split(",") if item.strip()]


def _is_open(text: str) -> bool:
    """Whether a bracket or a quotation mark waits for its end on a later line."""
    closing = {"[": "]", '"': '"', "'": "'"}.get(text[:1])
    return closing is not None and (len(text) < 2 or not text.endswith(closing))


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] in {'"', "'"} and text.endswith(text[0]):
        return text[1:-1]
    return re.sub(r"(?<!\s)\s+#.*", "", re.sub(r"^[>|][+-]?\s+", "", text))
