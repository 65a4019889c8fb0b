"""The iterations of one call: VEGAS, the hand-over to a flow, and what is told about it."""

from __future__ import annotations

import pickle
import time
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gvar
import numpy as np
import vegas

from madnis_py.output_file import write_file
from madnis_py.plugins.vegas.map_choice import LEAST_EVALUATIONS, Coupling, Plan, decide, settled
from madnis_py.plugins.vegas.summaries import empty_result
from madnis_py.plugins.vegas.weighted_points import Lap, Memory, Recorder

if TYPE_CHECKING:
    from madnis_py.plugins.vegas.drop_in import Integrator

FIRST_STEPS, LATER_STEPS = 600, 300
"""Optimiser steps of the training at the hand-over and of those after each iteration."""

FIRST_RATE, LATER_RATE = 5e-3, 2e-3
"""Learning rates at their beginning."""

LEARNED = 0.95
"""An iteration that does not lower the relative standard deviation by this factor ends the
training."""

NAMES = {"vegas": "VEGAS", "flow": "the flow"}

EXPECTED_TRAININGS = 5
"""After the first one, at most; then a flow has usually learned what it can."""

ENOUGH_EFFECTIVE = 2000
"""Effective points with which a flow is considered before the grids have settled."""

CONSIDERED = 2
"""How often a flow is considered once they have settled, before VEGAS is left alone."""

PATIENCE = 2
"""Such iterations in a row."""


class Campaign:
    """What an integrator does in one call.

    Args:
        integrator: with the settings of the call.

    Attributes:
        throughout: why one sampler does everything without learning; empty if that is not certain
            beforehand.
    """

    def __init__(self, integrator: Integrator) -> None:
        self.integrator = integrator
        if integrator.sampler == "flow" and (
            integrator.method == "vegas" or integrator.refuses_flow()
        ):
            integrator.go_back()
        self.throughout = self._throughout()
        begun = (
            "the flow had been trained before"
            if integrator.sampler == "flow"
            else "the grids had not settled"
        )
        self._chronicle = Chronicle(begun)
        self._memory = Memory()
        self._learning = True
        self._stuck = self._considered = 0

    def _throughout(self) -> str:
        integrator = self.integrator
        if not (integrator.adapt and integrator.alpha > 0):
            return f"{_sentence(NAMES[integrator.sampler])} throughout: nothing was adapted."
        if integrator.sampler == "flow":
            return ""
        if integrator.method == "vegas":
            return "VEGAS throughout, as asked for."
        return integrator.refuses_flow() or self._too_little()

    def _too_little(self) -> str:
        integrator = self.integrator
        if integrator.placement.channels is None and integrator.dim == 1:
            return "VEGAS throughout: one variable has no others to depend on."
        evaluations = integrator.nitn * integrator.neval
        if integrator.method == "auto" and evaluations < LEAST_EVALUATIONS:
            return f"VEGAS throughout: {evaluations:,} evaluations are too few for a flow to learn from."
        return ""

    def run(self, integrand: vegas.VegasIntegrand, save: Any, saveall: Any) -> Any:
        """The iterations of the call; arguments and result are those of `vegas.Integrator.__call__`."""
        integrator = self.integrator
        result = empty_result(integrand, weighted=True)
        for itn in range(integrator.nitn):
            self._iterate(itn, integrand, result)
            over = bool(result.converged(integrator.rtol, integrator.atol))
            if not over and itn + 1 < integrator.nitn:
                self._prepare_next(itn)
            result.story = self._chronicle.sentences
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
        recorder = Recorder(integrator.neval) if self._learning else None
        estimate, lap = integrator.iterate(integrand, recorder)
        result.add(estimate)
        result.sum_neval += lap.evaluations
        self._chronicle.tell(integrator.sampler, lap)
        if recorder:
            self._memory = self._memory.remembering(recorder.points)
        if integrator.analyzer is not None:
            integrator.analyzer.end(result.itn_results[-1], result)

    def _prepare_next(self, itn: int) -> None:
        if self.integrator.sampler == "vegas":
            self._consider_flow(itn)
        elif self._worse_than_vegas():
            self._go_back()
        elif self._learning:
            self._learn()

    def _consider_flow(self, itn: int) -> None:
        """Begin with a flow if the grids have settled and it pays, or is asked for."""
        integrator, laps = self.integrator, self._chronicle.laps("vegas")
        late = settled(laps) or 2 * (itn + 1) >= integrator.nitn
        if not self._learning or not (late or self._memory.effective >= ENOUGH_EFFECTIVE):
            return
        self._considered += late
        coupling = Coupling.of(
            self._memory.last, integrator.latent_map, integrator.placement.region
        )
        left = (integrator.nitn - itn - 1) * integrator.neval
        decision = decide(self._memory, laps, coupling, left, self._plan(itn))
        self._chronicle.reason = decision.reason
        if integrator.method == "flow":
            self._chronicle.reason = "a flow was asked for"
        if decision.flow or (
            integrator.method == "flow" and late and self._memory.last.effective > 0
        ):
            self._hand_over()
        elif self._considered >= CONSIDERED or (decision.final and integrator.method != "flow"):
            self._learning = False

    def _hand_over(self) -> None:
        from madnis_py.plugins.vegas.learned_map import LearnedMap

        start = time.perf_counter()
        channels = self.integrator.placement.channels
        flow = LearnedMap.from_grid(
            self.integrator.latent_map, len(channels) if channels else 1, self._memory.last
        )
        flow.learn(self._memory, FIRST_STEPS, FIRST_RATE, self._rng)
        self.integrator.hand_over(flow)
        self._chronicle.training(self._memory, time.perf_counter() - start)

    def _learn(self) -> None:
        """Train on, until that no longer helps."""
        self._stuck = 0 if self._improved else self._stuck + 1
        self._learning = self._stuck < PATIENCE
        if not self._learning or not self._memory.effective:
            return
        start = time.perf_counter()
        flow = self.integrator.placement.flow
        assert flow is not None
        if flow.learn(self._memory, LATER_STEPS, LATER_RATE, self._rng):
            self.integrator.begin_anew()
        self._chronicle.training(self._memory, time.perf_counter() - start)

    @property
    def _improved(self) -> bool:
        """Whether the last iteration was clearly better than the one before."""
        stds = [lap.relative_std for lap in self._chronicle.laps()]
        return len(stds) < 2 or stds[-1] < LEARNED * stds[-2]

    def _worse_than_vegas(self) -> bool:
        """Whether the flow had its chance and the grids were better."""
        grids, flow = (self._chronicle.laps(name) for name in ("vegas", "flow"))
        if not grids or len(flow) < PATIENCE:
            return False
        return min(lap.relative_std for lap in flow[-PATIENCE:]) > grids[-1].relative_std

    def _go_back(self) -> None:
        self._learning = False
        self.integrator.go_back()
        self._chronicle.reason = "the flow was no better than the grids, which took over again"

    @cached_property
    def _rng(self) -> np.random.Generator:
        """Seeded by the generator of vegas, as all that the integrator draws."""
        return np.random.default_rng(int(gvar.RNG.integers(2**63 - 1)))

    def _plan(self, itn: int) -> Plan:
        trainings = min(self.integrator.nitn - itn - 2, EXPECTED_TRAININGS)
        return Plan(FIRST_STEPS + LATER_STEPS * trainings, self._memory.last.v.shape[1])


