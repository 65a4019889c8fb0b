"""The command line: reads, calls the library, prints. Everything heavy is imported when a command needs it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from madnis_py import __version__
from madnis_py.errors import InputError, MadnisError, from_surroundings

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.console import Console

    from madnis_py.card.card import Card
    from madnis_py.integration.grids.sampler_choice import SamplerName
    from madnis_py.parallel.executors import ExecutorChoice
    from madnis_py.progress import Watch
    from madnis_py.run.run import Run

FATAL_SIGNAL = 128
"""Exit status of a command that a signal ended, less the number of the signal."""

app = typer.Typer(
    name="madnis-py",
    help="Cross sections and unweighted events for the LHC, sampled by neural channel weights and spline flows.",
    epilog="Start with: madnis-py run drell_yan -o my_run --events 10000",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
pdf_app = typer.Typer(help="Parton densities.", no_args_is_help=True)
app.add_typer(pdf_app, name="pdf")


class Method(StrEnum):
    """How points are sampled."""

    madnis = "madnis"
    vegas = "vegas"
    auto = "auto"


class Sampler(StrEnum):
    """Who draws the points of events."""

    madnis = "madnis"
    vegas = "vegas"


class Preset(StrEnum):
    """Size of the training."""

    quick = "quick"
    standard = "standard"
    paper = "paper"


class Picture(StrEnum):
    """Kinds of pictures."""

    svg = "svg"
    png = "png"
    pdf = "pdf"


class Device(StrEnum):
    """Where networks compute."""

    cpu = "cpu"
    cuda = "cuda"


CardArgument = Annotated[
    str,
    typer.Argument(
        metavar="CARD", help="A process card (TOML), or the bare name of a shipped process."
    ),
]
RunArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a run.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output-dir",
        metavar="DIR",
        help="Where the run goes; runs/NAME of the card if not given.",
    ),
]
Events = Annotated[
    int, typer.Option("--events", "-n", metavar="N", help="Unweighted events to write, exactly.")
]
Points = Annotated[
    int | None,
    typer.Option(metavar="N", help="Points of the cross section; by the preset if not given."),
]
Seed = Annotated[int, typer.Option(metavar="S", help="Seed of all random numbers.", min=0)]
Threads = Annotated[int | None, typer.Option(metavar="T", help="Threads; all cores if not given.")]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Processes of this machine instead of threads; any of them may die."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Let the workers of a dask scheduler do the work."),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Let a run directory from elsewhere load code, start jobs and read files outside of it.",
    ),
]
WaitOption = Annotated[
    bool,
    typer.Option(
        "--wait",
        help="Wait where another process does the same part of the run, and go on from there.",
    ),
]
AllowDivergent = Annotated[
    bool,
    typer.Option(
        "--allow-divergent", help="Integrate although the cuts leave an infinite cross section."
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print the content of run.json instead of tables.")
]
TableJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
MethodOption = Annotated[
    Method,
    typer.Option(help="Neural sampling, VEGAS grids with the same channels, or the faster one."),
]
SamplerOption = Annotated[
    Sampler | None,
    typer.Option(
        help="Who makes the events: the flow, or the VEGAS grids of the same run; that of the run if not given."
    ),
]
PresetOption = Annotated[
    Preset | None, typer.Option(help="Size of the training; by the card if not given.")
]
DeviceOption = Annotated[Device, typer.Option(help="Where the networks compute.")]


def main() -> None:
    """Entry point of `madnis-py`; an error ends in one sentence and its exit status."""
    try:
        app()
    except MadnisError as error:
        sys.stderr.write(f"madnis-py: {error.sentence}\n")
        sys.exit(error.exit_status)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"madnis-py {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Cross sections and unweighted events for the LHC, sampled by neural channel weights and spline flows."""


@app.command()
def run(
    card: CardArgument,
    output: Output = None,
    events: Events = 10_000,
    points: Points = None,
    seed: Seed = 1,
    method: MethodOption = Method.madnis,
    preset: PresetOption = None,
    device: DeviceOption = Device.cpu,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    wait: WaitOption = False,
    allow_divergent: AllowDivergent = False,
    trust: TrustOption = False,
    json_output: Json = False,
) -> None:
    """Do everything: survey, train, integrate, generate.

    The same command goes on where an interrupted one stopped. Events: DIR/events.lhe.gz, figures:
    DIR/run.json.
    """
    with _working(json_output, threads, workers, scheduler) as work:
        _show(
            work.new(
                card, output, seed, method, preset, device, allow_divergent, trust, wait
            ).execute(events, points),
            json_output,
        )


