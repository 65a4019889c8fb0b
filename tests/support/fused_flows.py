"""Flows of compiled blocks beside the same in plain torch."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from madnis_py.flows import fused
from madnis_py.flows.blocks import MARGIN
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.parallel.random_streams import torch_generator

AnyFlow = TypeVar("AnyFlow", bound=AbstractFlow)

SHAPES = list(itertools.product((1, 2, 3, 10), (1, 3, 48)))
BATCHES = (0, 1, 7, 4097)
THREADS = (1, 2, 3, 8)
BOUNDARY = (0.0, 5e-324, 1e-300, 1e-17, MARGIN, 0.37, 1.0 - MARGIN, 1.0)


def perturbed(flow: AnyFlow, size: float = 0.25) -> AnyFlow:
    """The flow with random parameters, as if trained."""
    generator = torch_generator(3, "perturb")
    with torch.no_grad():
        for parameter in flow.parameters():
            fan_in = max(parameter.shape[2], 1) if parameter.dim() == 3 else 1
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(size / math.sqrt(fan_in) * noise)
    return flow


def flow(dim: int, n_channels: int, size: float = 0.25, **settings: Any) -> SplineFlow:
    """A flow with random parameters, as if trained."""
    return perturbed(SplineFlow(dim, n_channels, FlowSettings(**settings)), size)


def plain(fused_flow: SplineFlow) -> SplineFlow:
    """The same flow in plain torch."""
    result = copy.deepcopy(fused_flow)
    result.fused = False
    return result


def in_float64(single: SplineFlow) -> SplineFlow:
    """The same parameters in float64, in plain torch."""
    settings = single.settings.model_copy(update={"dtype": "float64"})
    result = SplineFlow(single.dim, single.n_channels, settings, fused=False)
    result.load_state_dict(single.state_dict())
    return result


def to_latent(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Map data (dim, n) to latent."""
    (step,) = any_flow._steps() if any_flow.fused else [fused.FusedBlocks(any_flow.sampling_order)]
    assert isinstance(step, fused.FusedBlocks)
    return (step.to_latent if any_flow.fused else step.reference)(x, counts)


def to_data(any_flow: SplineFlow, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Map latent (dim, n) to data."""
    total = z.new_zeros(z.shape[1])
    for step in any_flow._steps():
        z, log_jac = step.to_data(z, counts)
        total = total + log_jac
    return z, total


def batch(fused_flow: SplineFlow, n: int) -> tuple[Tensor, list[int]]:
    """Points (dim, n) and counts; the second of several channels is empty."""
    generator = torch_generator(4, "points")
    channel = torch.randint(fused_flow.n_channels, (n,), generator=generator)
    channel = torch.where(channel == 1, 0, channel)
    counts = torch.bincount(channel, minlength=fused_flow.n_channels).tolist()
    return torch.rand(fused_flow.dim, n, generator=generator, dtype=torch.float64), counts


def boundary_points() -> Tensor:
    """Points of three dimensions with every combination of numbers at and near the ends, (3, n)."""
    return torch.cartesian_prod(*[torch.tensor(BOUNDARY, dtype=torch.float64)] * 3).T.contiguous()


def function_of(z: Tensor, log_jac: Tensor) -> Tensor:
    """Some function of the results."""
    factor = torch.linspace(-1.0, 1.0, z.shape[1], dtype=torch.float64)
    return z.sin().sum(0) @ factor.square() + log_jac @ factor


def gradients(
    any_flow: SplineFlow, x: Tensor, counts: list[int], points_alone: bool = False
) -> list[Tensor]:
    """Gradients of a function of z and the log-Jacobian in x and the parameters."""
    x = x.clone().requires_grad_()
    z, log_jac = to_latent(any_flow, x, counts)
    value = function_of(z, log_jac.detach() if points_alone else log_jac)
    return list(torch.autograd.grad(value, [x, *any_flow.parameters()]))


def gradient_arrays(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[np.ndarray, ...]:
    return tuple(
        gradient.numpy() for gradient in gradients(any_flow, x, counts) if gradient.numel()
    )


def values(any_flow: SplineFlow, x: Tensor, counts: list[int]) -> tuple[np.ndarray, ...]:
    """Both directions, without gradients."""
    with torch.no_grad():
        return tuple(
            t.numpy() for t in (*to_latent(any_flow, x, counts), *to_data(any_flow, x, counts))
        )


def assert_gradients_agree(first: list[Tensor], second: list[Tensor], tolerance: float) -> None:
    """To the tolerance, relative to the largest element of each array."""
    for a, b in zip(first, second, strict=True):
        if b.numel():
            assert float((a - b).abs().max()) <= tolerance * max(float(b.abs().max()), 1e-3)