class Chronicle:
    """Who drew which iteration, and why.

    Args:
        reason: as long as nothing has been decided.

    Attributes:
        reason: of the last decision.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self._laps: list[tuple[str, Lap]] = []
        self._seconds = 0.0
        self._learned = 0

    def tell(self, sampler: str, lap: Lap) -> None:
        """Add an iteration."""
        self._laps.append((sampler, lap))

    def training(self, memory: Memory, seconds: float) -> None:
        """Add a training."""
        self._seconds += seconds
        self._learned = max(self._learned, memory.size)

    def laps(self, sampler: str | None = None) -> list[Lap]:
        """The iterations of a sampler, or all."""
        return [lap for name, lap in self._laps if sampler in (None, name)]

    @property
    def sentences(self) -> tuple[str, ...]:
        """One per change of the sampler, then the reason and the training."""
        runs = [
            (name, list(run))
            for name, run in groupby(enumerate(self._laps, 1), key=lambda row: row[1][0])
        ]
        lines = [
            f"{_span(run)}: {NAMES[name]}, relative standard deviation {_range(run)}."
            for name, run in runs
        ]
        if self._seconds:
            learned = f"{self._learned:,} points of these iterations, no others"
            lines.append(f"The flow learned for {self._seconds:.3g} s from {learned}.")
        return (*lines, f"{_sentence(self.reason)}.") if self.reason else tuple(lines)


def _sentence(words: str) -> str:
    """With a capital letter."""
    return words[:1].upper() + words[1:]


Row = tuple[int, tuple[str, Lap]]


def _span(run: list[Row]) -> str:
    first, last = run[0][0], run[-1][0]
    return f"Iteration {first}" if first == last else f"Iterations {first} to {last}"


def _range(run: list[Row]) -> str:
    first, last = (row[1][1].relative_std for row in (run[0], run[-1]))
    return f"{first:.3g}" if len(run) == 1 else f"{first:.3g} to {last:.3g}"


def _store(where: Any, what: Any) -> None:
    """Pickle into a file, given by name or open, as vegas does."""
    if where is None:
        return
    if isinstance(where, str):
        write_file(Path(where), pickle.dumps(what))
    else:
        pickle.dump(what, where)
