"""What the documents say is true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_process_that_is_followed_by_hand_gives_these_rows() -> None:
    failed, attempted = doctest.testfile(str(DOCS / "amplitudes.md"), module_relative=False)
    assert attempted > 10
    assert failed == 0


def test_the_event_files_that_are_written_by_hand_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
