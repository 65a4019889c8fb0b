"""Off-shell currents of a process as a graph without repetition, before helicities.

A node is the current of one particle that collects a set of external legs; it is a sum of terms,
each a vertex with the currents that meet there, times the propagator unless it is the raw source.
With i times the vertex for the Feynman rule, i for the propagator of fermions and scalars and -i
g^{mu nu} for that of vectors, all factors of i drop out:

    vector   J^mu = (G^mu - p^mu (p.G) / M^2) / (p^2 - M^2 + i M Gamma)
    fermion  psi = -(p-slash + m) G / (p^2 - m^2 + i m Gamma), conjugate spinors from the right
    scalar   phi = -G / (p^2 - M^2 + i M Gamma)

    spin 2   h^{mu nu} = -sum_states h h* . G / (p^2 - M^2 + i M Gamma), and so for spin 3/2

with G the sum of vertices, and an amplitude is a current times the source of the legs that it does
not hold.

The current of a fermion with a PDG code above zero, Majorana fermions included, is a ket; of one
below zero, a bra; the source that a Majorana fermion is multiplied with, a bra. Where a vertex
wants the other kind, its line is read the other way round, with psi-bar_1 Gamma psi_2 =
psi^c-bar_2 C Gamma^T C^-1 psi^c_1 of anticommuting fields, or a current is conjugated, psi^c =
C psi-bar^T (Denner, Eck, Hahn and Kueblbeck, Nucl. Phys. B387 (1992) 467).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from madnis_py._core import Operation, WaveKind
from madnis_py.physics.amplitudes.tapes.majorana_vertices import check_exchange
from madnis_py.physics.diagrams.trees import positions
from madnis_py.physics.diagrams.vertex_table import DirectedVertex
from madnis_py.physics.lorentz.form_factors import NO_FORM_FACTOR, FormFactor
from madnis_py.physics.lorentz.kernel_terms import KERNELS
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import CustomPropagator

_PAIRINGS = {
    "VVVV1": {(0, 2): 1, (0, 3): -1},
    "VVVV2": {(0, 1): 1, (0, 3): -1},
    "VVVV3": {(0, 1): 1, (0, 2): -1},
    "VVVV4": {(0, 1): 2, (0, 2): -1, (0, 3): -1},
}
"""Coefficients of g_{0 k} g_{the others} in the four-vector structures, by (0, k)."""

Expressions = tuple[str, ...]
"""Couplings in the names of parameters, see `Model.coupling`."""

CONJUGATE = {
    WaveKind.ket: WaveKind.bra,
    WaveKind.bra: WaveKind.ket,
    WaveKind.vector_ket: WaveKind.vector_bra,
    WaveKind.vector_bra: WaveKind.vector_ket,
}
"""Kind of the charge conjugate of a wave of spinors."""

WIDE = (WaveKind.tensor, WaveKind.vector_ket, WaveKind.vector_bra)
"""Waves of sixteen components."""

_KETS = (WaveKind.ket, WaveKind.vector_ket)

_SAME = {
    WaveKind.scalar: ("1", (1, 1), 0),
    WaveKind.vector: ("Metric(1,2)", (3, 3), 0),
    WaveKind.ket: ("Identity(1,2)", (2, 2), 0),
    WaveKind.bra: ("Identity(1,2)", (2, 2), 1),
    WaveKind.vector_ket: ("Identity(1,2)*Metric(1,2)", (4, 4), 0),
    WaveKind.vector_bra: ("Identity(1,2)*Metric(1,2)", (4, 4), 1),
}
"""Structure, spins and open leg of what leaves a wave as it is."""


_MASSLESS_SPIN_2 = CustomPropagator(
    (
        (
            "(Metric(1001,2001)*Metric(1002,2002) - Metric(1001,1002)*Metric(2001,2002)"
            " - Metric(1001,2002)*Metric(2001,1002))/2",
            "1",
        ),
    ),
    ("0", "1"),
)
"""Minus (g g + g g - g g) / 2 over p^2, for sources that are conserved."""


@dataclass(frozen=True, order=True)
class LorentzForm:
    """A Lorentz structure with an open leg, see `lorentz.programs.program_of`.

    Attributes:
        structure: text over the legs 1, 2, ... of the vertex.
        spins: 2 s + 1 of the legs.
        out: position of the open leg.
        conjugated: positions of fermions of the other kind than the structure has, ascending.
        factor: form factor that multiplies it.
    """

    structure: str
    spins: tuple[int, ...]
    out: int
    conjugated: tuple[int, ...] = ()
    factor: FormFactor = NO_FORM_FACTOR


@dataclass(frozen=True, order=True)
class AppliedVertex:
    """A vertex applied to currents: a term of a node without its coefficient.

    Attributes:
        operation: the kernel.
        arguments: nodes, in the order that the kernel wants.
        couplings: expressions of the model; (left, right) for fermions, one otherwise.
        form: the structure of `Operation.tensor`; None for others.
    """

    operation: Operation
    arguments: tuple[int, ...]
    couplings: Expressions
    form: LorentzForm | None = None


Sum = Mapping[AppliedVertex, Fraction]


@dataclass(frozen=True)
class Node:
    """A current.

    Attributes:
        kind: of the wave.
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
        self._checked: set[int] = set()

    def external(self, leg: int, pdg: int) -> int:
        """The wavefunction of a leg that enters as `pdg`."""
        return self._intern(Node(self.kind(pdg), leg, pdg))

    def add(self, legs: int, pdg: int, terms: Sum, propagated: bool) -> Scaled | None:
        """A current, None if nothing is left of it; equal ones up to a factor are one node."""
        kept = sorted((vertex, number) for vertex, number in terms.items() if number)
        if not kept:
            return None
        kind = self.kind(pdg, propagated)
        kept = self._programs_alone(kind, legs, pdg, kept)
        factor = kept[0][1]
        normalised = tuple((vertex, number / factor) for vertex, number in kept)
        custom = own_propagator(self.model, pdg)
        if custom is None or not propagated:
            return Scaled(factor, self._intern(Node(kind, legs, pdg, normalised, propagated)))
        source = self._intern(Node(kind, legs, pdg, normalised, False))
        return Scaled(factor, self._propagated(kind, legs, pdg, source, custom))

    def _propagated(
        self, kind: WaveKind, legs: int, pdg: int, source: int, custom: CustomPropagator
    ) -> int:
        """A source with a propagator that is not the usual one of its kind."""
        spin, out = self.model.particle(pdg).spin, int(kind in (WaveKind.bra, WaveKind.vector_bra))
        terms = (
            AppliedVertex(
                Operation.tensor, (source,), (coupling,), LorentzForm(structure, (spin, spin), out)
            )
            for structure, coupling in custom.numerator
        )
        applied = tuple((term, Fraction(1)) for term in sorted(terms))
        return self._intern(Node(kind, legs, pdg, applied, True))

    def _programs_alone(
        self, kind: WaveKind, legs: int, pdg: int, terms: list[tuple[AppliedVertex, Fraction]]
    ) -> list[tuple[AppliedVertex, Fraction]]:
        """The terms, with all kernels as a node of its own where there are programs beside them."""
        kernels = [term for term in terms if term[0].form is None]
        if len(kernels) in (0, len(terms)):
            return terms
        node = self._intern(Node(kind, legs, pdg, tuple(kernels), False))
        same = AppliedVertex(Operation.tensor, (node,), ("1",), LorentzForm(*_SAME[kind]))
        return sorted([*terms[len(kernels) :], (same, Fraction(1))])

    def kind(self, pdg: int, propagated: bool = True) -> WaveKind:
        """Kind of the current of a particle, or of the source that it is multiplied with."""
        spin = self.model.particle(pdg).spin
        if spin in (2, 4):
            is_ket = pdg > 0 and (propagated or self.model.anti(pdg) != pdg)
            if spin == 2:
                return WaveKind.ket if is_ket else WaveKind.bra
            return WaveKind.vector_ket if is_ket else WaveKind.vector_bra
        return {1: WaveKind.scalar, 3: WaveKind.vector, 5: WaveKind.tensor}[spin]

    def vertex(
        self, vertex: DirectedVertex, nodes: Sequence[int], propagated: bool
    ) -> list[tuple[AppliedVertex, int]]:
        """A vertex applied to the nodes that meet there, signed by fermions and order.

        Args:
            vertex: with the slots of the nodes.
            nodes: what meets there.
            propagated: whether a current comes out, or the source of another one.
        """
        below = dict(zip(vertex.slots, nodes, strict=True))
        kind, term = self.kind(vertex.pdg, propagated), vertex.term
        if vertex.number not in self._checked:
            check_exchange(self.model, vertex.number)
            self._checked.add(vertex.number)
        if term.lorentz in ("FFV", "FFS"):
            return [self._on_line(vertex, below, kind)]
        sign = self.fermion_sign([below[slot] for slot in sorted(below)])
        if term.lorentz not in KERNELS:
            return [(self._general(vertex, below, kind), sign)]
        return [
            (AppliedVertex(operation, arguments, couplings), sign * factor)
            for operation, arguments, couplings, factor in _bosonic_kernels(
                term.lorentz, vertex.out, below, term.couplings
            )
        ]

    def _on_line(
        self, vertex: DirectedVertex, below: Mapping[int, int], kind: WaveKind
    ) -> tuple[AppliedVertex, int]:
        """A vertex of psi-bar, psi and a boson, read so that currents are of their kind."""
        lorentz, couplings, boson = vertex.term.lorentz.lower(), vertex.term.couplings, below.get(2)
        if boson is None:
            bar, psi = below[0], below[1]
            turned = self.nodes[bar].kind == WaveKind.ket and self.nodes[psi].kind == WaveKind.bra
            if turned:
                bar, psi = psi, bar
            sign = self.fermion_sign([bar, psi])
            arguments = self._as(bar, WaveKind.bra), self._as(psi, WaveKind.ket)
            out = "vector" if lorentz == "ffv" else "scalar"
        else:
            line = below[1 - vertex.out]
            turned = (vertex.out == 0) != (kind == WaveKind.ket)
            sign = self.fermion_sign([line, boson])
            arguments, out = (self._as(line, kind), boson), kind.name
        if turned and lorentz == "ffv":
            couplings, sign = couplings[::-1], -sign
        return AppliedVertex(Operation[f"{lorentz}_{out}"], arguments, couplings), sign

    def _general(
        self, vertex: DirectedVertex, below: Mapping[int, int], kind: WaveKind
    ) -> AppliedVertex:
        """A structure that no kernel has; spinors are rows and columns in turns."""
        particles = self.model.vertices[vertex.number].particles
        spins = tuple(self.model.particle(self.model.pdg_of[name]).spin for name in particles)
        conjugated = []
        for slot, spin in enumerate(spins):
            if spin in (2, 4):
                is_ket = (kind if slot == vertex.out else self.nodes[below[slot]].kind) in _KETS
                if is_ket == ((slot % 2 == 0) != (slot == vertex.out)):
                    conjugated.append(slot)
        term = vertex.term
        form = LorentzForm(term.lorentz, spins, vertex.out, tuple(conjugated), term.form_factor)
        arguments = tuple(below[slot] for slot in sorted(below))
        return AppliedVertex(Operation.tensor, arguments, term.couplings, form)

    def _as(self, node: int, kind: WaveKind) -> int:
        """A node of spinors, or its charge conjugate, as the kind that is wanted."""
        one = self.nodes[node]
        if one.kind == kind:
            return node
        structure, spins, out = _SAME[one.kind]
        form = LorentzForm(structure, spins, out, (out,))
        term = AppliedVertex(Operation.tensor, (node,), ("1",), form)
        return self._intern(Node(kind, one.legs, one.pdg, ((term, Fraction(1)),), False))

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


