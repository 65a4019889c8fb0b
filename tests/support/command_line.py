"""The command line called in this process, as a user calls it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from madnis_py import cli
from madnis_py.card import card as cards
from madnis_py.physics.process.process import Process

SMALL_CARD = """
[process]
definition = "p p > e+ e-"
model = "sm_zprime"

[beams]
pdf = "toy"

[cuts]
"e+,e-" = { mass_min = 15.0 }

[training]
preset = "quick"
steps = 12
batch_size = 300
"""


def small_process(folder: Path) -> Process:
    """The process of the small card, whose file goes to a folder."""
    path = folder / "small.toml"
    path.write_text(SMALL_CARD)
    return Process.from_card(cards.load(path))


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


def call(
    arguments: Sequence[str | Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Outcome:
    """Run `madnis-py` with the arguments."""
    monkeypatch.setattr(sys, "argv", ["madnis-py", *map(str, arguments)])
    capsys.readouterr()
    try:
        cli.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    captured = capsys.readouterr()
    return Outcome(status, captured.out, captured.err)
