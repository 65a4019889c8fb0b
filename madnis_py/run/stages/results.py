"""Results of the integrate stage: what is kept of its points, and the figures of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from madnis_py.arrays import Array
from madnis_py.errors import GenerationError
from madnis_py.events.channel_maxima import channel_maxima
from madnis_py.events.unweighting import Unweighter
from madnis_py.events.unweighting_quality import (
    SHARES,
    TruncatedQuality,
    bootstrap_efficiencies,
    bootstrap_efficiency,
    truncated_quality,
)
from madnis_py.integration.estimate import Estimate, Measurement, Moments, combine, estimate
from madnis_py.integration.grids.sampler_choice import SamplerCost
from madnis_py.integration.samples import Samples
from madnis_py.integration.training.training_integral import TrainingIntegral
from madnis_py.run.stages.order_results import OrderEstimate, OrderResult
from madnis_py.run.stages.record_part import NonNegative, RecordPart

BOOTSTRAP_POINTS = 10_000
"""Points of a channel per replica in the bootstrap efficiency, Eq. (2.67)."""


@dataclass(frozen=True)
class SampledPoints:
    """Points of the integrate stage, as far as they are kept.

    Attributes:
        parts: the weights of each iteration, without coordinates; two at least.
        first: the first iteration with everything.
        seconds: wall time of the sampling.
        biased: whether events are made by the magnitudes alone, see `AbstractIntegrand.biased`.
        orders: cross sections by squared coupling orders, where the card tells some apart.
    """

    parts: Sequence[Samples]
    first: Samples
    seconds: float
    biased: bool = False
    orders: OrderEstimate | None = None

    def merged(self) -> Samples:
        """The weights of all iterations, sorted by channel."""
        return Samples.concatenate(self.parts).sorted_by_channel()

    @property
    def trials(self) -> SampledPoints:
        """The same points with the weights of trials: of biased events, the magnitudes."""
        if not self.biased:
            return self
        parts = [replace(part, weight=part.magnitude.copysign(part.weight)) for part in self.parts]
        return replace(self, parts=parts)

    def halves(self) -> tuple[Samples, Samples]:
        """The weights of every other iteration, sorted by channel: two independent samples."""
        even, odd = (
            Samples.concatenate(self.parts[start::2]).sorted_by_channel() for start in (0, 1)
        )
        return even, odd

    def estimate(self, n_channels: int) -> Estimate:
        """The integral."""
        return combine([estimate(part, n_channels) for part in self.parts])

    def magnitude(self, n_channels: int) -> float:
        """The integral with all contributions of flavours counted positive."""
        return combine(
            [Moments.of(part.channel, part.magnitude, n_channels).estimate() for part in self.parts]
        ).value


class ChannelResult(RecordPart):
    """One channel of a sampler."""

    name: str = Field(description="Name of the channel.")
    share: float = Field(description="Its part of the cross section, I_i / sigma, Eq. (5.46).")
    share_prior: float = Field(
        description="The same with the channel weights from before the training."
    )
    sigma_i: float = Field(ge=0, description="Standard deviation of its weights in pb.")
    maximum: float = Field(
        ge=0, description="Truncated maximum of its weights in pb; 0 if all of them are."
    )
    efficiency_bootstrap: float = Field(
        description="Its unweighting efficiency with the maximum of Eq. (2.67)."
    )
    active: bool = Field(True, description="Whether points are drawn in it.")

    @model_validator(mode="after")
    def _has_a_maximum_where_it_has_weights(self) -> Self:
        if (self.maximum > 0) != (self.share != 0 or self.sigma_i > 0):
            expected = "maximum: expected one above 0 where there are weights, else 0"
            raise ValueError(f"{expected}; got {self.maximum:g}")
        return self


class UnweightingFigures(RecordPart):
    """What unweighting costs and how good its events are; see `UnweightingSummary`."""

    efficiency: float = Field(gt=0, description="sigma / sum_i M_i.")
    efficiency_bootstrap: NonNegative = Field(description="The same with the maxima of Eq. (2.67).")
    overweight_share: NonNegative = Field(
        description="Share of the cross section above the maxima."
    )
    n_eff: NonNegative = Field(description="Kish's effective number of events.")
    negative_share: float = Field(
        ge=0, le=1, description="Share of the events with a negative weight."
    )
    cut_acceptance: float = Field(
        ge=0, le=1, description="Share of the trials with a weight other than 0."
    )


class UnweightingRecord(UnweightingFigures):
    """What unweighting costs and how good its events are; after `generate` of the events made."""

    maximum_factor: float = Field(1.0, ge=1, description="Factor by which the maxima grew.")


class Result(RecordPart):
    """Figures of one sampler after the integrate stage."""

    sigma_pb: float = Field(
        description="Cross section in pb; negative for some interferences of coupling orders."
    )
    sigma_error_pb: float = Field(ge=0, description="Standard error of the cross section in pb.")
    sigma_absolute_pb: float = Field(
        ge=0,
        description="Cross section in pb with all flavours counted positive, larger where parton "
        "densities or interferences are negative; of biased events times their bias.",
    )
    orders: tuple[OrderResult, ...] | None = Field(
        None,
        description="The cross section by powers of the coupling orders of events.order_weights in "
        "|M|^2; none without them.",
    )
    chi2_per_dof: float = Field(ge=0, description="Agreement between the iterations.")
    relative_std: float = Field(ge=0, description="sum_i sigma_i / sigma.")
    points: int = Field(ge=1, description="Points of the estimate.")
    seconds_per_point: float = Field(
        ge=0, description="Wall time of a point in seconds, sampling and integrand together."
    )
    unweighting: UnweightingFigures = Field(
        description="Efficiency and quality of events made with these maxima."
    )
    truncated: tuple[TruncatedQuality, ...] = Field(
        description="Efficiency for several overweight shares."
    )
    channels: tuple[ChannelResult, ...] = Field(description="Figures channel by channel.")

    @classmethod
    def of(
        cls, sampled: SampledPoints, names: Sequence[str], share: float, prior: Result | None = None
    ) -> Self:
        """Figures of the points of a sampler.

        Args:
            sampled: its points.
            names: of the channels.
            share: overweight share of the maxima.
            prior: result of a sampler whose channel weights are the prior; of this one by default.

        Raises:
            GenerationError: the weights add up to 0.
        """
        total, points = sampled.estimate(len(names)), sampled.merged()
        maxima = channel_maxima(points, len(names), share)
        if total.value == 0:
            raise GenerationError("integrate: expected a cross section other than 0; got 0 pb")
        trials = sampled.trials
        unweighting, truncated = _unweighting(trials, trials.merged(), maxima, share)
        return cls(
            sigma_pb=total.value,
            sigma_error_pb=total.error,
            sigma_absolute_pb=sampled.magnitude(len(names)),
            orders=sampled.orders and sampled.orders.results,
            chi2_per_dof=total.chi2_per_dof,
            relative_std=total.relative_std,
            points=total.n,
            seconds_per_point=sampled.seconds / total.n,
            unweighting=unweighting,
            truncated=truncated,
            channels=_channels(total, points, maxima, names, prior),
        )

    @model_serializer(mode="wrap")
    def _without_orders_that_nobody_asked_for(
        self, content: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        """Leave the key out where it says nothing; the same figures have the same digest."""
        return {
            name: value
            for name, value in content(self).items()
            if name != "orders" or value is not None
        }

    @property
    def maxima(self) -> Array:
        """Truncated maximum weight per channel in pb, float64, shape (n_channels,)."""
        return np.array([channel.maximum for channel in self.channels])

    @property
    def cost(self) -> SamplerCost:
        """What points and events of this sampler cost."""
        return SamplerCost(self.seconds_per_point, self.unweighting.efficiency, self.relative_std)

    def measurement(self, name: str) -> Measurement:
        """The cross section, for a comparison."""
        return Measurement(name, self.sigma_pb, self.sigma_error_pb)


def _unweighting(
    sampled: SampledPoints, points: Samples, maxima: Array, share: float
) -> tuple[UnweightingFigures, tuple[TruncatedQuality, ...]]:
    """Figures of events made with these maxima, and of all overweight shares that are reported.

    Overweight share and effective events are those of points that had no part in the maxima.
    """
    halves = sampled.halves()
    quality = {one: truncated_quality(halves, len(maxima), one) for one in sorted({*SHARES, share})}
    fresh, n_points = quality[share].combined, len(points)
    efficiency = bootstrap_efficiency(points, len(maxima), BOOTSTRAP_POINTS)
    figures = asdict(Unweighter(maxima).expect(points).summary(n_points, efficiency)) | {
        "overweight_share": fresh.overweight_share,
        "n_eff": fresh.n_eff * n_points,
    }
    return UnweightingFigures.model_validate(figures), tuple(quality.values())


def _channels(
    total: Estimate, points: Samples, maxima: Array, names: Sequence[str], prior: Result | None
) -> tuple[ChannelResult, ...]:
    shares = [float(value) / total.value for value in total.channel_values]
    bootstrap = bootstrap_efficiencies(points, len(names), BOOTSTRAP_POINTS)
    return tuple(
        ChannelResult(
            name=name,
            share=shares[i],
            share_prior=prior.channels[i].share if prior else shares[i],
            sigma_i=float(total.channel_stds[i]),
            maximum=float(maxima[i]),
            efficiency_bootstrap=float(bootstrap[i]),
            active=bool(total.channel_counts[i] > 0),
        )
        for i, name in enumerate(names)
    )


class TrainingResult(RecordPart):
    """The cross section from the batches of the training, a check of the other one."""

    sigma_pb: float = Field(description="Cross section in pb.")
    sigma_error_pb: float = Field(description="Its standard error in pb.")
    batches: int = Field(description="Batches that were averaged.")
    pull: float = Field(
        description="Distance from the cross section of the integrate stage in standard deviations."
    )

    @classmethod
    def of(cls, average: TrainingIntegral, result: Result) -> TrainingResult | None:
        """Compare with the integrate stage; None after fewer than two batches with a weight."""
        whole = average.whole
        if not whole.weight:
            return None
        error = float(np.hypot(whole.error, result.sigma_error_pb))
        pull = (whole.mean - result.sigma_pb) / error if error else 0.0
        return cls(
            sigma_pb=whole.mean, sigma_error_pb=whole.error, batches=average.batches, pull=pull
        )
