"""Coupling blocks of splines, and fixed grids, in the kernels of a device: one point per thread.

For coupling blocks a block of threads has a range of events of one channel, which share the
weights. A gradient is a sum over the events of each range and then over the ranges of a channel,
always in the same order, so that its bits do not depend on what runs at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.devices.block_layout import BlockLayout
from madnis_py.devices.kernels import Argument, Kernels
from madnis_py.devices.upload import Described, pointers, upload
from madnis_py.flows.blocks import GridBlock

MOST_RANGES = 512
"""Ranges of a batch in the backward direction, about: each needs memory for all gradients."""


class DescribedBlocks(Described, Protocol):
    """Description of coupling blocks, `_core.CouplingFlow32` or `_core.CouplingFlow64`."""

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""

    @property
    def n_parameters(self) -> int:
        """Parameters of one channel."""

    @property
    def transform_rows(self) -> int:
        """Numbers that a point needs on the way to z or x."""

    @property
    def backward_rows(self) -> int:
        """Numbers that a point needs in the backward direction."""


class BlocksOnDevice:
    """Coupling blocks in the kernels of a device; the methods are those of `CompiledBlocks`.

    Nothing here waits for the device.

    Args:
        description: of the blocks.
        parameters: their weights and biases, contiguous, all of one dtype, on the device.
        kernels: of the device.
    """

    def __init__(
        self, description: DescribedBlocks, parameters: Sequence[Tensor], kernels: Kernels
    ) -> None:
        self._kernels = kernels
        self._spec = upload(description, kernels)
        self._addresses = pointers(list(parameters), kernels)
        self._dtype = parameters[0].dtype
        self._n_blocks, self._n_parameters = description.n_blocks, description.n_parameters
        self._size = sum(parameter.numel() for parameter in parameters)
        self._transform = BlockLayout.of(description.transform_rows, self._dtype)
        self._backward = BlockLayout.of(description.backward_rows, self._dtype)
        self._ranges = lru_cache(maxsize=16)(self._new_ranges)

    def forward(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.forward`."""
        return self._transformed("coupling_forward", x, counts)

    def inverse(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.inverse`."""
        return self._transformed("coupling_inverse", z, counts)

    def _transformed(self, name: str, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        points = _copied(x)
        return points, self._move(name, points, 0, counts)

    def backward(
        self, x: Tensor, counts: list[int], grad_z: Tensor | None, grad_log_jac: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """See `CompiledBlocks.backward`."""
        points = x.new_empty(self._n_blocks + 1, *x.shape)
        points[0] = x.detach()
        log_jac = self._move("coupling_forward", points, x.numel(), counts)
        upstream = torch.zeros_like(log_jac) if grad_log_jac is None else _copied(grad_log_jac)
        gradient = torch.zeros_like(points[0]) if grad_z is None else _copied(grad_z)
        ranges = self._ranges(tuple(counts), self._backward.threads, MOST_RANGES)
        sums = x.new_zeros(ranges.length, self._n_parameters, dtype=self._dtype)
        self._launch(
            "coupling_backward",
            self._backward,
            ranges,
            points,
            upstream,
            gradient,
            sums,
            x.shape[1],
        )
        return gradient, self._added(sums, ranges)

    def _move(self, name: str, points: Tensor, step: int, counts: list[int]) -> Tensor:
        """Take points through the blocks, the results of each `step` numbers behind.

        Returns:
            the logarithms of the Jacobian.
        """
        n = points.shape[-1]
        log_jac = points.new_empty(n)
        ranges = self._ranges(tuple(counts), self._transform.threads, None)
        self._launch(name, self._transform, ranges, points, step, log_jac, n)
        return log_jac

    def _launch(
        self, name: str, layout: BlockLayout, ranges: _Ranges, *arguments: Argument
    ) -> None:
        workspace = layout.memory(ranges.length, self._kernels)
        self._kernels.launch(
            "flows",
            self._name(name),
            ranges.length * layout.threads,
            self._spec,
            self._addresses,
            ranges.table,
            *arguments,
            workspace,
            layout.workspace,
            block=layout.threads,
            shared_bytes=layout.shared_bytes,
        )

    def _added(self, sums: Tensor, ranges: _Ranges) -> Tensor:
        """The gradients of all parameters from those of each range."""
        gradients = sums.new_empty(self._size)
        self._kernels.launch(
            "flows",
            self._name("coupling_add_sums"),
            self._size,
            self._spec,
            ranges.firsts,
            sums,
            gradients,
        )
        return gradients

    def _name(self, kernel: str) -> str:
        return f"{kernel}_{'float32' if self._dtype == torch.float32 else 'float64'}"

    def _new_ranges(self, counts: tuple[int, ...], size: int, most: int | None) -> _Ranges:
        return _Ranges.of(np.array(counts), size, most, self._kernels.torch_device)


class GridOnDevice:
    """A fixed grid in the kernels of a device, with the methods of a `Block`.

    Args:
        block: the grid, on the device.
        kernels: of the device.
    """

    def __init__(self, block: GridBlock, kernels: Kernels) -> None:
        self.block = block
        self._kernels = kernels
        self._first_events = lru_cache(maxsize=16)(self._new_first_events)

    def to_latent(self, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map data to latent, differentiable in x; see `Block.to_latent`."""
        if x.requires_grad:
            return self.block.to_latent(x, counts)
        return self._moved("grid_to_latent", x, counts)

    def to_data(self, z: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        """Map latent to data, without gradients; see `Block.to_data`."""
        return self._moved("grid_to_data", z, counts)

    def _moved(self, name: str, x: Tensor, counts: list[int]) -> tuple[Tensor, Tensor]:
        edges, ends = self.block.edges, self.block.ends
        points, n = _copied(x), x.shape[1]
        log_jac = points.new_empty(n)
        grid = edges, ends, self._first_events(tuple(counts)), len(edges), len(x), ends.shape[3]
        self._kernels.launch("flows", name, n, *grid, points, log_jac, n)
        return points, log_jac

    def _new_first_events(self, counts: tuple[int, ...]) -> Tensor:
        return _sent(np.concatenate(([0], np.cumsum(counts))), self._kernels.torch_device)


def _copied(x: Tensor) -> Tensor:
    return x.detach().clone(memory_format=torch.contiguous_format)


class _Ranges(NamedTuple):
    """Sorted channels cut into ranges of events of one channel, on a device.

    Attributes:
        table: channel, first event, end and number of each range, int64, shape (length, 4).
        firsts: first range of each channel, and the number of ranges, int64, shape (n_channels +
            1,).
    """

    table: Tensor
    firsts: Tensor

    @property
    def length(self) -> int:
        """Number of ranges."""
        return len(self.table)

    @classmethod
    def of(
        cls, counts: NDArray[np.int64], size: int, most: int | None, device: torch.device
    ) -> _Ranges:
        """Ranges of `size` events or less; of a multiple of it where there would be too many.

        Args:
            counts: events of each channel.
            size: events of a block of threads at a time.
            most: ranges at most, besides one for each channel that has events; None for any number.
            device: where to put them.
        """
        pieces = -(-counts // size)
        if most is not None:
            pieces = np.minimum(pieces, -(-most * counts // max(int(counts.sum()), 1)))
        events = size * -(-counts // (size * np.maximum(pieces, 1)))
        pieces = -(-counts // np.maximum(events, 1))
        firsts = np.concatenate(([0], np.cumsum(pieces)))
        number = np.arange(firsts[-1])
        channel = np.repeat(np.arange(len(counts)), pieces)
        end_of_channel = np.cumsum(counts)[channel]
        begin = (np.cumsum(counts) - counts)[channel] + (number - firsts[channel]) * events[channel]
        end = np.minimum(begin + events[channel], end_of_channel)
        table = np.stack((channel, begin, end, number), axis=1)
        return cls(*(_sent(array, device) for array in (table, firsts)))


def _sent(array: NDArray[np.int64], device: torch.device) -> Tensor:
    """The array on a device, without waiting for what runs there."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return (tensor.pin_memory() if device.type == "cuda" else tensor).to(device, non_blocking=True)
