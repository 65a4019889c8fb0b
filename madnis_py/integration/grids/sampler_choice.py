"""Which sampler is cheaper: VEGAS at once, or the flow after its training.

An event costs (t_sample + t_integrand) / efficiency, a relative error delta costs (relative_std /
delta)^2 points. The flow has to save with these what its training took.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

SamplerName = Literal["vegas", "madnis"]


@dataclass(frozen=True)
class SamplerCost:
    """What points of a sampler cost and what they are worth.

    Attributes:
        seconds_per_point: wall time of a point, sampling and integrand together.
        efficiency: unweighting efficiency, events per point.
        relative_std: sum_i sigma_i / |I|; the relative error of n points is this over sqrt(n).
    """

    seconds_per_point: float
    efficiency: float
    relative_std: float

    @property
    def seconds_per_event(self) -> float:
        """Wall time of an unweighted event."""
        return self.seconds_per_point / self.efficiency

    @classmethod
    def perfect(cls, seconds_per_point: float) -> SamplerCost:
        """A sampler without any fluctuation of its weights: no training can make a better one."""
        return cls(seconds_per_point, efficiency=1.0, relative_std=0.0)


@dataclass(frozen=True)
class Choice:
    """A sampler, and why.

    Attributes:
        sampler: "vegas" or "madnis".
        reason: one sentence with the numbers that decided.
        predicted: whether the flow was assumed to be perfect, because it was not trained yet.
        break_even_events: number of events from which on the flow is cheaper, its training
            included; None if never.
        break_even_points: number of VEGAS points whose precision the flow reaches sooner from there
            on; None if never.
        events: number of events that were asked for.
        points: the precision that was asked for, as a number of VEGAS points.
        training_seconds: duration of the whole training, measured or predicted.
        vegas: cost of VEGAS.
        flow: cost of the flow.
    """

    sampler: SamplerName
    reason: str
    predicted: bool
    break_even_events: float | None
    break_even_points: float | None
    events: int
    points: int
    training_seconds: float
    vegas: SamplerCost
    flow: SamplerCost

    def to_dict(self) -> dict[str, Any]:
        """The entries of the `choice` table of run.json."""
        return asdict(self)


def choose_sampler(
    vegas: SamplerCost,
    flow: SamplerCost,
    training_seconds: float,
    *,
    events: int = 0,
    points: int = 0,
    trained: bool = True,
) -> Choice:
    """Choose the sampler that is done first.

    Before the training, `flow` is best taken as `SamplerCost.perfect`: if even that does not pay,
    nothing does. After it, the training is spent: it still counts for the break-even, but no longer
    for the choice.

    Args:
        vegas: measured.
        flow: measured, or a bound.
        training_seconds: duration of the whole training.
        events: unweighted events wanted.
        points: precision wanted, that of so many VEGAS points.
        trained: whether the training is over.
    """
    share = (flow.relative_std / vegas.relative_std) ** 2 if vegas.relative_std else 1.0
    left = 0.0 if trained else training_seconds
    with_vegas = points * vegas.seconds_per_point + events * vegas.seconds_per_event
    with_flow = left + points * share * flow.seconds_per_point + events * flow.seconds_per_event
    sampler: SamplerName = "madnis" if with_flow < with_vegas else "vegas"
    name = "the trained flow" if trained else "training and a perfect flow"
    reason = (
        f"{events:,} events and the precision of {points:,} VEGAS points take "
        f"{with_vegas:.3g} s with VEGAS and {with_flow:.3g} s with {name}"
    )
    saved_per_event = vegas.seconds_per_event - flow.seconds_per_event
    return Choice(
        sampler=sampler,
        reason=reason,
        predicted=not trained,
        break_even_events=_break_even(training_seconds, saved_per_event),
        break_even_points=_break_even(
            training_seconds, vegas.seconds_per_point - share * flow.seconds_per_point
        ),
        events=events,
        points=points,
        training_seconds=training_seconds,
        vegas=vegas,
        flow=flow,
    )


def _break_even(cost: float, gain: float) -> float | None:
    """How often a gain pays a cost; None for no gain."""
    return cost / gain if gain > 0 else None
