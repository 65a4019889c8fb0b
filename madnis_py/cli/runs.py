"""Runs that a command begins or goes on with: their card, their directory, their executor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from madnis_py.cli.options import BeginOptions, WorkOptions
from madnis_py.cli.output import notify
from madnis_py.errors import InputError, MadnisError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from madnis_py.card.card import Card
    from madnis_py.card.tables import ClusterTable
    from madnis_py.progress import Watch
    from madnis_py.run.abstract_run import AbstractRun
    from madnis_py.run.scans.scan import Scan


def chosen_card(card: str, options: BeginOptions, work: WorkOptions) -> Card:
    """The card of a new run.

    Args:
        card: file or name.
        options: what the run is.
        work: how it is worked on.
    """
    chosen = named_card(card, work.trust)
    if options.preset is not None:
        chosen = chosen.updated({"training": {"preset": options.preset}})
    if options.allow_divergent:
        chosen = chosen.updated({"process": {"allow_divergent": True}})
    return chosen


@contextmanager
def begun_run(
    card: Card, output: Path | None, options: BeginOptions, work: WorkOptions, watch: Watch
) -> Iterator[AbstractRun]:
    """A new run, or the one in its directory.

    Args:
        card: of the run.
        output: directory; runs/NAME of the card if None.
        options: what the run is.
        work: how it is worked on.
        watch: called with its progress.
    """
    with _executor(work, card.cluster) as executor:
        yield _run(card, _directory(card, output), options, work, executor, watch)


@contextmanager
def begun_scan(
    card: Card, output: Path | None, options: BeginOptions, work: WorkOptions, watch: Watch
) -> Iterator[Scan]:
    """The scan of a card with lists of values, new or in its directory; see `begun_run`."""
    from madnis_py.run.scans.scan import Scan

    with _executor(work, card.cluster) as executor:

        def begin(point: Card, directory: Path, watch: Watch) -> AbstractRun:
            return _run(point, directory, options, work, executor, watch)

        yield Scan(card, _directory(card, output), begin, watch)


def _directory(card: Card, output: Path | None) -> Path:
    return output or Path("runs") / Path(card.source).stem


def _run(
    card: Card,
    directory: Path,
    options: BeginOptions,
    work: WorkOptions,
    executor: Executor | None,
    watch: Watch,
) -> AbstractRun:
    from madnis_py.run.display.outlook import to_be_built

    watch(to_be_built(card))
    from madnis_py.run.directory import RunDirectory
    from madnis_py.run.samples.any_run import begin_run

    return begin_run(
        card,
        RunDirectory(directory, work.wait),
        options.seed,
        method=options.method,
        device=options.device,
        executor=executor,
        watch=watch,
    )


@contextmanager
def opened_run(
    directory: Path, work: WorkOptions, watch: Watch, any_version: bool = False
) -> Iterator[AbstractRun]:
    """The run of a directory; its card may ask for workers, once the directory is trusted.

    Args:
        directory: of the run.
        work: how it is worked on.
        watch: called with its progress.
        any_version: also a run of another version of the package.
    """
    from madnis_py.run.samples.any_run import open_run

    opened = open_run(
        directory, watch=watch, any_version=any_version, trust=work.trust, wait=work.wait
    )
    with opened.executed_by(lambda cluster: _executor(work, cluster)):
        yield opened


@contextmanager
def reported(directory: Path, quiet: bool) -> Iterator[None]:
    """After this block the report of a run is that of its present state, also if the block failed.

    Arguments are those of `refresh_report`.
    """
    try:
        yield
    except InputError:  # what was asked for was wrong, and the run is as it was
        raise
    except Exception:
        refresh_report(directory, quiet=True)
        raise
    refresh_report(directory, quiet)


def refresh_report(directory: Path, quiet: bool) -> None:
    """Write the report of a run as it is now; what is in the way of it is said, and no error.

    Args:
        directory: of the run or scan.
        quiet: whether standard output belongs to JSON.
    """
    from madnis_py.report.report_page import write_report

    try:
        path = write_report(directory)
    except MadnisError as error:
        notify(f"no report: {error}")
        return
    if not quiet:
        typer.echo(f"report in {path}")


def _executor(work: WorkOptions, cluster: ClusterTable) -> AbstractContextManager[Executor | None]:
    from madnis_py.parallel.executors import ExecutorChoice

    return ExecutorChoice(work.scheduler, work.workers, work.threads).open(cluster, notify)


def named_card(path_or_name: str, trust: bool) -> Card:
    """A card that the user names, see `card_for`.

    What it loads is written to standard error; of the card of a run directory it is asked for.
    """
    from madnis_py.run.directory import RunDirectory
    from madnis_py.run.trust import Trust, reach_of_card, reach_of_directory

    card, files = card_for(path_or_name), RunDirectory(Path(path_or_name).parent)
    if Path(path_or_name).name == files.card_file.name and files.record_file.exists():
        Trust(trust).require(files.path, reach_of_directory(files.path, card))
        return card
    for reach in reach_of_card(card):
        notify(f"{card.source} names {reach.words}")
    return card


def card_for(text: str) -> Card:
    """The card of a file, a shipped one, or the one that is proposed for a process.

    What was chosen for a process is written to standard error.

    Args:
        text: file, name, or a process such as "p p > z j".
    """
    from madnis_py.card import card as cards
    from madnis_py.physics.divergences.proposed_card import choices_of, name_of, proposed_card

    if ">" not in text:
        return cards.load(text)
    card = proposed_card([text], name_of(text))
    notify(f"chosen for {text}: {choices_of(card)} (`madnis-py new` writes a card to change)")
    return card


def card_in_file(events: Path) -> Card:
    """The card that a file of events was made with, from its header.

    Raises:
        InputError: the file is damaged, or there is no card in it that stands for itself.
    """
    from madnis_py.card.card import Card, parse_toml
    from madnis_py.events.files.formats import open_events
    from madnis_py.events.les_houches.lhe_header import CARD_BLOCK

    text = open_events(events).header.blocks.get(CARD_BLOCK)
    if text is None:
        expected = "expected the card that the events were made with in the header"
        raise InputError(f"{events}: {expected}; got none (--of names it)")
    card = Card.parse(parse_toml(text, events.name), f"the card in {events.name}")
    if card.parameters.param_card is not None:
        raise card.error("parameters.param_card", "expected no other file in a header (--of)")
    return card
