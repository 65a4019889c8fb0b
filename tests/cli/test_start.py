"""What commands load before they answer."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys
from madnis_py.cli import main
sys.argv = ["madnis-py", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""

SLOW_TO_LOAD = {"torch", "scipy.special", "scipy.integrate", "scipy.sparse", "scipy.stats"}


def modules_of(*command: str) -> set[str]:
    """Names of the modules that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *command], capture_output=True, text=True, check=True
    )
    return {*done.stderr.split()}


@pytest.mark.parametrize("command", ["model show sm", "diagrams ttbar_1j"])
def test_commands_without_events_load_neither_torch_nor_the_parts_of_scipy(command: str) -> None:
    assert not SLOW_TO_LOAD & modules_of(*command.split())


def test_a_card_is_written_without_torch(tmp_path: Path) -> None:
    loaded = modules_of("new", "p p > t t~", "-o", str(tmp_path / "ttbar.toml"))
    assert not SLOW_TO_LOAD & loaded
