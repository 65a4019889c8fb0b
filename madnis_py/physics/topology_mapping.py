"""Channel mappings from topologies: which distribution every line gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from madnis_py import _core
from madnis_py.errors import InputError
from madnis_py.physics.diagrams import positions
from madnis_py.physics.mass_floors import MassFloors
from madnis_py.physics.phase_space import Array, ChannelMapping
from madnis_py.physics.topology import Cluster, Topology

_Line = tuple[str, float, float, float, float]
Pole = Callable[[int], tuple[float, float]]
"""|PDG code| -> (mass, width) in GeV."""

_CUT_OFF = 1.0
"""GeV: where the density of a line levels off whose limit lies on its pole."""

_REST_POWER = 0.5
"""Of what is left of the energy after a cluster; no propagator tells."""

_S_HAT_POWER = 1.5
"""Of s-hat where no resonance carries it: |M|^2, flux and parton densities fall together."""


@dataclass(frozen=True)
class CollidingBeams:
    """The beams of a mapping.

    Attributes:
        energies: in GeV.
        partonic: whether the beams are the partons.
    """

    energies: tuple[float, float]
    partonic: bool

    @property
    def s(self) -> float:
        """Energy squared in GeV^2."""
        return 4 * self.energies[0] * self.energies[1]


class TopologyMapping(ChannelMapping):
    """The unit cube to the phase space of a diagram, Sec. 2.2.3 of the MadNIS thesis.

    Jacobian: dx_1 dx_2 dPhi_n / dx, GeV^(2 n_out - 4), without dx_1 dx_2 for beams that are partons.

    Args:
        topology: lines of the diagram.
        floors: least masses that the cuts leave.
        pole: mass and width of a line.
        beams: energies.
        legs: position of leg k of the topology among the particles of an event; may exchange the incoming ones.

    Raises:
        InputError: fewer than two final particles, or no room between the cuts and the energy of the beams.
    """

    def __init__(
        self,
        topology: Topology,
        floors: MassFloors,
        pole: Pole,
        beams: CollidingBeams,
        legs: Sequence[int] | None = None,
    ) -> None:
        self.topology, self.beams = topology, beams
        self.n_particles = len(floors.masses)
        self.dim = 3 * (self.n_particles - 2) - 4 + (0 if beams.partonic else 2)
        self._floors, self._pole = floors, pole
        final = range(2, self.n_particles)
        self.s_min = floors.least_energy(final) ** 2
        if self.n_particles < 4:
            raise InputError("TopologyMapping: expected at least two final particles; got one")
        if not (self.s_min > 0 or beams.partonic):
            raise InputError(
                "TopologyMapping: expected masses or cuts that keep the energy of the partons above 0; got none"
            )
        if not self.s_min < beams.s:
            raise InputError(
                f"TopologyMapping: expected beams above the threshold of {self.s_min**0.5:g} GeV; "
                f"got sqrt(s) = {beams.s**0.5:g} GeV"
            )
        clusters: list[tuple[int, int, int, float, _Line]] = []
        top = [self._enter(cluster, clusters) for cluster in topology.clusters]
        self._kernel = _core.Topology(
            beams.energies,
            beams.partonic,
            self._s_hat(),
            (self.s_min, beams.s),
            clusters,
            top,
            [self._exchange(pdg) for pdg in topology.exchanges],
            self._least_rests(),
            ("power", 0.0, 0.0, _REST_POWER, 0.0),
            list(legs if legs is not None else range(self.n_particles)),
        )

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Map points of the unit cube to momenta; see `ChannelMapping.forward`."""
        return self._kernel.forward(x)

    def inverse(self, p: Array) -> tuple[Array, Array]:
        """Map momenta to points of the unit cube; see `ChannelMapping.inverse`."""
        return self._kernel.inverse(p)

    def _enter(self, cluster: Cluster, entries: list[tuple[int, int, int, float, _Line]]) -> int:
        """Append a cluster after its children; returns its place."""
        if not cluster.children:
            leg = positions(cluster.legs)[0]
            entries.append((-1, -1, leg, self._floors.masses[leg], ("power", 0.0, 0.0, 0.0, 0.0)))
        else:
            left, right = (self._enter(child, entries) for child in cluster.children)
            least = max(self._floors.least_mass(positions(cluster.legs)), entries[left][3] + entries[right][3])
            entries.append((left, right, -1, least, self._decaying(cluster.pdg, least)))
        return len(entries) - 1

    def _decaying(self, pdg: int, least: float) -> _Line:
        mass, width = self._pole(pdg)
        if width > 0 and mass > least:
            return ("resonance", mass, width, 0.0, 0.0)
        pole = min(mass, least) ** 2
        return ("power", 0.0, 0.0, 1.0, pole if least**2 - pole > _CUT_OFF**2 else pole - _CUT_OFF**2)

    def _exchange(self, pdg: int) -> _Line:
        mass, _ = self._pole(pdg)
        cut_off = min([pt for pt in self._floors.pt[2:] if pt > 0], default=1.0) / 2
        return ("power", 0.0, 0.0, 1.0, -max(mass**2, cut_off**2))

    def _s_hat(self) -> _Line:
        if len(self.topology.clusters) == 1:
            mass, width = self._pole(self.topology.clusters[0].pdg)
            if width > 0 and mass**2 > self.s_min:
                return ("resonance", mass, width, 0.0, 0.0)
        return ("power", 0.0, 0.0, _S_HAT_POWER, 0.0)

    def _least_rests(self) -> list[float]:
        """The least mass of the clusters of the line from each on, and 0 behind the last."""
        masks = [cluster.legs for cluster in self.topology.clusters]
        rests = [sum(masks[j:]) for j in range(len(masks))]
        return [*(self._floors.least_mass(positions(legs)) for legs in rests), 0.0]
