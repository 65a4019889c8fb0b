"""Command that showers events with Pythia."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madnis_py.cli.interruption import GOES_ON, watching
from madnis_py.cli.output import console
from madnis_py.counts import number_of_points

if TYPE_CHECKING:
    from concurrent.futures import Executor


def shower(
    source: Annotated[
        Path,
        typer.Argument(metavar="DIR|EVENTFILE", help="A run with events, or a file of events."),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="Ends in .hepmc or .hepmc.gz."),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="'KEY = VALUE'", help="A setting of Pythia; as often as needed."
        ),
    ] = None,
    settings_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings of Pythia, one per line; --set comes after."),
    ] = None,
    events: Annotated[
        int | None,
        typer.Option(
            "--events",
            "-n",
            metavar="N",
            parser=number_of_points,
            help="The first N events; all if not given.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of Pythia.", min=0)] = 1,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes; one per core if not given.", min=1)
    ] = None,
) -> None:
    """Shower events with Pythia: multiple interactions, hadronisation and decays, to HepMC3.

    The same command goes on where an interrupted one stopped; the file is the same for any number
    of processes.
    """
    from madnis_py.events.showers.shower import Shower
    from madnis_py.events.showers.shower_settings import ShowerSettings, settings_of_file

    count = workers or os.cpu_count() or 1
    lines = (*(settings_of_file(settings_file) if settings_file else ()), *(settings or ()))
    with watching(False, GOES_ON) as watch, _processes(count) as executor:
        made = Shower(ShowerSettings(lines, seed), executor, 2 * count, watch).run(
            _events_of(source), output, events
        )
    terminal = console()
    terminal.print(f"{made.accepted} events in {output}", soft_wrap=True, highlight=False)
    terminal.print(f"sigma = {made.cross_section:.6g} +- {made.error:.2g} pb", highlight=False)
    if vetoed := made.events - made.failed - made.accepted:
        terminal.print(f"{vetoed} of {made.events} events vetoed", highlight=False)
    if made.failed:
        terminal.print(f"{made.failed} events given up by Pythia", highlight=False)


def _processes(count: int) -> AbstractContextManager[Executor | None]:
    from madnis_py.parallel.executors import process_executor

    return nullcontext() if count == 1 else process_executor(count)


def _events_of(source: Path) -> Path:
    """The file of events, that of a run by default."""
    from madnis_py.errors import InputError

    if not source.is_dir():
        return source
    path = source / "events.lhe.gz"
    if not path.is_file():
        advice = "`madnis-py generate` makes some"
        raise InputError(f"{source}: expected events in {path.name}; {advice}")
    return path
