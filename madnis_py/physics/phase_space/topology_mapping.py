"""Channel mappings from topologies: which distribution every line gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.phase_space.colliding_beams import CollidingBeams
from madnis_py.physics.phase_space.mapping import ChannelMapping, MapDescription
from madnis_py.physics.phase_space.s_channel import LEAST_ENERGY
from madnis_py.physics.phase_space.topology import Cluster, Topology

_CUT_OFF = 1.0
"""GeV: where the density of a line levels off whose limit lies on its pole."""

_SHARE_OF_PEAK = 0.95
"""Share of the points of a resonance that lie on its peak; the others cover its tails, where rare
large weights would be left.

With all points on the peak the flow has an efficiency of 3.0 ... 13.2 % for `z_1j` (four seeds), so
13.4 ... 15.0 %; for `ww_leptons` (three) 4.7 ... 8.3 % and 5.2 ... 9.6 %. The standard deviation of
VEGAS changes by -10 % (e+ e- mu+ mu-) to +2 % (e+ ve h).
"""

_SHARE_BELOW_THRESHOLD = 0.5
"""The same share of a resonance that carries the energy of the partons and weighs less than the
resonances that it decays to."""

_REST_POWER = 0.5
"""Power of 1 / s for the squared mass of what is left after a cluster, which has no propagator."""

_FEW_LEGS = 8
"""Legs up to which a device has kernels that need less memory, as in `cpp/cuda/phase_space.cu`."""

_S_HAT_POWER = 1.5
"""Power of 1 / s-hat where no resonance carries it: |M|^2, flux and parton densities together."""


class TopologyMapping(ChannelMapping):
    """The unit cube to the phase space of a topology, Sec. 2.2.3 of the MadNIS thesis.

    Jacobian: dx_1 dx_2 dPhi_n / dx, GeV^(2 n_out - 4), without the dx of beams that are partons.

    Args:
        topology: how the final particles come together.
        lines: distributions of the squared masses of its lines.
        limits: least and greatest masses that the cuts leave.
        least_energy: of the partons in GeV.
        beams: energies, masses and shares.
        legs: position of leg k of the topology among the particles of an event; may exchange the
            incoming ones.

    Raises:
        InputError: fewer than two final particles, no room between the cuts and the energy of the
            beams, or none for the mass of a line.
    """

    def __init__(
        self,
        topology: Topology,
        lines: Lines,
        limits: MassLimits,
        least_energy: float,
        beams: CollidingBeams,
        legs: Sequence[int] | None = None,
    ) -> None:
        self._arguments = (topology, lines, limits, least_energy, beams, legs)
        self.n_particles = len(limits.masses)
        self.dim = 3 * (self.n_particles - 2) - 4 + beams.dim
        clusters: list[_core.Cluster] = []
        top = [_enter(cluster, lines, limits, clusters) for cluster in topology.clusters]
        rests = _least_rests(topology, limits, [clusters[place].minimum for place in top])
        self.s_min = max(least_energy, rests[0], sum(beams.masses), LEAST_ENERGY) ** 2
        most = limits.cut_on_mass(range(2, self.n_particles))
        self._check(beams, most)
        self._kernel = _core.Topology(
            beams=(beams.first.described, beams.second.described),
            s_hat=lines.s_hat(topology, self.s_min),
            s_range=(self.s_min, min(beams.s, most**2)),
            clusters=clusters,
            top=top,
            exchanges=[lines.exchange(pdg) for pdg in topology.exchanges],
            least_rest=rests,
            rest=lines.rest(),
            legs=list(legs if legs is not None else range(self.n_particles)),
        )

    def __reduce__(self) -> tuple[object, ...]:
        return TopologyMapping, self._arguments

    def _check(self, beams: CollidingBeams, most: float) -> None:
        if self.n_particles < 4:
            raise InputError("expected at least two final particles; got one")
        if not self.s_min < beams.s:
            room = f"expected beams above the threshold of {self.s_min**0.5:g} GeV"
            raise InputError(f"{room}; got sqrt(s) = {beams.s**0.5:g} GeV")
        least = beams.s if beams.partonic else self.s_min
        if most**2 < least:
            room = f"expected a mass of all final particles up to {least**0.5:g} GeV or more"
            raise InputError(f"{room}; got at most {most:g} GeV")

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map points of the unit cube to momenta; see `ChannelMapping.forward`."""
        return self._kernel.forward(x)

    def inverse(self, p: Array) -> tuple[Array, Array]:
        """Map momenta to points of the unit cube; see `ChannelMapping.inverse`."""
        return self._kernel.inverse(p)

    @property
    def description(self) -> MapDescription:
        """See `ChannelMapping.description`."""
        family = "topology" if self.n_particles <= _FEW_LEGS else "large_topology"
        return MapDescription(family, self._kernel)


