"""Whether a flow should take over from VEGAS: what it can gain, and whether that pays its training.

VEGAS adapts a product of densities. What a flow can gain is what is left when that has been done:
the pull of the variables on one another. It shows in the points as a covariance between functions
of different variables, which is 0 for every integrand that is a product. If there is one, the error
that a flow would reach with the evaluations that are left is compared with what VEGAS would take to
get there, by the break-even rule of `integration.judgement`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import vegas

from madnis_py.arrays import Array
from madnis_py.integration.grids.sampler_choice import SamplerCost, choose_sampler
from madnis_py.plugins.vegas.placement import Region
from madnis_py.plugins.vegas.weighted_points import Lap, Memory, Points

LEAST_EVALUATIONS = 50_000
"""With fewer in the whole call there is not enough to learn from."""

LEAST_EFFECTIVE = 500
"""Effective points that a flow needs to begin with."""

SETTLED = 0.8
"""VEGAS is done adapting when an iteration lowers the relative standard deviation by less than this
factor."""

HARMONICS = 4
"""Functions sqrt(2) cos(pi k y), k = 1 ... of each variable whose covariances are looked at."""

EXAMINED = 5_000
"""Points that are looked at."""

SIGNIFICANT = 8.0
"""Standard deviations that the squared covariances must be above those of a product."""

LEAST_COUPLING = 0.02
"""Sum of squared covariances, the least part of the relative variance that is worth a flow."""

LEAST_GAIN = 1.5
"""Gain in error from which on a flow is thought of."""

BATCH = 2048
"""Points of a training step."""

TRAINING_SECONDS = 6e-7
MAPPING_SECONDS = 3e-7
"""What a point costs per coupling block, roughly, in a training step and when sampling."""


@dataclass(frozen=True)
class Decision:
    """What to do next.

    Attributes:
        flow: whether to train one.
        reason: a sentence.
        final: whether more iterations of VEGAS will not change it.
    """

    flow: bool
    reason: str
    final: bool = False


@dataclass(frozen=True)
class Plan:
    """What a flow would do.

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
    """Coupling blocks of a flow: more than usual in few dimensions, where they are the only depth."""
    return max(8 if dim <= 2 else 6, 2 * math.ceil(math.log2(dim)))


def reached_std(dim: int) -> float:
    """Relative standard deviation that trained flows are trusted to reach.

    After some 10^6 evaluations: 0.06 on the crossed ring (2), 0.06 and 0.13 on the ridge (4, 8
    dimensions).
    """
    return max(0.06, 0.02 * dim)


def settled(laps: Sequence[Lap]) -> bool:
    """Whether VEGAS has found what it can find."""
    return len(laps) >= 2 and laps[-1].relative_std > SETTLED * laps[-2].relative_std


def expected(laps: Sequence[Lap]) -> Lap:
    """The last iteration of VEGAS as it will be when the grids have moved once more by as much as before."""
    if len(laps) < 2:
        return laps[-1]
    progress = min(1.0, laps[-1].relative_std / (laps[-2].relative_std or 1.0))
    return replace(laps[-1], relative_std=laps[-1].relative_std * progress)


def decide(
    memory: Memory, laps: Sequence[Lap], coupling: Coupling, left: int, plan: Plan
) -> Decision:
    """Judge an integrand by the last iteration of VEGAS.

    Args:
        memory: points of VEGAS.
        laps: its iterations.
        coupling: of the variables in the last iteration.
        left: evaluations that are still to come.
        plan: of the flow.
    """
    if memory.effective < LEAST_EFFECTIVE:
        return Decision(
            False, f"{memory.effective:.0f} effective points are too few for a flow to learn from"
        )
    if not coupling.significant:
        return Decision(
            False,
            "the integrand is a product of functions of one variable as far as can be seen",
            True,
        )
    reached = math.sqrt(reached_std(plan.dim) ** 2 + memory.last.cancellation)
    lap = expected(laps)
    gain = lap.relative_std / reached
    if not gain > LEAST_GAIN:
        return Decision(
            False, f"a flow is expected to lower the error by no more than a factor of {gain:.1f}"
        )
    return _by_break_even(lap, reached, left, plan)


def _by_break_even(lap: Lap, reached: float, left: int, plan: Plan) -> Decision:
    """The time that VEGAS takes for the precision that the flow reaches with the evaluations that are left."""
    per_point = lap.seconds / lap.evaluations
    grids = SamplerCost(per_point, 1.0, lap.relative_std)
    flow = SamplerCost(per_point + plan.seconds_per_point, 1.0, reached)
    points = int(left * (lap.relative_std / reached) ** 2)
    choice = choose_sampler(grids, flow, plan.training_seconds, points=points, trained=False)
    with_flow = plan.training_seconds + left * flow.seconds_per_point
    return Decision(
        choice.sampler == "madnis",
        f"the error that {left:,} evaluations should have with a flow takes {points * per_point:.3g} s with VEGAS "
        f"and {with_flow:.3g} s with the flow and its training",
    )


@dataclass(frozen=True)
class Coupling:
    """How much the variables of an integrand depend on one another.

    Attributes:
        strength: sum of the squared covariances of functions of different variables, less what
            noise adds.
        significance: standard deviations of this sum above 0 for a product.
    """

    strength: float
    significance: float

    @property
    def significant(self) -> bool:
        """Whether it is there, and worth something."""
        return self.significance > SIGNIFICANT and self.strength > LEAST_COUPLING

    @classmethod
    def of(cls, points: Points, grid: vegas.AdaptiveMap, region: Region) -> Coupling:
        """Measure it in the variables of a grid, in which a peak fills the unit interval.

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
    def _of_variables(cls, y: Array, share: Array) -> Coupling:
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
