"""Reproduce the toy studies of the MadNIS thesis, Section 5.2, as JSON rows and SVG figures.

    python benchmarks/toys.py [--quick] --output FILE.json [--study NAME ...] [--seeds N] [--workers
    N]

Relative errors are for 10^4 points, estimated from 10^6 fresh ones; mean and standard deviation
over ten trainings. Figures go to a folder beside the JSON file, finished trainings to
FILE.trainings.jsonl: what is found there is not repeated. Remove that file after a change of the
code.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import results
import toy_camel_back
import toy_crossed_ring
import toy_drell_yan
from toy_rows import short
from toy_trainings import Case, Job, Outcome, Trainings, shortened, start_worker


@dataclass(frozen=True)
class Study:
    """A set of trainings and what becomes of them."""

    cases: Callable[[], list[Case]]
    rows: Callable[[Case, list[Outcome]], list[dict[str, Any]]]
    draw: Callable[[Path, dict[str, list[Outcome]]], None]


STUDIES = {
    module.__name__.removeprefix("toy_"): Study(module.cases, module.rows, module.draw)
    for module in (toy_camel_back, toy_crossed_ring, toy_drell_yan)
}


@dataclass(frozen=True)
class Effort:
    """How much is done."""

    seeds: int
    points: int
    shorten: Callable[[Case], Case]


EFFORTS = {
    "full": Effort(10, 1_000_000, lambda case: case),
    "quick": Effort(1, 3000, lambda case: shortened(case, steps=4, batch_size=90)),
}


def run(study: Study, effort: Effort, trainings: Trainings, figures: Path) -> list[dict[str, Any]]:
    """Train, draw, and return the rows."""
    cases = [effort.shorten(case) for case in study.cases()]
    jobs = [Job(case, seed, effort.points) for seed in range(effort.seeds) for case in cases]
    outcomes: dict[str, list[Outcome]] = {case.name: [] for case in cases}
    for job, outcome in zip(jobs, trainings.outcomes(jobs), strict=True):
        if "failed" not in outcome:
            outcomes[job.case.name].append(outcome)
    if all(outcomes.values()):
        study.draw(figures, outcomes)
    return [
        {**row, "failed": effort.seeds - len(outcomes[case.name])}
        for case in cases
        if outcomes[case.name]
        for row in study.rows(case, outcomes[case.name])
    ]


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, run the studies and write the rows."""
    parser = results.command_line(__doc__.splitlines()[0])
    parser.add_argument(
        "--study", nargs="+", choices=list(STUDIES), default=list(STUDIES), help="all by default"
    )
    parser.add_argument(
        "--seeds", type=int, help="trainings per row; 10 by default, 1 with --quick"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes; 2 by default, 1 with --quick"
    )
    options = parser.parse_args(arguments)
    effort = EFFORTS["quick" if options.quick else "full"]
    effort = replace(effort, seeds=options.seeds or effort.seeds)
    start_worker()
    results.make_folder(options.output)
    trainings = Trainings(
        options.output.with_suffix(".trainings.jsonl"), 1 if options.quick else options.workers
    )
    start = time.monotonic()
    rows = []
    for name in options.study:
        rows += run(STUDIES[name], effort, trainings, options.output.with_suffix(""))
    results.write(
        options.output, "toys", rows, quick=options.quick, seconds=time.monotonic() - start
    )
    sys.stdout.write("\n".join(short(row) for row in rows) + "\n")


if __name__ == "__main__":
    main()
