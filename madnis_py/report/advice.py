"""What to do about a warning of a run."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MORE_POINTS = "take more points: <code>madnis-py integrate {run} --points {points}</code>"
_OTHER_SEED = (
    "run again with another <code>--seed</code> in another directory; if both disagree, take a "
    "larger <code>--preset</code>"
)
_VEGAS = "<code>madnis-py generate {run} --events {events} --sampler vegas</code>"

_ADVICE: Sequence[tuple[str, str]] = (
    (
        "not for predictions",
        'name a set of LHAPDF in the card, <code>[beams] pdf = "NNPDF40_lo_as_01180"</code>; '
        "<code>madnis-py pdf list</code> shows those that are here, <code>madnis-py pdf install "
        "NAME</code> brings one",
    ),
    ("the flow is worse than VEGAS", f"make the events with the grids: {_VEGAS}"),
    ("went back", "train with a smaller <code>learning_rate</code> in <code>[training]</code>"),
    ("negative weights", "keep the signs in the analysis, and ask for more events"),
    ("the signs of", "ask for more events"),
    ("hardly different from 0", _MORE_POINTS),
    ("iterations disagree", f"{_MORE_POINTS}; if it stays, a larger <code>--preset</code>"),
    ("of the variance and", _MORE_POINTS),
    ("fresh points have weights", _MORE_POINTS),
    ("would have weights", f"train longer, <code>--preset standard</code>, or {_VEGAS}"),
    ("above the maximum weights", f"{_MORE_POINTS}, and make the events again"),
    ("one of them misses something", _OTHER_SEED),
    ("where the grid", "take a set of parton densities that reaches further, or tighter cuts"),
    ("where the coupling", "take another scale in <code>[scales]</code>, or tighter cuts"),
    ("diverge", "add the cuts that the sentence names"),
    ("infinite", "add the cuts that the sentence names"),
)
"""What a warning says -> what to do."""


def advice(sentence: str, run: str, points: int, events: int) -> str:
    """What to do about a warning, as HTML; nothing where its sentence says it.

    Args:
        sentence: of the warning.
        run: directory, as HTML.
        points: that the cross section has.
        events: that were asked for.
    """
    found = next((words for sign, words in _ADVICE if sign in sentence), "")
    return found.format(run=run, points=4 * points, events=events or 10_000)


def gist(sentence: str) -> tuple[str, str]:
    """What a warning is about, and the rest of it: "survey: channel Z: ..." -> "survey", ..."""
    about = re.match(r"([\w ]{1,30}): ", sentence)
    return (about[1], sentence[about.end() :]) if about else ("", sentence)
