"""Builder of tapes: |M|^2 and |M_i|^2 of a reaction as arrays, before any momenta are known.

`tape_writer` writes the currents of a tape, `tree_amplitude` runs tapes on momenta.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from madnis_py.physics.amplitudes.colour_flows import Contraction, FlowCurrents
from madnis_py.physics.amplitudes.currents import Currents
from madnis_py.physics.amplitudes.diagram_squares import square_pairs
from madnis_py.physics.amplitudes.helicities import ExternalLeg, helicity_states
from madnis_py.physics.amplitudes.tape_tables import (
    Arrays,
    PlacedCurrents,
    Row,
    constant_values,
    table,
)
from madnis_py.physics.amplitudes.tape_writer import TapeWriter
from madnis_py.physics.colour.colour import Closed, colour_matrix
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model

_Entries = tuple[tuple[str, Fraction], ...]
"""Constants of a tape: expressions of the model and their factors."""


def external_legs(reaction: Reaction, model: Model) -> tuple[ExternalLeg, ...]:
    """The legs of a reaction with all of their helicities."""
    n_incoming = len(reaction.incoming)
    return tuple(
        ExternalLeg(pdg, position < n_incoming, helicity_states(model, pdg))
        for position, pdg in enumerate(reaction.legs)
    )


def _fermions(legs: Sequence[ExternalLeg], model: Model) -> int:
    return sum(
        1 << position for position, leg in enumerate(legs) if model.particle(leg.pdg).spin == 2
    )


@dataclass(frozen=True)
class Tape:
    """Tables that kernels run, without the values of the model.

    Attributes:
        arrays: integer tables and rational factors.
        constants: expressions of the model and their factors.
    """

    arrays: Arrays
    constants: _Entries

    def bound(self, model: Model) -> Arrays:
        """The arrays with the values of a model."""
        return {**self.arrays, "constants": constant_values(self.constants, model)}


@dataclass(frozen=True)
class AmplitudeTape:
    """The tape of |M|^2 with the colour flows and helicities of its outputs.

    Attributes:
        tape: for the kernels.
        flows: colour structures of the colour-flow weights.
        helicities: one row per helicity weight, int8, shape (n_helicities, n_legs).
    """

    tape: Tape
    flows: tuple[Closed, ...]
    helicities: NDArray[np.int8]


@dataclass(frozen=True)
class _Amplitudes:
    """The amplitudes of all flows by powers of g_s; equal ones up to a factor are one.

    Attributes:
        contractions: (amplitude, current, source, factor).
        parts: per flow: (amplitude, power of g_s, factor).
        count: number of different amplitudes.
    """

    contractions: list[tuple[int, int, int, Fraction]]
    parts: dict[Closed, list[tuple[int, int, Fraction]]]
    count: int


def _amplitudes(contractions: Iterable[Contraction]) -> _Amplitudes:
    products: dict[tuple[Closed, int], dict[tuple[int, int], Fraction]] = defaultdict(
        lambda: defaultdict(Fraction)
    )
    for one in contractions:
        products[one.flow, one.powers[0]][one.current, one.source] += one.factor
    known: dict[tuple[tuple[tuple[int, int], Fraction], ...], int] = {}
    parts: dict[Closed, list[tuple[int, int, Fraction]]] = defaultdict(list)
    for (flow, power), sums in sorted(products.items()):
        kept = sorted((pair, factor) for pair, factor in sums.items() if factor)
        if kept:
            lead = kept[0][1]
            number = known.setdefault(
                tuple((pair, factor / lead) for pair, factor in kept), len(known)
            )
            parts[flow].append((number, power, lead))
    rows = [(number, *pair, factor) for terms, number in known.items() for pair, factor in terms]
    return _Amplitudes(rows, dict(parts), len(known))


class AmplitudeBuilder:
    """Builds the tape of |M|^2.

    Args:
        recursion: of the reaction.
        legs: external particles and the helicities that are summed over.
        model: particles and vertices; which couplings vanish matters here, not their values.
        without_width: propagators that have none.
    """

    def __init__(
        self,
        recursion: Recursion,
        legs: Sequence[ExternalLeg],
        model: Model,
        without_width: Set[PropagatorKey] = frozenset(),
    ) -> None:
        self._legs = tuple(legs)
        self._currents = Currents(model, _fermions(legs, model))
        self._amplitudes = _amplitudes(FlowCurrents(recursion, self._currents).contractions())
        self._without_width = without_width

    @property
    def flows(self) -> tuple[Closed, ...]:
        """The colour structures of the amplitude, in order."""
        return tuple(self._amplitudes.parts)

    def tape(self, helicities: NDArray[np.bool_] | None = None) -> AmplitudeTape:
        """The tape for some helicities of the process.

        Args:
            helicities: one axis per leg, over its helicities; all that chirality allows if None.
        """
        writer = TapeWriter(self._currents, self._legs, self._without_width)
        rows = sorted(
            self._amplitudes.contractions,
            key=lambda row: (self._currents.nodes[row[1]].legs, row[1], row[2]),
        )
        live = np.zeros(writer.shape, bool)
        joints = [writer.joint(current, source) for _, current, source, _ in rows]
        for joint in joints:
            live |= joint
        if helicities is not None:
            live &= helicities
        for (_, current, source, _), joint in zip(rows, joints, strict=True):
            for node in (current, source):
                writer.require(node, live & joint)
        arrays, placed = writer.write()
        chosen = np.argwhere(live).astype(np.int32)
        arrays |= self._contraction_arrays(rows, placed, chosen)
        arrays |= self._column_arrays()
        n_columns = math.isqrt(arrays["colour"].size)
        power = (
            next(iter(self._amplitudes.parts.values()))[0][1] if not len(arrays["assembly"]) else 0
        )
        sizes = [
            len(chosen),
            arrays["instances"].shape[1],
            self._amplitudes.count,
            n_columns,
            power,
        ]
        arrays["sizes"] = np.concatenate([arrays["sizes"], np.array(sizes, np.int32)])
        states = np.array(
            [[leg.states[k] for leg, k in zip(self._legs, row, strict=True)] for row in chosen],
            np.int8,
        )
        return AmplitudeTape(Tape(arrays, tuple(writer.constants.entries)), self.flows, states)

    def _contraction_arrays(
        self,
        rows: Sequence[tuple[int, int, int, Fraction]],
        placed: PlacedCurrents,
        helicities: NDArray[np.int32],
    ) -> Arrays:
        nodes = {
            node: place
            for place, node in enumerate(dict.fromkeys(node for row in rows for node in row[1:3]))
        }
        instances = [placed.offsets(node, helicities) for node in nodes]
        kinds = self._currents.nodes
        contractions = [
            {
                "kind": kinds[current].kind,
                "current": nodes[current],
                "source": nodes[source],
                "amplitude": number,
            }
            for number, current, source, _ in rows
        ]
        return {
            "instances": np.ascontiguousarray(np.stack(instances, axis=1), np.int32),
            "contractions": table("contractions", contractions),
            "contraction_factors": np.array([float(factor) for *_, factor in rows]),
        }

    def _column_arrays(self) -> Arrays:
        """Colour matrix and its columns: the amplitudes, or their sums over powers of g_s."""
        parts = self._amplitudes.parts
        powers = {power for pieces in parts.values() for _, power, _ in pieces}
        exact = colour_matrix(tuple(parts))
        matrix = np.array([[float(element) for element in row] for row in exact])
        if len(powers) == 1:
            columns = np.array([pieces[0][0] for pieces in parts.values()], np.int32)
            factors = np.array([float(pieces[0][2]) for pieces in parts.values()])
            folded = np.zeros((self._amplitudes.count,) * 2)
            np.add.at(
                folded,
                (columns[:, None], columns[None, :]),
                matrix * factors[:, None] * factors[None, :],
            )
            matrix, squares = folded, factors**2
            assembly: list[Row] = []
            assembly_factors: list[float] = []
        else:
            columns = np.arange(len(parts), dtype=np.int32)
            squares = np.ones(len(parts))
            pieces = [
                (column, *piece) for column, pieces in enumerate(parts.values()) for piece in pieces
            ]
            assembly = [
                {"column": column, "amplitude": number, "power": power}
                for column, number, power, _ in pieces
            ]
            assembly_factors = [float(factor) for *_, factor in pieces]
        return {
            "colour": np.triu(matrix) + np.triu(matrix, 1),
            "assembly": table("assembly", assembly),
            "assembly_factors": np.array(assembly_factors, np.float64),
            "flow_columns": columns,
            "flow_factors": squares,
        }


def diagram_tape(
    diagrams: tuple[Diagram, ...],
    vertices: VertexTable,
    legs: Sequence[ExternalLeg],
    without_width: Set[PropagatorKey] = frozenset(),
) -> Tape:
    """The tape of |M_i|^2 of all diagrams, summed over helicities.

    Args:
        diagrams: as `diagrams_of` gives them.
        vertices: of the model.
        legs: as for `AmplitudeBuilder`.
        without_width: as for `AmplitudeBuilder`.
    """
    model = vertices.model
    currents = Currents(model, _fermions(legs, model))
    pairs = square_pairs(diagrams, vertices, currents, legs[0].pdg)
    writer = TapeWriter(currents, legs, without_width)
    nodes = {
        node: place
        for place, node in enumerate(dict.fromkeys(n for p in pairs for n in (p.current, p.source)))
    }
    for node in nodes:
        writer.require(node)
    arrays, placed = writer.write()
    kept = [pair for pair in pairs if pair.current in placed and pair.source in placed]
    squares = [
        {
            "kind": currents.nodes[pair.current].kind,
            "current": nodes[pair.current],
            "source": nodes[pair.source],
            "diagram": pair.diagram,
        }
        for pair in kept
    ]
    densities = []
    for node in nodes:
        offset, instances = placed.whole(node) if node in placed else (0, 0)
        kind = currents.nodes[node].kind
        densities.append({"kind": kind, "offset": offset, "instances": instances})
    arrays |= {
        "densities": table("densities", densities),
        "pairs": table("pairs", squares),
        "pair_factors": np.array([float(pair.factor) for pair in kept], np.float64),
        "powers": np.array([diagram.powers[0] for diagram in diagrams], np.int32),
    }
    return Tape(arrays, tuple(writer.constants.entries))


def average_factor(reaction: Reaction, model: Model) -> Fraction:
    """1 / (spins and colours of incoming particles x permutations of identical outgoing ones)."""
    states = 1
    for pdg in reaction.incoming:
        states *= len(helicity_states(model, pdg)) * model.particle(pdg).colour
    return Fraction(1, states * _identical(reaction))


def _identical(reaction: Reaction) -> int:
    """Permutations of identical particles in every step; their decays are identical, too."""
    equal: dict[object, int] = defaultdict(int)
    factor = 1
    for branch in reaction.outgoing:
        equal[branch.content] += 1
        factor *= equal[branch.content]
        if branch.decay is not None:
            factor *= _identical(branch.decay)
    return factor
