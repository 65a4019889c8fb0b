"""Rows of tables from the outcomes of several seeds, and the way figures are drawn and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from toy_trainings import Case, Outcome

from madnis_py.output_file import make_directory


def row(
    table: str,
    case: Case,
    outcomes: Sequence[Outcome],
    error: str = "flat",
    published: tuple[float, float] | None = None,
    floor: float | None = None,
    exact: float | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """A row of a reproduced table: relative error in per cent at 10^4 points.

    Its mean and standard deviation are over the seeds.

    Args:
        table: of the MadNIS thesis.
        case: what was trained.
        outcomes: one per seed.
        error: "flat" for points spread evenly over the channels, "stratified" for points in
            proportion to sigma_i.
        published: mean and standard deviation in the thesis; None where it prints none.
        floor: the least error of all channel weights, in per cent.
        exact: the integral by quadrature; adds the pull of each seed.
        facts: what else belongs to the row.
    """
    errors = [outcome[error] for outcome in outcomes]
    result = {
        "table": table,
        "row": case.name,
        "value": float(np.mean(errors)),
        "std": spread(errors),
        "unit": f"% relative error at 10^4 points, {error} counts",
        "published": published[0] if published else None,
        "published_std": published[1] if published else None,
        "floor": floor,
        "seeds": errors,
        "seconds": float(np.mean([outcome["seconds"] for outcome in outcomes])),
        "settings": case.settings,
    }
    if exact is not None:
        result["integral"] = exact
        result["pulls"] = [(outcome["value"] - exact) / outcome["error"] for outcome in outcomes]
    return result | facts


def spread(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 for a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


def short(row: dict[str, Any]) -> str:
    """A row in one line."""
    published = f"{row['published']:.3f}" if row["published"] is not None else "-"
    floor = f"{row['floor']:.4f}" if row["floor"] is not None else "-"
    return (
        f"{row['table']:>9}  {row['row']:<48} {row['value']:.4f} +- {row['std']:.4f} %  "
        f"published {published}  "
        f"floor {floor}  {row['seconds']:.1f} s"
    )


@contextmanager
def drawing(path: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure that is written as SVG when the block ends; equal content gives equal bytes."""
    figure = Figure(figsize=size, layout="constrained")
    yield figure
    make_directory(path.parent)
    with mpl.rc_context({"svg.hashsalt": "madnis_py"}):
        figure.savefig(path, metadata={"Date": None})
