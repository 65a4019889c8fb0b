"""Reader of PDF sets in LHAPDF's format `lhagrid1`: a folder with SET.info and SET_0000.dat, SET_0001.dat, ...

The files are checked while they are read: whatever does not fit is a `PdfError` with file, line and
what was expected.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import PdfError

GLUON = 21
MAX_FLAVOURS = 32  # of the kernels
LARGEST_NUMBER = (
    1e100  # what is larger cannot be squared and interpolated, and stands in no sound file
)

_NO_TEXT = re.compile(rb"[^\t-\r -\xff]|\x7f")
_ZERO = re.compile(r"[+-]?0\.0*(?:[eE][+-]00)?")
_ENTRY = re.compile(r"([A-Za-z_]\w*)\s*:(?:\s+(.*))?$")


@dataclass(frozen=True)
class Line:
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
        return [self._number(word, name) for word in self.text.split()]

    def _number(self, word: str, name: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not abs(value) <= LARGEST_NUMBER:
            raise self.error(
                f"{name}: expected finite numbers up to {LARGEST_NUMBER:g}; got {word!r}"
            )
        return value


def read_lines(file: Path) -> list[Line]:
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
    return [Line(file, number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]


class Metadata:
    """The entries `Key: value` of an info file or of the head of a member file, a subset of YAML.

    Values are words, numbers, quoted strings and lists of them, in brackets or one item per line; a
    value may go on over several lines. Typed access checks the value.

    Args:
        file: the file they come from, named where a key is missing.
        lines: the lines of the file that hold the entries.
        defaults: entries that hold where this file has none (a member inherits those of its set).
    """

    def __init__(self, file: Path, lines: Iterable[Line], defaults: Metadata | None = None) -> None:
        self.file = file
        self._entries: dict[str, Line] = dict(defaults._entries) if defaults else {}
        self._read(lines)

    def _read(self, lines: Iterable[Line]) -> None:
        key = ""
        for line in lines:
            if not line.text or line.text.startswith("#") or line.text in {"---", "..."}:
                continue
            match = (
                None if key and self._is_open(self._entries[key].text) else _ENTRY.match(line.text)
            )
            if match:
                key = match[1]
                self._entries[key] = Line(line.file, line.number, (match[2] or "").strip())
            elif key:
                self._entries[key] = self._continued(self._entries[key], line.text)
            else:
                raise line.error(f"expected 'Key: value'; got {line.text[:60]!r}")

    @staticmethod
    def _is_open(text: str) -> bool:
        closing = {"[": "]", '"': '"', "'": "'"}.get(text[:1])
        return closing is not None and (len(text) < 2 or not text.endswith(closing))

    @staticmethod
    def _continued(entry: Line, text: str) -> Line:
        if text.startswith("- ") and (not entry.text or entry.text.startswith("- ")):
            return Line(entry.file, entry.number, f"{entry.text}\n{text}".strip())
        return Line(entry.file, entry.number, f"{entry.text} {text}".strip())

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def _entry(self, key: str) -> Line:
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
        found = Line(entry.file, entry.number, self.text(key)).numbers(key)
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
        return np.array(Line(entry.file, entry.number, " ".join(self._items(key))).numbers(key))

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


def _unquoted(text: str) -> str:
    text = text.strip()
    if text[:1] in {'"', "'"} and text.endswith(text[0]):
        return text[1:-1]
    return re.sub(r"(?<!\s)\s+#.*", "", re.sub(r"^[>|][+-]?\s+", "", text))


@dataclass(frozen=True)
class Subgrid:
    """Values on one rectangle of knots.

    Attributes:
        head: the line of the x knots.
        x: ascending knots, float64 (n_x,).
        q2: ascending knots in GeV^2, float64 (n_q,).
        pdg: flavours in the order of the columns.
        values: x f(x, Q^2), float64 (n_x, n_q, n_pdg).
    """

    head: Line
    x: Array
    q2: Array
    pdg: tuple[int, ...]
    values: Array


@dataclass(frozen=True)
class PdfMember:
    """One member of a PDF set: all its subgrids side by side.

    Attributes:
        metadata: entries of the member, else of its set.
        x: ascending knots, float64 (n_x,).
        q2: ascending knots in GeV^2, those between two subgrids twice, float64 (n_q,).
        pdg: flavours in the order of the columns.
        values: x f(x, Q^2), float64 (n_x, n_q, n_pdg).
    """

    metadata: Metadata
    x: Array
    q2: Array
    pdg: tuple[int, ...]
    values: Array


def read_set(folder: Path) -> Metadata:
    """The entries of SET.info in the folder SET.

    Raises:
        PdfError: the file is missing or malformed.
    """
    file = folder / f"{folder.name}.info"
    return Metadata(file, read_lines(file))


def member_file(folder: Path, member: int) -> Path:
    """The file of a member of the set in a folder."""
    return folder / f"{folder.name}_{member:04d}.dat"


def read_member(folder: Path, member: int) -> PdfMember:
    """Read SET.info and SET_<member>.dat.

    Args:
        folder: the folder SET.
        member: number of the member, 0 for the central one.

    Raises:
        PdfError: a file is missing, truncated or malformed.
    """
    metadata = read_set(folder)
    members = metadata.integer("NumMembers")
    if not 0 <= member < members:
        raise PdfError(f"{metadata.file}: expected a member 0..{members - 1}; got {member}")
    lines = read_lines(member_file(folder, member))
    head, *blocks = _blocks(lines)
    metadata = Metadata(metadata.file, head, metadata)
    if metadata.text("Format") != "lhagrid1":
        raise metadata.error("Format", f"expected lhagrid1; got {metadata.text('Format')}")
    return _joined(metadata, [_read_subgrid(block) for block in blocks])


def _blocks(lines: Sequence[Line]) -> list[list[Line]]:
    """The blocks of a member file, each ended by the line `---`: the head, then one per subgrid.

    The last one may lack its end, unless the file stops in the middle of a number.
    """
    blocks: list[list[Line]] = [[]]
    for line in lines:
        if line.text == "---":
            if len(blocks) > 1 and not blocks[-1]:
                raise line.error("expected a subgrid before '---'; got nothing")
            blocks.append([])
        elif line.text and not line.text.startswith("#"):
            blocks[-1].append(line)
    if not blocks[-1]:
        blocks.pop()
    elif lines[-1].text.strip(
        "0.eE+- \t"
    ):  # the last line goes on to the end of the file, and is not of zeros
        raise lines[-1].error("expected the end of a line; the file is truncated")
    if len(blocks) < 2:
        raise lines[-1].error(
            "expected a head and at least one subgrid, each ended by '---'; the file is truncated"
        )
    return blocks


def _read_subgrid(lines: Sequence[Line]) -> Subgrid:
    if len(lines) < 4:
        raise lines[-1].error(
            "expected lines of x knots, Q knots, flavours and values; the subgrid is truncated"
        )
    x, q = np.array(lines[0].numbers("x knots")), np.array(lines[1].numbers("Q knots"))
    x_used, q_used = _knots(lines[0], x, "x knots", 4), _knots(lines[1], q, "Q knots", 2)
    pdg = _flavours(lines[2])
    rows = lines[3:]
    if len(rows) != len(x) * len(q):
        raise rows[-1].error(
            f"expected {len(x)} x {len(q)} = {len(x) * len(q)} lines of values; got {len(rows)}"
        )
    values = _values(rows, len(pdg)).reshape(len(x), len(q), len(pdg))
    return Subgrid(
        lines[0], x[x_used], q[q_used] ** 2, pdg, np.ascontiguousarray(values[x_used, q_used])
    )


def _knots(line: Line, knots: Array, name: str, least: int) -> slice:
    """The knots that ascend; one at a border may stand there twice, as in CT14qed, and says nothing new."""
    used = slice(1 if len(knots) > 1 and knots[0] == knots[1] else 0, None)
    if len(knots) > 1 and knots[-1] == knots[-2]:
        used = slice(used.start, -1)
    kept = knots[used]
    if len(kept) < least or kept[0] <= 0 or np.any(np.diff(kept) <= 0):
        raise line.error(f"{name}: expected at least {least} positive numbers in ascending order")
    return used


def _flavours(line: Line) -> tuple[int, ...]:
    pdg = _canonical(int(number) for number in line.numbers("flavours"))
    if not 1 <= len(set(pdg)) == len(pdg) <= MAX_FLAVOURS:
        raise line.error(f"flavours: expected 1 to {MAX_FLAVOURS} different PDG numbers")
    return pdg


def _canonical(pdg: Iterable[int]) -> tuple[int, ...]:
    return tuple(number or GLUON for number in pdg)  # 0 is another name of the gluon


def _values(rows: Sequence[Line], columns: int) -> Array:
    words = [_words(row.text, columns) for row in rows]
    for row, row_words in zip(rows, words, strict=True):
        if len(row_words) != columns:
            raise row.error(f"expected {columns} values, one per flavour; got {len(row_words)}")
    try:
        values = np.array(words, dtype=np.float64)
    except ValueError:
        values = np.full(1, math.nan)
    if (np.abs(values) <= LARGEST_NUMBER).all():
        return values
    return np.array([row.numbers("values") for row in rows])  # raises at the line that is to blame


def _words(text: str, columns: int) -> list[str]:
    """The numbers of a row; zeros may touch each other, as in CT14qed, for they are zeros wherever one cuts them."""
    words = text.split()
    if len(words) != columns and not text.strip("0.eE+- \t"):
        return _ZERO.findall(text)
    return words


def _joined(metadata: Metadata, subgrids: Sequence[Subgrid]) -> PdfMember:
    first = subgrids[0]
    for below, above in itertools.pairwise(subgrids):
        if not np.array_equal(above.x, first.x):
            raise above.head.error("x knots: expected those of the first subgrid")
        if above.pdg != first.pdg:
            raise above.head.error("flavours: expected those of the first subgrid")
        if above.q2[0] < below.q2[-1]:
            raise above.head.error("Q knots: expected a subgrid above the one before")
    declared = _canonical(metadata.integers("Flavors")) if "Flavors" in metadata else first.pdg
    if not set(first.pdg) <= set(declared):
        raise first.head.error(
            f"flavours: expected those of {metadata.file.name}, {declared}; got {first.pdg}"
        )
    q2 = np.concatenate([grid.q2 for grid in subgrids])
    values = np.concatenate([grid.values for grid in subgrids], axis=1)
    return PdfMember(metadata, first.x, q2, first.pdg, np.ascontiguousarray(values))
