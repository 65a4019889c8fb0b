"""Comparison of priors, or of other forms of one integral, by short VEGAS runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from typing import TypeVar

from madnis_py.devices.device import Device
from madnis_py.integration.estimate import Estimate
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.step_progress import Callback, StepProgress
from madnis_py.integration.symmetry import ChannelGroups

Name = TypeVar("Name", bound=str)


def compare(
    candidates: Mapping[Name, AbstractIntegrand],
    settings: VegasSettings,
    seed: int = 0,
    callback: Callback | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
) -> dict[Name, float]:
    """sum_i sigma_i / |I| of every candidate on grids that VEGAS has adapted to it.

    Candidates see the same random numbers, so that what one of them meets by luck the others meet
    too.

    Args:
        candidates: by name; the same integral, with different mappings or channel weights.
        settings: of the grids; the second half of the iterations is what counts.
        seed: of the random numbers.
        callback: called with the `StepProgress` after each iteration, those of all candidates
            counted together.
        executor: runs the blocks of points.
        device: where the candidates take their points; None for the CPU.

    Returns:
        name -> relative standard deviation, infinite where all weights were 0.

    Raises:
        IntegrandError: a candidate returned NaN, infinity or a wrong shape.
    """
    found = {}
    for position, (name, integrand) in enumerate(candidates.items()):
        watch = _counting(callback, position, len(candidates)) if callback else None
        _, estimate = train_vegas(integrand, settings, seed, watch, executor, device)
        found[name] = _relative_std(estimate, ChannelGroups.of(integrand))
    return found


def _relative_std(estimate: Estimate, groups: ChannelGroups) -> float:
    """sum_i sigma_i / |I| from the points of whole groups of channels.

    n points of a single channel show no sigma_i above sqrt(n) I_i.
    """
    pooled = estimate.moments.pooled(groups)
    total = float((groups.sizes * pooled.variances.sqrt()).sum())
    return total / abs(estimate.value) if estimate.value else math.inf


def preferred(figures: Mapping[Name, float], margin: float) -> Name:
    """The first name, unless the figure of a later one is smaller by a margin.

    Args:
        figures: the smaller the better, in the order in which the names are liked; at least one.
        margin: share by which a figure has to be smaller.
    """
    names = iter(figures)
    best = next(names)
    for name in names:
        best = name if figures[name] < (1 - margin) * figures[best] else best
    return best


def _counting(callback: Callback, position: int, candidates: int) -> Callback:
    """Passes the progress of one candidate on as that of all."""

    def follow(progress: StepProgress) -> None:
        step, total = position * progress.total + progress.step, candidates * progress.total
        callback(replace(progress, step=step, total=total))

    return follow
