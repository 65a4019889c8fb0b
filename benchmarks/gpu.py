"""The whole chain on a GPU: whether it is right, and how fast beside the processor of the machine.

    python benchmarks/gpu.py --output FILE.json [--device cuda:0] [--quick] [--parts PART ...]

One command, four minutes at most: every kernel against the processor, cross sections of four cards,
the same events twice, then rates, memory, the share of each kernel of the time and the bandwidth
that it reaches. `--device emulated --quick` tries all of it where there is no GPU. Rows are
written as they are made, so that nothing is lost where the command is stopped. Where a kernel has
left the GPU unusable for the process, `--parts` runs the others in a new one. The exit status is 1
if something is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gpu_correctness
import gpu_events
import gpu_rates
import results
import torch
from gpu_cards import Sizes
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from side_by_side import WIDTH, Row

from madnis_py.devices.device import Device, device_of
from madnis_py.errors import InputError, MadnisError
from madnis_py.progress import unwatched

SECONDS = 230.0
"""After which no further part begins."""


def compilation(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Time to compile all kernels, several at once; none if they are kept from before."""
    start = time.perf_counter()
    device.kernels.prepare(unwatched)
    yield {"what": "all kernels", "device": time.perf_counter() - start, "unit": "s"}


PARTS: dict[str, Callable[[Device, Sizes], Iterator[Row]]] = {
    "compilation": compilation,
    "kernels against the processor": gpu_correctness.kernels,
    "flows against the processor": gpu_correctness.flows,
    "matrix elements": gpu_rates.matrix_elements,
    "integrand": gpu_rates.integrand,
    "flows": gpu_rates.flows,
    "cross sections": gpu_events.cross_sections,
    "events twice": gpu_events.same_events,
    "unweighted events": gpu_events.rates,
    "shares of the kernels": gpu_events.shares,
    "many dijet events": gpu_events.many,
}
"""In the order of what one wants to know first."""

COLUMNS = ("what", "device", "processor", "unit", "ratio", "note")


@dataclass
class Report:
    """Rows, each written as it is made, and printed after its part.

    Attributes:
        output: the JSON file.
        facts: of the device.
        rows: so far.
    """

    output: Path
    facts: Row
    rows: list[Row] = field(default_factory=list)

    def add(self, part: str, rows: Iterator[Row], console: Console) -> None:
        """The rows of a part; its failure becomes one, and the next part begins."""
        made: list[Row] = []
        start = time.perf_counter()
        try:
            for row in rows:
                made.append(row)
                self._write(part, row)
        except MadnisError as error:
            made.append({"what": part, "ok": False, "note": error.sentence})
            self._write(part, made[-1])
        except Exception as error:  # of a driver, which the other parts may not meet
            console.print_exception(max_frames=8)
            made.append({"what": part, "ok": False, "note": repr(error)})
            self._write(part, made[-1])
        seconds = time.perf_counter() - start
        console.print(f"[bold]{part}[/] ({seconds:.1f} s)", table(made))

    def _write(self, part: str, row: Row) -> None:
        self.rows.append({"part": part, **row})
        results.write(self.output, "gpu", self.rows, **self.facts)

    @property
    def wrong(self) -> list[Row]:
        """Rows of what is not as it should be."""
        return [row for row in self.rows if row.get("ok") is False]


def table(rows: Sequence[Row]) -> Table:
    """Rows for a terminal, those that are wrong in red."""
    shown = [name for name in COLUMNS if any(name in row for row in rows)]
    result = Table(*shown, box=SIMPLE_HEAD)
    for row in rows:
        cells = (row.get(name, "") for name in shown)
        style = "red" if row.get("ok") is False else None
        result.add_row(*(_text(cell) for cell in cells), style=style)
    return result


def _text(cell: object) -> str:
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def facts_of(device: Device) -> Row:
    """Name and memory of a GPU, versions of driver and compiler."""
    if device.torch_device.type != "cuda":
        return {"device": device.name}
    properties = torch.cuda.get_device_properties(device.torch_device)
    return {
        "device": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "date": time.strftime("%Y-%m-%d"),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all parts; 1 if one of them shows something wrong, 2 without the device."""
    parser = results.command_line(str(__doc__))
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, ... or emulated")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS], metavar="PART")
    options = parser.parse_args(arguments)
    console = Console(width=WIDTH)
    try:
        device = device_of(options.device)
        if device is None:
            raise InputError("device: expected cuda, cuda:1, ... or emulated; got 'cpu'")
    except MadnisError as error:
        console.print(f"gpu: {error.sentence}")
        return error.exit_status
    sizes = Sizes.quick() if options.quick else Sizes.full()
    report, start = Report(options.output, facts_of(device)), time.perf_counter()
    for part in options.parts:
        if time.perf_counter() - start > SECONDS:
            report.rows.append({"part": part, "ok": False, "note": "left out: no time"})
            continue
        report.add(part, PARTS[part](device, sizes), console)
    seconds = time.perf_counter() - start
    console.print(f"{len(report.wrong)} of {len(report.rows)} rows are wrong; {seconds:.0f} s")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
