"""Nuclei: their names, and their densities as the sum over the nucleons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from madnis_py.arrays import Array
from madnis_py.physics.beam_densities.beam_density import BeamDensity
from madnis_py.physics.pdf.pdf import AbstractPdf

ATOMIC_MASS = 0.93149410
"""Mass of a nucleus per nucleon in GeV."""

_ELEMENTS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy "
    "Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U"
)
"""Symbols of the elements in the order of their charges, from 1 on."""

_CODE = re.compile(r"100(\d{3})(\d{3})0")
_NAME = re.compile(r"([A-Z][a-z]?)(\d{1,3})")
_SWAPPED = {1: 2, 2: 1, -1: -2, -2: -1}
"""Isospin: the parton of a proton that a neutron has in the place of another."""


@dataclass(frozen=True)
class Nucleus:
    """A nucleus.

    Attributes:
        protons: their number.
        nucleons: number of protons and neutrons.
    """

    protons: int
    nucleons: int

    @classmethod
    def of(cls, name: str) -> Nucleus | None:
        """The nucleus with a name such as "Pb208", or a PDG code; None where there is none."""
        if code := _CODE.fullmatch(name):
            found = cls(int(code[1]), int(code[2]))
        elif (text := _NAME.fullmatch(name)) and text[1] in _ELEMENTS.split():
            found = cls(_ELEMENTS.split().index(text[1]) + 1, int(text[2]))
        else:
            return None
        return found if 0 < found.protons <= found.nucleons else None

    @property
    def pdg(self) -> int:
        """PDG code, 10LZZZAAAI of the ground state."""
        return 1_000_000_000 + 10_000 * self.protons + 10 * self.nucleons


class NucleusDensity(BeamDensity):
    """The sum of the densities of the nucleons, each with the same energy.

    Args:
        pdf: the set of a proton; a neutron has its u and d exchanged.
        partons: PDG code of the parton of every combination of flavours.
        protons: number of nucleons as the set has them.
        neutrons: number of those with u and d exchanged.
    """

    def __init__(
        self, pdf: AbstractPdf, partons: Sequence[int], protons: int, neutrons: int
    ) -> None:
        self.pdf: AbstractPdf = pdf
        self._numbers = protons, neutrons
        exchanged = [_SWAPPED.get(pdg, pdg) for pdg in partons]
        codes, places = np.unique([partons, exchanged], return_inverse=True)
        self._codes: list[int] = codes.tolist()
        self._places = places.reshape(2, -1)

    def evaluate(self, x: Array, q2: Array) -> Array:
        """See `BeamDensity.evaluate`; x is the share of the energy of a nucleon."""
        densities = self.pdf.density(self._codes, x, q2)
        protons, neutrons = (np.take(densities, place, axis=1) for place in self._places)
        return np.asarray(self._numbers[0] * protons + self._numbers[1] * neutrons)
