"""The notebooks of the documentation, run from the first cell to the last, outputs kept.

python scripts/run_notebooks.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "notebooks"
SECONDS = 120
"""Longest time of a cell."""


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook with new outputs.

    Args:
        path: of the notebook, which stays as it is.
        folder: where it runs, and where files that it writes go.

    Raises:
        CellExecutionError: a cell has failed.
    """
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=SECONDS, record_timing=False, resources=where).execute()
    return notebook


def main() -> None:
    """Run all, and write them with their outputs."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path)


if __name__ == "__main__":
    main()
