"""Contract of a flow, a sampler of the unit cube with one density per channel, and its checks."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from madnis_py.devices.device_module import DeviceModule
from madnis_py.devices.random_numbers import uniform_there
from madnis_py.errors import InputError
from madnis_py.parallel.random_streams import RandomStream


class AbstractFlow(DeviceModule, ABC):
    """One normalised density q_i(x) per channel i on the unit cube [0, 1]^dim.

    Channels are sorted int64 tensors of shape (n,), so that the points of a channel are contiguous.

    Attributes:
        dim: dimension of the unit cube.
        n_channels: number of channels.
        device: where it computes, see `DeviceModule`; points of `sample` stay there.
    """

    dim: int
    n_channels: int

    @abstractmethod
    def sample(self, channel: Tensor, stream: RandomStream) -> tuple[Tensor, Tensor]:
        """Draw one point per entry of `channel`, without gradients.

        Args:
            channel: sorted, int64, shape (n,).
            stream: source of randomness; the points are a function of it and of `channel` alone.

        Returns:
            x: points in [0, 1], float64, shape (n, dim).
            log_q: log density at x, float64, shape (n,).
                Both are where the flow computes: on the CPU without a `device`.
        """

    @abstractmethod
    def log_prob(self, x: Tensor, channel: Tensor) -> Tensor:
        """Log density of given points, differentiable in the parameters of the flow.

        Args:
            x: points in [0, 1], float64, shape (n, dim). Those on another device than the CPU are
                taken as they are: to look at them would mean waiting for the device.
            channel: sorted, int64, shape (n,), CPU.

        Returns:
            log q_channel(x), float64, shape (n,), where x is.
        """

    def log_prob_of_sample(self, x: Tensor, channel: Tensor, log_q: Tensor) -> Tensor:
        """`log_prob` of points that `sample` has drawn with the present parameters.

        A flow may override it where the gradient alone costs less than value and gradient.

        Args:
            x: some of the points drawn, float64, shape (n, dim).
            channel: sorted, int64, shape (n,), CPU.
            log_q: their log densities as `sample` returned them, float64, shape (n,).

        Returns:
            log q_channel(x), float64, shape (n,), where x is.
        """
        return self.log_prob(x, channel)

    def _uniform(self, stream: RandomStream, *shape: int) -> Tensor:
        """The next numbers of a stream, made on the device if there is one."""
        if self.device is None:
            return stream.uniform(*shape)
        return uniform_there(stream, self.device.kernels, *shape)

    def _finished(self, result: Tensor) -> Tensor:
        """What `sample` returns: on the device, or back from where the parameters are."""
        return result if self.device is not None else result.cpu()


def channel_counts(channel: Tensor, n_channels: int) -> list[int]:
    """Points of each channel, after checking that `channel` is a sorted int64 tensor of shape (n,).

    Raises:
        InputError: it is not, or an entry lies outside 0 ... n_channels - 1.
    """
    if channel.dtype != torch.int64 or channel.dim() != 1:
        shape = tuple(channel.shape)
        raise InputError(
            f"channel: expected int64 of shape (n,); got {channel.dtype} of shape {shape}"
        )
    values = channel.numpy()
    descents = values[1:] < values[:-1]
    if descents.any():
        i = int(descents.argmax()) + 1
        raise InputError(
            f"channel: expected sorted entries; entry {i} is {values[i]} after {values[i - 1]}"
        )
    if len(values) and not (values[0] >= 0 and values[-1] < n_channels):
        raise InputError(
            f"channel: expected entries in 0 ... {n_channels - 1}; got {values[0]} ... {values[-1]}"
        )
    counts: list[int] = np.bincount(values, minlength=n_channels).tolist()
    return counts


def channel_there(channel: Tensor, device: torch.device) -> Tensor:
    """Sorted channels on a device, made there of how many there are of each.

    The host does not wait for the device, as it may where it sends it an array.

    Args:
        channel: sorted, int64, shape (n,), CPU.
        device: where they shall be.
    """
    if device.type == "cpu":
        return channel
    counts = torch.from_numpy(np.bincount(channel.numpy()))
    return torch.repeat_interleave(counts.to(device, non_blocking=True), output_size=len(channel))


def check_points(x: Tensor, n: int, dim: int) -> None:
    """Check that x are points of the unit cube, float64, shape (n, dim).

    On another device than the CPU only type and shape are checked.

    Raises:
        InputError: they are not.
    """
    if x.dtype != torch.float64 or x.shape != (n, dim):
        raise InputError(
            f"x: expected float64 of shape {(n, dim)}; got {x.dtype} of shape {tuple(x.shape)}"
        )
    if x.numel() == 0 or not x.is_cpu:
        return
    values = x.detach().numpy()
    low, high = values.min(), values.max()
    if not (low >= 0.0 and high <= 1.0):
        raise InputError(f"x: expected points in [0, 1]; got values from {low} to {high}")
