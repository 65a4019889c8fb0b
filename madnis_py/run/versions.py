"""Versions of what computes."""

from __future__ import annotations

from importlib.metadata import version

import madnis_py
from madnis_py import _core


def versions() -> dict[str, str]:
    """Versions of the package and of what it computes with, and the instruction set in use."""
    packages = {name: version(name) for name in ("torch", "numpy", "vegas")}
    return {
        "madnis_py": madnis_py.__version__,
        **packages,
        "instruction_set": _core.instruction_set(),
    }
