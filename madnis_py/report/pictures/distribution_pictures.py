"""Pictures of learned and true distributions, by channel, Fig. 5.11 of the MadNIS thesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from madnis_py.arrays import Array
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.report.pictures import typesetting
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import Axis, Plot, covering_decades
from madnis_py.report.pictures.weight_picture import COLOURS
from madnis_py.run.diagnostics.event_distributions import EventContents
from madnis_py.run.diagnostics.learned_distributions import LearnedContent, LearnedDistribution

SHOWN = 9
"""Distributions that are drawn, those that VEGAS has learned worst first."""

_REACHES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""How far from 1 the axis of the ratios may go."""

_LOGARITHMIC = 30.0
"""Ratio of the highest bin to the median of the filled ones from which an axis is logarithmic."""


def distribution_pictures(
    distributions: Sequence[LearnedDistribution], unit: str, events: Mapping[str, EventContents]
) -> list[Figure]:
    """The distributions in which grids are furthest from the truth.

    Args:
        distributions: of a run.
        unit: of the cross section, or of the width.
        events: observable -> its distribution in events, where there are some.
    """
    shown = sorted(distributions, key=lambda one: -_distance(one.samplers["vegas"]))[:SHOWN]
    return [
        _picture(one, unit, events.get(one.observable)) for one in distributions if one in shown
    ]


def _distance(content: LearnedContent) -> float:
    """Half the sum of the differences of both shapes beyond their errors, from 0 to 1."""
    true, learned = np.array(content.true), np.array(content.learned)
    if not true.sum() or not learned.sum():
        return 0.0
    noise = np.array(content.true_errors) / true.sum()
    apart = np.abs(true / true.sum() - learned / learned.sum())
    return float(np.maximum(apart - noise, 0.0).sum()) / 2


def _picture(one: LearnedDistribution, unit: str, events: EventContents | None) -> Figure:
    edges = np.array(one.edges)
    width = np.diff(edges)
    best: SamplerName = "madnis" if "madnis" in one.samplers else "vegas"
    content = one.samplers[best]
    true, learned = np.array(content.true) / width, np.array(content.learned) / width
    y = density_axis(np.concatenate([true, learned]))
    ratios = {name: _ratio(found) for name, found in one.samplers.items()}
    apart = np.max([np.abs(ratio - 1) for ratio in ratios.values()], axis=0)
    reach = ratio_reach(apart, np.array(content.true))
    axes = [(y, 170.0), (Axis(1 - reach, 1 + reach), 72.0)]
    label = f"{one.label} [{one.unit}]" if one.unit else one.label
    labels = [density_label(one.label, one.unit, unit), "learned / true"]
    plot = Plot(Axis(float(edges[0]), float(edges[-1])), axes, label, labels)
    _stack(plot, edges, content, y)
    plot.steps(edges, true, "ink")
    for name, found in one.samplers.items():
        if name != best:
            plot.steps(edges, np.array(found.learned) / width, COLOURS[name][1])
    names = [("true", "ink"), *(COLOURS[name] for name in one.samplers)]
    if events is not None and len(events.values) == len(events.errors) == len(width):
        values, errors = np.array(events.values) / width, np.array(events.errors) / width
        middle = (edges[1:] + edges[:-1]) / 2
        plot.errors(middle, values - errors, values + errors, "events")
        plot.dots(middle, values, "events big")
        names.append(("events", "events"))
    plot.legend(names, right=bool(np.argmax(true) < 0.6 * len(true)))
    plot.between(edges, *_band(content), "ink", 1)
    plot.horizontal(1.0, 1)
    for name, ratio in ratios.items():
        plot.steps(edges, ratio, COLOURS[name][1], 1)
    title = f"{typesetting.plain(one.label)}: learned and true distribution"
    return Figure(typesetting.html(one.label), plot.svg(title))


def _stack(plot: Plot, edges: Array, content: LearnedContent, y: Axis) -> None:
    """The learned distribution as areas, one on top of the other, the largest channel below."""
    width = np.diff(edges)
    base = np.full(len(width), y.low if y.logarithmic else 0.0)
    below = np.zeros(len(width))
    for number, part in enumerate(content.channels):
        top = below + np.array(part) / width
        plot.between(edges, np.maximum(below, base), np.maximum(top, base), f"s{number}")
        below = top


def _ratio(content: LearnedContent) -> Array:
    true, learned = np.array(content.true), np.array(content.learned)
    return np.asarray(np.divide(learned, true, out=np.ones_like(true), where=true > 0))


def _band(content: LearnedContent) -> tuple[Array, Array]:
    true, error = np.array(content.true), np.array(content.true_errors)
    relative = np.divide(error, true, out=np.zeros_like(true), where=true > 0)
    return 1 - relative, 1 + relative


def density_axis(values: Array) -> Axis:
    """The vertical axis of densities: from 0, or logarithmic where they fall steeply."""
    filled = values[values > 0]
    if len(filled) and filled.max() > _LOGARITHMIC * np.median(filled):
        return covering_decades(filled, most=4.0)
    return Axis(min(0.0, 1.15 * float(values.min())), 1.15 * float(max(filled, default=1.0)))


def density_label(label: str, unit_of_observable: str, unit: str) -> str:
    """The name of a differential cross section or width, in mathtext."""
    letter = r"\Gamma" if unit == "GeV" else r"\sigma"
    per = f"{unit}/{unit_of_observable}" if unit_of_observable else unit
    inside = label.strip("$") if label.startswith("$") else rf"\mathrm{{{label}}}"
    return rf"$\mathrm{{d}}{letter} / \mathrm{{d}}{inside}$ [{per}]"


def ratio_reach(apart: Array, content: Array) -> float:
    """How far the axis of a ratio goes from 1, so that bins with 95 % of the content fit.

    Args:
        apart: distance of the ratio from 1 in each bin, shape (B,).
        content: of each bin, shape (B,).
    """
    order = np.argsort(apart)
    inside = np.cumsum(content[order]) <= 0.95 * content.sum()
    furthest = float(apart[order][inside].max(initial=0.0))
    return next((reach for reach in _REACHES if reach >= furthest), _REACHES[-1])


def stack_names(one: LearnedDistribution) -> list[tuple[str, str]]:
    """Names of the channels with the colours of their areas."""
    return [(name, f"s{number}") for number, name in enumerate(one.channels)]
