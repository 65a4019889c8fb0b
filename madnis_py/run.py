"""A run: the only owner of a directory, a seed and a clock; survey -> train -> integrate -> generate.

Every stage writes what it found and starts again from what the stage before it wrote: a run that was interrupted goes
on where it stopped and ends with the same bytes as one that was not.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

import madnis_py
from madnis_py import _core
from madnis_py import card as cards
from madnis_py.card import Card
from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.events.event_batch import EventBatch
from madnis_py.events.generation import TRIALS_PER_CHUNK, EventSource
from madnis_py.events.lhe import NO_PDF, LheInit, LheProcess, LheWriter, require_event_file_name
from madnis_py.events.unweight import Unweighter, UnweightingSummary, bootstrap_efficiency, channel_maxima
from madnis_py.integration import checkpoint
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.estimate import combine, estimate
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.progress import Progress
from madnis_py.integration.samples import Samples
from madnis_py.integration.schedule import schedule
from madnis_py.integration.settings import TrainingSettings
from madnis_py.integration.training import Trainer
from madnis_py.integration.training_state import TrainingState
from madnis_py.integration.vegas import VegasFlow, VegasSettings, train_vegas
from madnis_py.output_file import make_directory, write_file
from madnis_py.physics.process import Process

Method = Literal["madnis", "vegas"]
Device = Literal["cpu", "cuda"]

POINTS = {"quick": 200_000, "standard": 1_000_000, "paper": 5_000_000}
"""Points of the integrate stage by preset."""

ITERATIONS = 10
"""Parts of the integrate stage, compared by their chi^2."""

CHECKPOINT_INTERVAL = 20.0
"""Least seconds of training between two stored states."""

CHECKPOINT_SHARE = 0.05
"""Share of the time that storing states may take; a buffer of points can be large."""

BOOTSTRAP_POINTS = 10_000
"""Points of a channel per replica in the bootstrap efficiency, Eq. (2.67)."""


@dataclass(frozen=True)
class StageProgress:
    """What a stage tells whoever watches it.

    Attributes:
        stage: survey, train, integrate or generate.
        done: how much of the stage is done.
        total: how much there is to do.
        unit: what is counted.
        rate: speed in `rate_unit`.
        sigma: cross section so far in pb.
        relative_std: sum_i sigma_i / sigma so far.
        efficiency: unweighting efficiency so far.
    """

    stage: str
    done: int
    total: int
    unit: str
    rate: float | None = None
    rate_unit: str = "points/s"
    sigma: float | None = None
    relative_std: float | None = None
    efficiency: float | None = None


Watch = Callable[[StageProgress], None]


def _unwatched(progress: StageProgress) -> None:
    """Nobody watches."""


class ChannelResult(BaseModel):
    """One channel of a sampler."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the channel.")
    share: float = Field(description="Its part of the cross section, I_i / sigma.")
    sigma_i: float = Field(description="Standard deviation of its weights in pb.")
    maximum: float = Field(description="Truncated maximum of its weights in pb.")
    active: bool = Field(True, description="Whether points are drawn in it.")


