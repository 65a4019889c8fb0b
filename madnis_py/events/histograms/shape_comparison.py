"""Comparison of the shapes of two histograms: chi^2 with their covariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # loads its parts when they are needed

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.events.histograms.histogram import Histogram

LEAST_ENTRIES = 25.0
"""Effective entries of a bin from which its error can be trusted; bins with fewer are merged with
their neighbours."""

_INDEPENDENT = 1e-8
"""Least variance, in units of the mean one, of a combination of bins that is not fixed by the
others."""


@dataclass(frozen=True)
class Comparison:
    """Agreement of two distributions.

    Attributes:
        chi2: of the shapes.
        dof: independent bins.
        p_value: probability of a larger chi2 for equal distributions.
        bins: after merging, underflow and overflow included.
    """

    chi2: float
    dof: int
    p_value: float
    bins: int

    @property
    def chi2_per_dof(self) -> float:
        """Near 1 when they agree; 0 for a single bin."""
        return self.chi2 / self.dof if self.dof else 0.0


def compare(first: Histogram, second: Histogram, least: float = LEAST_ENTRIES) -> Comparison:
    """Compare the shapes of two independent histograms, each divided by its cross section.

    chi^2 = d^T (C_1 + C_2)^-1 d with the difference d of the shapes and their covariances, which
    contain what bins of one sample have in common; a combination of bins without variance, such as
    their sum, is left out.

    Args:
        first: with the same edges.
        second: with the same edges.
        least: effective entries that a bin needs in both.

    Raises:
        InputError: the edges differ, or a cross section is zero.
    """
    if not np.array_equal(first.edges, second.edges):
        raise InputError(
            f"histograms: {first.observable}: expected the same bins in both; got others"
        )
    merge = _merging(first, second, least)
    if len(merge) < 2:
        return Comparison(0.0, 0, 1.0, len(merge))
    (shape, covariance), (other_shape, other_covariance) = (
        _shape(first, merge),
        _shape(second, merge),
    )
    chi2, dof = _chi2(shape - other_shape, covariance + other_covariance)
    return Comparison(chi2, dof, float(scipy.special.chdtrc(dof, chi2)), len(merge))


def _merging(first: Histogram, second: Histogram, least: float) -> Array:
    """Places of a histogram that go into each merged bin, 0 or 1, shape (bins, B + 3)."""
    places = len(first.contents) - 1
    rows: list[Array] = [np.zeros(places + 1)]
    for place in range(places):
        if _enough(rows[-1], first, second, least):
            rows.append(np.zeros(places + 1))
        rows[-1][place] = 1.0
    if len(rows) > 1 and not _enough(rows[-1], first, second, least):
        last = rows.pop()
        rows[-1] += last
    return np.stack(rows)


def _enough(row: Array, first: Histogram, second: Histogram, least: float) -> bool:
    """Whether some places have `least` effective entries together, (sum w)^2 / sum w^2, in both."""
    for histogram in (first, second):
        contents, entries = histogram.contents, histogram.effective_entries
        squares = np.divide(contents**2, entries, out=np.zeros_like(contents), where=entries > 0)
        square = squares @ row
        together = float((contents @ row) ** 2 / square) if square else 0.0
        if not together >= least:
            return False
    return True


def _shape(histogram: Histogram, merge: Array) -> tuple[Array, Array]:
    """Contents over the cross section, and their covariance to first order."""
    total = histogram.total
    if total == 0:
        expected = "expected a cross section other than zero"
        raise InputError(f"histograms: {histogram.observable}: {expected}; got 0 pb")
    shape = merge @ histogram.contents / total
    whole = np.zeros(len(histogram.contents))
    whole[-1] = 1.0
    change = (merge - np.outer(shape, whole)) / total
    return shape, change @ histogram.covariance @ change.T


def _chi2(difference: Array, covariance: Array) -> tuple[float, int]:
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    used = error > 0
    variances, directions = np.linalg.eigh(
        covariance[np.ix_(used, used)] / np.outer(error[used], error[used])
    )
    kept = variances > _INDEPENDENT
    pulls = (difference[used] / error[used]) @ directions[:, kept] / np.sqrt(variances[kept])
    return float(pulls @ pulls), int(kept.sum())
