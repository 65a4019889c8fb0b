"""The house: which way imports go, how many modules a room holds, and that starting is quick."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from places import ROOT

PACKAGE = ROOT / "madnis_py"
ROOMS = [
    "errors", "arrays", "progress", "file_lock", "output_file", "card", "parallel", "flows",
    "integration", "integration/training", "integration/grids",
    "physics/model", "physics/diagrams", "physics/colour", "physics/observables",
    "physics/amplitudes", "physics/phase_space", "physics/pdf", "physics/process",
    "physics/divergences", "physics/cross_section",
    "events", "events/les_houches", "events/files", "events/histograms",
    "plugins/matrix_elements", "plugins/madgraph_cards", "plugins/vegas", "vegas",
    "run/stages", "run", "run/verification", "cli",
]  # fmt: skip
"""Rooms and the modules that stand alone, in the order of their imports."""

LARGEST_ROOM = 12
"""Modules that a reader still takes in at a glance."""

KERNEL_USERS = {
    "events/files/lhe.py",
    "events/validation.py",
    "flows/fused.py",
    "parallel/executors.py",
    "physics/amplitudes/colour_flows.py",
    "physics/amplitudes/currents.py",
    "physics/amplitudes/drell_yan.py",
    "physics/amplitudes/helicities.py",
    "physics/amplitudes/tape_tables.py",
    "physics/amplitudes/tape_writer.py",
    "physics/amplitudes/tree_amplitude.py",
    "physics/observables/cuts.py",
    "physics/observables/features.py",
    "physics/pdf/lhagrid.py",
    "physics/pdf/pdf.py",
    "physics/pdf/running_coupling.py",
    "physics/phase_space/invariants.py",
    "physics/phase_space/s_channel.py",
    "physics/phase_space/topology_mapping.py",
    "plugins/matrix_elements/umami_library.py",
    "run/versions.py",
}
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
}


def room(module: str) -> str:
    """The folder of a module, or itself where it stands alone."""
    return module.rpartition("/")[0] or module


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
                found.add(whole if whole in MODULES or rest[0] == "_core" else room(whole))
    return found


IMPORTS = {module: imported_modules(path) for module, path in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_from_left_to_right(module: str) -> None:
    position = ROOMS.index(room(module))
    late = [name for name in IMPORTS[module] & set(MODULES) if ROOMS.index(room(name)) > position]
    assert not late


def test_modules_import_each_other_in_no_circle_not_even_for_types() -> None:
    graph = {module: names & set(MODULES) - {module} for module, names in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_no_room_holds_more_modules_than_one_takes_in_at_a_glance() -> None:
    sizes = Counter(room(module) for module in MODULES if "/" in module)
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


def test_the_compiled_core_is_imported_exactly_where_the_architecture_says() -> None:
    users = {
        f"{module}.py"
        for module, names in IMPORTS.items()
        if any(name.startswith("_core") for name in names)
    }
    assert users == KERNEL_USERS


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
