"""The documents of the project that tests read."""

from __future__ import annotations

import re

from places import ROOT

DOCS = ROOT / "docs"
PAGES = [
    page
    for folder in (ROOT, DOCS, DOCS / "decisions", ROOT / "benchmarks")
    for page in sorted(folder.glob("*.md"))
]
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
"""Page -> what it says."""


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in a language, without console sessions."""
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for block in found if ">>> " not in block]
