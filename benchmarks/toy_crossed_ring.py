"""Tab. 5.2 and Fig. 5.8 of the MadNIS thesis: crossed ring, channel weights and maps trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor
from toy_integrands import CrossedRing, MapName
from toy_rows import drawing, row
from toy_trainings import Case, Outcome

from madnis_py.arrays import Array
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.integration.channel_weights import ChannelWeightSettings
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings

WINDOW, BINS = 1.6, 100
"""Half width of the square that is drawn, and bins along each side."""

WEIGHTS = ChannelWeightSettings(layers=4, units=32)

ROWS: dict[str, tuple[tuple[MapName, ...], tuple[MapName, ...] | None, tuple[float, float]]] = {
    "flat": (("flat",), None, (1.17, 0.13)),
    "flat, flat": (("flat", "flat"), ("ring", "line"), (0.71, 0.15)),
    "flat, flat, flat": (("flat", "flat", "flat"), ("ring", "ring", "line"), (0.50, 0.15)),
    "ring, flat": (("ring", "flat"), None, (0.30, 0.11)),
    "ring, line": (("ring", "line"), ("ring", "line"), (0.14, 0.06)),
    "ring, line, flat": (("ring", "line", "flat"), ("ring", "line", "flat"), (0.29, 0.14)),
}
"""Maps, the shapes of the prior (None: flat), and the relative error in the thesis."""

FLOWS = {
    "affine": FlowSettings(transform="affine", permutation="soft", blocks=6, layers=4, units=32),
    "spline": FlowSettings(transform="spline", blocks=8, layers=3, units=32),
}

TRAINING = TrainingSettings(
    steps=1500,
    batch_size=2048,
    loss="variance",
    learning_rate=5e-3,
    final_learning_rate=5e-5,
    schedule="cosine",
    gradient_clip=1.0,
    uniform_fraction=1.0,
    dropping_cutoff=0.0,
)
"""Settings of Tab. A.4 with fewer batches and larger steps; it has 50 000 batches of 1024 at a rate
of 5e-4, 1e-3 with a ring map.

Clipped gradients keep a single outlier of the first batches from driving an affine flow into a
corner for good.
"""

MAPPED_TRAINING = TRAINING.model_copy(
    update={"steps": 400, "batch_size": 4096, "learning_rate": 3e-3, "final_learning_rate": 3e-5}
)
"""Of the rows with both maps, which start closer and can lose more.

In batches of 1024 points the heavy weights in the tails of affine flows threw two of three
trainings of "ring, line" into a corner that they did not leave, whatever the rate, the clipping or
the compression of weights.
"""

SPLINE_TRAINING = TRAINING.model_copy(update={"steps": 4000, "averaging": 0.99})
"""In about the time that affine blocks need for `TRAINING`: splines run in compiled kernels."""

DRAWN = "ring, flat; affine"
"""The row of Fig. 5.8."""


def cases() -> list[Case]:
    """Every row of the table with affine blocks and with splines."""
    return [
        _case(f"{name}; {blocks}", CrossedRing(maps, shapes), flow)
        for blocks, flow in FLOWS.items()
        for name, (maps, shapes, _) in ROWS.items()
    ]


def _case(name: str, integrand: CrossedRing, flow: FlowSettings) -> Case:
    online = SPLINE_TRAINING if flow.transform == "spline" else TRAINING
    training = MAPPED_TRAINING if "line" in integrand.maps else online
    return Case(
        name, integrand, training, flow, WEIGHTS, (learned_densities,) if name == DRAWN else ()
    )


def rows(case: Case, outcomes: list[Outcome]) -> list[dict[str, Any]]:
    """The row of a case; with trained maps the least possible error is 0."""
    maps, _, blocks = case.name.partition("; ")
    published = ROWS[maps][2] if blocks == "affine" else None
    return [row("5.2", case, outcomes, published=published, floor=0.0, exact=1.0)]


def learned_densities(sampler: ImportanceSampler, counts: Tensor) -> Outcome:
    """Histograms of the points of each channel, of all weighted, and the mean first weight."""
    assert isinstance(sampler.integrand, CrossedRing)
    samples = sampler.sample(counts, "figure")
    p = sampler.integrand.points(samples.x, samples.channel).numpy()
    channel, weight = samples.channel.numpy(), samples.weight.numpy()
    channels = [_histogram(p[channel == i], None) for i in range(len(counts))]
    return {
        "channels": [density.tolist() for density in channels],
        "combined": _histogram(p, weight * len(counts)).tolist(),
        "alpha": _alpha(sampler).tolist(),
    }


def _histogram(p: Array, weight: Array | None) -> Array:
    edges = np.linspace(-WINDOW, WINDOW, BINS + 1)
    sums, _, _ = np.histogram2d(p[:, 1], p[:, 0], [edges, edges], weights=weight)
    return np.asarray((sums / len(p) / (2 * WINDOW / BINS) ** 2).round(4))


def _alpha(sampler: ImportanceSampler) -> Array:
    """Weight of the first channel at the centres of the bins."""
    assert isinstance(sampler.integrand, CrossedRing)
    centres = WINDOW * ((torch.arange(BINS) + 0.5) / BINS * 2 - 1).double()
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    p = torch.stack([x.flatten(), y.flatten()], dim=1)
    with torch.no_grad():
        alpha = sampler.weights(sampler.integrand.features(p), sampler.integrand.prior(p))
    return np.asarray(alpha[:, 0].reshape(BINS, BINS).numpy().round(3))


def draw(folder: Path, outcomes: dict[str, list[Outcome]]) -> None:
    """Fig. 5.8: both channels, what they make together, and the weight of the ring's channel."""
    outcome = outcomes[DRAWN][0]
    with drawing(folder / "figure_5_8.svg", (9, 8)) as figure:
        axes = figure.subplots(2, 2, sharex=True, sharey=True)
        _image(axes[0, 0], outcome["channels"][0], "channel with the ring map", "density")
        _image(axes[0, 1], outcome["channels"][1], "channel with the flat map", "density")
        _image(axes[1, 0], outcome["combined"], "combined", "density")
        _image(axes[1, 1], outcome["alpha"], "weight of the ring channel", "channel weight", 1.0)
        for axis in axes[1]:
            axis.set_xlabel("$x_1$")
        for axis in axes[:, 0]:
            axis.set_ylabel("$x_2$")


def _image(
    axes: Axes, values: list[list[float]], title: str, label: str, top: float | None = None
) -> None:
    square = (-WINDOW, WINDOW, -WINDOW, WINDOW)
    image = axes.imshow(values, extent=square, origin="lower", cmap="viridis", vmin=0, vmax=top)
    axes.figure.colorbar(image, ax=axes, label=label)
    axes.set_title(title)
