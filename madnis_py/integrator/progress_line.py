"""Line on a terminal, or in a notebook, that says how far a training is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from madnis_py.integration.step_progress import Callback, StepProgress
from madnis_py.progress import duration

INTERVAL = 0.2
"""Seconds between two looks of a line that is written over itself."""


@contextmanager
def progress_line(wanted: bool = True) -> Iterator[Callback]:
    """Takes the steps of a training and shows the last one on the standard error, if it is wanted.

    Where this is a file, a line is added after every tenth of the steps.
    """
    if not wanted:
        yield lambda progress: None
        return
    rewrites = sys.stderr.isatty() or "ipykernel" in sys.modules
    start = time.perf_counter()
    shown, width = 0.0, 0

    def show(progress: StepProgress) -> None:
        nonlocal shown, width
        now, last = time.perf_counter(), progress.step == progress.total
        if rewrites:
            due = last or now - shown > INTERVAL
        else:
            due = progress.step * 10 % progress.total < 10
        if not due:
            return
        line = _line(progress, now - start)
        shown, width = now, max(width, len(line))
        sys.stderr.write(f"\r{line.ljust(width)}" if rewrites else f"{line}\n")
        sys.stderr.flush()

    try:
        yield show
    finally:
        if rewrites and width:
            sys.stderr.write("\n")


def _line(progress: StepProgress, seconds: float) -> str:
    left = seconds * (progress.total / progress.step - 1)
    parts = [
        f"training {progress.step:,}/{progress.total:,}",
        f"integral {progress.value:.5g}",
        f"std/mean {progress.relative_std:.3g}",
    ]
    if progress.efficiency is not None:
        parts.append(f"efficiency {progress.efficiency:.2g}")
    return ", ".join([*parts, f"{duration(left)} left" if left else duration(seconds)])
