"""Parton luminosities: the densities of two beams, or 1 for beams that are partons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.beam_densities.beam_density import BeamDensity
from madnis_py.physics.pdf.pdf import AbstractPdf
from madnis_py.physics.pdf.running_coupling import AlphaS


class PartonLuminosity(ABC):
    """The product of the densities of the two partons, for every combination of flavours.

    Attributes:
        hadronic: whether a parton carries a share of its beam that varies.
        pdfs: the set of either beam; None for one without.
    """

    hadronic: bool
    pdfs: tuple[AbstractPdf | None, AbstractPdf | None]

    @abstractmethod
    def evaluate(self, p: Array, q2: Array) -> Array:
        """f_a(x_a, Q^2) f_b(x_b, Q^2).

        Args:
            p: momenta in GeV, float64 (n, P, 4), partons first.
            q2: factorisation scale squared in GeV^2, float64 (n,), or (n, 2) for one of each beam.

        Returns:
            float64 (n, n_flavours).
        """

    @abstractmethod
    def alpha_s(self, q2: Array) -> Array:
        """Strong coupling at the scale squared q2 in GeV^2, float64 (n,)."""

    @property
    def sets(self) -> tuple[AbstractPdf, ...]:
        """The different sets, in the order of the beams."""
        return tuple(dict.fromkeys(pdf for pdf in self.pdfs if pdf))


class BeamLuminosity(PartonLuminosity):
    """The luminosity of two beams, each with densities of its own.

    Args:
        densities: of the beams.
        energies: of partons that carry all of their beams, in GeV.
        n_flavours: combinations of flavours.
        alpha_s: strong coupling at scales squared in GeV^2.

    Attributes:
        densities: as given.
        energies: as given.
        n_flavours: as given.
    """

    hadronic = True

    def __init__(
        self,
        densities: tuple[BeamDensity, BeamDensity],
        energies: tuple[float, float],
        n_flavours: int,
        alpha_s: Callable[[Array], Array],
    ) -> None:
        self.densities, self.energies, self.n_flavours = densities, energies, n_flavours
        self.pdfs = densities[0].pdf, densities[1].pdf
        self._alpha_s = alpha_s

    def evaluate(self, p: Array, q2: Array) -> Array:
        """See `PartonLuminosity.evaluate`."""
        x = [np.ascontiguousarray(p[:, beam, 0]) / self.energies[beam] for beam in (0, 1)]
        scales = (q2, q2) if q2.ndim == 1 else map(np.ascontiguousarray, q2.T)
        first, second = (
            density.evaluate(share, scale)
            for density, share, scale in zip(self.densities, x, scales, strict=True)
        )
        product: Array = first * second / (x[0] * x[1])[:, None]
        return product if product.shape[1] > 1 else np.repeat(product, self.n_flavours, axis=1)

    def alpha_s(self, q2: Array) -> Array:
        """See `PartonLuminosity.alpha_s`."""
        return self._alpha_s(q2)


class ConstantCoupling:
    """A strong coupling that is a parameter, at every scale.

    Args:
        value: the parameter aS.

    Attributes:
        value: as given.
    """

    def __init__(self, value: float) -> None:
        self.value = value

    def evaluate(self, q2: Array) -> Array:
        """alpha_s at scales squared in GeV^2, float64 (n,)."""
        return np.full(len(q2), self.value)


class UnitLuminosity(PartonLuminosity):
    """The luminosity of beams that are the partons: 1, with the strong coupling of the model.

    Args:
        n_flavours: combinations of flavours.
        coupling: strong coupling of the model.

    Attributes:
        n_flavours: as given.
        coupling: as given.
    """

    hadronic = False
    pdfs = (None, None)

    def __init__(self, n_flavours: int, coupling: ConstantCoupling | AlphaS) -> None:
        self.n_flavours = n_flavours
        self.coupling = coupling

    def evaluate(self, p: Array, q2: Array) -> Array:
        """Ones; see `PartonLuminosity.evaluate`."""
        return np.ones((len(p), self.n_flavours))

    def alpha_s(self, q2: Array) -> Array:
        """See `PartonLuminosity.alpha_s`."""
        return self.coupling.evaluate(q2)
