"""Reader of PDF sets in LHAPDF's format `lhagrid1`.

The files are checked while they are read: whatever does not fit is a `PdfError` with file, line and
what was expected.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import PdfError
from madnis_py.physics.pdf.pdf_metadata import LARGEST_NUMBER, FileLine, Metadata, read_lines
from madnis_py.physics.pdf.set_files import SetFiles

GLUON = 21
"""PDG code of the gluon, which files may also call 0."""

MAX_FLAVOURS = _core.MAX_FLAVOURS
"""Largest number of flavours that the kernels hold."""

_ZERO = re.compile(r"[+-]?0\.0*(?:[eE][+-]00)?")


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

    head: FileLine
    x: Array
    q2: Array
    pdg: tuple[int, ...]
    values: Array


@dataclass(frozen=True)
class PdfMember:
    """A member of a PDF set: all its subgrids side by side.

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


def read_member(files: SetFiles, member: int) -> PdfMember:
    """Read what a set says of itself, and the grid of one of its members.

    Args:
        files: of the set.
        member: number of the member, 0 for the central one.

    Raises:
        PdfError: a file is missing, truncated or malformed.
    """
    metadata = files.metadata()
    members = metadata.integer("NumMembers")
    if not 0 <= member < members:
        raise PdfError(f"{metadata.file}: expected a member 0..{members - 1}; got {member}")
    lines = read_lines(files.member(member))
    head, *blocks = _blocks(lines)
    metadata = Metadata(metadata.file, head, metadata)
    if metadata.text("Format") != "lhagrid1":
        raise metadata.error("Format", f"expected lhagrid1; got {metadata.text('Format')}")
    return _joined(metadata, [_read_subgrid(block) for block in blocks])


def _blocks(lines: Sequence[FileLine]) -> list[list[FileLine]]:
    """The blocks of a member file, each ended by the line `---`: the head, then one per subgrid.

    The last one may lack its end, unless the file stops in the middle of a number.
    """
    blocks: list[list[FileLine]] = [[]]
    for line in lines:
        if line.text == "---":
            if len(blocks) > 1 and not blocks[-1]:
                raise line.error("expected a subgrid before '---'; got nothing")
            blocks.append([])
        elif line.text and not line.text.startswith("#"):
            blocks[-1].append(line)
    if not blocks[-1]:
        blocks.pop()
    elif lines[-1].text.strip("0.eE+- \t"):  # it goes on to the end of the file: no zeros
        raise lines[-1].error("expected the end of a line; the file is truncated")
    if len(blocks) < 2:
        raise lines[-1].error(
            "expected a head and at least one subgrid, each ended by '---'; the file is truncated"
        )
    return blocks


def _read_subgrid(lines: Sequence[FileLine]) -> Subgrid:
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


def _knots(line: FileLine, knots: Array, name: str, least: int) -> slice:
    """The knots that ascend, without the repetition of one at a border, as in CT14qed."""
    used = slice(1 if len(knots) > 1 and knots[0] == knots[1] else 0, None)
    if len(knots) > 1 and knots[-1] == knots[-2]:
        used = slice(used.start, -1)
    kept = knots[used]
    if len(kept) < least or kept[0] <= 0 or np.any(np.diff(kept) <= 0):
        raise line.error(f"{name}: expected at least {least} positive numbers in ascending order")
    return used


def _flavours(line: FileLine) -> tuple[int, ...]:
    pdg = _canonical(int(number) for number in line.numbers("flavours"))
    if not 1 <= len(set(pdg)) == len(pdg) <= MAX_FLAVOURS:
        raise line.error(f"flavours: expected 1 to {MAX_FLAVOURS} different PDG numbers")
    return pdg


def _canonical(pdg: Iterable[int]) -> tuple[int, ...]:
    return tuple(number or GLUON for number in pdg)  # 0 is another name of the gluon


def _values(rows: Sequence[FileLine], columns: int) -> Array:
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
    """The numbers of a row; zeros may touch each other, as in CT14qed: any cut leaves zeros."""
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
