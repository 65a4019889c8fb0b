"""Tables of LHEH5 files: the names of their columns, and rows that are checked as they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.les_houches.lhe_preamble import decoded
from madnis_py.events.les_houches.weight_groups import MOST_WEIGHTS

if TYPE_CHECKING:
    import h5py

INIT = (
    "beamA", "beamB", "energyA", "energyB", "PDFgroupA", "PDFgroupB", "PDFsetA", "PDFsetB",
    "weightingStrategy", "numProcesses",
)  # fmt: skip
PROCESS = ("procId", "npLO", "npNLO", "xSection", "error", "unitWeight")
EVENT = (
    "pid", "nparticles", "start", "trials", "scale", "fscale", "rscale", "aqed", "aqcd", "NOMINAL",
)  # fmt: skip
PARTICLE = (
    "id", "status", "mother1", "mother2", "color1", "color2", "px", "py", "pz", "e", "m",
    "lifetime", "spin",
)  # fmt: skip
GENERATOR = ("name", "version", "description", "extraAttributes")
"""Columns of the tables init, procInfo, events, particles and generators, in their order."""

MOST_BYTES = 1 << 28
"""Bytes that HDF5 may decompress at once, 256 MiB."""


class TableRows:
    """Some rows of a table, by the names of their columns.

    Args:
        what: name of a row in messages, such as "event".
        begin: number of the first one, counted from 0.
        numbers: shape (n, columns).
        columns: name -> place.
    """

    def __init__(self, what: str, begin: int, numbers: Array, columns: Mapping[str, int]) -> None:
        self.what, self.begin, self.numbers, self.columns = what, begin, numbers, columns

    def __getitem__(self, name: str) -> Array:
        """A column of finite numbers, shape (n,).

        Raises:
            InputError: there is none, or not all of its numbers are finite.
        """
        column = self._column(name)
        self._require(np.isfinite(column), column, name, "a finite number")
        return column

    def get(self, name: str, otherwise: float | Array) -> Array:
        """A column that need not be there; where it is missing or not a number, another value."""
        absent = np.full(self.numbers.shape[:-1], np.nan)
        found = self._column(name) if name in self.columns else absent
        column = np.where(np.isnan(found), otherwise, found)
        self._require(np.isfinite(column), column, name, "a finite number")
        return column

    def integers(self, name: str, low: int = -(2**31), high: int = 2**31 - 1) -> NDArray[np.int64]:
        """A column of integers within limits.

        Raises:
            InputError: there is another number.
        """
        column = self[name]
        fits = (column == np.rint(column)) & (column >= low) & (column <= high)
        self._require(fits, column, name, f"an integer from {low} to {high}")
        return column.astype(np.int64)

    def at(self, begin: int, places: slice | NDArray[np.int64]) -> TableRows:
        """Some of the rows; `begin` is the number of the first one."""
        return TableRows(self.what, begin, self.numbers[places], self.columns)

    def _column(self, name: str) -> Array:
        if name not in self.columns:
            got = ", ".join(list(self.columns)[:20])
            raise InputError(f"expected the column {name}; got {got}")
        column: Array = self.numbers[..., self.columns[name]]
        return column

    def _require(self, fits: NDArray[np.bool_], column: Array, name: str, expected: str) -> None:
        """Refuse the first row whose number does not fit."""
        if not np.all(fits):
            row = int(np.argmin(fits))
            where = f"{self.what} {self.begin + row + 1}: {name}"
            raise InputError(f"{where}: expected {expected}; got {np.ravel(column)[row]:g}")


class Table:
    """A data set of numbers with names of its columns.

    Args:
        file: the file.
        name: name of the data set.
        otherwise: names of the columns, for a file that does not name them.
        what: name of a row in messages.
        dimensions: 2 for rows and columns, 1 for a single row.
        text: whether it holds text.

    Raises:
        InputError: there is none of this shape in the file itself.
    """

    def __init__(
        self,
        file: h5py.File,
        name: str,
        otherwise: Sequence[str],
        what: str,
        dimensions: int = 2,
        *,
        text: bool = False,
    ) -> None:
        data = data_set(file, name)
        if data is None:
            got = ", ".join(list(file)[:20]) or "nothing"
            raise InputError(f"expected the table {name} of LHEH5 version 2; got {got}")
        if data.ndim != dimensions or (not text and data.dtype.kind not in "fiu"):
            expected = "text" if text else "numbers"
            got = f"{data.dtype} of shape {data.shape}"
            raise InputError(
                f"{name}: expected a table of {expected} with {dimensions} dimensions; got {got}"
            )
        chunk = int(np.prod(data.chunks or (1,))) * data.dtype.itemsize
        if data.shape[-1] > MOST_WEIGHTS + len(EVENT) or chunk > MOST_BYTES:
            got = f"shape {data.shape} in pieces of {chunk >> 20} MiB"
            raise InputError(f"{name}: expected rows that fit in the memory together; got {got}")
        names = next(
            (data.attrs[key] for key in ("properties", name) if key in data.attrs), otherwise
        )
        names = [text_of(one) for one in np.atleast_1d(names)[: data.shape[-1]]]
        if len(set(names)) < len(names):
            raise InputError(
                f"{name}: expected different names of the columns; got {', '.join(names[:20])}"
            )
        self.data, self.what = data, what
        self.columns = {name: place for place, name in enumerate(names)}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.data)

    def rows(self, begin: int, end: int) -> TableRows:
        """Some of the rows."""
        return TableRows(
            self.what, begin, np.asarray(self.data[begin:end], dtype=np.float64), self.columns
        )

    def row(self) -> TableRows:
        """The only row of a table of one dimension."""
        return TableRows(self.what, 0, np.asarray(self.data[()], dtype=np.float64), self.columns)

    def column(self, name: str, begin: int, end: int) -> Array:
        """A part of a column."""
        return np.asarray(self.data[begin:end, self.columns[name]], dtype=np.float64)


def data_set(file: h5py.File, name: str) -> h5py.Dataset | None:
    """A data set of the file; nothing if there is none.

    Raises:
        InputError: its numbers are in another file, which we must not be made to read.
    """
    import h5py

    data: h5py.File | h5py.Group | h5py.Dataset | None = file
    for part in name.split("/"):
        # "part not in data" would follow links
        if not isinstance(data, h5py.Group) or part not in data.keys():  # noqa: SIM118
            return None
        if not isinstance(data.get(part, getlink=True), h5py.HardLink):
            raise InputError(f"{name}: expected a table in the file itself; got a link")
        data = data[part]
    if not isinstance(data, h5py.Dataset):
        return None
    if data.is_virtual or data.external:
        raise InputError(
            f"{name}: expected a table in the file itself; got one that lies in other files"
        )
    return data


def text_of(value: object) -> str:
    """A text of a table or attribute."""
    return decoded(value) if isinstance(value, bytes) else str(value)
