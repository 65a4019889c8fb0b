"""Decision whether a flow should take over from VEGAS: its gain, and the cost of its training.

VEGAS adapts a product of densities. A flow can gain what is left when that has been done: the
correlation of the variables. It shows in the points as a covariance between functions of different
variables, which is 0 for every integrand that is a product. If there is one, the time that VEGAS
would take for the error that a flow would reach with the evaluations that are left is compared with
the time of the flow, by the break-even rule of `integration.grids.sampler_choice`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import vegas

from madnis_py.arrays import Array
from madnis_py.integration.grids.sampler_choice import SamplerCost, choose_sampler
from madnis_py.plugins.vegas.iteration_log import IterationStatistics
from madnis_py.plugins.vegas.placement import Region
from madnis_py.plugins.vegas.weighted_points import IterationPoints, PointHistory

LEAST_EVALUATIONS = 50_000
"""Evaluations of a whole call below which there is not enough to learn from."""

LEAST_EFFECTIVE = 500
"""Effective points that a flow needs to begin with."""

SETTLED = 0.8
"""Ratio of the relative standard deviations of two successive iterations above which VEGAS is done
adapting."""

HARMONICS = 4
"""Number of functions sqrt(2) cos(pi k y), k = 1 ... of each variable whose covariances are
measured."""

EXAMINED = 5_000
"""Points that covariances are measured with, about."""

SIGNIFICANT = 8.0
"""Standard deviations that the squared covariances must be above those of a product."""

LEAST_CORRELATION = 0.02
"""Sum of squared covariances, a part of the relative variance, that is the least worth a flow."""

LEAST_GAIN = 1.5
"""Expected ratio of the errors of VEGAS and of a flow above which its cost is compared."""

BATCH = 2048
"""Points of a training step."""

TRAINING_SECONDS = 6e-7
"""Seconds per point and coupling block of a training step, roughly."""

MAPPING_SECONDS = 3e-7
"""Seconds per point and coupling block of sampling, roughly."""


@dataclass(frozen=True)
class Decision:
    """Whether to train a flow, and why.

    Attributes:
        flow: whether to train one.
        reason: a sentence without capital letter and full stop.
        final: whether more iterations of VEGAS will not change the decision.
    """

    flow: bool
    reason: str
    final: bool = False


@dataclass(frozen=True)
class TrainingCost:
    """Predicted time that a flow takes.

    Attributes:
        steps: of all trainings.
        dim: dimension of the cube.
    """

    steps: int
    dim: int

    @property
    def training_seconds(self) -> float:
        """Predicted duration of the training."""
        return TRAINING_SECONDS * self.steps * BATCH * blocks_for(self.dim)

    @property
    def seconds_per_point(self) -> float:
        """Predicted cost of mapping a point."""
        return MAPPING_SECONDS * blocks_for(self.dim)


def blocks_for(dim: int) -> int:
    """Coupling blocks of a flow: many in few dimensions, where they are the only depth."""
    return max(8 if dim <= 2 else 6, 2 * math.ceil(math.log2(dim)))


def reached_std(dim: int) -> float:
    """Relative standard deviation that trained flows are trusted to reach.

    After some 10^6 evaluations: 0.06 on the crossed ring (2), 0.06 and 0.13 on the ridge (4, 8
    dimensions).
    """
    return max(0.06, 0.02 * dim)


def settled(iterations: Sequence[IterationStatistics]) -> bool:
    """Whether the grids of VEGAS have adapted as far as they can."""
    return (
        len(iterations) >= 2 and iterations[-1].relative_std > SETTLED * iterations[-2].relative_std
    )


def expected(iterations: Sequence[IterationStatistics]) -> IterationStatistics:
    """The next iteration of VEGAS, if it improves by the same factor as the last one did."""
    if len(iterations) < 2:
        return iterations[-1]
    progress = min(1.0, iterations[-1].relative_std / (iterations[-2].relative_std or 1.0))
    return replace(iterations[-1], relative_std=iterations[-1].relative_std * progress)


def decide(
    history: PointHistory,
    iterations: Sequence[IterationStatistics],
    correlation: VariableCorrelation,
    left: int,
    cost: TrainingCost,
) -> Decision:
    """Judge an integrand by the last iteration of VEGAS.

    Args:
        history: points of VEGAS.
        iterations: statistics of those of VEGAS.
        correlation: of the variables in the last iteration.
        left: evaluations that are still to come.
        cost: of the flow.
    """
    if history.effective < LEAST_EFFECTIVE:
        return Decision(
            False, f"{history.effective:.0f} effective points are too few for a flow to learn from"
        )
    if not correlation.significant:
        return Decision(
            False,
            "the integrand is a product of functions of one variable as far as can be seen",
            True,
        )
    reached = math.sqrt(reached_std(cost.dim) ** 2 + history.last.cancellation)
    next_iteration = expected(iterations)
    gain = next_iteration.relative_std / reached
    if not gain > LEAST_GAIN:
        return Decision(
            False, f"a flow is expected to lower the error by no more than a factor of {gain:.1f}"
        )
    return _by_break_even(next_iteration, reached, left, cost)


def _by_break_even(
    vegas_next: IterationStatistics, reached: float, left: int, cost: TrainingCost
) -> Decision:
    """Compare the times for the error that the flow reaches with the evaluations that are left.

    VEGAS takes (std of VEGAS / std of the flow)^2 times as many evaluations.
    """
    per_point = vegas_next.seconds / vegas_next.evaluations
    grids = SamplerCost(per_point, 1.0, vegas_next.relative_std)
    flow = SamplerCost(per_point + cost.seconds_per_point, 1.0, reached)
    points = int(left * (vegas_next.relative_std / reached) ** 2)
    choice = choose_sampler(grids, flow, cost.training_seconds, points=points, trained=False)
    with_flow = cost.training_seconds + left * flow.seconds_per_point
    return Decision(
        choice.sampler == "madnis",
        f"the error that {left:,} evaluations should have with a flow takes "
        f"{points * per_point:.3g} s with VEGAS and {with_flow:.3g} s with the flow and its "
        "training",
    )


@dataclass(frozen=True)
class VariableCorrelation:
    """Measure of how much the variables of an integrand depend on one another.

    Attributes:
        strength: sum of the squared covariances of functions of different variables, less what
            noise adds.
        significance: standard deviations of this sum above 0 for a product.
    """

    strength: float
    significance: float

    @property
    def significant(self) -> bool:
        """Whether the correlation is more than noise, and large enough to be worth a flow."""
        return self.significance > SIGNIFICANT and self.strength > LEAST_CORRELATION

    @classmethod
    def of(
        cls, points: IterationPoints, grid: vegas.AdaptiveMap, region: Region
    ) -> VariableCorrelation:
        """Measured in the variables of a grid, in which a peak fills the unit interval.

        Args:
            points: of an iteration.
            grid: of VEGAS; where there are channels, its first axis chooses them.
            region: that the grid covers.
        """
        if not points.effective:
            return cls(0.0, 0.0)
        some = slice(None, None, max(1, len(points.v) // EXAMINED))
        v = points.v[some]
        axes = grid.dim - v.shape[1]
        y = np.concatenate([np.full((len(v), axes), 0.5), v], axis=1)
        grid.invmap(region.points(y), y, np.empty(len(v)))
        return cls._of_variables(y[:, axes:], points.share[some])

    @classmethod
    def _of_variables(cls, y: Array, share: Array) -> VariableCorrelation:
        """Measured with points in the unit cube, (n, dim), by their |weights|, (n,)."""
        share = share / share.sum()
        waves = [math.sqrt(2.0) * np.cos(math.pi * k * y) for k in range(1, HARMONICS + 1)]
        functions = np.concatenate(waves, axis=1)
        functions -= share @ functions
        covariance = functions.T @ (share[:, None] * functions)
        squares = functions**2
        noise = squares.T @ (share[:, None] ** 2 * squares)
        variable = np.tile(np.arange(y.shape[1]), HARMONICS)
        pairs = (variable[:, None] < variable) & (noise > 0)
        pulls = covariance[pairs] ** 2 / noise[pairs]
        strength = float((covariance[pairs] ** 2 - noise[pairs]).sum())
        return cls(strength, float((pulls - 1.0).sum()) / math.sqrt(2.0 * max(1, pairs.sum())))
