"""Integrand of vegas whose values are shown to an observer, and checks of its numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from multiprocessing.pool import Pool
from typing import Any

import gvar
import numpy as np
import vegas

from madnis_py.arrays import Array
from madnis_py.errors import IntegrandError

StandardForm = Callable[[Array, Array | None], Array]
"""Function of points (n, dim) and their Jacobians, or None, with values (n, components)."""


LARGEST = 1e140
"""Largest absolute value of an integral, and inverse of the smallest: the squares of errors, which
gvar and vegas keep, are finite and not 0 in between."""


@contextmanager
def require_real_numbers() -> Iterator[None]:
    """Refuse an integrand whose imaginary part numpy would drop.

    Raises:
        IntegrandError: the integrand is complex.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            yield
        except np.exceptions.ComplexWarning:
            raise IntegrandError("integrand: expected real numbers; got complex ones") from None


def require_figures(result: Any) -> None:
    """Refuse a result whose error means nothing.

    Raises:
        IntegrandError: a component is not finite, or too small or large for the square of its
            error.
    """
    means = np.ravel(gvar.mean(result.buf if hasattr(result, "buf") else result)).astype(float)
    for mean in means:
        if not np.isfinite(mean):
            raise IntegrandError(f"integrand: expected finite numbers; their integral is {mean}")
        if mean and not 1 / LARGEST < abs(mean) < LARGEST:
            scales = f"{1 / LARGEST:g} to {LARGEST:g}"
            expected = f"expected an integral of the size {scales}, give it another unit"
            raise IntegrandError(f"integrand: {expected}; got {mean:g}")


class ObservedIntegrand(vegas.VegasIntegrand):  # type: ignore[misc]
    """An integrand in the standard form of vegas that shows its values to an observer.

    Args:
        integrand: in the standard form of vegas.
        observe: is given the first component at each batch, float64, shape (n,).
        pool: processes that share a batch, if any.
        nproc: number of these processes.
    """

    def __init__(
        self,
        integrand: vegas.VegasIntegrand,
        observe: Callable[[Array], None],
        pool: Pool | None,
        nproc: int,
    ) -> None:
        for name in ("shape", "fcntype", "size", "bdict"):
            setattr(self, name, getattr(integrand, name))
        self.mpi_nproc = 1
        evaluate = integrand.eval if pool is None else _InProcesses(integrand.eval, pool, nproc)

        def evaluate_and_show(x: Array, jac: Array | None = None) -> Array:
            values = np.asarray(evaluate(x, jac), dtype=float)
            observe(values[:, 0])
            return values

        self.eval = evaluate_and_show


class _InProcesses:
    """Evaluation of a batch that is cut into a piece per process."""

    def __init__(self, evaluate: StandardForm, pool: Pool, nproc: int) -> None:
        self.evaluate = evaluate
        self.pool = pool
        self.nproc = nproc

    def __call__(self, x: Array, jac: Array | None = None) -> Array:
        edges = np.linspace(0, len(x), self.nproc + 1).astype(int)
        pieces = [(x[low:high], None) for low, high in pairwise(edges) if low < high]
        return np.concatenate(self.pool.starmap(self.evaluate, pieces, 1), axis=0, dtype=float)
