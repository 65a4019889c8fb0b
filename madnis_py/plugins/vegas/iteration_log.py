"""Record of the iterations of a call: which sampler drew the points, how precise, and why."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

SAMPLER_NAMES = {"vegas": "VEGAS", "flow": "the flow"}
"""Samplers as sentences call them."""


@dataclass(frozen=True)
class IterationStatistics:
    """Precision and cost of an iteration.

    Attributes:
        relative_std: relative error of the first component times the root of the number of
            evaluations; lowered by stratification.
        evaluations: of the integrand.
        seconds: that sampling and integrand took.
    """

    relative_std: float
    evaluations: int
    seconds: float


class IterationLog:
    """The iterations of a call in order, and the sentences that a summary says about them.

    Args:
        reason: why VEGAS or the flow draws the points, until a decision gives a better one.

    Attributes:
        reason: of the last decision.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._iterations: list[tuple[str, IterationStatistics]] = []
        self._training_seconds = 0.0
        self._training_points = 0

    def add_iteration(self, sampler: str, statistics: IterationStatistics) -> None:
        """Add an iteration whose points "vegas" or "flow" drew."""
        self._iterations.append((sampler, statistics))

    def add_training(self, points: int, seconds: float) -> None:
        """Add a training with so many points."""
        self._training_seconds += seconds
        self._training_points = max(self._training_points, points)

    def statistics(self, sampler: str | None = None) -> list[IterationStatistics]:
        """Statistics of the iterations of a sampler, or of all, the oldest first."""
        return [statistics for name, statistics in self._iterations if sampler in (None, name)]

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence per change of the sampler, then the training and the reason."""
        lines, first = [], 1
        for name, group in groupby(self._iterations, key=lambda iteration: iteration[0]):
            stds = [f"{statistics.relative_std:.3g}" for _, statistics in group]
            last = first + len(stds) - 1
            span = f"Iteration {first}" if first == last else f"Iterations {first} to {last}"
            reached = stds[0] if first == last else f"{stds[0]} to {stds[-1]}"
            lines.append(f"{span}: {SAMPLER_NAMES[name]}, relative standard deviation {reached}.")
            first = last + 1
        if self._training_seconds:
            learned = f"{self._training_points:,} points of these iterations, no others"
            lines.append(f"The flow learned for {self._training_seconds:.3g} s from {learned}.")
        return (*lines, f"{capitalised(self.reason)}.") if self.reason else tuple(lines)


def capitalised(text: str) -> str:
    """A text with a capital letter at its beginning, and nothing else changed."""
    return text[:1].upper() + text[1:]
