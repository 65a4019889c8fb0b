"""Pictures of histograms, drawn with matplotlib and mplhep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import BytesIO
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.histograms.histogram import Histogram, require_hist
from madnis_py.events.histograms.histogram_pair import HistogramPair

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LOGARITHMIC = 100.0
"""Ratio of the highest to the lowest bin from which the axis is logarithmic."""

_POINTS, _EVENTS = "tab:blue", "black"
_BANDS = ("tab:orange", "tab:green", "tab:purple", "tab:brown")
"""Colours of weighted points, events, and the bands that are drawn."""


def require_pictures() -> Any:
    """The package mplhep, after making sure that histograms can be drawn.

    Raises:
        InputError: hist or mplhep is not installed.
    """
    require_hist()
    try:
        return import_module("mplhep")
    except ImportError:
        needs = "expected the packages hist and mplhep to be installed"
        raise InputError(
            f"histograms: {needs}; pip install 'madnis_py[histograms]' brings them"
        ) from None


def picture(pair: HistogramPair, kind: str) -> bytes:
    """Picture of one observable: the differential cross section, below it events over points.

    Args:
        pair: what to draw.
        kind: one of `card.choices.PictureFormat`.

    Raises:
        InputError: a package is not installed.
    """
    with _style():
        figure = _figure(6.0, 5.0)
        figure.subplots_adjust(left=0.14, right=0.97, bottom=0.11, top=0.94, hspace=0.06)
        both = pair.weighted is not None and pair.events is not None
        above, below = (
            figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
            if both
            else (figure.subplots(), None)
        )
        _draw(above, pair)
        above.legend(frameon=False)
        above.set_title(_agreement(pair), fontsize="small", loc="right")
        if below is not None:
            _draw_ratio(below, pair)
        above.set_xlabel("" if below is not None else pair.histogram.observable.label)
        return _content(figure, kind)


def overview(pairs: Sequence[HistogramPair], title: str, kind: str) -> bytes:
    """All observables on one page.

    Args:
        pairs: what to draw, at least one.
        title: of the page.
        kind: one of `card.choices.PictureFormat`.

    Raises:
        InputError: a package is not installed.
    """
    columns = ceil(sqrt(len(pairs)))
    rows = ceil(len(pairs) / columns)
    with _style():
        width, height = 3.8 * columns, 3.0 * rows + 0.5
        figure = _figure(width, height)
        margins = {
            "left": 0.7 / width,
            "right": 1 - 0.2 / width,
            "bottom": 0.5 / height,
            "top": 1 - 0.7 / height,
        }
        figure.subplots_adjust(**margins, hspace=0.35, wspace=0.3)
        figure.suptitle(title, y=1 - 0.2 / height)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, pair in zip(panels, pairs, strict=False):
            _draw(panel, pair)
            panel.set_xlabel(pair.histogram.observable.label)
            panel.set_title(_agreement(pair), fontsize="x-small", loc="right")
        for panel in panels[len(pairs) :]:
            panel.set_visible(False)
        panels[0].legend(frameon=False, fontsize="x-small")
        return _content(figure, kind)


@contextmanager
def _style() -> Iterator[None]:
    """The same settings and bytes whatever the user has configured."""
    matplotlib = import_module("matplotlib")
    settings = {
        "svg.hashsalt": "madnis_py",
        "xtick.direction": "in",
        "ytick.direction": "in",
        "axes.xmargin": 0.0,
    }
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


def _figure(width: float, height: float) -> Figure:
    figure: Figure = import_module("matplotlib.figure").Figure(figsize=(width, height))
    return figure


def _content(figure: Figure, kind: str) -> bytes:
    content = BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    figure.savefig(content, format=kind, dpi=150, metadata=undated[kind])
    return content.getvalue()


def _draw(axes: Axes, pair: HistogramPair) -> None:
    """The differential cross section in points and events."""
    mplhep = require_pictures()
    if (weighted := pair.weighted) is not None:
        _band(
            axes,
            weighted,
            weighted.values - weighted.errors,
            weighted.values + weighted.errors,
            _POINTS,
            0.35,
        )
        mplhep.histplot(
            weighted.hist(),
            ax=axes,
            binwnorm=1.0,
            yerr=False,
            flow="none",
            color=_POINTS,
            label="weighted points",
        )
    if (events := pair.events) is not None:
        drawn = list(pair.bands.items())[: len(_BANDS)]
        for colour, (name, (low, high)) in zip(_BANDS, drawn, strict=False):
            _band(axes, events, low[1:-2], high[1:-2], colour, 0.25, name)
        mplhep.histplot(
            events.hist(),
            ax=axes,
            binwnorm=1.0,
            yerr=events.errors,
            histtype="errorbar",
            flow="none",
            color=_EVENTS,
            markersize=3,
            label="events",
        )
    per = pair.histogram.observable.unit or "unit"
    axes.set_ylabel(f"{'dΓ' if pair.unit == 'GeV' else 'dσ'}/dx [{pair.unit}/{per}]")
    _scale(axes, pair.histogram)


def _band(
    axes: Axes,
    histogram: Histogram,
    low: Array,
    high: Array,
    colour: str,
    alpha: float,
    label: str = "",
) -> None:
    width = np.diff(histogram.edges)
    axes.stairs(
        high / width,
        histogram.edges,
        baseline=low / width,
        fill=True,
        color=colour,
        alpha=alpha,
        lw=0,
        label=label or None,
    )


def _scale(axes: Axes, histogram: Histogram) -> None:
    density = histogram.values / np.diff(histogram.edges)
    filled = density[density > 0]
    if len(filled) and filled.max() > _LOGARITHMIC * filled.min():
        axes.set_yscale("log")
        axes.set_ylim(filled.min() / 3, filled.max() * 5)


def _draw_ratio(axes: Axes, pair: HistogramPair) -> None:
    """Events and both errors over the weighted points."""
    weighted, events = pair.weighted, pair.events
    assert weighted is not None
    assert events is not None
    mplhep = require_pictures()
    base = np.where(weighted.values != 0, weighted.values, np.nan)
    relative = np.nan_to_num(weighted.errors / np.abs(base))
    axes.stairs(
        1 + relative,
        weighted.edges,
        baseline=1 - relative,
        fill=True,
        color=_POINTS,
        alpha=0.35,
        lw=0,
    )
    axes.axhline(1.0, color=_POINTS, lw=1)
    ratio, error = events.values / base, events.errors / np.abs(base)
    mplhep.histplot(
        ratio,
        events.edges,
        ax=axes,
        yerr=error,
        histtype="errorbar",
        flow="none",
        color=_EVENTS,
        markersize=3,
    )
    axes.set_ylim(0.5, 1.5)
    axes.set_ylabel("ratio")
    axes.set_xlabel(events.observable.label)


def _agreement(pair: HistogramPair) -> str:
    found = pair.comparison
    return "" if found is None else f"χ²/dof {found.chi2:.1f}/{found.dof}, p = {found.p_value:.2g}"
