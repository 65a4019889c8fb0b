"""Parquet files of events: a column per quantity, with lists of particles.

Awkward, polars, pandas and the like read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.errors import InputError
from madnis_py.events.event_batch import COLUMNS, PARTICLE_COLUMNS, EventBatch
from madnis_py.events.files import ragged
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.event_writer import EventWriter
from madnis_py.events.files.ragged import EVENT_COLUMNS, EVENTS_PER_BLOCK, PARTS, most_events
from madnis_py.events.les_houches.lhe_preamble import Preamble
from madnis_py.events.les_houches.weight_groups import identifiers
from madnis_py.output_file import OutputFile

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

PREAMBLE = b"madnis_py.lhe"
"""Key of the header and <init> in the metadata of a file, as Les Houches text."""

MOST_BYTES = 1 << 31
"""Bytes that a row group may have, 2 GiB, because it is read at once."""

REPEATING = ("pdg", "status", *PARTS["mothers"], *PARTS["colour"], "mass", "lifetime", "spin")
DICTIONARY = [
    "process_id",
    "weight",
    "alpha_qed",
    "alpha_s",
    *(f"{name}.list.element" for name in REPEATING),
]
"""Columns whose numbers repeat; they are stored as places in a dictionary."""


class ParquetWriter(EventWriter):
    """Writes Parquet files; see `EventWriter`."""

    suffixes = (".parquet",)

    def _begin(self, stack: ExitStack) -> None:
        from pyarrow import parquet

        target = ArrowSink(stack.enter_context(OutputFile(self.path)))
        schema = _schema().with_metadata({PREAMBLE: str(Preamble(self.header, self.init)).encode()})
        self._file = parquet.ParquetWriter(
            target, schema, compression="zstd", use_dictionary=DICTIONARY, write_statistics=False
        )
        stack.callback(_close_after_error, self._file)

    def _append(self, events: EventBatch) -> None:
        self._file.write_table(_table(events, self._file.schema), row_group_size=EVENTS_PER_BLOCK)

    def _finish(self) -> None:
        self._file.close()


def _close_after_error(file: parquet.ParquetWriter) -> None:
    """Close a file that may be broken: the error that broke it is the one to raise."""
    with suppress(Exception):
        file.close()


class ArrowSink:
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
    """Reads Parquet files of `ParquetWriter`, also after others changed or added columns.

    Integers and floating-point numbers of any size will do where their values fit; see
    `EventReader`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._opened() as file:
            stored = (file.schema_arrow.metadata or {}).get(PREAMBLE)
            if stored is None:
                raise InputError(
                    f"expected a file of events with {PREAMBLE.decode()} in its metadata"
                )
            found = Preamble.parse(stored)
            if found is None:
                expected = "expected <LesHouchesEvents>, <header> and <init>"
                raise InputError(f"{PREAMBLE.decode()}: {expected}; got a part of them")
            self.header, self.init = found[0].header, found[0].init
            _require_columns(file)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        n_variations = len(identifiers(self.init.weight_groups))
        lacking = np.zeros(n_variations, bool)
        with self._opened() as file:
            done, total = 0, file.metadata.num_rows
            for table in file.iter_batches(
                most_events(n_variations), columns=[field.name for field in _schema()]
            ):
                columns, done = ParquetColumns(table, done), done + table.num_rows
                self.share = done / total
                for events in columns.batches(n_variations):
                    lacking |= np.isnan(events.variations).any(axis=0)
                    yield events
        self._leave_out_weights(lacking)

    @contextmanager
    def _opened(self) -> Iterator[parquet.ParquetFile]:
        """The file; errors of reading name it."""
        import pyarrow as pa
        from pyarrow import parquet

        try:
            with self.path.open("rb") as raw, parquet.ParquetFile(raw) as file:
                yield file
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        except (
            pa.ArrowException,
            RuntimeError,
            LookupError,
            ValueError,
            TypeError,
            MemoryError,
        ) as error:
            raise InputError(
                f"{self.path}: expected a whole Parquet file; got: {str(error)[:200]}"
            ) from error


def _particle_parts(name: str) -> tuple[str, ...]:
    return PARTS.get(name, (name,))


def _schema() -> pa.Schema:
    import pyarrow as pa

    of_events = [pa.field(name, _number_of(name), nullable=False) for name in EVENT_COLUMNS]
    of_particles = []
    for name in PARTICLE_COLUMNS:
        numbers = pa.list_(pa.field("element", _number_of(name), nullable=False))
        of_particles += [pa.field(part, numbers, nullable=False) for part in _particle_parts(name)]
    variations = pa.list_(pa.field("element", pa.float64()))  # null where an event lacks one
    return pa.schema(
        [*of_events, *of_particles, pa.field("variations", variations, nullable=False)]
    )


def _number_of(column: str) -> pa.DataType:
    import pyarrow as pa

    return pa.from_numpy_dtype(COLUMNS[column][0])


