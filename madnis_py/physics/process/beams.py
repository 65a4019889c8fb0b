"""What collides: particles, energies and the helicities that are averaged over."""

from __future__ import annotations

import math
from dataclasses import dataclass

from madnis_py.card.card import Card
from madnis_py.physics.amplitudes.helicities import helicity_states
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.model.model import Model

_PROTON = 2212


@dataclass(frozen=True)
class Beams:
    """What collides.

    Attributes:
        pdg: PDG codes of the two beam particles; those of the partons for beams without parton
            densities.
        energies: in GeV.
        masses: in GeV; 0 for protons, whose energies are much larger.
        helicities: of the partons of each beam, equally many with each, twice their value for
            fermions.
    """

    pdg: tuple[int, int]
    energies: tuple[float, float]
    masses: tuple[float, float] = (0.0, 0.0)
    helicities: tuple[tuple[int, ...], tuple[int, ...]] = ((-1, 1), (-1, 1))

    @property
    def momenta(
        self,
    ) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
        """(E, px, py, pz) in GeV, the first along +z and the second along -z."""
        first, second = (
            math.sqrt((energy - mass) * (energy + mass))
            for energy, mass in zip(self.energies, self.masses, strict=True)
        )
        return (self.energies[0], 0.0, 0.0, first), (self.energies[1], 0.0, 0.0, -second)

    @property
    def s(self) -> float:
        """Squared energy of the beams in their centre-of-mass frame, GeV^2."""
        a, b = self.momenta
        return self.masses[0] ** 2 + self.masses[1] ** 2 + 2 * (a[0] * b[0] - a[3] * b[3])

    def spin_factor(self, partons: tuple[int, int], model: Model) -> float:
        """Ratio of the averages of |M|^2 over helicities: those of the beams to all of the partons.

        Matrix elements follow MadGraph and average over two helicities of a neutrino, of which
        there is one: 2.
        """
        averaged = (len(helicity_states(model, pdg)) for pdg in partons)
        return math.prod(
            count / len(states) for count, states in zip(averaged, self.helicities, strict=True)
        )


def beams_of(definition: Definition, card: Card, model: Model) -> Beams:
    """The beams of a card."""
    if card.beams.pdf != "none" or definition.n_incoming != 2:
        return Beams((_PROTON, _PROTON), card.beams.energy)
    first, second = (partons[0] for partons in definition.incoming)
    return Beams(
        pdg=(first, second),
        energies=card.beams.energy,
        masses=(model.mass(first), model.mass(second)),
        helicities=(_helicities(first, model), _helicities(second, model)),
    )


def _helicities(pdg: int, model: Model) -> tuple[int, ...]:
    """Those of a beam that is not polarised: all that exist."""
    if model.is_left_handed(pdg):
        return (-1,) if pdg > 0 else (1,)
    return helicity_states(model, pdg)
