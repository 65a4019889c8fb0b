"""Processor time of |M|^2, summed over helicities and colours, beside what MadGraph's code needs.

    OMP_NUM_THREADS=1 python benchmarks/matrix_elements.py [--quick] [--threads N] --output
    FILE.json

Microseconds of processor time per phase-space point in double precision, the best of several
rounds. The other program does not run here: its figures were measured elsewhere, on one core of the
same kind of processor (`ANCHORS`), and a ratio holds as far as that does. Which of its figures
counts follows from the instruction set in use; the environment variable MADNIS_PY_ISA restricts it.

Besides, in every row: the time of all |M_i|^2 of single diagrams, |M|^2 in single precision and its
median error, seconds to build the tape and to load it again from the cache, and the size of the
tape.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryDirectory
from typing import Any

import matrix_element_side
import numpy as np
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table
from side_by_side import QUICK, WIDTH, Effort, Row, command_line, finish
from tape_counts import amplitude_counts
from workers import Side, Usage, Worker

import madnis_py
from madnis_py import _core
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude

CUDACPP = {
    "g g > t t~": {"scalar": 4.4, "AVX2": 1.5, "AVX-512": 1.3},
    "g g > t t~ g": {"scalar": 31.0, "AVX2": 8.6, "AVX-512": 6.4},
    "g g > t t~ g g": {"scalar": 397.0, "AVX2": 90.0, "AVX-512": 55.0},
    "g g > t t~ g g g": {"scalar": 8160.0, "AVX2": 2000.0, "AVX-512": 1210.0},
    "e+ e- > mu+ mu-": {"scalar": 0.75},
}
"""MadGraph's cudacpp 3.7.1 (madgraph4gpu) by its build, microseconds per point."""

FORTRAN = {
    "g g > t t~": 5.0,
    "g g > t t~ g": 39.0,
    "g g > t t~ g g": 502.0,
    "g g > t t~ g g g": 10900.0,
    "g g > w+ d u~": 7.5,
    "g g > w+ d u~ g": 71.0,
    "g g > w+ d u~ g g": 971.0,
    "u d~ > w+ w+ w-": 26.0,
    "u c > w+ w+ d s": 6.6,
    "u c > w+ w+ d s QCD=99 QED=99": 25.0,
    "g g > g g g": 123.0,
    "g g > g g g g": 2610.0,
}
"""Fortran code of MadGraph5_aMC@NLO 2.6.0, microseconds per point."""

ANCHORS = (
    "CPU microseconds per helicity- and colour-summed |M|^2, one core, double precision, best of "
    "several blocks: "
    "cudacpp 3.7.1 and MG5_aMC 2.6.0 Fortran, g++ 12.2 -O3 -ffast-math, Intel Xeon (Sapphire "
    "Rapids class, 2.1 GHz "
    "nominal, AVX-512). Measured elsewhere on a shared machine, not side by side with ours; "
    "scatter about 30 %."
)
"""Where the figures of the other programs come from."""

PROCESSES = tuple(dict.fromkeys([*CUDACPP, *FORTRAN]))
QUICK_PROCESSES = PROCESSES[:2]

BUILDS = {"avx512": "AVX-512", "avx2": "AVX2", "baseline": "scalar"}
"""Our instruction set -> the build of cudacpp that may use the same."""

BATCHES = {4: 4096, 5: 1024, 6: 256}
"""Points per call by the number of legs; else `SMALL_BATCH`."""

SMALL_BATCH = 128
FULL = Effort(rounds=3, seconds=0.15)
PASSES = 4
BUILDING = 3
"""How often a tape is built and loaded; the fastest counts."""

WORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("squared", {"single": False}),
    "diagram_squares": ("diagram_squares", {}),
    "single": ("squared", {"single": True}),
}
"""What is timed -> function of `matrix_element_side` and what it is told."""

Case = tuple[str, str, float]
"""Process, program with its build, its microseconds."""

Times = dict[tuple[str, str], list[Usage]]
"""All rounds by process and name in `WORKS`."""


def anchors(processes: tuple[str, ...], instruction_set: str) -> Iterator[Case]:
    """Figures to compare with: cudacpp for this instruction set or a lower one, else Fortran."""
    wanted = BUILDS.get(instruction_set, "scalar")
    for process in processes:
        builds = CUDACPP.get(process, {})
        build = wanted if wanted in builds else "scalar"
        if build in builds:
            yield process, f"cudacpp 3.7.1 {build}, elsewhere", builds[build]
        else:
            yield process, "MG5_aMC 2.6.0 Fortran, elsewhere", FORTRAN[process]


def usages(work: str, arguments: dict[str, Any], threads: int, effort: Effort) -> list[Usage]:
    """What a work cost in every round."""
    side = Side(f"madnis_py {madnis_py.__version__}", "matrix_element_side", work, arguments)
    with Worker(side, threads) as worker:
        calls = max(1, round(effort.seconds / worker.do(1).wall))
        return [worker.do(calls) for _ in range(effort.rounds)]


def best(rounds: list[Usage], clock: str = "process") -> float:
    """Microseconds per point of the fastest round."""
    return 1e6 * min(usage.seconds_per_unit(clock) for usage in rounds)


