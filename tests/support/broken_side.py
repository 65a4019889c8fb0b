"""Works that fail in the ways peers do."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workers import Work


def start(threads: int) -> None:
    pass


def sound() -> Work:
    def work() -> float:
        time.sleep(0.001)
        return 2

    return work


def raising() -> Work:
    raise ValueError("no such flow")


def crashing() -> Work:
    return lambda: os._exit(3)


def hanging() -> Work:
    def work() -> float:
        time.sleep(60)
        return 1

    return work


def crashing_once(flag: str) -> Work:
    if Path(flag).exists():
        return sound()
    Path(flag).touch()
    return crashing()
