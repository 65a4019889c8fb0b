"""Stages that all users of a run share, up to the cross section; each result is read once."""

from __future__ import annotations

from madnis_py.errors import CheckpointError, GenerationError, InputError
from madnis_py.flows.spline_flow import SplineFlow
from madnis_py.integration.channel_weights import PriorWeights
from madnis_py.integration.coverage import CoverageCheck
from madnis_py.integration.grids.flow_start import initialise_from_vegas, points_of_grids
from madnis_py.integration.grids.sampler_choice import Choice, SamplerName
from madnis_py.integration.grids.survey import Survey
from madnis_py.integration.grids.vegas_flow import VegasFlow, VegasSettings, train_vegas
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.integrand import AbstractIntegrand
from madnis_py.integration.training import checkpoint
from madnis_py.integration.training.schedule import schedule
from madnis_py.physics.cross_section.cross_section import CrossSection
from madnis_py.physics.cross_section.prior_choice import PriorChoice, PriorSurvey
from madnis_py.physics.on_device.cross_section_on_device import CrossSectionOnDevice
from madnis_py.progress import Stopwatch
from madnis_py.run.context import RunContext
from madnis_py.run.diagnostics.diagnostics import Diagnostics
from madnis_py.run.display.outlook import expected
from madnis_py.run.record import PriorRecord
from madnis_py.run.stages import cost_prediction, density_limits
from madnis_py.run.stages.integration import POINTS, IntegrateStage
from madnis_py.run.stages.results import Result
from madnis_py.run.stages.run_warnings import refusal
from madnis_py.run.stages.training_session import TrainingSession

SURVEY = "survey"
"""Name of the checkpoint with the VEGAS grids."""


