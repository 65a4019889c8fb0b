"""Integrator in the place of `vegas.Integrator`, with a flow: the same calls, settings and results.

`DropInIntegrator` is `madnis_py.vegas.Integrator`. It relies on three things of vegas that are not
part of its documented interface, since there is no other way to put a map between its points and
the integrand: `_set_map` (called for every new region) and `_random_batch` (gives the points of all
methods) are overridden, and `_make_std_integrand` is called.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, ClassVar

import gvar
import numpy as np
import vegas

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.plugins.vegas.batch_integrand import (
    ObservedIntegrand,
    require_figures,
    require_real_numbers,
)
from madnis_py.plugins.vegas.channel_maps import ChannelMap, ChannelMaps, Prior
from madnis_py.plugins.vegas.iteration_log import IterationStatistics
from madnis_py.plugins.vegas.iterations import Iterations
from madnis_py.plugins.vegas.placement import PlacedBatch, Placement, Region, TrainableMap
from madnis_py.plugins.vegas.reported_results import with_report
from madnis_py.plugins.vegas.weighted_points import PointRecorder

METHODS = ("auto", "vegas", "flow")
"""Values of the setting `method`."""

VEGAS_ALONE = {
    "mpi": "processes of MPI",
    "gpu_pad": "padded batches",
    "minimize_mem": "points in a file",
    "uses_jac": "the Jacobian of each direction",
}
"""Settings that VEGAS honours and a flow does not -> their subject, for messages."""

WARNED = ("mpi", "gpu_pad", "minimize_mem")
"""Settings of VEGAS_ALONE that are warned about when they are set; an integrand that uses Jacobians
is mentioned in its summary alone."""


class _MapAndLayout(vegas.Integrator):  # type: ignore[misc]
    """Argument by which `vegas.Integrator._set_map` takes a map together with a layout.

    The layout of the integrand's argument is that of the attribute `xsample`, which is read-only in
    vegas and copied from nothing but another integrator. Of that integrator these two attributes
    are read, and this one has no others.
    """

    map = None
    xsample = None

    def __init__(self, grid: vegas.AdaptiveMap, layout: Any) -> None:
        self.map = grid
        self.xsample = layout


class DropInIntegrator(vegas.Integrator):  # type: ignore[misc]
    """Integrates as `vegas.Integrator` does, and lets a flow take over where that pays.

        integ = Integrator([[0, 1]] * 4)
        result = integ(f, nitn=10, neval=100_000)
        print(result.summary())

    The flow is a map of the region to itself, with which vegas goes on integrating: batches,
    strata, covariances, analyzers and results stay those of vegas. It learns between the iterations
    from points that the integrand has seen anyway, so `neval` and `sum_neval` count every
    evaluation.

    Args:
        map: what `vegas.Integrator` takes: limits as list, array or dictionary, an `AdaptiveMap`,
            an integrator.
        channels: maps of the unit cube to the region that share the integrand; see `ChannelMap`.
            The first of the axes of vegas then chooses the channel, and `map` gives the region's
            shape alone.
        prior: weights of the channels at points x of the region, shape (n, dim) -> (n, n_channels);
            by default those of the densities of the maps.
        settings: of vegas; and `method`: "auto" judges whether a flow pays, "vegas" never has one
            and gives the numbers of vegas, "flow" has one as soon as the grids have settled.

    Raises:
        AttributeError: a setting is not known, as vegas says it.
        InputError: the method is unknown, there is no channel, or one is no map.
    """

    __module__, __qualname__ = "madnis_py.vegas", "Integrator"  # names in messages and pickles

    defaults: ClassVar[dict[str, Any]] = {**vegas.Integrator.defaults, "method": "auto"}

    def __init__(
        self,
        map: Any,
        channels: Sequence[ChannelMap] | None = None,
        prior: Prior | None = None,
        **settings: Any,
    ) -> None:
        self.method = "auto"
        self._channel_maps, self._prior = channels, prior
        self._grid: vegas.AdaptiveMap | None = None
        self._placement: Placement
        self._batch: PlacedBatch | None = None
        if isinstance(map, DropInIntegrator):
            self._channel_maps, self._prior = map._channel_maps, map._prior
            settings = {"method": map.method} | settings
        super().__init__(map, **settings)
        if isinstance(map, DropInIntegrator):  # go on where the other integrator is
            self._set_map(_MapAndLayout(map.latent_map, map.xsample))
            self._placement = deepcopy(map._placement)
            self._grid = None if map._grid is None else vegas.AdaptiveMap(map._grid)

    def _set_map(self, map: Any) -> None:
        """Called by vegas for a new region: the flow belongs to the old one and goes."""
        super()._set_map(map)
        self._grid = None
        channels = None
        if self._channel_maps is not None:
            sample = self.xsample.buf if self.xsample.shape is None else self.xsample
            channels = ChannelMaps(self._channel_maps, self._prior, int(np.size(sample)))
            if not isinstance(map, vegas.Integrator):
                cube = vegas.AdaptiveMap([[0, 1]] * (1 + channels.dim))
                super()._set_map(_MapAndLayout(cube, self.xsample))
        self._placement = Placement(Region.of(self.latent_map), channels)

    @property
    def latent_map(self) -> vegas.AdaptiveMap:
        """The map that vegas adapts now: that of `map`, or a new one in front of the flow."""
        return vegas.Integrator.map.__get__(self)

    @property
    def map(self) -> vegas.AdaptiveMap:
        """The grids of VEGAS; once a flow has taken over, those that it started from."""
        return self.latent_map if self._grid is None else self._grid

    @property
    def sampler(self) -> str:
        """What draws the points: "vegas" or "flow"."""
        return "vegas" if self._placement.flow is None else "flow"

    def set(self, ka: Mapping[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
        """Change settings as `vegas.Integrator.set` does.

        Returns:
            the old values of what was changed.

        Raises:
            AttributeError: a setting is not known.
            InputError: the method is none of "auto", "vegas" and "flow".
        """
        wanted = {**settings, **(ka or {})}
        own = {name: wanted.pop(name) for name in ("method",) if name in wanted}
        old: dict[str, Any] = {"method": self.method} if own else {}
        if own.get("method", "auto") not in METHODS:
            raise InputError(f"method: expected one of {', '.join(METHODS)}; got {own['method']!r}")
        old |= {"map": self.map} if "map" in wanted else {}
        old = super().set(wanted) | old
        self.method = own.get("method", self.method)
        for name in WARNED:
            if wanted.get(name) and self.method != "vegas":
                alone = f"{VEGAS_ALONE[name]} are a matter of VEGAS alone"
                warnings.warn(f"{name}: {alone}; no flow is used while it is set", stacklevel=2)
        return old

    def settings(self, ngrid: int = 0) -> str:
        """The settings as vegas shows them, and what draws the points."""
        shown: str = super().settings(ngrid=ngrid)
        return f"{shown}    method = {self.method}, points drawn by {self.sampler}\n"

    def __call__(self, fcn: Any, save: Any = None, saveall: Any = None, **settings: Any) -> Any:
        """Integrate; arguments and results are those of `vegas.Integrator.__call__`.

        Returns:
            a `vegas.RAvg`, `vegas.RAvgArray` or `vegas.RAvgDict`, whose `summary()` also says
            what drew the points.

        Raises:
            AttributeError: a setting is not known.
            ValueError: the integrand is NaN somewhere.
            IntegrandError: the integrand is complex or infinite, or so small or large that errors
                have no squares.
        """
        if settings:
            self.set(settings)
        with require_real_numbers():
            integrand = self._make_std_integrand(fcn)
            if self.sampler == "flow" and (self.method == "vegas" or self.flow_obstacle()):
                self.remove_flow()
            iterations = Iterations(self)
            if reason := iterations.fixed_sampler:
                result = with_report(super().__call__(integrand, save, saveall), (reason,))
            else:
                result = iterations.run(integrand, save, saveall)
        require_figures(result)
        return result

    def flow_obstacle(self) -> str | None:
        """A sentence about the setting that leaves no room for a flow; None if there is room."""
        for name, about in VEGAS_ALONE.items():
            if getattr(self, name):
                return f"VEGAS throughout: {name} is set, and {about} are a matter of VEGAS alone."
        return None

    def iterate(
        self, integrand: vegas.VegasIntegrand, recorder: PointRecorder | None
    ) -> tuple[Any, IterationStatistics]:
        """One iteration of vegas.

        The iteration is a call of vegas without all that vegas does around iterations: no analyzer,
        no tolerances; processes share the batches here, since points have to be recorded.

        Args:
            integrand: in the standard form of vegas.
            recorder: is shown the points; None records nothing.

        Returns:
            estimate: number, array or dictionary of `gvar.GVar`.
            statistics: of the first component.
        """

        def record(value: Array) -> None:
            if recorder:
                assert self._batch is not None
                chosen = recorder.chosen(value)
                recorder.add(self._batch.selected(chosen), value[chosen])

        start = time.perf_counter()
        pool, nproc = self.pool if self.nproc > 1 else None, self.nproc
        observed = ObservedIntegrand(integrand, record, pool, nproc)
        with _temporary_settings(self, nitn=1, analyzer=None, nproc=1, rtol=0.0, atol=0.0):
            estimate = super().__call__(observed).itn_results[0]
        seconds = time.perf_counter() - start
        std = _relative_std(estimate, self.last_neval)
        return estimate, IterationStatistics(std, self.last_neval, seconds)

    def insert_flow(self, flow: TrainableMap) -> None:
        """Put a flow between vegas and the integrand; the grids restart in front of it."""
        if self._grid is None:
            self._grid = vegas.AdaptiveMap(self.latent_map)
        self._placement = Placement(self._placement.region, self._placement.channels, flow)
        self.restart_grids()

    def restart_grids(self) -> None:
        """Forget what vegas knows of an integrand that has changed by training."""
        self.latent_map.make_uniform()
        super().set(sigf=np.ones(int(self.nhcube)))

    def remove_flow(self) -> None:
        """Do without the flow again, with the grids that VEGAS had."""
        super()._set_map(_MapAndLayout(self._grid, self.xsample))
        self._placement = Placement(self._placement.region, self._placement.channels)
        self._grid = None
        super().set(sigf=np.ones(int(self.nhcube)))

    @property
    def placement(self) -> Placement:
        """The maps between vegas and the integrand."""
        return self._placement

    def _random_batch(
        self, yield_hcube: bool = False, yield_y: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """The batches of vegas with points and weights as the integrand has them.

        The batch is kept while its points are evaluated: `iterate` records them with their weights,
        which vegas does not show to integrands.
        """
        at = 2 if yield_y else 1
        for batch in super()._random_batch(yield_hcube, yield_y):
            placed = PlacedBatch(self._placement, np.asarray(batch[0]), np.asarray(batch[at]))
            self._batch = placed
            if self._placement.straight:
                yield batch
            else:
                x, weight = placed.integrand_points, placed.cube.weight
                yield (x, *batch[1:at], weight, *batch[at + 1 :])

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Pickle settings, grids, strata, channels and flow."""
        _, _, state = super().__reduce__()
        state |= {"method": self.method}
        about = (self._channel_maps, self._prior, self._placement.flow, self._grid, self.xsample)
        return _restored, (type(self), self.latent_map, *about), state


