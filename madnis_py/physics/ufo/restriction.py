"""Restrictions of a model: a param_card whose zeros, ones and equal values stay what they are.

The rules are MadGraph's: external parameters that are 0 or 1 become numbers, those of one block
with equal or opposite values become one parameter; widths may be 1 or equal. The value 1e-105
stands for a zero, and 0.9999999 for a one, that stay parameters. All other values become defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from madnis_py.physics.model.particles import DECAY, FixedEntry
from madnis_py.physics.model.slha import Slha
from madnis_py.physics.ufo.ufo_rows import UfoParameter

_KEPT: Mapping[float, float] = {0.000001e-99: 0.0, 9.999999e-1: 1.0}
"""Values that stand for others which are not restricted."""


@dataclass(frozen=True)
class Restriction:
    """What a restriction does to the external parameters of a model.

    Attributes:
        defaults: name -> value, of all of them.
        expressions: name -> number or other parameter, of those that are fixed.
        entries: places of those that are fixed, for param_cards that contradict.
        drops_zeros: whether couplings that are zero drop their vertices for good.
    """

    defaults: Mapping[str, float]
    expressions: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[FixedEntry, ...] = ()
    drops_zeros: bool = False


def unrestricted(parameters: Iterable[UfoParameter]) -> Restriction:
    """The model as it is."""
    return Restriction({one.name: one.value for one in parameters if one.value is not None})


def restricted(parameters: Iterable[UfoParameter], card: Slha) -> Restriction:
    """The restriction by a param_card.

    Args:
        parameters: of the model, external ones and others.
        card: entries that it lacks have the value of the model.

    Raises:
        CardError: an entry is no number.
    """
    external = [one for one in parameters if one.value is not None]
    values: dict[str, float] = {}
    for one in external:
        given = card.value(one.block, *one.code)
        values[one.name] = one.value if given is None else given  # type: ignore[assignment]
    expressions: dict[str, str] = {}
    leaders: dict[tuple[str, float], str] = {}
    for one in external:
        value = values[one.name]
        if value == 0 or (value == 1 and one.block != DECAY):
            expressions[one.name] = f"{value:.0f}"
        elif value in _KEPT:
            values[one.name] = _KEPT[value]
        elif one.block != DECAY:
            leader = leaders.get((one.block, value))
            opposite = leaders.get((one.block, -value))
            if leader is None and opposite is None:
                leaders[one.block, value] = one.name
            else:
                expressions[one.name] = leader if leader is not None else f"-{opposite}"
    entries = tuple(
        FixedEntry(one.block, one.code, expressions[one.name])
        for one in external
        if one.name in expressions
    )
    return Restriction(values, expressions, entries, drops_zeros=True)
