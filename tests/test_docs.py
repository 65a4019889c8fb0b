"""What the documents say is true."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

DOCS = ROOT / "docs"
PAGES = [
    page
    for folder in (ROOT, DOCS, ROOT / "benchmarks")
    for page in sorted(folder.glob("*.md"))
    if page.name != "architecture.md"
]
WIDTH = 100
"""Columns of prose; tables, code and links that stand alone cannot be broken and may be wider."""


def test_the_process_that_is_followed_by_hand_gives_these_rows() -> None:
    failed, attempted = doctest.testfile(str(DOCS / "amplitudes.md"), module_relative=False)
    assert attempted > 10
    assert failed == 0


def test_the_event_files_that_are_written_by_hand_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testfile(str(DOCS / "formats.md"), module_relative=False)
    assert attempted > 10
    assert failed == 0


def test_the_examples_beside_vegas_run_as_printed() -> None:
    failed, attempted = doctest.testfile(str(DOCS / "vegas.md"), module_relative=False)
    assert attempted > 10
    assert failed == 0


def test_the_matrix_element_in_python_that_is_shown_gives_these_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    failed, attempted = doctest.testfile(str(DOCS / "matrix_elements.md"), module_relative=False)
    assert attempted > 5
    assert failed == 0


@pytest.mark.parametrize("document", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_files_that_documents_link_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
        assert (DOCS / target).exists(), target


def _prose(page: str) -> Iterator[tuple[int, str]]:
    """Lines of a page with their numbers, without fenced and indented code, tables and links that stand alone."""
    fenced = in_paragraph = False
    for number, line in enumerate(page.splitlines(), start=1):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        indented = line.startswith("    ") and not in_paragraph
        in_paragraph = bool(line.strip()) and not (fence or fenced or indented)
        if in_paragraph and not re.fullmatch(
            r"\|.*\|| *(- )?(!?\[[^]]*\]\(\S+\)|<?http\S+>?)", line
        ):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_prose_of_documents_has_at_most_a_hundred_columns(page: Path) -> None:
    lines = [(number, len(line)) for number, line in _prose(page.read_text())]
    assert [
        f"{page.name}:{number}: {columns}" for number, columns in lines if columns > WIDTH
    ] == []


@pytest.mark.parametrize(
    ("page", "numbers"),
    [
        ("one\n\ntwo\n", [1, 3]),
        ("one\n\n    code\n\n    code\ntwo\n", [1, 6]),
        ("- one\n    goes on\n", [1, 2]),
        ("```\ncode\n\ncode\n```\none\n", [6]),
        ("| a | b |\n|M|^2 is prose\n", [2]),
        ("![a picture](docs/figures/a.svg)\nhttps://example.org/a\n[a](b) and c\n", [3]),
    ],
)
def test_prose_is_what_is_neither_code_nor_table_nor_link(page: str, numbers: list[int]) -> None:
    assert [number for number, _ in _prose(page)] == numbers
