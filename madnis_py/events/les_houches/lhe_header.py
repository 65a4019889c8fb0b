"""The <header> of a Les Houches file: blocks of text, and the declarations of weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from madnis_py.errors import InputError
from madnis_py.events.les_houches import xml_text
from madnis_py.events.les_houches.weight_groups import (
    DECLARATIONS,
    WeightGroup,
    declared_groups,
    weight_declarations,
)

WHERE = "LHE header"

CARD_BLOCK = "madnis_py_card"
"""Element of files of ours with the card of the run."""

SLHA_BLOCK = "slha"
"""Element with new particles and their decays, which Pythia reads."""


@dataclass(frozen=True)
class LheHeader:
    """The content of a <header> without the weight groups.

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
        xml = ""
        for name, text in blocks.items():
            content = xml_text.escaped(f"{WHERE}: {name}", text)
            xml += f"<{xml_text.name(WHERE, name)}>{content}</{name}>\n"
        return cls(xml)

    @property
    def blocks(self) -> dict[str, str]:
        """Element name -> text."""
        return {
            found.name: xml_text.unescaped(found.content) for found in xml_text.elements(self.xml)
        }

    def element(self, weight_groups: Iterable[WeightGroup]) -> str:
        """The whole element, a line of its own."""
        return f"<header>\n{self.xml}{weight_declarations(weight_groups)}</header>\n"

    @classmethod
    def parse(cls, content: str) -> tuple[Self, tuple[WeightGroup, ...]]:
        """The header and the weight groups in the text between <header> and </header>.

        Raises:
            InputError: the weight groups are no XML, do not end or have no identifiers.
        """
        inside = list(xml_text.elements(content))
        if f"<{DECLARATIONS}" in xml_text.outside(content, inside):
            raise InputError(f"<{DECLARATIONS}>: expected its end; got that of the header")
        declared = [found for found in inside if found.name == DECLARATIONS]
        groups = [
            group
            for found in declared
            for group in declared_groups(content[found.begin : found.end])
        ]
        xml = "".join(_without(content, declared)).removeprefix("\n")
        return cls(xml if xml.endswith("\n") or not xml.strip() else f"{xml}\n"), tuple(groups)


def _without(text: str, elements: Iterable[xml_text.Element]) -> Iterator[str]:
    """A text without some elements of it, and without the lines that are empty then."""
    at = 0
    for element in elements:
        yield text[at : element.begin]
        line_end = text.find("\n", element.end) + 1
        at = line_end if line_end and not text[element.end : line_end].strip() else element.end
    yield text[at:]
