"""Command that computes widths and branching ratios of particles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madnis_py.cli.output import print_table
from madnis_py.cli.runs import card_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from madnis_py.physics.decays.decay_modes import Products
    from madnis_py.physics.decays.partial_widths import DecayTable
    from madnis_py.physics.model.model import Model

_SAME = 1e-6
"""Relative difference of widths that are one, at lowest order both."""

_NEGLIGIBLE = 1e-12
"""Share of a total width that rounding may leave where couplings cancel."""


def widths(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CARD|PARTICLE",
            help="A card, for all unstable particles of its model, or a name such as t, h, ta-.",
        ),
    ],
    model: Annotated[
        str, typer.Option(metavar="NAME", help="For a particle: sm, or another model.")
    ] = "sm",
    param_card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a particle: param_card.dat with parameters."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="SLHA blocks DECAY.")
    ] = None,
) -> None:
    """Compute widths at lowest order, and branching ratios.

    Decays to two particles, and to three through one that is too heavy for its mass shell. Where
    the model has a file decays.py, its partial widths stand beside them.
    """
    from madnis_py.output_file import write_file
    from madnis_py.physics.decays.partial_widths import decay_table
    from madnis_py.physics.model_search.model_library import widths_of_file

    known = _model("e+ e- > mu+ mu-", model, param_card)
    if what in known.pdg_of:
        codes = [abs(known.pdg_of[what])]
    else:
        known = _model_of_card(what)
        codes = [row.pdg for row in known.particles if row.width]
    tables = [decay_table(pdg, known) for pdg in codes]
    stated = widths_of_file(known.name, known.values)
    for table in tables:
        used = f"{known.width(table.pdg):.6g} GeV in the model"
        name = known.particle_name(table.pdg)
        typer.echo(f"{name}: {table.total:.6g} GeV at lowest order, {used}")
        of_file = {products: width for (pdg, products), width in stated.items() if pdg == table.pdg}
        if table.partial:
            print_table(_shown(table, known, of_file))
        for sentence in _disagreements(table, known, of_file):
            typer.echo(f"warning: {sentence}")
    if output is not None:
        write_file(output, "".join(table.slha(known) for table in tables).encode())
        typer.echo(f"SLHA in {output}")


def _model(definition: str, name: str, param_card: Path | None) -> Model:
    from madnis_py.card.card import Card
    from madnis_py.physics.decays.automatic_widths import model_of

    parameters = {} if param_card is None else {"param_card": str(param_card)}
    process = {"definition": definition, "model": name}
    return model_of(Card.parse({"process": process, "parameters": parameters}, "options"))


def _model_of_card(card: str) -> Model:
    from madnis_py.physics.decays.automatic_widths import model_of

    return model_of(card_for(card))


def _shown(table: DecayTable, model: Model, of_file: Mapping[Products, float]) -> Table:
    """Partial widths and branching ratios, beside the widths of decays.py."""
    from rich.table import Table

    shown = Table(box=None)
    for column in ("decay", "GeV", "share", *(["decays.py"] if of_file else [])):
        shown.add_column(column, justify="left" if column == "decay" else "right")
    for one in table.partial:
        decay = model.reaction_name((table.pdg, *one.products), 1)
        row = [decay, f"{one.width:.6g}", f"{table.branching_ratio(one):.4%}"]
        if of_file:
            width = of_file.get(_sorted(one.products))
            row.append("" if width is None else f"{width:.6g}")
        shown.add_row(*row)
    return shown


def _disagreements(
    table: DecayTable, model: Model, of_file: Mapping[Products, float]
) -> Iterator[str]:
    """Decays to two particles whose width in decays.py is another one."""
    widths = {_sorted(one.products): one.width for one in table.partial}
    for products, width in of_file.items():
        ours = widths.get(products, 0.0)
        if abs(ours - width) > _SAME * abs(ours) + _NEGLIGIBLE * table.total:
            decay = model.reaction_name((table.pdg, *products), 1)
            yield f"{decay}: {ours:.6g} GeV here, {width:.6g} GeV in decays.py of the model"


def _sorted(products: Products) -> Products:
    return tuple(sorted(products, reverse=True))
