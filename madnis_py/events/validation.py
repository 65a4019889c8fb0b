"""Validation of events: the rules that a shower needs, and the sentence that names a broken one.

Events come as the columns of `EventBatch`, name -> array.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.errors import GenerationError

Columns = Mapping[str, NDArray[Any]]

ON_SHELL = 1e-9
"""Relative distance of an energy from the mass shell up to which it counts as on it."""


def require_valid(events: Columns) -> None:
    """Refuse events that a shower cannot use; see `EventBatch.check`.

    Raises:
        GenerationError: names the first event that fails and why.
    """
    if fault := first_fault(events):
        raise GenerationError(f"event {fault[0]}: {fault[1]}")


def first_fault(events: Columns, on_shell: float = ON_SHELL) -> tuple[int, str] | None:
    """The first event that a shower cannot use, counted from 0, and why; None if there is none.

    Args:
        events: the events.
        on_shell: relative distance of energies from the mass shell that is allowed.
    """
    if fault := _core.event_fault(events, on_shell):
        event, rule, particle = fault
        return event, _sentence(
            {name: column[event] for name, column in events.items()}, rule, particle
        )
    return None


def _sentence(event: Columns, rule: str, particle: int) -> str:
    """The sentence on an event that breaks a rule, given by its part of each column.

    Args:
        event: the event.
        rule: a rule of the compiled check.
        particle: row of the particle that breaks it, for rules on single particles.
    """
    status, colour, momenta = event["status"].tolist(), event["colour"], event["momenta"]
    where = f"particle {particle + 1}: expected"
    daughters = (event["mothers"][:, 0] == particle + 1) & (event["status"] != 0)
    match rule:
        case "finite":
            name = next(name for name, part in event.items() if not np.isfinite(part).all())
            return f"{name} is not finite: {event[name].tolist()}"
        case "unused":
            return f"expected unused rows (status 0) at the end only; got status {status}"
        case "status":
            order = "one or two incoming particles (status -1), then outgoing and intermediate ones"
            return f"expected {order} (1, 2); got {status}"
        case "mothers":
            incoming = status.count(-1)
            allowed = f"the mothers 1 {incoming}, or an earlier intermediate particle"
            got = event["mothers"][particle].tolist()
            return f"{where} {'no mothers' if particle < incoming else allowed}; got {got}"
        case "mass_shell":
            energy, *momentum = momenta[particle].tolist()
            on_shell = hypot(*momentum, event["mass"][particle])
            return f"{where} E = sqrt(p^2 + m^2) = {on_shell}; got {energy}"
        case "conservation":
            sign = -event["status"] * (event["status"] != 2)  # incoming 1, outgoing -1
            missing = (sign[:, None] * momenta).sum(axis=0).tolist()
            return f"momentum is not conserved: incoming minus outgoing is {missing} GeV"
        case "daughters":
            total, got = momenta[daughters].sum(axis=0).tolist(), momenta[particle].tolist()
            return f"{where} the momentum of its daughters, {total}; got {got}"
        case "colour":
            return f"colour tags do not pair up: {colour.tolist()}"
        case "decay_colour":
            decay, got = colour[daughters].tolist(), colour[particle].tolist()
            return f"{where} the colour of its decay to {decay}; got {got}"
    raise AssertionError(f"a rule without a sentence: {rule}")
