"""What is integrated: a function of a unit-cube point and a channel."""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from madnis_py.errors import InputError, IntegrandError

Bounds = Sequence[tuple[float, float]]
"""(lower, upper) of each dimension."""

Arrays = Literal["torch", "numpy"]
"""Kind of the arrays that a function takes."""


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
    """A plain function f(x) on a box, with one channel or several that share the box.

    A function that calls numpy, or fails on tensors and not on arrays, gets x as numpy arrays; any
    other gets torch tensors. To find out, it is called with two points when the integrand is made,
    unless `arrays` says it.

    Args:
        function: takes x, float64, shape (n, dim) and returns f(x), shape (n,); torch tensors or
            numpy arrays. On a device it takes tensors there.
        dim: dimension of the box, not needed where there are `bounds`.
        n_channels: channels that share the integral; each gets its own density.
        prior: optional function x -> (n, n_channels) of non-negative channel weights, in the arrays
            of `function`; flat by default.
        bounds: (lower, upper) of each dimension; the unit cube by default.
        arrays: "torch" or "numpy".

    The channel weights see x as points of the unit cube.

    Raises:
        InputError: neither `dim` nor `bounds`, or bounds that are no box or of another dimension.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        dim: int | None = None,
        n_channels: int = 1,
        prior: Callable[[Any], Any] | None = None,
        *,
        bounds: Bounds | None = None,
        arrays: Arrays | None = None,
    ) -> None:
        self.function = function
        self.box = Box.of(bounds, dim)
        self.dim = self.box.dim
        self.n_channels = n_channels
        self.n_features = self.dim
        self.prior = prior
        self.arrays = arrays or arrays_of(function, self.box)

    def evaluate(self, x: Tensor, channel: Tensor) -> Evaluation:
        """Evaluate the function; see `AbstractIntegrand.evaluate`."""
        points = in_arrays(self.box.points(x), self.arrays)
        value = self._as_tensor(self._value(points), (len(x),), "value").to(x.device)
        if self.prior is None:
            prior = x.new_ones(len(x), self.n_channels)
        else:
            shape = (len(x), self.n_channels)
            prior = self._as_tensor(self.prior(points), shape, "prior").to(x.device)
        return Evaluation(value * self.box.volume, x, prior)

    def _value(self, points: Any) -> Any:
        try:
            return self.function(points)
        except Exception as error:
            kind = "a tensor of torch" if self.arrays == "torch" else "an array of numpy"
            error.add_note(
                f"The integrand got all points at once: x is {kind} of shape (n, {self.dim}), and "
                "a number for each of the n points is expected."
            )
            raise

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
                f"integrand: expected {name} of shape {shape}; got {tuple(tensor.shape)}, where a "
                "function takes all points of x at once"
            )
        return tensor


def _kind(result: object) -> str:
    return str(getattr(result, "dtype", type(result).__name__))


@dataclass(frozen=True)
class Box:
    """The region of integration: intervals, one for each dimension.

    Attributes:
        lower: float64, shape (dim,).
        upper: float64, shape (dim,).
        volume: product of the lengths of the intervals.
    """

    lower: Tensor
    upper: Tensor
    volume: float

    @classmethod
    def of(cls, bounds: Bounds | None, dim: int | None) -> Box:
        """The box of bounds, or the unit cube without any.

        Raises:
            InputError: neither `dim` nor `bounds`, or bounds that are no box or of another
                dimension.
        """
        if bounds is None:
            if dim is None:
                raise InputError(
                    "integrator: an integrand that is a function needs dim, the dimension of the "
                    "unit cube, or bounds"
                )
            bounds = [(0.0, 1.0)] * dim
        expected = "bounds: expected a finite pair (lower, upper) for each dimension"
        try:
            edges = torch.as_tensor(np.asarray(bounds, dtype=np.float64))
        except (TypeError, ValueError):
            raise InputError(f"{expected}; got {bounds}") from None
        if edges.ndim != 2 or edges.shape[1] != 2 or len(edges) == 0:
            raise InputError(f"{expected}; got an array of shape {tuple(edges.shape)}")
        if dim not in (None, len(edges)):
            raise InputError(f"{expected}, of which dim says {dim}; got {len(edges)}")
        lower, upper = edges.T.contiguous()
        volume = math.prod((upper - lower).tolist())
        if not edges.isfinite().all() or not (lower < upper).all():
            raise InputError(f"{expected}, lower < upper; got {edges.tolist()}")
        if not 0 < volume < math.inf:
            raise InputError(f"{expected}; the volume of the box is {volume}, out of all numbers")
        return cls(lower, upper, volume)

    @property
    def dim(self) -> int:
        """Number of dimensions."""
        return len(self.lower)

    def points(self, u: Tensor) -> Tensor:
        """Points of the box for points of the unit cube, float64, shape (n, dim)."""
        lower, upper = (edge.to(u.device) for edge in (self.lower, self.upper))
        return torch.minimum(lower + (upper - lower) * u, upper)

    def in_cube(self, x: Tensor) -> Tensor:
        """Points of the unit cube for points of the box; see `points`."""
        lower, upper = (edge.to(x.device) for edge in (self.lower, self.upper))
        return (x - lower) / (upper - lower)


def in_arrays(tensor: Tensor, arrays: Arrays) -> Any:
    """A tensor, or the same numbers as an array of numpy."""
    return tensor if arrays == "torch" else tensor.cpu().numpy()


def arrays_of(function: Callable[[Any], Any], box: Box) -> Arrays:
    """The arrays that a function of points wants; see `FunctionIntegrand`."""
    asked = False

    class Watched(Tensor):
        """A tensor that notices when numpy asks for its numbers."""

        def __array__(self, dtype: Any = None) -> Any:
            nonlocal asked
            asked = True
            return super().__array__(dtype)  # type: ignore[no-untyped-call]

    points = box.points(torch.tensor([[0.3], [0.6]], dtype=torch.float64).expand(2, box.dim))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        takes_tensors = _works(function, points.clone().as_subclass(Watched))
        if takes_tensors and not asked:
            return "torch"
        return "numpy" if _works(function, points.numpy()) else "torch"


def _works(function: Callable[[Any], Any], points: Any) -> bool:
    try:
        function(points)
    except Exception:  # whatever a function for other arrays may stumble over
        return False
    return True
