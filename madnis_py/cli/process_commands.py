"""Commands about processes: cards, diagrams, matrix elements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from madnis_py.cli.options import CardArgument, DeviceName, Trust
from madnis_py.cli.output import console, print_json, read_json
from madnis_py.cli.runs import card_for, named_card


def import_card(
    run_card: Annotated[
        Path, typer.Argument(metavar="RUN_CARD", help="run_card.dat or run_card.toml of MadGraph.")
    ],
    definition: Annotated[
        str, typer.Option(metavar="PROCESS", help='The process, such as "p p > t t~ j".')
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.toml", help="The card to write.")
    ],
    param_card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="param_card.dat with the parameters of the model."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also if entries cannot be translated; comments in the card name them."
        ),
    ] = False,
) -> None:
    """Translate MadGraph's run card.

    Entries that change the results and have no counterpart end it.
    """
    from madnis_py.output_file import write_file
    from madnis_py.physics.process.process import Process
    from madnis_py.plugins.madgraph_cards.process_cards.run_card_import import import_run_card

    card, imported = import_run_card(
        run_card, definition, param_card and param_card.resolve(), force
    )
    Process.from_card(card)
    write_file(output, imported.to_toml(card).encode())
    typer.echo(f"card in {output}")
    for option, value in imported.options.items():
        typer.echo(f"for the command line: {option} {value}")
    for entry in imported.untranslated:
        typer.echo(f"not translated: {entry}")


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
    card = proposed_card(definitions, path.name)
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
    console().print(table)
