"""What a long stage tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from madnis_py.integration.training.schedule import Reuse


@dataclass(frozen=True)
class Progress:
    """State of a stage after one of its steps.

    Attributes:
        step: steps finished.
        total: steps in all.
        loss: loss of the step, without dimension.
        value: running estimate of the integral, in the unit of the integrand.
        relative_std: running sum_i sigma_i / |I|.
        points_per_second: integrand evaluations per second of wall time, lately or on average.
        efficiency: running sum_i I_i over the running sum_i of the largest weights of a step, an
            unweighting efficiency with as many points as a step has; None where it is not known.
        active_channels: channels that have not been dropped; None where none can be.
        reuse: how often points were used so far; None where none are used again.
        batch_value: estimate of the integral from the fresh points of this step alone, unbiased
            given the earlier steps; None for a step without fresh points.
        batch_error: its standard error.
        returned: whether the training went back to an earlier step, because it had lost a part of
            the integral.
    """

    step: int
    total: int
    loss: float
    value: float
    relative_std: float
    points_per_second: float
    efficiency: float | None = None
    active_channels: int | None = None
    reuse: Reuse | None = None
    batch_value: float | None = None
    batch_error: float | None = None
    returned: bool = False


Callback = Callable[[Progress], None]
"""Called after each step; may raise KeyboardInterrupt to stop."""
