"""Progress of a survey or a training after each of its steps, and how often it used its points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reuse:
    """How often a training used its points, by the two definitions of the MadNIS thesis.

    Attributes:
        draws: steps on fresh batches.
        replays: steps on batches of the buffer.
        draw_seconds: time of the former.
        replay_seconds: time of the latter.
    """

    draws: int = 0
    replays: int = 0
    draw_seconds: float = 0.0
    replay_seconds: float = 0.0

    def after_draw(self, seconds: float) -> Reuse:
        """With one more step on a fresh batch."""
        return Reuse(self.draws + 1, self.replays, self.draw_seconds + seconds, self.replay_seconds)

    def after_replay(self, seconds: float) -> Reuse:
        """With one more step on a batch of the buffer."""
        return Reuse(self.draws, self.replays + 1, self.draw_seconds, self.replay_seconds + seconds)

    @property
    def seconds(self) -> float:
        """Time of all steps."""
        return self.draw_seconds + self.replay_seconds

    @property
    def at_fixed_updates(self) -> float:
        """R of Eq. (5.44): steps over fresh batches.

        1/R of the integrand calls make as many updates.
        """
        return (self.draws + self.replays) / max(self.draws, 1)

    @property
    def at_fixed_time(self) -> float:
        """R of Eq. (5.18): batches that the time would have paid for without buffer, over draws.

        With t the time of a step, n_base t_draw = n_draw t_draw + n_replay t_replay.
        """
        return self.seconds / self.draw_seconds if self.draws else 1.0

    def __str__(self) -> str:
        """Both definitions in words."""
        return (
            f"{self.draws + self.replays} updates on {self.draws} fresh batches: "
            f"R = {self.at_fixed_updates:.2f} at fixed updates (Eq. 5.44), "
            f"R = {self.at_fixed_time:.2f} at fixed time (Eq. 5.18)"
        )


@dataclass(frozen=True)
class StepProgress:
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
        rolled_back: whether the training went back to an earlier step, because it had lost a part
            of the integral.
        rollbacks: how often it went back so far.
        learning_rate: of the step; None where nothing is optimised.
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
    rolled_back: bool = False
    rollbacks: int = 0
    learning_rate: float | None = None


Callback = Callable[[StepProgress], None]
"""Called after each step; may raise KeyboardInterrupt to stop."""
