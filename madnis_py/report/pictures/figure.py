"""Figures of the page: a picture, what it shows, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A picture with its words.

    Attributes:
        title: what it shows, as HTML.
        svg: the picture.
        note: how to read it, as HTML; nothing where the title says it.
    """

    title: str
    svg: str
    note: str = ""
