"""LHEH5 files, version 2: Les Houches events in the tables of an HDF5 file.

The format is that of arXiv:1905.05120 and arXiv:2309.13154. Names and columns are those that pylhe
reads and writes, which are those of Sherpa and Pepper with a header.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.files import ragged
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.event_writer import EventWriter
from madnis_py.events.files.hdf5_output import Hdf5Output
from madnis_py.events.files.lheh5_tables import (
    EVENT,
    GENERATOR,
    INIT,
    PARTICLE,
    PROCESS,
    Table,
    TableRows,
    data_set,
    text_of,
)
from madnis_py.events.files.normalization import OF_EACH_PROCESS, scaled
from madnis_py.events.files.ragged import EVENTS_PER_BLOCK, most_events
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import SIGNED_WEIGHTS_IN_PB, LheGenerator, LheInit
from madnis_py.events.les_houches.lhe_preamble import MOST_TEXT
from madnis_py.events.les_houches.weight_groups import NamedWeight, WeightGroup, identifiers
from madnis_py.output_file import OutputPlace

if TYPE_CHECKING:
    import h5py

VERSION = (2, 6, 0)
"""Version of the format that is written."""

EVENT_CHUNK, PARTICLE_CHUNK = 1024, 8192
"""Rows of the tables of events and particles that lie together in a file."""

MOST_PROCESSES = 1 << 16
"""Processes and generators that a file may have."""


class Lheh5Writer(EventWriter):
    """Writes LHEH5 files; see `EventWriter`.

    Every event has one trial, so that the cross section is the mean weight.
    """

    suffixes = (".h5", ".hdf5")
    in_pb = True

    def _begin(self, stack: ExitStack) -> None:
        import h5py

        weights = identifiers(self.init.weight_groups)
        if taken := set(weights) & {*EVENT, "weight"}:
            expected = "expected identifiers of weights that are no other column"
            raise InputError(f"LHEH5: {expected}; got {sorted(taken)}")
        self._place = stack.enter_context(OutputPlace(self.path))
        with self._place.refusals():
            self._target = stack.enter_context(Hdf5Output(self._place.partial))
            self._file = stack.enter_context(h5py.File(self._target, "w"))
            _write_init(self._file, self.init, self.header)
            self._events = _new_table(self._file, "events", (*EVENT, *weights), EVENT_CHUNK)
            self._particles = _new_table(self._file, "particles", PARTICLE, PARTICLE_CHUNK)

    def _append(self, events: EventBatch) -> None:
        if (lacking := np.isnan(events.variations)).any():
            name = identifiers(self.init.weight_groups)[int(np.argmax(lacking.any(axis=0)))]
            expected = "expected events that have all weights, as a table needs them"
            raise InputError(f"{self.path}: {expected}; some have no {name!r}")
        counts = events.counts.astype(np.int64)
        start = len(self._particles) + np.cumsum(counts) - counts
        trials = np.ones(len(events))
        scales = (events.scale, events.factorization_scale, events.renormalization_scale)
        couplings = (events.alpha_qed, events.alpha_s)
        numbers = (events.process_id, counts, start, trials, *scales, *couplings, events.weight)
        _append_rows(self._events, np.column_stack([*numbers, events.variations]))
        flat = ragged.flattened(events)
        energy_last = np.roll(flat.pop("momenta"), -1, axis=1)
        integers = [flat[name] for name in ("pdg", "status", "mothers", "colour")]
        reals = [energy_last, flat["mass"], flat["lifetime"], flat["spin"]]
        _append_rows(self._particles, np.column_stack([*integers, *reals]))
        self._require_written()

    def _finish(self) -> None:
        self._file.close()
        self._require_written()

    def _require_written(self) -> None:
        with self._place.refusals():
            if self._target.error is not None:
                raise self._target.error


def _write_init(file: h5py.File, init: LheInit, header: LheHeader) -> None:
    import h5py

    text = h5py.string_dtype("utf-8")
    file.create_dataset("version", data=VERSION, dtype="i8")
    _name_columns(file.create_dataset("init", data=init.numbers, dtype="f8"), INIT)
    multiplicities = [np.nan, np.nan]  # npLO and npNLO of the merging of jets, which is not done
    processes = [
        [one.identifier, *multiplicities, one.cross_section, one.error, one.maximum]
        for one in init.processes
    ]
    _name_columns(file.create_dataset("procInfo", data=processes, dtype="f8"), PROCESS)
    rows = [[one.name, one.version, one.text, "{}"] for one in init.generators]
    generators = file.create_dataset(
        "generators", (len(rows), len(GENERATOR)), text, data=rows or None
    )
    _name_columns(generators, GENERATOR)
    xml = file.create_group("xml")
    xml.create_dataset("header", data=header.element(init.weight_groups), dtype=text)


def _new_table(file: h5py.File, name: str, columns: Sequence[str], chunk: int) -> h5py.Dataset:
    width = len(columns)
    data = file.create_dataset(
        name, (0, width), "f8", maxshape=(None, width), chunks=(chunk, width)
    )
    _name_columns(data, columns)
    return data


def _name_columns(data: h5py.Dataset, columns: Sequence[str]) -> None:
    for attribute in ("properties", data.name.removeprefix("/")):
        data.attrs[attribute] = [name.encode() for name in columns]


def _append_rows(table: h5py.Dataset, rows: Array) -> None:
    begin = len(table)
    table.resize(begin + len(rows), axis=0)
    table[begin:] = rows


class Lheh5Reader(EventReader):
    """Reads LHEH5 files of version 2, of ours and of other programs; see `EventReader`.

    The cross section of such files is the sum of the weights by that of the trials; the weights are
    scaled to have it as their mean.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        with self._opened() as file:
            self.header, self.init = _read_preamble(file)

    def __iter__(self) -> Iterator[EventBatch]:
        """The events in their order, in batches of bounded size."""
        with self._opened() as file:
            events = Table(file, "events", EVENT, "event")
            particles = Table(file, "particles", PARTICLE, "particle")
            weights = identifiers(self.init.weight_groups)
            unit = self._events_per_trial(events)
            size, used = most_events(len(weights)), 0
            for begin in range(0, len(events), size):
                self.share = min(1.0, (begin + size) / len(events))
                rows = events.rows(begin, begin + size)
                counts = rows.integers("nparticles", 0, len(particles))
                used += int(counts.sum())
                if used > len(particles):
                    raise InputError(f"expected {used} rows of particles; got {len(particles)}")
                for part in ragged.parts(counts, len(weights)):
                    own = rows.at(begin + part.start, part)
                    batch = ragged.batch(
                        counts[part],
                        _particle_columns(own, counts[part], particles),
                        _event_columns(own, weights),
                    )
                    yield batch if unit == 1 else scaled(batch, unit)

    def _events_per_trial(self, events: Table) -> float:
        """Factor of the weights that makes their mean what their sum over the trials is now."""
        if "trials" not in events.columns:
            return 1.0
        total = 0.0
        for begin in range(0, len(events), EVENTS_PER_BLOCK):
            trials = events.column("trials", begin, begin + EVENTS_PER_BLOCK)
            total += float(np.where(np.isnan(trials), 1.0, trials).sum())
        if total == len(events):
            return 1.0
        if not 0 < total < np.inf:
            raise InputError(f"events: trials: expected numbers > 0; got the sum {total:g}")
        self.left_out.add("trials, by whose mean the weights are divided")
        return len(events) / total

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        """The file; errors of reading name it, those included that HDF5 does not foresee."""
        import h5py

        try:
            with self.path.open("rb"), h5py.File(self.path, "r") as file:
                yield file
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError) as error:
            reason = (
                getattr(error, "strerror", None) or f"not a whole HDF5 file: {str(error)[:200]}"
            )
            raise InputError(f"{self.path}: cannot be read: {reason}") from error


