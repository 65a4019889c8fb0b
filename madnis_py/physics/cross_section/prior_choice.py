"""Which prior suits a process: a short survey of the four, for cards that say "auto"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from madnis_py.devices.device import Device
from madnis_py.integration.grids.prior_comparison import compare, preferred
from madnis_py.integration.grids.vegas_flow import VegasSettings
from madnis_py.integration.step_progress import Callback
from madnis_py.physics.cross_section.cross_section import CrossSection, IntegrandWithPrior
from madnis_py.physics.phase_space.priors import AUTO_PRIOR, PRIORS, ChosenPrior
from madnis_py.physics.process.process import Process

SHARE = 8
"""The priors together get 1 / 8 of the points per iteration of the run's survey: in all 5 % of its
points."""

ITERATIONS = 3

BINS = 8

LEAST_POINTS = 200
"""Points per grid and iteration that tell priors apart.

The standard deviation of n weights is at most sqrt(n) times their mean: with few points all priors
look alike.
"""

MOST_CHANNELS = 200
"""Channels up to which priors are tried; with more, the propagators are taken.

A short survey cannot tell: grids of 8 bins with 200 points each prefer |M_i|^2 for w4j, those of a
whole survey have 0.76 of its standard deviation with propagators, 0.77 for ttbar_3j, and
propagators are quicker to evaluate.
"""

MOST_MAPS = 50
"""Channels up to which the density and the flat prior are tried.

The density prior inverts the maps of all channels at every event. That costs 0.1 us per channel and
point, with 50 channels more than everything else together (w3j, 3 us). The flat prior gets worse
with every channel.
"""

MARGIN = 0.1
"""A prior has to be better by 10 % than those before it in `PRIORS`; the survey itself is uncertain
by 5 % or so."""


@dataclass(frozen=True)
class PriorChoice:
    """A prior, and what spoke for it.

    Attributes:
        chosen: name of the prior.
        relative_std: prior -> sum_i sigma_i / sigma in the short survey, infinite where no point
            contributed; empty where there was none.
    """

    chosen: ChosenPrior
    relative_std: Mapping[ChosenPrior, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The entries of the `prior` table of run.json; null stands for infinity."""
        figures = {
            name: value if math.isfinite(value) else None
            for name, value in self.relative_std.items()
        }
        return {"chosen": self.chosen, "relative_std": figures}


class PriorSurvey:
    """A short VEGAS survey of an integrand with each prior.

    The same seed chooses the same for any number of threads.

    |M_i|^2 wins near ties. A single channel has nothing to choose; many have propagators, without a
    survey.

    Args:
        integrand: with whatever prior.

    Attributes:
        candidates: the integrand with each prior that is tried, those that win near ties first.
        usual: the prior where none is tried.
        settings: of the grids.
    """

    def __init__(self, integrand: IntegrandWithPrior) -> None:
        names = _affordable(integrand.n_channels)
        self.usual: ChosenPrior = (
            AUTO_PRIOR if integrand.n_channels <= MOST_CHANNELS else "propagator"
        )
        points = VegasSettings.for_integrand(integrand).points // (SHARE * max(len(names), 1))
        self.candidates = {name: integrand.with_prior(name) for name in names}
        self.settings = VegasSettings(
            iterations=ITERATIONS, points=max(points, LEAST_POINTS), bins=BINS
        )

    @property
    def evaluations(self) -> int:
        """Points of the survey."""
        return sum(self.settings.evaluations(candidate) for candidate in self.candidates.values())

    def choose(
        self,
        seed: int,
        callback: Callback | None = None,
        executor: Executor | None = None,
        device: Device | None = None,
    ) -> PriorChoice:
        """Try the priors.

        Args:
            seed: of the random numbers.
            callback: told the `StepProgress` of each iteration.
            executor: runs the blocks of points.
            device: where the integrand takes its points; None for the CPU.
        """
        if not self.candidates:
            return PriorChoice(self.usual)
        found = compare(self.candidates, self.settings, seed, callback, executor, device)
        return PriorChoice(preferred(found, MARGIN), found)


def choose_prior(process: Process, seed: int = 1, executor: Executor | None = None) -> PriorChoice:
    """The prior that suits a process, whatever its card says.

    A `Run` with the prior "auto" and this seed uses the same.

        choice = choose_prior(process)
        integrand = CrossSection(process, choice.chosen)

    Args:
        process: what scatters.
        seed: of the random numbers.
        executor: runs the blocks of points.

    Raises:
        PdfError: the parton densities cannot be loaded.
    """
    return PriorSurvey(CrossSection(process)).choose(seed, executor=executor)


def _affordable(n_channels: int) -> tuple[ChosenPrior, ...]:
    """The priors that are worth a try."""
    if n_channels == 1 or n_channels > MOST_CHANNELS:
        return ()
    return tuple(PRIORS) if n_channels <= MOST_MAPS else ("diagram", "propagator")
