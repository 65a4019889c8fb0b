"""Pictures of histograms: weighted points and events, and the ratio of both."""

from __future__ import annotations

import numpy as np

from madnis_py.arrays import Array
from madnis_py.report.pictures import typesetting
from madnis_py.report.pictures.distribution_pictures import density_axis, density_label, ratio_reach
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import Axis, Plot
from madnis_py.report.pictures.stored_histograms import StoredContents, StoredHistogram


def histogram_picture(one: StoredHistogram, unit: str) -> Figure:
    """A histogram.

    Args:
        one: of weighted points, events, or both.
        unit: of its contents.
    """
    edges = np.array(one.edges)
    width, middle = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    label = one.label or one.observable
    drawn = [part for part in (one.weighted, one.events) if part is not None]
    every = np.concatenate([one for part in drawn for one in _heights(part, width)])
    panels, labels = [(density_axis(every), 170.0)], [density_label(label, one.unit, unit)]
    ratio = _ratio(one)
    if ratio is not None:
        reach = ratio_reach(np.abs(ratio[0] - 1), np.array(drawn[0].values))
        panels.append((Axis(1 - reach, 1 + reach), 72.0))
        labels.append("events / points")
    axis = f"{label} [{one.unit}]" if one.unit else label
    plot = Plot(Axis(float(edges[0]), float(edges[-1])), panels, axis, labels)
    names = []
    if one.weighted is not None:
        low, high = _ends(one.weighted)
        plot.between(edges, low / width, high / width, "flow")
        plot.steps(edges, np.array(one.weighted.values) / width, "flow")
        names.append(("weighted points", "flow"))
    if one.events is not None:
        for number, (name, band) in enumerate(one.events.bands.items()):
            plot.between(
                edges, np.array(band.low) / width, np.array(band.high) / width, f"b{number}"
            )
            names.append((name.replace("_", " "), f"b{number}"))
        low, high = _ends(one.events)
        plot.errors(middle, low / width, high / width, "ink")
        plot.dots(middle, np.array(one.events.values) / width, "ink big")
        names.append(("events", "ink"))
    if ratio is not None:
        value, error = ratio
        plot.horizontal(1.0, 1, "flow")
        plot.errors(middle, value - error, value + error, "ink", 1)
        plot.dots(middle, value, "ink big", 1)
    first = np.array(drawn[0].values) / width if drawn else every
    plot.legend(names, right=bool(np.argmax(first) < 0.6 * len(first)))
    return Figure(typesetting.html(label), plot.svg(typesetting.plain(label)), _agreement(one))


def _heights(contents: StoredContents, width: Array) -> list[Array]:
    """Everything that is drawn of contents: values and the upper ends of their bands."""
    tops = [contents.values, *(band.high for band in contents.bands.values())]
    return [np.array(top) / width for top in tops]


def _ends(contents: StoredContents) -> tuple[Array, Array]:
    values, errors = np.array(contents.values), np.array(contents.errors)
    return values - errors, values + errors


def _ratio(one: StoredHistogram) -> tuple[Array, Array] | None:
    """Events over points with both errors, where there are both; 1 where there are no points."""
    if one.weighted is None or one.events is None:
        return None
    points, events = np.array(one.weighted.values), np.array(one.events.values)
    error = np.hypot(np.array(one.events.errors), np.array(one.weighted.errors))
    there = points != 0
    value = np.divide(events, points, out=np.ones_like(points), where=there)
    return value, np.divide(error, np.abs(points), out=np.zeros_like(points), where=there)


def _agreement(one: StoredHistogram) -> str:
    found = one.comparison
    return f"χ²/dof {found.chi2:.1f}/{found.dof}, p = {found.p_value:.2g}" if found else ""
