"""Pictures of a training: loss, quality of the sampler, learning rate and channels in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np

from madnis_py.arrays import Array
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import Axis, Plot, covering, covering_decades
from madnis_py.run.stages.history_file import HistoryLine

_MOST_PLACES = 300
"""Places of a curve; neighbours are averaged where a training has more steps."""

_HEIGHT = 150.0


def training_pictures(history: Sequence[HistoryLine], steps: int) -> Iterator[Figure]:
    """Figures of the history of a training.

    Args:
        history: a line at least.
        steps: of the training in all.
    """
    x = Axis(0.0, float(steps))
    yield _loss(history, x)
    yield _quality(history, x)
    if any(line.learning_rate for line in history):
        yield _learning_rate(history, x)
    active = [line.active_channels for line in history if line.active_channels is not None]
    if active and max(active) > min(active):
        yield _active_channels(history, x)


def _curves(history: Sequence[HistoryLine], name: str) -> list[tuple[Array, Array]]:
    """Steps and values of a figure, one pair of arrays from each rollback to the next."""
    known = [line for line in history if getattr(line, name) is not None]
    return [
        (np.array([line.step for line in part]), np.array([getattr(line, name) for line in part]))
        for part in (list(lines) for _, lines in groupby(known, lambda line: line.rollbacks))
    ]


def _values(curves: Sequence[tuple[Array, Array]]) -> list[float]:
    return [float(value) for _, values in curves for value in values]


def _thinned(values: Array, places: int = _MOST_PLACES) -> Array:
    """Means of neighbours, at most so many."""
    if len(values) <= places:
        return values
    ends = np.linspace(0, len(values), places + 1).astype(int)
    return np.asarray(np.add.reduceat(values, ends[:-1]) / np.diff(ends))


def _smooth(values: Array) -> Array:
    """Running mean over a thirtieth of the curve."""
    window = max(len(values) // 30, 1)
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def _plot(x: Axis, y: Axis, label: str) -> Plot:
    return Plot(x, [(y, _HEIGHT)], "step", [label])


def _loss(history: Sequence[HistoryLine], x: Axis) -> Figure:
    curves = _curves(history, "loss")
    values = _values(curves)
    positive = min(values, default=0.0) > 0
    spread = positive and max(values) > 5 * min(values)
    y = covering_decades(values) if spread else covering(values)
    plot = _plot(x, y, "loss")
    for steps, loss in curves:
        plot.line(_thinned(steps), _thinned(loss), "flow", kind="l pale")
        plot.line(_thinned(steps), _thinned(_smooth(loss)), "flow")
    _mark_rollbacks(plot, history)
    return Figure(
        "Loss", plot.svg("Loss by step of the training"), "pale: each step; strong: running mean"
    )


def _quality(history: Sequence[HistoryLine], x: Axis) -> Figure:
    std, efficiency = _curves(history, "relative_std"), _curves(history, "efficiency")
    values = [*_values(std), *_values(efficiency)]
    plot = _plot(x, covering(values, zero=True), "running average")
    for curves, colour in ((std, "vegas"), (efficiency, "flow")):
        for steps, value in curves:
            plot.line(_thinned(steps), _thinned(value), colour)
    if std:
        _name(plot, std, "std/mean", "vegas", efficiency)
    if efficiency:
        _name(plot, efficiency, "efficiency", "flow", std)
    _mark_rollbacks(plot, history)
    note = "efficiency with the largest weights of a batch: higher than the one of the events"
    return Figure("std/mean and efficiency", plot.svg("std/mean and efficiency by step"), note)


def _name(
    plot: Plot,
    own: Sequence[tuple[Array, Array]],
    text: str,
    colour: str,
    other: Sequence[tuple[Array, Array]],
) -> None:
    """The name of a curve, on the side where the other one is not."""
    steps, values = own[-1]
    at = int(0.6 * (len(steps) - 1))
    highest = max(*(float(one.max()) for _, one in (*own, *other)), 1e-300)
    low = values[at] < 0.2 * highest
    above = low or not other or values[at] >= np.interp(steps[at], *other[-1])
    plot.name(steps[at], values[at], text, colour, shift=(0, -9 if above else 17))


def _learning_rate(history: Sequence[HistoryLine], x: Axis) -> Figure:
    curves = _curves(history, "learning_rate")
    plot = _plot(x, covering_decades(_values(curves)), "learning rate")
    for steps, rate in curves:
        plot.line(_thinned(steps), _thinned(rate), "ink")
    _mark_rollbacks(plot, history)
    return Figure("Learning rate", plot.svg("Learning rate by step"))


def _active_channels(history: Sequence[HistoryLine], x: Axis) -> Figure:
    curves = _curves(history, "active_channels")
    most = max(_values(curves))
    plot = _plot(x, Axis(0.0, most * 1.08), "channels")
    for steps, active in curves:
        plot.steps(np.concatenate([[steps[0] - 1], steps]), active, "ink")
    steps, active = curves[-1]
    plot.name(steps[-1], active[-1], f"{active[-1]:.0f}", "ink", anchor="end", shift=(-2, -6))
    _mark_rollbacks(plot, history)
    return Figure("Channels in use", plot.svg("Channels in use by step"), "the others were dropped")


def _mark_rollbacks(plot: Plot, history: Sequence[HistoryLine]) -> None:
    """A line where the training went on after it went back."""
    for before, after in pairwise(history):
        if after.rollbacks > before.rollbacks:
            plot.vertical(float(after.step), "went back", "bad")
