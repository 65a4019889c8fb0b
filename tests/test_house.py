"""The house: which way imports go, and that starting is quick."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "madnis_py"
ORDER = [
    "errors", "file_lock", "output_file", "card_tables", "documents", "card", "array_digest", "flows", "integration",
    "physics", "events", "event_files", "histograms", "plugins", "vegas", "stages", "run", "report", "cli",
]  # fmt: skip
KERNEL_USERS = {
    "flows/fused.py",
    "physics/phase_space.py",
    "physics/matrix_element.py",
    "physics/tree_amplitude.py",
    "physics/topology_mapping.py",
    "physics/observables.py",
    "physics/pdf.py",
    "physics/running_coupling.py",
    "physics/cuts.py",
    "plugins/umami_library.py",
    "event_files/lhe.py",
    "events/soundness.py",
    "events/unweight.py",
    "stages/workforce.py",
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_names(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if name.startswith("madnis_py.")]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_from_left_to_right(path: Path) -> None:
    if room(path) in ("__main__", "data", "_core"):
        return
    position = ORDER.index(room(path))
    for name in imported_names(path):
        other = name.split(".")[1]
        if other in ORDER:
            assert ORDER.index(other) <= position, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_compiled_core_is_imported_only_where_the_architecture_says(path: Path) -> None:
    uses_core = any(name.startswith("madnis_py._core") for name in imported_names(path))
    where = str(path.relative_to(PACKAGE))
    assert not uses_core or where in KERNEL_USERS or where in ("run.py", "cli.py"), where


def test_import_of_the_package_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, madnis_py; print('torch' in sys.modules, 'numpy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


def processor_seconds(*command: str) -> float:
    """What a command costs, whatever else the machine is doing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_version_answers_in_under_half_a_second() -> None:
    assert min(processor_seconds(sys.executable, "-m", "madnis_py", "--version") for _ in range(3)) < 0.5
