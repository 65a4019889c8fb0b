"""The house: which way imports go, how many modules a room holds, and that starting is quick."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import card_page
import pytest
import rooms
from places import ROOT

PACKAGE = ROOT / "madnis_py"
ROOMS = rooms.order(rooms.PAGE.read_text())

LARGEST_ROOM = 12
"""Modules that a reader still takes in at a glance."""

MODULES = rooms.modules()

TESTED_ELSEWHERE = ("events/les_houches", "run/stages")
"""Rooms without tests of their own, as CONTRIBUTING.md says: of files and of runs as a whole."""


def imported_modules(path: Path) -> set[str]:
    """Modules of the package that a file imports, for types too, as "physics/pdf/pdf"."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "madnis_py" and rest:
                whole = "/".join(rest)
                found.add(whole if whole in MODULES or rest[0] == "_core" else rooms.room(whole))
    return found


IMPORTS = {module: imported_modules(path) for module, path in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_from_left_to_right(module: str) -> None:
    position = ROOMS.index(rooms.room(module))
    inside = IMPORTS[module] & set(MODULES)
    late = [name for name in inside if ROOMS.index(rooms.room(name)) > position]
    assert not late


def test_modules_import_each_other_in_no_circle_not_even_for_types() -> None:
    graph = {module: names & set(MODULES) - {module} for module, names in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_room_holds_more_modules_than_one_takes_in_at_a_glance() -> None:
    sizes = Counter(rooms.room(module) for module in MODULES if "/" in module)
    sizes["the package itself"] = sum("/" not in module for module in MODULES)
    assert not {name: size for name, size in sizes.items() if size > LARGEST_ROOM}


def test_no_two_modules_have_one_name() -> None:
    names = Counter(path.name for path in MODULES.values())
    assert not [name for name, times in names.items() if times > 1]


def test_no_two_public_classes_have_one_name() -> None:
    classes = Counter(
        node.name
        for path in MODULES.values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not [name for name, times in classes.items() if times > 1]


def test_tests_lie_in_rooms_of_the_same_names() -> None:
    tests = ROOT / "tests"
    tested = {path.parent.relative_to(tests).as_posix() for path in tests.rglob("test_*.py")}
    with_modules = {rooms.room(module) for module in MODULES if "/" in module}
    assert with_modules - tested == set(TESTED_ELSEWHERE)
    assert tested - with_modules == {".", "cards", "fuzz"}


def test_the_page_of_the_house_shows_the_tree_as_it_is() -> None:
    page = rooms.PAGE.read_text()
    assert rooms.rendered(page) == page, "python scripts/rooms.py writes the tables again"


def test_the_page_of_the_card_shows_every_key_as_it_is() -> None:
    page = card_page.PAGE.read_text()
    assert card_page.rendered(page) == page, "python scripts/card_page.py writes the tables again"


def test_import_of_the_package_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, madnis_py; print('torch' in sys.modules, 'numpy' in sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert out.split() == ["False", "False"]


def processor_seconds(*command: str) -> float:
    """What a command costs, whatever else the machine is doing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_version_answers_in_under_half_a_second() -> None:
    assert (
        min(processor_seconds(sys.executable, "-m", "madnis_py", "--version") for _ in range(3))
        < 0.5
    )
