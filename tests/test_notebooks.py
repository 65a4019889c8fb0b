"""The notebooks of the documentation run from the first cell to the last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
from notebook_pages import write_notebook_page
from run_notebooks import FOLDER, executed

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
IN_A_KERNEL = ("events",)
"""Notebooks that run as people run them by default; --slow has all."""


def name(path: Path) -> str:
    return path.stem


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of its own, one thread, and pictures that need no screen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parents[1]), prepend=os.pathsep)
    with mpl.rc_context({"backend": "agg"}):
        yield


def run_in_a_kernel(path: Path, folder: Path) -> None:
    cells = [cell for cell in executed(path, folder).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)


@pytest.mark.parametrize("path", [one for one in NOTEBOOKS if one.stem in IN_A_KERNEL], ids=name)
def test_a_notebook_runs_in_a_kernel(path: Path, tmp_path: Path) -> None:
    run_in_a_kernel(path, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [one for one in NOTEBOOKS if one.stem not in IN_A_KERNEL], ids=name
)
def test_the_others_run_in_a_kernel(path: Path, tmp_path: Path) -> None:
    run_in_a_kernel(path, tmp_path)


@pytest.mark.parametrize(
    "path", [one for one in NOTEBOOKS if one.stem not in IN_A_KERNEL], ids=name
)
def test_the_cells_of_a_notebook_run(path: Path) -> None:
    from matplotlib import pyplot

    scope: dict[str, object] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, path.name, "exec"), scope)
    assert pyplot.get_fignums()
    pyplot.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_a_notebook_is_kept_with_its_outputs_as_a_page(path: Path, tmp_path: Path) -> None:
    notebook = tmp_path / path.name
    notebook.write_bytes(path.read_bytes())
    assert notebook.stat().st_size < 200_000
    page = write_notebook_page(notebook).read_text()
    assert "```text\n" in page
    pictures = list(tmp_path.glob("*.png"))
    assert pictures
    assert all(f"({picture.name})" in page for picture in pictures)
