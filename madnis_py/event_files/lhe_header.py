"""The <header> of a Les Houches file: blocks of text, and what the variations of weights stand for."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from madnis_py.errors import InputError
from madnis_py.event_files import xml_text
from madnis_py.event_files.weight_groups import NamedWeight, WeightGroup, weight_declarations

WHERE = "LHE header"
BLOCK = re.compile(r"<!--.*?-->|<([A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>(.*?)</\1\s*>", re.DOTALL)
WEIGHTS = re.compile(r"<initrwgt\b[^>]*>.*?</initrwgt\s*>[ \t]*\n?", re.DOTALL)


@dataclass(frozen=True)
class LheHeader:
    """What a <header> holds beside the weight groups.

    Attributes:
        xml: elements as they stand in the file; those of other programs need not be valid XML.
    """

    xml: str = ""

    @classmethod
    def of(cls, blocks: Mapping[str, str]) -> Self:
        """Elements of plain text.

        Args:
            blocks: element name -> text; a reader gets the text back verbatim.

        Raises:
            InputError: a block has a name or a character that XML does not allow.
        """
        return cls(
            "".join(
                f"<{xml_text.name(WHERE, name)}>{xml_text.escaped(f'{WHERE}: {name}', text)}</{name}>\n"
                for name, text in blocks.items()
            )
        )

    @property
    def blocks(self) -> dict[str, str]:
        """Element name -> text."""
        return {found[1]: xml_text.unescaped(found[2]) for found in BLOCK.finditer(self.xml) if found[1]}

    def element(self, weight_groups: Iterable[WeightGroup]) -> str:
        """The whole element, a line of its own."""
        return f"<header>\n{self.xml}{weight_declarations(weight_groups)}</header>\n"

    @classmethod
    def parse(cls, content: str) -> tuple[Self, tuple[WeightGroup, ...]]:
        """What stands between <header> and </header>.

        Raises:
            InputError: the weight groups are no XML or have no identifiers.
        """
        declared = WEIGHTS.search(content)
        groups = _weight_groups(declared[0]) if declared else ()
        xml = WEIGHTS.sub("", content, count=1).removeprefix("\n")
        return cls(xml if xml.endswith("\n") or not xml.strip() else f"{xml}\n"), groups


def _weight_groups(text: str) -> tuple[WeightGroup, ...]:
    try:
        return tuple(map(_weight_group, ET.fromstring(text)))
    except ET.ParseError as error:
        raise InputError(f"<initrwgt>: expected XML; got: {error}") from None


def _weight_group(element: ET.Element) -> WeightGroup:
    """A group, or a single weight that belongs to none."""
    if element.tag == "weight":
        return WeightGroup("", "", (_named_weight(element),))
    given = dict(element.attrib)
    name = given.pop("name", None) or given.pop("type", "")
    return WeightGroup(name, given.pop("combine", ""), tuple(map(_named_weight, element)), given)


def _named_weight(element: ET.Element) -> NamedWeight:
    given = dict(element.attrib)
    if "id" not in given:
        raise InputError(f"<initrwgt>: expected an id of every weight; got <{element.tag}> with {given}")
    return NamedWeight(given.pop("id"), element.text or "", given)
