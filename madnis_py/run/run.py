"""A run owns a directory, a seed and a clock: survey -> train -> integrate -> generate.

Every stage writes what it found and starts again from what the stage before it wrote: a run that
was interrupted goes on where it stopped and ends with the same bytes as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

import torch

import madnis_py
from madnis_py.card import card as cards
from madnis_py.card.choices import Method
from madnis_py.card.tables import ClusterTable
from madnis_py.devices.device import device_of
from madnis_py.errors import InputError
from madnis_py.events.chunk_generation import ChunkMaker, EventSource
from madnis_py.events.files.formats import event_format
from madnis_py.integration.grids.sampler_choice import SamplerName
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.output_file import require_place
from madnis_py.parallel.random_streams import RANDOM_NUMBERS
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.partonic_events import PartonicEventSampler
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.physics.process.process import Process
from madnis_py.progress import Stopwatch, Watch, unwatched
from madnis_py.run import gridpack
from madnis_py.run.context import RunContext
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import EventFileRecord, RunIdentity, RunRecord, digest
from madnis_py.run.shared_stages import SharedStages
from madnis_py.run.stages import density_limits
from madnis_py.run.stages.distributions import HISTOGRAM_POINTS, Distributions, distributions_of_run
from madnis_py.run.stages.event_stage import EventStage
from madnis_py.run.stages.results import Result
from madnis_py.run.stages.training_session import training_settings
from madnis_py.run.trust import Trust, reach_of_card, reach_of_directory, reach_of_events
from madnis_py.run.versions import versions


class Run:
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
        identity = RunIdentity(
            card=process.card.digest(),
            seed=seed,
            method=method,
            device=device,
            training=training or training_settings(process.card),
            version=madnis_py.__version__,
            random_numbers=RANDOM_NUMBERS,
        )
        self.process = process
        self.directory = directory
        self.trust = Trust(trust)
        if trust:
            self.trust.remember(reach_of_card(process.card))
        unsurveyed = CrossSection(process)
        on_device = None
        if there is not None:
            there.kernels.prepare(watch)
            on_device = CrossSectionOnDevice(unsurveyed, there)
        identity = directory.claim(process.card, identity, versions())
        self._context = RunContext(process, directory, identity, executor, there, watch)
        self._stages = SharedStages(self._context, unsurveyed, on_device)
        self._made: str | None = None

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        executor: Executor | None = None,
        watch: Watch = unwatched,
        any_version: bool = False,
        trust: bool = False,
        wait: bool = False,
    ) -> Self:
        """Go on with a run, with the card, seed, method and settings that it was begun with.

        Args:
            directory: of the run.
            executor: as for `Run`.
            watch: as for `Run`.
            any_version: go on with a run of another version of the package, which may give other
                numbers.
            trust: let the directory run code, start jobs and use files outside of it that this user
                has not named before, see `run.trust`.
            wait: wait where another process works on the same stage or file, which is an error
                otherwise.

        Raises:
            InputError: there is no run in the directory, it is damaged, it was made by another
                version, or it is not trusted with what it uses outside of it.
        """
        files = RunDirectory(Path(directory), wait, any_version)
        identity = files.identify()
        card = cards.load(files.card_file)
        Trust(trust).require(files.path, reach_of_directory(files.path, card))
        return cls(
            Process.from_card(card),
            files,
            identity.seed,
            method=identity.method,
            training=identity.training,
            device=identity.device,
            executor=executor,
            watch=watch,
            trust=trust,
        )

    @contextmanager
    def executed_by(
        self, executors: Callable[[ClusterTable], AbstractContextManager[Executor | None]]
    ) -> Iterator[Self]:
        """In this block the run uses an executor that may depend on its card.

        Args:
            executors: table of the card -> executor; None for this thread.
        """
        with executors(self.process.card.cluster) as self._context.executor:
            yield self

    @property
    def record(self) -> RunRecord:
        """The content of run.json; a copy, so that what is done to it stays with the caller."""
        return self.directory.record.model_copy(deep=True)

    @property
    def outcome(self) -> RunRecord:
        """The record with the events that this object made last, whatever others make meanwhile."""
        record = self.record
        made = record.event_file(self._made) if self._made else None
        return record.with_events(made) if made else record

    @property
    def events_file(self) -> Path:
        """Where the events go by default."""
        return self.directory.path / "events.lhe.gz"

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

    def train(self) -> Integrator:
        """Train the flow and the channel weights; goes on from the last stored step.

        KeyboardInterrupt leaves the state of the last finished step behind.

        Returns:
            the integrator with the trained flow and weights.
        """
        return self._stages.train().trainer.integrator

    def plan(self, events: int = 0, points: int | None = None) -> SamplerName:
        """Decide which sampler shall make the events; for "auto" once, before the training.

        Args:
            events: unweighted events wanted, as far as known.
            points: of the integrate stage; by the preset of the card when not given.
        """
        return self._stages.plan(events, points)

    def samplers(self) -> dict[SamplerName, Integrator]:
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
        return self._stages.integrate(points, events, sampler)

    def generate(
        self,
        events: int,
        output: Path | None = None,
        seed: int | None = None,
        sampler: SamplerName | None = None,
    ) -> Path:
        """Write unweighted events; a file that has them already is left alone.

        Args:
            events: exactly as many as the file will have.
            output: what its name ends in says the format, see `event_format`; `events_file` by
                default.
            seed: another one than that of the run gives independent events from the same training.
            sampler: makes the events; by the method when not given. Those of VEGAS need no
                training.

        Returns:
            the file.

        Raises:
            InputError: fewer than one event, a file name of another kind, or the run has no flow.
            GenerationError: the events cannot be made as asked.
            OutputError: the file cannot be written.
        """
        if events < 1:
            raise InputError(f"events: expected at least 1; got {events}")
        output = output or self.events_file
        event_format(output)
        require_place(output)
        result = self.integrate(events=events, sampler=sampler)
        used = sampler or self._stages.sampler_in_use()
        wanted = EventFileRecord(
            file=self.directory.name_of(output),
            events=events,
            seed=self._context.identity.seed if seed is None else seed,
            sampler=used,
            integration=digest(result),
        )
        if not self.directory.has(wanted):
            with self.directory.making(output) as folder:
                if not self.directory.has(wanted):  # another process may have just made it
                    self._make_events(wanted, used, result, output, folder)
        self._made = wanted.file
        return output

    def _make_events(
        self, wanted: EventFileRecord, used: SamplerName, result: Result, output: Path, folder: Path
    ) -> None:
        """Make the events of a file and write down what they are like."""
        density_limits.require_variations(self.record.outside_grid)
        # A task is a whole chunk, which does not ask for help.
        sampler, integrand = self._stages.sampler(used).without_executor(), self.choose_prior()
        maker = ChunkMaker(sampler, PartonicEventSampler(integrand), result.maxima, wanted.seed)
        key = f"{self._context.identity.model_dump_json()} {wanted.integration}"
        source, clock = EventSource(maker, folder, key), Stopwatch()
        stage = EventStage(
            self.process, integrand, result, self._context.executor, self._context.watch
        )
        made = wanted.made(output, *stage.run(source, wanted.events, output))
        self._context.finish("generate", clock, change=lambda record: record.with_events(made))
        source.clear()

    def gridpack(self, output: Path, sampler: SamplerName | None = None) -> Path:
        """Write a tarball that makes events of this run wherever the package is installed.

        See `run.gridpack`.

        Args:
            output: ends in .tar.gz or .tgz.
            sampler: makes the events; by the method when not given.

        Returns:
            the file.

        Raises:
            InputError: a file name of another kind, or the run has no flow.
            OutputError: the file cannot be written.
        """
        gridpack.require_gridpack_name(output)
        require_place(output)
        self.integrate(sampler=sampler)
        with self.directory.working():
            gridpack.pack(self.directory, output, madnis_py.__version__, sampler)
        return output

    def histograms(self, points: int = HISTOGRAM_POINTS) -> Distributions:
        """Distributions of fresh weighted points, and of the events where there are any.

        Args:
            points: how many.

        Raises:
            InputError: too few points for the channels, or the file of the events is damaged.
        """
        result, sampler = self.integrate(), self._stages.sampler(self._stages.sampler_in_use())
        sigma = torch.tensor([channel.sigma_i for channel in result.channels], dtype=torch.float64)
        clock, events_file = Stopwatch(), self.find_events()
        found = distributions_of_run(
            self.process,
            self.choose_prior(),
            sampler,
            sigma,
            points,
            events_file,
            self._context.watch,
        )
        self._context.finish("histograms", clock, points)
        return found

    def find_events(self) -> Path | None:
        """The events that were written last, if they are there or were moved with the directory."""
        made = self.record.generated
        found = self.directory.find(made) if made else None
        if made and found and not made.is_at(found):
            self.trust.require(self.directory.path, reach_of_events(found, self.directory.path))
        return found

    def execute(self, events: int, points: int | None = None) -> Self:
        """All stages, with the events in `events_file`."""
        self.integrate(points, events)
        self.generate(events)
        return self
