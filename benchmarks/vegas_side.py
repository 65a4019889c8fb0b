"""vegas at the work of the comparisons: an integrator per channel, in one process."""

from __future__ import annotations

import numpy as np
import torch
import vegas
from gaussian_mixture import GaussianMixture
from workers import Work

from madnis_py.arrays import Array


def start(threads: int) -> None:
    """All threads are those of torch, which evaluates the integrand."""
    torch.set_num_threads(threads)


def vegas_warmup(
    dim: int, n_channels: int, iterations: int, n: int, bins: int, damping: float
) -> Work:
    """A grid per channel from the start, at most n points per channel and iteration."""
    mixture = GaussianMixture(dim, n_channels)
    channels = [_channel(mixture, i) for i in range(n_channels)]

    def work() -> float:
        return float(
            sum(_adapt(channel, dim, iterations, n, bins, damping) for channel in channels)
        )

    return work


def _adapt(
    channel: vegas.LBatchIntegrand, dim: int, iterations: int, n: int, bins: int, damping: float
) -> int:
    """Adapt a new grid; returns the number of evaluations."""
    integrator = vegas.Integrator([[0, 1]] * dim, maxinc_axis=bins, alpha=damping)
    return int(integrator(channel, nitn=iterations, neval=n).sum_neval)


def _channel(mixture: GaussianMixture, i: int) -> vegas.LBatchIntegrand:
    def function(x: Array) -> Array:
        value, prior = mixture.value_and_prior(torch.from_numpy(np.asarray(x)))
        return (value * prior[:, i]).numpy()

    return vegas.lbatchintegrand(function)
