"""Words about the progress of a stage: its figures, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass

from madnis_py.progress import StageProgress, duration


def figures(progress: StageProgress) -> list[str]:
    """What a stage knows of the result, and its speed, each in a few words."""
    words = []
    if progress.sigma is not None:
        quantity, unit = ("width", "GeV") if progress.of_decay else ("sigma", "pb")
        words.append(f"{quantity} {progress.sigma:.6g} {unit}")
    if progress.relative_std is not None:
        words.append(f"std/mean {progress.relative_std:.3f}")
    if progress.efficiency is not None:
        words.append(f"efficiency {100 * progress.efficiency:.3g} %")
    if progress.rate is not None:
        words.append(f"{_rounded(progress.rate)} {progress.rate_unit}")
    return words


def _rounded(rate: float) -> str:
    """Three digits of a number, with commas between thousands."""
    text = f"{rate:.3g}"
    return text if "e" not in text else f"{float(text):,.0f}"


@dataclass
class StageClock:
    """Time of a stage: how long it has been at work, and what is left.

    Attributes:
        begin: when the stage before it was left, in seconds of a clock.
        first: amount that was done when it was first heard of, and when that was.
    """

    begin: float
    first: tuple[int, float]

    def spent(self, now: float) -> str:
        """How long it has been at work."""
        return duration(now - self.begin)

    def left(self, progress: StageProgress, now: float) -> str:
        """How long the rest takes, "12 s left"; empty while it is not known."""
        done, then = self.first
        if progress.done <= done or progress.finished:
            return ""
        seconds = (now - then) * (progress.total - progress.done) / (progress.done - done)
        return f"{duration(seconds)} left"
