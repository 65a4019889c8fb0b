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

    from madnis_py.run.abstract_run import AbstractRun
    from madnis_py.run.scans.scan_record import ScanRecord


def console(stderr: bool = False) -> Console:
    """A terminal that knows tables."""
    from rich.console import Console

    return Console(stderr=stderr)


def notify(sentence: str) -> None:
    """Write what the user should know, whatever comes of the command."""
    sys.stderr.write(f"madnis-py: {sentence}\n")


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


def show_run(finished: AbstractRun, as_json: bool) -> None:
    """Print the tables and sentences of a run, or its record."""
    from madnis_py.run import report

    if as_json:
        print_json(finished.record.content())
        return
    record, directory, terminal = finished.outcome, finished.directory.path, console()
    for table in report.tables(record):
        terminal.print(table)
    for sentence in (
        *report.conclusions(record),
        *report.generated_events(record, directory),
        *report.better_sampler(record, directory),
    ):
        terminal.print(sentence, soft_wrap=True, highlight=False)


def show_scan(record: ScanRecord, directory: Path, as_json: bool) -> None:
    """Print the table of a scan, or its record."""
    from madnis_py.run.scans.scan_report import scan_table

    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    terminal = console()
    terminal.print(scan_table(record))
    place = f"table in {directory / 'scan.csv'}, runs in {directory}/point_1, ..."
    terminal.print(place, soft_wrap=True, highlight=False)
