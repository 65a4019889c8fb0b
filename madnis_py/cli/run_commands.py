"""Commands of a run: all stages or each by itself, its report, and gridpacks."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from madnis_py.cli.interruption import GOES_ON, watching
from madnis_py.cli.options import (
    BeginOptions,
    CardArgument,
    Details,
    Points,
    RecordJson,
    RunArgument,
    Sampler,
    Trust,
    WorkOptions,
    with_options,
)
from madnis_py.cli.output import notify, print_json, show_run, show_scan
from madnis_py.cli.runs import begun_run, begun_scan, chosen_card, opened_run, reported
from madnis_py.counts import number_of_events
from madnis_py.errors import InputError

Events = Annotated[
    int,
    typer.Option(
        "--events",
        "-n",
        metavar="N",
        parser=number_of_events,
        help="Unweighted events to write, exactly.",
    ),
]


@with_options
def run(
    card: CardArgument,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output-dir",
            metavar="DIR",
            help="Where the run goes; runs/NAME of the card if not given.",
        ),
    ] = None,
    events: Events = 10_000,
    points: Points = None,
    begin: BeginOptions,
    work: WorkOptions,
    details: Details = False,
    json_output: RecordJson = False,
) -> None:
    """Do everything: survey, train, integrate, generate.

    The same command goes on where an interrupted one stopped. Events: DIR/events.lhe.gz, figures:
    DIR/run.json. A card with lists of values, [scan], has a run for each: DIR/scan.csv.
    """
    from madnis_py.run.scans.scan_points import has_a_scan

    with watching(json_output, GOES_ON) as watch:
        chosen = chosen_card(card, begin, work)
        if has_a_scan(chosen):
            with (
                begun_scan(chosen, output, begin, work, watch) as scan,
                reported(scan.directory, json_output),
            ):
                record = scan.execute(events, points)
                watch.end()
                show_scan(record, scan.directory, json_output)
            return
        with (
            begun_run(chosen, output, begin, work, watch) as started,
            reported(started.directory.path, json_output),
        ):
            started.execute(events, points)
            watch.end()
            show_run(started, json_output, details)


@with_options
def train(
    card: CardArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output-dir", metavar="DIR", help="Where the run goes.")
    ],
    begin: BeginOptions,
    work: WorkOptions,
    json_output: RecordJson = False,
) -> None:
    """Survey the channels and train; `integrate` and `generate` go on from there."""
    with (
        watching(json_output, GOES_ON) as watch,
        begun_run(chosen_card(card, begin, work), output, begin, work, watch) as started,
        reported(output, json_output),
    ):
        with started.noting_failure():
            started.samplers()
        watch.end()
        if json_output:
            print_json(started.record.content())


@with_options
def integrate(
    directory: RunArgument,
    *,
    points: Points = None,
    work: WorkOptions,
    details: Details = False,
    json_output: RecordJson = False,
) -> None:
    """Compute the cross section of a trained run from fresh points."""
    with (
        watching(json_output, GOES_ON) as watch,
        opened_run(directory, work, watch) as opened,
        reported(directory, json_output),
    ):
        with opened.noting_failure():
            opened.integrate(points)
        watch.end()
        show_run(opened, json_output, details)


@with_options
def generate(
    directory: RunArgument,
    *,
    events: Events,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="S", help="Another seed than that of the run gives independent events.", min=0
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ends in .lhe, .lhe.gz, .h5, .hdf5, .parquet or .root; DIR/events.lhe.gz if not "
            "given.",
        ),
    ] = None,
    sampler: Sampler = None,
    work: WorkOptions,
    any_version: Annotated[
        bool,
        typer.Option(
            "--any-version", help="Also events of a run that another version of the package made."
        ),
    ] = False,
    details: Details = False,
    json_output: RecordJson = False,
) -> None:
    """Write unweighted events of a trained run to a file; what its name ends in says the format."""
    with (
        watching(json_output, GOES_ON) as watch,
        opened_run(directory, work, watch, any_version) as opened,
        reported(directory, json_output),
    ):
        with opened.noting_failure():
            opened.generate(events, output, seed, sampler)
        watch.end()
        show_run(opened, json_output, details)


def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The directory of a run or of a scan.")
    ],
    trust: Trust = False,
) -> None:
    """Write DIR/report.html: figures, pictures, warnings and what to do, in one page.

    It is made of what the run has left in its directory, and needs no network to be read.
    """
    from madnis_py.report.report_page import write_report
    from madnis_py.run.trust import Trust as Trusted
    from madnis_py.run.trust import reach_of_links

    Trusted(trust).require(directory, reach_of_links(directory))
    typer.echo(f"report in {write_report(directory)}")


def watch(
    directory: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The directory of a run or of a scan; need not be there yet."
        ),
    ],
    *,
    port: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=65535, help="Of this machine; a free one if 0."),
    ] = 0,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    trust: Trust = False,
) -> None:
    """Serve the report of a run to this machine, up to date while the run goes on.

    It prints the address of the page, and reads the files of the run without touching them. Ctrl-C
    ends it; the run goes on.
    """
    with suppress(KeyboardInterrupt):
        from madnis_py.report.live.page_server import PageServer
        from madnis_py.run.trust import Trust as Trusted
        from madnis_py.run.trust import reach_of_links

        if directory.exists() and not directory.is_dir():
            raise InputError(f"{directory}: expected the directory of a run; got a file")
        Trusted(trust).require(directory, reach_of_links(directory))
        with PageServer(directory, port) as server:
            typer.echo(f"the report of {directory} while it grows (Ctrl-C ends this page alone):")
            typer.echo(server.url)
            if open_it:
                Thread(target=_open, args=(server.invitation(),), daemon=True).start()
            server.serve_forever()


def _open(address: str) -> None:
    """Open a page in the browser of the user, which may be one in this terminal."""
    import webbrowser

    if not webbrowser.open(address):
        notify("no browser was found; the address above is the page")


@with_options
def gridpack(
    directory: RunArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .tar.gz or .tgz.")
    ],
    *,
    sampler: Sampler = None,
    work: WorkOptions,
) -> None:
    """Pack a trained run into a tarball that makes events wherever the package is installed.

    Unpacked, `./run.sh NEVENTS SEED [NTHREADS]` writes events.lhe.gz to the current directory, and
    `./runcmsgrid.sh NEVENTS SEED NCPU` writes cmsgrid_final.lhe.
    """
    with watching(False, GOES_ON) as watch, opened_run(directory, work, watch) as opened:
        packed = opened.gridpack(output, sampler)
    typer.echo(f"gridpack in {packed}")
