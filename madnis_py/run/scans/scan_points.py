"""Points of a scan: a card for each combination of the values that a card lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from madnis_py.card.card import Card
from madnis_py.card.tables import ScanTable
from madnis_py.card.values import ScannedValue
from madnis_py.errors import CardError
from madnis_py.physics.model.slha import read_slha
from madnis_py.physics.model_search.card_model import tables_of_card

MOST_POINTS = 10_000
"""More combinations are a mistake."""

Lists = Mapping[str, tuple[ScannedValue, ...]]
"""Key of the card -> values, all of one length, that go together."""


@dataclass(frozen=True)
class ScanPoint:
    """One combination of values.

    Attributes:
        values: key of the card -> value.
        card: with these values, and without a scan.
    """

    values: Mapping[str, ScannedValue]
    card: Card

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value}" for key, value in self.values.items())


def scan_points(card: Card) -> tuple[ScanPoint, ...]:
    """The points of a card, in the order of its lists, the last one first.

    Lists are in the table [scan], or in the param_card as MadGraph has them: `scan:[...]` goes by
    itself, lists of `scan1:` go together. A parameter that the card gives is not scanned.

    Returns:
        the points; none for a card without lists.

    Raises:
        CardError: a key or a value cannot be used; names the place.
    """
    groups = [*_groups_of_table(card.scan or ScanTable()), *_groups_of_param_card(card)]
    if not groups:
        return ()
    places = [range(len(next(iter(group.values())))) for group in groups]
    if (total := prod(map(len, places))) > MOST_POINTS:
        raise card.error("scan", f"expected at most {MOST_POINTS:,} points; got {total:,}")
    return tuple(_point(card, groups, chosen) for chosen in product(*places))


def _groups_of_table(table: ScanTable) -> Iterator[Lists]:
    if table.combine == "zip" and table.lists:
        yield table.lists
    elif table.combine == "product":
        for key, values in table.lists.items():
            yield {key: values}


def _groups_of_param_card(card: Card) -> Iterator[Lists]:
    """Lists of the param_card, by groups."""
    if card.parameters.param_card is None:
        return
    slha = read_slha(Path(card.parameters.param_card))
    scans = slha.scans
    if not scans:
        return
    parameters = tables_of_card(card).by_place
    groups: dict[object, dict[str, tuple[ScannedValue, ...]]] = {}
    for (block, code), scan in scans.items():
        place = f"{slha.source}: {block} {' '.join(map(str, code))}"
        parameter = parameters.get((block, code))
        if parameter is None:
            expected = f"expected a parameter of model {card.process.model} to scan"
            raise CardError(f"{place}: {expected}; got another entry")
        if parameter.name in card.parameters.overrides:
            continue
        group = groups.setdefault(scan.group or (block, code), {})
        group[f"parameters.{parameter.name}"] = scan.values
        if len({len(values) for values in group.values()}) > 1:
            got = f"got {len(scan.values)} values in one of them"
            raise CardError(f"{place}: expected lists of scan{scan.group} of one length; {got}")
    yield from groups.values()


def _point(card: Card, groups: list[Lists], places: tuple[int, ...]) -> ScanPoint:
    values: dict[str, ScannedValue] = {}
    for group, place in zip(groups, places, strict=True):
        for key, of_key in group.items():
            if key in values:
                raise card.error("scan", f'expected "{key}" once; got two lists')
            values[key] = of_key[place]
    content = card.content()
    content.pop("scan", None)
    for key, value in values.items():
        _set(content, key, value)
    return ScanPoint(values, Card.parse(content, card.source))


def _set(content: dict[str, Any], key: str, value: ScannedValue) -> None:
    """Put a value where its key belongs: a key of a table, or of an entry of [cuts]."""
    table, _, name = key.partition(".")
    inside = content.setdefault(table, {})
    if table == "cuts" and "." in name:
        names, _, name = name.rpartition(".")
        inside = inside.setdefault(names.strip("\"'"), {})
    both = key == "beams.energy" and not isinstance(value, tuple)
    inside[name] = [value, value] if both else list(value) if isinstance(value, tuple) else value


def has_a_scan(card: Card) -> bool:
    """Whether a card, or its param_card, lists values to go through.

    Raises:
        CardError: the param_card cannot be read.
    """
    return card.scan is not None or any(_groups_of_param_card(card))
