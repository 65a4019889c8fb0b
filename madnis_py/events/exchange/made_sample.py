"""What is known of a file of events that was made of others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MadeSample:
    """Outcome of joining files, or of weighting the events of one.

    Attributes:
        events: number of events.
        cross_section: that they stand for, in `unit`.
        error: its standard error, in `unit`.
        quantity: what it is, "sigma" or, of decays, "width".
        unit: pb, or GeV.
        left_out: what the sources had beside the columns of `EventBatch`, in words.
    """

    events: int
    cross_section: float
    error: float
    quantity: str
    unit: str
    left_out: tuple[str, ...]

    @property
    def integral(self) -> str:
        """Cross section or width with its error and unit."""
        return f"{self.quantity} = {self.cross_section:.6g} +- {self.error:.2g} {self.unit}"
