"""Pages of all public names and modules, made of their docstrings by pdoc.

    python scripts/make_pages.py build/docs

build/docs/index.html leads to them.
"""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path

import pdoc

import madnis_py


def modules() -> list[str]:
    """Every module written in Python, but for `vegas`, which is a public name itself, and data."""
    names = (one.name for one in pkgutil.walk_packages(madnis_py.__path__, "madnis_py."))
    others = ("madnis_py._", "madnis_py.data", "madnis_py.vegas")
    return [name for name in names if not name.startswith(others)]


def main(folder: Path) -> None:
    """Write the pages; names that are imported when first used are imported now."""
    for name in madnis_py.__all__:
        setattr(madnis_py, name, getattr(madnis_py, name))
    pdoc.render.configure(docformat="google")
    pdoc.pdoc("madnis_py", *modules(), output_directory=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
