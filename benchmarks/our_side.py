"""This package at the work of the comparisons, with sizes of the MadNIS thesis, Tab. A.6."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import torch
from gaussian_mixture import GaussianMixture, move_parameters, points
from torch import Tensor
from workers import Work

from madnis_py import _core
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand, Evaluation
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.topology import Cluster, Topology
from madnis_py.physics.phase_space.topology_mapping import diagram_mapping

BEAMS = CollidingBeams.hadrons((6500.0, 6500.0))
"""GeV."""

POLES = {6: (173.0, 1.4915), 21: (0.0, 0.0)}
"""Masses and widths of lines in GeV."""

_executor: Executor | None = None


class MixtureIntegrand(AbstractIntegrand):
    """The Gaussian mixture with its channel weights."""

    def __init__(self, dim: int, n_channels: int) -> None:
        self.dim = self.n_features = dim
        self.n_channels = n_channels
        self.mixture = GaussianMixture(dim, n_channels)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """See `AbstractIntegrand.evaluate`."""
        value, prior = self.mixture.value_and_prior(x)
        return Evaluation(value, x, prior)


def start(threads: int) -> None:
    """Threads are those of the kernels and of blocks of points; torch has one, as in a run."""
    global _executor
    torch.set_num_threads(1)
    _core.set_thread_count(threads)
    _executor = ThreadPoolExecutor(threads) if threads > 1 else None


def make_trainer(
    dim: int, n_channels: int, batch: int, steps: int, seed: int = 0, history: int = 20
) -> Trainer:
    """A trainer at a constant learning rate of 1e-3 that sets no channel aside."""
    settings = TrainingSettings(
        steps=steps,
        batch_size=batch,
        learning_rate=1e-3,
        schedule="constant",
        warmup_steps=history,
        dropping_cutoff=0.0,
    )
    return Trainer(
        ImportanceSampler(MixtureIntegrand(dim, n_channels), seed=seed, executor=_executor),
        settings,
    )


def training_step(dim: int, n_channels: int, batch: int, history: int) -> Work:
    """Steps of a training that has got past its first, evenly spread batches."""
    trainer = make_trainer(dim, n_channels, batch, 10**6, history=history)
    for _ in range(history + 2):
        trainer.step()

    def work() -> float:
        trainer.step()
        return 1

    return work


def sample(dim: int, n_channels: int, n: int) -> Work:
    """Points with their densities, without gradients."""
    flow = _moved_flow(dim, n_channels)
    _, channel = points(dim, n_channels, n)
    numbers = stream(4)

    def work() -> float:
        flow.sample(channel, numbers)
        return n

    return work


def density(dim: int, n_channels: int, n: int) -> Work:
    """Densities of given points, without gradients."""
    flow = _moved_flow(dim, n_channels)
    x, channel = points(dim, n_channels, n)

    def work() -> float:
        with torch.no_grad():
            flow.log_prob(x, channel)
        return n

    return work


def phase_space(n_gluons: int, topology: str, n: int) -> Work:
    """Momenta and Jacobians of g g > t t~ + gluons; see `phase_space.py`."""
    lines = t_line(n_gluons) if topology == "t" else s_line(n_gluons)
    masses = [0.0, 0.0, POLES[6][0], POLES[6][0]] + [0.0] * n_gluons
    mapping = diagram_mapping(lines, MassLimits(masses, ()), POLES, BEAMS)
    x = np.random.default_rng(4).random((n, mapping.dim))

    def work() -> float:
        mapping.forward(x)
        return n

    return work


def t_line(n_gluons: int) -> Topology:
    """All particles leave one line between the incoming ones."""
    return Topology(_legs(n_gluons), (6, *[21] * n_gluons))


def s_line(n_gluons: int) -> Topology:
    """Everything comes from one line, which gives off a gluon at a time and ends in t t~."""
    top, antitop, *gluons = _legs(n_gluons)
    line = Cluster(top.legs | antitop.legs, 21, (top, antitop))
    for gluon in gluons:
        line = Cluster(line.legs | gluon.legs, 21, (line, gluon))
    return Topology((line,), ())


def _legs(n_gluons: int) -> tuple[Cluster, ...]:
    return tuple(Cluster(4 << k, pdg) for k, pdg in enumerate([6, 6] + [21] * n_gluons))


def integrate(dim: int, n_channels: int, n: int) -> Work:
    """An integral with an untrained flow."""
    sampler = ImportanceSampler(MixtureIntegrand(dim, n_channels), executor=_executor)

    def work() -> float:
        sampler.integrate(n)
        return n

    return work


def vegas_warmup(
    dim: int, n_channels: int, iterations: int, n: int, bins: int, damping: float
) -> Work:
    """A grid per channel from the start, n points per channel and iteration."""
    settings = VegasSettings(iterations=iterations, points=n, bins=bins, damping=damping)
    integrand = MixtureIntegrand(dim, n_channels)
    seeds = itertools.count()

    def work() -> float:
        train_vegas(integrand, settings, seed=next(seeds), executor=_executor)
        return float(iterations * n * n_channels)

    return work


def loss_curve(
    dim: int, n_channels: int, batch: int, steps: int, n: int, seed: int
) -> tuple[list[float], float]:
    """Loss of each step of a training, and relative error of an integral.

    The error is that of n points times the root of n.
    """
    trainer = make_trainer(dim, n_channels, batch, steps, seed)
    loss = [trainer.step().loss for _ in range(steps)]
    estimate = trainer.sampler.integrate(n)
    return loss, estimate.error / estimate.value * math.sqrt(n)


def _moved_flow(dim: int, n_channels: int) -> SplineFlow:
    flow = SplineFlow(dim, n_channels)
    move_parameters(flow)
    return flow
