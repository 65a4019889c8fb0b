"""Writing and reading files of six-particle events, ours beside pylhe, and our largest memory.

    OMP_NUM_THREADS=1 python benchmarks/event_files.py [--quick] [--threads N] --output FILE.json

Times are per event; ours contain the look at every event that it is sound. `memory` has the largest
resident memory of fresh processes that write files of different lengths, interpreter and libraries
included, and what they had needed before.
"""

from __future__ import annotations

from typing import Any

from side_by_side import FULL, QUICK, Program, Row, command_line, compare, finish, installed
from workers import Side, Worker

import madnis_py

PYLHE = Program("pylhe", "pylhe_side")
SUFFIXES = (".lhe", ".lhe.gz", ".h5", ".parquet")
VARIATIONS = 100
"""Of the rows with many weights."""

EVENTS, QUICK_EVENTS = (100_000, 2_000), (200, 50)
"""Of a file of ours and of pylhe's, which is slow."""

LENGTHS, QUICK_LENGTHS = (100_000, 1_000_000), (1_000,)
"""Files whose memory is compared, in events."""


def our_side(work: str, **arguments: Any) -> Side:
    """This package at work; see `Side`."""
    return Side(f"madnis_py {madnis_py.__version__}", "our_files_side", work, arguments)


def cases(quick: bool) -> list[Row]:
    """What is compared."""
    plain = [
        {"work": work, "format": suffix, "weights": 0}
        for work in ("write", "read")
        for suffix in SUFFIXES
    ]
    many = [{"work": work, "format": ".lhe", "weights": VARIATIONS} for work in ("write", "read")]
    return plain[1:2] if quick else [*plain, *many]


def file_row(peer: Program, case: Row, threads: int, quick: bool) -> Row:
    """Ours beside the peer's, both on files that take about as long."""
    ours, theirs = QUICK_EVENTS if quick else EVENTS
    given = {"suffix": case["format"], "variations": case["weights"]}
    fewer = 10 if case["weights"] else 1
    row = compare(
        our_side(case["work"], **given, n=ours // fewer),
        peer.side(case["work"], **given, n=theirs // fewer),
        case,
        "us/event",
        1e-6,
        threads,
        QUICK if quick else FULL,
    )
    return row | ({"events_per_second": 1e6 / row["ours"]} if row.get("ours") else {})


def memory(suffix: str, length: int, threads: int) -> Row:
    """Largest resident memory while a file of so many events is written, in MiB."""
    with Worker(
        our_side("write", suffix=suffix, variations=0, n=length), threads, fresh=True
    ) as worker:
        return {
            "format": suffix,
            "events": length,
            "peak": worker.do(1).peak,
            "idle": worker.idle_peak,
        }


def main(arguments: list[str] | None = None) -> None:
    """Measure, write and print."""
    options = command_line(__doc__.splitlines()[0]).parse_args(arguments)
    rows = [
        file_row(peer, case, options.threads, options.quick)
        for peer in installed(PYLHE)
        for case in cases(options.quick)
    ]
    lengths = QUICK_LENGTHS if options.quick else LENGTHS
    suffixes = SUFFIXES[1:2] if options.quick else SUFFIXES
    peaks = [memory(suffix, length, options.threads) for suffix in suffixes for length in lengths]
    finish(options, "event_files", rows, memory=peaks)
    for one in peaks:
        print("{format:<8} {events:>9} events: {peak:.0f} MiB, {idle:.0f} before".format(**one))


if __name__ == "__main__":
    main()