def _enter(
    cluster: Cluster,
    lines: Lines,
    limits: MassLimits,
    entries: list[_core.Cluster],
) -> int:
    """Append a cluster after its children; returns its place."""
    if not cluster.children:
        leg = positions(cluster.legs)[0]
        entries.append(_core.Cluster.external(leg=leg, minimum=limits.masses[leg]))
    else:
        left, right = (_enter(child, lines, limits, entries) for child in cluster.children)
        inside = entries[left].minimum + entries[right].minimum
        least = max(limits.least_mass(positions(cluster.legs)), inside)
        line = lines.decaying(cluster, least)
        most = limits.cut_on_mass(positions(cluster.legs))
        if not least < most:
            place = f"particles {' '.join(str(leg + 1) for leg in positions(cluster.legs))}"
            expected = f"expected a mass of {place} above {least:g} GeV"
            raise InputError(f"{expected}; got at most {most:g} GeV")
        entries.append(
            _core.Cluster.decaying(left=left, right=right, minimum=least, maximum=most, line=line)
        )
    return len(entries) - 1


def _least_rests(topology: Topology, limits: MassLimits, minima: Sequence[float]) -> list[float]:
    """Least mass of each cluster and those after it together; 0 after the last."""
    rests, legs = [0.0], 0
    for cluster, minimum in zip(reversed(topology.clusters), reversed(minima), strict=True):
        legs |= cluster.legs
        rests.append(max(limits.least_mass(positions(legs)), minimum + rests[-1]))
    return rests[::-1]


class Lines(Protocol):
    """Distributions of the squared masses of lines."""

    def s_hat(self, topology: Topology, s_min: float) -> _core.Line:
        """Of the energy of the partons."""

    def decaying(self, cluster: Cluster, least: float) -> _core.Line:
        """Of a line that decays, at least `least` GeV heavy."""

    def exchange(self, pdg: int) -> _core.Line:
        """Of minus a momentum transfer."""

    def rest(self) -> _core.Line:
        """Of what is left after a cluster."""


@dataclass(frozen=True)
class PropagatorLines:
    """Lines that follow the propagators of a diagram, Eqs. (2.43) to (2.45) of the MadNIS thesis.

    Where the mass can be reached, and may be, a Breit-Wigner with a twentieth of the points on its
    tail, half of them if it carries the energy of the partons and its decay products are resonances
    that weigh more together, such as h > w+ w-; else 1 / (s - M^2). Momentum transfers as
    1 / (M^2 - t), levelled off at half of the smallest cut on p_T, and beyond the largest t that
    heavy partons reach.

    Attributes:
        poles: |PDG code| -> (mass, width) in GeV.
        pt_cut: smallest cut on p_T in GeV.
        parton_mass: larger mass of the two partons in GeV.
    """

    poles: Mapping[int, tuple[float, float]]
    pt_cut: float
    parton_mass: float = 0.0

    def s_hat(self, topology: Topology, s_min: float) -> _core.Line:
        """See `Lines.s_hat`."""
        least = math.sqrt(s_min)
        if len(topology.clusters) > 1 or not self._is_resonance(topology.clusters[0], least):
            usual = sum(map(self._usual_mass, topology.clusters))
            return _power(_S_HAT_POWER, _levelled(least, max(usual, _CUT_OFF)))
        (cluster,) = topology.clusters
        below = self.poles[cluster.pdg][0] < sum(
            self._usual_mass(child) for child in cluster.children
        )
        return self._peak(
            cluster, least, _S_HAT_POWER, _SHARE_BELOW_THRESHOLD if below else _SHARE_OF_PEAK
        )

    def decaying(self, cluster: Cluster, least: float) -> _core.Line:
        """See `Lines.decaying`."""
        if self._is_resonance(cluster, least):
            return self._peak(cluster, least, 1.0, _SHARE_OF_PEAK)
        pole = min(self.poles[cluster.pdg][0], least) ** 2
        return _power(1.0, pole if least**2 - pole > _CUT_OFF**2 else pole - _CUT_OFF**2)

    def _is_resonance(self, cluster: Cluster, least: float) -> bool:
        mass, width = self.poles[cluster.pdg]
        return width > 0 and mass > least and not cluster.off_shell

    def _peak(self, cluster: Cluster, least: float, power: float, share: float) -> _core.Line:
        """A Breit-Wigner with a share of the points, and a tail."""
        mass, width = self.poles[cluster.pdg]
        return _core.Line(
            kind=_core.LineKind.mixture,
            mass=mass,
            width=width,
            power=power,
            pole=_levelled(least),
            share=share,
        )

    def _usual_mass(self, cluster: Cluster) -> float:
        """The least mass of a line whose resonances are all on their shells."""
        mass, width = self.poles[cluster.pdg]
        inside = sum(self._usual_mass(child) for child in cluster.children)
        return max(mass, inside) if width > 0 or not cluster.children else inside

    def exchange(self, pdg: int) -> _core.Line:
        """See `Lines.exchange`."""
        scales = self.poles[pdg][0], self.pt_cut / 2, self.parton_mass
        return _power(1.0, -max(scale**2 for scale in scales))

    def rest(self) -> _core.Line:
        """See `Lines.rest`."""
        return _power(_REST_POWER)


