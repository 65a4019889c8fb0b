"""Display of the progress of stages: on terminals of any width, and as a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import StringIO

import pytest
from rich.console import Console
from terminal import seen

from madnis_py.progress import StageProgress, duration, watch_of_part
from madnis_py.run.display import progress_display
from madnis_py.run.display.progress_display import LogDisplay, TerminalDisplay

PROCESS = "p p > t t~ j j, (t > w+ b, w+ > l+ vl), (t~ > w- b~, w- > j j) @2"
WIDTHS = (60, 80, 120)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look is a second after the last one."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))


def stages() -> Iterator[StageProgress]:
    """Two stages, the second of which is interrupted."""
    yield StageProgress("build", 0, 1, "", note="a collision")
    yield StageProgress("build", 1, 1, "processes", note="diagrams: 76, channels 15, 25 flavours")
    for done in (25, 50, 100):
        yield StageProgress(
            "train", done, 100, "steps", 3.39e4, sigma=4208.18, relative_std=0.0751, efficiency=0.87
        )
    yield StageProgress("generate", 400, 1000, "events", 1.5e4, "events/s", sigma=4208.18)


def shown(width: int, part: str = "", printed: str = "the end") -> list[str]:
    """What a terminal shows after the stages and something printed by itself."""
    drawn = StringIO()
    console = Console(file=drawn, width=width, height=40, force_terminal=True)
    with TerminalDisplay(console) as display:
        watch = watch_of_part(display, part) if part else display
        for progress in stages():
            watch(progress)
        display.end()
        drawn.write(f"{printed}\n")
    return seen(drawn.getvalue().replace("\n", "\r\n").encode(), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_printed_after_the_end_is_the_last_thing_seen(width: int) -> None:
    lines = shown(width)
    assert lines[-1] == "the end"
    assert sum("train" in line for line in lines) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_finished_stage_keeps_all_its_figures(width: int) -> None:
    text = " ".join(" ".join(shown(width)).split())
    assert "sigma 4208.18 pb, std/mean 0.075, efficiency 87 %, 33,900 points/s" in text
    assert "a collision build" in text
    assert "diagrams: 76, channels 15, 25 flavours" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_processes_are_read_in_full(width: int) -> None:
    lines = shown(width, part=PROCESS)
    assert PROCESS in " ".join(lines)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)


def test_an_interrupted_stage_says_how_far_it_came() -> None:
    assert "40 %, sigma 4208.18 pb" in shown(120)[-2]


def log() -> list[str]:
    """The lines of a log of the stages."""
    written = StringIO()
    with LogDisplay(Console(file=written, width=60)) as display:
        for progress in stages():
            watch_of_part(display, PROCESS)(progress)
    return written.getvalue().splitlines()


def test_a_log_has_a_line_for_each_report_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress_display, "LOG_INTERVAL", 0.5)
    lines = log()
    assert lines[0] == f"{PROCESS}: build: a collision"
    assert lines[3].startswith(f"{PROCESS}: train: 50/100 steps, 2 s left, sigma 4208.18 pb")
    assert lines[4].startswith(f"{PROCESS}: train: 100/100 steps, 3 s, sigma")


def test_a_log_is_quiet_between_two_lines() -> None:
    found = [[share for share in ("25/100", "50/100", "100/100") if share in one] for one in log()]
    assert found == [[], [], ["100/100"]]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.834, "0.83 s"),
        (9.96, "10 s"),
        (99.4, "99 s"),
        (99.6, "1 min 40 s"),
        (3600.0, "1 h 00 min"),
        (100_000.0, "1 d 03 h"),
    ],
)
def test_durations_are_in_the_units_of_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words
