"""Trainings that tests have done for them."""

from __future__ import annotations

from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.integration.training.training_integral import TrainingIntegral


def trained(
    integrand: AbstractIntegrand, seed: int, settings: TrainingSettings
) -> tuple[ImportanceSampler, TrainingIntegral]:
    """A flow after its training, and the average over the batches."""
    sampler, average = ImportanceSampler(integrand, seed=seed), TrainingIntegral()

    def follow(progress: StepProgress) -> None:
        nonlocal average
        average = average.updated(progress)

    Trainer(sampler, settings).run(follow)
    return sampler, average
