"""Coupling blocks of splines in compiled kernels, on the CPU or on a device.

One call takes a batch through a run of blocks. On the CPU: threads over ranges of events of one
channel, SIMD over the events of a tile, and what a tile needs stays in the cache. The arithmetic is
that of `splines` and `networks`, which remain the reference, and the way to second derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from madnis_py import _core
from madnis_py.devices.kernels import Kernels
from madnis_py.flows import splines
from madnis_py.flows.blocks import Block, CouplingShape, GridBlock
from madnis_py.flows.fused_on_device import BlocksOnDevice, GridOnDevice

_Kernel = _core.CouplingFlow32 | _core.CouplingFlow64

_KERNELS: dict[torch.dtype, type[_Kernel]] = {
    torch.float32: _core.CouplingFlow32,
    torch.float64: _core.CouplingFlow64,
}


class CompiledBlocks(Protocol):
    """Where coupling blocks are computed; points are float64, shape (dim, n), sorted by channel."""

    def forward(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data to latent; returns z and log |dz/dx|."""

    def inverse(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent to data; returns x and log |dx/dz|."""

    def backward(
        self, x: Tensor, counts: list[int], grad_z: Tensor | None, grad_log_jac: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Gradients of `forward` from those with respect to its results, None for zeros.

        Returns:
            those with respect to x, shape (dim, n), and to all weights and biases, one after the
            other in one array.
        """


class FusedBlocks:
    """Consecutive coupling blocks as one, with the methods of a `Block`.

    Args:
        blocks: in the order of sampling, each with a `kernel_shape`; these differ in features and
            layers only. The parameters of a block are the weights of its layers, then the biases,
            in that order.
        kernels: of the device that they are on; None for the CPU.
    """

    def __init__(self, blocks: Sequence[Block], kernels: Kernels | None = None) -> None:
        self.blocks = blocks[::-1]
        self.parameters = list(chain.from_iterable(block.parameters() for block in self.blocks))
        kernel = _kernel(tuple(block.kernel_shape for block in self.blocks if block.kernel_shape))
        self.compiled: CompiledBlocks = (
            BlocksOnProcessor(kernel, self.parameters)
            if kernels is None
            else BlocksOnDevice(kernel, self.parameters, kernels)
        )

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
        return self.compiled.inverse(z, counts)

    def reference(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """`to_latent` in plain torch."""
        total = x.new_zeros(x.shape[1])
        for block in self.blocks:
            x, log_jac = block.to_latent(x, counts)
            total = total + log_jac
        return x, total


Step = Block | FusedBlocks | GridOnDevice
"""What is computed in one go: a block, or what stands in the place of some."""


def joined(blocks: Sequence[Block], kernels: Kernels | None = None) -> list[Step]:
    """The blocks, with one `FusedBlocks` in the place of each run that the kernels can compute.

    On a device there is a `GridOnDevice` in the place of a grid.

    Args:
        blocks: in the order of sampling.
        kernels: of the device that computes; None for the CPU.
    """
    device = torch.device("cpu") if kernels is None else kernels.torch_device
    result: list[Step] = []
    for is_served, group in groupby(blocks, key=lambda block: _is_served(block, device)):
        run = list(group)
        result += [FusedBlocks(run, kernels)] if is_served else run
    if kernels is None:
        return result
    return [GridOnDevice(step, kernels) if isinstance(step, GridBlock) else step for step in result]


def _is_served(block: Block, device: torch.device) -> bool:
    """Whether the block is made of splines and kernels there can read its parameters."""
    if block.kernel_shape is None:
        return False
    dtype = block.kernel_shape.dtype
    return all(
        p.device == device and p.dtype is dtype and p.is_contiguous() for p in block.parameters()
    )


class BlocksOnProcessor:
    """Coupling blocks in the kernels of the CPU; the methods are those of `CompiledBlocks`.

    Args:
        kernel: their description.
        parameters: their weights and biases, contiguous.
    """

    def __init__(self, kernel: _Kernel, parameters: Sequence[Tensor]) -> None:
        self.kernel = kernel
        self._parameters = parameters

    def forward(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.forward`."""
        z, log_jac = self.kernel.forward(self.addresses(), counts, _as_array(x))
        return torch.from_numpy(z), torch.from_numpy(log_jac)

    def inverse(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.inverse`."""
        x, log_jac = self.kernel.inverse(self.addresses(), counts, _as_array(z))
        return torch.from_numpy(x), torch.from_numpy(log_jac)

    def backward(
        self, x: Tensor, counts: list[int], grad_z: Tensor | None, grad_log_jac: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.backward`."""
        grad_x, flat = self.kernel.backward(
            self.addresses(),
            counts,
            _as_array(x),
            None if grad_z is None else _as_array(grad_z),
            np.zeros(x.shape[1]) if grad_log_jac is None else _as_array(grad_log_jac),
        )
        return torch.from_numpy(grad_x), torch.from_numpy(flat)

    def addresses(self) -> list[int]:
        """Where the parameters are in memory."""
        return [parameter.data_ptr() for parameter in self._parameters]


def _as_array(x: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = x.detach().contiguous().numpy()
    return array


class _ToLatent(torch.autograd.Function):
    """`FusedBlocks.to_latent`; saves nothing but its arguments.

    Going through a tile again costs less than fetching what was computed there.
    """

    @staticmethod
    def forward(
        ctx: Any, blocks: FusedBlocks, counts: list[int], x: Tensor, *parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        z, log_jac = blocks.compiled.forward(x, counts)
        ctx.save_for_backward(x, *parameters)
        ctx.blocks, ctx.counts = blocks, counts
        ctx.set_materialize_grads(False)
        return z, log_jac

    @staticmethod
    def backward(
        ctx: Any, grad_z: Tensor | None, grad_log_jac: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        x, *parameters = ctx.saved_tensors
        gradients = _differentiable_gradients if torch.is_grad_enabled() else _gradients
        upstream = grad_z, grad_log_jac
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
    upstream: tuple[Tensor | None, Tensor | None],
) -> list[Tensor]:
    """Gradients with respect to x and the parameters from those with respect to z and log_jac."""
    x, *parameters = inputs
    grad_x, flat = blocks.compiled.backward(x, counts, *upstream)
    parts = torch.split(flat, [p.numel() for p in parameters])
    return [grad_x, *(part.view(p.shape) for part, p in zip(parts, parameters, strict=True))]


def _differentiable_gradients(
    blocks: FusedBlocks,
    counts: list[int],
    inputs: list[Tensor],
    upstream: tuple[Tensor | None, Tensor | None],
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
