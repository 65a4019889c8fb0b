"""Sampling from flows and densities at given points, without gradients: ours and three others.

The others are madnis, madspace and zuko.

    OMP_NUM_THREADS=1 python benchmarks/sampling.py [--quick] [--threads N] --output FILE.json

Both return points or take them together with densities. Points are spread at random over the
channels; madspace, whose flows have one channel each, is called once per channel. zuko, whose flows
have no channels, is in the rows of one.
"""

from __future__ import annotations

from side_by_side import (
    FULL,
    GRID,
    MADNIS,
    MADSPACE,
    QUICK,
    QUICK_GRID,
    ZUKO,
    Row,
    command_line,
    compare,
    finish,
    installed,
    our_side,
)


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    grid, effort, n = ([*QUICK_GRID, (2, 1)], QUICK, 500) if options.quick else (GRID, FULL, 10_000)
    peers = installed(MADNIS, MADSPACE, ZUKO)
    rows = []
    for work in ("sample", "density"):
        for dim, n_channels in grid:
            case: Row = {"work": work, "dim": dim, "channels": n_channels, "points": n}
            channels = {"n_channels": n_channels}
            for peer in peers:
                if peer is ZUKO and n_channels > 1:
                    continue
                ours = our_side(work, dim=dim, n=n, **channels)
                theirs = peer.side(work, dim=dim, n=n, **({} if peer is ZUKO else channels))
                rows.append(
                    compare(ours, theirs, case, "us per point", 1e-6, options.threads, effort)
                )
    finish(options, "sampling", rows)


if __name__ == "__main__":
    main()
