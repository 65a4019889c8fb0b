"""Ragged columns: particles of events one behind the other, and how many each event has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Flags
from madnis_py.events.event_batch import COLUMNS, PARTICLE_COLUMNS, EventBatch

PARTS: Mapping[str, tuple[str, ...]] = {
    "mothers": ("mother1", "mother2"),
    "colour": ("colour", "anticolour"),
    "momenta": ("energy", "px", "py", "pz"),
}
"""Columns of a batch with several numbers per particle -> names of columns with one."""

EVENT_COLUMNS = tuple(name for name, (_, rows) in COLUMNS.items() if not rows)
"""Columns of a batch with one number per event."""

MOST_ROWS = 1 << 19
"""Rows of a batch, used or not, which take 40 MB; a single event may have more."""

_MOST_WEIGHTS = 1 << 24
"""Variations of a batch, which take 128 MB."""

EVENTS_PER_BLOCK = 1 << 15
"""Events that are read or written at once; fixed, so that files do not depend on the batches."""


def most_events(n_variations: int) -> int:
    """Events that a batch may have for its memory to be bounded."""
    return min(EVENTS_PER_BLOCK, max(1, _MOST_WEIGHTS // max(1, n_variations)))


def parts(counts: NDArray[Any], n_variations: int) -> Iterator[slice]:
    """Parts of events that need bounded memory when all events of a part get as many rows.

    Args:
        counts: particles of every event, integers of shape (n,).
        n_variations: further weights per event.
    """
    begin = 0
    while begin < len(counts):
        size = part_size(counts[begin:], n_variations)
        yield slice(begin, begin + size)
        begin += size


def part_size(counts: NDArray[Any], n_variations: int, held: int = 0, held_rows: int = 0) -> int:
    """Number of the first events that make a part.

    Args:
        counts: particles of every event, integers of shape (n,).
        n_variations: further weights per event.
        held: events that the part already has.
        held_rows: rows of the longest of them.
    """
    near = counts[: max(0, most_events(n_variations) - held)]
    rows = np.maximum.accumulate(np.maximum(near, max(1, held_rows)))
    fits = rows * (held + 1 + np.arange(len(near))) <= MOST_ROWS
    return max(int(np.argmin(fits)) if not fits.all() else len(near), 0 if held else 1)


def flattened(events: EventBatch) -> dict[str, NDArray[Any]]:
    """The columns of particles without unused rows, (K,) or (K, numbers) for K particles in all."""
    used = events.used
    columns = {name: getattr(events, name) for name in PARTICLE_COLUMNS}
    if used.all():
        return {name: column.reshape(-1, *column.shape[2:]) for name, column in columns.items()}
    return {name: column[used] for name, column in columns.items()}


def batch(
    counts: NDArray[Any], particles: Mapping[str, NDArray[Any]], events: Mapping[str, NDArray[Any]]
) -> EventBatch:
    """Events with unused rows where they have fewer particles than others.

    Args:
        counts: particles of every event, integers of shape (n,).
        particles: what `flattened` gives.
        events: the other columns of the batch.
    """
    rows = int(counts.max(initial=0))
    used = np.arange(rows) < counts[:, None]
    return EventBatch(
        **{name: _with_unused(column, used) for name, column in particles.items()}, **events
    )


def _with_unused(column: NDArray[Any], used: Flags) -> NDArray[Any]:
    """A column of particles as a table with unused rows, which are 0."""
    if used.all():
        return column.reshape(*used.shape, *column.shape[1:])
    padded = np.zeros((*used.shape, *column.shape[1:]), column.dtype)
    padded[used] = column
    return padded
