"""Parton luminosities: the densities of two protons, or 1 for beams that are partons."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.physics.model.model import Model
from madnis_py.physics.pdf.pdf import AbstractPdf, load_pdf
from madnis_py.physics.pdf.pdf_sets import choices


class PartonLuminosity(ABC):
    """The product of the densities of the two partons, for every combination of flavours.

    Attributes:
        hadronic: whether the partons carry a share of the beam that varies.
        pdf: the set; None for beams that are partons.
    """

    hadronic: bool
    pdf: AbstractPdf | None

    @abstractmethod
    def evaluate(self, p: Array, q2: Array) -> Array:
        """f_a(x_a, Q^2) f_b(x_b, Q^2).

        Args:
            p: momenta in GeV, float64 (n, P, 4), partons first.
            q2: factorisation scale squared in GeV^2, float64 (n,).

        Returns:
            float64 (n, n_flavours).
        """

    @abstractmethod
    def alpha_s(self, q2: Array) -> Array:
        """Strong coupling at the scale squared q2 in GeV^2, float64 (n,)."""


class ProtonLuminosity(PartonLuminosity):
    """The luminosity of two protons that share a PDF set.

    Args:
        pdf: the set.
        energies: of the beams in GeV.
        partons: PDG codes of the two partons of every combination of flavours, shape (n_flavours,
            2).

    Attributes:
        pdf: as given.
        energies: as given.
        beams: of either beam the PDG codes that occur, int32 (k,), and for every combination the
            place of its own among them, (n_flavours,).
    """

    hadronic = True

    def __init__(
        self, pdf: AbstractPdf, energies: tuple[float, float], partons: NDArray[np.int32]
    ) -> None:
        self.pdf: AbstractPdf = pdf
        self.energies = energies
        self.beams = [np.unique(partons[:, beam], return_inverse=True) for beam in (0, 1)]

    def evaluate(self, p: Array, q2: Array) -> Array:
        """See `PartonLuminosity.evaluate`; every density is looked up once."""
        x = [np.ascontiguousarray(p[:, beam, 0]) / self.energies[beam] for beam in (0, 1)]
        first, second = (
            np.take(self.pdf.density(partons.tolist(), x_beam, q2), columns, axis=1)
            for x_beam, (partons, columns) in zip(x, self.beams, strict=True)
        )
        return first * second / (x[0] * x[1])[:, None]

    def alpha_s(self, q2: Array) -> Array:
        """Strong coupling of the set."""
        return self.pdf.alpha_s(q2)


class UnitLuminosity(PartonLuminosity):
    """The luminosity of beams that are the partons: 1, with the strong coupling of the model.

    Args:
        n_flavours: combinations of flavours.
        alpha_s: the parameter aS, used at every scale.

    Attributes:
        n_flavours: as given.
        coupling: the parameter aS.
    """

    hadronic = False
    pdf = None

    def __init__(self, n_flavours: int, alpha_s: float) -> None:
        self.n_flavours = n_flavours
        self.coupling = alpha_s

    def evaluate(self, p: Array, q2: Array) -> Array:
        """Ones; see `PartonLuminosity.evaluate`."""
        return np.ones((len(p), self.n_flavours))

    def alpha_s(self, q2: Array) -> Array:
        """The parameter aS."""
        return np.full(len(q2), self.coupling)


def parton_luminosity(card: Card, flavours: NDArray[np.int32], model: Model) -> PartonLuminosity:
    """The luminosity of the beams of a card.

    Args:
        card: its table [beams].
        flavours: PDG codes of the external legs, incoming first, shape (n_flavours, P).
        model: for aS where the beams have no PDF.

    Raises:
        PdfError: the set cannot be loaded.
        CardError: a proton should hold what it does not, or the card names no set for it.
    """
    if card.beams.pdf == "none":
        return UnitLuminosity(len(flavours), model["aS"])
    for pdg in dict.fromkeys(flavours[:, :2].ravel().tolist()):
        name, mass = model.particle_name(pdg), model.mass(pdg)
        if model.particle(pdg).colour == 1 and name != "a":
            named = f' of "{card.beams.pdf}"' if card.beams.pdf else ""
            expected = f"expected quarks, gluons or photons in the protons{named}"
            raise card.error(
                "beams.pdf", f'{expected}; got {name}, which needs pdf = "none" for both beams'
            )
        if mass > 0:
            raise card.error(
                "beams.pdf", f"expected partons of mass 0 in protons; got {name} of {mass:g} GeV"
            )
    if card.beams.pdf is None:
        raise card.error(
            "beams.pdf", f"expected the parton densities of the protons; got none. {choices()}"
        )
    return ProtonLuminosity(
        load_pdf(card.beams.pdf, card.beams.pdf_backend), card.beams.energy, flavours[:, :2]
    )
