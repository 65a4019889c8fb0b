"""Normalization of event weights: units in which their mean is the cross section, from any IDWTUP.

hep-ph/0109068 knows four meanings, each with a sign that says whether weights may be negative:

    1  pb; the mean over the events of each process is its cross section
    2  any unit; XSECUP is the cross section of each process
    3  any unit, equal but for the sign; the sum of all XSECUP is the cross section
    4  pb; the mean over all events is the cross section
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.les_houches.lhe_init import SIGNED_WEIGHTS_IN_PB, LheInit

if TYPE_CHECKING:
    from madnis_py.events.files.event_reader import EventReader

OF_EACH_PROCESS, RELATIVE_IN_PROCESS, RELATIVE, IN_PB = 1, 2, 3, 4
"""Values of |IDWTUP|."""


@dataclass
class WeightSums:
    """Sums over the events of each process.

    Attributes:
        events: number of events.
        weights: sum of the weights, in the unit of the file.
        squares: sum of the squares.
    """

    events: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    weights: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    squares: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, events: EventBatch) -> None:
        """Count further events.

        Raises:
            InputError: the sum of the squares is beyond the numbers of a computer.
        """
        processes, position, numbers = np.unique(
            events.process_id, return_inverse=True, return_counts=True
        )
        weights = np.bincount(position, events.weight, len(processes))
        with np.errstate(over="ignore"):
            squares = np.bincount(position, events.weight**2, len(processes))
        if not np.isfinite(squares).all():
            raise InputError(
                f"expected weights that can be squared; got {np.abs(events.weight).max():g}"
            )
        for process, number, weight, square in zip(
            *(column.tolist() for column in (processes, numbers, weights, squares)), strict=True
        ):
            self.events[process] += number
            self.weights[process] += weight
            self.squares[process] += square

    @property
    def total(self) -> int:
        """Number of all events."""
        return sum(self.events.values())

    def cross_section(self, units: Mapping[int, float]) -> tuple[float, float]:
        """Mean and standard error of the weights in pb.

        Args:
            units: factors of the weights of each process; see `units`.
        """
        unit = units.__getitem__
        mean = sum(unit(one) * weight for one, weight in self.weights.items()) / self.total
        squares = (unit(one) * unit(one) * square for one, square in self.squares.items())
        square = sum(squares) / self.total
        return mean, max(square - mean * mean, 0.0) ** 0.5 / self.total**0.5


def needs_sums(init: LheInit) -> bool:
    """Whether the mean of the weights of a file is something else than its cross section."""
    return abs(init.weighting) != IN_PB


def units(init: LheInit, sums: WeightSums) -> dict[int, float]:
    """Factors by which the weights of each process have the cross section as their mean.

    Raises:
        InputError: the weights add up to nothing, or the file gives no cross section.
    """
    meaning, total = abs(init.weighting), sums.total
    if meaning == IN_PB:
        return dict.fromkeys(sums.events, 1.0)
    if meaning == OF_EACH_PROCESS:
        return {process: total / number for process, number in sums.events.items()}
    declared = {process.identifier: process.cross_section for process in init.processes}
    if meaning == RELATIVE:
        unit = _ratio(total * sum(declared.values()), sum(sums.weights.values()), init)
        return dict.fromkeys(sums.events, unit)
    if missing := sorted(set(sums.events) - set(declared)):
        raise InputError(
            f"expected events of the processes {sorted(declared)} of <init>; got {missing[:5]}"
        )
    present = _ratio(
        sum(declared.values()), sum(declared[process] for process in sums.events), init
    )
    return {
        process: present * _ratio(total * declared[process], weight, init)
        for process, weight in sums.weights.items()
    }


def _ratio(cross_section: float, weights: float, init: LheInit) -> float:
    unit = cross_section / weights if weights else float("nan")
    if not isfinite(unit) or unit <= 0:
        expected = "expected weights that add up to a part of XSECUP"
        raise InputError(
            f"{expected}, as IDWTUP {init.weighting} says; got {weights:g} for {cross_section:g}"
        )
    return unit


def in_pb(reader: EventReader) -> Iterator[EventBatch]:
    """The events of a file with weights in pb, whose mean is the cross section.

    The variations follow in the same unit. The file is read twice where IDWTUP is not +-4.

    Raises:
        InputError: the file is damaged, or its weights do not add up to a part of its cross
            section.
    """
    if not needs_sums(reader.init):
        yield from reader
        return
    sums = WeightSums()
    for batch in reader:
        with _named(reader):
            sums.add(batch)
    with _named(reader):
        of_processes = units(reader.init, sums)
    for batch in reader:
        unit = np.vectorize(of_processes.__getitem__, otypes=[float])(batch.process_id)
        with _named(reader):
            events = scaled(batch, unit)
        yield events


@contextmanager
def _named(reader: EventReader) -> Iterator[None]:
    """Errors get the name of the file."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{reader.path}: {error}") from None


def scaled(events: EventBatch, unit: Array | float) -> EventBatch:
    """Events with all weights in another unit; see `EventBatch.rescaled`.

    Raises:
        InputError: a weight is then beyond the numbers of a computer.
    """
    with np.errstate(over="ignore"):
        found = events.rescaled(unit)
    if not np.isfinite(found.weight).all() or np.isinf(found.variations).any():
        raise InputError("expected weights that are finite numbers in pb; got others")
    return found


def init_in_pb(init: LheInit) -> LheInit:
    """The <init> of a file after `in_pb`."""
    return replace(init, weighting=SIGNED_WEIGHTS_IN_PB) if needs_sums(init) else init
