"""Off-shell currents of a process as a graph without repetition, before helicities.

A node is the current of one particle that collects a set of external legs; it is a sum of terms,
each a vertex with the currents that meet there, times the propagator unless it is the raw source.
With i times the vertex for the Feynman rule, i for the propagator of fermions and scalars and -i
g^{mu nu} for that of vectors, all factors of i drop out:

    vector   J^mu = (G^mu - p^mu (p.G) / M^2) / (p^2 - M^2 + i M Gamma)
    fermion  psi = -(p-slash + m) G / (p^2 - m^2 + i m Gamma), conjugate spinors from the right
    scalar   phi = -G / (p^2 - M^2 + i M Gamma)

with G the sum of vertices, and an amplitude is a current times the source of the legs that it does
not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from madnis_py._core import Operation, WaveKind
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.diagrams.vertex_table import DirectedVertex
from madnis_py.physics.model.model import Model

_PAIRINGS = {
    "VVVV1": {(0, 2): 1, (0, 3): -1},
    "VVVV2": {(0, 1): 1, (0, 3): -1},
    "VVVV3": {(0, 1): 1, (0, 2): -1},
    "VVVV4": {(0, 1): 2, (0, 2): -1, (0, 3): -1},
}
"""Coefficients of g_{0 k} g_{the others} in the four-vector structures, by (0, k)."""

Expressions = tuple[str, ...]
"""Couplings in the names of parameters, see `Model.coupling`."""


@dataclass(frozen=True, order=True)
class AppliedVertex:
    """A vertex applied to currents: a term of a node without its coefficient.

    Attributes:
        operation: the kernel.
        arguments: nodes, in the order that the kernel wants.
        couplings: expressions of the model; (left, right) for fermions, one otherwise.
    """

    operation: Operation
    arguments: tuple[int, ...]
    couplings: Expressions


Sum = Mapping[AppliedVertex, Fraction]


@dataclass(frozen=True)
class Node:
    """A current.

    Attributes:
        kind: scalar, vector or spinor.
        legs: external legs that it collects, a bit mask.
        pdg: the particle, as incoming at the next vertex.
        terms: its vertices with rational coefficients, ascending; empty for an external leg.
        propagated: whether the propagator is part of it.
    """

    kind: WaveKind
    legs: int
    pdg: int
    terms: tuple[tuple[AppliedVertex, Fraction], ...] = ()
    propagated: bool = True


@dataclass(frozen=True)
class Scaled:
    """A node times a number."""

    factor: Fraction
    node: int


class Currents:
    """The nodes of a process, children before parents.

    Args:
        model: spins and couplings.
        fermions: external legs that are fermions, a bit mask.

    Attributes:
        nodes: the graph.
    """

    def __init__(self, model: Model, fermions: int) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self._fermions = fermions
        self._known: dict[Node, int] = {}

    def external(self, leg: int, pdg: int) -> int:
        """The wavefunction of a leg that enters as `pdg`."""
        return self._intern(Node(self.kind(pdg), leg, pdg))

    def add(self, legs: int, pdg: int, terms: Sum, propagated: bool) -> Scaled | None:
        """A current, None if nothing is left of it; equal ones up to a factor are one node."""
        kept = sorted((vertex, number) for vertex, number in terms.items() if number)
        if not kept:
            return None
        factor = kept[0][1]
        normalised = tuple((vertex, number / factor) for vertex, number in kept)
        return Scaled(factor, self._intern(Node(self.kind(pdg), legs, pdg, normalised, propagated)))

    def kind(self, pdg: int) -> WaveKind:
        """Kind of the current of a particle."""
        spin = self.model.particle(pdg).spin
        if spin == 2:
            return WaveKind.ket if pdg > 0 else WaveKind.bra
        return WaveKind.vector if spin == 3 else WaveKind.scalar

    def vertex(
        self, vertex: DirectedVertex, nodes: Sequence[int]
    ) -> list[tuple[AppliedVertex, int]]:
        """Kernels of a vertex for the nodes that meet there, signed by fermions and order."""
        below = dict(zip(vertex.slots, nodes, strict=True))
        sign = self.fermion_sign([below[slot] for slot in sorted(below)])
        return [
            (AppliedVertex(operation, arguments, vertex.term.couplings), sign * factor)
            for operation, arguments, factor in _kernels(vertex.term.lorentz, vertex.out, below)
        ]

    def fermion_sign(self, nodes: Iterable[int]) -> int:
        """Sign of the permutation that sorts the external fermions of nodes, bras given first."""
        order = [leg for node in nodes for leg in positions(self.nodes[node].legs & self._fermions)]
        exchanges = sum(a > b for k, a in enumerate(order) for b in order[k + 1 :])
        return -1 if exchanges % 2 else 1

    def _intern(self, node: Node) -> int:
        if node not in self._known:
            self._known[node] = len(self.nodes)
            self.nodes.append(node)
        return self._known[node]


def _kernels(
    lorentz: str, out: int, below: Mapping[int, int]
) -> list[tuple[Operation, tuple[int, ...], int]]:
    """Kernel, arguments and sign for a Lorentz structure whose slot `out` is open."""
    if lorentz in ("FFV", "FFS"):
        names = {2: "vector" if lorentz == "FFV" else "scalar", 0: "ket", 1: "bra"}
        operation = Operation[f"{lorentz.lower()}_{names[out]}"]
        return [(operation, tuple(below[slot] for slot in sorted(below)), 1)]
    if lorentz == "VVV":
        a, b = below[(out + 1) % 3], below[(out + 2) % 3]
        return [(Operation.vvv, (a, b), 1) if a <= b else (Operation.vvv, (b, a), -1)]
    if lorentz in _PAIRINGS:
        return [_contact(pair, out, below, factor) for pair, factor in _PAIRINGS[lorentz].items()]
    vectors = sorted(below[slot] for slot in below if slot < 2)
    scalars = sorted(below[slot] for slot in below if slot >= 2)
    match lorentz:
        case "VVS" | "VVSS":
            name = f"{lorentz.lower()}_{'vector' if out < 2 else 'scalar'}"
            return [(Operation[name], (*vectors, *scalars), 1)]
        case "SSS" | "SSSS":
            return [(Operation[lorentz.lower()], tuple(sorted(below.values())), 1)]
    raise NotImplementedError(f"Lorentz structure {lorentz}")


def _contact(
    pair: tuple[int, int], out: int, below: Mapping[int, int], factor: int
) -> tuple[Operation, tuple[int, ...], int]:
    """(x.y) z for the metric tensors g_pair g_others."""
    inside = pair if out in pair else tuple(slot for slot in range(4) if slot not in pair)
    partner = next(slot for slot in inside if slot != out)
    x, y = sorted(node for slot, node in below.items() if slot != partner)
    return Operation.vvvv, (x, y, below[partner]), factor
