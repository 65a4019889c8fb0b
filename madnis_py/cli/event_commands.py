"""Commands about events: other formats, distributions, and whether files are what they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from madnis_py.card.choices import Kept, PictureFormat
from madnis_py.cli.interruption import GOES_ON, watching
from madnis_py.cli.options import Threads, Trust, WorkOptions, with_options
from madnis_py.cli.output import console, print_json, print_table
from madnis_py.cli.runs import card_in_file, opened_run, refresh_report
from madnis_py.counts import number_of_points


def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Events of this program or another one.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The new file.")],
    threads: Threads = None,
) -> None:
    """Write the events of a file in another format.

    .lhe, .lhe.gz, .h5, .hdf5, .parquet or .root.
    """
    from madnis_py.events.exchange import conversion
    from madnis_py.parallel.executors import thread_executor

    with watching(False, "nothing was written") as watch, thread_executor(threads):
        done = conversion.convert(source, target, watch)
    _tell_events(done.events, target, done.left_out)


def _tell_events(events: int, target: Path, left_out: Sequence[str]) -> None:
    typer.echo(f"{events} events in {target}")
    if left_out:
        typer.echo(f"left out: {', '.join(left_out)}")


def merge(
    sources: Annotated[
        list[Path], typer.Argument(metavar="EVENTFILE...", help="Two files of events or more.")
    ],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The new file.")],
    add: Annotated[
        bool,
        typer.Option(
            "--add",
            help="The files are samples of different processes, whose cross sections add up; else "
            "they are samples of the same ones.",
        ),
    ] = False,
    threads: Threads = None,
) -> None:
    """Join files of events into one, with the cross section and error of all of them.

    Any formats that `convert` knows.
    """
    from madnis_py.events.exchange.joined_files import join_files
    from madnis_py.parallel.executors import thread_executor

    with watching(False, "nothing was written") as watch, thread_executor(threads):
        done = join_files(sources, target, "different" if add else "same", watch)
    _tell_events(done.events, target, done.left_out)
    typer.echo(done.integral)
    for source, factor in zip(sources, done.factors, strict=True):
        if factor != 1.0:
            typer.echo(f"weights of {source} times {factor:.6g}")


def reweight(
    source: Annotated[
        Path, typer.Argument(metavar="EVENTFILE", help="Events of this program or another one.")
    ],
    card: Annotated[
        Path, typer.Option("--card", metavar="OTHER.toml", help="What to weight the events for.")
    ],
    target: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The new file.")],
    of: Annotated[
        Path | None,
        typer.Option(
            "--of",
            metavar="CARD.toml",
            help="What the events were made with; the card in the file if not given.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of the weight; that of OTHER.toml if not given."),
    ] = None,
    kept: Annotated[
        Kept,
        typer.Option(
            "--keep", help="Take |M|^2 for the helicities, or the colour flow, of each event alone."
        ),
    ] = "nothing",
    trust: Trust = False,
    threads: Threads = None,
) -> None:
    """Add a weight for other parameters or another model to every event.

    It is the weight of the event times the ratio of the squared matrix elements.
    """
    from madnis_py.card import card as cards
    from madnis_py.events.exchange.reweighting import Hypothesis, Reweighting, reweight_file
    from madnis_py.parallel.executors import thread_executor
    from madnis_py.run.trust import Trust as Trusted
    from madnis_py.run.trust import reach_of_card

    before = cards.load(of) if of else card_in_file(source)
    if of is None:
        Trusted(trust).require(source, reach_of_card(before))
    reweighting = Reweighting(
        Hypothesis.from_card(before, before.source),
        Hypothesis.from_card(cards.load(card), card.name),
        kept,
    )
    with watching(False, "nothing was written") as watch, thread_executor(threads):
        done = reweight_file(source, target, reweighting, name or card.stem, watch)
    _tell_events(done.events, target, done.left_out)
    typer.echo(f"{done.integral} for {card.name}")
    typer.echo(
        f"as many as {done.n_eff:.4g} events of equal weights; the largest weight has "
        f"{100 * done.largest:.2g} % of the cross section"
    )


@with_options
def histograms(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|EVENTFILE", help="The directory of a run, or a file of events."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output-dir",
            metavar="FOLDER",
            help="Where the pictures go; DIR/histograms, or EVENTFILE_histograms, if not given.",
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=number_of_points,
            help="Weighted points of a run; 200,000 if not given.",
        ),
    ] = None,
    picture: Annotated[PictureFormat, typer.Option("--format", help="Kind of pictures.")] = "svg",
    work: WorkOptions,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the content of histograms.json.")
    ] = False,
) -> None:
    """Draw distributions: of weighted points and the events of a run, or of an event file.

    Which, and with which bins, follows from the process and from the table [histograms] of its
    card.
    """
    from madnis_py.events.histograms.pictures import require_pictures
    from madnis_py.run.closing_table import distribution_table
    from madnis_py.run.stages.distributions import (
        HISTOGRAM_POINTS,
        default_folder,
        distributions_of_file,
    )

    require_pictures()
    folder = output or default_folder(source)
    with watching(json_output, GOES_ON) as watch:
        if source.is_dir():
            with opened_run(source, work, watch) as opened:
                found = opened.histograms(points or HISTOGRAM_POINTS)
        else:
            found = distributions_of_file(source, watch)
        found.write(folder, picture, watch)
    if found.left_out:
        typer.echo(f"left out: {', '.join(found.left_out)}", err=True)
    if json_output:
        print_json(found.record())
    else:
        print_table(distribution_table(found))
        console().print(f"pictures and numbers in {folder}", soft_wrap=True, highlight=False)
    if source.is_dir() and output is None:
        refresh_report(source, json_output)


def verify(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|EVENTFILE...", help="Directories of runs, and files of events."
        ),
    ],
    threads: Threads = None,
    trust: Trust = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON.")
    ] = False,
) -> None:
    """Check runs and event files: whole, usable by a shower, with the right weights?

    Exit status 1 if something is wrong; each fault is a sentence.
    """
    from madnis_py.parallel.executors import thread_executor
    from madnis_py.run.verification.event_file_verification import verify_events
    from madnis_py.run.verification.scan_verification import verify_directory

    with watching(json_output, "nothing was changed") as watch, thread_executor(threads):
        found = [
            verify_directory(source, watch, trust)
            if source.is_dir()
            else verify_events(source, watch)
            for source in sources
        ]
    if json_output:
        print_json([one.record() for one in found])
    else:
        for one in found:
            typer.echo(one.summary)
    faults = [fault for one in found for fault in one.faults]
    for fault in faults:
        typer.echo(f"madnis-py: {fault}", err=True)
    if faults:
        raise typer.Exit(1)
