"""Distributions with errors, from weighted points and from events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.event_batch import OUTGOING, EventBatch
from madnis_py.integration.integrator import Integrator
from madnis_py.integration.samples import Samples
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.physics.cross_section.sampled_states import Parts, SampledStates
from madnis_py.physics.observables.final_state import FinalState
from madnis_py.physics.observables.observable import Observable

if TYPE_CHECKING:
    from hist import Hist
    from torch import Tensor

    from madnis_py.physics.cross_section.cross_section import CrossSection


@dataclass(frozen=True, eq=False)
class Binning:
    """The bins of an observable.

    Attributes:
        observable: what is measured.
        edges: ascending, GeV or dimensionless, float64, shape (B + 1,); bins hold their lower end.
    """

    observable: Observable
    edges: Array

    def entries(self, parts: Parts, share: Array) -> sparse.csr_array:
        """How often each event falls into each bin.

        Args:
            parts: of the events.
            share: of all parts together, float64, shape (n,).

        Returns:
            shape (n, B + 3): below the first bin, the bins, above the last one, and the share for
                the event itself.
        """
        n = len(share)
        whole = len(self.edges) + 1
        rows, columns, shares = [np.arange(n)], [np.full(n, whole)], [share]
        for final, of_part in parts:
            values = self.observable.values(final)
            row, entry = np.nonzero(~np.isnan(values))
            rows.append(row)
            columns.append(np.searchsorted(self.edges, values[row, entry], side="right"))
            shares.append(of_part[row])
        places = (np.concatenate(rows), np.concatenate(columns))
        return sparse.csr_array((np.concatenate(shares), places), shape=(n, whole + 1))


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over the events of a histogram, from which its bins and their covariance follow.

    With u the weight of an event and k its entries in each bin, `Binning.entries`; C groups of
    events, W variations.

    Attributes:
        sums: of u k in each group, float64, shape (C, B + 3).
        products: of u^2 k k^T, float64, shape (B + 3, B + 3).
        variations: of v k for each variation v of the weight, float64, shape (W, B + 3).
        events: in all, and without copies.
    """

    sums: Array
    products: Array
    variations: Array
    events: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        entries: sparse.csr_array,
        weight: Array,
        square: Array,
        group: NDArray[np.int64],
        n_groups: int,
        variations: Array,
        events: tuple[int, int],
    ) -> Tally:
        """Sums over some events.

        Args:
            entries: of the events, shape (n, B + 3).
            weight: u, shape (n,).
            square: u^2, shape (n,).
            group: of each event, shape (n,).
            n_groups: C.
            variations: v, shape (n, W).
            events: how many there are, and how many without copies.
        """
        of_groups = sparse.csr_array(
            (weight, (group, np.arange(len(weight)))), shape=(n_groups, len(weight))
        )
        products = entries.T @ sparse.diags_array(square) @ entries
        return cls(
            (of_groups @ entries).toarray(),
            products.toarray(),
            (entries.T @ variations).T,
            np.array(events),
        )

    def merged(self, other: Tally) -> Tally:
        """Sums over the events of both."""
        return Tally(
            self.sums + other.sums,
            self.products + other.products,
            self.variations + other.variations,
            self.events + other.events,
        )


