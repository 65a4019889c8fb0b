"""Commands about processes: cards, diagrams, matrix elements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from madnis_py.cli.options import CardArgument, DeviceName, Trust
from madnis_py.cli.output import console, print_json, print_table, read_json
from madnis_py.cli.runs import card_for, named_card

if TYPE_CHECKING:
    from madnis_py.plugins.madgraph_cards.imported_card import ImportedCard


def import_card(
    card: Annotated[
        Path,
        typer.Argument(
            metavar="CARD",
            help="proc_card_mg5.dat, a folder with it, run_card.dat or run_card.toml of MadGraph.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.toml", help="The card to write.")
    ],
    definition: Annotated[
        str | None,
        typer.Option(
            metavar="PROCESS", help='For a run card: the process, such as "p p > t t~ j".'
        ),
    ] = None,
    run_card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Run card; that of MadGraph for the process if not given."
        ),
    ] = None,
    param_card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="param_card.dat with the parameters of the model."),
    ] = None,
    customize: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Lines that edit the cards, set param_card mass 6 172."),
    ] = None,
    pdf: Annotated[
        str | None,
        typer.Option(metavar="SET", help="Parton densities in place of those of the run card."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also if entries cannot be translated; comments in the card name them."
        ),
    ] = False,
) -> None:
    """Translate MadGraph's cards.

    Entries that change the results and have no counterpart end it.
    """
    from madnis_py.output_file import write_file
    from madnis_py.physics.process.process import Process
    from madnis_py.plugins.madgraph_cards.process_cards.card_files import found_cards
    from madnis_py.plugins.madgraph_cards.process_cards.cards_import import import_cards

    files = found_cards(card, definition, run_card, param_card, customize)
    translated, imported = import_cards(files, pdf, force)
    for text in translated.process.definitions:
        Process.from_card(translated.of_process(text))
    write_file(output, imported.to_toml(translated).encode())
    typer.echo(f"card in {output}")
    for option, value in imported.options.items():
        typer.echo(f"for the command line: {option} {value}")
    for entry in imported.untranslated:
        typer.echo(f"not translated: {entry}")
    _show_entries(imported)


def _show_entries(imported: ImportedCard) -> None:
    """A table of what became of the entries of MadGraph's cards."""
    from rich.table import Table

    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for title, entries in (
        ("taken", imported.taken),
        ("neutral", imported.neutral),
        ("lost", [one.entry for one in imported.untranslated]),
    ):
        table.add_row(title, "; ".join(" ".join(entry.split()) for entry in entries) or "nothing")
    console().print(table)


def new(
    definitions: Annotated[
        list[str],
        typer.Argument(
            metavar="PROCESS...", help='In MadGraph\'s notation, "p p > z j, z > e+ e-".'
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE.toml", help="The card; after the process if not given."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="sm if not given; `model list` tells more.")
    ] = None,
) -> None:
    """Write a card for a process, with comments, and the cuts that make it finite."""
    from madnis_py.errors import InputError
    from madnis_py.output_file import write_file
    from madnis_py.physics.divergences.proposed_card import (
        card_text,
        choices_of,
        name_of,
        proposed_card,
    )

    path = output or Path(f"{name_of(definitions[0])}.toml")
    if path.exists():
        raise InputError(f"{path}: expected a free place for the card; there is one already")
    place = str(Path(model).expanduser().resolve()) if model and "/" in model else model
    card = proposed_card(definitions, path.name, place)
    write_file(path, card_text(card).encode())
    typer.echo(f"card in {path}: {choices_of(card)}")


def evaluate(
    card: CardArgument,
    momenta: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help='JSON: {"points": [{"momenta": [[E, px, py, pz], ...]}]}'
        ),
    ],
    alpha_s: Annotated[
        float | None,
        typer.Option(metavar="A", help="Strong coupling; aS of the card if not given."),
    ] = None,
    weights: Annotated[
        bool,
        typer.Option(
            "--weights", help="Also |J_k|^2 of every colour flow and the part of every helicity."
        ),
    ] = False,
    single: Annotated[
        bool,
        typer.Option("--single", help="Also |M|^2 in single precision and its relative error."),
    ] = False,
    device: DeviceName = "cpu",
    trust: Trust = False,
) -> None:
    """Print |M|^2, averaged and summed, and |M_i|^2 of every diagram at given momenta, as JSON."""
    from madnis_py.devices.device import device_of
    from madnis_py.errors import InputError
    from madnis_py.physics.on_device.evaluation_on_device import EvaluationOnDevice
    from madnis_py.physics.process.evaluation import evaluate_points
    from madnis_py.physics.process.process import Process

    there = device_of(device)
    if there is not None and (weights or single):
        raise InputError(f"device: expected cpu for --weights and --single; got {device}")
    process = Process.from_card(named_card(card, trust))
    print_json(
        evaluate_points(
            process,
            read_json(momenta),
            str(momenta),
            alpha_s,
            weights=weights,
            single=single,
            evaluate=None if there is None else EvaluationOnDevice(there),
        )
    )


def diagrams(
    card: CardArgument,
    propagators: Annotated[
        bool,
        typer.Option(
            "--propagators",
            help="List every diagram and channel: what propagates, and to which legs.",
        ),
    ] = False,
    draw: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg",
            help="Draw them; one file per matrix element, numbered if there are several.",
        ),
    ] = None,
) -> None:
    """Print how many Feynman diagrams and channels a process has, as JSON.

    In all, and for each matrix element.
    """
    from madnis_py.output_file import write_file
    from madnis_py.physics.process.evaluation import describe_diagrams, diagram_pictures
    from madnis_py.physics.process.process import Process

    process = Process.from_card(card_for(card))
    for path, picture in diagram_pictures(process, draw).items() if draw else ():
        write_file(path, picture.encode())
    print_json(describe_diagrams(process, propagators))


def export_umami(
    card: CardArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.so", help="Ends in .so.")],
) -> None:
    """Write the matrix elements of a process as UMAMI libraries, for MadGraph 7 and others.

    One file per matrix element, numbered if there are several; parameters are those of the card for
    good.
    """
    from madnis_py.physics.process.process import Process
    from madnis_py.plugins.matrix_elements.umami_export import export_umami as export

    process = Process.from_card(card_for(card))
    for path, group in export(process, output).items():
        reaction = group.reaction
        name = process.model.reaction_name(reaction.legs, len(reaction.incoming))
        typer.echo(f"{path}: {name}")


def processes() -> None:
    """List the shipped process cards."""
    from rich.table import Table

    from madnis_py.card import card as cards

    table = Table("name", "process", "model", box=None)
    for name, path in cards.shipped().items():
        shipped = cards.load(path)
        table.add_row(name, ", ".join(shipped.process.definitions), shipped.process.model)
    print_table(table)
