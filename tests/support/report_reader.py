"""What is on a page of HTML: its elements, texts, numbers and addresses, without a browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br", "img", "hr", "link", "input"}


@dataclass
class ReadPage(HTMLParser):
    """A page of HTML that was read; every element that was opened has to be closed in its order.

    Attributes:
        data: key -> value of its `data` elements.
        links: where they lead.
        headings: texts of h1 and h2.
        figures: titles.
        anchors: ids of elements.
        attributes: all that occur, as (element, name, value).
        text: of the whole page, without style.
    """

    data: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: str) -> ReadPage:
        """Read a page."""
        found = cls()
        HTMLParser.__init__(found)
        found.feed(page)
        found.close()
        assert not found._open, f"not closed: {found._open}"
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if tag == "data":
            self.data[given["data-key"]] = given["value"]
        if tag == "a":
            self.links.append(given["href"])
        if "id" in given:
            self.anchors.append(given["id"])
        if tag in ("h1", "h2"):
            self.headings.append("")
        if tag == "figcaption":
            self.figures.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> without a beginning"
        assert self._open[-1] == tag, f"</{tag}> inside of <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if self._open and self._open[-1] in ("h1", "h2"):
            self.headings[-1] += data
        if "figcaption" in self._open:
            self.figures[-1] += data


def entry(record: Any, key: str) -> Any:
    """The entry of run.json that a key like "unweighting.efficiency" means."""
    for part in key.split("."):
        record = record[part]
    return record
