"""Start-up: fresh interpreters that import ours or a peer.

    OMP_NUM_THREADS=1 python benchmarks/import_time.py [--quick] [--threads N] --output FILE.json

The interpreter itself is in every figure; `python_alone` is what it takes without any import.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

from side_by_side import Row, command_line, finish, is_installed, timed_row, version_name
from workers import Usage

TRAIN = "from madnis_py import Integrator"
GRIDS = "from madnis_py import train_vegas"
CASES = [
    ("package", "import madnis_py", "vegas", "import vegas"),
    ("package", "import madnis_py", "madspace", "import madspace"),
    ("package", "import madnis_py", "zuko", "import zuko"),
    ("ready to train", TRAIN, "torch", "import torch"),
    ("ready to train", TRAIN, "madnis", "from madnis.integrator import Integrand, Integrator"),
    ("VEGAS", GRIDS, "vegas", "import vegas"),
]
"""What is wanted, how ours is asked for it, and how the peer is."""


def start_up(code: str, threads: int) -> Usage:
    """What a fresh interpreter takes for this code."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    process = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Usage(wall, process, units=1, peak=0.0)


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    cases, rounds = (CASES[:1], 2) if options.quick else (CASES, 4)
    rows = []
    for wanted, ours, package, peer in cases:
        if is_installed(package):
            pairs = [
                (start_up(ours, options.threads), start_up(peer, options.threads))
                for _ in range(rounds + 1)
            ]
            case: Row = {"import": wanted, "threads": options.threads}
            rows.append(timed_row(case, pairs[1:], version_name(package), "s", 1.0))
    alone = min(start_up("pass", options.threads).process for _ in range(rounds))
    finish(options, "import_time", rows, python_alone=alone)


if __name__ == "__main__":
    main()
