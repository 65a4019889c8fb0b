"""A survey with VEGAS: the grids, and the estimates of the last iterations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from madnis_py.errors import CheckpointError
from madnis_py.integration.estimate import Estimate, Measurement, Moments, combine
from madnis_py.integration.grids.vegas_flow import VegasFlow

_COLUMNS = ("counts", "means", "squares")
"""Of the moments of an iteration."""


@dataclass(frozen=True)
class Survey:
    """Trained VEGAS grids and the iterations that count.

    Attributes:
        flow: the grids.
        iterations: estimates of the iterations on nearly final grids, one at least.
    """

    flow: VegasFlow
    iterations: tuple[Estimate, ...]

    @classmethod
    def of(cls, flow: VegasFlow, estimate: Estimate) -> Survey:
        """From what `train_vegas` returns."""
        return cls(flow, estimate.iterations or (estimate,))

    @property
    def sigma(self) -> Tensor:
        """sigma_i of the last iteration, float64, shape (n_channels,)."""
        return self.iterations[-1].channel_stds

    @property
    def measurement(self) -> Measurement:
        """The integral, for a comparison."""
        total = combine(self.iterations)
        return Measurement("survey", total.value, total.error)

    def tensors(self) -> dict[str, Tensor]:
        """Everything by name, for a checkpoint."""
        moments = [part.moments.in_unit(1.0) for part in self.iterations]
        stacks = {name: torch.stack([getattr(one, name) for one in moments]) for name in _COLUMNS}
        return self.flow.state_tensors() | {
            f"iteration.{name}": stack for name, stack in stacks.items()
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Survey:
        """What `tensors` returned.

        Raises:
            CheckpointError: the grids or the iterations are missing.
        """
        flow = VegasFlow.from_tensors(tensors)
        columns = [tensors.get(f"iteration.{name}", torch.empty(0)) for name in _COLUMNS]
        if {column.shape[1:] for column in columns} != {(flow.n_channels,)} or len(
            set(map(len, columns))
        ) > 1:
            raise CheckpointError(
                f"survey: expected moments of iterations with {flow.n_channels} channels"
            )
        moments = [Moments(*row) for row in zip(*columns, strict=True)]
        if not moments or not all(map(_can_be, moments)):
            raise CheckpointError("survey: expected finite moments of points in every iteration")
        return cls(flow, tuple(one.estimate() for one in moments))


def _can_be(moments: Moments) -> bool:
    """Whether these are moments of points.

    Whole counts, some of them positive, and finite sums, those of squares not negative.
    """
    sums = (moments.means, moments.squares)
    finite = all(one.dtype == torch.float64 and bool(one.isfinite().all()) for one in sums)
    whole = moments.counts.dtype == torch.int64 and bool(
        (moments.counts >= 0).all() and moments.counts.any()
    )
    return finite and whole and bool((moments.squares >= 0).all())
