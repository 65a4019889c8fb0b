"""Histograms of observables: bins, and the cross section in each of them with its covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # loads its parts when they are needed

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.cross_section.sampled_states import Parts
from madnis_py.physics.observables.observable import Observable

if TYPE_CHECKING:
    from hist import Hist


@dataclass(frozen=True, eq=False)
class Binning:
    """The bins of an observable.

    Attributes:
        observable: what is measured.
        edges: ascending, GeV or dimensionless, float64, shape (B + 1,); bins hold their lower end.
    """

    observable: Observable
    edges: Array

    def entries(self, parts: Parts, share: Array) -> scipy.sparse.csr_array:
        """Entries of each event in each bin.

        Args:
            parts: of the events.
            share: of all parts together, float64, shape (n,).

        Returns:
            float64, shape (n, B + 3): below the first bin, the bins, above the last one, and the
                share for the event itself.
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
        return scipy.sparse.csr_array((np.concatenate(shares), places), shape=(n, whole + 1))


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
    def sum_of(cls, parts: Sequence[Histogram]) -> Histogram:
        """The distribution of several samples of the same bins, which know nothing of each other.

        Args:
            parts: one at least, with the same variations.
        """
        first, *others = parts
        if not others:
            return first
        contents, variations = (
            np.sum([getattr(part, name) for part in parts], axis=0)
            for name in ("contents", "variations")
        )
        squares = sum(  # sum w^2 of each place
            np.divide(
                part.contents**2,
                part.effective_entries,
                out=np.zeros_like(part.contents),
                where=part.effective_entries > 0,
            )
            for part in parts
        )
        effective = np.divide(contents**2, squares, out=np.zeros_like(contents), where=squares > 0)
        covariance = np.sum([part.covariance for part in parts], axis=0)
        return cls(first.binning, contents, covariance, effective, variations)

    @property
    def observable(self) -> Observable:
        """Observable on the axis."""
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
        """The bins as `hist.Hist` with weight storage, underflow and overflow included.

        Values are in pb, variances in pb^2.

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
