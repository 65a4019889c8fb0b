"""Columns of events in the arrays of other libraries: numpy, torch, awkward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.errors import InputError
from madnis_py.events.event_batch import PARTICLE_COLUMNS, EventBatch

if TYPE_CHECKING:
    import awkward as ak

ENERGY_AND_MOMENTUM = ("E", "px", "py", "pz")


def numpy_columns(events: EventBatch) -> dict[str, NDArray[Any]]:
    """The columns of `EventBatch` by name, without a copy."""
    return events.columns()


def torch_columns(events: EventBatch) -> dict[str, Tensor]:
    """The same as tensors on the CPU, without a copy."""
    return {name: torch.from_numpy(column) for name, column in events.columns().items()}


def awkward_events(events: EventBatch) -> ak.Array:
    """A record of each event, with a list of records, `particles`, as long as it has particles.

    Particles have `E`, `px`, `py`, `pz` in the place of `momenta`.

    Raises:
        InputError: awkward is not installed.
    """
    try:
        import awkward as ak
    except ModuleNotFoundError as error:
        needs = f"expected awkward ({error})"
        raise InputError(f"events: {needs}; pip install 'madnis_py[root]' brings it") from None

    columns = events.columns()
    rows = {name: columns.pop(name) for name in (*PARTICLE_COLUMNS, "jet_kt") if name in columns}
    momenta = rows.pop("momenta")
    rows |= {name: momenta[..., place] for place, name in enumerate(ENERGY_AND_MOMENTUM)}
    flat = {name: column[events.used] for name, column in rows.items()}
    particles = ak.unflatten(_records(flat), events.counts)
    return _records(columns | {"particles": particles})


def _records(columns: Mapping[str, Any]) -> ak.Array:
    import awkward as ak

    fields = [ak.to_layout(column) for column in columns.values()]
    return ak.Array(ak.contents.RecordArray(fields, list(columns)))


LIBRARIES: Mapping[str, Callable[[EventBatch], Any]] = {
    "numpy": numpy_columns,
    "torch": torch_columns,
    "awkward": awkward_events,
}
"""Name of a library -> what makes its arrays of the columns of events."""