@app.command()
def train(
    card: CardArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output-dir", metavar="DIR", help="Where the run goes.")
    ],
    seed: Seed = 1,
    method: MethodOption = Method.madnis,
    preset: PresetOption = None,
    device: DeviceOption = Device.cpu,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    wait: WaitOption = False,
    allow_divergent: AllowDivergent = False,
    trust: TrustOption = False,
    json_output: Json = False,
) -> None:
    """Survey the channels and train; `integrate` and `generate` go on from there."""
    with _working(json_output, threads, workers, scheduler) as work:
        started = work.new(card, output, seed, method, preset, device, allow_divergent, trust, wait)
        started.samplers()
        if json_output:
            _print_json(started.record.content())


@app.command()
def integrate(
    directory: RunArgument,
    points: Points = None,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    wait: WaitOption = False,
    trust: TrustOption = False,
    json_output: Json = False,
) -> None:
    """Compute the cross section of a trained run from fresh points."""
    with _working(json_output, threads, workers, scheduler) as work:
        opened = work.open(directory, trust, wait)
        opened.integrate(points)
        _show(opened, json_output)


@app.command()
def generate(
    directory: RunArgument,
    events: Events,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="S", help="Another seed than that of the run gives independent events.", min=0
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ends in .lhe, .lhe.gz, .h5, .hdf5 or .parquet; DIR/events.lhe.gz if not given.",
        ),
    ] = None,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    sampler: SamplerOption = None,
    wait: WaitOption = False,
    trust: TrustOption = False,
    any_version: Annotated[
        bool,
        typer.Option(
            "--any-version", help="Also events of a run that another version of the package made."
        ),
    ] = False,
    json_output: Json = False,
) -> None:
    """Write unweighted events of a trained run to a file; what its name ends in says the format."""
    with _working(json_output, threads, workers, scheduler) as work:
        opened = work.open(directory, trust, wait, any_version)
        opened.generate(events, output, seed, _name(sampler))
        _show(opened, json_output)


@app.command()
def gridpack(
    directory: RunArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .tar.gz or .tgz.")
    ],
    sampler: SamplerOption = None,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    wait: WaitOption = False,
    trust: TrustOption = False,
) -> None:
    """Pack a trained run into a tarball that makes events wherever the package is installed.

    Unpacked, `./run.sh NEVENTS SEED [NTHREADS]` writes events.lhe.gz to the current directory, and
    `./runcmsgrid.sh NEVENTS SEED NCPU` writes cmsgrid_final.lhe.
    """
    with _working(False, threads, workers, scheduler) as work:
        typer.echo(
            f"gridpack in {work.open(directory, trust, wait).gridpack(output, _name(sampler))}"
        )


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Events of this program or another one.")
    ],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The new file.")],
    threads: Threads = None,
) -> None:
    """Write the events of a file in another format: .lhe, .lhe.gz, .h5, .hdf5 or .parquet."""
    from madnis_py.events.files import conversion
    from madnis_py.parallel.executors import thread_executor

    with _watching(False, "nothing was written") as watch, thread_executor(threads):
        done = conversion.convert(source, target, watch)
    typer.echo(f"{done.events} events in {target}")
    if done.left_out:
        typer.echo(f"left out: {', '.join(done.left_out)}")


@app.command("import-card")
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
    """Translate MadGraph's run card; entries that change the results and have no counterpart end it."""
    from madnis_py.output_file import write_file
    from madnis_py.physics.process.process import Process
    from madnis_py.plugins.madgraph_cards.run_card_import import import_run_card

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


@app.command()
def histograms(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|EVENTFILE", help="The directory of a run, or a file of events."
        ),
    ],
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
        typer.Option(metavar="N", help="Weighted points of a run; 200,000 if not given.", min=1),
    ] = None,
    picture: Annotated[Picture, typer.Option("--format", help="Kind of pictures.")] = Picture.svg,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    wait: WaitOption = False,
    trust: TrustOption = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the content of histograms.json.")
    ] = False,
) -> None:
    """Draw distributions: of weighted points and the events of a run, or of an event file of any format.

    Which, and with which bins, follows from the process and from the table [histograms] of its
    card.
    """
    from madnis_py.events.histograms.pictures import require_pictures
    from madnis_py.run.report import distribution_table
    from madnis_py.run.stages.distributions import (
        HISTOGRAM_POINTS,
        default_folder,
        distributions_of_file,
    )

    require_pictures()
    with _working(json_output, threads, workers, scheduler) as work:
        if source.is_dir():
            found = work.open(source, trust, wait).histograms(points or HISTOGRAM_POINTS)
        else:
            found = distributions_of_file(source, work.watch)
        folder = output or default_folder(source)
        found.write(folder, picture.value, work.watch)
    if found.left_out:
        typer.echo(f"left out: {', '.join(found.left_out)}", err=True)
    if json_output:
        _print_json(found.record())
        return
    console = _console()
    console.print(distribution_table(found))
    console.print(f"pictures and numbers in {folder}", soft_wrap=True, highlight=False)


