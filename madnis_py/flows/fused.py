"""Coupling blocks of splines in compiled kernels, on the CPU.

One call takes a batch through a run of blocks: threads over ranges of events of one channel, SIMD
over the events of a tile, and what a tile needs stays in the cache. The arithmetic is that of
`splines` and `networks`, which remain the reference, and the way on other devices and to second
derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from madnis_py import _core
from madnis_py.flows import splines
from madnis_py.flows.blocks import Block, CouplingShape

_Kernel = _core.CouplingFlow32 | _core.CouplingFlow64

_KERNELS: dict[torch.dtype, type[_Kernel]] = {
    torch.float32: _core.CouplingFlow32,
    torch.float64: _core.CouplingFlow64,
}


class FusedBlocks:
    """Consecutive coupling blocks as one, with the methods of a `Block`.

    Args:
        blocks: in the order of sampling, each with a `kernel_shape`; these differ in features and
            layers only. The parameters of a block are the weights of its layers, then the biases,
            in that order.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks[::-1]
        self.kernel = _kernel(
            tuple(block.kernel_shape for block in self.blocks if block.kernel_shape)
        )
        self.parameters = list(chain.from_iterable(block.parameters() for block in self.blocks))

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data to latent, differentiable in x and in the parameters; see `Block.to_latent`."""
        z, log_jac = _ToLatent.apply(self, counts, x, *self.parameters)  # type: ignore[no-untyped-call]
        return z, log_jac

    def log_jac(self, x: Tensor, counts: list[int], value: Tensor) -> Tensor:
        """The log |dz/dx| of `to_latent`, differentiable in the parameters.

        Its value, known up to a constant, is `value`.
        """
        log_jac: Tensor = _LogJac.apply(self, counts, x, value, *self.parameters)  # type: ignore[no-untyped-call]
        return log_jac

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent to data, without gradients; see `Block.to_data`."""
        x, log_jac = self.kernel.inverse(self.addresses(), counts, _as_array(z))
        return torch.from_numpy(x), torch.from_numpy(log_jac)

    def reference(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """`to_latent` in plain torch."""
        total = x.new_zeros(x.shape[1])
        for block in self.blocks:
            x, log_jac = block.to_latent(x, counts)
            total = total + log_jac
        return x, total

    def addresses(self) -> list[int]:
        """Where the parameters are in memory."""
        return [parameter.data_ptr() for parameter in self.parameters]


def joined(blocks: Sequence[Block]) -> list[Block | FusedBlocks]:
    """The blocks, with one `FusedBlocks` in the place of each run that the kernels can compute."""
    result: list[Block | FusedBlocks] = []
    for is_served, group in groupby(blocks, key=_is_served):
        run = list(group)
        result += [FusedBlocks(run)] if is_served else run
    return result


def _is_served(block: Block) -> bool:
    """Whether the block is made of splines and the kernels can read its parameters."""
    if block.kernel_shape is None:
        return False
    dtype = block.kernel_shape.dtype
    return all(p.is_cpu and p.dtype is dtype and p.is_contiguous() for p in block.parameters())


class _ToLatent(torch.autograd.Function):
    """`FusedBlocks.to_latent`; saves nothing but its arguments.

    Going through a tile again costs less than fetching what was computed there.
    """

    @staticmethod
    def forward(
        ctx: Any, blocks: FusedBlocks, counts: list[int], x: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        z, log_jac = blocks.kernel.forward(blocks.addresses(), counts, _as_array(x))
        ctx.save_for_backward(x, *parameters)
        ctx.blocks, ctx.counts = blocks, counts
        ctx.set_materialize_grads(False)
        return torch.from_numpy(z), torch.from_numpy(log_jac)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *parameters = ctx.saved_tensors
        gradients = _differentiable_gradients if torch.is_grad_enabled() else _gradients
        return None, None, *gradients(ctx.blocks, ctx.counts, [x, *parameters], upstream)


class _LogJac(torch.autograd.Function):
    """`FusedBlocks.log_jac`: a value that is known, with its gradient computed on demand."""

    @staticmethod
    def forward(
        ctx: Any,
        blocks: FusedBlocks,
        counts: list[int],
        x: Tensor,
        value: Tensor,
        *parameters: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(x, *parameters)
        ctx.blocks, ctx.counts = blocks, counts
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        _, *gradients = _gradients(
            ctx.blocks, ctx.counts, list(ctx.saved_tensors), (None, upstream)
        )
        return None, None, None, None, *gradients


def _gradients(
    blocks: FusedBlocks,
    counts: list[int],
    inputs: list[Tensor],
    upstream: tuple[Tensor | None, ...],
) -> list[Tensor]:
    """Gradients with respect to x and the parameters from those with respect to z and log_jac."""
    x, *parameters = inputs
    grad_z, grad_log_jac = (None if grad is None else _as_array(grad) for grad in upstream)
    if grad_log_jac is None:
        grad_log_jac = np.zeros(x.shape[1])
    grad_x, flat = blocks.kernel.backward(
        blocks.addresses(), counts, _as_array(x), grad_z, grad_log_jac
    )
    parts = torch.split(torch.from_numpy(flat), [p.numel() for p in parameters])
    return [
        torch.from_numpy(grad_x),
        *(part.view(p.shape) for part, p in zip(parts, parameters, strict=True)),
    ]


def _differentiable_gradients(
    blocks: FusedBlocks,
    counts: list[int],
    inputs: list[Tensor],
    upstream: tuple[Tensor | None, ...],
) -> list[Tensor | None]:
    """`_gradients` for second derivatives, in plain torch, which can differentiate them."""
    results = zip(blocks.reference(inputs[0], counts), upstream, strict=True)
    outputs, factors = zip(
        *((result, grad) for result, grad in results if grad is not None), strict=True
    )
    needed = [tensor for tensor in inputs if tensor.requires_grad]
    found = iter(
        torch.autograd.grad(outputs, needed, factors, create_graph=True, allow_unused=True)
    )
    return [next(found) if tensor.requires_grad else None for tensor in inputs]


@lru_cache(maxsize=64)
def _kernel(shapes: tuple[CouplingShape, ...]) -> _Kernel:
    first = shapes[0]
    blocks = [(shape.transformed, shape.layers) for shape in shapes]
    return _KERNELS[first.dtype](
        first.dim,
        first.n_channels,
        first.bins,
        splines.MIN_BIN_SIZE,
        splines.DERIVATIVE_RANGE,
        blocks,
    )


def _as_array(x: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = x.detach().contiguous().numpy()
    return array
