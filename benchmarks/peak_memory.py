"""Largest resident memory of processes that train and integrate: ours and madnis.

    OMP_NUM_THREADS=1 python benchmarks/peak_memory.py [--quick] [--threads N] --output FILE.json

Each figure is a fresh process, interpreter and libraries included; `ours_idle` and `peer_idle` is
what it had needed before the work itself: imports, networks and, of a training, its first steps.
"""

from __future__ import annotations

import statistics
from typing import Any

from side_by_side import MADNIS, Row, batch_size, command_line, finish, installed, our_side, row
from workers import Side, Worker

TRAININGS = [(10, 8), (16, 48)]
POINTS = 200_000
"""Of the integration."""

CALLS = {"training_step": 2, "integrate": 1}
"""Calls after which the memory is read."""


def works(quick: bool) -> list[tuple[Row, str, dict[str, Any]]]:
    """Case, work and its arguments."""
    trainings = [
        (
            {"work": "training", "dim": dim, "channels": n_channels, "batch": batch},
            "training_step",
            {"dim": dim, "n_channels": n_channels, "batch": batch, "history": 1},
        )
        for dim, n_channels in TRAININGS
        for batch in [batch_size(n_channels, quick)]
    ]
    case = {"work": "integration", "dim": 10, "channels": 8, "points": POINTS}
    integration = (case, "integrate", {"dim": 10, "n_channels": 8, "n": POINTS})
    return trainings[:1] if quick else [*trainings, integration]


def peaks(side: Side, threads: int) -> tuple[float, float]:
    """Largest resident memory of a fresh process with and without the work, in MiB."""
    with Worker(side, threads, fresh=True) as worker:
        return worker.do(CALLS[side.work]).peak, worker.idle_peak


def memory_row(ours: Side, peer: Side, case: Row, threads: int, rounds: int) -> Row:
    """Both sides in turn, each time in a fresh process."""
    pairs = [(peaks(ours, threads), peaks(peer, threads)) for _ in range(rounds)]
    result = row(
        case | {"threads": threads},
        [(left[0], right[0]) for left, right in pairs],
        peer.name,
        "MiB",
    )
    idle = {
        name: statistics.median(pair[i][1] for pair in pairs)
        for i, name in enumerate(("ours_idle", "peer_idle"))
    }
    return result | idle


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    rounds = 1 if options.quick else 2
    rows = [
        memory_row(our_side(work, **given), peer.side(work, **given), case, options.threads, rounds)
        for peer in installed(MADNIS)
        for case, work, given in works(options.quick)
    ]
    finish(options, "peak_memory", rows)


if __name__ == "__main__":
    main()
