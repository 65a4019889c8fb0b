"""Files of events joined into one, with the cross section and error of all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, count
from math import hypot, sqrt
from pathlib import Path
from typing import Literal

import numpy as np

from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.exchange.made_sample import MadeSample
from madnis_py.events.files.event_reader import EventReader
from madnis_py.events.files.formats import create_events, event_format, open_events
from madnis_py.events.files.normalization import in_pb, init_in_pb, scaled
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import LheInit, LheProcess
from madnis_py.output_file import require_place
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched

Relation = Literal["same", "different"]
"""Whether files are samples of the same processes, or of different ones, whose sigmas add up."""

HEADER_BLOCK = "madnis_py_merge"
"""Element of the header that says what was joined."""

_MOST_SIGMA = 5.0
"""Difference of the cross sections of one process, in standard errors, that is still believed."""


@dataclass(frozen=True, kw_only=True)
class JoinedFile(MadeSample):
    """Outcome of joining files.

    Attributes:
        factors: by which the weights of each file were multiplied.
    """

    factors: tuple[float, ...]


def join_files(
    sources: Sequence[Path],
    target: Path,
    relation: Relation = "same",
    watch: Watch = unwatched,
) -> JoinedFile:
    """Write the events of several files to one, in which the mean weight is the cross section.

    Samples of the same processes: the cross section of each process is the mean of the estimates,
    weighted by 1 / error^2; files with equal numbers, such as those of one gridpack, share one
    estimate, which counts once. The weights of file i are multiplied by sigma / sigma_i.

    Samples of different processes: cross sections add up, errors in quadrature. With N events in
    all, N_i of them in file i, the weights of file i are multiplied by N / N_i. Process numbers
    that are taken already are replaced by free ones.

    Args:
        sources: two files or more, of any format.
        target: the new file.
        relation: of the files.
        watch: called with the progress.

    Raises:
        InputError: a file is damaged, files differ in beams or weights, two hold the same events,
            or cross sections of samples of the same processes exclude each other.
        OutputError: the target cannot be written.
    """
    event_format(target)
    require_place(target)
    if len(sources) < 2:
        raise InputError(f"merge: expected two files or more; got {len(sources)}")
    if target.exists() and any(target.samefile(one) for one in sources if one.exists()):
        raise InputError(f"{target}: expected another file than the sources")
    readers = [open_events(source) for source in sources]
    _require_alike(readers)
    _require_different_events(readers)
    join = _same_processes(readers) if relation == "same" else _different_processes(readers)
    clock = Stopwatch()
    with create_events(target, join.init, join.header(readers)) as writer:
        for place, (reader, part) in enumerate(zip(readers, join.parts, strict=True)):
            for batch in in_pb(reader):
                writer.copy(part.applied_to(batch))
                watch(_progress(place, reader.share, len(readers), writer.n_events, clock))
    cross_section, error = join.init.cross_section
    return JoinedFile(
        events=writer.n_events,
        cross_section=cross_section,
        error=error,
        quantity=join.init.integral,
        unit=join.init.unit,
        left_out=tuple(sorted({one for reader in readers for one in reader.left_out})),
        factors=tuple(part.factor for part in join.parts),
    )


def _progress(place: int, share: float, files: int, events: int, clock: Stopwatch) -> StageProgress:
    done = round(1000 * (place + share) / files)
    rate = events / clock.total
    return StageProgress("merge", done, 1000, "permille", rate=rate, rate_unit="events/s")


@dataclass(frozen=True)
class _Part:
    """What becomes of the events of a file.

    Attributes:
        factor: of their weights.
        numbers: process number -> its number in the new file.
    """

    factor: float
    numbers: dict[int, int]

    def applied_to(self, events: EventBatch) -> EventBatch:
        """Events of the file as the new one has them."""
        if self.factor != 1.0:
            events = scaled(events, self.factor)
        if all(old == new for old, new in self.numbers.items()):
            return events
        renumber = np.vectorize(lambda old: self.numbers.get(old, old), otypes=[np.int32])
        return replace(events, process_id=renumber(events.process_id))


@dataclass(frozen=True)
class _Join:
    """The <init> of the new file, and what becomes of each file."""

    init: LheInit
    parts: tuple[_Part, ...]

    def header(self, readers: Sequence[EventReader]) -> LheHeader:
        """The header of the first file, and what was joined."""
        files = [
            {"file": reader.path.name, "sigma": sigma, "error": error, "factor": part.factor}
            for reader, part in zip(readers, self.parts, strict=True)
            for sigma, error in [reader.init.cross_section]
        ]
        block = LheHeader.of({HEADER_BLOCK: "\n" + json.dumps(files, indent=1) + "\n"})
        return LheHeader(readers[0].header.xml + block.xml)


def _require_alike(readers: Sequence[EventReader]) -> None:
    """Refuse files whose events cannot stand side by side."""
    first = readers[0]
    for reader in readers:
        if sentence := reader.init.unknown_cross_section:
            raise InputError(f"{reader.path}: {sentence}")
        for what, attribute in (
            ("beams", "beam_pdg"),
            ("beam energies", "beam_energies"),
            ("parton densities", "pdf_sets"),
            ("weight groups", "weight_groups"),
        ):
            expected, got = (getattr(one.init, attribute) for one in (first, reader))
            if expected != got:
                told = "" if attribute == "weight_groups" else f", {expected}; got {got}"
                raise InputError(f"{reader.path}: expected the {what} of {first.path}{told}")


def _require_different_events(readers: Sequence[EventReader]) -> None:
    """Refuse files that begin with the same events: those of one seed are no further events."""
    seen: dict[str, Path] = {}
    for reader in readers:
        batch = next(iter(reader), None)
        if batch is None or not len(batch):
            raise InputError(f"{reader.path}: expected events; got none")
        found = hashlib.sha256(batch.select(slice(0, 10)).momenta.tobytes()).hexdigest()
        if found in seen:
            expected = "expected other events, from another seed"
            raise InputError(f"{reader.path}: {expected}; got those of {seen[found]} again")
        seen[found] = reader.path


_OTHERWISE = "--add joins samples of different processes"


def _same_processes(readers: Sequence[EventReader]) -> _Join:
    first = readers[0].init
    numbers = sorted(process.identifier for process in first.processes)
    for reader in readers:
        got = sorted(process.identifier for process in reader.init.processes)
        if got != numbers:
            expected = f"expected the processes {numbers} as in {readers[0].path}"
            raise InputError(f"{reader.path}: {expected}; got {got} ({_OTHERWISE})")
    processes = tuple(
        _combined([reader.init.processes for reader in readers], number, readers)
        for number in (process.identifier for process in first.processes)
    )
    init = replace(init_in_pb(first), processes=processes)
    total, _ = init.cross_section
    parts = tuple(
        _Part(total / reader.init.cross_section[0], {number: number for number in numbers})
        for reader in readers
    )
    return _Join(init, parts)


def _combined(
    of_files: Sequence[tuple[LheProcess, ...]], number: int, readers: Sequence[EventReader]
) -> LheProcess:
    """The mean of the estimates of a process; equal ones are one estimate."""
    unit = readers[0].init.unit
    found = [next(one for one in of_file if one.identifier == number) for of_file in of_files]
    estimates: dict[tuple[float, float], Path] = {}
    for one, reader in zip(found, readers, strict=True):
        estimates.setdefault((one.cross_section, one.error), reader.path)
    for (a, of_a), (b, of_b) in combinations(estimates.items(), 2):
        if abs(a[0] - b[0]) > _MOST_SIGMA * hypot(a[1], b[1]):
            first, second = (f"{one:g} +- {its_error:g} {unit}" for one, its_error in (a, b))
            expected = f"expected about the {first} of {of_a} for process {number}"
            raise InputError(f"{of_b}: {expected}; got {second} ({_OTHERWISE})")
    value, error = _mean(list(estimates))
    return LheProcess(value, error, max(one.maximum for one in found), number)


def _mean(estimates: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The mean with weights 1 / error^2; exact numbers count alone."""
    if exact := [value for value, error in estimates if error <= 0]:
        return sum(exact) / len(exact), 0.0
    if len(estimates) == 1:
        return estimates[0]
    weights = [1 / error**2 for _, error in estimates]
    values = (weight * value for weight, (value, _) in zip(weights, estimates, strict=True))
    return sum(values) / sum(weights), 1 / sqrt(sum(weights))


def _different_processes(readers: Sequence[EventReader]) -> _Join:
    counts = [sum(map(len, reader)) for reader in readers]
    processes: list[LheProcess] = []
    parts = []
    for reader, n_events in zip(readers, counts, strict=True):
        own = [process.identifier for process in reader.init.processes]
        part = _Part(
            sum(counts) / n_events, _free_numbers(own, {one.identifier for one in processes})
        )
        processes += [
            replace(one, identifier=part.numbers[one.identifier], maximum=part.factor * one.maximum)
            for one in reader.init.processes
        ]
        parts.append(part)
    init = replace(init_in_pb(readers[0].init), processes=tuple(processes))
    return _Join(init, tuple(parts))


def _free_numbers(own: Sequence[int], taken: set[int]) -> dict[int, int]:
    """Process number of a file -> the same one where it is free, else one above all others."""
    above = count(max([*own, *taken], default=0) + 1)
    return {number: next(above) if number in taken else number for number in own}
