"""Trainings with several seeds in processes, each kept in a file so that none is repeated."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import madnis_py
from madnis_py.errors import MadnisError
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.flow_settings import FlowSettings
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration import allocation
from madnis_py.integration.channel_weights import (
    AbstractChannelWeights,
    ChannelWeights,
    ChannelWeightSettings,
    PriorWeights,
)
from madnis_py.integration.grids.vegas_flow import VegasFlow
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.integration.training.trainer import Trainer

Outcome = dict[str, Any]
"""What a training left behind, in JSON terms."""

Observer = Callable[[ImportanceSampler, Tensor], Outcome]
"""Takes a trained sampler and points per channel to draw, and returns what figures need; a
function of a module."""

TABLE_POINTS = 10_000
"""Points that all relative errors are for."""


@dataclass(frozen=True)
class Case:
    """Something that is trained, by how much, and what is looked at afterwards.

    Attributes:
        name: in words; also names the case in the file of finished trainings.
        integrand: a dataclass, whose repr tells it from others.
        training: settings of the training.
        flow: of the trained maps; None keeps those of the integrand as they are.
        weights: of the trained channel weights; None keeps the prior.
        observe: who looks at the trained sampler, for figures and checks.
        history: number of times that the variance is looked at during the training.
    """

    name: str
    integrand: AbstractIntegrand
    training: TrainingSettings
    flow: FlowSettings | None = None
    weights: ChannelWeightSettings | None = None
    observe: tuple[Observer, ...] = ()
    history: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """What was changed from the defaults of the package, in JSON terms."""
        tables = {"training": self.training, "flow": self.flow, "weights": self.weights}
        return {
            name: table.model_dump(exclude_defaults=True)
            for name, table in tables.items()
            if table is not None
        }

    def sampler(self, seed: int) -> ImportanceSampler:
        """The untrained sampler."""
        return ImportanceSampler(self.integrand, self._flow(seed), self._weights(seed), seed=seed)

    def _flow(self, seed: int) -> AbstractFlow:
        dim, n_channels = self.integrand.dim, self.integrand.n_channels
        if self.flow is None:
            return VegasFlow.uniform(dim, n_channels, 1)
        return SplineFlow(dim, n_channels, self.flow.model_copy(update={"seed": seed}))

    def _weights(self, seed: int) -> AbstractChannelWeights:
        n_features, n_channels = self.integrand.n_features, self.integrand.n_channels
        if self.weights is None or n_channels == 1:
            return PriorWeights()
        return ChannelWeights(
            n_features, n_channels, self.weights.model_copy(update={"seed": seed})
        )

    @property
    def trains(self) -> bool:
        """Whether there is anything to train."""
        return self.flow is not None or (self.weights is not None and self.integrand.n_channels > 1)


@dataclass(frozen=True)
class Job:
    """One training of a case.

    Attributes:
        case: what is trained.
        seed: names every random number.
        points: fresh points from which the error is estimated.
    """

    case: Case
    seed: int
    points: int

    @cached_property
    def key(self) -> str:
        """Everything that the outcome depends on but the code."""
        case = self.case
        content = [
            case.name,
            repr(case.integrand),
            case.settings,
            case.history,
            self.seed,
            self.points,
        ]
        return json.dumps([madnis_py.__version__, *content])

    def __call__(self) -> Outcome:
        """Train, then measure with fresh points."""
        sampler = self.case.sampler(self.seed)
        outcome = self._train(sampler) if self.case.trains else {"seconds": 0.0}
        counts = allocation.uniform(self.points, self.case.integrand.n_channels)
        for observe in (measure, *self.case.observe):
            outcome |= observe(sampler, counts)
        return outcome

    def _train(self, sampler: ImportanceSampler) -> Outcome:
        history = _History(sampler, self.case)
        start = time.process_time()
        trainer = Trainer(sampler, self.case.training)
        trainer.run(history)
        seconds = time.process_time() - start - history.seconds
        return {
            "seconds": seconds,
            "reuse": trainer.reuse.at_fixed_updates,
            "history": history.entries,
        }


class _History:
    """A training callback that measures the variance now and then, with `BATCHES` batches each."""

    BATCHES = 25

    def __init__(self, sampler: ImportanceSampler, case: Case) -> None:
        self.sampler = sampler
        self.interval = case.training.steps // case.history if case.history else 0
        n_channels = case.integrand.n_channels
        self.counts = allocation.uniform(case.training.batch(n_channels), n_channels)
        self.entries: list[list[float]] = []
        self.seconds = 0.0

    def __call__(self, progress: StepProgress) -> None:
        if self.interval and progress.step % self.interval == 0:
            start = time.process_time()
            self.entries.append([progress.step, *self._variances(progress.step)])
            self.seconds += time.process_time() - start

    def _variances(self, step: int) -> list[float]:
        """N times the variance of the integral in units of its square, of each batch."""
        parts = [
            self.sampler.moments(self.counts, "history", step, k).estimate()
            for k in range(self.BATCHES)
        ]
        return [part.n * (part.error / part.value) ** 2 for part in parts]


def measure(sampler: ImportanceSampler, counts: Tensor) -> Outcome:
    """Integral and relative errors in per cent at `TABLE_POINTS`.

    The points are fresh, as many in each channel.
    """
    result = sampler.moments(counts, "measure").estimate()
    return {
        "value": result.value,
        "error": result.error,
        "flat": 100 * result.error / abs(result.value) * math.sqrt(result.n / TABLE_POINTS),
        "stratified": 100 * result.relative_std / math.sqrt(TABLE_POINTS),
    }


class Trainings:
    """Runs jobs and remembers them.

    Args:
        file: one line of JSON per finished training; those found there are not repeated.
        workers: processes; with 1 everything happens in this one.
    """

    def __init__(self, file: Path, workers: int = 1) -> None:
        self.file = file
        self.workers = workers
        self._known = dict(_read(file))

    def outcomes(self, jobs: Sequence[Job]) -> list[Outcome]:
        """What each job left behind, in order."""
        missing = [job for job in jobs if job.key not in self._known]
        start = time.monotonic()
        with _mapper(self.workers) as run, self.file.open("a") as file:
            for done, (job, outcome) in enumerate(
                zip(missing, run(_call, missing), strict=True), start=1
            ):
                self._known[job.key] = outcome
                file.write(json.dumps([job.key, outcome]) + "\n")
                file.flush()
                seconds = time.monotonic() - start
                note = f"{done}/{len(missing)} {seconds:.0f} s  {job.case.name}, seed {job.seed}"
                found = outcome.get("failed") or f"{outcome['flat']:.4g} %"
                sys.stderr.write(f"{note}: {found}\n")
        return [self._known[job.key] for job in jobs]


def _call(job: Job) -> Outcome:
    """What the job left behind; of a training that broke down, the reason under "failed"."""
    try:
        return job()
    except MadnisError as error:
        return {"failed": str(error)}


def start_worker() -> None:
    """One thread; gradients too small to matter, of points far out in a tail, cost no time."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@contextmanager
def _mapper(workers: int) -> Iterator[Callable[..., Iterator[Outcome]]]:
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), start_worker) as pool:
        yield pool.map


def _read(file: Path) -> Iterator[tuple[str, Outcome]]:
    """Finished trainings; a last line that an interruption cut short does not count."""
    lines = file.read_text().splitlines() if file.is_file() else []
    for line in lines:
        try:
            key, outcome = json.loads(line)
        except ValueError:
            continue
        yield key, outcome


def shortened(case: Case, steps: int, batch_size: int) -> Case:
    """The same with a short training, to see that everything works."""
    changes = {"steps": steps, "batch_size": batch_size, "warmup_steps": 2, "buffer_size": 2}
    training = case.training.model_copy(update=changes)
    return replace(case, training=training, history=min(case.history, 2))
