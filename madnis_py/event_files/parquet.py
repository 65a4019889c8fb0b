"""Parquet files of events: a column per quantity, lists of particles, for awkward, polars, pandas and the like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.errors import InputError
from madnis_py.event_files import ragged
from madnis_py.event_files.event_format import EVENTS_PER_BLOCK, EventReader, EventWriter
from madnis_py.event_files.lhe import parse_preamble, preamble
from madnis_py.events.event_batch import COLUMNS, PARTICLE_COLUMNS, EventBatch
from madnis_py.output_file import OutputFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

PREAMBLE = b"madnis_py.lhe"
"""Key of the header and <init> in the metadata of a file, as Les Houches text."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "mothers": ("mother1", "mother2"),
    "colour": ("colour", "anticolour"),
    "momenta": ("energy", "px", "py", "pz"),
}
"""Columns of a batch with several numbers per particle -> columns of the file."""

EVENT_COLUMNS = tuple(name for name, (_, rows) in COLUMNS.items() if not rows)


class ParquetWriter(EventWriter):
    """Writes Parquet files; see `EventWriter`."""

    suffixes = (".parquet",)

    def _begin(self, stack: ExitStack) -> None:
        from pyarrow import parquet

        target = Target(stack.enter_context(OutputFile(self.path)))
        schema = _schema().with_metadata({PREAMBLE: preamble(self.init, self.header).encode()})
        self._file = parquet.ParquetWriter(
            target, schema, compression="zstd", use_dictionary=_repeating(), write_statistics=False
        )
        stack.callback(_close_quietly, self._file)

    def _append(self, events: EventBatch) -> None:
        self._file.write_table(_table(events, self._file.schema), row_group_size=EVENTS_PER_BLOCK)

    def _finish(self) -> None:
        self._file.close()


class Target:
    """An output file as pyarrow wants it; it is closed by its owner.

    Args:
        file: where the bytes go.
    """

    closed = False

    def __init__(self, file: OutputFile) -> None:
        self.write = file.write

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The file is not ours."""


class ParquetReader(EventReader):
    """Reads Parquet files that `ParquetWriter` wrote; see `EventReader`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._opened() as file:
            stored = (file.schema_arrow.metadata or {}).get(PREAMBLE)
            if stored is None:
                raise InputError(f"expected a file of events with {PREAMBLE.decode()} in its metadata")
            self.header, self.init = parse_preamble(stored.decode())

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        with self._opened() as file:
            done, total = 0, file.metadata.num_rows
            for table in file.iter_batches(EVENTS_PER_BLOCK):
                done += table.num_rows
                self.share = done / total
                yield _batch(table)

    @contextmanager
    def _opened(self) -> Iterator[parquet.ParquetFile]:
        """The file; what is wrong with it is said with its name."""
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with self.path.open("rb") as raw, parquet.ParquetFile(raw) as file:
                yield file
        except pa.ArrowException as error:
            raise InputError(f"{self.path}: expected a whole Parquet file; got: {error}") from error
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None


def _particle_parts(name: str) -> tuple[str, ...]:
    return PARTS.get(name, (name,))


def _schema() -> pa.Schema:
    import pyarrow as pa

    of_events = [pa.field(name, _number_of(name), nullable=False) for name in EVENT_COLUMNS]
    of_particles = [
        pa.field(part, _list_of(_number_of(name)), nullable=False)
        for name in PARTICLE_COLUMNS
        for part in _particle_parts(name)
    ]
    return pa.schema([*of_events, *of_particles, pa.field("variations", _list_of(pa.float64()), nullable=False)])


def _number_of(column: str) -> pa.DataType:
    import pyarrow as pa

    return pa.from_numpy_dtype(COLUMNS[column][0])


def _list_of(number: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.list_(pa.field("element", number, nullable=False))


def _repeating() -> list[str]:
    """Columns whose numbers come again and again."""
    lists = ("pdg", "status", *PARTS["mothers"], *PARTS["colour"], "mass", "lifetime", "spin")
    return ["process_id", "weight", "alpha_qed", "alpha_s", *(f"{name}.list.element" for name in lists)]


def _table(events: EventBatch, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(events.counts)]).astype(np.int32)
    each = np.arange(len(events) + 1, dtype=np.int32) * events.n_variations
    lists = {"variations": (each, events.variations.reshape(-1))}
    for name, column in ragged.flattened(events).items():
        parts = column.T if name in PARTS else [column]
        lists |= {part: (offsets, numbers) for part, numbers in zip(_particle_parts(name), parts, strict=True)}
    columns = [
        pa.ListArray.from_arrays(*map(pa.array, map(np.ascontiguousarray, lists[field.name])), type=field.type)
        if field.name in lists
        else pa.array(getattr(events, field.name))
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _batch(table: pa.RecordBatch) -> EventBatch:
    def flat(name: str) -> NDArray[Any]:
        return np.asarray(table.column(name).flatten())

    counts = np.diff(table.column("pdg").offsets.to_numpy())
    particles = {
        name: np.stack([flat(part) for part in PARTS[name]], axis=1) if name in PARTS else flat(name)
        for name in PARTICLE_COLUMNS
    }
    events = {name: table.column(name).to_numpy(zero_copy_only=False) for name in EVENT_COLUMNS}
    variations = flat("variations").reshape(table.num_rows, -1)
    return ragged.batch(counts, particles, {**events, "variations": variations})


def _close_quietly(file: parquet.ParquetWriter) -> None:
    """The first error is the one to tell."""
    with suppress(Exception):
        file.close()
