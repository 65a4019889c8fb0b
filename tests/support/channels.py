"""Channels of processes with the cuts of real cards, and the phase space that they have to fill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from amplitudes import reaction
from scipy.integrate import quad

from madnis_py.physics.diagrams.diagrams import diagrams_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.cuts import Cut
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.phase_space.channel_topologies import ChannelTopology, channel_topologies
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.topology_mapping import (
    TopologyMapping,
    diagram_mapping,
    flat_mapping,
)

MODEL = Model("sm")
POLES = {
    particle.pdg: (MODEL.mass(particle.pdg), MODEL.width(particle.pdg))
    for particle in MODEL.particles
}
JETS = (1, 2, 3, 4, 21)
LEPTONS = (11, 13)

HADRONS = CollidingBeams.hadrons((6500.0, 6500.0))
ASYMMETRIC = CollidingBeams.hadrons((7000.0, 920.0))
PARTONS = CollidingBeams.partons((500.0, 500.0))
BEAMS = {"hadrons": HADRONS, "asymmetric": ASYMMETRIC, "partons": PARTONS}


@dataclass(frozen=True)
class Case:
    """A channel of a process between beams.

    Attributes:
        process: definition.
        beams: that collide.
        number: of the channel.
        cuts: that the map knows of.
    """

    process: str
    beams: CollidingBeams
    number: int
    cuts: tuple[Cut, ...] = ()

    def __str__(self) -> str:
        kind = next(
            (name for name, beams in BEAMS.items() if beams == self.beams), f"{self.beams.energies}"
        )
        return f"{self.process}, {kind}, {self.number}"

    @property
    def mass_limits(self) -> MassLimits:
        return MassLimits(masses(self.process), self.cuts, math.sqrt(self.beams.s))

    @property
    def channel(self) -> ChannelTopology:
        return channels(self.process)[self.number]

    def mapping(self, legs: tuple[int, ...] | None = None) -> TopologyMapping:
        return diagram_mapping(self.channel.topology, self.mass_limits, POLES, self.beams, legs)

    def flat(self) -> TopologyMapping:
        return flat_mapping(self.mass_limits, self.beams)


def cases(process: str, beams: CollidingBeams, cuts: tuple[Cut, ...] | None = None) -> list[Case]:
    """All channels of a process, with the cuts of its card or with others."""
    chosen = card_cuts(process) if cuts is None else cuts
    return [Case(process, beams, number, chosen) for number in range(len(channels(process)))]


@cache
def channels(process: str) -> tuple[ChannelTopology, ...]:
    one = reaction(process, MODEL)
    return channel_topologies(diagrams_of(recursion_of(one, VertexTable(MODEL))), one.legs, MODEL)


@cache
def masses(process: str) -> tuple[float, ...]:
    return tuple(MODEL.mass(pdg) for pdg in reaction(process, MODEL).legs)


@cache
def card_cuts(process: str) -> tuple[Cut, ...]:
    """Cuts: jets p_T > 20 GeV and Delta R > 0.4, leptons p_T > 10 GeV and m > 15 GeV together."""
    final = list(enumerate(reaction(process, MODEL).legs))[2:]
    jets = [leg for leg, pdg in final if abs(pdg) in JETS]
    leptons = [leg for leg, pdg in final if abs(pdg) in LEPTONS]
    chosen = [Cut("pt", (leg,), 20.0, math.inf) for leg in jets] + [
        Cut("pt", (leg,), 10.0, math.inf) for leg in leptons
    ]
    chosen += [Cut("dr", (a, b), 0.4, math.inf) for a in jets for b in jets if a < b]
    return (*chosen, Cut("mass", tuple(leptons), 15.0, math.inf)) if leptons else tuple(chosen)


def massless_volume(root: float, n: int) -> float:
    """Phase space of n massless particles with the factors of 2 pi, GeV^(2 n - 4)."""
    factorials = math.factorial(n - 1) * math.factorial(n - 2)
    return (
        (math.pi / 2) ** (n - 1) * root ** (2 * n - 4) / factorials * (2 * math.pi) ** (4 - 3 * n)
    )


def volume(root: float, final: tuple[float, ...]) -> float:
    """Phase space of massive particles, by two-body factors; root is the energy in GeV."""
    if not any(final):
        return massless_volume(root, len(final))
    first, *others = final
    if len(others) == 1:
        return _two_body(root, first, others[0])

    def integrand(rest: float) -> float:
        return rest / math.pi * _two_body(root, first, rest) * volume(rest, tuple(others))

    result, _ = quad(integrand, sum(others), root - first, epsrel=1e-7, epsabs=0.0, limit=200)
    return float(result)


def hadronic_volume(s_min: float, s_max: float, final: tuple[float, ...], power: float) -> float:
    """Integral over dx_1 dx_2 dPhi with the weight s-hat^-power from s_min to s_max = 4 E_1 E_2."""

    def integrand(log_s: float) -> float:
        s = math.exp(log_s)
        return float(-math.log(s / s_max) * s / s_max * volume(math.sqrt(s), final) * s**-power)

    bounds = math.log(s_min), math.log(s_max)
    result, _ = quad(integrand, *bounds, epsrel=1e-5, epsabs=0.0, limit=200)
    return float(result)


def _two_body(root: float, a: float, b: float) -> float:
    s = root * root
    return math.sqrt(max((s - (a + b) ** 2) * (s - (a - b) ** 2), 0.0)) / (8 * math.pi * s)
