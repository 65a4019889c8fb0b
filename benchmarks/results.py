"""Shared by all benchmarks: the command line, the facts of the machine, and the JSON they write."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import madnis_py
from madnis_py.output_file import make_directory, write_file


def command_line(description: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have, `--quick` and `--output FILE.json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="a smaller version of everything, in seconds"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE.json", help="where the rows are written"
    )
    return parser


def machine() -> dict[str, Any]:
    """Processor, number of cores and versions."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "madnis_py": madnis_py.__version__,
        **{package: version(package) for package in ("torch", "numpy", "vegas")},
    }


def write(output: Path, benchmark: str, rows: Sequence[dict[str, Any]], **facts: Any) -> None:
    """Write the result of a benchmark.

    Args:
        output: the JSON file; its directory is made where it is missing.
        benchmark: name of the benchmark.
        rows: one JSON object per measurement.
        facts: what else belongs to the whole of it.
    """
    make_folder(output)
    content = {"benchmark": benchmark, "machine": machine(), **facts, "rows": list(rows)}
    write_file(output, (json.dumps(content, indent=1) + "\n").encode())


def make_folder(output: Path) -> None:
    """Make the folder that the result is written to."""
    make_directory(output.parent)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
