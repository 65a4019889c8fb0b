"""Seven refinements of VEGAS grids from the start: ours and vegas.

    OMP_NUM_THREADS=1 python benchmarks/vegas_warmup.py [--quick] [--threads N] --output FILE.json

One grid per channel, 64 bins, damping 0.7, the same mixture of Gaussians times channel weights.
Ours refines the maps of the vegas package with points of its own; vegas stratifies its hypercubes
as well and works in one process.
"""

from __future__ import annotations

from side_by_side import FULL, QUICK, VEGAS, Row, command_line, compare, finish, installed, our_side


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    grid, effort, n = (
        [(dim, n_channels) for dim in (4, 10, 16) for n_channels in (1, 8)],
        FULL,
        20_000,
    )
    if options.quick:
        grid, effort, n = [(4, 2)], QUICK, 1000
    rows = []
    for dim, n_channels in grid:
        case: Row = {"dim": dim, "channels": n_channels, "points": n, "iterations": 7}
        work = {
            "dim": dim,
            "n_channels": n_channels,
            "iterations": 7,
            "n": n,
            "bins": 64,
            "damping": 0.7,
        }
        for peer in installed(VEGAS):
            sides = our_side("vegas_warmup", **work), peer.side("vegas_warmup", **work)
            rows.append(compare(*sides, case, "us per evaluation", 1e-6, options.threads, effort))
    finish(options, "vegas_warmup", rows)


if __name__ == "__main__":
    main()
