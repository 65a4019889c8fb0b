"""Page of a run: its figures and pictures, in the order in which people ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from markupsafe import Markup, escape

from madnis_py.card.card import Card
from madnis_py.physics.diagrams.diagram_picture import CELL
from madnis_py.physics.observables.typeset_labels import typeset_particle
from madnis_py.progress import duration
from madnis_py.report.advice import advice, gist
from madnis_py.report.citation import REFERENCES
from madnis_py.report.page_parts import (
    Cell,
    Fact,
    Key,
    MainResult,
    Page,
    Row,
    Section,
    ShownTable,
    ShownWarning,
    Status,
    link_to_report,
)
from madnis_py.report.pictures import typesetting
from madnis_py.report.pictures.channel_picture import channel_picture
from madnis_py.report.pictures.correlation_picture import correlation_picture
from madnis_py.report.pictures.distribution_pictures import distribution_pictures, stack_names
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.histogram_pictures import histogram_picture
from madnis_py.report.pictures.plot import picture
from madnis_py.report.pictures.stored_histograms import StoredHistograms
from madnis_py.report.pictures.training_pictures import training_pictures
from madnis_py.report.pictures.weight_picture import COLOURS, weight_picture
from madnis_py.run import closing_table
from madnis_py.run.diagnostics.channel_diagrams import ChannelDiagram
from madnis_py.run.diagnostics.diagnostics import Diagnostics
from madnis_py.run.diagnostics.event_distributions import EventDistributions
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import RunRecord
from madnis_py.run.stages.history_file import HistoryLine, read_history

_LONG = 24
"""Rows of a table from which it is folded."""

_NOT_KEPT = "This run was made by a version that did not keep what is shown here; "


def run_page(directory: RunDirectory) -> Page:
    """The page of the run of a directory, as far as it is.

    Raises:
        InputError: a file of the run is damaged.
    """
    record, path = directory.record, directory.path
    history, diagnostics = read_history(path), Diagnostics.read(path)
    several = record.parts is not None
    definitions = [
        part.definition for part in record.parts or ()
    ] or record.card.process.definitions
    return Page(
        title=f"{definitions[0]} - madnis_py",
        kind="Run of several processes" if several else "Run",
        place=str(path),
        headings=definitions,
        result=_result(record),
        statuses=list(_statuses(record, path, history)),
        facts=list(_facts(record)),
        sections=list(_sections(record, path, history, diagnostics)),
    )


def _result(record: RunRecord) -> MainResult | None:
    if record.sigma_pb is None:
        return None
    quantity, unit = closing_table.quantity_of(record.unit)
    return MainResult(
        symbol="σ" if quantity == "sigma" else "Γ",
        value=repr(record.sigma_pb),
        text=closing_table.with_error(record.sigma_pb, record.sigma_error_pb or 0.0),
        unit=unit,
    )


def _statuses(record: RunRecord, path: Path, history: tuple[HistoryLine, ...]) -> Iterator[Status]:
    """What stands above all figures: a failure, or what is still to be done."""
    again = Markup("The same command goes on from where it stopped.")
    refused = [one for one in (record.vegas, record.madnis) if one is not None]
    if record.failure is not None:
        done = ", ".join(record.stages) or "nothing"
        finished = f"Finished before: {done}."
        yield Status("This run has failed", (record.failure.sentence, finished), failed=True)
    elif record.sigma_pb is None and refused:
        yield Status("No sampler of this run is to be used", (again,), failed=True)
    elif record.sigma_pb is None:
        yield Status("This run is not finished", (_progress(record, history), again))


def _progress(record: RunRecord, history: tuple[HistoryLine, ...]) -> str:
    """How far a run is."""
    done = f"Finished: {', '.join(record.stages)}." if record.stages else "No stage is finished."
    if history and "train" not in record.stages:
        return f"{done} Training: step {history[-1].step:,} of {record.identity.training.steps:,}."
    return done


def _facts(record: RunRecord) -> Iterator[Fact]:
    if record.sigma_pb is not None and record.sigma_error_pb is not None:
        relative = closing_table.percent(record.sigma_error_pb / abs(record.sigma_pb))
        yield Fact("relative error", relative)
    if record.unweighting is not None:
        efficiency = record.unweighting.efficiency
        yield Fact(
            "unweighting efficiency",
            closing_table.percent(efficiency),
            "unweighting.efficiency",
            repr(efficiency),
        )
    if record.events:
        yield Fact("events", f"{record.events:,}", "events", str(record.events))
    if record.points:
        yield Fact("points", f"{record.points:,}", "points", str(record.points))
    if record.chi2_per_dof is not None:
        chi2 = record.chi2_per_dof
        yield Fact("χ²/dof", f"{chi2:.2f}", "chi2_per_dof", repr(chi2))
    if record.sampler:
        yield Fact(
            "events by", {"vegas": "VEGAS grids", "madnis": "neural sampler"}[record.sampler]
        )
    yield from card_facts(record.card)
    yield Fact("seed", str(record.identity.seed), "identity.seed", str(record.identity.seed))
    total = sum(stage.seconds for stage in record.stages.values())
    if total:
        yield Fact("time", duration(total))


def card_facts(card: Card) -> Iterator[Fact]:
    """What a cross section depends on, from its card."""
    beams, scales = card.beams, card.scales
    if not card.process.is_decay:
        first, second = beams.energy
        energy = f"{first:g} GeV + {second:g} GeV" if first != second else f"2 × {first:g} GeV"
        yield Fact("beams", energy)
        if beams.pdf:
            names = ", ".join(dict.fromkeys(beams.pdfs))
            yield Fact("parton densities", f"{names} (for tests)" if names == "toy" else names)
        factorization = dict.fromkeys(map(_scale, scales.factorizations))
        yield Fact("factorization scale", ", ".join(factorization))
        yield Fact("renormalization scale", _scale(scales.renormalization))
    yield Fact("model", Path(card.process.model).name)


def _scale(scale: float | str) -> str:
    return scale if isinstance(scale, str) else f"{scale:g} GeV"


def _sections(
    record: RunRecord,
    path: Path,
    history: tuple[HistoryLine, ...],
    diagnostics: Diagnostics | None,
) -> Iterator[Section]:
    if record.warnings:
        yield _warnings(record, path)
    if record.sigma_pb is not None:
        yield _figures(record, path)
    if record.parts is None:
        if history or "train" in record.stages:
            yield _training(record, history)
        if record.vegas is not None:
            yield from _diagnostic_sections(record, diagnostics, EventDistributions.read(path))
    if (stored := StoredHistograms.read(path)) is not None and stored.histograms:
        yield _histograms(record, stored)
    yield _timings(record)
    if record.sigma_pb is not None or record.event_files:
        yield _files(record, path)
    yield Section("card", "Card", ("Every default is written out.",), text=record.card.to_toml())
    yield _citation(record)


def _warnings(record: RunRecord, path: Path) -> Section:
    run = str(escape(quote(str(path))))
    shown = []
    for warning in record.warnings:
        about, sentence = gist(warning.sentence)
        todo = advice(warning.sentence, run, record.points or 1_000_000, record.events)
        shown.append(ShownWarning(about, sentence, Markup(todo)))
    return Section("warnings", f"Warnings ({len(shown)})", warnings=shown)


def _figures(record: RunRecord, path: Path) -> Section:
    """The tables and sentences of the end of a run."""
    tables = closing_table.tables(record)
    rows = [len(table.rows) for table in tables]
    shown = [
        ShownTable.of(table, f"all {count} rows" if count > _LONG else "")
        for table, count in zip(tables, rows, strict=True)
    ]
    if record.parts is not None:
        shown = [_linked(shown[0], [part.folder for part in record.parts]), *shown[1:]]
    sentences = [one for one in closing_table.conclusions(record) if not one.startswith("warning:")]
    sentences += closing_table.generated_events(record, path)
    sentences += closing_table.better_sampler(record, path)
    return Section("result", "Result", tables=shown, remarks=sentences)


def _linked(table: ShownTable, folders: list[str]) -> ShownTable:
    """A table of processes, whose names lead to the reports of their runs."""
    rows = [
        Row([Cell(row.cells[0].text, link=link_to_report(folder)), *row.cells[1:]], row.ends)
        for row, folder in zip(table.rows, folders, strict=False)
    ]
    return ShownTable(table.head, [*rows, *table.rows[len(rows) :]], table.caption, table.folded)


def _training(record: RunRecord, history: tuple[HistoryLine, ...]) -> Section:
    steps = record.identity.training.steps
    if not history:
        sentence = f"{_NOT_KEPT}a new run has the curves of its training."
        return Section("training", "Training", (sentence,))
    batch = record.identity.training
    words = f"{steps:,} steps, loss {batch.loss}, learning rate {batch.learning_rate:g}"
    return Section(
        "training", "Training", (f"{words}.",), figures=list(training_pictures(history, steps))
    )


def _diagnostic_sections(
    record: RunRecord, diagnostics: Diagnostics | None, events: EventDistributions | None
) -> Iterator[Section]:
    if diagnostics is None:
        way = "integrate with another number of --points keeps it."
        yield Section("diagnostics", "Weights and distributions", (f"{_NOT_KEPT}{way}",))
        yield from _channels(record, None)
        return
    yield Section(
        "weights",
        "Weights and correlations",
        figures=[
            weight_picture(diagnostics.weights),
            *([correlation_picture(diagnostics.correlation)] if diagnostics.correlation else []),
        ],
    )
    yield from _channels(record, diagnostics)
    if diagnostics.distributions:
        made = record.generated
        there = events is not None and made is not None and made.sha256 == events.sha256
        yield _distributions(record, diagnostics, events if there else None)


def _channels(record: RunRecord, diagnostics: Diagnostics | None) -> Iterator[Section]:
    best = record.madnis or record.vegas
    assert best is not None
    figures = []
    if len(best.channels) > 1:
        learned = "with the learned weights" if record.madnis else "with the prior"
        groups = diagnostics.groups if diagnostics else None
        figures.append(channel_picture(best.channels, groups, learned))
    drawn = [_diagram(one) for one in diagnostics.diagrams] if diagnostics else []
    if figures or drawn:
        words = (
            "Names of channels are their propagators. Numbers are legs of the process, the "
            "incoming ones first: z(3 4) is a Z that becomes legs 3 and 4, 3 -t- 4 has a t between "
            "them that is exchanged."
        )
        yield Section("channels", "Channels", (words,), figures=figures, small_figures=drawn)


def _diagram(one: ChannelDiagram) -> Figure:
    def typeset(name: str) -> str:
        return typesetting.svg(f"${typeset_particle(name)}$", 13.0)

    drawing = f'<g class="diagram">{one.drawing.svg(typeset)}</g>'
    svg = picture(drawing, *CELL, f"Diagram of channel {one.channel}: {one.reaction}")
    title = f"{closing_table.percent(one.share)}: {escape(one.channel)}"
    others = f", one of {one.diagrams} diagrams" if one.diagrams > 1 else ""
    return Figure(title, svg, f"{escape(one.reaction)}{others}")


def _distributions(
    record: RunRecord, diagnostics: Diagnostics, events: EventDistributions | None
) -> Section:
    shown = distribution_pictures(
        diagnostics.distributions,
        closing_table.quantity_of(record.unit)[1],
        events.observables if events else {},
    )
    first = diagnostics.distributions[0]
    samplers = list(first.samplers)
    best = "flow" if "madnis" in samplers else "VEGAS"
    keys = [Key("ink", "true", lined=True)]
    keys += [Key(COLOURS[name][1], f"{COLOURS[name][0]}, learned", lined=True) for name in samplers]
    keys += [Key(colour, name) for name, colour in stack_names(first)]
    sentence = (
        f"Areas: what the {best} draws, channel by channel, with each point counting the same in "
        "its channel. Black: the truth, from the weighted points, with its error as a band below. "
        "The nearer the ratio is to 1, the more equal the weights are."
    )
    if events:
        sentence += f" Dots: the first {events.events:,} events, with their errors."
        keys.append(Key("events", "events", lined=True))
    rest = len(diagnostics.distributions) - len(shown)
    more = [f"{rest} more are in diagnostics.json; these are those that VEGAS knows worst."]
    return Section(
        "distributions",
        "Learned and true distributions",
        (sentence, *(more if rest else ())),
        keys=keys,
        figures=shown,
    )


def _histograms(record: RunRecord, stored: StoredHistograms) -> Section:
    unit = closing_table.quantity_of(record.unit)[1]
    parts = [f"{stored.points:,} weighted points"] if stored.points else []
    parts += [f"the events of {Path(stored.events_file).name}"] if stored.events_file else []
    made = f"Of {' and '.join(parts)}, by madnis-py histograms."
    figures = [
        histogram_picture(one, unit)
        for one in stored.histograms
        if one.weighted is not None or one.events is not None
    ]
    return Section("histograms", "Distributions", (made,), figures=figures)


def _timings(record: RunRecord) -> Section:
    longest = max((stage.seconds for stage in record.stages.values()), default=0.0) or 1.0
    head = [
        Cell("stage"),
        Cell("time", "right"),
        Cell("evaluations", "right"),
        Cell("per second", "right"),
        Cell(kind="bar"),
    ]
    rows = []
    for name, stage in record.stages.items():
        speed = stage.evaluations / stage.seconds if stage.seconds else 0.0
        rows.append(
            Row(
                [
                    Cell(name),
                    Cell(
                        Markup('<data value="{}" data-key="stages.{}.seconds">{}</data>').format(
                            repr(stage.seconds), name, duration(stage.seconds)
                        ),
                        "right",
                    ),
                    Cell(f"{stage.evaluations:,}" if stage.evaluations else "", "right"),
                    Cell(f"{speed:,.0f}" if speed else "", "right"),
                    Cell(kind="bar", length=round(100 * stage.seconds / longest, 1)),
                ]
            )
        )
    versions = ", ".join(f"{name} {value}" for name, value in record.versions.items())
    device = f"Computed on {record.identity.device} with {versions}."
    if not rows:
        return Section("time", "Time and versions", ("No stage is finished.", device))
    return Section("time", "Time and versions", (device,), tables=[ShownTable(head, rows)])


def _files(record: RunRecord, path: Path) -> Section:
    head = [
        Cell("file"),
        Cell("events", "right"),
        Cell("seed", "right"),
        Cell("by"),
        Cell("SHA-256"),
    ]
    rows = [
        Row(
            [
                Cell(made.file),
                Cell(f"{made.events:,}", "right"),
                Cell(str(made.seed), "right"),
                Cell(made.sampler or ""),
                Cell(Markup("<code>{}</code>").format((made.sha256 or "")[:16])),
            ]
        )
        for made in record.event_files
    ]
    further = closing_table.next_steps(record, path).items()
    commands = [Markup("{}: <code>{}</code>").format(*one) for one in further]
    tables = [ShownTable(head, rows)] if rows else []
    return Section("events", "Events, and what next", commands, tables=tables)


def _citation(record: RunRecord) -> Section:
    version = record.versions.get("madnis_py", record.identity.version)
    ours = f"The madnis_py developers: madnis_py {version}, and the papers of the method:"
    papers = Markup("<br>").join(map(str, REFERENCES))
    sets = [name for name in record.card.beams.sets if name != "toy"]
    others = f"the parton densities {', '.join(sets)}" if sets else "the parton densities you use"
    return Section("cite", "How to cite", (ours, papers, f"Also cite {others}."))