def own_propagator(model: Model, pdg: int) -> CustomPropagator | None:
    """The propagator of a particle that no kernel has: its own, or that of massless spin 2."""
    row = model.particle(pdg)
    if row.propagator is None and row.spin == 5 and model.mass(pdg) == 0:
        return _MASSLESS_SPIN_2
    return row.propagator


_Kernel = tuple[Operation, tuple[int, ...], Expressions, int]
"""Operation, arguments, couplings and sign."""


def _bosonic_kernels(
    lorentz: str, out: int, below: Mapping[int, int], couplings: Expressions
) -> list[_Kernel]:
    """The kernels of a Lorentz structure without fermions whose slot `out` is open."""
    if lorentz == "VVV":
        a, b = below[(out + 1) % 3], below[(out + 2) % 3]
        arguments, sign = ((a, b), 1) if a <= b else ((b, a), -1)
        return [(Operation.vvv, arguments, couplings, sign)]
    if lorentz in _PAIRINGS:
        return [
            _contact(pair, out, below, couplings, factor)
            for pair, factor in _PAIRINGS[lorentz].items()
        ]
    if lorentz == "VVVV":
        return [
            _contact((0, partner), out, below, (text,), 1)
            for partner, text in enumerate(couplings, 1)
            if text != "0"
        ]
    if lorentz == "VSS":
        a, b = sorted(slot for slot in below)
        sign = -1 if out == 1 else 1
        operation = Operation.vss_scalar if out else Operation.vss_vector
        return [(operation, (below[a], below[b]), couplings, sign)]
    vectors = sorted(below[slot] for slot in below if slot < 2)
    scalars = sorted(below[slot] for slot in below if slot >= 2)
    match lorentz:
        case "VVS" | "VVSS":
            name = f"{lorentz.lower()}_{'vector' if out < 2 else 'scalar'}"
            return [(Operation[name], (*vectors, *scalars), couplings, 1)]
        case "SSS" | "SSSS":
            return [(Operation[lorentz.lower()], tuple(sorted(below.values())), couplings, 1)]
    raise NotImplementedError(f"Lorentz structure {lorentz}")


def _contact(
    pair: tuple[int, int], out: int, below: Mapping[int, int], couplings: Expressions, factor: int
) -> _Kernel:
    """(x.y) z for the metric tensors g_pair g_others."""
    inside = pair if out in pair else tuple(slot for slot in range(4) if slot not in pair)
    partner = next(slot for slot in inside if slot != out)
    x, y = sorted(node for slot, node in below.items() if slot != partner)
    return Operation.vvvv, (x, y, below[partner]), couplings, factor
