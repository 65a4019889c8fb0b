"""Tables for notebooks, as HTML without styles of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_table(
    title: str, rows: Iterable[Sequence[object]], header: Sequence[object] | None = None
) -> str:
    """A table with a caption; every cell is shown as text.

    Args:
        title: above the table.
        rows: cells of each row.
        header: names of the columns, if they have any.
    """
    head = f"<thead>{_row(header, 'th')}</thead>" if header is not None else ""
    body = "".join(_row(row, "td") for row in rows)
    return f"<table><caption>{escape(title)}</caption>{head}<tbody>{body}</tbody></table>"


def _row(cells: Sequence[object], kind: str) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(str(cell))}</{kind}>" for cell in cells) + "</tr>"
