"""Commands about the installation: versions, parton densities, schemas of files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from madnis_py.cli.interruption import GOES_ON, watching
from madnis_py.cli.options import TableJson
from madnis_py.cli.output import print_json, print_table


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
    print_table(table)


def pdf_install(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of a set, as LHAPDF calls it.")],
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the folder NAME goes; if not given, a place of this user where sets are "
            "looked for.",
        ),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address with NAME.tar.gz; if not given, that of MADNIS_PDF_MIRROR in the "
            "environment, else LHAPDF's own.",
        ),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="Checksum that NAME.tar.gz has to have.")
    ] = None,
) -> None:
    """Download parton densities; an interrupted download goes on where it stopped."""
    from madnis_py.physics.pdf.set_downloads import SetDownload, mirror_address, user_folder

    with watching(False, GOES_ON) as watch:
        place, address = folder or user_folder(), mirror or mirror_address()
        installed = SetDownload.checked(name, place, address, sha256, watch).run()
    typer.echo(f"{installed.name} in {installed.folder}")


def schema(
    document: Annotated[
        Literal["run", "card"],
        typer.Argument(metavar="run|card", help="run.json of a run directory, or a process card."),
    ],
) -> None:
    """Print the JSON schema of a file, with a sentence for every key."""
    from madnis_py.run.schema import schema_of

    print_json(schema_of(document))
