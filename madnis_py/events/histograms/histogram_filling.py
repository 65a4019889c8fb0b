"""Filling of histograms, with errors, from weighted points and from events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy  # loads its parts when they are needed
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.event_batch import OUTGOING, EventBatch
from madnis_py.events.histograms.histogram import Binning, Histogram
from madnis_py.integration.importance_sampler import ImportanceSampler
from madnis_py.integration.samples import Samples
from madnis_py.parallel.pickled_once import PickledOnce
from madnis_py.physics.cross_section.sampled_states import SampledStates
from madnis_py.physics.observables.final_state import FinalState

if TYPE_CHECKING:
    from torch import Tensor

    from madnis_py.physics.cross_section.cross_section import CrossSection


@dataclass(frozen=True, eq=False)
class HistogramTally:
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
        entries: scipy.sparse.csr_array,
        weight: Array,
        square: Array,
        group: NDArray[np.int64],
        n_groups: int,
        variations: Array,
        events: tuple[int, int],
    ) -> HistogramTally:
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
        of_groups = scipy.sparse.csr_array(
            (weight, (group, np.arange(len(weight)))), shape=(n_groups, len(weight))
        )
        products = entries.T @ scipy.sparse.diags_array(square) @ entries
        return cls(
            sums=(of_groups @ entries).toarray(),
            products=products.toarray(),
            variations=(entries.T @ variations).T,
            events=np.array(events),
        )

    def merged(self, other: HistogramTally) -> HistogramTally:
        """Sums over the events of both."""
        return HistogramTally(
            self.sums + other.sums,
            self.products + other.products,
            self.variations + other.variations,
            self.events + other.events,
        )

    def histogram(self, binning: Binning, covariance: Array, unit: float) -> Histogram:
        """The histogram of the sums over all groups.

        Args:
            binning: observable and edges.
            covariance: of the sums, float64, shape (B + 3, B + 3).
            unit: pb per unit of the sums.
        """
        sums, squares = self.sums.sum(axis=0), np.diag(self.products)
        effective = np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)
        return Histogram(
            binning, unit * sums, unit**2 * covariance, effective, unit * self.variations
        )


@dataclass(frozen=True)
class PointTallies:
    """Tallies of weighted points of a multi-channel integral, for the workers of a sampler.

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

    def __call__(self, samples: Samples) -> list[HistogramTally]:
        """A tally for each binning."""
        live = self.states.of_live(samples)
        points = self.counts[live.channel]
        weight = live.magnitude / points
        rest = (
            weight,
            weight**2 * points / (points - 1),
            live.channel,
            len(self.counts),
            np.empty((len(weight), 0)),
            (len(samples), len(samples)),
        )
        return [
            HistogramTally.of(binning.entries(live.parts, live.share), *rest)
            for binning in self.binnings
        ]

    def histograms(self, tallies: Iterable[Sequence[HistogramTally]]) -> list[Histogram]:
        """The histograms that the tallies of all blocks give."""
        counts = np.maximum(self.counts, 2)
        histograms = []
        for binning, tally in zip(self.binnings, _added(tallies), strict=True):
            means = tally.sums / np.sqrt(counts - 1)[:, None]
            histograms.append(tally.histogram(binning, tally.products - means.T @ means, 1.0))
        return histograms


def histograms_of_points(
    sampler: ImportanceSampler,
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
        watch: called with the number of points that are done.
    """
    classes = (codes for binning in binnings for codes in binning.observable.classes)
    work = PointTallies(SampledStates(cross_section, classes), tuple(binnings), counts.numpy())
    blocks = sampler.map_blocks(PickledOnce(work), counts, *path)
    return work.histograms(_watched(blocks, watch))


def _watched(
    blocks: Iterable[list[HistogramTally]], watch: Callable[[int], None]
) -> Iterator[list[HistogramTally]]:
    """The tallies of blocks, with a call for each that tells how many points are done."""
    done = 0
    for tallies in blocks:
        yield tallies
        done += int(tallies[0].events[0]) if tallies else 0
        watch(done)


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
    histograms = []
    for binning, tally in zip(binnings, tallies, strict=True):
        events, different = tally.events
        total = tally.sums[0]
        spread = tally.products - np.outer(total, total) / different
        covariance = spread * different / (different - 1)
        histograms.append(tally.histogram(binning, covariance, float(1 / events)))
    return histograms


def _tallies_of_events(events: EventBatch, binnings: Sequence[Binning]) -> list[HistogramTally]:
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
    return [HistogramTally.of(binning.entries(parts, whole), *rest) for binning in binnings]


def final_states(events: EventBatch) -> FinalState:
    """The outgoing particles of events."""
    return FinalState(events.momenta, events.pdg, events.status == OUTGOING)


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


def _added(tallies: Iterable[Sequence[HistogramTally]]) -> list[HistogramTally]:
    """The tallies of all parts together, one for each histogram."""
    parts = iter(tallies)
    total = list(next(parts, []))
    for part in parts:
        total = [one.merged(other) for one, other in zip(total, part, strict=True)]
    return total
