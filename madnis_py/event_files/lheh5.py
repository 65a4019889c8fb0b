"""LHEH5 files, version 2: Les Houches events in the tables of an HDF5 file, arXiv:1905.05120 and arXiv:2309.13154.

Names and columns are those that pylhe reads and writes, which are those of Sherpa and Pepper with a header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from madnis_py.errors import InputError
from madnis_py.event_files import ragged
from madnis_py.event_files.event_format import EVENTS_PER_BLOCK, EventReader, EventWriter
from madnis_py.event_files.lhe_header import LheHeader
from madnis_py.event_files.lhe_init import Generator, LheInit
from madnis_py.event_files.weight_groups import NamedWeight, WeightGroup, identifiers
from madnis_py.events.event_batch import EventBatch
from madnis_py.output_file import OutputPlace

if TYPE_CHECKING:
    import h5py

Floats = NDArray[np.float64]

VERSION = (2, 6, 0)
INIT = (
    "beamA", "beamB", "energyA", "energyB", "PDFgroupA", "PDFgroupB", "PDFsetA", "PDFsetB", "weightingStrategy",
    "numProcesses",
)  # fmt: skip
PROCESS = ("procId", "npLO", "npNLO", "xSection", "error", "unitWeight")
EVENT = ("pid", "nparticles", "start", "trials", "scale", "fscale", "rscale", "aqed", "aqcd", "NOMINAL")
PARTICLE = (
    "id", "status", "mother1", "mother2", "color1", "color2", "px", "py", "pz", "e", "m", "lifetime", "spin",
)  # fmt: skip
GENERATOR = ("name", "version", "description", "extraAttributes")

EVENT_CHUNK, PARTICLE_CHUNK = 1024, 8192
"""Rows of a table that lie together."""


class Lheh5Writer(EventWriter):
    """Writes LHEH5 files; see `EventWriter`. One trial per event, so that the cross section is the mean weight."""

    suffixes = (".h5", ".hdf5")

    def _begin(self, stack: ExitStack) -> None:
        import h5py

        weights = _column_names_of(self.init.weight_groups)
        self._place = stack.enter_context(OutputPlace(self.path))
        with self._place.refusals():
            self._target = stack.enter_context(PatientFile(self._place.partial))
            self._file = stack.enter_context(h5py.File(self._target, "w"))
            _write_init(self._file, self.init, self.header)
            self._events = _new_table(self._file, "events", (*EVENT, *weights), EVENT_CHUNK)
            self._particles = _new_table(self._file, "particles", PARTICLE, PARTICLE_CHUNK)

    def _append(self, events: EventBatch) -> None:
        _append_rows(self._events, _event_rows(events, len(self._particles)))
        _append_rows(self._particles, _particle_rows(events))
        self._require_written()

    def _finish(self) -> None:
        self._file.close()
        self._require_written()

    def _require_written(self) -> None:
        with self._place.refusals():
            if self._target.error is not None:
                raise self._target.error


class PatientFile:
    """A file for HDF5, which crashes where the file system refuses: the first refusal is kept and the rest left out.

    Args:
        path: of the file.

    Attributes:
        error: the first refusal.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self.error: OSError | None = None
        self.seek, self.tell = self._file.seek, self._file.tell
        self.read, self.readinto = self._file.read, self._file.readinto

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def write(self, data: memoryview) -> int:
        """All of the bytes, or none of them after a refusal."""
        done = 0
        while done < len(data) and self.error is None:
            done += self._unless_refused(self._file.write, data[done:])
        return len(data)

    def truncate(self, size: int) -> int:
        """Set the size, if nothing was refused."""
        return self._unless_refused(self._file.truncate, size)

    def flush(self) -> None:
        """Nothing is held back."""

    def _unless_refused(self, act: Callable[[Any], int | None], what: Any) -> int:
        try:
            return (act(what) or 0) if self.error is None else 0
        except OSError as error:
            self.error = error
            return 0


