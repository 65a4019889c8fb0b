"""Groups of variations of event weights: <initrwgt> of the Les Houches format, arXiv:1405.1067."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from madnis_py.errors import InputError
from madnis_py.events.les_houches.xml_text import attributes, escaped

WHERE = "LHE weights"
"""Beginning of messages."""

DECLARATIONS = "initrwgt"
"""Element that declares the groups."""

APOSTROPHE = {"'": "&apos;"}

MOST_WEIGHTS = 1 << 16
"""Variations that a file may have."""

PARTS = "sum"
"""`WeightGroup.combine` of weights whose sum is the weight of the event: no uncertainty."""

STRAY = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)"
    r"|<(?!/?(?:initrwgt|weightgroup|weight)\b|!)"
)
"""Characters & and < that are text although XML would not allow them, as in "pt < 1 && x"."""


@dataclass(frozen=True)
class NamedWeight:
    """One variation.

    Attributes:
        identifier: name of the variation in events. Pythia takes 1001 to 1009 for scale variations
            in MadGraph's order.
        text: description for people.
        attributes: description for programs: MUR and MUF as factors, PDF as LHAPDF number.
    """

    identifier: str
    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        given = attributes(WHERE, {"id": self.identifier, **self.attributes})
        return f"<weight{given}>{escaped(WHERE, self.text)}</weight>\n"


@dataclass(frozen=True)
class WeightGroup:
    """Variations that belong together.

    Attributes:
        name: name of the group; weights of a group without one stand alone in the file.
        combine: how an uncertainty follows from them: "envelope", "gaussian", "hessian", "unknown",
            or "" for not said; `PARTS` of weights that are none.
        weights: the variations; those of all groups, one group after the other, are the columns of
            `EventBatch.variations`.
        attributes: further ones of the group.
    """

    name: str
    combine: str
    weights: tuple[NamedWeight, ...]
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        weights = "".join(map(str, self.weights))
        if not self.name:
            return weights
        combine = {"combine": self.combine} if self.combine else {}
        given = {"name": self.name, **combine, **self.attributes}
        return f"<weightgroup{attributes(WHERE, given)}>\n{weights}</weightgroup>\n"


def weight_declarations(groups: Iterable[WeightGroup]) -> str:
    """The <initrwgt> element of groups, nothing if there are none.

    Raises:
        InputError: a name or text has a character that XML cannot hold.
    """
    content = "".join(map(str, groups))
    return f"<initrwgt>\n{content}</initrwgt>\n" if content else ""


def identifiers(groups: Iterable[WeightGroup]) -> tuple[str, ...]:
    """Identifiers of the variations, by which events name them, in the order of the columns.

    Raises:
        InputError: one is empty or comes twice, or there are too many.
    """
    found = tuple(weight.identifier for group in groups for weight in group.weights)
    if len(found) > MOST_WEIGHTS:
        raise InputError(f"{WHERE}: expected at most {MOST_WEIGHTS}; got {len(found)}")
    if bad := [one for one, times in Counter(found).items() if times > 1 or not one]:
        raise InputError(
            f"{WHERE}: expected different identifiers that are not empty; got {bad[:3]}"
        )
    return found


def weight_tags(groups: Iterable[WeightGroup]) -> list[str]:
    """Tags that stand before the value of each variation in an event."""
    return [f"<wgt id='{escape(one, APOSTROPHE)}'> " for one in identifiers(groups)]


def declared_groups(text: str) -> tuple[WeightGroup, ...]:
    """The groups of an <initrwgt> element.

    Raises:
        InputError: its tags do not match, or a weight has no identifier.
    """
    try:
        root = ET.fromstring(STRAY.sub(lambda sign: escape(sign[0]), text))
    except ET.ParseError as error:
        raise InputError(f"<initrwgt>: expected XML; got: {error}") from None
    groups = []
    for element in root:
        if element.tag == "weight":  # it belongs to no group
            groups.append(WeightGroup("", "", (_named_weight(element),)))
            continue
        given, weights = dict(element.attrib), tuple(map(_named_weight, element))
        name = given.pop("name", None) or given.pop("type", "")
        groups.append(WeightGroup(name, given.pop("combine", ""), weights, given))
    return tuple(groups)


def _named_weight(element: ET.Element) -> NamedWeight:
    given = dict(element.attrib)
    if "id" not in given:
        raise InputError(
            f"<initrwgt>: expected an id of every weight; got <{element.tag}> with {given}"
        )
    return NamedWeight(given.pop("id"), element.text or "", given)
