"""Priors on a device: those of `phase_space/priors` as functions of tensors there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from madnis_py.physics.on_device.live_events import LiveEvents
from madnis_py.physics.on_device.maps_on_device import MapsOnDevice
from madnis_py.physics.on_device.momenta_on_device import momentum_rows
from madnis_py.physics.phase_space.channel import Channel, PropagatorFactor
from madnis_py.physics.phase_space.priors import (
    DensityPrior,
    DiagramPrior,
    FlatPrior,
    Prior,
    PropagatorPrior,
)


class PriorOnDevice(ABC):
    """Channel weights before training, as `Prior` makes them on the processor."""

    @abstractmethod
    def __call__(self, p: Tensor, diagrams: Tensor, live: LiveEvents) -> Tensor:
        """Weights of the channels at given events.

        Args:
            p: momenta in GeV, float64, shape (n, n_particles, 4), events fastest in memory.
            diagrams: |M_i|^2 as `Prior.__call__` takes them, float64, shape (n, n_diagrams), events
                fastest in memory; (n, 0) if it does not need them.
            live: the events that they are wanted of; those of the others have no meaning.

        Returns:
            float64, shape (n, n_channels), events fastest in memory.
        """


def prior_on_device(prior: Prior, maps: MapsOnDevice, device: torch.device) -> PriorOnDevice:
    """A prior on a device.

    Args:
        prior: which one, of which channels.
        maps: of the same channels.
        device: where the events are.
    """
    match prior:
        case DiagramPrior():
            return _Diagrams(prior.channels, device)
        case PropagatorPrior():
            return _Propagators(prior.channels, device)
        case DensityPrior():
            return _Densities(maps)
    assert isinstance(prior, FlatPrior)
    return _Flat(len(prior.channels))


class _Flat(PriorOnDevice):
    def __init__(self, n_channels: int) -> None:
        self._n_channels = n_channels

    def __call__(self, p: Tensor, diagrams: Tensor, live: LiveEvents) -> Tensor:
        """See `PriorOnDevice.__call__`."""
        return p.new_ones(self._n_channels, len(p)).T


class _Diagrams(PriorOnDevice):
    def __init__(self, channels: Sequence[Channel], device: torch.device) -> None:
        self._table = _table([channel.diagrams for channel in channels], device)

    def __call__(self, p: Tensor, diagrams: Tensor, live: LiveEvents) -> Tensor:
        """See `PriorOnDevice.__call__`."""
        squares = torch.cat([diagrams.T, diagrams.new_zeros(1, len(diagrams))])
        weights = squares[self._table[0]]
        for rows in self._table[1:]:
            weights += squares[rows]
        return weights.T


def _table(rows: Sequence[Sequence[int]], device: torch.device) -> Tensor:
    """Column i holds `rows[i]`, filled up with -1, int64, shape (longest, len(rows))."""
    longest = max(map(len, rows))
    filled = [[*row, *[-1] * (longest - len(row))] for row in rows]
    return torch.tensor(filled, device=device).reshape(len(rows), longest).T.contiguous()


class _Propagators(PriorOnDevice):
    def __init__(self, channels: Sequence[Channel], device: torch.device) -> None:
        factors = list(dict.fromkeys(one for channel in channels for one in channel.propagators))
        lines = list(dict.fromkeys(factor.legs for factor in factors))
        self._table = _table(
            [[factors.index(one) for one in channel.propagators] for channel in channels], device
        )
        self._line = torch.tensor(
            [lines.index(factor.legs) for factor in factors], dtype=torch.int64, device=device
        )
        poles = torch.tensor([_pole(one) for one in factors], dtype=torch.float64, device=device)
        self._mass_square, self._damping = poles.reshape(-1, 2, 1).unbind(dim=1)
        self._n_lines = len(lines)
        self._signs = [
            torch.tensor([float(leg in line) for line in lines], dtype=torch.float64, device=device)
            * (-1 if leg < 2 else 1)
            for leg in range(1 + max((leg for line in lines for leg in line), default=-1))
        ]

    def __call__(self, p: Tensor, diagrams: Tensor, live: LiveEvents) -> Tensor:
        """See `PriorOnDevice.__call__`."""
        q2 = self._invariant_squares(momentum_rows(p))[self._line]
        squared = 1 / ((q2 - self._mass_square) ** 2 + self._damping)
        factors = torch.cat([squared, p.new_ones(1, len(p))])
        weights = p.new_ones(self._table.shape[1], len(p))
        for rows in self._table:
            weights *= factors[rows]
        return weights.T

    def _invariant_squares(self, rows: Tensor) -> Tensor:
        """q^2 in GeV^2 of every line, the momenta of incoming legs subtracted, (n_lines, n)."""
        q = rows.new_zeros(self._n_lines, *rows.shape[1:])
        for signs, momentum in zip(self._signs, rows, strict=False):
            q += signs[:, None, None] * momentum
        q *= q
        return q[:, 0] - q[:, 1] - q[:, 2] - q[:, 3]


def _pole(factor: PropagatorFactor) -> tuple[float, float]:
    """M^2 in GeV^2 and (M Gamma)^2 in GeV^4; momentum transfers have no width."""
    width = factor.width if factor.kind == "s" else 0.0
    return factor.mass**2, (factor.mass * width) ** 2


class _Densities(PriorOnDevice):
    def __init__(self, maps: MapsOnDevice) -> None:
        self._maps = maps

    def __call__(self, p: Tensor, diagrams: Tensor, live: LiveEvents) -> Tensor:
        """See `PriorOnDevice.__call__`."""
        return self._maps.densities(p, live)
