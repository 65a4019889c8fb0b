"""Tables that the command line prints, in terminals of any width and in files."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from madnis_py.cli import output

DEFINITION = "p p > t t~ j j, (t > w+ b, w+ > l+ vl), (t~ > w- b~, w- > j j) @2"
FIGURES = ("2.01534(13)e+03", "34.8 %", "1,000,000", "10.5 %")


def printed(table: Table, width: int, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `print_table` writes to a terminal of a width, or to a file."""
    text = StringIO()

    def console() -> Console:
        return Console(file=text, width=width, force_terminal=terminal, color_system=None)

    monkeypatch.setattr(output, "console", console)
    output.print_table(table)
    return text.getvalue()


def table_of_processes() -> Table:
    table = Table(title="a sample")
    table.add_column("process")
    for column in ("sigma / pb", "share", "events", "efficiency"):
        table.add_column(column, justify="right")
    table.add_row(DEFINITION, *FIGURES)
    table.add_row("all", *FIGURES)
    return table


def words(text: str) -> list[str]:
    """What is in a column of words, without frames."""
    return re.findall(r"[\w~+,()>@-]+", text)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_terminal_is_too_narrow_for_figures(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(table_of_processes(), width, True, monkeypatch)
    assert "…" not in text
    for figure in (*FIGURES, "sigma / pb"):
        assert figure in text


@pytest.mark.parametrize("width", [60, 80])
def test_definitions_go_on_in_the_next_line(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = printed(table_of_processes(), width, True, monkeypatch)
    assert max(map(len, text.splitlines())) <= width
    found = words(text)
    for word in words(DEFINITION):
        assert word in found


def test_a_file_has_every_row_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = printed(table_of_processes(), 80, False, monkeypatch).splitlines()
    assert any(DEFINITION in row and all(figure in row for figure in FIGURES) for row in rows)
