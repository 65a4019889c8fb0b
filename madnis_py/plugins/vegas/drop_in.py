"""`vegas.Integrator` with a flow: the same calls, settings and results."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import gvar
import numpy as np
import vegas
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.plugins.vegas.batch_integrand import WatchedIntegrand, real_numbers, require_figures
from madnis_py.plugins.vegas.campaign import Campaign
from madnis_py.plugins.vegas.channel_cube import ChannelMap, Channels, Prior
from madnis_py.plugins.vegas.placement import Placement, Region
from madnis_py.plugins.vegas.summaries import with_story
from madnis_py.plugins.vegas.weighted_points import Drawn, Lap, Recorder

METHODS = ("auto", "vegas", "flow")

VEGAS_ALONE = {
    "mpi": "processes of MPI",
    "gpu_pad": "padded batches",
    "minimize_mem": "points in a file",
    "uses_jac": "the Jacobian of each direction",
}
"""Settings that VEGAS honours and a flow does not, with what they are about."""

WARNED = ("mpi", "gpu_pad", "minimize_mem")
"""Those of which the user is told beforehand; an integrand that uses Jacobians says so in its
summary alone."""


class _Grid(vegas.Integrator):  # type: ignore[misc]
    """Lends `vegas.Integrator._set_map` a map together with the layout of the integrand's points."""

    map = None
    xsample = None

    def __init__(self, grid: vegas.AdaptiveMap, layout: Any) -> None:
        self.map = grid
        self.xsample = layout


