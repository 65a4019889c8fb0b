"""The commands of `madnis-py`, in the order of its help; errors become sentences and statuses."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from madnis_py import __version__
from madnis_py.cli import (
    event_commands,
    info_commands,
    model_commands,
    process_commands,
    run_commands,
    shower_command,
    widths_command,
)
from madnis_py.errors import MadnisError, from_surroundings

app = typer.Typer(
    name="madnis-py",
    help="Cross sections and unweighted events for the LHC, sampled by neural channel weights and "
    "spline flows.",
    epilog="Start with: madnis-py run drell_yan -o my_run --events 10000",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run_commands.run)
app.command()(run_commands.train)
app.command()(run_commands.integrate)
app.command()(run_commands.generate)
app.command()(run_commands.report)
app.command()(run_commands.watch)
app.command()(run_commands.gridpack)
app.command()(event_commands.convert)
app.command()(event_commands.merge)
app.command()(event_commands.reweight)
app.command()(shower_command.shower)
app.command()(process_commands.new)
app.command()(process_commands.import_card)
app.command()(event_commands.histograms)
app.command()(event_commands.verify)
app.command()(process_commands.evaluate)
app.command()(process_commands.diagrams)
app.command()(widths_command.widths)
app.command()(process_commands.export_umami)
app.command()(process_commands.processes)
app.command()(info_commands.info)
app.command()(info_commands.schema)

pdf_app = typer.Typer(help="Parton densities.", no_args_is_help=True)
pdf_app.command("list")(info_commands.pdf_list)
pdf_app.command("install")(info_commands.pdf_install)
app.add_typer(pdf_app, name="pdf")

model_app = typer.Typer(help="Models.", no_args_is_help=True)
model_app.command("list")(model_commands.model_list)
model_app.command("show")(model_commands.model_show)
app.add_typer(model_app, name="model")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"madnis-py {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Cross sections and unweighted events for the LHC.

    Sampled by neural channel weights and spline flows.
    """


def main() -> None:
    """Entry point of `madnis-py`; an error ends in one sentence and its exit status."""
    try:
        app()
    except Exception as error:
        known = error if isinstance(error, MadnisError) else from_surroundings(error)
        if known is None:
            raise
        sys.stderr.write(f"madnis-py: {known.sentence}\n")
        sys.exit(known.exit_status)
