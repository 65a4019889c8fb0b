"""Text in XML: escaping, refusal of what XML cannot hold, and elements of texts that are no XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr, unescape

from madnis_py.errors import InputError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
ATTRIBUTE = re.compile(r"""(?<![\w.:-])([A-Za-z_][\w.:-]*+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
TAG = re.compile(r"<!--|<!\[CDATA\[|<(/?)([A-Za-z_][\w.:-]*+)((?:[\s/][^<>]*+)?)>")
"""A tag, or the beginning of text in which tags have no meaning. No part can match in two ways, so
that the time is linear."""

VERBATIM = {"<!--": "-->", "<![CDATA[": "]]>"}
"""Beginning -> end of text in which tags have no meaning."""

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(where: str, text: str) -> str:
    """Text as the content of an element; a reader gets it back verbatim.

    Args:
        where: what the text is, for the message.
        text: any characters that XML allows.

    Raises:
        InputError: there is another character.
    """
    return escape(_allowed(where, text), {"\r": "&#13;"})


def name(where: str, text: str) -> str:
    """The name of an element or attribute.

    Raises:
        InputError: XML does not allow it.
    """
    if not NAME.fullmatch(text):
        raise InputError(
            f"{where}: expected a block name of letters, digits, '_', '.', '-'; got {text!r}"
        )
    return text


def attributes(where: str, values: Mapping[str, str]) -> str:
    """Attributes of an element, each with a space before it.

    Raises:
        InputError: XML does not allow a name or a value.
    """
    return "".join(
        f" {name(where, key)}={quoteattr(_allowed(where, value))}" for key, value in values.items()
    )


def _allowed(where: str, text: str) -> str:
    if bad := NOT_XML.search(text):
        raise InputError(
            f"{where}: character {bad.start()} is {bad.group()!r}, which XML cannot hold"
        )
    return text


def unescaped(text: str) -> str:
    """The content of an element as it was before `escaped`, or inside <![CDATA[...]]>."""
    bare = text.strip()
    if bare.startswith("<![CDATA[") and bare.endswith("]]>"):
        return bare[9:-3]
    return unescape(text, {"&#13;": "\r", "&quot;": '"', "&apos;": "'"})


def parsed_attributes(text: str) -> dict[str, str]:
    """Attributes of an element, a="1" b='2'."""
    return {match[1]: unescaped(match[2] or match[3] or "") for match in ATTRIBUTE.finditer(text)}


@dataclass(frozen=True)
class Element:
    """An element of a text.

    Attributes:
        name: name of its tag.
        attributes: text behind the name; see `parsed_attributes`.
        content: text between its tags.
        begin: where its first tag begins in the text.
        end: where its last tag ends.
    """

    name: str
    attributes: str
    content: str
    begin: int
    end: int


def elements(text: str) -> Iterator[Element]:
    """The outermost elements of a text that need be no XML, in linear time.

    Tags in comments and CDATA sections are none, and neither are tags that nothing closes, such as
    "pt <b> 20".
    """
    tags = list(_tags(text))
    last_closed = {tag[2]: tag.start() for tag in tags if tag[1]}
    opened: re.Match[str] | None = None
    for tag in tags:
        closes, name, attributes = tag.groups()
        if opened is not None:
            if closes and name == opened[2]:
                content = text[opened.end() : tag.start()]
                yield Element(name, opened[3], content, opened.start(), tag.end())
                opened = None
        elif not closes and attributes.endswith("/"):
            yield Element(name, attributes.removesuffix("/"), "", tag.start(), tag.end())
        elif not closes and last_closed.get(name, -1) > tag.start():
            opened = tag


def _tags(text: str) -> Iterator[re.Match[str]]:
    last = {opening: text.rfind(closing) for opening, closing in VERBATIM.items()}
    at = 0
    while found := TAG.search(text, at):
        at = found.end()
        if found[0] not in VERBATIM:
            yield found
        elif at <= last[found[0]]:
            at = text.index(VERBATIM[found[0]], at) + 3


def outside(text: str, inside: Iterable[Element]) -> str:
    """A text without some elements of it, and without comments."""
    parts, at = [], 0
    for element in inside:
        parts.append(text[at : element.begin])
        at = element.end
    text = "".join([*parts, text[at:]])
    parts, at, last = [], 0, text.rfind("-->")
    while 0 <= (begin := text.find("<!--", at)) < last - 3:
        parts.append(text[at:begin])
        at = text.index("-->", begin + 4) + 3
    return "".join([*parts, text[at:]])
