"""Picture of the weights of the trials of each sampler, with the maximum that was chosen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.report.pictures.figure import Figure
from madnis_py.report.pictures.plot import Axis, Plot
from madnis_py.run.diagnostics.weight_spectrum import WeightSpectrum

COLOURS: Mapping[SamplerName, tuple[str, str]] = {
    "vegas": ("VEGAS", "vegas"),
    "madnis": ("flow", "flow"),
}
"""Name and colour of a sampler in all pictures."""


def weight_picture(weights: Mapping[SamplerName, WeightSpectrum]) -> Figure:
    """The distributions of w / M, in bins of equal width in the logarithm."""
    shares = {name: 100 * np.array(one.shares) for name, one in weights.items()}
    highest = max(float(values.max()) for values in shares.values()) or 1.0
    edges = np.array(next(iter(weights.values())).edges)
    filled = np.flatnonzero(np.sum(list(shares.values()), axis=0) > 1e-3 * highest)
    low = edges[filled[0]] if len(filled) else edges[0]
    high = max(edges[min(filled[-1] + 2, len(edges) - 1)] if len(filled) else 1.0, 4.0)
    x = Axis(float(max(min(low, 0.03), 1e-3)), float(high), logarithmic=True)
    plot = Plot(x, [(Axis(0.0, 1.12 * highest), 210.0)], "$w / M$", ["% of the trials per bin"])
    for name, values in shares.items():
        colour = COLOURS[name][1]
        plot.between(edges, np.zeros_like(values), values, colour)
        plot.steps(edges, values, colour)
    plot.vertical(1.0, "maximum", "ink")
    entries = [
        (f"{COLOURS[name][0]}: mean {100 * one.mean:.3g} %", COLOURS[name][1])
        for name, one in weights.items()
    ]
    plot.legend(entries, right=False)
    above = ", ".join(
        f"{COLOURS[name][0]} {100 * one.overweight:.2g} %" for name, one in weights.items()
    )
    empty = ", ".join(f"{COLOURS[name][0]} {100 * one.zero:.3g} %" for name, one in weights.items())
    note = (
        "A trial is accepted with probability <i>w</i>/<i>M</i>: the mean is the efficiency. "
        f"Trials above the maximum: {above}. Trials that fail the cuts, not shown: {empty}."
    )
    title = "Weights of the trials over the maxima of their channels"
    return Figure("Weights of the trials", plot.svg(title), note)
