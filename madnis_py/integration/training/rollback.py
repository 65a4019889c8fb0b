"""Rollback of a training that loses a part of the integral.

A flow that gives up a part of the integrand looks better from step to step: no point comes near
that part any more, and what is left agrees with itself. What gives it away is the estimate of the
integral, which sinks. At regular looks the fresh batches since the look before are compared with
the survey and with all earlier looks, in two figures:

    total: the mean of all weights. Unbiased whatever the flow is, but a few points may carry it.
    bulk: the same without points that carry more than `HEAVY` of it each. A part that is hardly
        visited any more leaves the bulk before it leaves the total.

Only a figure that *sinks* speaks against a training; one that rises has found something that was
not known. A training that has lost a part goes back to the last trusted state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor

from madnis_py.devices.device import Device
from madnis_py.integration.estimate import Estimate, Measurement, Moments
from madnis_py.integration.samples import Samples

BATCHES = 50
"""Least number of fresh batches of a look."""

POINTS = 10_000
"""Least number of points of a look; of fewer a single one may carry much by chance."""

MOST_LOOKS = 100
"""Number of looks that a long training has."""

HEAVY = 0.01
"""Share of the integral of a look that a point of the bulk carries at most."""

LOST = 5.0
"""Deficit, in standard deviations, from which on the training goes back."""

TRUSTED = 2.0
"""Deficit, in standard deviations, up to which a state is trusted.

A state is trusted, and one to go back to, if also all heavy points together carry less than
`HEAVY`.
"""

RATE_FACTOR = 0.3
"""Factor of the learning rate with each rollback."""

MOST_ROLLBACKS = 3
"""Number of rollbacks after which a training goes on; the next one ends it."""

LEAST_ERROR = 1e-4
"""Least relative error of a figure: densities have single precision."""

COMPARISONS = (
    ("estimate", "survey"),
    ("estimate", "earlier steps"),
    ("bulk of the estimate", "bulk in earlier steps"),
)
"""Figures of a look with the known ones that they can sink below, by the kind of a deficit."""


@dataclass(frozen=True)
class Deficit:
    """How far a figure of a look is below one that was known before.

    Attributes:
        kind: which of `COMPARISONS` this is.
        found: the figure of the look.
        known: the figure known before.
    """

    kind: int
    found: Measurement
    known: Measurement

    @classmethod
    def between(cls, kind: int, found: Sequence[float], known: Sequence[float]) -> Self:
        """The deficit of two figures, each given as value and error."""
        names = COMPARISONS[kind]
        return cls(kind, Measurement(names[0], *found), Measurement(names[1], *known))

    def in_unit(self, unit: float) -> Deficit:
        """The same in another unit."""
        return Deficit(self.kind, self.found.in_unit(unit), self.known.in_unit(unit))

    @property
    def size(self) -> float:
        """Standard deviations by which the figure is nearer to 0 than the known one, or beyond 0.

        0 where the known figure is 0 within its error.
        """
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
class Rollback:
    """One rollback of a training.

    Attributes:
        step: step at which the deficit was noticed.
        to: step of the state that the training went back to.
        deficit: the reason.
    """

    step: int
    to: int
    deficit: Deficit

    @property
    def row(self) -> tuple[float, ...]:
        """As numbers, for a checkpoint."""
        found, known = self.deficit.found, self.deficit.known
        return (
            self.step,
            self.to,
            self.deficit.kind,
            found.value,
            found.error,
            known.value,
            known.error,
        )

    @classmethod
    def of_row(cls, row: Sequence[float]) -> Self:
        """The rollback whose `row` this is."""
        step, to, kind, *figures = row
        return cls(int(step), int(to), Deficit.between(int(kind), figures[:2], figures[2:]))


@dataclass(frozen=True)
class IntegralCheck:
    """The looks of a training so far.

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

    def with_batch(
        self, samples: Samples, moments: Moments, heavy: float, device: Device | None = None
    ) -> IntegralCheck:
        """The check with a fresh batch more.

        Args:
            samples: of the batch.
            moments: of the same points.
            heavy: part of the integral of the batch that a point of the bulk carries at most.
            device: where the samples are; None for the CPU.
        """
        bulk = total = moments.estimate()
        most = (heavy * moments.counts).to(samples.weight.device, non_blocking=True)
        light = samples.weight.abs() <= most[samples.channel_there]
        if not light.all():
            of_bulk = replace(samples, weight=samples.weight * light)
            bulk = Moments.of_samples(of_bulk, len(moments.counts), device).estimate()
        sums = torch.tensor([*_sums(total), *_sums(bulk)], dtype=torch.float64)
        return IntegralCheck(self.window + sums, self.looks)

    def after_look(self, batches: int) -> IntegralCheck:
        """The check with one look more, at the `batches` since the last look."""
        total, total_variance, bulk, bulk_variance = (self.window / batches).tolist()
        errors = [math.sqrt(variance / batches) for variance in (total_variance, bulk_variance)]
        look = torch.tensor([[total, errors[0], bulk, errors[1]]], dtype=torch.float64)
        return IntegralCheck(torch.zeros_like(self.window), torch.cat([self.looks, look]))

    def largest_deficit(self, survey: Measurement | None) -> Deficit:
        """What has sunk most in the last look; of size 0 where there is nothing to compare with."""
        *earlier, last = self.looks.tolist()
        total, bulk = last[:2], last[2:]
        deficits = [
            *([Deficit.between(0, total, (survey.value, survey.error))] if survey else []),
            *(Deficit.between(1, total, look[:2]) for look in earlier),
            *(Deficit.between(2, bulk, look[2:]) for look in earlier),
        ]
        nothing = Deficit.between(1, total, total)
        return max(deficits, key=lambda deficit: deficit.size, default=nothing)

    def trusts(self, deficit: Deficit) -> bool:
        """Whether a look with this largest deficit speaks for the state at the look before."""
        total, _, bulk, _ = self.looks[-1].tolist()
        return deficit.size < TRUSTED and abs(total - bulk) < HEAVY * abs(total)

    def tensors(self) -> dict[str, Tensor]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def batches_per_look(draws: int, points: int) -> int:
    """Fresh batches of a look in a training with `draws` batches of `points` points each."""
    return max(BATCHES, math.ceil(POINTS / points), math.ceil(draws / MOST_LOOKS))


def rollback_sentences(rollbacks: Sequence[Rollback], steps: int) -> list[str]:
    """A sentence about a training that went back; none for others.

    Args:
        rollbacks: in their order.
        steps: steps that the training should have had.
    """
    if not rollbacks:
        return []
    last = rollbacks[-1]
    often = f"{len(rollbacks)} times" if len(rollbacks) > 1 else "once"
    rate = f"each time with {RATE_FACTOR:g} of the learning rate"
    ended = (
        f"; it ended there, after {last.to:,} of {steps:,} steps"
        if len(rollbacks) > MOST_ROLLBACKS
        else ""
    )
    return [
        f"training: went back {often}, {rate}, last from step {last.step:,} to {last.to:,}: "
        f"{last.deficit}{ended}"
    ]


def _sums(estimate: Estimate) -> tuple[float, float]:
    return estimate.value, estimate.error**2
