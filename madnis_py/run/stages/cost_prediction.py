"""Cost prediction before the training: how fast the samplers are, how long training will take."""

from __future__ import annotations

import time
from statistics import median

from madnis_py.integration import allocation
from madnis_py.integration.grids.sampler_choice import Choice, SamplerCost, choose_sampler
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.trainer import Trainer
from madnis_py.run.stages.results import Result, SampledPoints

POINTS = 50_000
"""Points per sampler from which its speed is measured."""

PARTS = 2
"""Number of independent parts that the points come in."""

STEPS = 8
"""Number of training steps that are timed; the first half warms up and does not count."""


def predict(
    vegas: ImportanceSampler, trainer: Trainer, share: float, events: int, points: int
) -> Choice:
    """Choose VEGAS if even a perfect flow would not pay its training, and the flow otherwise.

    The flow is taken to be as fast as it is untrained, with constant weights. So VEGAS is chosen
    only where it is faster for certain, within the accuracy of the timing.

    Args:
        vegas: trained grids.
        trainer: of the flow; its state moves on by some steps.
        share: overweight share of the events.
        events: unweighted events wanted.
        points: precision wanted, that of so many VEGAS points.
    """
    names = [str(channel) for channel in range(vegas.integrand.n_channels)]
    measured = Result.of(sample(vegas), names, share)
    seconds_per_point = sample(trainer.sampler).seconds / POINTS
    training = trainer.settings.steps * step_seconds(trainer)
    perfect = SamplerCost.perfect(seconds_per_point)
    return choose_sampler(
        measured.cost, perfect, training, events=events, points=points, trained=False
    )


def sample(sampler: ImportanceSampler) -> SampledPoints:
    """Points spread evenly over the channels."""
    counts = allocation.uniform(POINTS // PARTS, sampler.integrand.n_channels)
    start = time.perf_counter()
    parts = [sampler.sample(counts, "pilot", k) for k in range(PARTS)]
    seconds = time.perf_counter() - start
    return SampledPoints([part.weights_only() for part in parts], parts[0], seconds)


def step_seconds(trainer: Trainer) -> float:
    """Typical wall time of a training step."""
    laps = []
    for _ in range(STEPS):
        start = time.perf_counter()
        trainer.step()
        laps.append(time.perf_counter() - start)
    return median(laps[STEPS // 2 :])
