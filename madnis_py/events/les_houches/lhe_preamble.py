"""The preamble of a Les Houches file, which precedes the events: found in a text, read, written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from madnis_py.errors import InputError
from madnis_py.events.les_houches.lhe_header import LheHeader
from madnis_py.events.les_houches.lhe_init import LheInit

MOST_TEXT = 1 << 25
"""Bytes that may precede the events, 32 MiB; headers with thousands of weights have a hundredth."""

ROOT_WITHIN = 1 << 22
"""Bytes that may precede <LesHouchesEvents>, 4 MiB; a longer text is no Les Houches file."""

TAG = re.compile(rb"<!--|<!\[CDATA\[|<(/?)(LesHouchesEvents|header|init|event)(?=[\s/>])")
"""A tag of the frame of a file, or the beginning of text in which tags have no meaning."""

VERBATIM = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
"""Beginning -> end of text in which tags have no meaning."""

ANGLE = re.compile(rb"[<>]")

MEANT = {
    b"": (b"<LesHouchesEvents",),
    b"LesHouchesEvents": (b"<header", b"<init", b"<event", b"</LesHouchesEvents"),
    b"header": (b"</header",),
    b"init": (b"</init",),
}
"""Element -> tags that have a meaning in it; others are text."""


@dataclass(frozen=True)
class Preamble:
    """All of a file that precedes the events.

    Attributes:
        header: blocks of text.
        init: beams, processes and weight groups.
        left_out: what the text of <init> had beside them, in words.
    """

    header: LheHeader
    init: LheInit
    left_out: frozenset[str] = frozenset()

    def __str__(self) -> str:
        header = self.header.element(self.init.weight_groups)
        return f'<LesHouchesEvents version="3.0">\n{header}<init>\n{self.init}\n</init>\n'

    @classmethod
    def parse(cls, content: bytes) -> tuple[Self, int] | None:
        """The preamble of a file and where it ends; None if the content ends before it.

        What other programs put beside <header> becomes a part of it. Tags in comments and CDATA
        sections are none.

        Args:
            content: bytes from the beginning of a file.

        Raises:
            InputError: this is no Les Houches file, <init> has not the numbers that it should, or
                the preamble is too long.
        """
        places = _places(content)
        if places is None:
            if len(content) > MOST_TEXT:
                raise InputError(
                    f"expected the events within {MOST_TEXT >> 20} MiB; got more text before them"
                )
            return None
        header, groups = LheHeader.parse("".join(_text(content, place) for place in places.header))
        init, left_out = LheInit.parse(_text(content, places.init), groups)
        return cls(header, init, frozenset(left_out)), places.end


@dataclass(frozen=True)
class _Place:
    """Where a part of a preamble begins and ends; whether it lies outside of <header>."""

    begin: int
    end: int
    beside_header: bool = False


@dataclass(frozen=True)
class _Places:
    """Where the parts of a preamble stand."""

    header: tuple[_Place, ...]
    init: _Place
    end: int


def _places(content: bytes) -> _Places | None:
    """The parts of a preamble, in one pass; None if a part does not end."""
    header: list[_Place] = []
    within = b""  # the element in which the next tag lies
    at, mark = 0, 0  # how far the content is read, and where that of the element begins
    while tag := TAG.search(content, at):
        at = tag.end()
        if tag[0] in VERBATIM:
            at = content.find(VERBATIM[tag[0]], at) + 3
            if at < 3:
                return None
        elif tag[0] in MEANT[within]:
            end = ANGLE.search(content, at)
            if end is None:
                return None
            if end[0] == b"<":
                raise InputError(f"expected the end of the tag {tag[0].decode()}; got another tag")
            if tag[0] in (b"<event", b"</LesHouchesEvents"):
                raise InputError("expected <init> before the first event")
            place, at = _Place(mark, tag.start(), within == b"LesHouchesEvents"), end.end()
            if within == b"init":
                return _Places(tuple(header), place, at)
            header += [place] if within else []
            empty = content[end.start() - 1 : end.start()] == b"/"
            within, mark = (b"LesHouchesEvents" if tag[1] or empty else tag[2]), at
    if within == b"" and len(content) >= ROOT_WITHIN:
        raise InputError("expected a Les Houches file; got no <LesHouchesEvents>")
    return None


def _text(content: bytes, place: _Place) -> str:
    text = decoded(content[place.begin : place.end])
    return text.strip() if place.beside_header else text


def decoded(content: bytes) -> str:
    """Text of a file, in Latin-1 where it is not UTF-8."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")