def time_all(
    cases: Sequence[Case], folder: str, threads: int, passes: int, effort: Effort
) -> Times:
    """Time all works of all processes in turns: the machine may be slow while one is timed."""
    times: Times = defaultdict(list)
    for _ in range(passes):
        for process, *_ in cases:
            amplitude = matrix_element_side.make_amplitude(process, folder)
            where = {"process": process, "folder": folder, "n": batch(amplitude)}
            for name, (work, arguments) in WORKS.items():
                times[process, name] += usages(work, where | arguments, threads, effort)
    return times


def batch(amplitude: TreeAmplitude) -> int:
    """Points per call."""
    return BATCHES.get(amplitude.n_particles, SMALL_BATCH)


def make_row(case: Case, times: Times, threads: int) -> Row:
    """What was measured of one process."""
    process, peer, anchor = case
    amplitude, build, load = built(process)
    ours = times[process, "ours"]
    ratios = sorted(anchor / (1e6 * usage.seconds_per_unit("process")) for usage in ours)
    p = matrix_element_side.make_momenta(amplitude, matrix_element_side.DIFFERENT_POINTS)
    counts = amplitude_counts(amplitude)
    return {
        "case": {"process": process, "points": batch(amplitude), "threads": threads},
        "ours": best(ours),
        "peer": anchor,
        "peer_name": peer,
        "unit": "us",
        "ratio": ratios[-1],
        "spread": [ratios[0], ratios[-1]],
        "rounds": len(ours),
        "clock": "process",
        "ours_wall": best(ours, "wall"),
        "diagram_squares": best(times[process, "diagram_squares"]),
        "single": best(times[process, "single"]),
        "single_error": float(np.median(amplitude.single_error(p, matrix_element_side.ALPHA_S))),
        "build_seconds": build,
        "load_seconds": load,
        "diagrams": amplitude.n_diagrams,
        "flows": len(amplitude.flows),
        "helicities": len(amplitude.helicities),
        "currents": counts.currents,
        "contractions": counts.contractions,
        "workspace_bytes": counts.workspace,
    }


def built(process: str) -> tuple[TreeAmplitude, float, float]:
    """An amplitude, and processor time in seconds to make it anew and from the cache."""
    new, known = [], []
    for _ in range(BUILDING):
        with TemporaryDirectory() as folder:
            new.append(_seconds_to_make(process, folder))
            known.append(_seconds_to_make(process, folder))
            amplitude = matrix_element_side.make_amplitude(process, folder)
    return amplitude, min(new), min(known)


def _seconds_to_make(process: str, folder: str) -> float:
    matrix_element_side.make_amplitude.cache_clear()
    begin = time.process_time()
    matrix_element_side.make_amplitude(process, folder)
    return time.process_time() - begin


DETAILS: dict[str, Callable[[Row], str]] = {
    "ours": lambda row: f"{row['ours']:.3g}",
    "theirs": lambda row: f"{row['peer']:.4g}",
    "by": lambda row: row["peer_name"].removesuffix(", elsewhere"),
    "ratio": lambda row: f"{row['ratio']:.1f} [{row['spread'][0]:.1f}, {row['spread'][1]:.1f}]",
    r"all \|M_i\|^2": lambda row: f"{row['diagram_squares']:.3g}",
    "single": lambda row: f"{row['single']:.3g}",
    "its error": lambda row: f"{row['single_error']:.0e}",
    "build, load / s": lambda row: f"{row['build_seconds']:.2g}, {row['load_seconds']:.2g}",
    "diagrams": lambda row: f"{row['diagrams']}",
    "flows": lambda row: f"{row['flows']}",
    "helicities": lambda row: f"{row['helicities']}",
    "currents": lambda row: f"{row['currents']}",
    "contractions": lambda row: f"{row['contractions']}",
    "workspace / kB": lambda row: f"{row['workspace_bytes'] / 1e3:.3g}",
}
"""Columns of the second table, microseconds where nothing else is said; contractions are those of
all helicities."""


def details(rows: list[Row]) -> Table:
    """Everything that the rows hold, as it stands in NOTES.md."""
    printed = Table("process", *DETAILS, box=MARKDOWN)
    for row in rows:
        printed.add_row(row["case"]["process"], *(form(row) for form in DETAILS.values()))
    return printed


def measure(options: argparse.Namespace) -> list[Row]:
    """The rows of all processes."""
    processes, effort = (QUICK_PROCESSES, QUICK) if options.quick else (PROCESSES, FULL)
    passes = 1 if options.quick else PASSES
    cases = list(anchors(processes, _core.instruction_set()))
    with TemporaryDirectory() as folder:
        times = time_all(cases, folder, options.threads, passes, effort)
    return [make_row(case, times, options.threads) for case in cases]


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    rows = measure(options)
    facts = {"anchors": ANCHORS, "instruction_set": _core.instruction_set()}
    finish(options, "matrix_elements", rows, **facts)
    Console(width=2 * WIDTH).print(details(rows), no_wrap=True)
    Console(width=WIDTH).print(ANCHORS)


if __name__ == "__main__":
    main()
