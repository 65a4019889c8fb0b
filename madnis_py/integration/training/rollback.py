"""Whether a training still sees the whole integral: its estimate at regular looks against all that is known.

A flow that gives up a part of the integrand looks better from step to step: no point comes near
that part any more, and what is left agrees with itself. What tells is the integral, which sinks. A
look takes the fresh batches since the one before it and compares two figures with the survey and
with all earlier looks:

    total: the mean of all weights. Unbiased whatever the flow is, but a few points may carry it.
    bulk: the same without points that carry more than `HEAVY` of it each. A part that is hardly
        visited any more leaves the bulk before it leaves the total.

Only a figure that *sinks* speaks against a training; one that rises has found something that was
not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from madnis_py.integration.estimate import Estimate, Measurement, Moments
from madnis_py.integration.samples import Samples

BATCHES = 50
"""Fresh batches of a look, at least."""

POINTS = 10_000
"""Points of a look, at least; of fewer a single one may carry much by chance."""

MOST_LOOKS = 100
"""Looks of a training, about at most."""

HEAVY = 0.01
"""Share of the integral of a look; a point that carries more of it is none of the bulk."""

LOST = 5.0
"""Standard deviations by which a figure has to have sunk for the training to go back."""

SOUND = 2.0
"""Standard deviations up to which a state is one to go back to, if heavy points carry less than
`HEAVY` together."""

SLOWER = 0.3
"""Factor of the learning rate with each return."""

MOST_RETURNS = 3
"""Returns after which a training goes on; the next one ends it."""

LEAST_ERROR = 1e-4
"""Relative errors below this are not believed: densities have single precision."""

NAMES = (
    ("estimate", "survey"),
    ("estimate", "earlier steps"),
    ("bulk of the estimate", "bulk in earlier steps"),
)
"""What can sink below what."""


@dataclass(frozen=True)
class Fall:
    """A figure of a look beside one that was known before.

    Attributes:
        kind: which of `NAMES` they are.
        found: the new one.
        known: the old one.
    """

    kind: int
    found: Measurement
    known: Measurement

    @classmethod
    def between(cls, kind: int, found: Sequence[float], known: Sequence[float]) -> Self:
        """From values with their errors."""
        names = NAMES[kind]
        return cls(kind, Measurement(names[0], *found), Measurement(names[1], *known))

    def in_unit(self, unit: float) -> Fall:
        """The same in another unit."""
        return Fall(self.kind, self.found.in_unit(unit), self.known.in_unit(unit))

    @property
    def size(self) -> float:
        """By how many standard deviations the figure is nearer to 0, or beyond it; 0 where nothing was known."""
        error = math.hypot(
            *(max(one.error, LEAST_ERROR * abs(one.value)) for one in (self.found, self.known))
        )
        if not abs(self.known.value) > LOST * self.known.error:
            return 0.0
        return math.copysign(1.0, self.known.value) * (self.known.value - self.found.value) / error

    def __str__(self) -> str:
        """E.g. `estimate 12.3 +- 0.4 is 25.1 standard deviations below survey 182 +- 0.6`."""
        return f"{self.found} is {self.size:.1f} standard deviations below {self.known}"


@dataclass(frozen=True)
class Return:
    """A training that went back.

    Attributes:
        step: at which it was noticed.
        to: step of the state that it went back to.
        fall: why.
    """

    step: int
    to: int
    fall: Fall

    @property
    def row(self) -> tuple[float, ...]:
        """As numbers, for a checkpoint."""
        found, known = self.fall.found, self.fall.known
        return (
            self.step,
            self.to,
            self.fall.kind,
            found.value,
            found.error,
            known.value,
            known.error,
        )

    @classmethod
    def of_row(cls, row: Sequence[float]) -> Self:
        """What `row` gave."""
        step, to, kind, *figures = row
        return cls(int(step), int(to), Fall.between(int(kind), figures[:2], figures[2:]))


@dataclass(frozen=True)
class TrainingCheck:
    """What the looks of a training have seen.

    Attributes:
        window: sums over the batches since the last look: total, its variance, bulk, its variance;
            float64, shape (4,).
        looks: total, its error, bulk, its error of each look, float64, shape (n_looks, 4).
    """

    window: Tensor
    looks: Tensor

    @classmethod
    def start(cls) -> Self:
        """Before the first batch."""
        return cls(torch.zeros(4, dtype=torch.float64), torch.zeros(0, 4, dtype=torch.float64))

    def with_batch(self, samples: Samples, moments: Moments, heavy: float) -> TrainingCheck:
        """With a fresh batch.

        Args:
            samples: of the batch.
            moments: theirs.
            heavy: part of the integral of the batch from which on a point is none of the bulk.
        """
        bulk = total = moments.estimate()
        light = samples.weight.abs() <= heavy * moments.counts[samples.channel]
        if not light.all():
            bulk = Moments.of(
                samples.channel, samples.weight * light, len(moments.counts)
            ).estimate()
        sums = torch.tensor([*_sums(total), *_sums(bulk)], dtype=torch.float64)
        return TrainingCheck(self.window + sums, self.looks)

    def after_look(self, batches: int) -> TrainingCheck:
        """With the batches since the last look, so many, as one more."""
        total, total_variance, bulk, bulk_variance = (self.window / batches).tolist()
        errors = [math.sqrt(variance / batches) for variance in (total_variance, bulk_variance)]
        look = torch.tensor([[total, errors[0], bulk, errors[1]]], dtype=torch.float64)
        return TrainingCheck(torch.zeros_like(self.window), torch.cat([self.looks, look]))

    def deepest_fall(self, survey: Measurement | None) -> Fall:
        """What has sunk most in the last look; of size 0 where there is nothing to compare it with."""
        *earlier, last = self.looks.tolist()
        total, bulk = last[:2], last[2:]
        falls = [Fall.between(0, total, (survey.value, survey.error))] if survey else []
        falls += [Fall.between(1, total, look[:2]) for look in earlier]
        falls += [Fall.between(2, bulk, look[2:]) for look in earlier]
        return max(falls, key=lambda fall: fall.size, default=Fall.between(1, total, total))

    def sound(self, fall: Fall) -> bool:
        """Whether the last look, with its deepest fall, speaks for the state at the look before."""
        total, _, bulk, _ = self.looks[-1].tolist()
        return fall.size < SOUND and abs(total - bulk) < HEAVY * abs(total)

    def tensors(self) -> dict[str, Tensor]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def batches_per_look(draws: int, points: int) -> int:
    """Fresh batches of a look in a training with so many, of so many points each."""
    return max(BATCHES, math.ceil(POINTS / points), math.ceil(draws / MOST_LOOKS))


def sentences(returns: Sequence[Return], steps: int) -> list[str]:
    """What a training that went back has to say of itself, one sentence at most.

    Args:
        returns: in their order.
        steps: that the training should have had.
    """
    if not returns:
        return []
    last = returns[-1]
    often = f"{len(returns)} times" if len(returns) > 1 else "once"
    rate = f"each time with {SLOWER:g} of the learning rate"
    ended = (
        f"; it ended there, after {last.to:,} of {steps:,} steps"
        if len(returns) > MOST_RETURNS
        else ""
    )
    return [
        f"training: went back {often}, {rate}, last from step {last.step:,} to {last.to:,}: {last.fall}{ended}"
    ]


def _sums(estimate: Estimate) -> tuple[float, float]:
    return estimate.value, estimate.error**2
