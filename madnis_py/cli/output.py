"""Output of commands, and input that is JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from madnis_py.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table

    from madnis_py.run.abstract_run import AbstractRun
    from madnis_py.run.scans.scan_record import ScanRecord


def console(stderr: bool = False) -> Console:
    """A terminal that knows tables."""
    from rich.console import Console

    return Console(stderr=stderr)


def notify(sentence: str) -> None:
    """Write what the user should know, whatever comes of the command."""
    sys.stderr.write(f"madnis-py: {sentence}\n")


def print_table(table: Table) -> None:
    """Print the title of a table, and the table without cutting figures, columns set to the right.

    In a narrow terminal the words beside them go on in the next line, and then the frame goes;
    where this is not enough, lines are longer than the terminal is wide. Elsewhere every row is one
    line.
    """
    from rich.cells import cell_len

    for line in str(table.title or "").splitlines():
        print_sentence(line)
    table.title = None
    for column in table.columns:
        if column.justify == "right":
            column.no_wrap = True
            column.min_width = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        else:
            column.overflow = "fold"
    terminal = console()
    if not terminal.is_terminal:
        terminal.width = max(terminal.width, _width(terminal, table).maximum)
    elif terminal.width < _width(terminal, table).minimum:
        table.box, table.pad_edge, table.collapse_padding = None, False, True
        terminal.width = max(terminal.width, _width(terminal, table).minimum)
    terminal.print(table)


def _width(terminal: Console, table: Table) -> Measurement:
    """Columns that a table takes at least, and without another line for any cell."""
    from rich.measure import Measurement

    return Measurement.get(terminal, terminal.options.update(max_width=sys.maxsize), table)


def print_json(content: Any) -> None:
    """Print plain Python values as JSON."""
    typer.echo(json.dumps(content, indent=2))


def read_json(path: Path) -> Any:
    """The values in a JSON file.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise InputError(f"{path}: expected JSON; got too many levels") from None
    except ValueError as error:
        raise InputError(f"{path}: expected JSON; got: {error}") from None


def show_run(finished: AbstractRun, as_json: bool, details: bool = False) -> None:
    """Print the tables and sentences of a run, or its record.

    Args:
        finished: the run.
        as_json: print its record.
        details: also figures that explain the others.
    """
    from madnis_py.run import closing_table

    if as_json:
        print_json(finished.record.content())
        return
    record, directory = finished.outcome, finished.directory.path
    for table in closing_table.tables(record, details):
        print_table(table)
    for sentence in (
        *closing_table.conclusions(record, details),
        *closing_table.generated_events(record, directory),
    ):
        print_sentence(sentence)
    for sentence in closing_table.better_sampler(record, directory):
        print_whole(sentence)
    for purpose, command in closing_table.next_steps(record, directory).items():
        print_sentence(f"{purpose}: ", end="")
        print_whole(command)


def print_sentence(sentence: str, end: str = "\n") -> None:
    """Print words, those that do not fit into a line of a terminal in the next one."""
    from rich.text import Text

    terminal = console()
    terminal.print(Text(sentence), end=end, soft_wrap=not terminal.is_terminal)


def print_whole(text: str) -> None:
    """Print what is to be copied, such as a command, without breaks of ours."""
    console().print(text, soft_wrap=True, highlight=False, markup=False)


def show_scan(record: ScanRecord, directory: Path, as_json: bool) -> None:
    """Print the table of a scan, or its record."""
    from madnis_py.run.scans.scan_report import scan_table

    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    print_table(scan_table(record))
    place = f"table in {directory / 'scan.csv'}, runs in {directory}/point_1, ..."
    console().print(place, soft_wrap=True, highlight=False)
