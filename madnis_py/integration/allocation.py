"""How a number of points is spread over the channels."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from madnis_py.errors import InputError


def uniform(n: int, n_channels: int) -> Tensor:
    """Spread n points evenly; the first channels get the points that are left over.

    Returns:
        counts, int64, shape (n_channels,), sum exactly n.
    """
    return torch.from_numpy(_largest_remainder(n, np.ones(n_channels)))


def proportional(
    n: int,
    sigma: Tensor,
    uniform_fraction: float = 0.0,
    minimum: int = 0,
    active: Tensor | None = None,
) -> Tensor:
    """Spread n points by the standard deviations of the channels.

    N_i = N [r / n_c + (1 - r) sigma_i / sum_j sigma_j].

    With r = 0 this is the allocation of least variance, Eq. (2.55) of the MadNIS thesis; r > 0 is
    that of its stratified training. When every sigma_i is 0 the points are spread evenly.

    Args:
        n: points.
        sigma: standard deviation of each channel, float64, not negative, shape (n_channels,).
        uniform_fraction: r, the share of the points that is spread evenly, between 0 and 1.
        minimum: points that each channel gets before the others are spread.
        active: channels that get points, bool, shape (n_channels,); all when not given.

    Returns:
        counts, int64, shape (n_channels,), sum exactly n; 0 for channels that are not active.

    Raises:
        InputError: a sigma is negative or not finite, or n points cannot give each channel the
            minimum.
    """
    share = shares(sigma, uniform_fraction, active)[_chosen(active)]
    spare = n - minimum * len(share)
    if spare < 0:
        raise InputError(
            f"allocation: {len(share)} channels of {minimum} points need {n - spare}; got {n}"
        )
    counts = np.zeros(len(sigma), dtype=np.int64)
    counts[_chosen(active)] = _largest_remainder(spare, share) + minimum
    return torch.from_numpy(counts)


def shares(
    sigma: Tensor, uniform_fraction: float = 0.0, active: Tensor | None = None
) -> NDArray[np.float64]:
    """The shares of the points that `proportional` aims at, float64, shape (n_channels,).

    Args are those of `proportional`.

    Raises:
        InputError: a sigma is negative or not finite.
    """
    values = sigma.numpy()
    if not (np.isfinite(values) & (values >= 0)).all():
        raise InputError(f"allocation: expected standard deviations >= 0; got {values.tolist()}")
    stds = values[_chosen(active)]
    share = stds / stds.sum() if stds.any() else np.full_like(stds, 1 / len(stds))
    result = np.zeros(len(values))
    result[_chosen(active)] = uniform_fraction / len(stds) + (1 - uniform_fraction) * share
    return result


def _chosen(active: Tensor | None) -> slice | NDArray[np.bool_]:
    """Index of the channels that get points."""
    if active is None:
        return slice(None)
    index: NDArray[np.bool_] = active.numpy()
    return index


def _largest_remainder(n: int, share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integers in proportion to `share` with sum n.

    They are rounded down, then the largest remainders get one more each.
    """
    quota = n * (share / share.sum())
    counts: NDArray[np.int64] = np.floor(quota).astype(np.int64)
    first = np.argsort(counts - quota, kind="stable")[: n - counts.sum()]
    counts[first] += 1
    return counts
