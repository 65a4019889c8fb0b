"""Ours and a peer on the same work in turn: rounds, ratios, rows and the table that is printed."""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import results
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from workers import Side, Usage, Worker, WorkerError

import madnis_py

Row = dict[str, Any]

DIMS = (4, 10, 16)
CHANNELS = (1, 8, 48)
GRID = [(dim, n_channels) for dim in DIMS for n_channels in CHANNELS]
"""Dimensions and channels of the benchmarks of the MadNIS thesis."""

QUICK_GRID = [(4, 2)]

LONG = 2.0
"""Seconds of a round from which on there are fewer."""

FEWEST_ROUNDS = 2

WIDTH = 140
"""Of the printed table."""

ATTEMPTS = 3
"""How often a peer may fail before its row is given up."""


def batch_size(n_channels: int, quick: bool) -> int:
    """Points per training batch, min(200 n_c^0.8, 10000)."""
    return 100 if quick else min(int(200 * n_channels**0.8), 10_000)


@dataclass(frozen=True)
class Program:
    """Something that can do the work.

    Attributes:
        package: as it is installed.
        module: of the benchmarks, drives the package.
        limit: seconds that a reply of it may take.
    """

    package: str
    module: str
    limit: float = 300.0

    @property
    def name(self) -> str:
        """Package and version."""
        return version_name(self.package)

    def side(self, work: str, **arguments: Any) -> Side:
        """This program at work; see `Side`."""
        return Side(self.name, self.module, work, arguments, self.limit)


MADNIS = Program("madnis", "madnis_side")
MADSPACE = Program("madspace", "madspace_side", limit=100.0)
VEGAS = Program("vegas", "vegas_side")
ZUKO = Program("zuko", "zuko_side")


def version_name(package: str) -> str:
    """An installed package and its version."""
    return f"{package} {version(package)}"


def our_side(work: str, **arguments: Any) -> Side:
    """This package at work; see `Side`."""
    return Side(f"madnis_py {madnis_py.__version__}", "our_side", work, arguments)


def installed(*programs: Program) -> list[Program]:
    """Those that are here; says which are not."""
    return [program for program in programs if is_installed(program.package)]


def is_installed(package: str) -> bool:
    """Whether a package is here; says so if it is not."""
    try:
        version(package)
    except PackageNotFoundError:
        Console(stderr=True).print(
            f"{package} is not installed: its rows are left out; the extra 'bench' brings it"
        )
        return False
    return True


@dataclass(frozen=True)
class Effort:
    """How long it is looked at.

    Attributes:
        rounds: times that either side is measured; `FEWEST_ROUNDS` if that takes long.
        seconds: wall time of one measurement at least, as long as one call is shorter.
    """

    rounds: int
    seconds: float

    def rounds_of(self, seconds: float) -> int:
        """Rounds when one takes so many seconds."""
        return self.rounds if seconds < LONG else min(self.rounds, FEWEST_ROUNDS)


FULL = Effort(rounds=5, seconds=0.15)
QUICK = Effort(rounds=2, seconds=0.0)


def command_line(description: str) -> argparse.ArgumentParser:
    """The options of a comparison: those of all benchmarks, and `--threads N`."""
    parser = results.command_line(description)
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="threads that either side may use"
    )
    return parser


def compare(
    ours: Side, peer: Side, case: Row, unit: str, scale: float, threads: int, effort: Effort
) -> Row:
    """Measure both sides in turn, each in a process of its own.

    Args:
        ours: this package.
        peer: the other one. It may fail `ATTEMPTS` times, after that the row says so in `failed`.
        case: what tells this row from others.
        unit: of the figures.
        scale: the unit in seconds per unit of work.
        threads: that either side may use. Processor time counts for one, which other programs on
            the machine hardly change; for more the clock counts.
        effort: how long it is looked at.

    Raises:
        WorkerError: ours failed.
    """
    failures: list[str] = []
    while len(failures) < ATTEMPTS:
        with ExitStack() as stack:
            left = stack.enter_context(Worker(ours, threads))
            try:
                pairs = list(_rounds(left, stack.enter_context(Worker(peer, threads)), effort))
            except WorkerError as failure:
                if failure.side is ours:
                    raise
                failures.append(str(failure))
                continue
        return timed_row(case | {"threads": threads}, pairs, peer.name, unit, scale, failures)
    return failed_row(case | {"threads": threads}, peer.name, unit, failures)