def _event_columns(events: TableRows, weights: Sequence[str]) -> dict[str, NDArray[Any]]:
    scale = events["scale"]
    return {
        "weight": np.ascontiguousarray(
            events["NOMINAL" if "NOMINAL" in events.columns else "weight"]
        ),
        "scale": scale,
        "factorization_scale": events.get("fscale", scale),
        "renormalization_scale": events.get("rscale", scale),
        "alpha_qed": events["aqed"],
        "alpha_s": events["aqcd"],
        "process_id": events.integers("pid").astype(np.int32),
        "variations": np.column_stack(
            [np.empty((len(scale), 0)), *(events[name] for name in weights)]
        ),
    }


def _particle_columns(
    events: TableRows, counts: NDArray[np.int64], table: Table
) -> dict[str, NDArray[Any]]:
    """Columns of the particles of events, wherever their rows lie in the table."""
    start = np.where(counts > 0, events.integers("start", 0, 2**53), 0)
    last = int((start + counts).max(initial=0))
    if last > len(table):
        raise InputError(f"expected {last} rows of particles; got {len(table)}")
    rows = _rows_of(start[counts > 0], counts[counts > 0], table)

    def stacked(*names: str) -> NDArray[Any]:
        return np.stack([rows.integers(name) for name in names], axis=1).astype(np.int32)

    status = rows.integers("status").astype(np.int32)
    if not status.all():
        raise InputError("expected particles with a status other than 0")
    return {
        "pdg": rows.integers("id").astype(np.int32),
        "status": status,
        "mothers": stacked("mother1", "mother2"),
        "colour": stacked("color1", "color2"),
        "momenta": np.stack([rows[name] for name in ("e", "px", "py", "pz")], axis=1),
        "mass": rows["m"],
        "lifetime": rows["lifetime"],
        "spin": rows["spin"],
    }


