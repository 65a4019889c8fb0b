"""Momenta on a device: shape (n, P, 4) as everywhere, events fastest in memory as for kernels."""

from __future__ import annotations

import torch
from torch import Tensor


def new_momenta(n: int, n_particles: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Room for momenta.

    Returns:
        rows: what kernels write to, float64, shape (n_particles, 4, n), contiguous.
        p: the same numbers, shape (n, n_particles, 4).
    """
    rows = torch.empty(n_particles, 4, n, dtype=torch.float64, device=device)
    return rows, rows.permute(2, 0, 1)


def momentum_rows(p: Tensor) -> Tensor:
    """What kernels read: (n_particles, 4, n), contiguous; copied only if it is not so already.

    Args:
        p: momenta in GeV, float64, shape (n, n_particles, 4).
    """
    return p.permute(1, 2, 0).contiguous()
