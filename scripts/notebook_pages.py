"""Notebooks as pages in Markdown, with the outputs that they have."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Piece = Mapping[str, Any]
"""A cell or an output of a notebook."""


def write_notebook_page(notebook: Path) -> Path:
    """Write the page of a notebook and its pictures beside it; returns the page."""
    cells = json.loads(notebook.read_text())["cells"]
    page = notebook.with_suffix(".md")
    parts = [part for number, cell in enumerate(cells) for part in _parts(cell, number, page)]
    page.write_text("\n\n".join(parts) + "\n")
    return page


def _parts(cell: Piece, number: int, page: Path) -> Iterator[str]:
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield text
        return
    yield f"```python\n{text}\n```"
    for place, output in enumerate(cell["outputs"]):
        yield _shown(output, page.with_name(f"{page.stem}_{number}_{place}.png"))


def _shown(output: Piece, picture: Path) -> str:
    """An output: text, a table in HTML, or a picture, which is written."""
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    data = output["data"]
    if "image/png" in data:
        picture.write_bytes(base64.b64decode("".join(data["image/png"])))
        return f"![{''.join(data['text/plain'])}]({picture.name})"
    if "text/html" in data:
        return "".join(data["text/html"])
    return f"```text\n{''.join(data['text/plain'])}\n```"
