"""What collides: particles, energies and the helicities that are averaged over."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from madnis_py.card.card import Card
from madnis_py.physics.beam_densities.beamstrahlung import POWER
from madnis_py.physics.beam_densities.lepton_structure import radiation_power
from madnis_py.physics.beam_densities.masses import MASSES, PROTON
from madnis_py.physics.beam_densities.nucleus import ATOMIC_MASS, Nucleus
from madnis_py.physics.definition.definition import Definition
from madnis_py.physics.diagrams.polarisation import helicity_states
from madnis_py.physics.model.model import Model
from madnis_py.physics.phase_space.colliding_beams import CollidingBeam, CollidingBeams, Share

_HADRONS = {"p": 2212, "p~": -2212}
"""Name of a hadron on a card -> PDG code."""

_LEPTONS = (11, 13)

_FAST = 100.0
"""Energy of a hadron over its mass from which its mass does not count: it changes s by less than
1e-4 of itself."""


@dataclass(frozen=True)
class Beams:
    """What collides, or a particle at rest that decays, as the first beam.

    Attributes:
        pdg: PDG codes of the two beam particles; those of the partons for beams without parton
            densities.
        energies: in GeV; the mass of a target at rest.
        masses: in GeV; 0 for hadrons if both beams are much faster.
        shares: which share of a beam its parton carries.
        powers: of the peaks of peaked shares.
        nuclei: of beams that are such; their energies and masses are per nucleon.
        helicities: of the partons of each beam, equally many with each, twice their value for
            fermions.
    """

    pdg: tuple[int, int]
    energies: tuple[float, float]
    masses: tuple[float, float] = (0.0, 0.0)
    shares: tuple[Share, Share] = ("smooth", "smooth")
    powers: tuple[float, float] = (1.0, 1.0)
    helicities: tuple[tuple[int, ...], tuple[int, ...]] = ((-1, 1), (-1, 1))

    nuclei: tuple[Nucleus | None, Nucleus | None] = (None, None)

    @property
    def partonic(self) -> bool:
        """Whether both beams are their partons."""
        return self.colliding.partonic

    @property
    def colliding(self) -> CollidingBeams:
        """The beams as maps of phase space see them.

        Partons that carry a share are massless: x_1 x_2 of s where both do, as in MadGraph, in the
        frame in which their momenta along the beams are those shares of the hadrons'.
        """
        first, second = (self._colliding(beam) for beam in (0, 1))
        return CollidingBeams(first, second)

    def _colliding(self, beam: int) -> CollidingBeam:
        energy, share, mass = self.energies[beam], self.shares[beam], self.masses[beam]
        if share != "smooth":
            return CollidingBeam(energy, share, mass, self.powers[beam])
        if mass > 0:
            own, other = self._plus(beam), self._plus(1 - beam)
            if self.shares[1 - beam] == "whole":
                energy = (self.s - self.masses[1 - beam] ** 2) / (2 * other)
            else:
                energy = own / 2 * math.sqrt(self.s / (own * other))
        return CollidingBeam(energy, share)

    def _plus(self, beam: int) -> float:
        """E + |p| in GeV."""
        momentum = self.momenta[beam]
        return momentum[0] + abs(momentum[3])

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

    @property
    def total_energies(self) -> tuple[float, float]:
        """In GeV, of all nucleons of a nucleus together."""
        first, second = (
            energy * (nucleus.nucleons if nucleus else 1)
            for energy, nucleus in zip(self.energies, self.nuclei, strict=True)
        )
        return first, second

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
    if definition.n_incoming == 1:
        pdg = definition.incoming[0][0]
        mass = model.mass(pdg)
        return Beams((pdg, 0), (mass, 0.0), (mass, 0.0), ("whole", "whole"))
    first, second = _beams(definition, card, model)
    s = 4 * first.energy * second.energy
    return Beams(
        pdg=(first.pdg, second.pdg),
        energies=(first.energy, second.energy),
        masses=(first.mass, second.mass),
        shares=(first.share, second.share),
        powers=(first.power(s, model), second.power(s, model)),
        helicities=(first.helicities, second.helicities),
        nuclei=(first.nucleus, second.nucleus),
    )


def _beams(definition: Definition, card: Card, model: Model) -> tuple[_Beam, _Beam]:
    """Both beams, where a hadron has a mass if one of them is not fast."""
    first, second = (_Beam.of(beam, definition, card, model) for beam in (0, 1))
    if all(one.is_fast for one in (first, second)):
        return first.without_mass(), second.without_mass()
    return first, second


@dataclass(frozen=True)
class _Beam:
    """One of the beams; see `Beams`."""

    pdg: int
    energy: float
    share: Share
    mass: float = 0.0
    helicities: tuple[int, ...] = (-1, 1)
    nucleus: Nucleus | None = None
    radiates: bool = False

    @classmethod
    def of(cls, beam: int, definition: Definition, card: Card, model: Model) -> _Beam:
        name, energy = card.beams.particles[beam], card.beams.energy[beam]
        match card.beams.pdfs[beam]:
            case "none" if card.beams.tables[beam] == "none":
                pdg = _parton(beam, definition, card, model)
                mass = model.mass(pdg)
                return cls(pdg, energy or mass, "whole", mass, _helicities(pdg, model))
            case "isr" | "none":
                pdg = _parton(beam, definition, card, model)
                radiates = card.beams.pdfs[beam] == "isr"
                return cls(_lepton(pdg, card, model), energy, "peaked", radiates=radiates)
            case "epa":
                pdg = _radiating(name, card, model)
            case _:
                if nucleus := Nucleus.of(name):
                    mass = ATOMIC_MASS
                    return cls(
                        nucleus.pdg, energy or mass, "smooth", mass, nucleus=_checked(nucleus, card)
                    )
                pdg = _hadron(name, card)
        mass = MASSES[PROTON] if abs(pdg) in _HADRONS.values() else 0.0
        return cls(pdg, energy or mass, "smooth", mass)

    def power(self, s: float, model: Model) -> float:
        """Of the peak of the density of its partons; s of the beams in GeV^2."""
        if self.share != "peaked":
            return 1.0
        if not self.radiates:
            return POWER
        return float(radiation_power(s, MASSES[abs(self.pdg)], model.alpha_qed))

    @property
    def is_fast(self) -> bool:
        """Whether it is no hadron, or one whose mass does not count."""
        return self.share != "smooth" or self.energy >= _FAST * self.mass

    def without_mass(self) -> _Beam:
        """The same, a hadron as massless."""
        return replace(self, mass=0.0) if self.share == "smooth" else self


def _parton(beam: int, definition: Definition, card: Card, model: Model) -> int:
    """PDG code of the parton of a beam that consists of them."""
    pdg, name = definition.incoming[beam][0], card.beams.particles[beam]
    if name and model.pdg_of.get(name) != pdg:
        parton = model.particle_name(pdg)
        expected = f'expected {parton}, the parton of "{definition.text}" without densities'
        raise card.error("beams.particle", f'{expected}; got "{name}"')
    return pdg


def _lepton(pdg: int, card: Card, model: Model) -> int:
    """The code of a particle that radiates and stays what it is."""
    if abs(pdg) not in _LEPTONS or model.mass(pdg) > 0:
        expected = "expected massless e-, e+, mu- or mu+ in beams that radiate"
        raise card.error("beams.pdf", f"{expected}; got {model.particle_name(pdg)}")
    return pdg


def _radiating(name: str, card: Card, model: Model) -> int:
    """PDG code of a particle that radiates photons; a proton if it has no name."""
    pdg = _HADRONS.get(name or "p", model.pdg_of.get(name, 0))
    if abs(pdg) not in (*_LEPTONS, *_HADRONS.values()):
        expected = 'expected p, p~, e-, e+, mu- or mu+ for "epa"'
        raise card.error("beams.particle", f'{expected}; got "{name}"')
    return pdg


def _checked(nucleus: Nucleus, card: Card) -> Nucleus:
    """A nucleus whose densities the card tells how to make."""
    if card.beams.nucleons is None:
        expected = 'expected "free" or "bound" for a nucleus'
        raise card.error("beams.nucleons", f"{expected}; got none")
    return nucleus


def _hadron(name: str, card: Card) -> int:
    """PDG code of a particle that has parton densities."""
    if name not in ("", *_HADRONS):
        known = f"{', '.join(_HADRONS)}, or a nucleus such as Pb208"
        expected = f"expected one of {known} for a beam with parton densities"
        raise card.error("beams.particle", f'{expected}; got "{name}"')
    return _HADRONS[name or "p"]


def _helicities(pdg: int, model: Model) -> tuple[int, ...]:
    """Those of a beam that is not polarised: all that exist."""
    if model.is_left_handed(pdg):
        return (-1,) if pdg > 0 else (1,)
    return helicity_states(model, pdg)
