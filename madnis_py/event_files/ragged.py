"""Events of different numbers of particles without unused rows: one long column and the number of every event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py.events.event_batch import PARTICLE_COLUMNS, EventBatch

Array = NDArray[Any]


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
    return EventBatch(**{name: _spread(column, used) for name, column in particles.items()}, **events)


def _merged(column: Array) -> Array:
    return column.reshape(-1, *column.shape[2:])


def _spread(column: Array, used: NDArray[np.bool_]) -> Array:
    if used.all():
        return column.reshape(*used.shape, *column.shape[1:])
    padded = np.zeros((*used.shape, *column.shape[1:]), column.dtype)
    padded[used] = column
    return padded
