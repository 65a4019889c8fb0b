"""Momenta from points of the unit cube, alone: ours and madspace on g g > t t~ and gluons.

    OMP_NUM_THREADS=1 python benchmarks/phase_space.py [--quick] [--threads N] --output FILE.json

Partons with their shares of two beams of 6.5 TeV, momenta and Jacobian. Topologies: "t", all
particles leave one line between the gluons, t and t~ first; "s", everything from one line, which
gives off a gluon at a time and ends in t t~. Random numbers, cuts, parton densities and matrix
elements are left out; both sides get the same points.
"""

from __future__ import annotations

from side_by_side import (
    FULL,
    MADSPACE,
    QUICK,
    Row,
    command_line,
    compare,
    finish,
    installed,
    our_side,
)

TOPOLOGIES = ("t", "s")


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    most, effort, n = (1, QUICK, 1000) if options.quick else (3, FULL, 100_000)
    rows = []
    for topology in TOPOLOGIES:
        for n_gluons in range(most + 1):
            case: Row = {
                "process": "g g > t t~" + " g" * n_gluons,
                "topology": topology,
                "points": n,
            }
            sizes = {"n_gluons": n_gluons, "topology": topology, "n": n}
            for peer in installed(MADSPACE):
                ours, theirs = our_side("phase_space", **sizes), peer.side("phase_space", **sizes)
                rows.append(
                    compare(ours, theirs, case, "us per point", 1e-6, options.threads, effort)
                )
    finish(options, "phase_space", rows)


if __name__ == "__main__":
    main()
