"""The published madnis at the work of the comparisons; sizes of the MadNIS thesis, Tab. A.6."""

from __future__ import annotations

import math

import torch
from gaussian_mixture import GaussianMixture, move_parameters, points
from madnis.integrator import Integrand, Integrator, stratified_variance
from madnis.nn import Flow
from torch import Tensor, nn
from workers import Work

FLOW = {"permutations": "log", "bins": 10, "layers": 3, "units": 32, "activation": nn.LeakyReLU}
WEIGHTS = {"layers": 3, "units": 64, "activation": nn.LeakyReLU}


def start(threads: int) -> None:
    """All threads are those of torch."""
    torch.set_num_threads(threads)


def make_integrator(dim: int, n_channels: int, batch: int, history: int = 20) -> Integrator:
    """An integrator that trains at a constant learning rate of 1e-3."""
    mixture = GaussianMixture(dim, n_channels, torch.float32)
    settings = {
        "flow_kwargs": FLOW,
        "loss": stratified_variance,
        "batch_size": batch,
        "learning_rate": 1e-3,
        "uniform_channel_ratio": 0.1,
        "integration_history_length": history,
    }
    if n_channels == 1:
        return Integrator(mixture.value, dims=dim, **settings)

    def function(x: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        value, prior = mixture.value_and_prior(x)
        return value, x, prior

    integrand = Integrand(
        function,
        input_dim=dim,
        channel_count=n_channels,
        remapped_dim=dim,
        has_channel_weight_prior=True,
    )
    return Integrator(integrand, cwnet_kwargs=WEIGHTS, **settings)


def training_step(dim: int, n_channels: int, batch: int, history: int) -> Work:
    """Steps of a training that has got past its first, evenly spread batches."""
    integrator = make_integrator(dim, n_channels, batch, history)
    integrator.train(history + 2)

    def work() -> float:
        integrator.train_step()
        return 1

    return work


def sample(dim: int, n_channels: int, n: int) -> Work:
    """Points with their densities, without gradients."""
    flow, channel = _moved_flow(dim, n_channels), _channel(dim, n_channels, n)

    def work() -> float:
        with torch.no_grad():
            flow.sample(n, channel=channel, return_prob=True)
        return n

    return work


def density(dim: int, n_channels: int, n: int) -> Work:
    """Densities of given points, without gradients."""
    flow, channel = _moved_flow(dim, n_channels), _channel(dim, n_channels, n)
    x = points(dim, n_channels, n)[0].float()

    def work() -> float:
        with torch.no_grad():
            flow.prob(x, channel=channel)
        return n

    return work


def integrate(dim: int, n_channels: int, n: int) -> Work:
    """An integral with an untrained flow."""
    integrator = make_integrator(dim, n_channels, batch=1000)

    def work() -> float:
        integrator.integrate(n)
        return n

    return work


def loss_curve(
    dim: int, n_channels: int, batch: int, steps: int, n: int, seed: int
) -> tuple[list[float], float]:
    """Loss of each step of a training, and relative error of an integral.

    The error is that of n points times the root of n.
    """
    torch.manual_seed(seed)
    integrator = make_integrator(dim, n_channels, batch)
    loss = [integrator.train_step().loss for _ in range(steps)]
    value, error = integrator.integrate(n)
    return loss, error / value * math.sqrt(n)


def _moved_flow(dim: int, n_channels: int) -> Flow:
    flow = Flow(dim, channels=None if n_channels == 1 else n_channels, **FLOW)
    move_parameters(flow)
    return flow


def _channel(dim: int, n_channels: int, n: int) -> Tensor | None:
    return None if n_channels == 1 else points(dim, n_channels, n)[1]
