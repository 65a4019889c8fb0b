"""Words of error sentences: a value as its author wrote it, and the nearest known name."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable


def shown(value: object) -> str:
    """A value of a card as its author wrote it, shortened to one line."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def closest(word: str, candidates: Iterable[str]) -> str:
    """'; did you mean "..."?' with the nearest candidate, or all candidates if none is near."""
    names = sorted(candidates)
    by_folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f'; did you mean "{by_folded[near[0]]}"?' if near else f"; known are {', '.join(names)}"