@app.command()
def verify(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|EVENTFILE...", help="Directories of runs, and files of events."
        ),
    ],
    threads: Threads = None,
    trust: TrustOption = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print what was found as JSON.")
    ] = False,
) -> None:
    """Check whether runs and event files are what they say: whole, usable by a shower, with the right weights.

    Exit status 1 if something is wrong; each fault is a sentence.
    """
    from madnis_py.parallel.executors import thread_executor
    from madnis_py.run.verification.event_file_verification import verify_events
    from madnis_py.run.verification.run_verification import verify_run

    with _watching(json_output, "nothing was changed") as watch, thread_executor(threads):
        found = [
            verify_run(source, watch, trust) if source.is_dir() else verify_events(source, watch)
            for source in sources
        ]
    if json_output:
        _print_json([one.record() for one in found])
    else:
        for one in found:
            typer.echo(one.summary)
    faults = [fault for one in found for fault in one.faults]
    for fault in faults:
        typer.echo(f"madnis-py: {fault}", err=True)
    if faults:
        raise typer.Exit(1)


@app.command()
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
    trust: TrustOption = False,
) -> None:
    """Print |M|^2, averaged and summed, and |M_i|^2 of every diagram at given momenta, as JSON."""
    from madnis_py.physics.process.evaluation import evaluate_points
    from madnis_py.physics.process.process import Process

    process = Process.from_card(_named_card(card, trust))
    _print_json(
        evaluate_points(
            process, _read_json(momenta), str(momenta), alpha_s, weights=weights, single=single
        )
    )


@app.command()
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
    """Print how many Feynman diagrams and channels a process has, in all and for each matrix element, as JSON."""
    from madnis_py.output_file import write_file
    from madnis_py.physics.process.evaluation import describe_diagrams, diagram_pictures
    from madnis_py.physics.process.process import Process

    process = Process.from_card(card)
    for path, picture in diagram_pictures(process, draw).items() if draw else ():
        write_file(path, picture.encode())
    _print_json(describe_diagrams(process, propagators))


@app.command("export-umami")
def export_umami(
    card: CardArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.so", help="Ends in .so.")],
) -> None:
    """Write the matrix elements of a process as libraries with the UMAMI interface, for MadGraph 7 and others.

    One file per matrix element, numbered if there are several; parameters are those of the card for
    good.
    """
    from madnis_py.physics.process.process import Process
    from madnis_py.plugins.matrix_elements.umami_export import export_umami

    process = Process.from_card(card)
    for path, group in export_umami(process, output).items():
        typer.echo(
            f"{path}: {process.model.reaction_name(group.reaction.legs, len(group.reaction.incoming))}"
        )


@app.command()
def processes() -> None:
    """List the shipped process cards."""
    from rich.table import Table

    from madnis_py.card import card as cards

    table = Table("name", "process", "model", box=None)
    for name, path in cards.shipped().items():
        shipped = cards.load(path)
        table.add_row(name, shipped.process.definition, shipped.process.model)
    _console().print(table)


@app.command()
def info(json_output: TableJson = False) -> None:
    """Tell versions, instruction set, threads and where parton densities are looked for."""
    from madnis_py.physics.pdf.pdf import search_folders
    from madnis_py.run.versions import versions

    facts = {**versions(), "pdf search path": [str(folder) for folder in search_folders()]}
    if json_output:
        _print_json(facts)
        return
    for name, value in facts.items():
        typer.echo(f"{name:<18} {value if isinstance(value, str) else ', '.join(value)}")


@pdf_app.command("list")
def pdf_list(json_output: TableJson = False) -> None:
    """List the parton densities that are found."""
    from rich.table import Table

    from madnis_py.physics.pdf.pdf import available_sets

    sets = available_sets()
    if json_output:
        _print_json(
            [{"name": one.name, "lhapdf_id": one.lhapdf_id, "path": str(one.path)} for one in sets]
        )
        return
    table = Table("name", "LHAPDF id", "folder", box=None)
    for one in sets:
        table.add_row(one.name, str(one.lhapdf_id), str(one.path))
    _console().print(table)


