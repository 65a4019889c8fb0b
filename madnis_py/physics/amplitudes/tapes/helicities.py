"""Helicities of external legs, and those for which a current does not vanish by chirality.

A massless spinor has one of two pairs of components, which follows from the legs: vertices with
vectors and massless propagators exchange the pairs, vertices with scalars keep them, and a mass
fills both. Which pairs of other structures go together follows from their tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py._core import Operation, WaveKind
from madnis_py.physics.amplitudes.tapes.currents import (
    AppliedVertex,
    Currents,
    Expressions,
    LorentzForm,
    Node,
    own_propagator,
)
from madnis_py.physics.diagrams.polarisation import Polarisation
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.lorentz.programs import program_of

Bools = NDArray[np.bool_]

CHOSEN = _core.CHOSEN_HELICITY
"""State of a leg whose helicity is given with every event."""

MOMENTUM = _core.MOMENTUM_HELICITY
"""State of a massless vector whose polarisation is p / E: gauge invariance makes the amplitude
vanish."""


@dataclass(frozen=True)
class ExternalLeg:
    """An external particle.

    Attributes:
        pdg: its PDG code.
        incoming: whether it comes in.
        states: helicities, twice their value for fermions, ascending; (CHOSEN,) where events bring
            their own.
        weights: what |M|^2 of each state is multiplied by; () for 1.
    """

    pdg: int
    incoming: bool
    states: tuple[int, ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Spins:
    """What a card says about the spins of a process beside its definition.

    Attributes:
        frame: positions of the legs whose rest frame defines helicities; that of the momenta if ().
        beams: degree of polarisation of each incoming particle, from -1 where all have negative
            helicity to 1; () where none is polarised.
    """

    frame: tuple[int, ...] = ()
    beams: tuple[float, ...] = ()


PLAIN_SPINS = Spins()
"""Beams that are not polarised, helicities in the frame of the momenta."""


@dataclass(frozen=True)
class HelicityBasis:
    """What the helicities of an amplitude refer to.

    Attributes:
        frame: positions of the legs whose rest frame defines helicities; that of the momenta if ().
        lines: propagators of definite polarisation, with the states of their numerators.
    """

    frame: tuple[int, ...] = ()
    lines: Mapping[PropagatorKey, Polarisation] = field(default_factory=dict)


PLAIN_BASIS = HelicityBasis()
"""Helicities in the frame of the momenta, no propagator of definite polarisation."""


@dataclass(frozen=True)
class ActiveHelicities:
    """Helicities of its legs for which a current does not vanish, per pair of spinor components.

    Attributes:
        upper: of components 0 and 1 of a spinor, of the whole for others; one axis per leg, of
            length 1 for legs that the current does not hold.
        lower: of components 2 and 3; equal to `upper` for others.
    """

    upper: Bools
    lower: Bools

    @property
    def any(self) -> Bools:
        """The helicities for which any component does not vanish."""
        return self.upper | self.lower


class Chirality:
    """The helicities for which the currents of a graph do not vanish.

    Args:
        currents: the graph.
        legs: external particles, incoming first.
    """

    def __init__(self, currents: Currents, legs: Sequence[ExternalLeg]) -> None:
        self._model, self._legs = currents.model, legs
        self._parts: dict[Expressions, tuple[bool, bool]] = {}
        self._active: list[ActiveHelicities] = []
        for node in currents.nodes:
            self._active.append(self._of_node(node))

    def _of_node(self, node: Node) -> ActiveHelicities:
        if not node.terms:
            return self._of_leg(node)
        parts = [self.of_term(vertex) for vertex, _ in node.terms]
        upper = np.logical_or.reduce([part.upper for part in parts])
        lower = np.logical_or.reduce([part.lower for part in parts])
        if own_propagator(self._model, node.pdg) is not None:
            return ActiveHelicities(upper, lower)
        if node.propagated and node.kind in (WaveKind.ket, WaveKind.bra):
            if self._model.mass(node.pdg) != 0:
                upper = lower = upper | lower
            else:
                upper, lower = lower, upper
        elif node.propagated and node.kind in (WaveKind.vector_ket, WaveKind.vector_bra):
            upper = lower = upper | lower
        return ActiveHelicities(upper, lower)

    def _of_leg(self, node: Node) -> ActiveHelicities:
        leg = node.legs.bit_length() - 1
        states = np.array(self._legs[leg].states)
        shape = [1] * len(self._legs)
        shape[leg] = len(states)
        if (
            node.kind not in (WaveKind.ket, WaveKind.bra)
            or self._model.mass(node.pdg) != 0
            or CHOSEN in states
        ):
            everything = np.ones(shape, bool)
            return ActiveHelicities(everything, everything)
        antiparticle = (node.kind == WaveKind.ket) != self._legs[leg].incoming
        right = (states > 0) != antiparticle  # chirality of the field
        lower = right if node.kind == WaveKind.ket else ~right
        return ActiveHelicities((~lower).reshape(shape), lower.reshape(shape))

    def of(self, node: int) -> ActiveHelicities:
        """Helicities for which a node does not vanish."""
        return self._active[node]

    def of_product(self, current: int, source: int) -> Bools:
        """Helicities for which the product of two nodes does not vanish."""
        a, b = self._active[current], self._active[source]
        return (a.upper & b.upper) | (a.lower & b.lower)

    def of_term(self, vertex: AppliedVertex) -> ActiveHelicities:
        """Helicities for which a vertex does not vanish, by chirality."""
        below = [self._active[node] for node in vertex.arguments]
        if vertex.form is not None:
            return _of_form(vertex.form, below)
        left, right = self._chiral_parts(vertex.couplings)
        a, b = below[0], below[1]
        match vertex.operation:
            case Operation.ffv_vector:
                both = (a.upper & b.lower & right) | (a.lower & b.upper & left)
                return ActiveHelicities(both, both)
            case Operation.ffs_scalar:
                both = (a.upper & b.upper & left) | (a.lower & b.lower & right)
                return ActiveHelicities(both, both)
            case Operation.ffv_ket:
                return ActiveHelicities(a.lower & b.any & right, a.upper & b.any & left)
            case Operation.ffv_bra:
                return ActiveHelicities(a.lower & b.any & left, a.upper & b.any & right)
            case Operation.ffs_ket | Operation.ffs_bra:
                return ActiveHelicities(a.upper & b.any & left, a.lower & b.any & right)
        everything = np.logical_and.reduce(np.broadcast_arrays(*(part.any for part in below)))
        return ActiveHelicities(everything, everything)

    def _chiral_parts(self, couplings: Expressions) -> tuple[bool, bool]:
        """Whether a vertex couples left-handed and right-handed fermions."""
        if couplings not in self._parts:
            left, right = (*couplings, "0", "0")[:2]
            coupling = self._model.coupling
            self._parts[couplings] = coupling(left) != 0, coupling(right) != 0
        return self._parts[couplings]


def _of_form(form: LorentzForm, below: Sequence[ActiveHelicities]) -> ActiveHelicities:
    """Helicities for which a structure does not vanish: pairs of components that it joins."""
    program = program_of(form.structure, form.spins, form.out, frozenset(form.conjugated))
    nothing = np.zeros(np.broadcast_shapes(*(one.upper.shape for one in below)), bool)
    sides = [nothing, nothing]
    for out, *pairs in program.classes:
        alive = [(one.upper, one.lower)[pair] for one, pair in zip(below, pairs, strict=True)]
        sides[out] = sides[out] | np.logical_and.reduce(np.broadcast_arrays(*alive))
    if form.spins[form.out] % 2:
        return ActiveHelicities(sides[0], sides[0])
    return ActiveHelicities(*sides)
