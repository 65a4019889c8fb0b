"""What a run shows: progress while it works, tables when it is done."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import gvar
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from madnis_py.physics.pdf.pdf import CAVEAT
from madnis_py.progress import StageProgress
from madnis_py.run.stages.distributions import Distributions

NAMES = {"vegas": "VEGAS", "madnis": "neural"}
"""What the tables call the samplers, in the order of their columns."""

LOG_INTERVAL = 5.0
"""Seconds between two lines of a log."""


class ProgressDisplay(Protocol):
    """Shows the progress of stages, as a context manager."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""

    def update(self, progress: StageProgress) -> None:
        """Take notice of what a stage says."""


def progress_display(console: Console) -> ProgressDisplay:
    """Bars on a terminal, a plain log elsewhere."""
    return BarDisplay(console) if console.is_terminal else LogDisplay(console)


class BarDisplay:
    """One bar per stage, with speed, remaining time and what the stage knows of the result."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[message]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._bars.stop()

    def update(self, progress: StageProgress) -> None:
        """Move the bar of the stage."""
        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bars.add_task(
                progress.stage, total=progress.total, message=""
            )
        task = self._tasks[progress.stage]
        self._bars.update(
            task, completed=progress.done, total=progress.total, message=message(progress)
        )


class LogDisplay:
    """A line every few seconds and at the end of a stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = 0.0

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to clean."""

    def update(self, progress: StageProgress) -> None:
        """Write a line if it is time for one."""
        finished = progress.done >= progress.total
        if finished or time.monotonic() - self._last > LOG_INTERVAL:
            self._last = time.monotonic()
            line = f"{progress.stage}: {progress.done}/{progress.total} {progress.unit}, {message(progress)}"
            self._console.print(line, highlight=False, soft_wrap=True)


def message(progress: StageProgress) -> str:
    """Speed, cross section and quality in a few words."""
    words = []
    if progress.rate is not None:
        words.append(f"{progress.rate:.3g} {progress.rate_unit}")
    if progress.sigma is not None:
        words.append(f"sigma {progress.sigma:.6g} pb")
    if progress.relative_std is not None:
        words.append(f"std/mean {progress.relative_std:.3f}")
    if progress.efficiency is not None:
        words.append(f"efficiency {percent(progress.efficiency)}")
    return ", ".join(words)


def percent(share: float) -> str:
    """A share in per cent with three significant digits."""
    return f"{100 * share:.3g} %"


def with_error(value: float, error: float) -> str:
    """A number with its error in the last digits, e.g. 4209.6(1.2)."""
    return str(gvar.gvar(value, error))


def result_table(record: Mapping[str, Any]) -> Table:
    """VEGAS and the neural sampler side by side, from the content of run.json."""
    definition, notes = record["card"]["process"]["definition"], record.get("warnings", [])
    title = [definition, *(sentence for sentence in notes if sentence.startswith(CAVEAT))]
    table = Table(title="\n".join(title), title_justify="left")
    table.add_column("")
    columns = [(name, record[name]) for name in NAMES if record.get(name)]
    for name, _ in columns:
        table.add_column(NAMES[name], justify="right")
    rows: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "sigma / pb": lambda part: with_error(part["sigma_pb"], part["sigma_error_pb"]),
        "relative error": lambda part: percent(part["sigma_error_pb"] / part["sigma_pb"]),
        "chi^2/dof": lambda part: f"{part['chi2_per_dof']:.2f}",
        "sum_i sigma_i / sigma": lambda part: f"{part['relative_std']:.4f}",
        "unweighting efficiency": lambda part: percent(part["unweighting"]["efficiency"]),
        "  bootstrap maximum": lambda part: percent(part["unweighting"]["efficiency_bootstrap"]),
        "  at 0.1 % overweight share": lambda part: percent(truncated_efficiency(part, 0.001)),
        "  at 1 % overweight share": lambda part: percent(truncated_efficiency(part, 0.01)),
        "overweight share": lambda part: percent(part["unweighting"]["overweight_share"]),
        "cut acceptance": lambda part: percent(part["unweighting"]["cut_acceptance"]),
        "points": lambda part: f"{part['points']:,}",
        "time per point": lambda part: f"{part['seconds_per_point'] * 1e6:.3g} us",
        "time per event": lambda part: f"{_event_cost(part) * 1e6:.3g} us",
    }
    if any(part["unweighting"]["negative_share"] for _, part in columns):
        rows["negative events"] = lambda part: percent(part["unweighting"]["negative_share"])
    for label, cell in rows.items():
        table.add_row(label, *(cell(part) for _, part in columns))
    return table


def channel_table(record: Mapping[str, Any]) -> Table:
    """Contribution of every channel, with the prior and with the weights of the sampler in use."""
    table = Table(title="channels of the sampler in use", title_justify="left")
    for column in ("channel", "share before", "share", "sigma_i / pb", "efficiency", "  bootstrap"):
        table.add_column(column, justify="left" if column == "channel" else "right")
    quality = _quality_of(record, 0.001)["channels"]
    for channel, own in zip(record["channels"], quality, strict=True):
        table.add_row(
            channel["name"],
            percent(channel["share_prior"]),
            percent(channel["share"]),
            f"{channel['sigma_i']:.4g}",
            percent(own["efficiency"]),
            percent(channel["efficiency_bootstrap"]),
        )
    return table


def distribution_table(found: Distributions) -> Table:
    """Range and bins of every observable, and how well points and events agree."""
    table = Table(title=_title(found), title_justify="left")
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


def _title(found: Distributions) -> str:
    samples = (
        {"weighted points": found.every[0].weighted, "events": found.every[0].events}
        if found.every
        else {}
    )
    totals = [
        f"{with_error(histogram.total, float(histogram.all_errors[-1]))} pb from {name}"
        for name, histogram in samples.items()
        if histogram is not None
    ]
    return "\n".join([found.title, *totals])


def truncated_efficiency(part: Mapping[str, Any], share: float) -> float:
    """Efficiency of a sampler with maxima of an overweight share, from its figures in run.json."""
    efficiency: float = _quality_of(part, share)["combined"]["efficiency"]
    return efficiency


def conclusions(record: Mapping[str, Any]) -> list[str]:
    """Sentences below the tables: when the flow pays, what its training found, and what may be wrong."""
    sentences = []
    if prior := record.get("prior"):
        sentences.append(prior_sentence(prior))
    if plan := record.get("plan"):
        sentences.append(f"before the training: {plan['reason']}")
    if choice := record.get("choice"):
        sentences.append(break_even(choice))
    if training := record.get("training_sigma"):
        value = with_error(training["sigma_pb"], training["sigma_error_pb"])
        sentences.append(
            f"training batches alone: sigma = {value} pb, pull {training['pull']:+.1f}; not combined"
        )
    return [*sentences, *(f"warning: {warning}" for warning in record.get("warnings", []))]


def generated_events(record: Mapping[str, Any], directory: Path) -> list[str]:
    """What events were made, how good they are and where they are; nothing if there are none."""
    if not (made := record.get("generated")):
        return []
    found = record["unweighting"]
    figures = [
        f"unweighting efficiency {percent(found['efficiency'])}",
        f"overweight share {percent(found['overweight_share'])}",
        f"effective sample size {found['n_eff']:,.0f}",
        f"cut acceptance {percent(found['cut_acceptance'])}",
    ]
    if found["negative_share"]:
        figures.append(f"negative events {percent(found['negative_share'])}")
    if found["maximum_factor"] > 1:
        figures.append(f"maxima raised {found['maximum_factor']:.3g} times")
    return [", ".join(figures), f"{made['events']} events in {directory / made['file']}"]


def better_sampler(record: Mapping[str, Any], directory: Path) -> list[str]:
    """Which of the two samplers makes an event in less time, and the command that uses it; nothing without a flow."""
    costs = {name: _event_cost(record[name]) for name in NAMES if record.get(name)}
    if len(costs) < 2:
        return []
    best, other = sorted(costs, key=costs.__getitem__)
    figures = (
        f"{NAMES[one]} {costs[one] * 1e6:.3g} us per event, {_efficiency(record[one])}"
        for one in (best, other)
    )
    command = f"madnis-py generate {shlex.quote(str(directory))} --events {record['events'] or 10_000} --sampler {best}"
    return [f"better sampler: {', '.join(figures)}: {command}"]


def _event_cost(part: Mapping[str, Any]) -> float:
    """Seconds per unweighted event."""
    cost: float = part["seconds_per_point"] / part["unweighting"]["efficiency"]
    return cost


def _efficiency(part: Mapping[str, Any]) -> str:
    return f"efficiency {percent(part['unweighting']['efficiency'])}"


def prior_sentence(prior: Mapping[str, Any]) -> str:
    """The channel weights before training, with the figures of the survey that chose them."""
    figures = {name: value for name, value in prior["relative_std"].items() if value is not None}
    survey = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
    return f"prior: {prior['chosen']}" + (
        f"; sum_i sigma_i / sigma in a short survey: {survey}" if survey else ""
    )


def break_even(choice: Mapping[str, Any]) -> str:
    """From how many events or points on the training pays."""
    from_on = [
        f"from {number:,.0f} {what} on"
        for what, number in (
            ("events", choice["break_even_events"]),
            ("VEGAS points", choice["break_even_points"]),
        )
        if number is not None
    ]
    pays = f"pays {' or '.join(from_on)}" if from_on else "never pays"
    return f"break-even: the flow, {choice['training_seconds']:.3g} s of training included, {pays}"


def _quality_of(part: Mapping[str, Any], share: float) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(entry for entry in part["truncated"] if entry["share"] == share)
    return found
