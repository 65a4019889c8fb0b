"""Options of the command line: each is defined once, with the values that cards know."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from madnis_py.card.choices import Method, Preset
from madnis_py.counts import number_of_points
from madnis_py.integration.grids.sampler_choice import SamplerName

CardArgument = Annotated[
    str,
    typer.Argument(
        metavar="CARD",
        help="A process card (TOML), the bare name of a shipped process, or a process in quotes: "
        '"p p > z j".',
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a run.")]
Points = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=number_of_points,
        help="Points of the cross section; by the preset if not given.",
    ),
]
Threads = Annotated[int | None, typer.Option(metavar="T", help="Threads; all cores if not given.")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Let a run directory from elsewhere load code, start jobs and read files outside of "
        "it.",
    ),
]
DeviceName = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="cpu|cuda|cuda:N|emulated",
        help="Where to compute, from random numbers to accepted events.",
    ),
]
RecordJson = Annotated[
    bool, typer.Option("--json", help="Print the content of run.json instead of tables.")
]
Details = Annotated[
    bool,
    typer.Option(
        "--details", help="Also efficiencies with other maxima, every channel, and checks."
    ),
]
TableJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Sampler = Annotated[
    SamplerName | None,
    typer.Option(
        help="Who makes the events: the flow, or the VEGAS grids of the same run; that of the run "
        "if not given."
    ),
]


@dataclass(frozen=True)
class WorkOptions:
    """How a run is worked on, which says nothing about its results."""

    threads: Threads = None
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Processes of this machine instead of threads; any of them may die."
        ),
    ] = None
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Let the workers of a dask scheduler do the work."),
    ] = None
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Wait where another process does the same part of the run, and go on from there.",
        ),
    ] = False
    trust: Trust = False


@dataclass(frozen=True)
class BeginOptions:
    """What a new run is."""

    seed: Annotated[int, typer.Option(metavar="S", help="Seed of all random numbers.", min=0)] = 1
    method: Annotated[
        Method,
        typer.Option(
            help="Neural sampling, VEGAS grids with the same channels, or the faster one."
        ),
    ] = "madnis"
    preset: Annotated[
        Preset | None, typer.Option(help="Size of the training; by the card if not given.")
    ] = None
    device: DeviceName = "cpu"
    allow_divergent: Annotated[
        bool,
        typer.Option(
            "--allow-divergent", help="Integrate although the cuts leave an infinite cross section."
        ),
    ] = False


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters of an options class are replaced by an option for each field.

    Args:
        command: takes options classes by keyword.
    """
    kinds = get_type_hints(command, include_extras=True)
    classes: dict[str, Any] = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if options := classes.get(parameter.name):
            annotations = get_type_hints(options, include_extras=True)
            parameters += [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if field.default is MISSING else field.default,
                    annotation=annotations[field.name],
                )
                for field in fields(options)
            ]
        else:
            parameters.append(parameter.replace(annotation=kinds[parameter.name]))

    @wraps(command)
    def expanded(**given: Any) -> None:
        for name, kind in classes.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        command(**given)

    expanded.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    )
    expanded.__annotations__ = {one.name: one.annotation for one in parameters}
    return expanded