class Lheh5Reader(EventReader):
    """Reads LHEH5 files of version 2, of ours and of other programs; see `EventReader`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._opened() as file:
            self.header, self.init = _read_preamble(file)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        with self._opened() as file:
            events, particles = Table(file, "events", EVENT), Table(file, "particles", PARTICLE)
            weights = identifiers(self.init.weight_groups)
            for begin in range(0, len(events), EVENTS_PER_BLOCK):
                rows = events.rows(begin, begin + EVENTS_PER_BLOCK)
                self.share = min(1.0, (begin + EVENTS_PER_BLOCK) / len(events))
                yield self._batch(rows, particles, weights)

    def _batch(self, events: Rows, particles: Table, weights: Sequence[str]) -> EventBatch:
        trials = events.get("trials", 1.0)
        if (trials != 1).any() and not np.isnan(trials).all():
            self.left_out.add("trials, by which the weights have to be divided")
        counts = events["nparticles"].astype(np.int64)
        return ragged.batch(counts, _particle_columns(events, counts, particles), _event_columns(events, weights))

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        """The file; what is wrong with it is said with its name."""
        import h5py

        try:
            with self.path.open("rb"), h5py.File(self.path, "r") as file:
                yield file
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or f"not a whole HDF5 file: {error}"
            raise InputError(f"{self.path}: cannot be read: {reason}") from error
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None


class Rows:
    """Some rows of a table, by the names of their columns."""

    def __init__(self, numbers: Floats, columns: Mapping[str, int]) -> None:
        self.numbers = numbers
        self.columns = columns

    def __getitem__(self, name: str) -> Floats:
        """A column, shape (n,)."""
        if name not in self.columns:
            raise InputError(f"expected the column {name}; got {', '.join(self.columns)}")
        column: Floats = self.numbers[..., self.columns[name]]
        return column

    def get(self, name: str, otherwise: float | Floats) -> Floats:
        """A column that need not be there; where it is missing or not a number, another value."""
        found = self[name] if name in self.columns else np.full(self.numbers.shape[:-1], np.nan)
        return np.where(np.isnan(found), otherwise, found)


class Table:
    """A data set with names of its columns.

    Args:
        file: where it is.
        name: of the data set.
        otherwise: names of the columns, for a file that does not tell.

    Raises:
        InputError: there is none.
    """

    def __init__(self, file: h5py.File, name: str, otherwise: Sequence[str]) -> None:
        import h5py

        data = file.get(name)
        if not isinstance(data, h5py.Dataset):
            raise InputError(f"expected the table {name} of LHEH5 version 2; got {', '.join(file) or 'nothing'}")
        names = next((data.attrs[key] for key in ("properties", name) if key in data.attrs), otherwise)
        self.data = data
        self.columns = {_decoded(column): index for index, column in enumerate(names) if index < data.shape[-1]}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.data)

    def rows(self, begin: int, end: int) -> Rows:
        """Some of the rows."""
        return Rows(np.asarray(self.data[begin:end], dtype=np.float64), self.columns)


def _new_table(file: h5py.File, name: str, columns: Sequence[str], chunk: int) -> h5py.Dataset:
    width = len(columns)
    data = file.create_dataset(name, (0, width), "f8", maxshape=(None, width), chunks=(chunk, width))
    _name_columns(data, columns)
    return data


def _name_columns(data: h5py.Dataset, columns: Sequence[str]) -> None:
    for attribute in ("properties", data.name.removeprefix("/")):
        data.attrs[attribute] = [name.encode() for name in columns]


def _append_rows(table: h5py.Dataset, rows: Floats) -> None:
    begin = len(table)
    table.resize(begin + len(rows), axis=0)
    table[begin:] = rows


def _column_names_of(groups: Sequence[WeightGroup]) -> tuple[str, ...]:
    names = identifiers(groups)
    if taken := set(names) & {*EVENT, "weight"}:
        raise InputError(f"LHEH5: expected identifiers of weights that are no other column; got {sorted(taken)}")
    return names


def _write_init(file: h5py.File, init: LheInit, header: LheHeader) -> None:
    import h5py

    text = h5py.string_dtype("utf-8")
    file.create_dataset("version", data=VERSION, dtype="i8")
    _name_columns(file.create_dataset("init", data=init.numbers, dtype="f8"), INIT)
    multiplicity = np.nan  # of the merging of jets, which we know nothing of
    processes = [
        [one.identifier, multiplicity, multiplicity, one.cross_section, one.error, one.maximum]
        for one in init.processes
    ]
    _name_columns(file.create_dataset("procInfo", data=processes, dtype="f8"), PROCESS)
    rows = [[one.name, one.version, one.text, "{}"] for one in init.generators]
    generators = file.create_dataset("generators", (len(rows), len(GENERATOR)), text, data=rows or None)
    _name_columns(generators, GENERATOR)
    xml = file.create_group("xml")
    xml.create_dataset("header", data=header.element(init.weight_groups), dtype=text)


def _event_rows(events: EventBatch, first_particle: int) -> Floats:
    counts = events.counts.astype(np.int64)
    start = first_particle + np.cumsum(counts) - counts
    columns: tuple[NDArray[Any], ...] = (
        events.process_id, counts, start, np.ones(len(events)), events.scale, events.factorization_scale,
        events.renormalization_scale, events.alpha_qed, events.alpha_s, events.weight,
    )  # fmt: skip
    return np.column_stack([*columns, events.variations])


def _particle_rows(events: EventBatch) -> Floats:
    flat = ragged.flattened(events)
    energy_last = np.roll(flat.pop("momenta"), -1, axis=1)
    integers = [flat[name] for name in ("pdg", "status", "mothers", "colour")]
    return np.column_stack([*integers, energy_last, flat["mass"], flat["lifetime"], flat["spin"]])


def _event_columns(events: Rows, weights: Sequence[str]) -> dict[str, NDArray[Any]]:
    scale = events["scale"]
    return {
        "weight": np.ascontiguousarray(events["NOMINAL" if "NOMINAL" in events.columns else "weight"]),
        "scale": scale,
        "factorization_scale": events.get("fscale", scale),
        "renormalization_scale": events.get("rscale", scale),
        "alpha_qed": events["aqed"],
        "alpha_s": events["aqcd"],
        "process_id": events["pid"].astype(np.int32),
        "variations": events.numbers[:, [events.columns[name] for name in weights]],
    }


def _particle_columns(events: Rows, counts: NDArray[np.int64], table: Table) -> dict[str, NDArray[Any]]:
    """The rows of the events, which mostly lie one behind the other."""
    start = events["start"].astype(np.int64)
    first, last = int(start.min(initial=len(table))), int((start + counts).max(initial=0))
    if len(start) and not 0 <= first <= last <= len(table):
        raise InputError(f"expected {last} rows of particles; got {len(table)}")
    rows = table.rows(first, last)
    if last - first != counts.sum() or (np.diff(start) != counts[:-1]).any():
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = Rows(rows.numbers[np.repeat(start - first, counts) + within], rows.columns)

    def stacked(dtype: type[np.generic], *names: str) -> NDArray[Any]:
        return np.stack([rows[name] for name in names], axis=1).astype(dtype)

    return {
        "pdg": rows["id"].astype(np.int32),
        "status": rows["status"].astype(np.int32),
        "mothers": stacked(np.int32, "mother1", "mother2"),
        "colour": stacked(np.int32, "color1", "color2"),
        "momenta": stacked(np.float64, "e", "px", "py", "pz"),
        "mass": rows["m"],
        "lifetime": rows["lifetime"],
        "spin": rows["spin"],
    }


def _read_preamble(file: h5py.File) -> tuple[LheHeader, LheInit]:
    header, groups = _read_header(file)
    init = Table(file, "init", INIT)
    numbers = Rows(np.asarray(init.data[()], dtype=np.float64), init.columns)
    processes = Table(file, "procInfo", PROCESS)
    rows = processes.rows(0, len(processes))
    columns = [rows[name] for name in ("xSection", "error", "unitWeight", "procId")]
    return header, LheInit.from_numbers(
        [float(numbers[name]) for name in INIT],
        np.stack(columns, axis=1).ravel().tolist(),
        groups,
        _read_generators(file),
    )


def _read_header(file: h5py.File) -> tuple[LheHeader, tuple[WeightGroup, ...]]:
    """The header, and weight groups that have a column each; without a header every column is a weight of its own."""
    events = Table(file, "events", EVENT)
    names = [name for name in events.columns if name not in {*EVENT, "weight"}]
    stored = file.get("xml/header")
    if stored is None:
        return LheHeader(), tuple(WeightGroup("", "", (NamedWeight(name, name),)) for name in names)
    text = _decoded(stored[()])
    header, groups = LheHeader.parse(text[text.find(">") + 1 : text.rfind("</header>")])
    if sorted(identifiers(groups)) != sorted(names):
        raise InputError(f"expected columns of the weights {list(identifiers(groups))}; got {names}")
    return header, groups


def _read_generators(file: h5py.File) -> tuple[Generator, ...]:
    if "generators" not in file:
        return ()
    table = Table(file, "generators", GENERATOR)
    places = [table.columns[name] for name in ("name", "version", "description")]
    return tuple(Generator(*(_decoded(row[place]) for place in places)) for row in table.data[()])


def _decoded(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else str(text)
