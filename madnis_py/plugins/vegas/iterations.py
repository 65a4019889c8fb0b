"""Iterations of one call: VEGAS, the decision for a flow, its training, and the way back."""

from __future__ import annotations

import pickle
import time
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import gvar
import numpy as np
import vegas

from madnis_py.output_file import write_file
from madnis_py.plugins.vegas.flow_decision import (
    LEAST_EVALUATIONS,
    TrainingCost,
    VariableCorrelation,
    decide,
    settled,
)
from madnis_py.plugins.vegas.iteration_log import (
    SAMPLER_NAMES,
    IterationLog,
    IterationStatistics,
    capitalised,
)
from madnis_py.plugins.vegas.placement import Placement, TrainableMap
from madnis_py.plugins.vegas.reported_results import empty_result
from madnis_py.plugins.vegas.weighted_points import PointHistory, PointRecorder

FIRST_STEPS, LATER_STEPS = 600, 300
"""Optimiser steps of the first training, and of each one after a later iteration."""

FIRST_RATE, LATER_RATE = 5e-3, 2e-3
"""Learning rates at the first step of the first training, and of each later one."""

LEAST_IMPROVEMENT = 0.95
"""Factor by which an iteration has to lower the relative standard deviation of the one before;
otherwise it counts as one without improvement."""

PATIENCE = 2
"""Iterations in a row without improvement after which training ends, and iterations of the flow
that are all worse than VEGAS after which the grids take over again."""

EXPECTED_TRAININGS = 5
"""Trainings after the first one that a prediction of the cost counts, at most: a flow has usually
learned by then what it can."""

ENOUGH_EFFECTIVE = 2000
"""Effective points with which a flow is considered although the grids have not settled."""

MOST_CONSIDERED = 2
"""Decisions against a flow, taken with settled grids, after which VEGAS is left alone."""


class FlowIntegrator(Protocol):
    """The integrator of a call as its iterations need it; see `drop_in.DropInIntegrator`.

    The attributes in small letters that are not described here are the settings of vegas.
    """

    method: str
    """"auto", "vegas" or "flow"."""

    @property
    def sampler(self) -> str:
        """What draws the points now, "vegas" or "flow"."""

    @property
    def placement(self) -> Placement:
        """The maps between vegas and the integrand."""

    @property
    def latent_map(self) -> vegas.AdaptiveMap:
        """The map that vegas adapts now."""

    adapt: bool
    alpha: float
    dim: int
    nitn: int
    neval: int
    rtol: float
    atol: float
    analyzer: Any

    def flow_obstacle(self) -> str | None:
        """A sentence about the setting that leaves no room for a flow; None if there is room."""

    def iterate(
        self, integrand: vegas.VegasIntegrand, recorder: PointRecorder | None
    ) -> tuple[Any, IterationStatistics]:
        """One iteration of vegas: its estimate and statistics; a recorder is shown the points."""

    def insert_flow(self, flow: TrainableMap) -> None:
        """Put a flow between vegas and the integrand."""

    def restart_grids(self) -> None:
        """Forget what vegas knows of an integrand that a training has changed."""

    def remove_flow(self) -> None:
        """Do without the flow again, with the grids that VEGAS had."""


