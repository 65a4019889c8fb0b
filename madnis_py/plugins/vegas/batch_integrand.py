"""An integrand of vegas that somebody looks at."""

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

Evaluate = Callable[[Array, Array | None], Array]


LARGEST = 1e140
"""gvar and vegas keep squares of errors: integrals above this, or below its inverse, have none."""


@contextmanager
def real_numbers() -> Iterator[None]:
    """Refuse an integrand whose imaginary part numpy would drop.

    Raises:
        IntegrandError: it was complex.
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
            raise IntegrandError(
                f"integrand: expected an integral of the size {scales}, give it another unit; got {mean:g}"
            )


class WatchedIntegrand(vegas.VegasIntegrand):  # type: ignore[misc]
    """Evaluates an integrand in its standard form and shows the values of the first component.

    Args:
        integrand: in the standard form of vegas.
        watch: is given the values of each batch, float64, shape (n,).
        pool: of processes that share a batch, if any.
        nproc: their number.
    """

    def __init__(
        self,
        integrand: vegas.VegasIntegrand,
        watch: Callable[[Array], None],
        pool: Pool | None,
        nproc: int,
    ) -> None:
        for name in ("shape", "fcntype", "size", "bdict"):
            setattr(self, name, getattr(integrand, name))
        self.mpi_nproc = 1
        self.eval = _Watched(
            integrand.eval if pool is None else _Shared(integrand.eval, pool, nproc), watch
        )


class _Watched:
    def __init__(self, evaluate: Evaluate, watch: Callable[[Array], None]) -> None:
        self.evaluate = evaluate
        self.watch = watch

    def __call__(self, x: Array, jac: Array | None = None) -> Array:
        values = np.asarray(self.evaluate(x, jac), dtype=float)
        self.watch(values[:, 0])
        return values


class _Shared:
    """A batch cut into a piece per process."""

    def __init__(self, evaluate: Evaluate, pool: Pool, nproc: int) -> None:
        self.evaluate = evaluate
        self.pool = pool
        self.nproc = nproc

    def __call__(self, x: Array, jac: Array | None = None) -> Array:
        edges = np.linspace(0, len(x), self.nproc + 1).astype(int)
        pieces = [(x[low:high], None) for low, high in pairwise(edges) if low < high]
        return np.concatenate(self.pool.starmap(self.evaluate, pieces, 1), axis=0, dtype=float)
