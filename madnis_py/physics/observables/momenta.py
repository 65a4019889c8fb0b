"""Layout of momenta that all kernels share, and copies of momenta in it.

Momenta are float64 (n, n_particles, 4), (E, px, py, pz) in GeV, incoming particles first with
positive energies, with the events fastest in memory; every mapping returns them so, and
`as_momenta` makes them so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError


def as_momenta(array: ArrayLike) -> Array:
    """Momenta in the layout of the kernels; copied only if they are not in it already.

    Args:
        array: momenta in GeV, any number type and layout, shape (n, n_particles, 4).

    Returns:
        the same numbers, float64, shape (n, n_particles, 4), events fastest in memory.

    Raises:
        InputError: the shape is another one.
    """
    momenta = np.asarray(array, dtype=np.float64)
    if momenta.ndim != 3 or momenta.shape[2] != 4:
        raise InputError(f"momenta: expected shape (n, particles, 4); got {momenta.shape}")
    if _is_event_fastest(momenta):
        return momenta
    n, particles, _ = momenta.shape
    copy = np.empty((particles, 4, n)).transpose(2, 0, 1)
    copy[...] = momenta
    return copy


def _is_event_fastest(momenta: Array) -> bool:
    n = len(momenta)
    event, particle, component = momenta.strides
    return (
        (n == 1 or event == 8)
        and component % 8 == 0
        and component >= 8 * n
        and particle == 4 * component
    )


def select(p: Array, rows: NDArray[np.intp]) -> Array:
    """Momenta of the events in `rows`, (m,), in the layout of the kernels."""
    return np.take(p.transpose(1, 2, 0), rows, axis=2).transpose(2, 0, 1)


def exchanged(p: Array) -> Array:
    """Momenta with the two incoming particles exchanged, in the layout of the kernels."""
    order = [1, 0, *range(2, p.shape[1])]
    return np.take(p.transpose(1, 2, 0), order, axis=0).transpose(2, 0, 1)
