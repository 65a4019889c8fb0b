"""Uncertainty bands of histograms: one for each group of variations of the event weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from madnis_py.arrays import Array
from madnis_py.events.histograms.histogram import Histogram
from madnis_py.events.les_houches.weight_groups import PARTS, WeightGroup

Band = tuple[Array, Array]
"""Lower and upper end at each place of `Histogram.contents`, in pb, float64, shape (B + 3,)."""


def _envelope(nominal: Array, varied: Array) -> Band:
    every = np.vstack([nominal, varied])
    return every.min(axis=0), every.max(axis=0)


def _replicas(nominal: Array, varied: Array) -> Band:
    spread = varied.std(axis=0, ddof=1) if len(varied) > 1 else np.zeros_like(nominal)
    return nominal - spread, nominal + spread


def _hessian(nominal: Array, varied: Array) -> Band:
    """Eq. (21) of arXiv:1510.03865; the central member, where it is among them, comes first."""
    pairs = varied[len(varied) % 2 :].reshape(-1, 2, len(nominal)) - nominal
    up, down = (
        np.sqrt(np.square(np.maximum((sign * pairs).max(axis=1), 0.0)).sum(axis=0))
        for sign in (1, -1)
    )
    return nominal - down, nominal + up


def _symmetric_hessian(nominal: Array, varied: Array) -> Band:
    """Eq. (20) of arXiv:1510.03865."""
    spread = np.sqrt(np.square(varied - nominal).sum(axis=0))
    return nominal - spread, nominal + spread


_BANDS: Mapping[str, Callable[[Array, Array], Band]] = MappingProxyType(
    {
        "replicas": _replicas,
        "gaussian": _replicas,
        "hessian": _hessian,
        "symmhessian": _symmetric_hessian,
    }
)


def bands(histogram: Histogram, groups: Iterable[WeightGroup]) -> dict[str, Band]:
    """The band of each group of variations, by its name.

    It is the envelope unless the group says how its variations combine. A group of which some
    events lack a weight has no band, and one of parts of the weight none either.

    Args:
        histogram: of events.
        groups: of their file, as many variations as the events have.
    """
    found: dict[str, Band] = {}
    begin = 0
    for group in groups:
        varied = histogram.variations[begin : begin + len(group.weights)]
        begin += len(group.weights)
        if group.combine == PARTS or np.isnan(varied).any():
            continue
        name = group.name or "variations"
        taken = sum(one == name or one.startswith(f"{name} (") for one in found)
        band = _BANDS.get(group.combine, _envelope)
        unique = f"{name} ({taken + 1})" if taken else name
        found[unique] = band(histogram.contents, varied)
    return found
