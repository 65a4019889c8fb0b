"""Densities of the partons of one beam."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.pdf.pdf import AbstractPdf


class BeamDensity(ABC):
    """The densities of the partons of one beam, one for each combination of flavours.

    Attributes:
        pdf: the set that they come from; None where they come from none.
    """

    pdf: AbstractPdf | None = None

    @abstractmethod
    def evaluate(self, x: Array, q2: Array) -> Array:
        """Momentum densities x f(x, Q^2) of the partons of this beam.

        Args:
            x: shares of the beam, float64, contiguous, shape (n,).
            q2: squared factorisation scale in GeV^2, float64, contiguous, shape (n,).

        Returns:
            float64, shape (n, n_flavours), or (n, 1) for one that is the same for all of them.
        """


class WholeBeam(BeamDensity):
    """A beam that is its parton: the number 1, at x = 1."""

    def evaluate(self, x: Array, q2: Array) -> Array:
        """Ones; see `BeamDensity.evaluate`."""
        return np.ones((len(x), 1))


class SetDensity(BeamDensity):
    """The densities of a hadron in a PDF set; each is looked up once.

    Args:
        pdf: the set.
        partons: PDG code of the parton of every combination of flavours, as the set has them: for
            an antiproton those of the antiparticles.

    Attributes:
        pdf: as given.
        codes: the codes that occur.
        places: of every combination among them, int64 (n_flavours,).
    """

    def __init__(self, pdf: AbstractPdf, partons: Sequence[int]) -> None:
        self.pdf: AbstractPdf = pdf
        codes, self.places = np.unique(np.asarray(partons, np.int32), return_inverse=True)
        self.codes: list[int] = codes.tolist()

    def evaluate(self, x: Array, q2: Array) -> Array:
        """See `BeamDensity.evaluate`."""
        return np.take(self.pdf.density(self.codes, x, q2), self.places, axis=1)
