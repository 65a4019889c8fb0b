"""Correlations of two coordinates in a channel, which a product of grids cannot follow.

The density of VEGAS is a product of one function of each coordinate. What it loses at least in two
of them is their mutual information, the Kullback-Leibler divergence of their joint density from
the product of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from madnis_py.arrays import Array
from madnis_py.devices.device import CPU
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.samples import Samples
from madnis_py.run.diagnostics.rounding import rounded
from madnis_py.run.stages.record_part import NonNegative, RecordPart

SHOWN = 1000
"""Points of a picture."""

_FEWEST = 200.0
"""Effective points from which a correlation is measured."""

_MOST_BINS = 10
"""Bins of each coordinate at most."""

Coordinate = Annotated[float, Field(ge=0, le=1)]
Points = tuple[tuple[Coordinate, ...], tuple[Coordinate, ...]]


class Cloud(RecordPart):
    """Two coordinates of the points of a sampler, as they are drawn and as they should be."""

    drawn: Points = Field(description="Points as the sampler draws them: first, second coordinate.")
    wanted: Points = Field(description="The same, selected in proportion to their weights.")
    drawn_information: NonNegative = Field(description="Mutual information of the former in bits.")
    wanted_information: NonNegative = Field(description="The same with their weights.")

    @model_validator(mode="after")
    def _has_both_coordinates_of_each_point(self) -> Self:
        if any(len(first) != len(second) for first, second in (self.drawn, self.wanted)):
            raise ValueError("expected both coordinates of each point; got fewer")
        return self


class Correlation(RecordPart):
    """The strongest correlation of two coordinates of a channel."""

    channel: str = Field(description="Name of the channel.")
    coordinates: tuple[int, int] = Field(description="Which coordinates, counted from 1.")
    clouds: dict[SamplerName, Cloud] = Field(description="Points of each sampler.")


def strongest_correlation(
    points: Mapping[SamplerName, Samples], names: Sequence[str], groups: Sequence[int]
) -> Correlation | None:
    """The correlation that costs VEGAS most: mutual information times the share of its channels.

    Args:
        points: of each sampler; those of VEGAS decide.
        names: of the channels.
        groups: symmetry group of each channel; those of a group share a density.

    Returns:
        the correlation; None in one dimension, or with too few points everywhere.
    """
    there = {name: _Weighted.of(samples, groups) for name, samples in points.items()}
    vegas = there["vegas"]
    costs = {
        (group, pair): vegas.share(group) * information
        for group in dict.fromkeys(groups)
        for pair, information in vegas.informations(group)
    }
    if not costs:
        return None
    (group, pair), _ = max(costs.items(), key=lambda item: item[1])
    return Correlation(
        channel=names[list(groups).index(group)],
        coordinates=(pair[0] + 1, pair[1] + 1),
        clouds={name: one.cloud(group, pair) for name, one in there.items()},
    )


class _Weighted:
    """Points with weights that make the means of channels.

    Args:
        x: float64, shape (n, dim).
        weight: |w| / N_i, float64, shape (n,).
        group: of each point, int64, shape (n,).
    """

    def __init__(self, x: Array, weight: Array, group: NDArray[np.int64]) -> None:
        self._x, self._weight, self._group = x, weight, group

    @classmethod
    def of(cls, samples: Samples, groups: Sequence[int]) -> _Weighted:
        samples = samples.to(CPU)
        channel = samples.channel.numpy()
        counts = np.bincount(channel, minlength=len(groups))
        weight = samples.weight.abs().numpy() / counts[channel]
        return cls(samples.x.numpy(), weight, np.asarray(groups)[channel])

    def share(self, group: int) -> float:
        """The part of a group of channels in the integral."""
        return float(self._weight[self._group == group].sum() / self._weight.sum())

    def informations(self, group: int) -> Iterator[tuple[tuple[int, int], float]]:
        """The mutual information of each pair of coordinates, with weights; none of few points."""
        own = self._group == group
        x, weight = self._x[own], self._weight[own]
        if _effective(weight) >= _FEWEST:
            bins = _bins(weight)
            places = [_places(column, weight, bins) for column in x.T]
            for first, second in combinations(range(len(places)), 2):
                yield (first, second), _information(places[first], places[second], weight, bins)

    def cloud(self, group: int, pair: tuple[int, int]) -> Cloud:
        """The points of a group in two coordinates."""
        own = np.flatnonzero(self._group == group)
        first, second, weight = self._x[own, pair[0]], self._x[own, pair[1]], self._weight[own]
        even = np.ones_like(weight)
        drawn, wanted = (_selected(one, SHOWN) for one in (even, weight))
        return Cloud(
            drawn=(rounded(first[drawn], 3), rounded(second[drawn], 3)),
            wanted=(rounded(first[wanted], 3), rounded(second[wanted], 3)),
            drawn_information=mutual_information(first, second, even),
            wanted_information=mutual_information(first, second, weight),
        )


def _effective(weight: Array) -> float:
    """Kish's number of points that have as much information."""
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def mutual_information(a: Array, b: Array, weight: Array) -> float:
    """Mutual information of two coordinates in bits, 0 where it is not different from noise.

    Of the joint distribution in bins that hold equal shares of each coordinate, less
    (K - 1)^2 / (2 n_eff), which K x K bins of independent points have on average.

    Args:
        a: float64, shape (n,).
        b: the same.
        weight: not negative, float64, shape (n,).
    """
    bins = _bins(weight)
    return _information(_places(a, weight, bins), _places(b, weight, bins), weight, bins)


def _bins(weight: Array) -> int:
    """Bins of each coordinate, so that there are ten effective points in each pair of bins."""
    return int(np.clip(np.sqrt(_effective(weight) / 10), 2, _MOST_BINS))


def _information(a: NDArray[np.int64], b: NDArray[np.int64], weight: Array, bins: int) -> float:
    """Mutual information from the bins of each point."""
    effective = _effective(weight)
    if not effective:
        return 0.0
    joint = np.bincount(a * bins + b, weight, minlength=bins**2).reshape(bins, bins)
    joint = joint / weight.sum()
    product = np.outer(joint.sum(1), joint.sum(0))
    filled = joint > 0
    found = float(joint[filled] @ np.log(joint[filled] / product[filled]))
    noise = (bins - 1) ** 2 / (2 * effective)
    return max(found - noise, 0.0) / float(np.log(2))


def _places(values: Array, weight: Array, bins: int) -> NDArray[np.int64]:
    """Number of the bin of each value; the bins hold equal parts of the weight."""
    order = np.argsort(values, kind="stable")
    below = np.empty_like(weight)
    below[order] = np.cumsum(weight[order]) - weight[order] / 2
    total = weight.sum() or 1.0
    places: NDArray[np.int64] = (below / total * bins).astype(np.int64)
    return np.minimum(places, bins - 1)


def _selected(weight: Array, number: int) -> NDArray[np.int64]:
    """Positions of so many points at most, in proportion to their weights, each once."""
    total = np.cumsum(weight)
    if not len(total) or not total[-1]:
        return np.empty(0, np.int64)
    at = (np.arange(number) + 0.5) / number * total[-1]
    return np.unique(np.searchsorted(total, at).astype(np.int64))