@dataclass(frozen=True, eq=False)
class Histogram:
    """A distribution in pb per bin.

    The places of an array of length B + 3 are: below the first bin, the B bins, above the last one,
    the whole cross section. An event may have several entries, or none.

    Attributes:
        binning: observable and edges.
        contents: pb, float64, shape (B + 3,).
        covariance: pb^2, float64, shape (B + 3, B + 3).
        effective_entries: (sum w)^2 / sum w^2 of what is in each place, float64, shape (B + 3,).
        variations: contents with other scales or parton densities, pb, float64, shape (W, B + 3).
    """

    binning: Binning
    contents: Array
    covariance: Array
    effective_entries: Array
    variations: Array

    @classmethod
    def of(
        cls, binning: Binning, sums: Array, covariance: Array, tally: Tally, unit: float
    ) -> Histogram:
        """From the sum and the covariance that a tally leads to, in units of `unit` pb."""
        squares = np.diag(tally.products)
        effective = np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)
        return cls(binning, unit * sums, unit**2 * covariance, effective, unit * tally.variations)

    @property
    def observable(self) -> Observable:
        """What is measured."""
        return self.binning.observable

    @property
    def edges(self) -> Array:
        """GeV or dimensionless, float64, shape (B + 1,)."""
        return self.binning.edges

    @property
    def values(self) -> Array:
        """Cross section of each bin in pb, float64, shape (B,)."""
        return self.contents[1:-2]

    @property
    def errors(self) -> Array:
        """Standard error of each bin in pb, float64, shape (B,)."""
        return self.all_errors[1:-2]

    @property
    def all_errors(self) -> Array:
        """Standard errors of `contents` in pb, float64, shape (B + 3,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    @property
    def total(self) -> float:
        """The whole cross section in pb."""
        return float(self.contents[-1])

    def hist(self) -> Hist[Any]:
        """The bins as `hist.Hist` with weight storage: values in pb, variances in pb^2, underflow and overflow.

        Raises:
            InputError: the package hist is not installed.
        """
        hist = require_hist()
        axis = hist.axis.Variable(self.edges, name="x", label=self.observable.label)
        histogram: Hist[Any] = hist.Hist(axis, storage=hist.storage.Weight(), label="pb per bin")
        view: Any = histogram.view(flow=True)
        view["value"], view["variance"] = self.contents[:-1], np.diag(self.covariance)[:-1]
        return histogram


def require_hist() -> Any:
    """The package hist.

    Raises:
        InputError: it is not installed.
    """
    try:
        import hist
    except ImportError:
        needs = "expected the packages hist and mplhep to be installed"
        raise InputError(
            f"histograms: {needs}; pip install 'madnis_py[histograms]' brings them"
        ) from None
    return hist


@dataclass(frozen=True)
class PointTallies:
    """Tallies of weighted points of a multi-channel integral, for the workers of an integrator.

    Channel i contributes the mean of its weights, so the weight of a point is u = w / N_i, and the
    covariance of the sum of the means, as in Eq. (2.27) of the MadNIS thesis with entries k in
    place of numbers,

        sum_i N_i / (N_i - 1) [sum u^2 k k^T - (sum u k) (sum u k)^T / N_i].

    Attributes:
        states: final states of points.
        binnings: of the histograms.
        counts: N_i, points of every channel, int64, shape (n_channels,).
    """

    states: SampledStates
    binnings: tuple[Binning, ...]
    counts: NDArray[np.int64]

    def __call__(self, samples: Samples) -> list[Tally]:
        """A tally for each binning."""
        live = self.states.of_live(samples)
        points = self.counts[live.channel]
        weight = live.magnitude / points
        square = weight**2 * points / (points - 1)
        rest = (
            live.channel,
            len(self.counts),
            np.empty((len(weight), 0)),
            (len(samples), len(samples)),
        )
        return [
            Tally.of(binning.entries(live.parts, live.share), weight, square, *rest)
            for binning in self.binnings
        ]

    def histograms(self, tallies: Iterable[Sequence[Tally]]) -> list[Histogram]:
        """The histograms that the tallies of all blocks give."""
        return [
            self._histogram(binning, tally)
            for binning, tally in zip(self.binnings, _added(tallies), strict=True)
        ]

    def _histogram(self, binning: Binning, tally: Tally) -> Histogram:
        counts = np.maximum(self.counts, 2)
        means = tally.sums / np.sqrt(counts - 1)[:, None]
        return Histogram.of(
            binning, tally.sums.sum(axis=0), tally.products - means.T @ means, tally, 1.0
        )


def histograms_of_points(
    sampler: Integrator,
    cross_section: CrossSection,
    counts: Tensor,
    binnings: Sequence[Binning],
    *path: str | int,
    watch: Callable[[int], None] = lambda points: None,
) -> list[Histogram]:
    """Distributions from fresh weighted points, with the errors of a multi-channel integral.

    Flavours that the observables tell apart share the weight of a point as they do PDF x |M|^2,
    whatever their sign.

    Args:
        sampler: draws the points, block by block, in bounded memory.
        cross_section: its integrand.
        counts: points per channel, int64, shape (n_channels,), at least two where there are any.
        binnings: what to measure.
        path: names the random stream.
        watch: told how many points are done.
    """
    classes = (codes for binning in binnings for codes in binning.observable.classes)
    work = PointTallies(SampledStates(cross_section, classes), tuple(binnings), counts.numpy())
    blocks = sampler.map_blocks(PickledOnce(work), counts, *path)
    return work.histograms(_watched(blocks, watch))


def histograms_of_events(
    batches: Iterable[EventBatch], binnings: Sequence[Binning]
) -> list[Histogram]:
    """Distributions of events, read batch by batch.

    Copies of an event, which follow each other, count as one event with so many times its weight:
    they are no independent ones. The errors are those at a fixed number of events.

    Args:
        batches: of events; the mean of their weights is the cross section in pb.
        binnings: what to measure.

    Raises:
        InputError: there are fewer than two events.
    """
    tallies = _added(_tallies_of_events(batch, binnings) for batch in batches)
    if not tallies or tallies[0].events[1] < 2:
        raise InputError("histograms: expected at least two different events; got fewer")
    return [_of_events(binning, tally) for binning, tally in zip(binnings, tallies, strict=True)]


def _of_events(binning: Binning, tally: Tally) -> Histogram:
    events, different = tally.events
    total = tally.sums[0]
    covariance = (tally.products - np.outer(total, total) / different) * different / (different - 1)
    return Histogram.of(binning, total, covariance, tally, float(1 / events))


def final_states(events: EventBatch) -> FinalState:
    """The outgoing particles of events."""
    return FinalState(events.momenta, events.pdg, events.status == OUTGOING)


def _tallies_of_events(events: EventBatch, binnings: Sequence[Binning]) -> list[Tally]:
    distinct = _without_copies(events)
    whole = np.ones(len(distinct))
    parts = [(final_states(distinct), whole)]
    group = np.zeros(len(distinct), np.int64)
    rest = (
        distinct.weight,
        distinct.weight**2,
        group,
        1,
        distinct.variations,
        (len(events), len(distinct)),
    )
    return [Tally.of(binning.entries(parts, whole), *rest) for binning in binnings]


def _without_copies(events: EventBatch) -> EventBatch:
    """Each event once, with the sum of the weights of its copies."""
    copies = np.zeros(len(events), bool)
    copies[1:] = (events.momenta[1:] == events.momenta[:-1]).all(axis=(1, 2))
    copies[1:] &= (events.pdg[1:] == events.pdg[:-1]).all(axis=1)
    first = np.flatnonzero(~copies)
    if len(first) == len(events):
        return events
    weight, variations = (
        np.add.reduceat(column, first, axis=0) for column in (events.weight, events.variations)
    )
    return replace(events.select(first), weight=weight, variations=variations)


def _added(tallies: Iterable[Sequence[Tally]]) -> list[Tally]:
    """The tallies of all parts together, one for each histogram."""
    parts = iter(tallies)
    return reduce(
        lambda a, b: [x.merged(y) for x, y in zip(a, b, strict=True)], parts, list(next(parts, []))
    )


def _watched(blocks: Iterable[list[Tally]], watch: Callable[[int], None]) -> Iterable[list[Tally]]:
    done = 0
    for tallies in blocks:
        yield tallies
        done += int(tallies[0].events[0]) if tallies else 0
        watch(done)