class Workplace:
    """Makes runs that report to a display and are worked on by whom the user wants.

    Args:
        choice: what the user asked for.
        watch: told of progress.
        stack: what to end with the command.
    """

    def __init__(self, choice: ExecutorChoice, watch: Watch, stack: ExitStack) -> None:
        self._choice, self.watch, self._stack = choice, watch, stack

    def new(
        self,
        card: str,
        output: Path | None,
        seed: int,
        method: Method,
        preset: Preset | None,
        device: Device,
        allow_divergent: bool,
        trust: bool,
        wait: bool,
    ) -> Run:
        """Begin a run, or go on with the one in the directory."""
        from madnis_py.physics.process.process import Process
        from madnis_py.run.directory import RunDirectory
        from madnis_py.run.run import Run

        chosen = _named_card(card, trust)
        if preset is not None:
            chosen = chosen.updated({"training": {"preset": preset.value}})
        if allow_divergent:
            chosen = chosen.updated({"process": {"allow_divergent": True}})
        return Run(
            Process.from_card(chosen),
            RunDirectory(output or _default_directory(chosen), wait),
            seed,
            method=method.value,
            device=device.value,
            executor=self._hired(chosen),
            watch=self.watch,
        )

    def open(self, directory: Path, trust: bool, wait: bool, any_version: bool = False) -> Run:
        """Go on with a run."""
        from madnis_py.run.run import Run

        opened = Run.open(
            directory, watch=self.watch, any_version=any_version, trust=trust, wait=wait
        )
        self._stack.enter_context(
            opened.executed_by(lambda cluster: self._choice.open(cluster, _tell))
        )
        return opened

    def _hired(self, card: Card) -> Executor | None:
        return self._stack.enter_context(self._choice.open(card.cluster, _tell))


class Terminated(KeyboardInterrupt):
    """A signal that asks a program to end, other than Ctrl-C.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.strsignal(number))
        self.number = number


@contextmanager
def _terminations() -> Iterator[None]:
    """SIGTERM and SIGHUP interrupt the block as Ctrl-C does, the second one at once; those that are ignored stay so."""

    def interrupt(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Terminated(number)

    wanted = [
        one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN
    ]
    before = {one: signal.signal(one, interrupt) for one in wanted}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextmanager
def _watching(quiet: bool, afterwards: str) -> Iterator[Watch]:
    """The display of a command; a signal, or a machine that gives out, ends it with a word on what was done."""
    from madnis_py.run.progress_display import progress_display

    try:
        with _terminations(), progress_display(_console(stderr=quiet)) as display:
            yield display.update
    except KeyboardInterrupt as interruption:
        number = interruption.number if isinstance(interruption, Terminated) else signal.SIGINT
        with suppress(OSError):  # the terminal may have gone
            sys.stderr.write(f"madnis-py: interrupted; {afterwards}\n")
        raise typer.Exit(FATAL_SIGNAL + number) from None
    except Exception as error:
        known = from_surroundings(error)
        if known is None:
            raise
        raise type(known)(f"{known}; {afterwards}") from error


@contextmanager
def _working(
    quiet: bool, threads: int | None, workers: int | None = None, scheduler: str | None = None
) -> Iterator[Workplace]:
    """Workers and display of a command that goes on where it was interrupted."""
    from madnis_py.parallel.executors import ExecutorChoice

    with _watching(quiet, "the same command goes on from here") as watch, ExitStack() as stack:
        yield Workplace(ExecutorChoice(scheduler, workers, threads), watch, stack)


def _named_card(path_or_name: str, trust: bool) -> Card:
    """A card that the user names; what it loads is told, and of the card of a run directory asked for."""
    from madnis_py.card import card as cards
    from madnis_py.run.directory import RunDirectory
    from madnis_py.run.trust import Trust, reach_of_card, reach_of_directory

    card, files = cards.load(path_or_name), RunDirectory(Path(path_or_name).parent)
    if Path(path_or_name).name == files.card_file.name and files.record_file.exists():
        Trust(trust).require(files.path, reach_of_directory(files.path, card))
        return card
    for reach in reach_of_card(card):
        _tell(f"{card.source} names {reach.words}")
    return card


def _name(sampler: Sampler | None) -> SamplerName | None:
    return sampler.value if sampler else None


def _tell(sentence: str) -> None:
    """Something that the user should know, whatever comes of it."""
    sys.stderr.write(f"madnis-py: {sentence}\n")


def _default_directory(card: Card) -> Path:
    return Path("runs") / Path(card.source).stem


def _show(finished: Run, json_output: bool) -> None:
    from madnis_py.run.report import (
        better_sampler,
        channel_table,
        conclusions,
        generated_events,
        result_table,
    )

    if json_output:
        _print_json(finished.record.content())
        return
    record = finished.outcome
    console = _console()
    console.print(result_table(record))
    console.print(channel_table(record))
    closing = better_sampler(record, finished.directory.path)
    for sentence in (
        *conclusions(record),
        *generated_events(record, finished.directory.path),
        *closing,
    ):
        console.print(sentence, soft_wrap=True, highlight=False)


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise InputError(f"{path}: expected JSON; got too many levels") from None
    except ValueError as error:
        raise InputError(f"{path}: expected JSON; got: {error}") from None
