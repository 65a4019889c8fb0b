"""The C++ half of the house: which way includes go, who knows pybind11, how wide lines are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from places import ROOT

CPP = ROOT / "cpp"
ROOMS = [
    "simd", "runtime", "random", "observables", "clustering", "phase_space", "waves", "amplitudes",
    "pdf", "flows", "events", "umami", "cuda", "tests",
]  # fmt: skip
"""Topics in the order of their includes."""

LARGEST_ROOM = 12
"""Sources of one kind (.cpp or headers) that a reader still takes in at a glance."""

WIDTH = 100
"""Columns of code and comments."""

SOURCES = sorted(path for path in CPP.rglob("*") if path.suffix in (".cpp", ".hpp", ".h", ".cu"))


def name(path: Path) -> str:
    return path.relative_to(CPP).as_posix()


def includes(path: Path, marks: str) -> list[str]:
    return re.findall(f"^#include [{marks}](.+)[>{marks}]$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_includes_name_the_room_and_go_from_left_to_right(source: Path) -> None:
    position = ROOMS.index(source.parent.name)
    included = includes(source, '"')
    assert not [header for header in included if not (CPP / header).is_file()]
    assert not [header for header in included if ROOMS.index(Path(header).parent.name) > position]


def test_only_bindings_know_pybind11() -> None:
    users = {
        name(source)
        for source in SOURCES
        if any(header.startswith("pybind11") for header in includes(source, "<"))
        or "runtime/arrays.hpp" in includes(source, '"')
    }
    bindings = {name(source) for source in SOURCES if source.name.startswith("bind_")}
    assert users == bindings | {"runtime/arrays.hpp", "runtime/module.cpp"}


def test_lines_are_at_most_as_wide_as_the_page() -> None:
    wide = [
        f"{name(source)}:{number}"
        for source in SOURCES
        for number, line in enumerate(source.read_text().splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert not wide


def test_no_room_holds_more_sources_of_one_kind_than_one_takes_in_at_a_glance() -> None:
    sizes = Counter((source.parent.name, source.suffix) for source in SOURCES)
    assert not {kind: size for kind, size in sizes.items() if size > LARGEST_ROOM}
