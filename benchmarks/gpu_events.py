"""Runs on a device beside runs on the processor: cross sections, events, shares of the time."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import torch
from gpu_cards import Sizes
from side_by_side import Row
from torch.profiler import ProfilerActivity, profile

from madnis_py.devices.device import Device
from madnis_py.physics.process.process import Process
from madnis_py.run.run import Run

EVENT_CARDS = ("dijet", "ttbar_1j", "ttbar_2j")

DIJET_EVENTS, DIJET_MARK = 10_000_000, 20.0
"""Dijet events, and seconds for them; 72 s are published, 65 of which are not generation."""

MOST_PULL = 5.0
"""Standard deviations between the cross sections of both sides."""

SHOWN_KERNELS = 12


def cross_sections(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Cross sections of trained runs on both sides, in pb."""
    for card in sizes.cards:
        runs = [_run(card, name, sizes) for name in (device.name, "cpu")]
        results = [run.integrate(sizes.points) for run in runs]
        found, expected = (result.sigma_pb for result in results)
        error = math.hypot(*(result.sigma_error_pb for result in results))
        pull = (found - expected) / error
        yield {
            "what": f"sigma of {card}",
            "device": found,
            "processor": expected,
            "unit": "pb",
            "ratio": found / expected,
            "note": f"{pull:+.1f} standard deviations",
            "ok": abs(pull) < MOST_PULL,
        }


def same_events(device: Device, sizes: Sizes) -> Iterator[Row]:
    """The same events of one seed, made twice, byte by byte."""
    card = sizes.cards[0]
    digests = [
        hashlib.sha256(
            _generated(_run(card, device.name, sizes), sizes.events, f"{name}.lhe").read_bytes()
        )
        for name in ("once", "again")
    ]
    first, second = (one.hexdigest() for one in digests)
    yield {"what": f"events of {card}", "note": f"{first[:12]} twice", "ok": first == second}


def rates(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Unweighted events in a second, from random numbers to the file, after the training."""
    for card in EVENT_CARDS if len(sizes.cards) > 2 else sizes.cards:
        rate = _events_per_second(_run(card, device.name, sizes), sizes.events)
        row: Row = {"what": f"events of {card}", "device": rate, "unit": "events/s"}
        if card in sizes.cards:
            few = int(sizes.events * sizes.processor_share)
            beside = _events_per_second(_run(card, "cpu", sizes), few)
            row |= {"processor": beside, "ratio": rate / beside}
        if device.torch_device.type == "cuda":
            gib = torch.cuda.max_memory_allocated(device.torch_device) / 2**30
            row["note"] = f"{gib:.2g} GiB of the GPU at most so far"
        yield row


def shares(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Share of each kernel of the time that the GPU computes, while events are made."""
    if device.torch_device.type != "cuda":
        yield {"what": "kernels", "note": "no GPU: not measured"}
        return
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        _generated(_run(sizes.cards[-1], device.name, sizes), sizes.events, "profiled.lhe")
    times = {one.key: one.self_device_time_total for one in found.key_averages()}
    whole = sum(times.values())
    for name, microseconds in sorted(times.items(), key=lambda item: -item[1])[:SHOWN_KERNELS]:
        yield {"what": name[:60], "device": microseconds / whole, "unit": "of the GPU's time"}


def many(device: Device, sizes: Sizes) -> Iterator[Row]:
    """Very many events of one card, from the training to the file."""
    card = "dijet" if "dijet" in sizes.cards else sizes.cards[0]
    kind = "h5" if find_spec("h5py") else "lhe"
    start = time.perf_counter()
    run = _new_run(card, device.name, sizes, f"many-{card}")
    run.integrate(sizes.points)
    prepared = time.perf_counter() - start
    run.generate(sizes.many, run.directory.path / f"many.{kind}")
    seconds = time.perf_counter() - start
    yield {
        "what": f"{sizes.many:.0e} events of {card}, {kind}",
        "device": seconds,
        "unit": "s",
        "note": f"{prepared:.1f} s of them training and integration"
        + (f", mark {DIJET_MARK:g}" if sizes.many == DIJET_EVENTS else ""),
    }


def _events_per_second(run: Run, events: int) -> float:
    run.integrate()
    start = time.perf_counter()
    _generated(run, events, "rate.lhe")
    return events / (time.perf_counter() - start)


def _generated(run: Run, events: int, name: str) -> Path:
    return run.generate(events, run.directory.path / name)


@cache
def _run(card: str, device: str, sizes: Sizes) -> Run:
    """A run of a card on a device, whose training and integration are made once."""
    return _new_run(card, device, sizes, card)


def _new_run(card: str, device: str, sizes: Sizes, name: str) -> Run:
    there = Process.from_card(card).card.updated({"training": dict(sizes.training)})
    place = _folder() / device.replace(":", "") / name
    return Run(Process.from_card(there), place, device=device, executor=_threads())


@cache
def _threads() -> Executor:
    """For what is made on the processor while the device goes on."""
    return ThreadPoolExecutor(os.cpu_count() or 1)


@cache
def _folder() -> Path:
    return Path(mkdtemp(prefix="gpu-benchmark-"))