class FlatLines:
    """Lines of flat phase space, RAMBO on diet (Plaetzer, arXiv:1308.2922)."""

    def s_hat(self, topology: Topology, s_min: float) -> _core.Line:
        """See `Lines.s_hat`."""
        return _power(_S_HAT_POWER, _levelled(math.sqrt(s_min)))

    def decaying(self, cluster: Cluster, least: float) -> _core.Line:
        """See `Lines.decaying`."""
        return _core.Line(kind=_core.LineKind.flat, count=cluster.legs.bit_count())

    def exchange(self, pdg: int) -> _core.Line:
        """Not used: there is no line between the partons."""
        return _power(0.0)

    def rest(self) -> _core.Line:
        """Not used."""
        return _power(0.0)


def diagram_mapping(
    topology: Topology,
    limits: MassLimits,
    poles: Mapping[int, tuple[float, float]],
    beams: CollidingBeams,
    legs: Sequence[int] | None = None,
) -> TopologyMapping:
    """The mapping that follows the propagators of a diagram.

    Args:
        topology: lines of the diagram.
        limits: least masses that the cuts leave.
        poles: |PDG code| of a line -> (mass, width) in GeV.
        beams: energies, masses and shares.
        legs: position of leg k of the topology among the particles of an event; may exchange the
            incoming ones.

    Raises:
        InputError: as `TopologyMapping`.
    """
    pt_cut = min([pt for pt in limits.pt[2:] if pt > 0], default=2 * _CUT_OFF)
    least = limits.least_energy(range(2, len(limits.masses)))
    lines = PropagatorLines(poles, pt_cut, max(beams.masses))
    return TopologyMapping(topology, lines, limits, least, beams, legs)


def flat_mapping(limits: MassLimits, beams: CollidingBeams) -> TopologyMapping:
    """The mapping of flat phase space, RAMBO on diet: exactly flat for massless particles.

    Args:
        limits: masses; cuts limit the energy of the partons alone.
        beams: energies, masses and shares.

    Raises:
        InputError: as `TopologyMapping`.
    """
    n = len(limits.masses)
    chain = Cluster(1 << (n - 1), 0)
    for leg in range(n - 2, 1, -1):
        chain = Cluster(chain.legs | 1 << leg, 0, (Cluster(1 << leg, 0), chain))
    least, masses = limits.least_energy(range(2, n)), MassLimits(limits.masses, ())
    return TopologyMapping(Topology((chain,), ()), FlatLines(), masses, least, beams)


def _levelled(least: float, scale: float = _CUT_OFF) -> float:
    """The pole of a power law from `least` GeV on.

    It is 0, or where that leaves no lower limit such that the power law levels off at a scale.
    """
    return 0.0 if least > _CUT_OFF else least**2 - scale**2


def _power(power: float, pole: float = 0.0) -> _core.Line:
    return _core.Line(kind=_core.LineKind.power, power=power, pole=pole)