class Integrator(vegas.Integrator):  # type: ignore[misc]
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
        InputError: the method or a channel is none.
    """

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
        self._drawn: Drawn | None = None
        self._batch: tuple[Array, Array] = (np.empty((0, 0)), np.empty(0))
        if isinstance(map, Integrator):
            self._channel_maps, self._prior = map._channel_maps, map._prior
            settings = {"method": map.method} | settings
        super().__init__(map, **settings)
        if isinstance(map, Integrator):
            self._adopt(map)

    def _adopt(self, other: Integrator) -> None:
        """Go on where another integrator is."""
        self._set_map(_Grid(other.latent_map, other.xsample))
        self._placement = deepcopy(other._placement)
        self._grid = None if other._grid is None else vegas.AdaptiveMap(other._grid)

    def _set_map(self, map: Any) -> None:
        """Called by vegas for a new region; the flow belongs to the old one."""
        super()._set_map(map)
        self._grid = None
        channels = None
        if self._channel_maps is not None:
            channels = self._channels()
            if not isinstance(map, vegas.Integrator):
                super()._set_map(
                    _Grid(vegas.AdaptiveMap([[0, 1]] * (1 + channels.dim)), self.xsample)
                )
        self._placement = Placement(Region.of(self.latent_map), channels)

    def _channels(self) -> Channels:
        assert self._channel_maps is not None
        return Channels(self._channel_maps, self._prior, int(np.size(_layout(self.xsample))))

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
        """Who draws the points: "vegas" or "flow"."""
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
        self._warn(wanted)
        return old

    def _warn(self, wanted: Mapping[str, Any]) -> None:
        for name in WARNED:
            if wanted.get(name) and self.method != "vegas":
                text = f"{name}: {VEGAS_ALONE[name]} are a matter of VEGAS alone; no flow is used while it is set"
                warnings.warn(text, stacklevel=3)

    def settings(self, ngrid: int = 0) -> str:
        """The settings as vegas tells them, and who draws the points."""
        told: str = super().settings(ngrid=ngrid)
        return f"{told}    method = {self.method}, points drawn by {self.sampler}\n"

    def __call__(self, fcn: Any, save: Any = None, saveall: Any = None, **settings: Any) -> Any:
        """Integrate; arguments and results are those of `vegas.Integrator.__call__`.

        Returns:
            a `vegas.RAvg`, `vegas.RAvgArray` or `vegas.RAvgDict`, whose `summary()` also says who
            drew the points.

        Raises:
            AttributeError: a setting is not known.
            ValueError: the integrand is NaN somewhere.
            IntegrandError: the integrand is complex or infinite, or so small or large that errors
                have no squares.
        """
        if settings:
            self.set(settings)
        with real_numbers():
            integrand = self._make_std_integrand(fcn)
            campaign = Campaign(self)
            if campaign.throughout:
                result = with_story(
                    super().__call__(integrand, save, saveall), (campaign.throughout,)
                )
            else:
                result = campaign.run(integrand, save, saveall)
        require_figures(result)
        return result

    def refuses_flow(self) -> str | None:
        """A sentence that says which setting leaves no room for a flow; None if there is some."""
        for name, about in VEGAS_ALONE.items():
            if getattr(self, name):
                return f"VEGAS throughout: {name} is set, and {about} are a matter of VEGAS alone."
        return None

    def iterate(
        self, integrand: vegas.VegasIntegrand, recorder: Recorder | None
    ) -> tuple[Any, Lap]:
        """One iteration of vegas.

        Args:
            integrand: in the standard form of vegas.
            recorder: is shown the points, if anybody wants them.

        Returns:
            estimate: number, array or dictionary of `gvar.GVar`.
            lap: how the first component went.
        """
        start = time.perf_counter()
        with _Alone(self) as alone:
            watched = self._watched(integrand, recorder, alone.kept["nproc"])
            estimate = super().__call__(watched).itn_results[0]
        seconds = time.perf_counter() - start
        return estimate, Lap(_relative_std(estimate, self.last_neval), self.last_neval, seconds)

    def _watched(
        self, integrand: vegas.VegasIntegrand, recorder: Recorder | None, nproc: int
    ) -> Any:
        def watch(value: Array) -> None:
            if recorder:
                chosen = recorder.chosen(value)
                recorder.add(self._placed(chosen), value[chosen])

        return WatchedIntegrand(integrand, watch, self.pool if nproc > 1 else None, nproc)

    def _placed(self, index: NDArray[np.int64]) -> Drawn:
        """Some points of the batch that the integrand is looking at."""
        if self._drawn is not None:
            return self._drawn.where(index)
        x, weight = self._batch
        return self._placement.drawn(x[index], weight[index])

    def hand_over(self, flow: Any) -> None:
        """Put a flow between vegas and the integrand; vegas begins anew in front of it."""
        if self._grid is None:
            self._grid = vegas.AdaptiveMap(self.latent_map)
        self._placement = Placement(self._placement.region, self._placement.channels, flow)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what vegas knows of an integrand that has changed by training."""
        self.latent_map.make_uniform()
        super().set(sigf=np.ones(int(self.nhcube)))

    def go_back(self) -> None:
        """Do without the flow again, with the grids that VEGAS had."""
        super()._set_map(_Grid(self._grid, self.xsample))
        self._placement = Placement(self._placement.region, self._placement.channels)
        self._grid = None
        super().set(sigf=np.ones(int(self.nhcube)))

    @property
    def placement(self) -> Placement:
        """What lies between vegas and the integrand."""
        return self._placement

    def _random_batch(
        self, yield_hcube: bool = False, yield_y: bool = False
    ) -> Iterator[tuple[Any, ...]]:
        """The batches of vegas, where the integrand wants them."""
        at = 2 if yield_y else 1
        for batch in super()._random_batch(yield_hcube, yield_y):
            self._batch = np.asarray(batch[0]), np.asarray(batch[at])
            self._drawn = None
            if self._placement.straight:
                yield batch
                continue
            self._drawn = self._placement.drawn(*self._batch)
            x = np.ascontiguousarray(self._placement.points(self._drawn))
            yield (x, *batch[1:at], self._drawn.weight, *batch[at + 1 :])

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Settings, grids, strata and flow."""
        _, _, state = super().__reduce__()
        state |= {"method": self.method}
        about = (self._channel_maps, self._prior, self._placement.flow, self._grid, self.xsample)
        return _restored, (type(self), self.latent_map, *about), state


class _Alone:
    """One iteration without what is done around iterations: no analyzer, no pool, nothing saved."""

    NAMES = ("nitn", "analyzer", "nproc", "rtol", "atol")

    def __init__(self, integrator: Integrator) -> None:
        self.integrator = integrator
        self.kept = {name: getattr(integrator, name) for name in self.NAMES}

    def __enter__(self) -> _Alone:
        for name, value in zip(self.NAMES, (1, None, 1, 0.0, 0.0), strict=True):
            setattr(self.integrator, name, value)
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self.kept.items():
            setattr(self.integrator, name, value)


def _layout(sample: Any) -> Any:
    """A point of the region as an array."""
    return sample.buf if sample.shape is None else sample


def _restored(
    kind: type[Integrator],
    latent: vegas.AdaptiveMap,
    channels: Any,
    prior: Any,
    flow: Any,
    grid: vegas.AdaptiveMap | None,
    layout: Any,
) -> Integrator:
    """Undo `Integrator.__reduce__`, but for the settings."""
    integrator = kind(latent)
    integrator._channel_maps, integrator._prior = channels, prior
    integrator._set_map(_Grid(latent, layout))
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
