"""`madnis_py.vegas` and vegas with as many evaluations: errors, and times where VEGAS is enough.

    OMP_NUM_THREADS=1 python benchmarks/vegas_dropin.py [--quick] [--case NAME ...] --output
    FILE.json

Both integrate from the start, 10 iterations with the defaults of vegas; ours chooses the sampler by
itself. The integrals are 1. Rows of errors also have the seconds of both and the pulls from 1; with
`--quick` there is too little to learn from and VEGAS does all of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gvar
import numpy as np
import vegas as original
from side_by_side import Row, command_line, finish, row, version_name
from toy_integrands import CrossedRing, FlatMapping

from madnis_py import vegas
from madnis_py.arrays import Array

Integrand = Callable[[Array], Array]

ITERATIONS = 10
CENTRES = np.linspace(0.4, 0.6, 100)
"""Of the Gaussians of the ridge; with their width of 0.07 they cannot be told from the 1000 of
vegas' example."""


def ridge_of_gaussians(dim: int) -> Integrand:
    """The ridge of the examples of vegas: Gaussians exp(-100 |x - x_0|^2) along the diagonal."""
    norm = (100.0 / math.pi) ** (dim / 2)

    def ridge(x: Array) -> Array:
        square, total = (x**2).sum(axis=1, keepdims=True), x.sum(axis=1, keepdims=True)
        distance = square - 2 * CENTRES * total + dim * CENTRES**2
        return norm * np.exp(-100.0 * distance).mean(axis=1)  # type: ignore[no-any-return]

    return _in_batches(ridge)


def separable_gaussian(dim: int) -> Integrand:
    """A product of Gaussians of width 0.1."""
    norm = (50.0 / math.pi) ** (dim / 2) / math.erf(0.5 * math.sqrt(50.0)) ** dim

    def gaussian(x: Array) -> Array:
        return norm * np.exp(-50.0 * ((x - 0.5) ** 2).sum(axis=1))  # type: ignore[no-any-return]

    return _in_batches(gaussian)


def crossed_ring(_: int) -> Integrand:
    """Eq. (5.29) of the MadNIS thesis on the square |x_j| < 10."""
    import torch

    def ring(y: Array) -> Array:
        points = torch.from_numpy(FlatMapping.half_width * (2 * np.array(y) - 1))
        return CrossedRing.function(points).numpy() * (2 * FlatMapping.half_width) ** 2

    return _in_batches(ring)


def _in_batches(function: Integrand) -> Integrand:
    batched: Integrand = vegas.lbatchintegrand(function)
    return batched


@dataclass(frozen=True)
class Task:
    """An integrand and how hard to look.

    Attributes:
        make: the integrand of a dimension.
        dim: its dimension.
        neval: evaluations of an iteration at most.
        timed: whether times are compared, not errors.
    """

    make: Callable[[int], Integrand]
    dim: int
    neval: int
    timed: bool = False


TASKS = {
    "ridge, 4 dimensions": Task(ridge_of_gaussians, 4, 100_000),
    "ridge, 8 dimensions": Task(ridge_of_gaussians, 8, 100_000),
    "crossed ring": Task(crossed_ring, 2, 100_000),
    "separable Gaussian": Task(separable_gaussian, 4, 100_000, timed=True),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    parser = command_line(__doc__.splitlines()[0])
    parser.add_argument(
        "--case", action="append", choices=TASKS, help="only this one; may be given several times"
    )
    options = parser.parse_args(arguments)
    names = options.case or list(TASKS)
    finish(options, "vegas_dropin", [_row(name, TASKS[name], options.quick) for name in names])


def _row(name: str, task: Task, quick: bool) -> Row:
    neval, seeds = (2000, 1) if quick else (task.neval, 5 if task.timed else 1)
    pairs = [
        tuple(measured(package, task, neval, seed) for package in (vegas, original))
        for seed in range(seeds)
    ]
    figure = "seconds" if task.timed else "error"
    case: Row = {"integrand": name, "evaluations": ITERATIONS * neval}
    figures = [(ours[figure], peer[figure]) for ours, peer in pairs]
    unit = "s" if task.timed else "error"
    return row(case, figures, version_name("vegas"), unit) | {
        "runs": [dict(zip(SIDES, p, strict=True)) for p in pairs]
    }


SIDES = ("ours", "peer")


def measured(package: Any, task: Task, neval: int, seed: int) -> Row:
    """Integrate from the start with vegas or what takes its place.

    Args:
        package: with an `Integrator`.
        task: what to integrate.
        neval: evaluations of an iteration at most.
        seed: of the random numbers.
    """
    gvar.ranseed(seed + 1)
    start, processor = time.perf_counter(), time.process_time()
    integrator = package.Integrator([[0, 1]] * task.dim)
    result = integrator(task.make(task.dim), nitn=ITERATIONS, neval=neval)
    return {
        "error": float(result.sdev),
        "pull": float((result.mean - 1.0) / result.sdev),
        "chi2_per_dof": float(result.chi2 / result.dof),
        "evaluations": int(result.sum_neval),
        "seconds": time.process_time() - processor,
        "wall_seconds": time.perf_counter() - start,
        "sampler": getattr(integrator, "sampler", "vegas"),
        "report": list(getattr(result, "report", ())),
    }


if __name__ == "__main__":
    main()