def _table(events: EventBatch, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    offsets = np.concatenate([[0], np.cumsum(events.counts)]).astype(np.int32)
    each = np.arange(len(events) + 1, dtype=np.int32) * events.n_variations
    lists = {"variations": (each, events.variations.reshape(-1))}
    for name, column in ragged.flattened(events).items():
        parts = column.T if name in PARTS else [column]
        lists |= {
            part: (offsets, numbers)
            for part, numbers in zip(_particle_parts(name), parts, strict=True)
        }
    columns = []
    for field in schema:
        if field.name in lists:
            begins, numbers = lists[field.name]
            absent = np.isnan(numbers) if field.type.value_field.nullable else None
            flat = pa.array(np.ascontiguousarray(numbers), mask=absent)
            columns.append(pa.ListArray.from_arrays(pa.array(begins), flat, type=field.type))
        else:
            columns.append(pa.array(getattr(events, field.name)))
    return pa.Table.from_arrays(columns, schema=schema)


def _require_columns(file: parquet.ParquetFile) -> None:
    """Make sure that the columns of events are there, and that they are read in bounded memory."""
    found = file.schema_arrow
    for field in _schema():
        places = found.get_all_field_indices(field.name)
        if len(places) != 1:
            got = f"it {len(places)} times" if places else ", ".join(found.names[:30])
            raise InputError(f"expected the column {field.name}; got {got}")
        if not _fits(found.field(places[0]).type, field.type):
            raise InputError(
                f"column {field.name}: expected {field.type}; got {found.field(places[0]).type}"
            )
    groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
    if (largest := max((group.total_byte_size for group in groups), default=0)) > MOST_BYTES:
        raise InputError(
            f"expected row groups of at most {MOST_BYTES >> 20} MiB; got {largest >> 20} MiB"
        )


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a type of numbers, or of lists of them, can stand for another."""
    from pyarrow import types

    if types.is_list(wanted):
        a_list = (
            types.is_list(found) or types.is_large_list(found) or types.is_fixed_size_list(found)
        )
        return bool(a_list and _fits(found.value_type, wanted.value_type))
    return bool(types.is_integer(found) or (types.is_floating(found) and types.is_floating(wanted)))


class ParquetColumns:
    """Events as they stand in a file, checked where they are read.

    Args:
        table: some rows of it.
        before: number of events that precede them.
    """

    def __init__(self, table: pa.RecordBatch, before: int) -> None:
        self._table, self._before = table, before

    def batches(self, n_variations: int) -> Iterator[EventBatch]:
        """The events, in parts of bounded memory.

        Raises:
            InputError: names the first event with a number that is missing, not finite or too
                large, or with lists of different lengths.
        """
        counts, pdg = self._list("pdg")
        particles = {"pdg": pdg} | {
            name: np.stack([self._like_pdg(part, counts) for part in PARTS[name]], axis=1)
            if name in PARTS
            else self._like_pdg(name, counts)
            for name in PARTICLE_COLUMNS
            if name != "pdg"
        }
        self._require(particles["status"] != 0, counts, "status", "another number than 0")
        events = {
            name: self._numbers(self._table.column(name), name, None) for name in EVENT_COLUMNS
        }
        of_each, variations = self._list("variations")
        self._require(
            of_each == n_variations,
            None,
            "variations",
            f"{n_variations} numbers, as <init> declares",
        )
        events["variations"] = variations.reshape(len(counts), n_variations)
        ends = np.concatenate([[0], np.cumsum(counts)])
        for part in ragged.parts(counts, n_variations):
            rows = slice(ends[part.start], ends[part.stop])
            yield ragged.batch(
                counts[part],
                {name: column[rows] for name, column in particles.items()},
                {name: column[part] for name, column in events.items()},
            )

    def _like_pdg(self, name: str, counts: NDArray[np.int64]) -> NDArray[Any]:
        of_each, numbers = self._list(name)
        self._require(of_each == counts, None, name, "as many numbers as pdg has")
        return numbers

    def _list(self, name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Counts of the numbers of each event, and all numbers one behind the other."""
        import pyarrow as pa

        column = self._table.column(name)
        self._require(~column.is_null().to_numpy(zero_copy_only=False), None, name, "a list")
        column = column.cast(pa.list_(column.type.value_type))
        counts = np.diff(column.offsets.to_numpy()).astype(np.int64)
        return counts, self._numbers(column.flatten(), name, counts)

    def _numbers(
        self, column: pa.Array, name: str, counts: NDArray[np.int64] | None
    ) -> NDArray[Any]:
        """Numbers of the type that the batch has; variations may be missing and are NaN then."""
        of_batch = next((whole for whole, parts in PARTS.items() if name in parts), name)
        wanted = _number_of(of_batch)
        if name != "variations":
            self._require(
                ~column.is_null().to_numpy(zero_copy_only=False), counts, name, "a number"
            )
        try:
            numbers = column.cast(wanted)
        except ValueError as error:
            raise InputError(f"column {name}: expected {wanted}; got: {error}") from None
        found = np.array(numbers.to_numpy(zero_copy_only=False))
        if column.null_count < len(column):
            absent = column.is_null().to_numpy(zero_copy_only=False)
            self._require(np.isfinite(found) | absent, counts, name, "a finite number")
        return found.astype(COLUMNS[of_batch][0])

    def _require(
        self, fits: NDArray[np.bool_], counts: NDArray[np.int64] | None, name: str, expected: str
    ) -> None:
        """Refuse the first event with something that does not fit.

        Args:
            fits: whether each number fits, bool, shape (K,).
            counts: how many of the numbers each event has; one each if None.
            name: of the column.
            expected: what every number should be.
        """
        if fits.all():
            return
        place = int(np.argmin(fits))
        event = (
            place
            if counts is None
            else int(np.searchsorted(np.cumsum(counts), place, side="right"))
        )
        raise InputError(
            f"event {self._before + event + 1}: {name}: expected {expected}; got something else"
        )
