"""Builder of tapes: |M|^2 and |M_i|^2 of a reaction as arrays, before any momenta are known.

`tape_writer` writes the currents of a tape, `tree_amplitude` runs tapes on momenta.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.tapes.colour_flows import Contraction, FlowCurrents
from madnis_py.physics.amplitudes.tapes.currents import Currents
from madnis_py.physics.amplitudes.tapes.diagram_squares import square_pairs
from madnis_py.physics.amplitudes.tapes.helicities import (
    PLAIN_BASIS,
    PLAIN_SPINS,
    ExternalLeg,
    HelicityBasis,
    Spins,
)
from madnis_py.physics.amplitudes.tapes.tape_tables import (
    Arrays,
    PlacedCurrents,
    Row,
    constant_values,
    table,
)
from madnis_py.physics.amplitudes.tapes.tape_writer import TapeWriter
from madnis_py.physics.colour.colour import Closed
from madnis_py.physics.colour.colour_matrix import colour_matrix
from madnis_py.physics.diagrams.coupling_orders import Powers
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.polarisation import helicity_states
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model

_Entries = tuple[tuple[str, Fraction], ...]
"""Constants of a tape: expressions of the model and their factors."""


def external_legs(
    reaction: Reaction, model: Model, spins: Spins = PLAIN_SPINS
) -> tuple[ExternalLeg, ...]:
    """The legs of a reaction with the helicities that it leaves them.

    Args:
        reaction: may restrict particles to some of their states.
        model: spins and masses.
        spins: how far the beams are polarised.
    """
    n_incoming, legs = (
        len(reaction.incoming),
        zip(reaction.legs, reaction.leg_polarisations, strict=True),
    )
    found = [
        ExternalLeg(pdg, position < n_incoming, selected or helicity_states(model, pdg))
        for position, (pdg, selected) in enumerate(legs)
    ]
    for position, degree in enumerate(spins.beams):
        if degree:
            found[position] = _of_beam(found[position], degree)
    return tuple(found)


def _of_beam(leg: ExternalLeg, degree: float) -> ExternalLeg:
    """A leg whose states +-h make up (1 +- degree) / 2 of a beam.

    |M|^2 is divided by the number of states of the leg, see `average_factor`.
    """
    shares = {state: (1 + state * degree) / 2 for state in leg.states}
    present = {state: share * len(leg.states) for state, share in shares.items() if share > 0}
    return replace(leg, states=tuple(present), weights=tuple(present.values()))


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
class _Part:
    """A part of the amplitude of a flow.

    Attributes:
        amplitude: its number.
        power: of g_s.
        own: powers of the couplings without decays, where |M|^2 has some products alone; else the
            same for all.
        factor: rational.
    """

    amplitude: int
    power: int
    own: Powers
    factor: Fraction


@dataclass(frozen=True)
class _Amplitudes:
    """The amplitudes of all flows by powers of couplings; equal ones up to a factor are one.

    Attributes:
        contractions: (amplitude, current, source, factor).
        parts: per flow.
        count: number of different amplitudes.
    """

    contractions: list[tuple[int, int, int, Fraction]]
    parts: dict[Closed, list[_Part]]
    count: int


def _amplitudes(contractions: Iterable[Contraction], by_own_powers: bool) -> _Amplitudes:
    products: dict[tuple[Closed, int, Powers], dict[tuple[int, int], Fraction]] = defaultdict(
        lambda: defaultdict(Fraction)
    )
    for one in contractions:
        own = one.own if by_own_powers else ()
        products[one.flow, one.powers[0], own][one.current, one.source] += one.factor
    known: dict[tuple[tuple[tuple[int, int], Fraction], ...], int] = {}
    parts: dict[Closed, list[_Part]] = defaultdict(list)
    for (flow, power, own), sums in sorted(products.items()):
        kept = sorted((pair, factor) for pair, factor in sums.items() if factor)
        if kept:
            lead = kept[0][1]
            number = known.setdefault(
                tuple((pair, factor / lead) for pair, factor in kept), len(known)
            )
            parts[flow].append(_Part(number, power, own, lead))
    rows = [(number, *pair, factor) for terms, number in known.items() for pair, factor in terms]
    return _Amplitudes(rows, dict(parts), len(known))


class AmplitudeBuilder:
    """Builds the tape of |M|^2.

    Args:
        recursion: of the reaction.
        legs: external particles and the helicities that are summed over.
        model: particles and vertices; which couplings vanish matters here, not their values.
        without_width: propagators that have none.
        basis: what helicities refer to.
    """

    def __init__(
        self,
        recursion: Recursion,
        legs: Sequence[ExternalLeg],
        model: Model,
        without_width: Set[PropagatorKey] = frozenset(),
        basis: HelicityBasis = PLAIN_BASIS,
    ) -> None:
        self._legs = tuple(legs)
        self._currents = Currents(model, _fermions(legs, model))
        self._recursion = recursion
        self._amplitudes = _amplitudes(
            FlowCurrents(recursion, self._currents).contractions(), recursion.selects_products
        )
        self._without_width, self._basis = without_width, basis

    @property
    def flows(self) -> tuple[Closed, ...]:
        """The colour structures of the amplitude, in order."""
        return tuple(self._amplitudes.parts)

    def tape(self, helicities: NDArray[np.bool_] | None = None) -> AmplitudeTape:
        """The tape for some helicities of the process.

        Args:
            helicities: one axis per leg, over its helicities; all that chirality allows if None.

        Raises:
            InputError: chirality allows none.
        """
        writer = TapeWriter(self._currents, self._legs, self._without_width, self._basis)
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
        if not live.any():
            name = self._currents.model.reaction_name(
                [leg.pdg for leg in self._legs], sum(leg.incoming for leg in self._legs)
            )
            raise InputError(f"expected helicities that interactions allow; those of {name} vanish")
        for (_, current, source, _), joint in zip(rows, joints, strict=True):
            for node in (current, source):
                writer.require(node, live & joint)
        arrays, placed = writer.write()
        rows = [row for row in rows if row[1] in placed and row[2] in placed]
        chosen = np.argwhere(live).astype(np.int32)
        arrays |= self._contraction_arrays(rows, placed, chosen)
        arrays |= self._column_arrays()
        n_columns = math.isqrt(arrays["colour"].size)
        power = (
            next(iter(self._amplitudes.parts.values()))[0].power
            if not len(arrays["assembly"])
            else 0
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
        powers = {(part.power, part.own) for pieces in parts.values() for part in pieces}
        exact = colour_matrix(tuple(parts))
        matrix = np.array([[float(element) for element in row] for row in exact])
        if len(powers) == 1:
            return self._folded_columns(matrix)
        if self._recursion.selects_products:
            return self._selected_columns(matrix)
        pieces = [(column, part) for column, flow in enumerate(parts.values()) for part in flow]
        columns = np.arange(len(parts), dtype=np.int32)
        return _assembled(matrix, pieces, columns, np.ones(len(parts)))

    def _folded_columns(self, matrix: Array) -> Arrays:
        """Amplitudes as columns: each flow is a multiple of one."""
        firsts = [pieces[0] for pieces in self._amplitudes.parts.values()]
        columns = np.array([part.amplitude for part in firsts], np.int32)
        factors = np.array([float(part.factor) for part in firsts])
        folded = np.zeros((self._amplitudes.count,) * 2)
        np.add.at(
            folded,
            (columns[:, None], columns[None, :]),
            matrix * factors[:, None] * factors[None, :],
        )
        return _assembled(folded, [], columns, factors**2)

    def _selected_columns(self, matrix: Array) -> Arrays:
        """A column for each flow and powers, and behind them one for the weight of each flow.

        The latter holds the powers whose squares are in |M|^2; if there are none, all.
        """
        parts, interfere = self._amplitudes.parts, self._recursion.interfere
        places = {
            (flow, own): column
            for column, (flow, own) in enumerate(
                dict.fromkeys(
                    (flow, part.own)
                    for flow, pieces in enumerate(parts.values())
                    for part in pieces
                )
            )
        }
        squared = {own for _, own in places if interfere(own, own)} or {own for _, own in places}
        n_columns = len(places) + len(parts)
        selected = np.zeros((n_columns, n_columns))
        for (a, first), row in places.items():
            for (b, second), column in places.items():
                if interfere(first, second):
                    selected[row, column] = matrix[a, b]
        pieces: list[tuple[int, _Part]] = []
        for flow, of_flow in enumerate(parts.values()):
            pieces += [(places[flow, part.own], part) for part in of_flow]
            pieces += [(len(places) + flow, part) for part in of_flow if part.own in squared]
        flows = np.arange(len(places), n_columns, dtype=np.int32)
        return _assembled(selected, pieces, flows, np.ones(len(parts)))


def _assembled(
    matrix: Array,
    pieces: Sequence[tuple[int, _Part]],
    flow_columns: NDArray[np.int32],
    flow_factors: Array,
) -> Arrays:
    """The arrays of columns.

    Args:
        matrix: colour matrix of the columns, (n_columns, n_columns).
        pieces: column and part of it; none if the amplitudes are the columns.
        flow_columns: column of each flow.
        flow_factors: squares of the factors between columns and flows.
    """
    rows: list[Row] = [
        {"column": column, "amplitude": part.amplitude, "power": part.power}
        for column, part in pieces
    ]
    return {
        "colour": np.triu(matrix) + np.triu(matrix, 1),
        "assembly": table("assembly", rows),
        "assembly_factors": np.array([float(part.factor) for _, part in pieces], np.float64),
        "flow_columns": flow_columns,
        "flow_factors": flow_factors,
    }


def diagram_tape(
    diagrams: tuple[Diagram, ...],
    vertices: VertexTable,
    legs: Sequence[ExternalLeg],
    without_width: Set[PropagatorKey] = frozenset(),
    basis: HelicityBasis = PLAIN_BASIS,
) -> Tape:
    """The tape of |M_i|^2 of all diagrams, summed over helicities.

    Args:
        diagrams: as `diagrams_of` gives them.
        vertices: of the model.
        legs: as for `AmplitudeBuilder`.
        without_width: as for `AmplitudeBuilder`.
        basis: as for `AmplitudeBuilder`.
    """
    model = vertices.model
    currents = Currents(model, _fermions(legs, model))
    pairs = square_pairs(diagrams, vertices, currents, legs[0].pdg)
    writer = TapeWriter(currents, legs, without_width, basis)
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
    """1 / (spins and colours of incoming particles x permutations of identical outgoing ones).

    The average is over the states of a polarised particle alone, as MadGraph has it, and particles
    of different polarisations are not identical.
    """
    states = 1
    for pdg, selected in zip(reaction.incoming, reaction.leg_polarisations, strict=False):
        states *= len(selected or helicity_states(model, pdg)) * abs(model.particle(pdg).colour)
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
