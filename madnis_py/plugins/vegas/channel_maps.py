"""Maps that a user brings for the multi-channel integration of `madnis_py.vegas`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError

Prior = Callable[[Array], Array]


class ChannelMap(Protocol):
    """A map of the unit cube to the region of integration, with its inverse.

    Both directions agree on the Jacobian |dx/dy|.
    """

    def forward(self, y: Array) -> tuple[Array, Array]:
        """Points x of the region, (n, dim), and Jacobians, (n,), of points y of the unit cube."""

    def inverse(self, x: Array) -> tuple[Array, Array]:
        """Points y, (n, dim), and Jacobians, (n,), which are 0 where the map does not reach."""


class ChannelMaps:
    """Several maps of one region that share the integrand, Eq. (2.51) of the MadNIS thesis.

    Args:
        maps: one per channel.
        prior: weights alpha_i of the channels at points x, shape (n, dim) -> (n, n_channels),
            normalised here; by default they are proportional to the densities 1 / J_i of the maps.
        dim: dimension of the region.

    Raises:
        InputError: there is no map, or one has no `forward` and `inverse`.
    """

    def __init__(self, maps: Sequence[ChannelMap], prior: Prior | None, dim: int) -> None:
        self.maps = tuple(maps)
        self.prior = prior
        self.dim = dim
        for i, channel in enumerate(self.maps):
            if not (hasattr(channel, "forward") and hasattr(channel, "inverse")):
                raise InputError(
                    f"channels[{i}]: expected a map with forward and inverse; got {channel!r}"
                )
        if not self.maps:
            raise InputError("channels: expected one map at least; got none")

    def __len__(self) -> int:
        """Number of channels."""
        return len(self.maps)

    def chosen(self, number: Array) -> NDArray[np.int64]:
        """Channel of each number in [0, 1], int64, (n,); each has an equal part of the interval."""
        return np.minimum((number * len(self)).astype(np.int64), len(self) - 1)

    def place(self, y: Array, channel: NDArray[np.int64]) -> tuple[Array, Array]:
        """Map points of the unit cube, each by its channel.

        Returns:
            x: points of the region, float64, shape (n, dim).
            factor: alpha_i J_i times the number of channels, since each is chosen by that share of
                the points.

        Raises:
            InputError: a map or the prior returned a wrong shape, or the weights of all channels
                vanish at a point.
        """
        x, jacobian = np.empty_like(y), np.empty(len(y))
        for i, mapping in enumerate(self.maps):
            here = channel == i
            x[here], jacobian[here] = _checked(
                mapping.forward(y[here]), y[here].shape, f"channels[{i}].forward"
            )
        return x, len(self) * self._alpha(x, channel, jacobian) * jacobian

    def _alpha(self, x: Array, channel: NDArray[np.int64], jacobian: Array) -> Array:
        """Normalised weight alpha_i(x) of the channel i of each point, shape (n,)."""
        if self.prior is None:
            prior = np.stack([self._density(i, x) for i in range(len(self))], axis=1)
        else:
            prior = np.asarray(self.prior(x), dtype=float)
        if prior.shape != (len(x), len(self)):
            raise InputError(f"prior: expected shape {(len(x), len(self))}; got {prior.shape}")
        total = prior.sum(axis=1)
        if not (total[jacobian > 0] > 0).all() or (prior < 0).any():
            raise InputError(
                "prior: expected weights that are not negative and not all 0 where a map leads"
            )
        return prior[np.arange(len(x)), channel] / np.where(total > 0, total, 1.0)

    def _density(self, i: int, x: Array) -> Array:
        """Density 1 / J_i of a map, shape (n,); 0 where the map does not reach."""
        _, jacobian = _checked(self.maps[i].inverse(x), x.shape, f"channels[{i}].inverse")
        return np.divide(1.0, jacobian, out=np.zeros_like(jacobian), where=jacobian > 0)


def _checked(
    result: tuple[Array, Array], shape: tuple[int, ...], where: str
) -> tuple[Array, Array]:
    points, jacobian = (np.asarray(part, dtype=float) for part in result)
    if points.shape != shape or jacobian.shape != shape[:1]:
        got = f"{points.shape} and {jacobian.shape}"
        raise InputError(f"{where}: expected points {shape} and Jacobians {shape[:1]}; got {got}")
    return points, jacobian
