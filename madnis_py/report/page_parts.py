"""Parts of the page: what its template asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup
from rich.table import Table

from madnis_py.report.pictures.figure import Figure


@dataclass(frozen=True)
class Fact:
    """A figure or setting at the top.

    Attributes:
        name: what it is.
        text: as people read it.
        key: of run.json, where it is from there.
        value: the number there.
    """

    name: str
    text: str
    key: str = ""
    value: str = ""


@dataclass(frozen=True)
class MainResult:
    """The cross section or width.

    Attributes:
        symbol: letter of it.
        value: the number in run.json.
        text: with its error.
        unit: of both.
    """

    symbol: str
    value: str
    text: str
    unit: str


@dataclass(frozen=True)
class Status:
    """What has to be known before anything else.

    Attributes:
        headline: in a few words.
        sentences: what happened and what to do.
        failed: whether something went wrong.
    """

    headline: str
    sentences: Sequence[str | Markup] = ()
    failed: bool = False


@dataclass(frozen=True)
class ShownWarning:
    """A warning.

    Attributes:
        about: stage or sampler.
        sentence: what was noticed.
        todo: what to do about it, as HTML; may be empty.
    """

    about: str
    sentence: str
    todo: Markup


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: of it.
        kind: classes of the page.
        link: where it leads.
        length: of a bar in per cent, in the place of the text.
    """

    text: str | Markup = ""
    kind: str = ""
    link: str = ""
    length: float | None = None


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        cells: of each column.
        ends: whether a part of the table ends here.
    """

    cells: Sequence[Cell]
    ends: bool = False


@dataclass(frozen=True)
class ShownTable:
    """A table.

    Attributes:
        head: names of the columns.
        rows: below them.
        caption: above it.
        folded: words to open it by; open without them.
    """

    head: Sequence[Cell]
    rows: Sequence[Row]
    caption: str = ""
    folded: str = ""

    @classmethod
    def of(cls, table: Table, folded: str = "") -> ShownTable:
        """A table of the terminal."""
        columns = [list(column.cells) for column in table.columns]
        kinds = ["right" if column.justify == "right" else "" for column in table.columns]
        head = [
            Cell(str(column.header), kind)
            for column, kind in zip(table.columns, kinds, strict=True)
        ]
        rows = [
            Row(
                [_cell(str(text), kind) for text, kind in zip(cells, kinds, strict=True)],
                row.end_section,
            )
            for cells, row in zip(zip(*columns, strict=True), table.rows, strict=True)
        ]
        return cls(head, rows, str(table.title or ""), folded)


def link_to_report(folder: str) -> str:
    """Address of the report of a run in a folder of the directory; nothing for other names."""
    return f"{folder}/report.html" if re.fullmatch(r"(process|point)_[0-9]+", folder) else ""


def _cell(text: str, kind: str) -> Cell:
    indented = "indented" if text.startswith("  ") else ""
    return Cell(text.strip(), " ".join(filter(None, (kind, indented))))


@dataclass(frozen=True)
class Key:
    """A colour and what it stands for.

    Attributes:
        colour: class of the page.
        text: its meaning.
        lined: whether it is the colour of a line, else that of an area.
    """

    colour: str
    text: str | Markup
    lined: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading.

    Attributes:
        name: of the anchor.
        title: heading.
        sentences: below it.
        warnings: a list of them.
        keys: meaning of colours, for all figures.
        figures: pictures.
        small_figures: more of them, of half the size.
        tables: below the figures.
        remarks: below the tables.
        text: as it is, such as the card.
    """

    name: str
    title: str
    sentences: Sequence[str | Markup] = ()
    warnings: Sequence[ShownWarning] = ()
    keys: Sequence[Key] = ()
    figures: Sequence[Figure] = ()
    small_figures: Sequence[Figure] = ()
    tables: Sequence[ShownTable] = ()
    remarks: Sequence[str | Markup] = ()
    text: str = ""


@dataclass(frozen=True)
class LivePart:
    """What a page has while it is served and the run goes on.

    Attributes:
        version: of the rest of the page.
        banner: what goes on.
        style: of the banner.
        script: brings the page up to date.
        pause: seconds after which a page without scripts is loaded again; None for never.
    """

    version: str
    banner: Markup
    style: Markup
    script: Markup
    pause: int | None


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Attributes:
        title: of the window.
        kind: what is reported: a run, a run of several processes, a scan.
        place: the directory.
        headings: the processes.
        result: cross section, if it is known.
        statuses: what has to be known first.
        facts: figures and settings.
        sections: all else.
        live: of a page that is served.
    """

    title: str
    kind: str
    place: str
    headings: Sequence[str]
    result: MainResult | None = None
    statuses: Sequence[Status] = ()
    facts: Sequence[Fact] = ()
    sections: Sequence[Section] = field(default=())
    live: LivePart | None = None