class Iterations:
    """The iterations that an integrator does in one call.

    Args:
        integrator: with the settings of the call; a flow that these do not allow has been removed.

    Attributes:
        fixed_sampler: sentence that says why one sampler does everything and nothing is recorded
            or trained; empty if that is not certain beforehand.
    """

    def __init__(self, integrator: FlowIntegrator) -> None:
        self.integrator = integrator
        self.fixed_sampler = _fixed_sampler(integrator)
        begun = (
            "the flow had been trained before"
            if integrator.sampler == "flow"
            else "the grids had not settled"
        )
        self._log = IterationLog(begun)
        self._history = PointHistory()
        self._learning = True
        self._without_improvement = self._considered = 0

    def run(self, integrand: vegas.VegasIntegrand, save: Any, saveall: Any) -> Any:
        """The whole call; arguments and result are those of `vegas.Integrator.__call__`."""
        integrator = self.integrator
        result = empty_result(integrand, weighted=True)
        for itn in range(integrator.nitn):
            self._iterate(itn, integrand, result)
            over = bool(result.converged(integrator.rtol, integrator.atol))
            if not over and itn + 1 < integrator.nitn:
                self._prepare_next(itn)
            result.report = self._log.sentences
            _store(save, result)
            _store(saveall, (result, integrator))
            if over:
                break
        return result

    def _iterate(self, itn: int, integrand: vegas.VegasIntegrand, result: Any) -> None:
        """One iteration with what vegas does around it."""
        integrator = self.integrator
        if integrator.analyzer is not None:
            integrator.analyzer.begin(itn, integrator)
        recorder = PointRecorder(integrator.neval) if self._learning else None
        estimate, statistics = integrator.iterate(integrand, recorder)
        result.add(estimate)
        result.sum_neval += statistics.evaluations
        self._log.add_iteration(integrator.sampler, statistics)
        if recorder:
            self._history = self._history.with_iteration(recorder.points)
        if integrator.analyzer is not None:
            integrator.analyzer.end(result.itn_results[-1], result)

    def _prepare_next(self, itn: int) -> None:
        if self.integrator.sampler == "vegas":
            self._consider_flow(itn)
        elif self._worse_than_vegas():
            self._learning = False
            self.integrator.remove_flow()
            self._log.reason = "the flow was no better than the grids, which took over again"
        elif self._learning:
            self._train_on()

    def _consider_flow(self, itn: int) -> None:
        """Train a flow if the grids have settled and it pays, or is asked for."""
        integrator, statistics = self.integrator, self._log.statistics("vegas")
        late = settled(statistics) or 2 * (itn + 1) >= integrator.nitn
        if not self._learning or not (late or self._history.effective >= ENOUGH_EFFECTIVE):
            return
        self._considered += late
        correlation = VariableCorrelation.of(
            self._history.last, integrator.latent_map, integrator.placement.region
        )
        trainings = min(integrator.nitn - itn - 2, EXPECTED_TRAININGS)
        cost = TrainingCost(FIRST_STEPS + LATER_STEPS * trainings, self._history.last.v.shape[1])
        left = (integrator.nitn - itn - 1) * integrator.neval
        decision = decide(self._history, statistics, correlation, left, cost)
        asked = integrator.method == "flow"
        self._log.reason = "a flow was asked for" if asked else decision.reason
        # The decision compares times; a flow that is asked for begins where the points alone say.
        if (late and self._history.last.effective > 0) if asked else decision.flow:
            self._begin_flow()
        elif self._considered >= MOST_CONSIDERED or (decision.final and not asked):
            self._learning = False

    def _begin_flow(self) -> None:
        """Train a flow from the grids of vegas, and put it in their place."""
        from madnis_py.plugins.vegas.learned_map import LearnedMap  # loads torch

        start = time.perf_counter()
        channels = self.integrator.placement.channels
        flow = LearnedMap.from_grid(
            self.integrator.latent_map, len(channels) if channels else 1, self._history.last
        )
        flow.learn(self._history, FIRST_STEPS, FIRST_RATE, self._rng)
        self.integrator.insert_flow(flow)
        self._log.add_training(self._history.size, time.perf_counter() - start)

    def _worse_than_vegas(self) -> bool:
        """Whether the flow had its chance and the grids were better."""
        grids, flow = (self._log.statistics(name) for name in ("vegas", "flow"))
        if not grids or len(flow) < PATIENCE:
            return False
        return min(one.relative_std for one in flow[-PATIENCE:]) > grids[-1].relative_std

    def _train_on(self) -> None:
        """Train the flow once more, until that no longer helps."""
        stds = [statistics.relative_std for statistics in self._log.statistics()]
        improved = len(stds) < 2 or stds[-1] < LEAST_IMPROVEMENT * stds[-2]
        self._without_improvement = 0 if improved else self._without_improvement + 1
        self._learning = self._without_improvement < PATIENCE
        if not self._learning or not self._history.effective:
            return
        start = time.perf_counter()
        flow = self.integrator.placement.flow
        assert flow is not None
        if flow.learn(self._history, LATER_STEPS, LATER_RATE, self._rng):
            self.integrator.restart_grids()
        self._log.add_training(self._history.size, time.perf_counter() - start)

    @cached_property
    def _rng(self) -> np.random.Generator:
        """Seeded by the generator of vegas, as all that the integrator draws."""
        return np.random.default_rng(int(gvar.RNG.integers(2**63 - 1)))


def _fixed_sampler(integrator: FlowIntegrator) -> str:
    """See `Iterations.fixed_sampler`."""
    if not (integrator.adapt and integrator.alpha > 0):
        sampler = capitalised(SAMPLER_NAMES[integrator.sampler])
        return f"{sampler} throughout: nothing was adapted."
    if integrator.sampler == "flow":
        return ""
    if integrator.method == "vegas":
        return "VEGAS throughout, as asked for."
    if obstacle := integrator.flow_obstacle():
        return obstacle
    if integrator.placement.channels is None and integrator.dim == 1:
        return "VEGAS throughout: one variable has no others to depend on."
    evaluations = integrator.nitn * integrator.neval
    if integrator.method == "auto" and evaluations < LEAST_EVALUATIONS:
        few = f"{evaluations:,} evaluations are too few for a flow to learn from"
        return f"VEGAS throughout: {few}."
    return ""


def _store(where: Any, content: Any) -> None:
    """Pickle into a file, given by name or open, as vegas does."""
    if where is None:
        return
    if isinstance(where, str):
        write_file(Path(where), pickle.dumps(content))
    else:
        pickle.dump(content, where)
