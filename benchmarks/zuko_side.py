"""zuko at the work of the comparisons: one coupling flow of splines with our masks and sizes."""

from __future__ import annotations

import math
from functools import partial

import torch
from gaussian_mixture import move_parameters, points
from torch import nn
from workers import Work
from zuko.distributions import BoxUniform
from zuko.flows import Flow, UnconditionalDistribution
from zuko.flows.coupling import GeneralCouplingTransform
from zuko.transforms import MonotonicRQSTransform

BINS = 10


def start(threads: int) -> None:
    """All threads are those of torch."""
    torch.set_num_threads(threads)


def sample(dim: int, n: int) -> Work:
    """Points with their densities, without gradients."""
    flow = _moved_flow(dim)

    def work() -> float:
        with torch.no_grad():
            flow().rsample_and_log_prob((n,))
        return n

    return work


def density(dim: int, n: int) -> Work:
    """Densities of given points, without gradients."""
    flow = _moved_flow(dim)
    x = 2 * points(dim, 1, n)[0].float() - 1

    def work() -> float:
        with torch.no_grad():
            flow().log_prob(x)
        return n

    return work


def _moved_flow(dim: int) -> Flow:
    """On [-1, 1]^dim, where its splines live."""
    base = UnconditionalDistribution(BoxUniform, -torch.ones(dim), torch.ones(dim), buffer=True)
    flow = Flow([_block(mask) for mask in _masks(dim)], base)
    move_parameters(flow)
    return flow


def _masks(dim: int) -> list[list[bool]]:
    """Features that the others depend on: those with a binary digit set, then those without it."""
    digits = range(math.ceil(math.log2(dim)))
    return [
        [bool(i >> digit & 1) == value for i in range(dim)]
        for digit in digits
        for value in (True, False)
    ]


def _block(mask: list[bool]) -> GeneralCouplingTransform:
    return GeneralCouplingTransform(
        len(mask),
        mask=mask,
        univariate=partial(MonotonicRQSTransform, bound=1.0),
        shapes=[(BINS,), (BINS,), (BINS - 1,)],
        hidden_features=(32, 32),
        activation=nn.LeakyReLU,
    )