def _rounds(ours: Worker, peer: Worker, effort: Effort) -> Iterator[tuple[Usage, Usage]]:
    once = [worker.do(1).wall for worker in (ours, peer)]
    calls = [max(1, round(effort.seconds / seconds)) for seconds in once]
    for _ in range(effort.rounds_of(sum(max(effort.seconds, seconds) for seconds in once))):
        yield ours.do(calls[0]), peer.do(calls[1])


def timed_row(
    case: Row,
    pairs: Sequence[tuple[Usage, Usage]],
    peer_name: str,
    unit: str,
    scale: float,
    failures: Sequence[str] = (),
) -> Row:
    """A row of times per unit of work; see `compare`."""
    by_clock = {
        clock: [
            (ours.seconds_per_unit(clock) / scale, peer.seconds_per_unit(clock) / scale)
            for ours, peer in pairs
        ]
        for clock in ("process", "wall")
    }
    clock = "process" if case["threads"] == 1 else "wall"
    result = row(case, by_clock[clock], peer_name, unit) | {"clock": clock}
    for name, both in by_clock.items():
        result[f"ours_{name}"], result[f"peer_{name}"] = _medians(both)
    return result | ({"failed": list(failures)} if failures else {})


def row(case: Row, pairs: Sequence[tuple[float, float]], peer_name: str, unit: str) -> Row:
    """A row of figures of which the smaller is the better.

    Args:
        case: what tells this row from others.
        pairs: ours and the peer's, one pair per round.
        peer_name: with version.
        unit: of the figures.
    """
    ratios = sorted(peer / ours for ours, peer in pairs)
    ours, peer = _medians(pairs)
    return {
        "case": case,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": statistics.median(ratios),
        "spread": [ratios[0], ratios[-1]],
        "rounds": len(ratios),
    }


def failed_row(case: Row, peer_name: str, unit: str, failures: Sequence[str]) -> Row:
    """The row of a peer that could not do the work."""
    nothing = dict.fromkeys(("ours", "peer", "ratio", "spread"))
    return {"case": case, "peer_name": peer_name, "unit": unit, **nothing, "failed": list(failures)}


def _medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    ours, peer = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(peer)


def finish(options: argparse.Namespace, benchmark: str, rows: Sequence[Row], **facts: Any) -> None:
    """Write the rows and print them."""
    load = os.getloadavg()[0]
    results.write(options.output, benchmark, rows, quick=options.quick, load_average=load, **facts)
    if rows:
        Console(width=WIDTH).print(table(benchmark, rows))


def table(benchmark: str, rows: Sequence[Row]) -> Table:
    """The rows as they are printed."""
    names = list(dict.fromkeys(name for row in rows for name in row["case"]))
    printed = Table(
        title=f"{benchmark} (ratio: peer / ours)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1),
    )
    for name in [*names, "ours", "peer", "unit", "peer is", "ratio", "spread"]:
        printed.add_column(
            name, justify="left" if name in ("unit", "peer is") else "right", no_wrap=True
        )
    for row in rows:
        printed.add_row(*(str(row["case"].get(name, "")) for name in names), *_figures(row))
    return printed


def _figures(row: Row) -> list[str]:
    if row["ratio"] is None:
        return ["", "", row["unit"], row["peer_name"], "failed", ""]
    low, high = row["spread"]
    ours, peer = f"{row['ours']:.4g}", f"{row['peer']:.4g}"
    return [
        ours,
        peer,
        row["unit"],
        row["peer_name"],
        f"{row['ratio']:.2f}",
        f"{low:.2f}..{high:.2f}",
    ]
