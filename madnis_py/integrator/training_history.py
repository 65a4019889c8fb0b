"""History of a training: a column for every figure, and a picture of them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.integration.step_progress import StepProgress
from madnis_py.notebook import html_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANELS = (
    ("loss", "loss", "log"),
    ("relative_std", "std/mean", "log"),
    ("efficiency", "unweighting efficiency", "linear"),
    ("learning_rate", "learning rate", "log"),
)
"""Columns that are drawn, with the label and the scale of their axis."""


@dataclass(frozen=True, repr=False)
class TrainingHistory:
    """What a training went through, a number per step and figure; NaN where one is not known.

        history = integrator.train(steps=500)
        history.plot()
        pandas.DataFrame(history.columns)

    All are float64, shape (steps,).

    Attributes:
        step: steps finished.
        loss: of the step, without dimension.
        value: running estimate of the integral.
        relative_std: running sum_i sigma_i / |I|, std/mean of the weights.
        efficiency: running unweighting efficiency with the largest weight of a batch as maximum.
        learning_rate: of the step.
        active_channels: channels that have not been dropped.
        batch_value: estimate of the integral from the fresh points of the step alone.
        batch_error: its standard error.
    """

    step: Array
    loss: Array
    value: Array
    relative_std: Array
    efficiency: Array
    learning_rate: Array
    active_channels: Array
    batch_value: Array
    batch_error: Array

    @classmethod
    def of(cls, steps: Sequence[StepProgress]) -> TrainingHistory:
        """The columns of some steps."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.array([_number(one, name) for one in steps]) for name in names})

    @property
    def columns(self) -> dict[str, Array]:
        """The columns by name, as a table of another package takes them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def plot(self) -> Figure:
        """Draw loss, std/mean, efficiency and learning rate over the steps, with matplotlib.

        Returns:
            the figure: `history.plot().savefig("training.pdf")`.

        Raises:
            InputError: matplotlib is not installed.
        """
        try:
            pyplot = import_module("matplotlib.pyplot")
        except ImportError:
            raise InputError(
                "plot: needs matplotlib, which `pip install madnis_py[plots]` installs"
            ) from None
        figure, axes = pyplot.subplots(2, 2, figsize=(8, 5), sharex=True, layout="constrained")
        for panel, (name, label, scale) in zip(axes.ravel(), _PANELS, strict=True):
            panel.plot(self.step, self.columns[name])
            panel.set_ylabel(label)
            panel.set_yscale(scale)
        for panel in axes[-1]:
            panel.set_xlabel("step")
        if "ipykernel" in sys.modules:
            pyplot.close(figure)  # a notebook shows what a cell returns, and open figures again
        return figure  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return len(self.step)

    def __repr__(self) -> str:
        if not len(self):
            return "TrainingHistory(0 steps)"
        return (
            f"TrainingHistory({len(self):,} steps, "
            f"std/mean {self.relative_std[0]:.3g} -> {self.relative_std[-1]:.3g})"
        )

    def _repr_html_(self) -> str:
        last = len(self) - 1
        shown = sorted({0, last // 4, last // 2, 3 * last // 4, last}) if len(self) else []
        names = ("step", *(name for name, _, _ in _PANELS))
        rows = [[f"{self.columns[name][k]:.4g}" for name in names] for k in shown]
        return html_table(repr(self), rows, ("step", *(label for _, label, _ in _PANELS)))


def _number(progress: StepProgress, name: str) -> float:
    value = getattr(progress, name)
    return math.nan if value is None else float(value)
