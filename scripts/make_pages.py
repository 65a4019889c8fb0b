"""The documentation site: pages of this repository and of docstrings, made by sphinx.

    python scripts/make_pages.py build/docs

build/docs/index.html leads to them. A warning of sphinx, such as a link that leads nowhere, is an
error.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from notebook_pages import write_notebook_page
from reference_pages import reference_pages
from sphinx.cmd.build import build_main

ROOT = Path(__file__).resolve().parent.parent
GATHERED = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "CITATION.cff"),
    *("docs", "processes", "benchmarks/NOTES.md"),
)
LISTED = {"processes": "toml", "docs/examples": "python"}
"""Folders that documents link: each becomes a page with the text of its files, of this language."""
INDEX = "docs/README"
REFERENCE = """
## Python reference

[All public names](../reference/index.md), from their docstrings.
"""
SETTINGS = {
    "project": "madnis_py",
    "extensions": "myst_parser",
    "root_doc": INDEX,
    "html_theme": "furo",
    "html_title": "madnis_py",
    "html_show_sphinx": "0",
    "html_copy_source": "0",
    "myst_heading_anchors": "6",
}


def main(folder: Path) -> int:
    """Make the site; returns the exit status of sphinx, 0 where there was no warning."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "source"
        _gather(source)
        settings = [f"--define={name}={value}" for name, value in SETTINGS.items()]
        strict = ["--quiet", "--fail-on-warning", "--keep-going"]
        doctrees = ["--doctree-dir", str(Path(place) / "doctrees")]
        status: int = build_main(
            ["--isolated", *strict, *settings, *doctrees, str(source), str(folder)]
        )
    forward = f'<meta http-equiv="refresh" content="0; url={INDEX}.html">\n'
    (folder / "index.html").write_text(forward)
    return status


def _gather(source: Path) -> None:
    """All pages, in the places that their links expect."""
    for name in GATHERED:
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place)
    for folder, language in LISTED.items():
        (source / folder / "README.md").write_text(_listing(ROOT / folder, language))
    for notebook in (source / "docs/notebooks").glob("*.ipynb"):
        write_notebook_page(notebook)
    (source / "reference").mkdir()
    for name, text in reference_pages(ROOT).items():
        (source / "reference" / f"{name}.md").write_text(text)
    for page in source.rglob("*.md"):
        page.write_text(_with_links_to_pages(page.read_text(), page.parent))
    index = source / f"{INDEX}.md"
    index.write_text(index.read_text() + REFERENCE)
    for one in (index, source / "docs/decisions/README.md", source / "reference/index.md"):
        one.write_text(one.read_text() + _contents(one.read_text()))


def _listing(folder: Path, language: str) -> str:
    """A page with the text of all files of a folder."""
    files = sorted(folder.glob({"toml": "*.toml", "python": "*.py"}[language]))
    parts = [f"## {path.name}\n\n```{language}\n{path.read_text()}```\n" for path in files]
    return "\n".join([f"# {folder.name}\n", *parts])


def _with_links_to_pages(text: str, folder: Path) -> str:
    """A text in which links to folders and notebooks lead to their pages, or to places there."""

    def to_page(link: re.Match[str]) -> str:
        target = Path(link[1])
        if (folder / target / "README.md").exists():
            return f"]({target / 'README.md'})"
        if target.suffix == ".ipynb":
            return f"]({target.with_suffix('.md')})"
        if target.suffix in (".toml", ".py") and (folder / target.parent / "README.md").exists():
            return f"]({target.parent / 'README.md'}#{target.name.replace('.', '').lower()})"
        return link[0]

    return re.sub(r"\]\(([^)#:]+)\)", to_page, text)


def _contents(index: str) -> str:
    """Tables of contents for the sidebar: the pages that each section of an index links."""
    tables = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE):
        caption = section.partition("\n")[0].strip("# ")
        pages = dict.fromkeys(re.findall(r"\]\(([^)#:]+\.md)\)", section))
        lines = [":hidden:", f":caption: {caption}", "", *pages]
        tables.append("\n".join(["", "```{toctree}", *lines, "```", ""]))
    return "".join(tables)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
