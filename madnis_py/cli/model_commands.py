"""Commands about models: which ones there are, and what is in one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madnis_py.cli.options import TableJson
from madnis_py.cli.output import print_json, print_table

if TYPE_CHECKING:
    from madnis_py.physics.model.model import Model
    from madnis_py.physics.model.particles import Vertex


def model_list(json_output: TableJson = False) -> None:
    """List the models that a card may name."""
    from rich.table import Table

    from madnis_py.physics.model_search.model_library import library, search_folders

    models = library()
    if json_output:
        print_json(
            [
                {
                    "name": one.name,
                    "path": None if one.path is None else str(one.path),
                    "restrictions": list(one.restrictions),
                }
                for one in models
            ]
        )
        return
    table = Table("name", "restrictions", "where", box=None)
    for one in models:
        where = "built in" if one.path is None else str(one.path)
        table.add_row(one.name, " ".join(one.restrictions), where)
    print_table(table)
    typer.echo(f"searched: {', '.join(map(str, search_folders()))}, installed packages")


def model_show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH",
            help="sm, a folder or archive of UFO, or a name of `madnis-py model list`; behind "
            '"-" a restriction.',
        ),
    ],
    vertices: Annotated[
        bool, typer.Option("--vertices", help="Every vertex with its structures and couplings.")
    ] = False,
    json_output: TableJson = False,
) -> None:
    """Show the particles, parameters and vertices of a model, and what is not computed."""
    from madnis_py.errors import InputError
    from madnis_py.physics.model.model import Model
    from madnis_py.physics.model_search.model_library import named_tables

    try:
        model = Model(name, {}, named_tables(name))
    except ValueError as error:
        raise InputError(
            f"{name}: by its own values of parameters, {error}; a card gives other ones in "
            "[parameters]"
        ) from None
    if json_output:
        print_json(_content(model))
        return
    _print_particles(model)
    _print_parameters(model)
    orders = ", ".join(
        f"{one.name} (hierarchy {one.hierarchy})" for one in sorted(model.orders, key=str)
    )
    typer.echo(f"coupling orders: {orders}")
    computed = sum(not vertex.lacking for vertex in model.vertices)
    typer.echo(f"vertices: {len(model.vertices)}, of which {computed} are computed")
    if vertices:
        for vertex in model.vertices:
            typer.echo(f"  {_described(vertex, model)}")
    for reason, times in Counter(
        one.lacking for one in model.vertices if one.lacking
    ).most_common():
        typer.echo(f"not computed: {times} with {reason}")
    if computed < len(model.vertices):
        typer.echo("a process whose diagrams need one of these is refused")


def _print_particles(model: Model) -> None:
    from rich.table import Table

    table = Table("particle", "anti", box=None)
    for title in ("PDG", "spin", "colour", "charge", "mass", "width"):
        table.add_column(title, justify="right")
    table.add_column("for cuts")
    for row in model.particles:
        table.add_row(
            row.name,
            row.antiname if row.antiname != row.name else "",
            str(row.pdg),
            _spin(row.spin),
            str(row.colour),
            f"{row.charge:.4g}",
            f"{model.mass(row.pdg):.6g}",
            f"{model.width(row.pdg):.6g}",
            row.group,
        )
    print_table(table)


def _spin(states: int) -> str:
    """Spin s from 2 s + 1."""
    return str((states - 1) // 2) if states % 2 else f"{states - 1}/2"


def _print_parameters(model: Model) -> None:
    from rich.table import Table

    table = Table("parameter", "block", "code", box=None)
    table.add_column("default", justify="right")
    for one in model.tables.parameters:
        table.add_row(one.name, one.block, " ".join(map(str, one.code)), f"{one.default:.8g}")
    print_table(table)


def _described(vertex: Vertex, model: Model) -> str:
    terms = "; ".join(
        f"{term.colour} {term.lorentz} "
        + ", ".join(f"{model.coupling(text):.6g}" for text in term.couplings)
        for term in vertex.terms
    )
    lacking = f" [not computed: {vertex.lacking}]" if vertex.lacking else ""
    return f"{' '.join(vertex.particles)}: {terms}{lacking}"


def _content(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "digest": model.tables.digest or None,
        "orders": [
            {"name": one.name, "hierarchy": one.hierarchy, "expansion": one.expansion}
            for one in model.orders
        ],
        "particles": [
            {
                "name": row.name,
                "antiname": row.antiname,
                "pdg": row.pdg,
                "spin": (row.spin - 1) / 2,
                "colour": row.colour,
                "charge": row.charge,
                "mass": model.mass(row.pdg),
                "width": model.width(row.pdg),
                "group": row.group or None,
            }
            for row in model.particles
        ],
        "parameters": [
            {"name": one.name, "block": one.block, "code": one.code, "default": one.default}
            for one in model.tables.parameters
        ],
        "vertices": [
            {
                "particles": vertex.particles,
                "orders": vertex.orders,
                "lacking": vertex.lacking or None,
                "terms": [
                    {
                        "colour": term.colour,
                        "lorentz": term.lorentz,
                        "couplings": [
                            [model.coupling(text).real, model.coupling(text).imag]
                            for text in term.couplings
                        ],
                    }
                    for term in vertex.terms
                ],
            }
            for vertex in model.vertices
        ],
    }
