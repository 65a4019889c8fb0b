"""Commands about the installation: versions, parton densities, schemas of files."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from madnis_py.cli.options import TableJson
from madnis_py.cli.output import console, print_json


def info(json_output: TableJson = False) -> None:
    """Tell versions, instruction set, threads and where parton densities are looked for."""
    from madnis_py.physics.pdf.pdf_sets import search_folders
    from madnis_py.run.versions import versions

    facts = {**versions(), "pdf search path": [str(folder) for folder in search_folders()]}
    if json_output:
        print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:<18} {value if isinstance(value, str) else ', '.join(value)}")


def pdf_list(json_output: TableJson = False) -> None:
    """List the parton densities that are found."""
    from rich.table import Table

    from madnis_py.physics.pdf.pdf_sets import available_sets

    sets = available_sets()
    if json_output:
        print_json(
            [{"name": one.name, "lhapdf_id": one.lhapdf_id, "path": str(one.path)} for one in sets]
        )
        return
    table = Table("name", "LHAPDF id", "folder", box=None)
    for one in sets:
        table.add_row(one.name, str(one.lhapdf_id), str(one.path))
    console().print(table)


def schema(
    document: Annotated[
        Literal["run", "card"],
        typer.Argument(metavar="run|card", help="run.json of a run directory, or a process card."),
    ],
) -> None:
    """Print the JSON schema of a file, with a sentence for every key."""
    from madnis_py.run.schema import schema_of

    print_json(schema_of(document))
