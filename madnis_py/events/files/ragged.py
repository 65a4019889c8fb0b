"""Events of different numbers of particles without unused rows: one long column and the number of every event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.events.event_batch import PARTICLE_COLUMNS, EventBatch

Array = NDArray[Any]

MOST_ROWS = 1 << 19
"""Rows of all events of a batch together, used or not; one event may have more. They take 40 MB."""

_MOST_WEIGHTS = 1 << 24
"""Variations of all events of a batch together; 128 MB."""

EVENTS_PER_BLOCK = 1 << 15
"""Events that are read or written together at most; fixed, so that a file does not depend on the
batches."""


def most_events(n_variations: int) -> int:
    """Events of a batch, so that its memory is bounded."""
    return min(EVENTS_PER_BLOCK, max(1, _MOST_WEIGHTS // max(1, n_variations)))


def parts(counts: Array, n_variations: int) -> Iterator[slice]:
    """Events that follow each other, in parts of bounded memory, although all of a part get the rows of its longest.

    Args:
        counts: particles of every event, integers of shape (n,).
        n_variations: further weights per event.
    """
    begin = 0
    while begin < len(counts):
        size = part_size(counts[begin:], n_variations)
        yield slice(begin, begin + size)
        begin += size


def part_size(counts: Array, n_variations: int, held: int = 0, held_rows: int = 0) -> int:
    """How many of the first events make a part, with `held` events of at most `held_rows` rows before them."""
    near = counts[: max(0, most_events(n_variations) - held)]
    rows = np.maximum.accumulate(np.maximum(near, max(1, held_rows)))
    fits = rows * (held + 1 + np.arange(len(near))) <= MOST_ROWS
    return max(int(np.argmin(fits)) if not fits.all() else len(near), 0 if held else 1)


def flattened(events: EventBatch) -> dict[str, Array]:
    """The columns of particles without unused rows, (K,) or (K, numbers) for K particles in all."""
    used = events.used
    if used.all():
        return {name: _merged(getattr(events, name)) for name in PARTICLE_COLUMNS}
    return {name: getattr(events, name)[used] for name in PARTICLE_COLUMNS}


def batch(counts: Array, particles: Mapping[str, Array], events: Mapping[str, Array]) -> EventBatch:
    """Events with unused rows where they have fewer particles than others.

    Args:
        counts: particles of every event, integers of shape (n,).
        particles: what `flattened` gives.
        events: the other columns of the batch.
    """
    rows = int(counts.max(initial=0))
    used = np.arange(rows) < counts[:, None]
    return EventBatch(
        **{name: _spread(column, used) for name, column in particles.items()}, **events
    )


def _merged(column: Array) -> Array:
    return column.reshape(-1, *column.shape[2:])


def _spread(column: Array, used: NDArray[np.bool_]) -> Array:
    if used.all():
        return column.reshape(*used.shape, *column.shape[1:])
    padded = np.zeros((*used.shape, *column.shape[1:]), column.dtype)
    padded[used] = column
    return padded