DropInIntegrator.__name__ = "Integrator"


@contextmanager
def _temporary_settings(integrator: vegas.Integrator, **values: Any) -> Iterator[None]:
    """Give settings other values for a while, without what `set` does for a new value."""
    before = {name: getattr(integrator, name) for name in values}
    for name, value in values.items():
        setattr(integrator, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(integrator, name, value)


def _restored(
    kind: type[DropInIntegrator],
    latent: vegas.AdaptiveMap,
    channels: Any,
    prior: Any,
    flow: Any,
    grid: vegas.AdaptiveMap | None,
    layout: Any,
) -> DropInIntegrator:
    """Undo `DropInIntegrator.__reduce__`, but for the settings."""
    integrator = kind(latent)
    integrator._channel_maps, integrator._prior = channels, prior
    integrator._set_map(_MapAndLayout(latent, layout))
    integrator._placement = Placement(
        integrator._placement.region, integrator._placement.channels, flow
    )
    integrator._grid = grid
    return integrator


def _relative_std(estimate: Any, neval: int) -> float:
    """Relative error of the first component times the root of the evaluations, at most 1e6."""
    first = estimate.buf[0] if hasattr(estimate, "buf") else np.asarray(estimate).flat[0]
    mean = abs(gvar.mean(first))
    return float(min(1e6, gvar.sdev(first) * neval**0.5 / mean)) if mean else 1e6
