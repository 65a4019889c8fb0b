"""Draw what a finished run found: weights of both samplers, and the mass spectrum of its events.

    python scripts/run_figure.py RUN_DIRECTORY FIGURE.svg

The upper panel shows the weights of both samplers over the mean of their channel, w / <w>: the
narrower, the more events per trial. The lower one compares the invariant mass of the final pair in
the unweighted events with the weighted points of VEGAS, an independent sample.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pylhe
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from madnis_py.arrays import Array
from madnis_py.integration.samples import Samples
from madnis_py.parallel.executors import thread_executor
from madnis_py.run.run import Run

POINTS = 100_000
RESONANCE = 2
COLOURS = {"vegas": "tab:gray", "madnis": "tab:blue"}
NAMES = {"vegas": "VEGAS", "madnis": "neural"}


def pair_mass(p: Array) -> Array:
    """Invariant mass of particles 3 and 4 in GeV; p (n, P, 4)."""
    total = p[:, 2] + p[:, 3]
    mass: Array = np.sqrt(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1))
    return mass


def event_momenta(path: Path) -> Array:
    """Momenta (E, px, py, pz) of the incoming and final particles of all events, (n, P, 4)."""
    events = pylhe.LHEFile.fromfile(path).events
    return np.array(
        [
            [(q.e, q.px, q.py, q.pz) for q in event.particles if q.status != RESONANCE]
            for event in events
        ]
    )


def draw_weights(axes: Axes, name: str, samples: Samples, efficiency: float) -> None:
    """Distribution of w / <w> per channel, channels together."""
    means = np.bincount(samples.channel, weights=samples.weight) / np.bincount(samples.channel)
    ratio = samples.weight.numpy() / means[samples.channel.numpy()]
    label = f"{NAMES[name]}, unweighting efficiency {100 * efficiency:.0f} %"
    edges = np.geomspace(0.03, 10, 120).tolist()
    axes.hist(ratio, edges, histtype="step", color=COLOURS[name], label=label)


def draw_masses(axes: Axes, run: Run, samples: Samples) -> None:
    """Mass spectrum of the events and of weighted points, d sigma / d m in pb / GeV."""
    edges = np.geomspace(15, 1000, 90)
    momenta, _ = run.choose_prior().momenta(samples.x, samples.channel)
    counts = np.bincount(samples.channel)[samples.channel.numpy()]
    width = np.diff(edges)
    weighted, _ = np.histogram(pair_mass(momenta), edges, weights=samples.weight.numpy() / counts)
    axes.stairs(weighted / width, edges, color=COLOURS["vegas"], label="VEGAS, weighted")
    found, _ = np.histogram(pair_mass(event_momenta(run.events_file)), edges)
    unit = run.record.content()["sigma_pb"] / run.record.content()["events"] / width
    centres = np.sqrt(edges[1:] * edges[:-1])
    axes.errorbar(
        centres,
        found * unit,
        np.sqrt(found) * unit,
        fmt=".",
        ms=3,
        color=COLOURS["madnis"],
        label="neural, events",
    )


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("figure", type=Path)
    arguments = parser.parse_args()
    mpl.rcParams["svg.hashsalt"] = "madnis_py"  # the same run gives the same bytes
    figure = Figure(figsize=(7, 7), layout="constrained")
    above, below = figure.subplots(2, 1)
    with thread_executor() as executor:
        run = Run.open(arguments.directory, executor=executor)
        for name, sampler in run.samplers().items():
            samples = sampler.sample(torch.full((run.choose_prior().n_channels,), POINTS), "figure")
            draw_weights(
                above, name, samples, run.record.content()[name]["unweighting"]["efficiency"]
            )
            if name == "vegas":
                draw_masses(below, run, samples)
    above.set(
        xscale="log", yscale="log", xlabel="weight / mean weight of the channel", ylabel="points"
    )
    below.set(xscale="log", yscale="log", xlabel="pair mass / GeV", ylabel="dsigma/dm / (pb / GeV)")
    below.set_ylim(1e-4, None)
    above.legend()
    below.legend()
    figure.savefig(arguments.figure, metadata={"Date": None})


if __name__ == "__main__":
    main()
