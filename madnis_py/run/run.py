"""A run owns a directory, a seed and a clock: survey -> train -> integrate -> generate.

Every stage writes what it found and starts again from what the stage before it wrote: a run that
was interrupted goes on where it stopped and ends with the same bytes as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self

import torch

from madnis_py.card.card import Card
from madnis_py.card.choices import Method
from madnis_py.counts import whole_number
from madnis_py.devices.device import device_of
from madnis_py.events.chunk_generation import ChunkMaker, EventSource
from madnis_py.events.lifetimes import Lifetimes
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.process.process import Process
from madnis_py.progress import Stopwatch, Watch, unwatched, watch_of_decay
from madnis_py.run.abstract_run import AbstractRun, EventMaker, Executors, identity_of
from madnis_py.run.context import RunContext
from madnis_py.run.diagnostics.event_distributions import keep_event_distributions
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import EventFileRecord, digest
from madnis_py.run.shared_stages import SharedStages
from madnis_py.run.stages import density_limits
from madnis_py.run.stages.distributions import (
    HISTOGRAM_POINTS,
    Distributions,
    PointSource,
    distributions_of_run,
)
from madnis_py.run.stages.event_stage import ChosenEvents, EventStage
from madnis_py.run.stages.integration import POINTS_OF_CHANNEL
from madnis_py.run.stages.results import Result
from madnis_py.run.trust import Trust, reach_of_card
from madnis_py.run.versions import versions


class Run(AbstractRun):
    """The stages of a process in a directory.

        run = Run(Process.from_card("drell_yan"), Path("runs/drell_yan"), seed=1)
        run.integrate()
        run.generate(10_000)

    Stages that an earlier one needs are run first; what is already there is read, not done again.
    The same card, seed, method and settings give the same bytes for every number of threads and
    after any interruption. Where the card leaves the prior open, a short survey chooses one before
    anything else.

    Args:
        process: what is computed.
        directory: where everything goes; a `RunDirectory` also says whether to wait for other
            processes.
        seed: of all random numbers.
        method: "madnis", neural channel weights and flows; "vegas", grids and the prior; or "auto",
            whichever is predicted, and after the training measured, to be done first. What "auto"
            chose is written down and kept when the run goes on, but it follows measured times and
            may differ between two runs.
        training: settings of the training; from the card by default.
        device: where everything from random numbers to accepted events is computed, see
            `device_of`; the results of two devices differ in rounding.
        executor: runs blocks of points; this thread by default.
        watch: called with the progress of each stage.
        trust: whether the caller answers for what the card and the directory use outside of it, see
            `run.trust`.

    Raises:
        InputError: the directory holds another run, or settings of the card cannot be used.
        MadnisError: the device cannot be used, or not for this process.
        OutputError: the directory cannot be written.

    Its stages raise LockedError where another process does the same; different files of events can
    be made at once.
    """

    def __init__(
        self,
        process: Process,
        directory: Path | str | RunDirectory,
        seed: int = 1,
        *,
        method: Method = "madnis",
        training: TrainingSettings | None = None,
        device: str = "cpu",
        executor: Executor | None = None,
        watch: Watch = unwatched,
        trust: bool = True,
    ) -> None:
        there = device_of(device)
        if not isinstance(directory, RunDirectory):
            directory = RunDirectory(Path(directory))
        identity = identity_of(process.card, seed, method, device, training)
        super().__init__(directory, Trust(trust))
        self.process = process
        if trust:
            self.trust.remember(reach_of_card(process.card))
        unsurveyed = CrossSection(process)
        on_device = None
        if there is not None:
            there.kernels.prepare(watch)
            on_device = CrossSectionOnDevice(unsurveyed, there)
        identity = directory.claim(process.card, identity, versions())
        watch = directory.progress.beside(watch)
        watcher = watch_of_decay(watch) if process.card.process.is_decay else watch
        self._context = RunContext(process, directory, identity, executor, there, watcher)
        self._stages = SharedStages(self._context, unsurveyed, on_device)

    @classmethod
    def of_card(
        cls,
        card: Card,
        directory: Path | str | RunDirectory,
        seed: int = 1,
        *,
        method: Method = "madnis",
        training: TrainingSettings | None = None,
        device: str = "cpu",
        executor: Executor | None = None,
        watch: Watch = unwatched,
        trust: bool = True,
    ) -> Self:
        """The run of a card of one process."""
        return cls(
            Process.from_card(card),
            directory,
            seed,
            method=method,
            training=training,
            device=device,
            executor=executor,
            watch=watch,
            trust=trust,
        )

    @contextmanager
    def executed_by(self, executors: Executors) -> Iterator[Self]:
        """In this block the run uses an executor that may depend on its card."""
        with executors(self.process.card.cluster) as self._context.executor:
            yield self

    def choose_prior(self) -> CrossSection:
        """Choose the channel weights before training: of the card, or by a short survey, once.

        Returns:
            the integrand with the prior of the run, on the CPU.
        """
        return self._stages.choose_prior()

    def survey(self) -> Survey:
        """Adapt VEGAS grids, the baseline and the first look at the channels.

        Raises:
            GenerationError: no point has a cross section, or too many are where no parton densities
                are known.
        """
        return self._stages.survey()

    def train(self) -> ImportanceSampler:
        """Train the flow and the channel weights; goes on from the last stored step.

        KeyboardInterrupt leaves the state of the last finished step behind.

        Returns:
            the sampler with the trained flow and weights.
        """
        return self._stages.train().trainer.sampler

    def plan(self, events: int = 0, points: int | None = None) -> SamplerName:
        """Decide which sampler shall make the events; for "auto" once, before the training.

        Args:
            events: unweighted events wanted, as far as known.
            points: of the integrate stage; by the preset of the card when not given.
        """
        return self._stages.plan(events, points)

    def samplers(self) -> dict[SamplerName, ImportanceSampler]:
        """Train the samplers that the run plans to use; VEGAS always, as the baseline."""
        return self._stages.samplers()

    def integrate(
        self, points: int | None = None, events: int = 0, sampler: SamplerName | None = None
    ) -> Result:
        """Cross section and maximum weights from fresh points.

        Args:
            points: in all; by the preset of the card when not given. Another number than last time
                starts anew.
            events: unweighted events wanted, as far as known; helps the method "auto" to choose.
            sampler: whose result is wanted; by the method when not given. For VEGAS nothing is
                trained.

        Returns:
            the result of the sampler.

        Raises:
            InputError: the run has no flow.
            GenerationError: the cross section is not positive, comes from where no parton densities
                are known, or is excluded by the survey.
        """
        if points is not None:
            points = whole_number("points", points)
        return self._stages.integrate(points, events, sampler)

    def deviation(self, sampler: SamplerName | None = None) -> float:
        """Standard deviation of the weights in pb, sum_i sigma_i, as survey or training left it.

        N points leave the error of this over sqrt(N).

        Args:
            sampler: whose weights; by the method when not given.
        """
        return self._stages.deviation(sampler or self.plan())

    @property
    def least_points(self) -> int:
        """Points that the errors of all channels need."""
        return POINTS_OF_CHANNEL * self._stages.integrand().n_channels

    def stored_points(self, sampler: SamplerName | None = None) -> int | None:
        """Points of the cross section that is there already; None without one.

        Args:
            sampler: whose; by the method when not given.
        """
        return self._stages.stored_points(sampler)

    def _event_file(self, asked: EventFileRecord) -> tuple[EventFileRecord, EventMaker]:
        wanted, result = self._integrated(asked)
        return wanted, partial(self._make_events, wanted, result)

    def _integrated(self, asked: EventFileRecord) -> tuple[EventFileRecord, Result]:
        """Events that are asked for, with their sampler and the result that they are made with."""
        result = self.integrate(events=asked.events, sampler=asked.sampler)
        used = asked.sampler or self._stages.sampler_in_use()
        return asked.model_copy(update={"sampler": used, "integration": digest(result)}), result

    def _make_events(
        self, wanted: EventFileRecord, result: Result, output: Path, folder: Path
    ) -> None:
        clock = Stopwatch()
        stage, source = self._event_stage(wanted, result, folder)
        made = wanted.made(output, *stage.run(source, wanted.events, output))
        self._context.finish("generate", clock, change=lambda record: record.with_events(made))
        source.clear()
        keep_event_distributions(
            self.directory.path, output, made.sha256 or "", made.events, self.process.model
        )

    def select_events(self, asked: EventFileRecord, folder: Path) -> ChosenEvents:
        """Unweighted events for a file that others write; see `generate`.

        Args:
            asked: how many, their seed and their sampler.
            folder: where they wait.

        Raises:
            GenerationError: the events cannot be made as asked.
        """
        stage, source = self._event_stage(*self._integrated(asked), folder)
        return ChosenEvents(stage, source, stage.select(source, asked.events))

    def _event_stage(
        self, wanted: EventFileRecord, result: Result, folder: Path
    ) -> tuple[EventStage, EventSource]:
        """The stage that makes events, and where their chunks come from."""
        maker = self._chunk_maker(wanted.sampler or "vegas", wanted.seed, result)
        key = f"{self._context.identity.model_dump_json()} {wanted.integration}"
        stage = EventStage(
            self.process, self.choose_prior(), result, self._context.executor, self._context.watch
        )
        return stage, EventSource(maker, folder, key)

    def chunk_maker(self, seed: int, sampler: SamplerName | None) -> tuple[ChunkMaker, Result]:
        """What makes unweighted events, and the result with their maxima.

        Args:
            seed: of the events.
            sampler: that draws their points; that of the run if None.

        Raises:
            GenerationError: the cross section is not one that events can be made with.
        """
        result = self.integrate(sampler=sampler)
        return self._chunk_maker(sampler or self._stages.sampler_in_use(), seed, result), result

    def _chunk_maker(self, sampler: SamplerName, seed: int, result: Result) -> ChunkMaker:
        density_limits.require_variations(self.record.outside_grid)
        # A task is a whole chunk, which does not ask for help.
        alone = self._stages.sampler(sampler).without_executor()
        events = PartonicEventSampler(self.choose_prior())
        least = self.process.card.events.lifetimes
        lifetimes = None if least is None else Lifetimes.of_model(self.process.model, least)
        return ChunkMaker(alone, events, result.maxima, seed, self.process.number, lifetimes)

    def histograms(self, points: int = HISTOGRAM_POINTS) -> Distributions:
        """Distributions of fresh weighted points, and of the events where there are any.

        Args:
            points: how many.

        Raises:
            InputError: too few points for the channels, or the file of the events is damaged.
        """
        source, clock = self.point_source(), Stopwatch()
        found = distributions_of_run(
            self.process.card, [source], [points], self.find_events(), self._context.watch
        )
        self._context.finish("histograms", clock, points)
        return found

    def point_source(self) -> PointSource:
        """Where weighted points of the sampler in use come from, after the cross section."""
        result, sampler = self.integrate(), self._stages.sampler(self._stages.sampler_in_use())
        sigma = torch.tensor([channel.sigma_i for channel in result.channels], dtype=torch.float64)
        return PointSource(self.process, self.choose_prior(), sampler, sigma)