class Result(BaseModel):
    """What the integrate stage finds out about one sampler; written to run.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sigma_pb: float = Field(description="Cross section in pb.")
    sigma_error_pb: float = Field(description="Its standard error in pb.")
    chi2_per_dof: float = Field(description="Agreement between the iterations.")
    relative_std: float = Field(description="sum_i sigma_i / sigma.")
    points: int = Field(description="Points of the estimate.")
    unweighting: UnweightingSummary = Field(description="Efficiency and quality of events made with these maxima.")
    channels: tuple[ChannelResult, ...] = Field(description="Channel by channel.")

    @property
    def maxima(self) -> NDArray[np.float64]:
        """Truncated maximum weight per channel in pb, float64, shape (n_channels,)."""
        return np.array([channel.maximum for channel in self.channels])


class RunDirectory:
    """The files of a run.

    Args:
        path: the directory; made when the run is claimed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record_file(self) -> Path:
        """Where the summary is."""
        return self.path / "run.json"

    @property
    def card_file(self) -> Path:
        """Where the card is, every default written out."""
        return self.path / "card.toml"

    @property
    def chunks(self) -> Path:
        """Where events wait until the file is complete."""
        return self.path / "chunks"

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json; empty before the run.

        Raises:
            CheckpointError: the file is damaged.
        """
        if not self.record_file.exists():
            return {}
        try:
            content = json.loads(self.record_file.read_text())
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.record_file}: expected the JSON that a run wrote; got: {error}") from None
        if not isinstance(content, dict) or "identity" not in content:
            raise CheckpointError(f"{self.record_file}: expected the JSON that a run wrote; got something else")
        return content

    def claim(self, card: Card, identity: Mapping[str, Any]) -> None:
        """Make the directory ours, or go on with the run that is in it.

        Raises:
            InputError: another run is in it.
            OutputError: it cannot be written.
        """
        record = self.record
        for key, value in identity.items():
            if record and record["identity"].get(key) != value:
                raise InputError(
                    f"{self.path}: holds a run with {key} = {record['identity'].get(key)}; got {value}; "
                    "choose another directory"
                )
        if record:
            return
        make_directory(self.path)
        write_file(self.card_file, card.to_toml().encode())
        self.update(identity=dict(identity), card=card.content(), versions=versions(), stages={})

    def update(self, **entries: Any) -> None:
        """Replace entries of run.json."""
        write_file(self.record_file, (json.dumps(self.record | entries, indent=2) + "\n").encode())

    def has(self, stage: str) -> bool:
        """Whether a stage has left its state."""
        return (self.path / f"{stage}.json").exists()


class Run:
    """The stages of a process in a directory.

        run = Run(Process.from_card("drell_yan"), Path("runs/drell_yan"), seed=1)
        run.integrate()
        run.generate(10_000)

    Stages that an earlier one needs are run first; what is already there is read, not done again. The same card, seed,
    method and settings give the same bytes for every number of threads and after any interruption.

    Args:
        process: what is computed.
        directory: where everything goes.
        seed: of all random numbers.
        method: "madnis", neural channel weights and flows, or "vegas", grids and the prior.
        training: settings of the training; from the card by default.
        device: where networks compute; the results of two devices differ in rounding.
        executor: runs blocks of points; this thread by default.
        watch: told the progress of each stage.

    Raises:
        InputError: the directory holds another run, or settings of the card cannot be used.
        OutputError: the directory cannot be written.
    """

    def __init__(
        self,
        process: Process,
        directory: Path | str,
        seed: int = 1,
        *,
        method: Method = "madnis",
        training: TrainingSettings | None = None,
        device: Device = "cpu",
        executor: Executor | None = None,
        watch: Watch = _unwatched,
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("device: expected a machine with a CUDA device; torch sees none")
        self.process = process
        self.directory = RunDirectory(Path(directory))
        self.seed = seed
        self.method = method
        self.training = training or training_settings(process.card)
        self.device = device
        self.executor = executor
        self.watch = watch
        self.cross_section = process.cross_section()
        self.directory.claim(process.card, self._identity())

    @classmethod
    def open(cls, directory: Path | str, *, executor: Executor | None = None, watch: Watch = _unwatched) -> Self:
        """Go on with a run, with the card, seed, method and settings that it was begun with.

        Raises:
            InputError: there is no run in the directory, or it is damaged.
        """
        files = RunDirectory(Path(directory))
        record = files.record
        if not record:
            raise InputError(f"{directory}: expected a directory with a run.json; found none")
        identity = record["identity"]
        training = TrainingSettings.model_validate(identity["training"])
        process = Process.from_card(cards.load(files.card_file))
        choices = {"method": identity["method"], "device": identity["device"], "training": training}
        return cls(process, directory, identity["seed"], **choices, executor=executor, watch=watch)

    @property
    def events_file(self) -> Path:
        """Where the events go by default."""
        return self.directory.path / "events.lhe.gz"

    def survey(self) -> VegasFlow:
        """Adapt VEGAS grids, the baseline and the first look at the channels."""
        if self.directory.has("survey"):
            return VegasFlow.from_tensors(checkpoint.load(self.directory.path, "survey")[0])
        settings = VegasSettings()
        evaluations = settings.iterations * settings.points * self.cross_section.n_channels
        with self._stage("survey", evaluations):
            watch = self._watcher("survey", "iterations")
            flow, _ = train_vegas(self.cross_section, settings, self.seed, watch, self.executor)
            checkpoint.save(self.directory.path, "survey", flow.state_tensors(), settings.model_dump())
        return flow

    def train(self) -> Integrator:
        """Train the flow and the channel weights; goes on from the last stored step.

        KeyboardInterrupt leaves the state of the last finished step behind.

        Returns:
            the integrator with the trained flow and weights.
        """
        trainer, seconds = self._trainer()
        if trainer.state.step < self.training.steps:
            draws = schedule(self.training).draws_before(self.training.steps)
            evaluations = draws * self.training.batch(self.cross_section.n_channels)
            with self._stage("train", evaluations, seconds):
                self._run_trainer(trainer, seconds)
        return trainer.integrator

    def integrate(self, points: int | None = None) -> Result:
        """Cross section and maximum weights from fresh points.

        Args:
            points: in all; by the preset of the card when not given. Another number than last time starts anew.

        Returns:
            the result of the sampler that makes the events.

        Raises:
            GenerationError: the cross section is zero or a weight is negative.
        """
        stored = self._stored_result()
        points = points or (stored.points if stored else POINTS[self.process.card.training.preset])
        if stored is not None and stored.points == points:
            return stored
        samplers = self.samplers()
        with self._stage("integrate", evaluations=points * len(samplers)):
            results = {name: self._integrate(name, sampler, points) for name, sampler in samplers.items()}
        dumped = {name: result.model_dump() for name, result in results.items()}
        self.directory.update(**dumped[self.method], **dumped, events=0)
        return results[self.method]

    def generate(self, events: int, output: Path | None = None, seed: int | None = None) -> Path:
        """Write unweighted events.

        Args:
            events: exactly as many as the file will have.
            output: ends in .lhe or .lhe.gz; `events_file` by default.
            seed: another one than that of the run gives independent events from the same training.

        Returns:
            the file.

        Raises:
            InputError: fewer than one event, or a file name of another kind.
            GenerationError: the events cannot be made as asked.
            OutputError: the file cannot be written.
        """
        if events < 1:
            raise InputError(f"events: expected at least 1; got {events}")
        output = output or self.events_file
        require_event_file_name(output)
        seed = self.seed if seed is None else seed
        made = {"file": str(output.absolute()), "events": events, "seed": seed}
        if self.directory.record.get("generated") == made and output.exists():
            return output
        result = self.integrate()
        sampler = self.samplers()[self.method]
        source = EventSource(sampler, self.cross_section, result.maxima, seed, self.directory.chunks)
        with self._stage("generate"):
            chunks = self._collect(source, events, result)
            n_eff = self._write(output, chunks, events, result)
            source.clear()
        unweighting = self.record["unweighting"] | {"n_eff": n_eff}
        self.directory.update(events=events, generated=made, unweighting=unweighting)
        return output

    def samplers(self) -> dict[str, Integrator]:
        """The integrators of the run by method, trained if they are not; VEGAS always, as the baseline."""
        grids = Integrator(self.cross_section, self.survey(), PriorWeights(), seed=self.seed, executor=self.executor)
        if self.method == "vegas":
            return {"vegas": grids}
        return {"vegas": grids, "madnis": self.train()}

    def execute(self, events: int, points: int | None = None) -> Self:
        """All stages, with the events in `events_file`."""
        self.integrate(points)
        self.generate(events)
        return self

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json."""
        return self.directory.record

    def _identity(self) -> dict[str, Any]:
        return {
            "card": self.process.card.digest(),
            "seed": self.seed,
            "method": self.method,
            "device": self.device,
            "training": self.training.model_dump(),
            "version": madnis_py.__version__,
        }

    @contextmanager
    def _stage(self, name: str, evaluations: int = 0, seconds: float = 0.0) -> Iterator[None]:
        """Times a stage and notes it in run.json when it is finished."""
        start = time.perf_counter()
        yield
        stage = {"seconds": round(seconds + time.perf_counter() - start, 3), "evaluations": evaluations}
        self.directory.update(stages=self.directory.record["stages"] | {name: stage})

    def _stored_result(self) -> Result | None:
        content = self.directory.record.get(self.method)
        return Result.model_validate(content) if content else None

    def _trainer(self) -> tuple[Trainer, float]:
        """The trainer at the last stored step, and the seconds that it has worked so far."""
        integrator = Integrator(self.cross_section, seed=self.seed, executor=self.executor)
        integrator.flow.to(self.device)
        integrator.weights.to(self.device)
        if not self.directory.has("training"):
            return Trainer(integrator, self.training), 0.0
        tensors, meta = checkpoint.load(self.directory.path, "training")
        return Trainer(integrator, self.training, TrainingState(meta["step"], tensors)), meta["seconds"]

    def _run_trainer(self, trainer: Trainer, seconds: float) -> None:
        """Train to the end, and leave the last finished step behind whatever happens."""
        clock = Stopwatch(seconds)
        interval = CHECKPOINT_INTERVAL

        def save() -> None:
            state = trainer.state
            meta = {"step": state.step, "seconds": clock.total}
            checkpoint.save(self.directory.path, "training", state.tensors, meta)

        watch = self._watcher("train", "steps")

        def callback(progress: Progress) -> None:
            nonlocal interval
            watch(progress)
            if clock.lap() > interval:
                clock.restart_lap()
                save()
                interval = max(CHECKPOINT_INTERVAL, clock.lap() / CHECKPOINT_SHARE)
                clock.restart_lap()

        try:
            trainer.run(callback)
        finally:
            save()

    def _watcher(self, stage: str, unit: str) -> Callable[[Progress], None]:
        """Passes on what the stages of the integration say of themselves."""

        def watch(progress: Progress) -> None:
            self.watch(
                StageProgress(
                    stage,
                    progress.step,
                    progress.total,
                    unit,
                    rate=progress.points_per_second,
                    sigma=progress.value,
                    relative_std=progress.relative_std,
                    efficiency=progress.efficiency,
                )
            )

        return watch

    def _integrate(self, name: str, sampler: Integrator, points: int) -> Result:
        parts: list[Samples] = []
        start = time.perf_counter()
        for samples in sampler.iterations(points, ITERATIONS):
            parts.append(samples)
            done = sum(map(len, parts))
            so_far = combine([estimate(part, self.cross_section.n_channels) for part in parts])
            self.watch(
                StageProgress(
                    f"integrate {name}",
                    done,
                    points,
                    "points",
                    rate=done / (time.perf_counter() - start),
                    sigma=so_far.value,
                    relative_std=so_far.relative_std,
                )
            )
        return self._judge(parts, sampler.active)

    def _judge(self, parts: list[Samples], active: Tensor) -> Result:
        n_channels = self.cross_section.n_channels
        total = combine([estimate(part, n_channels) for part in parts])
        samples = Samples.concatenate(parts).sorted_by_channel()
        maxima = channel_maxima(samples, n_channels, self.process.card.events.overweight_share)
        tally = Unweighter(maxima).expect(samples)
        bootstrap = bootstrap_efficiency(samples, n_channels, BOOTSTRAP_POINTS)
        found = (total.channel_values, total.channel_stds, maxima, active)
        return Result(
            sigma_pb=total.value,
            sigma_error_pb=total.error,
            chi2_per_dof=total.chi2_per_dof,
            relative_std=total.relative_std,
            points=total.n,
            unweighting=tally.summary(total.n, bootstrap),
            channels=tuple(
                ChannelResult(
                    name=channel.name,
                    share=float(value) / total.value,
                    sigma_i=float(std),
                    maximum=float(maximum),
                    active=bool(drawn),
                )
                for channel, value, std, maximum, drawn in zip(self.process.channels, *found, strict=True)
            ),
        )

    def _collect(self, source: EventSource, events: int, result: Result) -> list[Path]:
        """Chunks that hold at least as many events as asked.

        Raises:
            GenerationError: far more trials than expected have not been enough.
        """
        chunks: list[Path] = []
        found = 0
        most = 10 + round(4 * events / (result.unweighting.efficiency * TRIALS_PER_CHUNK))
        while found < events:
            if len(chunks) >= most:
                raise GenerationError(
                    f"generate: expected {events} events from {most * TRIALS_PER_CHUNK} trials; got {found}"
                )
            start = time.perf_counter()
            path, count = source.chunk(len(chunks))
            chunks.append(path)
            found += count
            self.watch(
                StageProgress(
                    "generate",
                    min(found, events),
                    events,
                    "events",
                    rate=count / (time.perf_counter() - start),
                    rate_unit="events/s",
                    sigma=result.sigma_pb,
                    efficiency=found / (len(chunks) * TRIALS_PER_CHUNK),
                )
            )
        return chunks

    def _write(self, output: Path, chunks: list[Path], events: int, result: Result) -> float:
        """Write the first events of the chunks, with weights whose mean is the cross section.

        Returns:
            Kish's effective number of events, (sum w)^2 / sum w^2.
        """
        weights = np.concatenate([EventBatch.load(path).weight for path in chunks])[:events]
        unit = result.sigma_pb / weights.mean()
        init = self._init(result, float(unit * weights.max()))
        with LheWriter(output, init, {"madnis_py_card": self.process.card.to_toml()}) as writer:
            for path in chunks:
                batch = EventBatch.load(path).select(slice(0, events - writer.n_events))
                writer.write(batch.rescaled(unit))
        return float(weights.sum() ** 2 / (weights @ weights))

    def _init(self, result: Result, maximum: float) -> LheInit:
        process = LheProcess(result.sigma_pb, result.sigma_error_pb, maximum)
        beams, pdf = self.process.beams, self.cross_section.luminosity.pdf
        pdf_set = NO_PDF if pdf is None else pdf.lhapdf_id
        return LheInit(beams.pdg, beams.energies, (pdf_set, pdf_set), (process,))


