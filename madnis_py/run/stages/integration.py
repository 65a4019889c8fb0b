"""The integrate stage: fresh points of each sampler, their figures, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from madnis_py.card.choices import Preset
from madnis_py.errors import GenerationError
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.integration.estimate import MINIMUM_POINTS, combine, estimate
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName, choose_sampler
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.pdf.grid_limits import ShareOutside
from madnis_py.progress import StageProgress, Stopwatch, Watch
from madnis_py.run.stages.density_limits import require_inside
from madnis_py.run.stages.order_results import OrderEstimate
from madnis_py.run.stages.results import Result, SampledPoints, TrainingResult
from madnis_py.run.stages.run_warnings import (
    RunWarning,
    flow_warnings,
    lost_comparison,
    order_warnings,
    refusal,
    sampler_warnings,
    sign_warnings,
    warnings_of,
)
from madnis_py.run.stages.training_session import TrainingSession

POINTS: dict[Preset, int] = {"quick": 200_000, "standard": 1_000_000, "paper": 5_000_000}
"""Number of points of each sampler by preset of the card."""

ITERATIONS = 10
"""Number of parts that the points come in, compared by their chi^2."""

POINTS_OF_CHANNEL = ITERATIONS * MINIMUM_POINTS
"""Points of a channel at least."""


@dataclass(frozen=True)
class Integration:
    """What the integrate stage finds out.

    Attributes:
        results: of each sampler.
        sampled: points of each sampler.
        refusals: sampler -> why its result is not to be used; none for most.
        outside: what lies beyond the ends of the parton densities.
        warnings: of the run up to here.
        choice: the cheaper sampler, where there are two.
        training: the cross section from the training, where there is one.
    """

    results: Mapping[SamplerName, Result]
    sampled: Mapping[SamplerName, SampledPoints]
    refusals: Mapping[SamplerName, str]
    outside: tuple[ShareOutside, ...]
    warnings: tuple[RunWarning, ...]
    choice: Choice | None = None
    training: TrainingResult | None = None


@dataclass(frozen=True)
class IntegrateStage:
    """Samples the integrand of a run afresh and compares the samplers.

    Args:
        cross_section: the integrand.
        check: names what may have been missed, by channel.
        survey: whose grids are the baseline.
        samplers: to be integrated: "vegas", the grids, and "madnis" where a flow is trained.
        session: the finished training of the flow; None where there is none.
        overweight_share: that the maxima of the weights leave.
        watch: called with the progress.
    """

    cross_section: CrossSection
    check: CoverageCheck
    survey: Survey
    samplers: Mapping[SamplerName, ImportanceSampler]
    session: TrainingSession | None
    overweight_share: float
    watch: Watch

    def run(self, points: int, events: int, flow_was_asked_for: bool) -> Integration:
        """Integrate with each sampler.

        Args:
            points: of each sampler.
            events: unweighted events wanted, as far as known.
            flow_was_asked_for: whether the method is the flow, which then should not be worse.

        Raises:
            GenerationError: the cross section is not positive, or comes from where no parton
                densities are known.
        """
        sampled = {name: self._sample(name, points) for name in self.samplers}
        outside = tuple(self.cross_section.outside_grid(sampled["vegas"].first))
        require_inside(outside)
        results = self._results(sampled)
        self._require_sign(results)
        known = self.survey.measurement
        refusals = {
            name: sentence
            for name, result in results.items()
            if (sentence := refusal(self.check, known, name, result))
        }
        choice, training = None, None
        if self.session is not None:
            vegas, flow = results["vegas"], results["madnis"]
            choice = choose_sampler(
                vegas.cost, flow.cost, self.session.seconds, events=events, points=vegas.points
            )
            training = TrainingResult.of(self.session.average, flow)
        return Integration(
            results,
            sampled,
            refusals,
            outside,
            (
                *warnings_of("integrate", (f"integrate: {one}" for one in outside)),
                *warnings_of("process", self.cross_section.caveats),
                *self._warnings(sampled, results, flow_was_asked_for),
            ),
            choice,
            training,
        )

    def _sample(self, name: SamplerName, points: int) -> SampledPoints:
        """Fresh points in several parts, spread over the channels by their sigma_i."""
        parts: list[Samples] = []
        first: list[Samples] = []
        orders: list[OrderEstimate] = []
        clock = Stopwatch()
        for samples in self.samplers[name].iterations(points, ITERATIONS, self._sigma(name)):
            first = first or [samples]
            parts.append(samples.weights_only())
            if self.cross_section.process.squared_orders:
                orders.append(OrderEstimate.of(samples, self.cross_section))
            done = sum(map(len, parts))
            so_far = combine([estimate(part, self.cross_section.n_channels) for part in parts])
            self.watch(
                StageProgress(
                    f"integrate {name}",
                    done,
                    points,
                    "points",
                    rate=done / clock.total,
                    sigma=so_far.value,
                    relative_std=so_far.relative_std,
                )
            )
        by_order = OrderEstimate.combined(orders) if orders else None
        return SampledPoints(parts, first[0], clock.total, self.cross_section.biased, by_order)

    def _sigma(self, name: SamplerName) -> Tensor:
        """sigma_i of a sampler as its training left them, float64, shape (n_channels,)."""
        if name == "madnis" and self.session is not None:
            return self.session.trainer.state.sigma
        return self.survey.sigma

    def _results(self, sampled: Mapping[SamplerName, SampledPoints]) -> dict[SamplerName, Result]:
        """Figures of the samplers; VEGAS keeps the prior and has the shares before the training."""
        results: dict[SamplerName, Result] = {}
        for name, points in sampled.items():
            results[name] = Result.of(
                points, self.check.channels, self.overweight_share, results.get("vegas")
            )
        return results

    def _require_sign(self, results: Mapping[SamplerName, Result]) -> None:
        """Only interferences that a definition selects make a cross section negative.

        Raises:
            GenerationError: it is so by its parton densities.
        """
        if self.cross_section.process.definition.selects_products:
            return
        for result in results.values():
            if result.sigma_pb < 0:
                raise GenerationError(
                    f"integrate: expected a cross section > 0; got {result.sigma_pb:.4g} +- "
                    f"{result.sigma_error_pb:.2g} pb from contributions of both signs; with other "
                    "parton densities they may all be positive"
                )

    def _warnings(
        self,
        sampled: Mapping[SamplerName, SampledPoints],
        results: Mapping[SamplerName, Result],
        flow_was_asked_for: bool,
    ) -> Iterator[RunWarning]:
        yield from warnings_of("integrate", sign_warnings(results))
        yield from warnings_of("survey", self.check.iterations("survey", self.survey.iterations))
        yield from warnings_of("integrate", sampler_warnings(self.check, sampled))
        yield from warnings_of("integrate", order_warnings(sampled))
        if self.session is None:
            return
        flow, average = self.samplers["madnis"], self.session.average
        yield from warnings_of(
            "integrate", flow_warnings(self.check, flow, sampled, results, average)
        )
        yield from warnings_of("train", self.session.trainer.sentences)
        if flow_was_asked_for:
            yield from warnings_of(
                "integrate", lost_comparison(results["vegas"], results["madnis"])
            )
