"""Cards, batches and clocks of the benchmark of a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from madnis_py.arrays import Array
from madnis_py.devices.device import Device
from madnis_py.parallel.random_streams import stream
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.process.process import Process


@dataclass(frozen=True)
class Sizes:
    """How much of everything is computed.

    Attributes:
        cards: compared and integrated.
        compared: points of a comparison with the processor.
        batch: points of a measured call on the device.
        tape_batch: the same for |M|^2 with no, one, .. further gluons.
        processor_share: share of a batch that the processor measures itself with.
        seconds: least wall time of a measurement.
        training: entries of the table [training] of the cards that run.
        points: of an integration.
        events: of a measured generation.
        many: dijet events of the last part.
    """

    cards: tuple[str, ...]
    compared: int
    batch: int
    tape_batch: tuple[int, ...]
    processor_share: float
    seconds: float
    training: tuple[tuple[str, int | str], ...]
    points: int
    events: int
    many: int

    @classmethod
    def full(cls) -> Sizes:
        """Of an H200: the batches fill it."""
        return cls(
            cards=("drell_yan_zprime", "dijet", "ttbar_1j", "w2j"),
            compared=20_000,
            batch=2**20,
            tape_batch=(2**20, 2**19, 2**18, 2**16),
            processor_share=1 / 16,
            seconds=0.3,
            training=(("preset", "quick"),),
            points=1_000_000,
            events=200_000,
            many=10_000_000,
        )

    @classmethod
    def quick(cls) -> Sizes:
        """Of a processor that emulates a GPU."""
        return cls(
            cards=("drell_yan_zprime", "ttbar_1j"),
            compared=3_000,
            batch=256,
            tape_batch=(256, 128),
            processor_share=1.0,
            seconds=0.0,
            training=(("preset", "quick"), ("steps", 4), ("batch_size", 200)),
            points=3_000,
            events=200,
            many=300,
        )


@cache
def cross_section_of(card: str) -> CrossSection:
    """The cross section of a card that comes with the package."""
    return CrossSection(Process.from_card(card))


def points_of(cross_section: CrossSection, n: int) -> tuple[Tensor, Tensor]:
    """Uniform points, spread evenly over the channels: x (n, dim) and channel (n,), sorted."""
    x = stream(1, "benchmark").uniform(n, cross_section.dim)
    return x, torch.arange(n) * cross_section.n_channels // n


def moved(p: Array, device: torch.device) -> Tensor:
    """Momenta on a device, float64 (n, P, 4), events fastest in memory."""
    rows = torch.from_numpy(np.ascontiguousarray(p.transpose(1, 2, 0))).to(device)
    return rows.permute(2, 0, 1)


def seconds_of(work: Callable[[], object], device: Device | None, at_least: float) -> float:
    """Wall time of a call, after one that warms up; for as long as `at_least` seconds."""

    def finish() -> None:
        if device is not None and device.torch_device.type == "cuda":
            torch.cuda.synchronize(device.torch_device)

    work()
    finish()
    calls, start = 0, time.perf_counter()
    while calls == 0 or time.perf_counter() - start < at_least:
        work()
        calls += 1
        finish()
    return (time.perf_counter() - start) / calls