class SharedStages:
    """Prior, survey, training and integration: made once, or read where they are stored, and held.

    What is held never changes: the same run leaves the same states, whichever process made them.

    Args:
        context: of the run.
        cross_section: the integrand, with whatever prior.
        on_device: the same where the run computes; None for the CPU.

    Raises:
        CheckpointError: the directory holds states of a run with another seed or other settings.
    """

    def __init__(
        self,
        context: RunContext,
        cross_section: CrossSection,
        on_device: CrossSectionOnDevice | None = None,
    ) -> None:
        self._context = context
        self._cross_section, self._on_device = cross_section, on_device
        self._with_prior: CrossSection | None = None
        self._integrand: AbstractIntegrand | None = None
        self._survey: Survey | None = None
        self._grids: ImportanceSampler | None = None
        self._trained: TrainingSession | None = None
        path = context.directory.path
        if (
            checkpoint.exists(path, SURVEY)
            and checkpoint.meta(path, SURVEY).get("run") != context.identity.digest
        ):
            raise CheckpointError(
                f"{path}: survey.json belongs to another run than run.json identifies"
            )

    def choose_prior(self) -> CrossSection:
        """The integrand with the prior of the card, or else of a short survey, written down."""
        if self._with_prior is None:
            prior = self._context.once(lambda: self._context.record.prior, self._survey_priors)
            self._with_prior = self._cross_section.with_prior(prior.chosen)
        return self._with_prior

    def integrand(self) -> AbstractIntegrand:
        """What samplers integrate: the same where the run computes."""
        if self._integrand is None:
            chosen, there = self.choose_prior(), self._on_device
            self._integrand = chosen if there is None else there.with_prior(chosen.prior)
        return self._integrand

    def _survey_priors(self) -> PriorRecord:
        context, named = self._context, self._context.process.card.channels.prior
        clock, evaluations = Stopwatch(), 0
        if named == "auto":
            survey = PriorSurvey(self._on_device or self._cross_section)
            watch = context.watcher("prior", "iterations")
            choice = survey.choose(context.identity.seed, watch, context.executor, context.device)
            evaluations = survey.evaluations
        else:
            choice = PriorChoice(named)
        prior = PriorRecord.model_validate(choice.to_dict())
        if choice.relative_std:
            context.finish("prior", clock, evaluations, lambda record: record.updated(prior=prior))
        else:  # nothing had to be surveyed
            context.directory.update(prior=prior)
        return prior

    def survey(self) -> Survey:
        """VEGAS grids, the baseline and the first look at the channels.

        Raises:
            GenerationError: no point has a cross section, or too many are where no parton densities
                are known.
        """
        if self._survey is None:
            self._survey = self._context.once(self._stored_survey, self._adapt_grids)
        return self._survey

    def _stored_survey(self) -> Survey | None:
        path = self._context.directory.path
        if not checkpoint.exists(path, SURVEY):
            return None
        return Survey.from_tensors(checkpoint.load(path, SURVEY)[0])

    def _adapt_grids(self) -> Survey:
        context, integrand = self._context, self.integrand()
        settings = VegasSettings.for_integrand(integrand)
        clock, evaluations = Stopwatch(), settings.evaluations(integrand)
        watch = context.watcher("survey", "iterations")
        survey = Survey.of(
            *train_vegas(
                integrand, settings, context.identity.seed, watch, context.executor, context.device
            )
        )
        if not any(part.channel_stds.any() or part.value for part in survey.iterations):
            expected = "survey: expected points with a cross section; got none"
            raise GenerationError(
                f"{expected} among {evaluations:,} of {context.process.definition.title}: "
                "the process has none, or the cuts leave next to nothing"
            )
        self._grids = self._grid_sampler(survey.flow)
        density_limits.require_grids_inside(self._grids, self.choose_prior())
        meta = settings.model_dump() | {"run": context.identity.digest}
        checkpoint.save(context.directory.path, SURVEY, survey.tensors(), meta)
        context.finish("survey", clock, evaluations)
        return survey

    def grids(self) -> ImportanceSampler:
        """The sampler with the VEGAS grids and the prior as channel weights."""
        survey = self.survey()
        if self._grids is None:
            self._grids = self._grid_sampler(survey.flow)
        return self._grids

    def _grid_sampler(self, flow: VegasFlow) -> ImportanceSampler:
        context = self._context
        return ImportanceSampler(
            self.integrand(),
            flow,
            PriorWeights(),
            seed=context.identity.seed,
            executor=context.executor,
            device=context.device,
        )

    def train(self) -> TrainingSession:
        """Train the flow and the channel weights; goes on from the last stored step."""
        if self._trained is None:
            self._trained = self._context.once(self._finished_training, self._train)
        return self._trained

    def _finished_training(self) -> TrainingSession | None:
        path, settings = self._context.directory.path, self._context.identity.training
        return self._session() if TrainingSession.is_finished(path, settings) else None

    def _train(self) -> TrainingSession:
        session = self._session()
        clock = Stopwatch(session.seconds)
        session.run(self._context.watcher("train", "steps"))
        self._context.finish("train", clock, session.trainer.evaluations)
        return session

    def _session(self) -> TrainingSession:
        """The training at its last stored step."""
        identity, path = self._context.identity, self._context.directory.path
        sampler = ImportanceSampler(
            self.integrand(),
            seed=identity.seed,
            executor=self._context.executor,
            device=self._context.device,
        )
        way = identity.training.vegas_init
        if way == "none":
            return TrainingSession.resume(sampler, identity.training, path)
        if not TrainingSession.exists(path) and isinstance(sampler.flow, SplineFlow):
            samples = points_of_grids(self.grids())
            initialise_from_vegas(sampler.flow, self.survey().flow, way, samples)
        return TrainingSession.resume(sampler, identity.training, path, self.survey().measurement)

    def plan(self, events: int = 0, points: int | None = None) -> SamplerName:
        """The sampler that is predicted to be done first, for "auto"; otherwise that of the method.

        Args:
            events: unweighted events wanted, as far as known.
            points: of the integrate stage; by the preset of the card when not given.
        """
        if self._context.identity.method != "auto":
            return self._context.identity.method
        wanted = points or self._default_points
        return self._context.once(
            lambda: self._context.record.plan, lambda: self._predict(events, wanted)
        ).sampler

    def _predict(self, events: int, points: int) -> Choice:
        grids, trainer = self.grids(), self._session().trainer
        clock, share = Stopwatch(), self._context.process.card.events.overweight_share
        choice = cost_prediction.predict(grids, trainer, share, events, points)
        self._context.finish("pilot", clock, change=lambda record: record.updated(plan=choice))
        return choice

    def samplers(self) -> dict[SamplerName, ImportanceSampler]:
        """The trained samplers that the run plans to use; VEGAS always, as the baseline."""
        grids = self.grids()
        if self.plan() == "vegas":
            return {"vegas": grids}
        return {"vegas": grids, "madnis": self.sampler("madnis")}

    def sampler(self, name: SamplerName) -> ImportanceSampler:
        """A trained sampler."""
        return self.grids() if name == "vegas" else self.train().trainer.sampler

    def deviation(self, name: SamplerName) -> float:
        """sum_i sigma_i of a sampler in pb, as survey or training left it."""
        if name == "madnis" and self._trained is None:
            self._tell_times()
        sigma = self.survey().sigma if name == "vegas" else self.train().trainer.state.sigma
        return float(sigma.sum())

    def stored_points(self, sampler: SamplerName | None) -> int | None:
        """Points of the result of a sampler that is there already; None without one."""
        stored = self._stored_result(sampler)
        return None if stored is None else stored.points

    def sampler_in_use(self) -> SamplerName:
        """The sampler whose result counts where nobody asks for one."""
        return self._context.record.preferred_sampler or self.plan()

    def integrate(self, points: int | None, events: int, sampler: SamplerName | None) -> Result:
        """The result of a sampler from fresh points; see `Run.integrate`."""
        stored = self._stored_result(sampler)
        wanted = points or (stored.points if stored else self._default_points)
        result = self._context.once(
            lambda: self._stored_result(sampler, wanted),
            lambda: self._integrate(wanted, events, sampler),
        )
        used = sampler or self.sampler_in_use()
        if sentence := refusal(self._check(), self.survey().measurement, used, result):
            raise GenerationError(sentence)
        return result

    def _stored_result(
        self, sampler: SamplerName | None, points: int | None = None
    ) -> Result | None:
        """The result of a sampler, or of the one in use, if there is one from so many points."""
        if self._context.record.vegas is None:
            return None
        result = self._context.record.result_of(sampler or self.sampler_in_use())
        return None if result is None or points not in (None, result.points) else result

    def _integrate(self, points: int, events: int, sampler: SamplerName | None) -> Result:
        samplers = self._samplers_for(sampler, events, points)
        clock = Stopwatch()
        stage = IntegrateStage(
            self.choose_prior(),
            self._check(),
            self.survey(),
            samplers,
            self.train() if "madnis" in samplers else None,
            self._context.process.card.events.overweight_share,
            self._context.watch,
        )
        found = stage.run(points, events, self._context.identity.method == "madnis")
        Diagnostics.of(self.choose_prior(), found).write(self._context.directory.path)
        self._context.finish(
            "integrate",
            clock,
            points * len(samplers),
            lambda record: record.with_integration(found, sampler),
        )
        return found.results[sampler or self.sampler_in_use()]

    def _samplers_for(
        self, sampler: SamplerName | None, events: int, points: int
    ) -> dict[SamplerName, ImportanceSampler]:
        """The samplers that have to be integrated; VEGAS alone can do without a training."""
        if sampler == "vegas":
            return {"vegas": self.grids()}
        known = ("vegas",) if self.plan(events, points) == "vegas" else ("vegas", "madnis")
        if sampler not in (None, *known):
            wanted = f"expected {' or '.join(known)} in {self._context.directory.path}"
            raise InputError(f"sampler: {wanted}; got {sampler}")
        self._tell_times(points)
        return self.samplers()

    def _tell_times(self, points: int = 0) -> None:
        """Tell how long training and integration take, from the speed of the survey.

        Args:
            points: of the integration with each sampler; 0 for the training alone.
        """
        self.survey()
        identity, took = self._context.identity, self._context.record.stages.get("survey")
        if took is None or not took.evaluations:
            return
        training, counts = identity.training, {}
        trains = self.plan() == "madnis"
        if trains and not TrainingSession.is_finished(self._context.directory.path, training):
            draws = schedule(training).draws_before(training.steps)
            counts["train"] = draws * training.batch(self.integrand().n_channels)
        if points:
            counts["integrate"] = (1 + trains) * points
        of_point = took.seconds / took.evaluations
        times = {stage: count * of_point for stage, count in counts.items()}
        self._context.watch(expected(times, least="train"))

    def _check(self) -> CoverageCheck:
        return CoverageCheck(self.choose_prior().channel_names)

    @property
    def _default_points(self) -> int:
        return POINTS[self._context.process.card.training.preset]
