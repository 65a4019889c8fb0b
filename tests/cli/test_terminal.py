"""Runs in a terminal: nothing that was printed is erased or overwritten."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from terminal import Session, in_a_terminal

DEFINITIONS = ("p p > e+ e-", "p p > mu+ mu- QED^2==4")
CARD = f"""
[process]
definition = {list(DEFINITIONS)}

[beams]
pdf = "toy"

[cuts]
"e+,e-" = {{ mass_min = 50.0 }}
"mu+,mu-" = {{ mass_min = 50.0 }}

[channels]
prior = "diagram"

[training]
preset = "quick"
steps = 12
batch_size = 300
"""

ONE_PROCESS = ("run", "drell_yan_zprime", "--preset", "quick", "--points", "20000")


def run(
    columns: int, folder: Path, *arguments: str, name: str = "out", events: int = 200
) -> Session:
    """A run with a directory and a number of events."""
    return in_a_terminal([*arguments, "-o", name, "--events", str(events)], columns, folder)


def holds(session: Session, *sentences: str) -> bool:
    """Whether sentences are seen one after the other, in full."""
    text, place = "".join(session.text.split()), 0
    for sentence in sentences:
        place = text.find("".join(sentence.split()), place) + 1
        if not place:
            return False
    return True


def test_two_processes_in_a_narrow_terminal(tmp_path: Path) -> None:
    (tmp_path / "card.toml").write_text(CARD)
    done = run(60, tmp_path, "run", "card.toml", "--points", "4000")
    assert done.status == 0, done.text
    assert max(map(len, done.lines)) <= 60
    assert holds(
        done,
        "p p > e+ e- and 1 more: sm",
        "2 processes; diagrams:",
        *DEFINITIONS,
        "std/mean",
        "efficiency",
    )
    assert holds(done, "200 events in out/events.lhe.gz", "report in out/report.html")
    assert done.lines[-1] == "report in out/report.html"


@pytest.mark.slow
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_one_process_from_the_first_line_to_the_last(columns: int, tmp_path: Path) -> None:
    done = run(columns, tmp_path, *ONE_PROCESS)
    assert done.status == 0, done.text
    assert max(map(len, done.lines)) <= columns
    stages = ("survey", "train", "integrate vegas", "integrate madnis", "generate")
    for stage in stages:
        lines = [line for line in done.lines if re.match(rf"{stage} +[0-9.]+ (s|min) ", line)]
        assert len(lines) == 1
    assert holds(done, "p p > e+ e-", "diagrams: 12, channels 3, 8 flavours", *stages)
    assert holds(done, "200 events in out/events.lhe.gz", "report in out/report.html")
    assert done.lines[-1] == "report in out/report.html"
