"""For tests of the drop-in of vegas: integrands, pulls, short trainings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import gvar
import numpy as np
import pytest

from madnis_py import vegas
from madnis_py.arrays import Array
from madnis_py.plugins.vegas import iterations, learned_map

SQUARE = [[0.0, 1.0]] * 2

Integrand = TypeVar("Integrand", bound=Callable[..., Any])


def lbatch(function: Integrand) -> Integrand:
    """`vegas.lbatchintegrand`, which has no types."""
    marked: Integrand = vegas.lbatchintegrand(function)
    return marked


def rbatch(function: Integrand) -> Integrand:
    """`vegas.rbatchintegrand`, which has no types."""
    marked: Integrand = vegas.rbatchintegrand(function)
    return marked


def gaussian(x: Any) -> float:
    """A peak of integral 1."""
    distance2 = float(sum((x[d] - 0.5) ** 2 for d in range(len(x))))
    height: float = (100.0 / math.pi) ** (len(x) / 2)
    return math.exp(-100.0 * distance2) * height


@lbatch
def ridge(x: Array) -> Array:
    """Along the diagonal of the square."""
    return np.exp(-((x[:, 0] - x[:, 1]) ** 2) / (2 * 0.03**2)) / 0.074225


RIDGE = (math.sqrt(2 * math.pi) * 0.03 - 2 * 0.03**2) / 0.074225
"""Its integral, to 1e-200."""


def pull(result: Any, truth: float) -> float:
    return float((gvar.mean(result) - truth) / gvar.sdev(result))


def shorten(patch: pytest.MonkeyPatch, steps: int, batch: int) -> None:
    """Have flows learn for so many steps."""
    patch.setattr(iterations, "FIRST_STEPS", steps)
    patch.setattr(iterations, "LATER_STEPS", 10)
    patch.setattr(learned_map, "BATCH", batch)
