"""Text in XML: escaped, refused where XML cannot hold it, and read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr, unescape

from madnis_py.errors import InputError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
ATTRIBUTE = re.compile(r"""([A-Za-z_][\w.:-]*)\s*=\s*(["'])(.*?)\2""", re.DOTALL)
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
        raise InputError(f"{where}: expected a block name of letters, digits, '_', '.', '-'; got {text!r}")
    return text


def attributes(where: str, values: Mapping[str, str]) -> str:
    """Attributes of an element, each with a space before it.

    Raises:
        InputError: XML does not allow a name or a value.
    """
    return "".join(f" {name(where, key)}={quoteattr(_allowed(where, value))}" for key, value in values.items())


def _allowed(where: str, text: str) -> str:
    if bad := NOT_XML.search(text):
        raise InputError(f"{where}: character {bad.start()} is {bad.group()!r}, which XML cannot hold")
    return text


def unescaped(text: str) -> str:
    """The content of an element as it was before `escaped`, or inside <![CDATA[...]]>."""
    bare = text.strip()
    if bare.startswith("<![CDATA[") and bare.endswith("]]>"):
        return bare[9:-3]
    return unescape(text, {"&#13;": "\r", "&quot;": '"', "&apos;": "'"})


def parsed_attributes(text: str) -> dict[str, str]:
    """Attributes of an element, a="1" b='2'."""
    return {match[1]: unescaped(match[3]) for match in ATTRIBUTE.finditer(text)}
