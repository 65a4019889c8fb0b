"""Names of observables in [cuts] and [histograms], and the particles that each of them takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from madnis_py.card.cut_tables import CutTable
from madnis_py.card.sentences import closest, shown

EVENT = "event"
"""The name in [cuts] that means the whole final state."""

_SINGLE = ("pt", "eta", "rapidity", "energy", "partonic_energy", "sfos_mass")
_PAIR = ("dr", "deta", "dy", "dphi", "eta_product")
_TOGETHER = ("system_mass", "system_pt")
"""Observables of all particles that one name means."""
_WHOLE = ("missing_pt", "sqrt_s")


def _wanted(observable: str, names: str) -> str | None:
    """What a cut has to be on; None if it is."""
    count = len(names.split(","))
    if names != EVENT and EVENT in (part.strip() for part in names.split(",")):
        return f'"{EVENT}" alone'
    if observable in _WHOLE:
        return None if names == EVENT else f'"{EVENT}"'
    if observable in ("ht", "sfos_mass", *_TOGETHER) and count == 1 and "[" in names:
        return "a name without a rank"
    if observable in _TOGETHER:
        return None if count == 1 else f'one particle, class or "{EVENT}"'
    if observable in _SINGLE:
        return None if count == 1 and names != EVENT else "one particle or class"
    if observable == "ht":
        return None
    return None if count == 2 or (count > 2 and observable not in _PAIR) else 'a pair like "e+,e-"'


def check_cut(names: str, table: CutTable) -> None:
    """Raise a ValueError if `names` cannot have such a cut, or if a range of it is empty."""
    if table.isolation is not None and ({",", "["} & set(names) or names == EVENT):
        raise ValueError(f"expected one name without a rank for isolation; got {shown(names)}")
    for observable, (minimum, maximum) in table.ranges().items():
        wanted = _wanted(observable, names)
        if wanted is not None:
            raise ValueError(f"expected {wanted} for a cut on {observable}; got {shown(names)}")
        if minimum > maximum:
            raise ValueError(
                f"expected {observable}_min <= {observable}_max; got {minimum:g} and {maximum:g}"
            )


_MEASURED: Mapping[str, tuple[int, float]] = {
    "pt": (1, math.inf),
    "eta": (1, math.inf),
    "rapidity": (1, math.inf),
    "phi": (1, math.inf),
    "energy": (1, math.inf),
    "partonic_energy": (1, math.inf),
    "mass": (2, math.inf),
    "pt_sum": (2, math.inf),
    **dict.fromkeys(_PAIR, (2, 2)),
    "ht": (1, math.inf),
    "sfos_mass": (1, 1),
    **dict.fromkeys(_TOGETHER, (1, 1)),
    "missing_pt": (1, 1),
    "sqrt_s": (1, 1),
}
"""Least and largest number of names that an observable of [histograms] takes."""

_OF_EVENT = ("ht", "sqrt_s", "missing_pt")
_ALSO_OF_EVENT = ("rapidity", "energy", *_TOGETHER)


def read_observable(text: str) -> tuple[str, tuple[str, ...]]:
    """Kind and particles of an observable of [histograms].

    "mass(e+, e-)" -> ("mass", ("e+", "e-")).

    Raises:
        ValueError: it is unknown, or takes other particles; the message says what was expected and
            what came.
    """
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\)\s*)?", text)
    if not found or (found[2] is None and found[1] not in _OF_EVENT):
        raise ValueError(
            f'expected an observable like "pt(jet[1])" or "mass(e+,e-)"; got {shown(text)}'
        )
    kind, names = found[1], tuple(name.strip() for name in (found[2] or EVENT).split(","))
    if kind not in _MEASURED:
        raise ValueError(f"unknown observable {shown(kind)}{closest(kind, _MEASURED)}")
    wanted = _wanted_names(kind, names)
    if wanted is not None:
        raise ValueError(f"expected {wanted} for {kind}; got {shown(text)}")
    return kind, names


def _wanted_names(kind: str, names: tuple[str, ...]) -> str | None:
    """What an observable has to be of; None if it is."""
    least, most = _MEASURED[kind]
    if not least <= len(names) <= most or "" in names:
        return (
            "one name"
            if most == 1
            else "two names"
            if most == 2
            else f"at least {least} name{'s' * (least > 1)}"
        )
    if kind in ("sqrt_s", "missing_pt"):
        return None if names == (EVENT,) else f'"{EVENT}"'
    if kind in ("ht", "sfos_mass", *_TOGETHER) and len(names) == 1 and "[" in names[0]:
        return "a name without a rank"
    if EVENT in names and (len(names) > 1 or kind not in (*_OF_EVENT, *_ALSO_OF_EVENT)):
        return "particles or classes"
    return None
