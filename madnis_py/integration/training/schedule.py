"""Schedule of a training: which steps draw points and which use old ones again.

It is a function of the step alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from madnis_py.integration.training.settings import TrainingSettings


@dataclass(frozen=True)
class Draw:
    """Learn from a fresh batch.

    Attributes:
        slot: where the batch goes in the buffer; None without one.
    """

    slot: int | None


@dataclass(frozen=True)
class Replay:
    """Learn from a batch of the buffer.

    Attributes:
        sweep: which pass over the buffer, counted from 0; names its order.
        position: place in the pass, counted from 0.
    """

    sweep: int
    position: int


class AbstractSchedule(ABC):
    """What each step does, counted from 0."""

    @abstractmethod
    def at(self, step: int) -> Draw | Replay:
        """What the step does."""

    @abstractmethod
    def draws_before(self, step: int) -> int:
        """How many of the steps before this one draw a batch."""


class OnlineSchedule(AbstractSchedule):
    """Every batch is fresh."""

    def at(self, step: int) -> Draw:
        """A fresh batch."""
        return Draw(None)

    def draws_before(self, step: int) -> int:
        """All of them."""
        return step


@dataclass(frozen=True)
class EpochSchedule(AbstractSchedule):
    """One epoch of fresh batches, then passes over them, then all anew.

    Section 5.2.3 of the MadNIS thesis.

    Attributes:
        size: batches of an epoch.
        passes: k_buff.
    """

    size: int
    passes: int

    def at(self, step: int) -> Draw | Replay:
        """Draw `size` batches, replay each `passes` times."""
        cycle, place = divmod(step, self._cycle)
        if place < self.size:
            return Draw(place)
        sweep, position = divmod(place - self.size, self.size)
        return Replay(cycle * self.passes + sweep, position)

    def draws_before(self, step: int) -> int:
        """Draws of the finished cycles and of this one."""
        cycle, place = divmod(step, self._cycle)
        return cycle * self.size + min(place, self.size)

    @property
    def _cycle(self) -> int:
        return self.size * (self.passes + 1)


@dataclass(frozen=True)
class PartialSchedule(AbstractSchedule):
    """A full buffer, then by turns a part of it replaced and a pass over all.

    Fresh batches take the place of the oldest; Section 5.1.2 of the MadNIS thesis.

    Attributes:
        size: batches of the buffer.
        replaced: batches replaced between two passes.
    """

    size: int
    replaced: int

    def at(self, step: int) -> Draw | Replay:
        """Draw until the buffer is full; then draw `replaced` batches and replay `size`."""
        if step < self.size:
            return Draw(step)
        cycle, place = self._place(step)
        if place < self.replaced:
            return Draw((cycle * self.replaced + place) % self.size)
        return Replay(cycle, place - self.replaced)

    def draws_before(self, step: int) -> int:
        """Draws that filled the buffer, of the finished cycles and of this one."""
        if step < self.size:
            return step
        cycle, place = self._place(step)
        return self.size + cycle * self.replaced + min(place, self.replaced)

    def _place(self, step: int) -> tuple[int, int]:
        return divmod(step - self.size, self.replaced + self.size)


def schedule(settings: TrainingSettings) -> AbstractSchedule:
    """The schedule that the settings of the buffer ask for."""
    match settings.buffer:
        case "none":
            return OnlineSchedule()
        case "epochs":
            return EpochSchedule(settings.buffer_size, settings.buffer_passes)
        case "partial":
            return PartialSchedule(
                settings.buffer_size, max(1, round(settings.buffer_fraction * settings.buffer_size))
            )
