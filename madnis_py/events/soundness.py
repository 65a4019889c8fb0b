"""Whether a shower can use events, and the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import GenerationError

if TYPE_CHECKING:
    from madnis_py.events.event_batch import EventBatch


ON_SHELL = 1e-9
"""Relative distance of energies from the mass shell that is none."""


def require_sound(batch: EventBatch) -> None:
    """Refuse events that a shower cannot use; see `EventBatch.check`.

    Raises:
        GenerationError: names the first event that fails and why.
    """
    if fault := first_fault(batch):
        raise GenerationError(f"event {fault[0]}: {fault[1]}")


def first_fault(batch: EventBatch, on_shell: float = ON_SHELL) -> tuple[int, str] | None:
    """The first event that a shower cannot use, counted from 0, and why; nothing if there is none.

    Args:
        batch: the events.
        on_shell: relative distance of energies from the mass shell that is allowed.
    """
    if fault := _core.event_fault(batch.columns(), on_shell):
        event, rule, particle = fault
        return event, SENTENCES[rule](batch, event, particle)
    return None


def _not_finite(batch: EventBatch, event: int, _: int) -> str:
    found = {name: column[event] for name, column in batch.columns().items()}
    name = next(name for name, numbers in found.items() if not np.isfinite(numbers).all())
    return f"{name} is not finite: {found[name].tolist()}"


def _unused(batch: EventBatch, event: int, _: int) -> str:
    return f"expected unused rows (status 0) at the end only; got status {batch.status[event].tolist()}"


def _status(batch: EventBatch, event: int, _: int) -> str:
    expected = "expected two incoming particles first (status -1), then outgoing and intermediate ones (1, 2)"
    return f"{expected}; got {batch.status[event].tolist()}"


def _mothers(batch: EventBatch, event: int, particle: int) -> str:
    expected = (
        "no mothers" if particle < 2 else "the mothers 1 2, or an earlier intermediate particle"
    )
    return f"particle {particle + 1}: expected {expected}; got {batch.mothers[event, particle].tolist()}"


def _off_shell(batch: EventBatch, event: int, particle: int) -> str:
    energy, *momentum = batch.momenta[event, particle].tolist()
    on_shell = hypot(*momentum, batch.mass[event, particle])
    return f"particle {particle + 1}: expected E = sqrt(p^2 + m^2) = {on_shell}; got {energy}"


def _not_conserved(batch: EventBatch, event: int, _: int) -> str:
    sign = np.select([batch.status[event] == -1, batch.status[event] == 1], [1.0, -1.0], 0.0)
    missing = (sign[:, None] * batch.momenta[event]).sum(axis=0)
    return f"momentum is not conserved: incoming minus outgoing is {missing.tolist()} GeV"


def _not_its_daughters(batch: EventBatch, event: int, particle: int) -> str:
    total = batch.momenta[event, _daughters(batch, event, particle)].sum(axis=0)
    momentum = batch.momenta[event, particle]
    return f"particle {particle + 1}: expected the momentum of its daughters, {total.tolist()}; got {momentum.tolist()}"


def _colours(batch: EventBatch, event: int, _: int) -> str:
    return f"colour tags do not pair up: {batch.colour[event].tolist()}"


def _not_the_colour_of_its_decay(batch: EventBatch, event: int, particle: int) -> str:
    decay = batch.colour[event, _daughters(batch, event, particle)].tolist()
    got = batch.colour[event, particle].tolist()
    return f"particle {particle + 1}: expected the colour of its decay to {decay}; got {got}"


def _daughters(batch: EventBatch, event: int, particle: int) -> NDArray[np.intp]:
    return np.flatnonzero((batch.mothers[event, :, 0] == particle + 1) & batch.used[event])


SENTENCES: Mapping[str, Callable[[EventBatch, int, int], str]] = {
    "finite": _not_finite,
    "unused": _unused,
    "status": _status,
    "mothers": _mothers,
    "mass_shell": _off_shell,
    "conservation": _not_conserved,
    "daughters": _not_its_daughters,
    "colour": _colours,
    "decay_colour": _not_the_colour_of_its_decay,
}
