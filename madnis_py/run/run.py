"""A run: the only owner of a directory, a seed and a clock; survey -> train -> integrate -> generate.

Every stage writes what it found and starts again from what the stage before it wrote: a run that
was interrupted goes on where it stopped and ends with the same bytes as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

import madnis_py
from madnis_py import _core
from madnis_py.card import card as cards
from madnis_py.card.card import Card
from madnis_py.card.tables import PriorName
from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.events.chunk_generation import ChunkMaker, EventSource
from madnis_py.events.event_selection import EventSelection
from madnis_py.events.files.formats import event_format
from madnis_py.flows.flow import AbstractFlow
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.integration.estimate import combine, estimate
from madnis_py.integration.grids.flow_start import initialise_from_vegas, points_of_grids
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.grids.vegas_flow import VegasSettings, train_vegas
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.samples import Samples
from madnis_py.integration.step_progress import StepProgress
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.settings import TrainingSettings
from madnis_py.output_file import require_place
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.prior_choice import PriorChoice, PriorSurvey
from madnis_py.physics.phase_space.priors import ChosenPrior
from madnis_py.physics.process.process import Process
from madnis_py.progress import StageProgress, Stopwatch, Watch, unwatched
from madnis_py.run import gridpack
from madnis_py.run.directory import RunDirectory
from madnis_py.run.record import (
    Device,
    EventFileRecord,
    Method,
    PriorRecord,
    RunIdentity,
    RunRecord,
    StageRecord,
    digest,
)
from madnis_py.run.stages import cost_prediction, event_file, grid_check, run_warnings
from madnis_py.run.stages.distributions import HISTOGRAM_POINTS, Distributions, distributions_of_run
from madnis_py.run.stages.results import Result, SampledPoints
from madnis_py.run.stages.training_session import TrainingSession
from madnis_py.run.trust import Trust, reach_of_card, reach_of_directory, reach_of_events

T = TypeVar("T")

POINTS = {"quick": 200_000, "standard": 1_000_000, "paper": 5_000_000}
"""Points of the integrate stage by preset."""

ITERATIONS = 10
"""Parts of the integrate stage, compared by their chi^2."""


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
        directory: where everything goes.
        seed: of all random numbers.
        method: "madnis", neural channel weights and flows; "vegas", grids and the prior; or "auto",
            whichever is predicted, and after the training measured, to be done first. What "auto"
            chose is written down and kept when the run goes on, but it follows measured times and
            may differ between two runs.
        training: settings of the training; from the card by default.
        device: where networks compute; the results of two devices differ in rounding.
        executor: runs blocks of points; this thread by default.
        watch: told the progress of each stage.
        version: of the package that the directory belongs to.
        trust: whether the caller answers for what the card and the directory use outside of it, see
            `stages.trust`.
        wait: wait where another process works on the same stage or file, which is an error
            otherwise.

    Raises:
        InputError: the directory holds another run, or settings of the card cannot be used.
        OutputError: the directory cannot be written.

    Its stages raise LockedError where another process does the same; different files of events can
    be made at once.
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
        watch: Watch = unwatched,
        version: str = madnis_py.__version__,
        trust: bool = True,
        wait: bool = False,
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InputError("device: expected a machine with a CUDA device; torch sees none")
        self.process = process
        self.directory = RunDirectory(Path(directory), wait)
        self.seed = seed
        self.method = method
        self.training = training or training_settings(process.card)
        self.device = device
        self.executor = executor
        self.watch = watch
        self.version = version
        self.trust = Trust(trust)
        if trust:
            self.trust.vouch(reach_of_card(process.card))
        self._unsurveyed = CrossSection(process)
        self._trained: TrainingSession | None = None
        self._made: str | None = None
        self.directory.claim(process.card, self._identity, versions())
        self._require_own_states()

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
                has not named before, see `stages.trust`.
            wait: as for `Run`.

        Raises:
            InputError: there is no run in the directory, it is damaged, it was made by another
                version, or it is not trusted with what it uses outside of it.
        """
        files = RunDirectory(Path(directory))
        if not files.claimed:
            raise InputError(f"{directory}: expected a directory with a run.json; found none")
        identity = files.record.identity
        if identity.version != madnis_py.__version__ and not any_version:
            here = f"expected a run of madnis_py {madnis_py.__version__}"
            got = f"got one of {identity.version}, whose events may differ (--any-version)"
            raise InputError(f"{directory}: {here}; {got}")
        card = cards.load(files.card_file)
        Trust(trust).require(files.path, reach_of_directory(files.path, card))
        return cls(
            Process.from_card(card),
            directory,
            identity.seed,
            method=identity.method,
            training=identity.training,
            device=identity.device,
            executor=executor,
            watch=watch,
            version=identity.version,
            trust=trust,
            wait=wait,
        )

    @property
    def events_file(self) -> Path:
        """Where the events go by default."""
        return self.directory.path / "events.lhe.gz"

    @property
    def prior(self) -> ChosenPrior:
        """The channel weights before training: of the card, or of a short survey, done once and written down."""
        return self._once(lambda: self._record.prior, self._choose_prior).chosen

    @cached_property
    def cross_section(self) -> CrossSection:
        """The integrand, with the prior of the run."""
        return self._unsurveyed.with_prior(self.prior)

    def survey(self) -> Survey:
        """Adapt VEGAS grids, the baseline and the first look at the channels.

        Raises:
            GenerationError: no point has a cross section, or too many are where no parton densities
                are known.
        """
        return self._once(self._stored_survey, self._make_survey)

    def train(self) -> Integrator:
        """Train the flow and the channel weights; goes on from the last stored step.

        KeyboardInterrupt leaves the state of the last finished step behind.

        Returns:
            the integrator with the trained flow and weights.
        """
        self._trained = self._once(self._finished_training, self._train)
        return self._trained.trainer.integrator

    def plan(self, events: int = 0, points: int | None = None) -> SamplerName:
        """Which sampler shall make the events; with the method "auto" decided once, before the training.

        Args:
            events: unweighted events wanted, as far as known.
            points: of the integrate stage; by the preset of the card when not given.
        """
        if self.method != "auto":
            return self.method
        wanted = points or self._default_points
        return self._once(lambda: self._record.plan, lambda: self._predict(events, wanted)).sampler

    @property
    def chosen(self) -> SamplerName:
        """The sampler that makes the events: the method; for "auto" the cheaper one of those that were integrated."""
        measured = self._record.choice
        return measured.sampler if self.method == "auto" and measured else self.plan()

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
        stored = self._stored_result(sampler)
        wanted = points or (stored.points if stored else self._default_points)
        result = self._once(
            lambda: self._stored_result(sampler, wanted),
            lambda: self._integrate(wanted, events, sampler),
        )
        if refusal := self._refusal(sampler or self.chosen, result):
            raise GenerationError(refusal)
        return result

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
            output: what its name ends in says the format, see `event_files`; `events_file` by
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
        wanted = EventFileRecord(
            file=self.directory.name_of(output),
            events=events,
            seed=self.seed if seed is None else seed,
            sampler=sampler or self.chosen,
            integration=digest(result),
        )
        if not self.directory.has(wanted):
            with self.directory.making(output) as folder:
                if not self.directory.has(wanted):  # another process may have just made it
                    self._make_events(wanted, output, result, folder)
        self._made = wanted.file
        return output

    def gridpack(self, output: Path, sampler: SamplerName | None = None) -> Path:
        """Write a tarball that makes events of this run wherever the package is installed; see `stages.gridpack`.

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
        """Distributions of fresh weighted points of the sampler in use, and of the events where there are any.

        Args:
            points: how many.

        Raises:
            InputError: too few points for the channels, or the file of the events is damaged.
        """
        result, sampler = self.integrate(), self._sampler(self.chosen)
        sigma = torch.tensor([channel.sigma_i for channel in result.channels], dtype=torch.float64)
        with self._stage("histograms", lambda: points):
            return distributions_of_run(
                self.process, sampler, sigma, points, self._written_events, self.watch
            )

    @property
    def _written_events(self) -> Path | None:
        """The events that were written last, if they are still there, or were moved with the directory."""
        made = self._record.generated
        places = (
            (self.directory.path / made.file, self.directory.path / Path(made.file).name)
            if made
            else ()
        )
        found = next((path for path in places if path.exists()), None)
        if made is not None and found is not None and not made.is_at(found):
            self.trust.require(self.directory.path, reach_of_events(found, self.directory.path))
        return found

    def samplers(self) -> dict[str, Integrator]:
        """The integrators of the run by method, trained if they are not; VEGAS always, as the baseline."""
        grids = self._grids()
        if self.plan() == "vegas":
            return {"vegas": grids}
        return {"vegas": grids, "madnis": self.train()}

    def _sampler(self, name: SamplerName) -> Integrator:
        return self._grids() if name == "vegas" else self.train()

    def execute(self, events: int, points: int | None = None) -> Self:
        """All stages, with the events in `events_file`."""
        self.integrate(points, events)
        self.generate(events)
        return self

    @property
    def record(self) -> dict[str, Any]:
        """The content of run.json."""
        return self._record.content()

    @property
    def outcome(self) -> dict[str, Any]:
        """The same with the events that this object made or found as the last ones, whatever others make meanwhile."""
        made, record = self._record.event_file(self._made) if self._made else None, self._record
        return (record.with_events(made) if made else record).content()

    @property
    def _record(self) -> RunRecord:
        return self.directory.record

    @property
    def _identity(self) -> RunIdentity:
        return RunIdentity(
            card=self.process.card.digest(),
            seed=self.seed,
            method=self.method,
            device=self.device,
            training=self.training,
            version=self.version,
        )

    def _require_own_states(self) -> None:
        """Refuse states of a run with another seed or other settings than run.json says."""
        path = self.directory.path
        if (
            checkpoint.exists(path, "survey")
            and checkpoint.meta(path, "survey").get("run") != self._identity.digest
        ):
            raise CheckpointError(
                f"{path}: survey.json belongs to another run than run.json identifies"
            )

    def _once(self, stored: Callable[[], T | None], make: Callable[[], T]) -> T:
        """What a stage has left behind, or leaves now, while no other process works on the run."""
        found = stored()
        if found is None:
            with self.directory.working():
                found = stored()  # another process may have just finished it
                if found is None:
                    found = make()
        return found

    @contextmanager
    def _stage(
        self, name: str, evaluations: Callable[[], int] = int, seconds: float = 0.0
    ) -> Iterator[None]:
        """Times a stage and notes it in run.json when it is finished, with the evaluations that there were then."""
        start = time.perf_counter()
        yield
        stage = StageRecord(
            seconds=round(seconds + time.perf_counter() - start, 3), evaluations=evaluations()
        )
        self.directory.change(lambda record: record.with_stage(name, stage))

    def _choose_prior(self) -> PriorRecord:
        choice = self._surveyed_prior(self.process.card.channels.prior)
        record = PriorRecord.model_validate(choice.to_dict())
        self.directory.update(prior=record)
        return record

    def _surveyed_prior(self, named: PriorName) -> PriorChoice:
        if named != "auto":
            return PriorChoice(named)
        survey = PriorSurvey(self._unsurveyed)
        if not survey.candidates:
            return survey.choose(self.seed)
        with self._stage("prior", lambda: survey.evaluations):
            return survey.choose(self.seed, self._watcher("prior", "iterations"), self.executor)

    def _stored_survey(self) -> Survey | None:
        if not checkpoint.exists(self.directory.path, "survey"):
            return None
        return Survey.from_tensors(checkpoint.load(self.directory.path, "survey")[0])

    def _make_survey(self) -> Survey:
        settings = VegasSettings.for_integrand(self.cross_section)
        evaluations = settings.evaluations(self.cross_section)
        with self._stage("survey", lambda: evaluations):
            watch = self._watcher("survey", "iterations")
            survey = Survey.of(
                *train_vegas(self.cross_section, settings, self.seed, watch, self.executor)
            )
            _require_weights(survey, evaluations)
            grid_check.require_look(self._with_grids(survey.flow), self.cross_section)
            meta = settings.model_dump() | {"run": self._identity.digest}
            checkpoint.save(self.directory.path, "survey", survey.tensors(), meta)
        return survey

    def _finished_training(self) -> TrainingSession | None:
        if self._trained is None and not TrainingSession.is_finished(
            self.directory.path, self.training
        ):
            return None
        return self._session()

    def _train(self) -> TrainingSession:
        session = self._session()
        with self._stage("train", lambda: session.trainer.evaluations, session.seconds):
            session.run(self._watcher("train", "steps"))
        return session

    def _predict(self, events: int, points: int) -> Choice:
        grids, trainer = self._grids(), self._session().trainer
        with self._stage("pilot"):
            choice = cost_prediction.predict(grids, trainer, self._overweight_share, events, points)
            self.directory.update(plan=choice)
        return choice

    def _stored_result(
        self, sampler: SamplerName | None, points: int | None = None
    ) -> Result | None:
        """Of a sampler, of the one in use if None, if there is one; from so many points where a number is given."""
        record = self._record
        if record.vegas is None:
            return None
        result = record.vegas if (sampler or self.chosen) == "vegas" else record.madnis
        return None if result is None or points not in (None, result.points) else result

    def _integrate(self, points: int, events: int, sampler: SamplerName | None) -> Result:
        samplers = self._samplers_for(sampler, events, points)
        with self._stage("integrate", lambda: points * len(samplers)):
            sampled = {
                name: self._sample(name, sampler, points) for name, sampler in samplers.items()
            }
            outside = self.cross_section.outside_grid(sampled["vegas"].first)
            grid_check.require_inside(outside)
            results = self._results(sampled)
            judged = self._judge(samplers, sampled, results, events)
            judged["warnings"] = [f"integrate: {one}" for one in outside] + judged["warnings"]
        dumped = {name: result.model_dump() for name, result in results.items()}
        measured = (
            judged["choice"]["sampler"] if self.method == "auto" and "choice" in judged else None
        )
        used = sampler or measured or self.plan()
        refused = self._refusal(used, results[used]) is not None
        figures = dict.fromkeys(Result.model_fields) if refused else dumped[used]
        in_use = {"sampler": None if refused else used, "outside_grid": outside, "events": 0}
        self.directory.update(**figures, **dumped, **judged, **in_use)
        return results[used]

    def _refusal(self, sampler: SamplerName, result: Result) -> str | None:
        """Why the result of a sampler is not to be used, if so."""
        return run_warnings.refusal(self._check, self.survey().measurement, sampler, result)

    def _samplers_for(
        self, sampler: SamplerName | None, events: int, points: int
    ) -> dict[str, Integrator]:
        """What has to be integrated where one sampler is asked for: VEGAS alone can do without a training."""
        if sampler == "vegas":
            return {"vegas": self._grids()}
        samplers = ("vegas",) if self.plan(events, points) == "vegas" else ("vegas", "madnis")
        if sampler not in (None, *samplers):
            raise InputError(
                f"sampler: expected {' or '.join(samplers)} in {self.directory.path}; got {sampler}"
            )
        return self.samplers()

    def _make_events(
        self, wanted: EventFileRecord, output: Path, result: Result, folder: Path
    ) -> None:
        """Make the events of a file and write down what they are like."""
        grid_check.require_variations(self._record.outside_grid)
        # A task is a whole chunk, which does not ask for help.
        sampler = self._sampler(wanted.sampler or self.chosen).without_executor()
        maker = ChunkMaker(sampler, self.cross_section, result.maxima, wanted.seed)
        source = EventSource(
            maker, folder, f"{self._identity.model_dump_json()} {wanted.integration}"
        )
        with self._stage("generate"):
            settings = self.process.card.events
            selection = event_file.collect(
                source, wanted.events, result, settings, self.executor, self.watch
            )
            selected = event_file.SelectedEvents(selection, wanted.events)
            weights = selected.weights
            event_file.write(output, selected, weights, self.process, self.cross_section, result)
            figures = result.unweighting.to_dict() | run_warnings.unweighting(selection, weights)
            made = wanted.made(
                output, figures, self._generation_warnings(result, selection, weights)
            )
        self.directory.change(lambda record: record.with_events(made))
        source.clear()

    def _generation_warnings(
        self, result: Result, selection: EventSelection, weights: NDArray[np.float64]
    ) -> list[str]:
        """Whether the events agree with the integrate stage."""
        sentences = self._check.overweights("generate", weights, self._overweight_share)
        sentences += run_warnings.cancelling_signs(weights)
        return sentences + run_warnings.generation_warnings(self._check, result, selection)

    @property
    def _default_points(self) -> int:
        return POINTS[self.process.card.training.preset]

    @property
    def _overweight_share(self) -> float:
        return self.process.card.events.overweight_share

    @property
    def _check(self) -> CoverageCheck:
        return CoverageCheck(self.cross_section.channel_names)

    def _results(self, sampled: dict[str, SampledPoints]) -> dict[str, Result]:
        """Figures of the samplers; channel shares before the training are those of VEGAS, which keeps the prior."""
        results: dict[str, Result] = {}
        for name, points in sampled.items():
            names = self.cross_section.channel_names
            results[name] = Result.of(points, names, self._overweight_share, results.get("vegas"))
        return results

    def _judge(
        self,
        samplers: dict[str, Integrator],
        sampled: dict[str, SampledPoints],
        results: dict[str, Result],
        events: int,
    ) -> dict[str, Any]:
        """Entries of run.json: warnings, and where there is a flow, how it compares."""
        warnings = self.cross_section.caveats + run_warnings.sign_warnings(results)
        warnings += run_warnings.sampler_warnings(self._check, self.survey(), sampled)
        if "madnis" not in results:
            return {"warnings": warnings}
        session, flow = self._session(), samplers["madnis"]
        warnings += run_warnings.flow_warnings(self._check, flow, sampled, results, session.average)
        warnings += session.trainer.sentences
        if self.method == "madnis":
            warnings += run_warnings.lost_comparison(results["vegas"], results["madnis"])
        points = results["vegas"].points
        return {"warnings": warnings, **run_warnings.comparison(results, session, events, points)}

    def _grids(self) -> Integrator:
        return self._with_grids(self.survey().flow)

    def _with_grids(self, flow: AbstractFlow) -> Integrator:
        return Integrator(
            self.cross_section, flow, PriorWeights(), seed=self.seed, executor=self.executor
        )

    def _session(self) -> TrainingSession:
        """The training at its last stored step."""
        if self._trained is not None:
            return self._trained
        integrator = Integrator(self.cross_section, seed=self.seed, executor=self.executor)
        integrator.flow.to(self.device)
        integrator.weights.to(self.device)
        if not TrainingSession.exists(self.directory.path):
            self._start_from_survey(integrator.flow)
        known = None if self.training.vegas_init == "none" else self.survey().measurement
        return TrainingSession.resume(integrator, self.training, self.directory.path, known)

    def _start_from_survey(self, flow: AbstractFlow) -> None:
        if self.training.vegas_init == "none" or not isinstance(flow, SplineFlow):
            return
        samples = points_of_grids(self._grids())
        initialise_from_vegas(flow, self.survey().flow, self.training.vegas_init, samples)

    def _watcher(self, stage: str, unit: str) -> Callable[[StepProgress], None]:
        """Passes on what the stages of the integration say of themselves."""

        def watch(progress: StepProgress) -> None:
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

    def _sample(self, name: str, sampler: Integrator, points: int) -> SampledPoints:
        parts: list[Samples] = []
        first: list[Samples] = []
        clock = Stopwatch()
        for samples in sampler.iterations(points, ITERATIONS, self._sigma(name)):
            first = first or [samples]
            parts.append(samples.weights_only())
            done = sum(map(len, parts))
            so_far = combine([estimate(part, self.cross_section.n_channels) for part in parts])
            self.watch(
                StageProgress(
                    f"integrate {name}",
                    done,
                    points,
                    "points",
                    rate=done / clock.total,
                    sigma=so_far.value,
                    relative_std=so_far.relative_std,
                )
            )
        return SampledPoints(parts, first[0], clock.total)

    def _sigma(self, name: str) -> Tensor:
        """sigma_i of a sampler as its training left them, shape (n_channels,)."""
        return self.survey().sigma if name == "vegas" else self._session().trainer.state.sigma


def _require_weights(survey: Survey, points: int) -> None:
    """Nothing can be learned from points without weight."""
    if not any(part.channel_stds.any() or part.value for part in survey.iterations):
        expected = "survey: expected points with a cross section; got none"
        raise GenerationError(
            f"{expected} among {points:,}: the process has none, or the cuts leave next to nothing"
        )


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
    return {
        "madnis_py": madnis_py.__version__,
        **packages,
        "instruction_set": _core.instruction_set(),
    }
