"""Closing table of a run: the tables and sentences at its end, from its record."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import gvar
from rich.table import Table

from madnis_py.events.unweighting_quality import TruncatedQuality
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName
from madnis_py.physics.pdf.pdf_sets import CAVEAT
from madnis_py.progress import duration
from madnis_py.run.display.channel_legend import channel_legend
from madnis_py.run.display.outlook import collision
from madnis_py.run.record import PriorRecord, RunRecord
from madnis_py.run.stages.distributions import Distributions
from madnis_py.run.stages.results import ChannelResult, Result

NAMES: dict[SamplerName, str] = {"vegas": "VEGAS", "madnis": "neural"}
"""Names of the samplers in tables, in the order of their columns."""


def percent(share: float) -> str:
    """A share in per cent with three significant digits."""
    return f"{100 * share:.3g} %"


def with_error(value: float, error: float) -> str:
    """A number with its error in the last digits, e.g. 4209.6(1.2)."""
    return str(gvar.gvar(value, error))


def tables(record: RunRecord, details: bool = True) -> list[Table]:
    """The figures of a run: of its samplers and channels, or of its processes.

    Args:
        record: of the run.
        details: also what explains the main figures, and every channel.
    """
    orders = [order_table(record)] if record.orders else []
    if record.parts is not None:
        return [process_table(record), *orders]
    return [result_table(record, details), *orders, channel_table(record, details)]


def process_table(record: RunRecord) -> Table:
    """Every process of a run of several, and all of them together."""
    title = "\n".join([collision(record.card), *_caveats(record)])
    table = Table(title=title, title_justify="left")
    quantity, unit = quantity_of(record.unit)
    columns = (
        "process",
        f"{quantity} / {unit}",
        "share",
        "events",
        "efficiency",
        "points",
        "sampler",
    )
    for column in columns:
        table.add_column(column, justify="left" if column == "process" else "right")
    for part in record.parts or ():
        if part.sigma_pb is None or record.sigma_pb is None:
            continue
        table.add_row(
            part.definition,
            with_error(part.sigma_pb, part.sigma_error_pb or 0.0),
            percent(part.sigma_pb / record.sigma_pb),
            f"{part.events:,}" if record.events else "",
            percent(part.efficiency or 0.0),
            f"{part.points or 0:,}",
            NAMES[part.sampler] if part.sampler else "",
        )
    if record.sigma_pb is not None and record.unweighting is not None:
        table.add_section()
        table.add_row(
            "all",
            with_error(record.sigma_pb, record.sigma_error_pb or 0.0),
            percent(1.0),
            f"{record.events:,}" if record.events else "",
            percent(record.unweighting.efficiency),
            f"{record.points or 0:,}",
        )
    return table


def order_table(record: RunRecord) -> Table:
    """The cross section by squared coupling orders."""
    table = Table(title="squared orders", title_justify="left")
    quantity, unit = quantity_of(record.unit)
    for column in ("order", f"{quantity} / {unit}", "share"):
        table.add_column(column, justify="left" if column == "order" else "right")
    total = sum(one.sigma_pb for one in record.orders or ())
    for one in record.orders or ():
        value = with_error(one.sigma_pb, one.sigma_error_pb)
        table.add_row(one.order, value, percent(one.sigma_pb / total))
    return table


def quantity_of(unit: Literal["GeV"] | None) -> tuple[str, str]:
    """What is integrated, and its unit, by the unit that a record has."""
    return ("sigma", "pb") if unit is None else ("width", unit)


def _caveats(record: RunRecord) -> list[str]:
    """Warnings that belong above the figures."""
    return [one.sentence for one in record.warnings if one.sentence.startswith(CAVEAT)]


def result_table(record: RunRecord, details: bool = True) -> Table:
    """VEGAS and the neural sampler side by side, below what they depend on."""
    lines = [*record.card.process.definitions, collision(record.card), *_caveats(record)]
    table = Table(title="\n".join(lines), title_justify="left")
    table.add_column("")
    results = _results(record)
    for name in results:
        table.add_column(NAMES[name], justify="right")
    quantity, unit = quantity_of(record.unit)
    rows: dict[str, Callable[[Result], str]] = {
        f"{quantity} / {unit}": lambda one: with_error(one.sigma_pb, one.sigma_error_pb),
        "relative error": lambda one: percent(one.sigma_error_pb / abs(one.sigma_pb)),
        "chi^2/dof": lambda one: f"{one.chi2_per_dof:.2f}",
        "std/mean": lambda one: f"{one.relative_std:.4f}",
        "unweighting efficiency": lambda one: percent(one.unweighting.efficiency),
        "time for 10^6 events": lambda one: duration(1e6 * one.cost.seconds_per_event),
    }
    if any(one.unweighting.negative_share for one in results.values()):
        rows["negative events"] = lambda one: percent(one.unweighting.negative_share)
    for label, cell in (rows | (_DETAILS if details else {})).items():
        table.add_row(label, *(cell(one) for one in results.values()))
    return table


def _results(record: RunRecord) -> dict[SamplerName, Result]:
    """Figures of the samplers that were integrated, in the order of the columns."""
    found = {name: record.result_of(name) for name in NAMES}
    return {name: result for name, result in found.items() if result is not None}


def truncated_efficiency(result: Result, share: float) -> float:
    """Efficiency of a sampler with maxima of an overweight share."""
    return _quality_of(result.truncated, share).combined.efficiency


def _quality_of(truncated: tuple[TruncatedQuality, ...], share: float) -> TruncatedQuality:
    return next(entry for entry in truncated if entry.share == share)


_DETAILS: dict[str, Callable[[Result], str]] = {
    "efficiency, bootstrap maximum": lambda one: percent(one.unweighting.efficiency_bootstrap),
    "efficiency, 0.1 % overweights": lambda one: percent(truncated_efficiency(one, 0.001)),
    "efficiency, 1 % overweights": lambda one: percent(truncated_efficiency(one, 0.01)),
    "overweight share": lambda one: percent(one.unweighting.overweight_share),
    "cut acceptance": lambda one: percent(one.unweighting.cut_acceptance),
    "points": lambda one: f"{one.points:,}",
    "time per point": lambda one: f"{one.seconds_per_point * 1e6:.3g} us",
}
"""Rows of a sampler that explain the others."""

SHOWN_CHANNELS = 12
"""Channels of a table without details; the rest is one row."""


def channel_table(record: RunRecord, details: bool = True) -> Table:
    """Contribution of every channel, with the prior and with the weights of the sampler in use.

    Without details they are the largest ones, and all others together.
    """
    legend = channel_legend(
        [one.name for one in record.channels or ()],
        record.card.process.definitions[0],
        n_incoming=1 if record.unit else 2,
    )
    title = ": ".join(filter(None, ("channels of the sampler in use", "; ".join(legend))))
    table = Table(title=title, title_justify="left")
    quantity, unit = quantity_of(record.unit)
    columns = ["channel", f"{quantity} / {unit}", "share"]
    if trained := record.madnis is not None:
        columns.append("share before training")
    if details:
        columns += ["std/mean", "efficiency", "bootstrap"]
    for column in columns:
        table.add_column(column, justify="left" if column == "channel" else "right")
    every = record.channels or ()
    shown, sigma = _shown(every, details), record.sigma_pb or 0.0
    quality = _quality_of(record.truncated, 0.001).channels if record.truncated else ()
    for number in shown:
        channel, name = every[number], every[number].name
        cells = [f"{channel.share * sigma:.4g}", percent(channel.share)]
        cells += [percent(channel.share_prior)] if trained else []
        if details:
            size = abs(channel.share * sigma)
            spread = f"{channel.sigma_i / size:.3g}" if size else ""
            efficiency = percent(quality[number].efficiency)
            cells += [spread, efficiency, percent(channel.efficiency_bootstrap)]
        table.add_row(name, *cells)
    if rest := [one for number, one in enumerate(every) if number not in shown]:
        table.add_section()
        share, before = (sum(values) for values in zip(*map(_shares, rest), strict=True))
        cells = [f"{share * sigma:.4g}", percent(share), *([percent(before)] if trained else [])]
        table.add_row(f"{len(rest)} others", *cells)
    return table


def _shown(channels: Sequence[ChannelResult], details: bool) -> list[int]:
    """Numbers of the channels with a row, the largest first without details."""
    numbers = range(len(channels))
    if details:
        return [*numbers]
    ordered = sorted(numbers, key=lambda number: -abs(channels[number].share))
    return ordered if len(ordered) <= SHOWN_CHANNELS + 1 else ordered[:SHOWN_CHANNELS]


def _shares(channel: ChannelResult) -> tuple[float, float]:
    return channel.share, channel.share_prior


def distribution_table(found: Distributions) -> Table:
    """Range and bins of every observable, and how well points and events agree."""
    first = found.every[0] if found.every else None
    samples = {"weighted points": first.weighted, "events": first.events} if first else {}
    totals = [
        f"{with_error(one.total, float(one.all_errors[-1]))} {found.unit} from {name}"
        for name, one in samples.items()
        if one is not None
    ]
    table = Table(title="\n".join([found.title, *totals]), title_justify="left")
    for column in ("observable", "range", "bins", "chi^2/dof", "p"):
        table.add_column(column, justify="left" if column == "observable" else "right")
    for one in found.every:
        edges, agreement = one.histogram.edges, one.comparison
        chi2 = f"{agreement.chi2:.1f}/{agreement.dof}" if agreement else ""
        p_value = f"{agreement.p_value:.2g}" if agreement else ""
        unit = f" {one.histogram.observable.unit}".rstrip()
        table.add_row(
            one.name, f"{edges[0]:g} to {edges[-1]:g}{unit}", str(len(edges) - 1), chi2, p_value
        )
    return table


def conclusions(record: RunRecord, details: bool = True) -> list[str]:
    """Sentences below the tables: times, when the flow pays, what was noticed, and the warnings.

    Args:
        record: of the run.
        details: also how the prior was chosen, and what the training found by itself.
    """
    sentences = [times(record)] if record.stages else []
    if record.prior and details:
        sentences.append(prior_sentence(record.prior))
    if record.plan:
        sentences.append(f"before the training: {record.plan.reason}")
    if record.choice:
        sentences.append(break_even(record.choice))
    if (training := record.training_sigma) and details:
        value = with_error(training.sigma_pb, training.sigma_error_pb)
        quantity, unit = quantity_of(record.unit)
        alone = f"training batches alone: {quantity} = {value} {unit}, pull {training.pull:+.1f}"
        sentences.append(f"{alone}; not combined")
    return [*sentences, *(f"warning: {warning.sentence}" for warning in record.warnings)]


def times(record: RunRecord) -> str:
    """Time of the whole run, and of each of its stages."""
    total = sum(stage.seconds for stage in record.stages.values())
    stages = (f"{name} {duration(stage.seconds)}" for name, stage in record.stages.items())
    return f"time {duration(total)}: {', '.join(stages)}"


def prior_sentence(prior: PriorRecord) -> str:
    """The channel weights before training, with the figures of the survey that chose them."""
    survey = ", ".join(
        f"{name} {value:.3g}" for name, value in prior.relative_std.items() if value is not None
    )
    return f"prior: {prior.chosen}" + (f"; std/mean in a short survey: {survey}" if survey else "")


def break_even(choice: Choice) -> str:
    """From how many events or points on the training pays."""
    numbers = {"events": choice.break_even_events, "VEGAS points": choice.break_even_points}
    from_on = [
        f"from {number:,.0f} {what} on" for what, number in numbers.items() if number is not None
    ]
    pays = f"pays {' or '.join(from_on)}" if from_on else "never pays"
    return f"break-even: the flow, {choice.training_seconds:.3g} s of training included, {pays}"


def generated_events(record: RunRecord, directory: Path) -> list[str]:
    """Quality and place of the events; nothing if there are none."""
    made, found = record.generated, record.unweighting
    if made is None or found is None:
        return []
    figures = [
        f"overweight share {percent(found.overweight_share)}",
        f"as good as {found.n_eff:,.0f} of equal weights",
    ]
    if found.negative_share:
        figures.append(f"negative events {percent(found.negative_share)}")
    if found.maximum_factor > 1:
        figures.append(f"maxima raised by {percent(found.maximum_factor - 1)}")
    return [f"{made.events} events in {directory / made.file}", f"events: {', '.join(figures)}"]


def better_sampler(record: RunRecord, directory: Path) -> list[str]:
    """The sampler that makes events in less time than that in use, if there is one, and how."""
    results = _results(record)
    if len(results) < 2:
        return []
    best, other = sorted(results, key=lambda name: results[name].cost.seconds_per_event)
    if best == record.sampler:
        return []
    seconds = [duration(1e6 * results[one].cost.seconds_per_event) for one in (best, other)]
    faster = f"{NAMES[best]} makes 10^6 events in {seconds[0]}, {NAMES[other]} in {seconds[1]}"
    command = f"madnis-py generate {shlex.quote(str(directory))} --events {record.events or 10_000}"
    return [f"better sampler: {faster}: {command} --sampler {best}"]


def next_steps(record: RunRecord, directory: Path) -> dict[str, str]:
    """Commands that go on from a run with a cross section, by what they give."""
    if record.sigma_pb is None:
        return {}
    run, seed = shlex.quote(str(directory)), record.identity.seed + 1
    pack = shlex.quote(f"{directory.absolute().name}.tar.gz")
    further = {"further figures": f"madnis-py integrate {run} --details"}
    return {
        "distributions": f"madnis-py histograms {run}",
        "a page with all of it": f"madnis-py report {run}",
        "more events": f"madnis-py generate {run} --events 1e6 --seed {seed} "
        f"--output more_{seed}.lhe.gz",
        "events elsewhere": f"madnis-py gridpack {run} -o {pack}",
        **(further if record.parts is None else {}),
    }
