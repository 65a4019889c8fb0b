"""The coupling blocks of a `SplineFlow` in compiled kernels, on the CPU.

One call takes a batch through all blocks: threads over ranges of events of one channel, SIMD over the events, and
everything that a tile of events needs stays in the cache. The arithmetic is that of `splines` and `networks`, which
remain the reference and the way on other devices and to second derivatives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from madnis_py import _core
from madnis_py.flows import splines

Layers = tuple[tuple[int, int], ...]
"""Inputs and outputs of each layer of a subnetwork."""

_KERNELS = {torch.float32: _core.CouplingFlow32, torch.float64: _core.CouplingFlow64}

Reference = Callable[[Tensor, list[int]], tuple[Tensor, Tensor]]
"""The same transformation by plain torch: (x, counts) -> z, log |dz/dx|."""


class Shape(NamedTuple):
    """What the kernels have to know about a flow.

    Attributes:
        dim: dimension of the unit cube.
        n_channels: number of channels.
        bins: bins of each spline.
        dtype: of the subnetworks.
        blocks: transformed features and layers of each block, in the order from data to latent.
    """

    dim: int
    n_channels: int
    bins: int
    dtype: torch.dtype
    blocks: tuple[tuple[tuple[int, ...], Layers], ...]


def is_served(parameters: Sequence[Tensor], shape: Shape) -> bool:
    """Whether the kernels can read the parameters: contiguous, on the CPU, of the dtype of the shape."""
    return all(p.is_cpu and p.dtype is shape.dtype and p.is_contiguous() for p in parameters)


def to_latent(
    shape: Shape, parameters: Sequence[Tensor], x: Tensor, counts: list[int], reference: Reference
) -> tuple[Tensor, Tensor]:
    """Map data to latent, differentiable in x and in the parameters.

    Args:
        shape: of the flow.
        parameters: of each block in the order of `shape.blocks` the weights of its layers, then the biases, as
            `StackedMLP` has them.
        x: points in [0, 1], float64, shape (n, dim), sorted by channel.
        counts: points of each channel, n_channels numbers of sum n.
        reference: answers when a gradient is to be differentiated again.

    Returns:
        z: float64, shape (n, dim).
        log_jac: log |dz/dx|, float64, shape (n,).
    """
    z, log_jac = _ToLatent.apply(x, shape, counts, reference, *parameters)  # type: ignore[no-untyped-call]
    return z, log_jac


def to_data(shape: Shape, parameters: Sequence[Tensor], z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
    """Map latent to data, without gradients; arguments and results as those of `to_latent`, log_jac = log |dx/dz|."""
    x, log_jac = _kernel(shape).inverse(_addresses(parameters), counts, z.contiguous().numpy())
    return torch.from_numpy(x), torch.from_numpy(log_jac)


class _ToLatent(torch.autograd.Function):
    """Saves nothing but its arguments: going through a tile again costs less than fetching what it computed."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, shape: Shape, counts: list[int], reference: Reference, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        x = x.contiguous()
        z, log_jac = _kernel(shape).forward(_addresses(parameters), counts, x.detach().numpy())
        ctx.save_for_backward(x, *parameters)
        ctx.shape, ctx.counts, ctx.reference = shape, counts, reference
        ctx.set_materialize_grads(False)
        return torch.from_numpy(z), torch.from_numpy(log_jac)

    @staticmethod
    def backward(ctx: Any, grad_z: Tensor | None, grad_log_jac: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *parameters = ctx.saved_tensors
        if torch.is_grad_enabled():
            gradients = _differentiable_gradients(ctx, x, parameters, grad_z, grad_log_jac)
        else:
            gradients = _gradients(ctx, x, parameters, grad_z, grad_log_jac)
        return gradients[0], None, None, None, *gradients[1:]


def _gradients(
    ctx: Any, x: Tensor, parameters: list[Tensor], grad_z: Tensor | None, grad_log_jac: Tensor | None
) -> list[Tensor]:
    grad_log_jac = x.new_zeros(len(x)) if grad_log_jac is None else grad_log_jac.contiguous()
    grad_x, flat = _kernel(ctx.shape).backward(
        _addresses(parameters),
        ctx.counts,
        x.detach().numpy(),
        None if grad_z is None else grad_z.contiguous().numpy(),
        grad_log_jac.numpy(),
    )
    sizes = [p.numel() for p in parameters]
    parts = torch.from_numpy(flat).split(sizes)
    return [torch.from_numpy(grad_x), *(part.view(p.shape) for part, p in zip(parts, parameters, strict=True))]


def _differentiable_gradients(
    ctx: Any, x: Tensor, parameters: list[Tensor], grad_z: Tensor | None, grad_log_jac: Tensor | None
) -> list[Tensor | None]:
    """The gradients as functions that torch can differentiate."""
    results = ctx.reference(x, ctx.counts)
    wanted = [(result, g) for result, g in zip(results, (grad_z, grad_log_jac), strict=True) if g is not None]
    inputs = [x, *parameters]
    needed = [i for i, tensor in enumerate(inputs) if tensor.requires_grad]
    outputs, upstream = zip(*wanted, strict=True)
    found = torch.autograd.grad(outputs, [inputs[i] for i in needed], upstream, create_graph=True, allow_unused=True)
    gradients: list[Tensor | None] = [None] * len(inputs)
    for i, gradient in zip(needed, found, strict=True):
        gradients[i] = gradient
    return gradients


@lru_cache(maxsize=64)
def _kernel(shape: Shape) -> _core.CouplingFlow32 | _core.CouplingFlow64:
    return _KERNELS[shape.dtype](
        shape.dim, shape.n_channels, shape.bins, splines.MIN_BIN_SIZE, splines.DERIVATIVE_RANGE, shape.blocks
    )


def _addresses(parameters: Sequence[Tensor]) -> list[int]:
    return [p.data_ptr() for p in parameters]
