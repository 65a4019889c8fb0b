"""What is integrated: a function of a unit-cube point and a channel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from madnis_py.errors import IntegrandError


@dataclass(frozen=True)
class Evaluation:
    """An integrand at n points.

    Attributes:
        value: f(p) J_i(x), the integrand times the Jacobian of the channel's mapping, float64,
            shape (n,).
        features: what the channel weights are a function of, finite, float64, shape (n,
            n_features).
        prior: channel weights before training, non-negative, float64, shape (n, n_channels); rows
            need not be normalised, but one that is all 0 belongs to a target of 0.
        magnitude: sum_k |f_k| J_i of an integrand that is a sum of parts f_k, one of which an event
            is drawn from, with its sign; at least |value|, and larger where parts cancel; float64,
            shape (n,). |value| if None. Of a biased integrand each |f_k| times its bias.
    """

    value: Tensor
    features: Tensor
    prior: Tensor
    magnitude: Tensor | None = None

    @property
    def target(self) -> Tensor:
        """What a sampler learns to follow: the magnitude if there is one, else the value."""
        return self.value if self.magnitude is None else self.magnitude


class AbstractIntegrand(ABC):
    """A pure function of (x, channel) in float64; needs no gradient and no state.

    It takes points on the CPU, and on another device where a sampler computes there.

    Attributes:
        dim: dimension of the unit cube.
        n_channels: number of channels.
        n_features: numbers per point that the channel weights see.
        unit: unit of the integral, for printing; "" or "pb".
        biased: whether magnitudes say where events are wanted instead of where the value is.
        groups: symmetry group of each channel, numbered from 0 without gaps; channels of a group
            have the same integral and share a density. Each channel is its own group when None.
    """

    dim: int
    n_channels: int
    n_features: int
    unit: str = ""
    biased: bool = False
    groups: tuple[int, ...] | None = None

    @abstractmethod
    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Evaluate f J_i, the features and the prior.

        Args:
            x: points in [0, 1], float64, shape (n, dim).
            channel: sorted, int64, shape (n,), CPU.

        Returns:
            the integrand, where x is.

        Raises:
            IntegrandError: the integrand returned something that cannot be used.
        """


class FunctionIntegrand(AbstractIntegrand):
    """A plain function f(x) on the unit cube, with one channel or several that share the cube.

    Args:
        function: takes x, float64, shape (n, dim) and returns f(x), shape (n,); torch tensors or
            numpy arrays. On a device it takes tensors there.
        dim: dimension of the unit cube.
        n_channels: channels that share the integral; each gets its own density.
        prior: optional function x -> (n, n_channels) of non-negative channel weights; flat by
            default.

    The channel weights see x itself.
    """

    def __init__(
        self,
        function: Callable[[Tensor], Tensor],
        dim: int,
        n_channels: int = 1,
        prior: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.function = function
        self.dim = dim
        self.n_channels = n_channels
        self.n_features = dim
        self.prior = prior

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Evaluate the function; see `AbstractIntegrand.evaluate`."""
        value = self._as_tensor(self.function(x), (len(x),), "value").to(x.device)
        if self.prior is None:
            prior = x.new_ones(len(x), self.n_channels)
        else:
            prior = self._as_tensor(self.prior(x), (len(x), self.n_channels), "prior").to(x.device)
        return Evaluation(value, x, prior)

    @staticmethod
    def _as_tensor(result: object, shape: tuple[int, ...], name: str) -> Tensor:
        try:
            numbers = torch.as_tensor(result)
        except (TypeError, ValueError, RuntimeError):
            raise IntegrandError(
                f"integrand: expected {name} as an array of numbers; got {_kind(result)}"
            ) from None
        if numbers.is_complex():
            raise IntegrandError(f"integrand: expected real numbers as {name}; got {numbers.dtype}")
        tensor = numbers.to(torch.float64)
        if tuple(tensor.shape) != shape:
            raise IntegrandError(
                f"integrand: expected {name} of shape {shape}; got {tuple(tensor.shape)}"
            )
        return tensor


def _kind(result: object) -> str:
    return str(getattr(result, "dtype", type(result).__name__))
