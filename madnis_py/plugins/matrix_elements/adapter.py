"""Adapter for matrix elements of other programs: |M|^2 from there, all else from ours."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from madnis_py.arrays import Array
from madnis_py.errors import InputError, IntegrandError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.observables.momenta import as_momenta

PROBED_COUPLINGS = (0.118, 0.236)
"""Values of alpha_s at which the power of alpha_s in |M|^2 is measured."""

ROTATION = np.linalg.qr(np.random.Generator(np.random.Philox(7)).normal(size=(3, 3)))[0]
"""An orthogonal matrix, (3, 3), that turns all axes: |M|^2 does not change but for rounding."""


class ExternalElement(MatrixElement):
    """|M|^2 of another program, with the colour flows, helicities and |M_i|^2 of ours.

    A subclass computes `external_squared`; one that has |M_i|^2 too overrides `evaluate`.

    Args:
        own: our matrix element of the same process.
        name: of the other program or its file, for messages.
    """

    def __init__(self, own: MatrixElement, name: str) -> None:
        self.own, self.name = own, name
        self.n_diagrams, self.n_particles = own.n_diagrams, own.n_particles
        self.flows, self.helicities = own.flows, own.helicities
        self.alpha_s_power = None

    @abstractmethod
    def external_squared(self, p: Array, alpha_s: Array) -> Array:
        """|M|^2 as the other program gives it, not checked.

        Args:
            p: momenta in GeV, float64 (n, n_particles, 4).
            alpha_s: float64 (n,).

        Returns:
            averaged and summed, GeV^(8 - 2 n_particles), float64 (n,).
        """

    def squared(self, p: Array, alpha_s: Array | float) -> Array:
        """See `MatrixElement.squared`.

        Raises:
            IntegrandError: a number is NaN or infinite.
        """
        return self.require_finite(p, self.external_squared(p, per_event(alpha_s, p)))

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """See `MatrixElement.evaluate`; |M_i|^2 are ours.

        Raises:
            IntegrandError: a number is NaN or infinite.
        """
        return self.squared(p, alpha_s), self.own.evaluate(p, alpha_s)[1]

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """See `MatrixElement.weights`; the shares of helicities and colour flows are ours."""
        me2, ours = self.squared(p, alpha_s), self.own.weights(p, alpha_s)
        ratio = np.divide(me2, ours.me2, out=np.ones_like(me2), where=ours.me2 != 0)
        return Weights(me2, ours.flows, ours.helicities * ratio[:, None])

    def require_finite(self, p: Array, me2: Array) -> Array:
        """The same |M|^2, (n,), if all are finite.

        Raises:
            IntegrandError: one is NaN or infinite; names the first such event and its momenta.
        """
        bad = np.flatnonzero(~np.isfinite(me2))
        if len(bad):
            got = f"{me2[bad[0]]} at event {bad[0]}: {p[bad[0]].tolist()}"
            raise IntegrandError(f"{self.name}: expected finite |M|^2; got {got}")
        return me2

    def probe_power(self, p: Array) -> int | None:
        """Our power of alpha_s if |M|^2 is proportional to it at momenta p; None if it is not."""
        low, high = (self.squared(p, alpha_s) for alpha_s in PROBED_COUPLINGS)
        power = self.own.alpha_s_power
        if power is None:
            return None
        expected = low * (PROBED_COUPLINGS[1] / PROBED_COUPLINGS[0]) ** power
        return power if np.allclose(high, expected, rtol=1e-5, atol=0) else None

    def probe_precision(self, p: Array, alpha_s: float) -> float:
        """The largest relative change of |M|^2 at momenta p when the axes are turned.

        An exact |M|^2 would not change: the number estimates the rounding errors.
        """
        turned = np.array(p)
        turned[:, :, 1:] = turned[:, :, 1:] @ ROTATION
        before, after = self.squared(p, alpha_s), self.squared(as_momenta(turned), alpha_s)
        return float(
            np.max(np.abs(after - before) / np.maximum(np.abs(before), np.finfo(np.float64).tiny))
        )

    def require_precision(self, p: Array, alpha_s: float, wanted: float) -> None:
        """Refuse a program that is less precise than the card says.

        Args:
            p: momenta in GeV, float64 (n, n_particles, 4).
            alpha_s: strong coupling.
            wanted: relative error of |M|^2 that is accepted.

        Raises:
            InputError: |M|^2 changes by more when the axes are turned.
        """
        got = self.probe_precision(p, alpha_s)
        if not got <= wanted:
            expected = f"expected |M|^2 to a relative precision of {wanted:g}"
            raise InputError(f"{self.name}: {expected}; turning the axes changes it by {got:.1g}")


def per_event(alpha_s: Array | float, p: Array) -> Array:
    """The strong coupling as contiguous float64 (n,)."""
    return np.ascontiguousarray(np.broadcast_to(np.asarray(alpha_s, np.float64), (len(p),)))
