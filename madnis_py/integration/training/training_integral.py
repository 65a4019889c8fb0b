"""The integral from the batches of a training, each drawn with the sampler of its moment."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from madnis_py.integration.step_progress import StepProgress

MEMORY = 50
"""Batches over which the variance that sets the weight of the next batch is averaged."""


@dataclass(frozen=True)
class WeightedMean:
    """Sums of independent values with given weights.

    Attributes:
        weight: sum of w.
        value: sum of w v.
        variance: sum of w^2 s^2.
    """

    weight: float = 0.0
    value: float = 0.0
    variance: float = 0.0

    def __add__(self, other: WeightedMean) -> WeightedMean:
        """Sums over the values of both."""
        return WeightedMean(
            self.weight + other.weight, self.value + other.value, self.variance + other.variance
        )

    def with_value(self, weight: float, value: float, error: float) -> WeightedMean:
        """One more value."""
        return self + WeightedMean(weight, weight * value, (weight * error) ** 2)

    @property
    def mean(self) -> float:
        """Weighted mean; NaN of nothing."""
        return self.value / self.weight if self.weight else math.nan

    @property
    def error(self) -> float:
        """Its standard error; NaN of nothing."""
        return math.sqrt(self.variance) / self.weight if self.weight else math.nan


@dataclass(frozen=True)
class TrainingIntegral:
    """A running average of the integral over the steps of a training.

    The batch of step k is drawn with a flow and weights that depend on earlier batches alone, so
    its estimate v_k of the integral is unbiased given the past, and the errors of different steps
    are uncorrelated. Its weight is 1 / s^2 with the s^2 of the batches before it, smoothed over
    `MEMORY` of them, never its own: a batch that fluctuates upwards has a larger s^2 too, and
    weighting it down for that pulls the mean down. The first batch only sets the scale.

    What is left of this bias comes through the sum of all weights, which later batches see: about
    the skewness of the weights over sqrt(points of the training), in units of the error. It is
    negligible, but it is the first reason not to merge this average with the estimate of the
    integrate stage, which has none. The second: s_k of a sampler that has not found a peak yet is
    too small, and such batches get too large a weight. As a separate number it checks the other.

    Attributes:
        early: batches of the first half of the steps.
        late: batches of the second half.
        smoothed: mean variance of the estimates of recent batches; 0 before the first.
        batches: how many have been seen.
    """

    early: WeightedMean = field(default_factory=WeightedMean)
    late: WeightedMean = field(default_factory=WeightedMean)
    smoothed: float = 0.0
    batches: int = 0

    def updated(self, progress: StepProgress) -> TrainingIntegral:
        """With the batch of a step; steps without fresh points change nothing."""
        if progress.batch_value is None or progress.batch_error is None:
            return self
        half = "early" if 2 * progress.step <= progress.total else "late"
        weight = 1 / self.smoothed if self.smoothed else 0.0
        mean: WeightedMean = getattr(self, half).with_value(
            weight, progress.batch_value, progress.batch_error
        )
        share = max(1 / (self.batches + 1), 1 / MEMORY)
        smoothed = self.smoothed + share * (progress.batch_error**2 - self.smoothed)
        return replace(self, **{half: mean}, smoothed=smoothed, batches=self.batches + 1)

    @property
    def whole(self) -> WeightedMean:
        """The average over all steps."""
        return self.early + self.late

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return asdict(self)