def _rows_of(start: NDArray[np.int64], counts: NDArray[np.int64], table: Table) -> TableRows:
    """Particles of events one behind the other: read at once where they lie so, else by event."""
    first = int(start.min(initial=0))
    if (start == first + np.cumsum(counts) - counts).all():
        return table.rows(first, first + int(counts.sum()))
    apart = [
        table.rows(*bounds).numbers
        for bounds in zip(start.tolist(), (start + counts).tolist(), strict=True)
    ]
    return TableRows(table.what, first, np.concatenate(apart), table.columns)


def _read_preamble(file: h5py.File) -> tuple[LheHeader, LheInit]:
    header, groups = _read_header(file)
    init = Table(file, "init", INIT, "init", dimensions=1).row()
    processes = Table(file, "procInfo", PROCESS, "process")
    if len(processes) > MOST_PROCESSES:
        raise InputError(
            f"procInfo: expected at most {MOST_PROCESSES} processes; got {len(processes)}"
        )
    rows = processes.rows(0, len(processes))
    columns = [rows[name] for name in ("xSection", "error", "unitWeight", "procId")]
    generators = []
    if data_set(file, "generators") is not None:
        table = Table(file, "generators", GENERATOR, "generator", text=True)
        places = [table.columns.get(name) for name in ("name", "version", "description")]
        for row in table.data[:MOST_PROCESSES]:
            texts = ("" if place is None else text_of(row[place]) for place in places)
            generators.append(LheGenerator(*texts))
    found = LheInit.from_numbers(
        [float(init[name]) for name in INIT],
        np.stack(columns, axis=1).ravel().tolist(),
        groups,
        tuple(generators),
    )
    if abs(found.weighting) == OF_EACH_PROCESS:  # here the mean is that over all events
        found = replace(found, weighting=SIGNED_WEIGHTS_IN_PB)
    return header, found


def _read_header(file: h5py.File) -> tuple[LheHeader, tuple[WeightGroup, ...]]:
    """The header and the weight groups; every weight has a column.

    Without a header each column is a group of one weight.
    """
    events = Table(file, "events", EVENT, "event")
    names = [name for name in events.columns if name not in {*EVENT, "weight"}]
    stored = data_set(file, "xml/header")
    if stored is None:
        return LheHeader(), tuple(WeightGroup("", "", (NamedWeight(name, name),)) for name in names)
    if stored.shape != () or stored.dtype.itemsize > MOST_TEXT:
        raise InputError(
            f"xml/header: expected one text; got {stored.dtype} of shape {stored.shape}"
        )
    text = text_of(stored[()])
    header, groups = LheHeader.parse(text[text.find(">") + 1 : text.rfind("</header>")])
    if sorted(identifiers(groups)) != sorted(names):
        raise InputError(
            f"expected columns of the weights {list(identifiers(groups))[:20]}; got {names[:20]}"
        )
    return header, groups
