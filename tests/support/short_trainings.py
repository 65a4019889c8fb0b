"""Trainings of a few steps, and what they leave."""

from __future__ import annotations

from pathlib import Path

import torch
from toy_integrands import CamelBack

from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.integration.training.training_state import TrainingState

SHORT = TrainingSettings(steps=12, batch_size=200)


EVERYTHING = TrainingSettings(
    steps=40,
    batch_size=200,
    loss="stratified_softclip",
    schedule="cosine",
    gradient_clip=10.0,
    averaging=0.9,
    warmup_steps=4,
    dropping_cutoff=0.3,
    dropping_interval=3,
    buffer="partial",
    buffer_size=6,
    buffer_fraction=0.5,
    buffer_weights=2,
)
"""All features at once; on `Mirrored` the small channels 0 and 2 are dropped early."""


def small(integrand: AbstractIntegrand | None = None) -> ImportanceSampler:
    integrand = integrand or CamelBack()
    return ImportanceSampler(
        integrand,
        SplineFlow(integrand.dim, integrand.n_channels, FlowSettings(bins=4, units=8)),
        seed=3,
    )


def stored(directory: Path, trainer: Trainer) -> TrainingState:
    """The state of a trainer, written to files and read back."""
    checkpoint.save(directory, "training", trainer.state.tensors, {"step": trainer.state.step})
    tensors, meta = checkpoint.load(directory, "training")
    return TrainingState(meta["step"], tensors)


def same(a: TrainingState, b: TrainingState) -> bool:
    names = a.tensors.keys() == b.tensors.keys()
    return (
        a.step == b.step
        and names
        and all(torch.equal(a.tensors[name], b.tensors[name]) for name in a.tensors)
    )
