"""Warnings of a run: what its results say may have been missed, and when one is not to be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from madnis_py.arrays import Array
from madnis_py.events.event_selection import EventSelection
from madnis_py.integration.coverage import CoverageCheck, largest_weights
from madnis_py.integration.estimate import Measurement
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.training_integral import TrainingIntegral, WeightedMean
from madnis_py.run.stages.record_part import RecordPart
from madnis_py.run.stages.results import Result, SampledPoints

WarningStage = Literal["process", "survey", "train", "integrate", "generate"]

LOST_MARGIN = 0.1
"""Share by which the efficiency of a flow has to be below that of VEGAS for a warning."""

FEWEST_EFFECTIVE = 400
"""Number of effective events below which negative weights leave more than 5 % of uncertainty in the
unit of the weights."""

MANY_NEGATIVE = 0.01
"""Share of negative events above which a warning names it."""


class RunWarning(RecordPart):
    """A sentence with channel and figure, and the stage that it is about."""

    stage: WarningStage = Field(description="Stage of the run; process for what the card implies.")
    sentence: str = Field(description="What was noticed, with the figures.")

    @model_validator(mode="before")
    @classmethod
    def _from_a_sentence_alone(cls, value: Any) -> Any:
        """Read what run.json held before the stage had a field of its own."""
        if not isinstance(value, str):
            return value
        return {
            "stage": "generate" if value.startswith("generate") else "integrate",
            "sentence": value,
        }


def warnings_of(stage: WarningStage, sentences: Iterable[str]) -> tuple[RunWarning, ...]:
    """Sentences with their stage."""
    return tuple(RunWarning(stage=stage, sentence=sentence) for sentence in sentences)


def sampler_warnings(
    check: CoverageCheck, sampled: Mapping[SamplerName, SampledPoints]
) -> list[str]:
    """Signs that a part of the integral was missed, from the points of each sampler by itself."""
    return [
        sentence
        for name, points in sampled.items()
        for sentence in check.sampler(name, points.parts)
    ]


def order_warnings(sampled: Mapping[SamplerName, SampledPoints]) -> list[str]:
    """Squared orders that the points of a sampler are too few for."""
    return [
        f"{name}: {sentence}"
        for name, points in sampled.items()
        if points.orders is not None
        for sentence in points.orders.sentences
    ]


def sign_warnings(results: Mapping[SamplerName, Result]) -> list[str]:
    """Effects of weights of both signs on the results; none where all are positive."""
    sentences = []
    for name, result in results.items():
        if (share := result.unweighting.negative_share) > MANY_NEGATIVE:
            worth = (1 - 2 * share) ** 2
            sentences.append(
                f"{name}: {share:.2%} of the events have negative weights, because parton "
                f"densities or interferences are negative; N events are worth {worth:.3g} N"
            )
        if abs(result.sigma_pb) < 5 * result.sigma_error_pb:
            sentences.append(
                f"{name}: {result.measurement('the cross section')} pb is hardly different from 0"
            )
    return sentences


def flow_warnings(
    check: CoverageCheck,
    flow: ImportanceSampler,
    sampled: Mapping[SamplerName, SampledPoints],
    results: Mapping[SamplerName, Result],
    average: TrainingIntegral,
) -> list[str]:
    """Signs that the flow misses what VEGAS or its own training knows.

    Args:
        check: for the channels of the run.
        flow: the trained sampler.
        sampled: points of "vegas" and "madnis".
        results: of both.
        average: of the training.
    """
    known = sampled["vegas"].first
    largest = largest_weights(sampled["madnis"].merged(), len(check.channels))
    neural = results["madnis"].measurement("madnis")
    return [
        *check.blind_spots(
            "madnis", largest, "vegas", known.weights_only(), flow.magnitudes(known)
        ),
        *check.agreement(results["vegas"].measurement("vegas"), neural),
        *check.agreement(_measurement("training", average.whole), neural),
        *check.agreement(
            _measurement("first half of the training", average.early),
            _measurement("second half of the training", average.late),
        ),
    ]


def lost_comparison(vegas: Result, flow: Result) -> list[str]:
    """Whether a flow that was asked for makes clearly fewer events of its points than VEGAS."""
    own, other = flow.unweighting.efficiency, vegas.unweighting.efficiency
    if own >= (1 - LOST_MARGIN) * other:
        return []
    figures = f"unweighting efficiency {own:.3g} where VEGAS has {other:.3g}"
    return [
        f"madnis: the flow is worse than VEGAS, {figures}; "
        "generate --sampler vegas uses the grids of this run"
    ]


def refusal(
    check: CoverageCheck, known: Measurement, sampler: SamplerName, result: Result
) -> str | None:
    """Why a result is not to be used: the cross section from the survey excludes it."""
    own = result.measurement(sampler)
    for sentence in check.agreement(own, known):
        if sampler == "madnis" and own.value < known.value:
            way_out = (
                "--method vegas, or --sampler vegas in this directory, uses the grids of the survey"
            )
        else:
            way_out = (
                "the survey seems to have missed a part; another --seed begins with another survey"
            )
        return f"{sentence}; {sampler} is not used: {way_out}"
    return None


def cancelling_signs(weights: Array) -> list[str]:
    """Whether events are too few for the signs of their weights, whose sum sets their unit.

    Args:
        weights: of the events, 1 below the maximum, float64, shape (n,).
    """
    n_eff = float(weights.sum() ** 2 / (weights @ weights))
    if n_eff > FEWEST_EFFECTIVE or not (weights < 0).any():
        return []
    return [
        f"generate: the signs of {len(weights)} events leave {n_eff:.3g} effective ones: "
        f"their weights in pb are uncertain by {1 / np.sqrt(n_eff):.0%}"
    ]


def generation_warnings(
    check: CoverageCheck, result: Result, selection: EventSelection
) -> list[str]:
    """Signs that the trials of the events have another cross section than the integrate stage."""
    mean, error = (float(result.maxima.sum()) * value for value in selection.mean_ratio)
    return check.agreement(Measurement("generate", mean, error), result.measurement("integrate"))


def _measurement(name: str, mean: WeightedMean) -> Measurement:
    return Measurement(name, mean.mean, mean.error)
