"""One training step of ours, of madnis and of the native training of madspace.

    OMP_NUM_THREADS=1 python benchmarks/training_step.py [--quick] [--threads N] --output FILE.json

Sampling, integrand, loss, gradient and optimiser; stratified variance, Adam, networks of Tab. A.6
of the MadNIS thesis. The integrand of ours and madnis is a mixture of Gaussians, one per channel,
with their shares as channel weights. The native training of madspace has none to choose: it maps
phase space of g g > t t~ + 0, 2, 4 gluons, |M|^2 is constant, and one reading is a whole refill of
its store of 32 batches.
"""

from __future__ import annotations

from side_by_side import (
    FULL,
    GRID,
    MADNIS,
    MADSPACE,
    QUICK,
    QUICK_GRID,
    Row,
    batch_size,
    command_line,
    compare,
    finish,
    installed,
    our_side,
)


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    grid, effort, history = (QUICK_GRID, QUICK, 2) if options.quick else (GRID, FULL, 8)
    peers = installed(MADNIS, MADSPACE)
    rows = []
    for dim, n_channels in grid:
        batch = batch_size(n_channels, options.quick)
        case: Row = {"dim": dim, "channels": n_channels, "batch": batch}
        work = {"dim": dim, "n_channels": n_channels, "batch": batch, "history": history}
        for peer in peers:
            sides = our_side("training_step", **work), peer.side("training_step", **work)
            rows.append(compare(*sides, case, "ms", 1e-3, options.threads, effort))
    finish(options, "training_step", rows)


if __name__ == "__main__":
    main()
