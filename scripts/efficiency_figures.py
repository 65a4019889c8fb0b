"""Pictures of docs/efficiency.md, from the files of a run with both samplers.

    madnis-py run z_jet.toml -o runs/z_jet --events 10000 --points 200000
    python scripts/efficiency_figures.py runs/z_jet docs/figures

z_jet.toml is the card of README.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NAMES = {"vegas": "VEGAS", "madnis": "flow"}
COLOURS = {"vegas": "#b35900", "madnis": "#0b61a4"}


def draw_weights(axes: Axes, weights: dict[str, Any]) -> None:
    """Distribution of w / M over trials, with the maximum at 1."""
    for name, spectrum in weights.items():
        label = f"{NAMES[name]}, mean {100 * spectrum['mean']:.1f} %"
        shares, edges = 100 * np.array(spectrum["shares"]), np.array(spectrum["edges"])
        axes.stairs(shares, edges, fill=True, alpha=0.15, color=COLOURS[name])
        axes.stairs(shares, edges, color=COLOURS[name], label=label)
    axes.axvline(1.0, color="black", linewidth=0.8, linestyle="dashed")
    axes.text(1.08, 0.95, "overweights", transform=axes.get_xaxis_transform(), va="top")
    axes.text(0.93, 0.95, "maximum", transform=axes.get_xaxis_transform(), va="top", ha="right")
    axes.set(xscale="log", xlim=(3e-3, 8), ylim=(0, None))
    axes.set(xlabel="weight / maximum", ylabel="% of the trials per bin")
    axes.legend(loc="upper left", frameon=False)


def draw_break_even(axes: Axes, choice: dict[str, Any]) -> None:
    """Time for N events with either sampler, the training included."""
    even = choice["break_even_events"]
    events = np.array([0.0, 2.2 * even])
    for name, key in (("vegas", "vegas"), ("madnis", "flow")):
        cost = choice[key]["seconds_per_point"] / choice[key]["efficiency"]
        start = choice["training_seconds"] if name == "madnis" else 0.0
        label = f"{NAMES[name]}, {1e6 * cost:.0f} us per event"
        axes.plot(events / 1e6, (start + cost * events) / 60, color=COLOURS[name], label=label)
    axes.axvline(even / 1e6, color="black", linewidth=0.8, linestyle="dashed")
    text = f"break-even:\n{even:,.0f} events"
    axes.text(even / 1e6 + 0.02, 0.04, text, transform=axes.get_xaxis_transform())
    axes.annotate(
        "training",
        (0, choice["training_seconds"] / 60),
        xytext=(4, 12),
        textcoords="offset points",
        va="bottom",
    )
    axes.set(xlabel="million events", ylabel="minutes of one core", xlim=(0, None), ylim=(0, None))
    axes.legend(loc="upper left", frameon=False)


def main(run: Path, folder: Path) -> None:
    """Draw both pictures."""
    mpl.rcParams |= {"svg.hashsalt": "madnis_py", "svg.fonttype": "none", "font.size": 9}
    mpl.rcParams |= {"font.family": "sans-serif", "axes.spines.top": False}
    mpl.rcParams |= {"axes.spines.right": False}
    record, kept = (
        json.loads((run / name).read_text()) for name in ("run.json", "diagnostics.json")
    )
    for name, draw, content in (
        ("weights.svg", draw_weights, kept["weights"]),
        ("break_even.svg", draw_break_even, record["choice"]),
    ):
        figure = Figure(figsize=(5.6, 2.9), layout="constrained")
        draw(figure.subplots(), content)
        figure.savefig(folder / name, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
