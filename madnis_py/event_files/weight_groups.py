"""What the variations of event weights stand for: <initrwgt> of the Les Houches format, arXiv:1405.1067."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from madnis_py.errors import InputError
from madnis_py.event_files.xml_text import attributes, escaped

WHERE = "LHE weights"
APOSTROPHE = {"'": "&apos;"}


@dataclass(frozen=True)
class NamedWeight:
    """One variation.

    Attributes:
        identifier: by which events name it. Pythia takes 1001 to 1009 for scale variations in MadGraph's order.
        text: what it is, for people.
        attributes: what it is, for programs: MUR and MUF as factors, PDF as LHAPDF number.
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
        name: of the group; weights of a group without one stand alone in the file.
        combine: how an uncertainty follows from them: "envelope", "gaussian", "hessian", "unknown", or "" for not said.
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
        given = {"name": self.name} | ({"combine": self.combine} if self.combine else {}) | dict(self.attributes)
        return f"<weightgroup{attributes(WHERE, given)}>\n{weights}</weightgroup>\n"


def weight_declarations(groups: Iterable[WeightGroup]) -> str:
    """The <initrwgt> element of groups, nothing if there are none.

    Raises:
        InputError: a name or text has a character that XML cannot hold.
    """
    content = "".join(map(str, groups))
    return f"<initrwgt>\n{content}</initrwgt>\n" if content else ""


def identifiers(groups: Iterable[WeightGroup]) -> tuple[str, ...]:
    """How events name their variations, in the order of the columns.

    Raises:
        InputError: one is empty or comes twice.
    """
    found = tuple(weight.identifier for group in groups for weight in group.weights)
    if not all(found) or len(set(found)) < len(found):
        raise InputError(f"{WHERE}: expected different identifiers; got {list(found)}")
    return found


def weight_tags(groups: Iterable[WeightGroup]) -> list[str]:
    """What stands before the value of each variation in an event."""
    return [f"<wgt id='{escape(one, APOSTROPHE)}'> " for one in identifiers(groups)]