class Stopwatch:
    """Seconds of work, in all and since the last lap began.

    Args:
        before: seconds that earlier sessions worked.
    """

    def __init__(self, before: float = 0.0) -> None:
        self._start = self._lap = time.perf_counter()
        self._before = before

    @property
    def total(self) -> float:
        """Seconds of all sessions."""
        return self._before + time.perf_counter() - self._start

    def lap(self) -> float:
        """Seconds since the lap began."""
        return time.perf_counter() - self._lap

    def restart_lap(self) -> None:
        """Begin a new lap."""
        self._lap = time.perf_counter()


@contextmanager
def workers(threads: int | None = None) -> Iterator[Executor | None]:
    """Set up the threads of this process for a run: kernels and blocks of points use them, torch uses one per block.

    Args:
        threads: at most this many; all cores of the machine when not given.

    Returns:
        the executor for `Run`; None for a single thread.

    Raises:
        InputError: fewer than one thread.
    """
    threads = threads if threads is not None else os.cpu_count() or 1
    if threads < 1:
        raise InputError(f"threads: expected at least 1; got {threads}")
    _core.set_thread_count(threads)
    torch.set_num_threads(1)
    if threads == 1:
        yield None
        return
    with ThreadPoolExecutor(threads) as executor:
        yield executor


def training_settings(card: Card) -> TrainingSettings:
    """The settings of a card: its preset with what it overrides.

    Raises:
        CardError: an override has an unknown name or a value that cannot be used.
    """
    preset = TrainingSettings.preset(card.training.preset)
    try:
        return TrainingSettings.model_validate(preset.model_dump() | card.training.overrides)
    except ValidationError as error:
        first = error.errors()[0]
        raise card.error(
            f"training.{'.'.join(map(str, first['loc']))}",
            f"{first['msg']}; known settings are {', '.join(TrainingSettings.model_fields)}",
        ) from None


def versions() -> dict[str, str]:
    """Versions of what computes."""
    packages = {name: version(name) for name in ("torch", "numpy", "vegas")}
    return {"madnis_py": madnis_py.__version__, **packages, "instruction_set": _core.instruction_set()}
