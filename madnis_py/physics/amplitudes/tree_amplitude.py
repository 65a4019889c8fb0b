"""Tree amplitude: |M|^2 of a reaction as a function of momenta, from its tapes.

`amplitude_builder` makes the tapes, `tape_cache` keeps them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    AmplitudeTape,
    Tape,
    average_factor,
    diagram_tape,
    external_legs,
)
from madnis_py.physics.amplitudes.tapes.helicities import (
    CHOSEN,
    PLAIN_SPINS,
    ExternalLeg,
    HelicityBasis,
    Spins,
)
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tapes.tape_tables import Arrays
from madnis_py.physics.colour.colour import String, flow_lines
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion, recursion_of
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import VertexTable, vertex_table
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta

_VANISHING = 1e-26
"""Share of |M|^2 of a helicity that vanishes: the square of what rounding leaves, with a margin."""


@dataclass(frozen=True)
class BoundTapes:
    """The tapes of a reaction with the values of its model, all that the kernels need.

    Attributes:
        amplitude: of |M|^2, name -> int32 or float64 array.
        squares: of |M_i|^2, name -> int32 or float64 array.
        average: factor of |M|^2 for initial states and identical particles, `average_factor`.
    """

    amplitude: Arrays
    squares: Arrays
    average: float


class TreeAmplitude(MatrixElement):
    """|M|^2 of one process at tree level, made from its diagrams.

    Args:
        reaction: particles, coupling orders, decays.
        model: particles, vertices and the values of the parameters.
        without_width: propagators that have none, see `widths.widths_of`; all others have that of
            their particle.
        cache: where built tapes are kept; None builds anew.
        spins: how far the beams are polarised, and the frame that defines helicities.

    Attributes:
        reaction: as given.
        model: as given.
        spins: as given.
        legs: PDG codes, incoming first.
        diagrams: Feynman diagrams, in the order of the columns of `evaluate`.
        flows: per colour flow, (colour, anticolour) of each leg in the numbers of the Les Houches
            format.
        helicities: those that do not vanish, twice their value for fermions, int8, shape
            (n_helicities, n_legs).
        alpha_s_power: k where |M|^2 is proportional to alpha_s^k; None for a sum of several powers.

    Raises:
        InputError: there is no tree diagram.
    """

    def __init__(
        self,
        reaction: Reaction,
        model: Model,
        without_width: Set[PropagatorKey] = frozenset(),
        cache: TapeCache | None = None,
        spins: Spins = PLAIN_SPINS,
    ) -> None:
        self.reaction, self.legs, self.spins = reaction, reaction.legs, spins
        self.model, self._without_width, self._cache = model, without_width, cache
        vertices = vertex_table(model)
        recursion = recursion_of(reaction, vertices)
        self.diagrams: tuple[Diagram, ...] = diagrams_of(recursion)
        self.n_diagrams, self.n_particles = len(self.diagrams), len(self.legs)
        if not self.diagrams:
            raise InputError(
                f"expected a process with tree diagrams; {self.name} has none in model {model.name}"
            )
        self.alpha_s_power = _only_power_of_alpha_s(recursion.strong_powers)
        self._external = external_legs(reaction, model, spins)
        self._basis = HelicityBasis(spins.frame, reaction.polarised_lines)
        self._average = float(average_factor(reaction, model))
        tapes = _StoredTapes(
            reaction, recursion, self.diagrams, self._external, without_width, self._basis
        )
        arrays = tapes.build() if cache is None else cache.get(tapes.description(), tapes.build)
        amplitude, squares = _unpacked(arrays, "amplitude"), _unpacked(arrays, "squares")
        self._amplitude_arrays, self._square_arrays = amplitude.bound(model), squares.bound(model)
        meaning = json.loads(str(arrays["meaning"]))
        incoming = [leg.incoming for leg in self._external]
        flows = [
            tuple(String(first, tuple(gluons), last) for first, gluons, last in flow)
            for flow in meaning["flows"]
        ]
        self.flows = tuple(flow_lines(flow, incoming) for flow in flows)
        self.helicities = np.asarray(arrays["helicities"], np.int8)

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = self.reaction, self.model, self._without_width, self._cache, self.spins
        return type(self), arguments

    @property
    def name(self) -> str:
        """The process for people, "g g > t t~"."""
        return self.model.reaction_name(self.legs, len(self.reaction.incoming))

    @property
    def tapes(self) -> BoundTapes:
        """What the kernels run."""
        return BoundTapes(self._amplitude_arrays, self._square_arrays, self._average)

    @cached_property
    def _amplitude(self) -> _core.AmplitudeTape:
        return _core.AmplitudeTape(self._amplitude_arrays, self._average)

    @cached_property
    def _squares(self) -> _core.DiagramTape:
        return _core.DiagramTape(self._square_arrays)

    def evaluate(self, p: Array, alpha_s: Array | float) -> tuple[Array, Array]:
        """|M|^2 and |M_i|^2 of every diagram; see `MatrixElement.evaluate`."""
        return self.squared(p, alpha_s), self._squares.evaluate(p, _per_event(alpha_s, p))

    def squared(self, p: Array, alpha_s: Array | float, single: bool = False) -> Array:
        """|M|^2 alone.

        Args:
            p: momenta in GeV, event-fastest float64 (n, n_legs, 4).
            alpha_s: a number or float64 (n,).
            single: compute with single precision; `single_error` tells what that costs.

        Returns:
            float64 (n,), GeV^(8 - 2 n_legs).
        """
        return self._amplitude.evaluate(p, _per_event(alpha_s, p), None, False, False, single)[0]

    @cached_property
    def identity(self) -> Hashable:
        """A digest of both tapes with the values of the model; see `MatrixElement.identity`."""
        digest = hashlib.sha256(str(self._average).encode())
        for arrays in (self._amplitude_arrays, self._square_arrays):
            for name, array in sorted(arrays.items()):
                digest.update(
                    f"{name} {array.dtype.str} {array.shape}".encode()
                    + np.ascontiguousarray(array).tobytes()
                )
        return digest.hexdigest()

    def weights(self, p: Array, alpha_s: Array | float) -> Weights:
        """See `MatrixElement.weights`."""
        me2, flows, helicities = self._amplitude.evaluate(
            p, _per_event(alpha_s, p), None, True, True, False
        )
        assert flows is not None
        assert helicities is not None
        return Weights(me2, flows, helicities)

    def at_helicities(
        self, p: Array, alpha_s: Array | float, helicities: NDArray[np.int8]
    ) -> Array:
        """The part of |M|^2 of one helicity per event.

        Args:
            p: momenta in GeV, event-fastest float64 (n, n_legs, 4).
            alpha_s: a number or float64 (n,).
            helicities: of every leg, twice their value for fermions, integers, shape (n, n_legs).

        Returns:
            float64 (n,); the sum over all helicities is `squared`.

        Raises:
            InputError: a helicity that a particle does not have.
        """
        for position, leg in enumerate(self._external):
            if not np.isin(helicities[:, position], leg.states).all():
                raise InputError(
                    f"helicities of leg {position}: expected one of {leg.states}; got another one"
                )
        chosen = np.ascontiguousarray(helicities, np.float64)
        me2, *_ = self._chosen.evaluate(p, _per_event(alpha_s, p), chosen, False, False, False)
        for position, leg in enumerate(self._external):
            if leg.weights:
                me2 *= np.array(leg.weights)[np.searchsorted(leg.states, helicities[:, position])]
        return me2

    @cached_property
    def _chosen(self) -> _core.AmplitudeTape:
        """The tape that takes helicities from the events."""
        legs = [ExternalLeg(leg.pdg, leg.incoming, (CHOSEN,)) for leg in self._external]
        recursion = recursion_of(self.reaction, vertex_table(self.model))
        builder = AmplitudeBuilder(recursion, legs, self.model, self._without_width, self._basis)
        tape = builder.tape()
        return _core.AmplitudeTape(tape.tape.bound(self.model), self._average)

    def single_error(self, p: Array, alpha_s: Array | float) -> Array:
        """Relative error of |M|^2 in single precision, float64 (n,)."""
        exact = self.squared(p, alpha_s)
        return np.abs(self.squared(p, alpha_s, single=True) / exact - 1)


@dataclass(frozen=True)
class _StoredTapes:
    """Both tapes of an amplitude as the arrays that the cache keeps.

    Attributes:
        reaction: of the amplitude.
        recursion: of the reaction.
        diagrams: of the reaction.
        legs: with their helicities.
        without_width: propagators that have none.
        basis: what helicities refer to.
    """

    reaction: Reaction
    recursion: Recursion
    diagrams: tuple[Diagram, ...]
    legs: tuple[ExternalLeg, ...]
    without_width: Set[PropagatorKey]
    basis: HelicityBasis

    @property
    def _vertices(self) -> VertexTable:
        return self.recursion.vertices

    def description(self) -> str:
        """Everything that the tapes depend on: model, reaction, and which values vanish."""
        model = self._vertices.model
        expressions = {
            text for vertex in model.vertices for part in vertex.terms for text in part.couplings
        }
        complex_ones = sorted(text for text in expressions if model.coupling(text).imag != 0)
        vanishing = sorted(text for text in expressions if model.coupling(text) == 0)
        massive = [
            (row.name, row.mass, row.width, model.mass(row.pdg) > 0) for row in model.particles
        ]
        return repr(
            (
                self.reaction,
                self.legs,
                self.basis,
                sorted(self.without_width),
                model.vertices,
                complex_ones,
                vanishing,
                massive,
            )
        )

    def build(self) -> Arrays:
        """The arrays of both tapes, with the helicities and colour flows of their results."""
        model, legs = self._vertices.model, self.legs
        builder = AmplitudeBuilder(self.recursion, legs, model, self.without_width, self.basis)
        tape = self._without_zeros(builder, builder.tape())
        squares = diagram_tape(self.diagrams, self._vertices, legs, self.without_width, self.basis)
        flows = [
            [(string.antiquark, string.gluons, string.quark) for string in flow]
            for flow in tape.flows
        ]
        return {
            **_packed(tape.tape, "amplitude"),
            **_packed(squares, "squares"),
            "helicities": tape.helicities,
            "meaning": np.array(json.dumps({"flows": flows})),
        }

    def _without_zeros(self, builder: AmplitudeBuilder, tape: AmplitudeTape) -> AmplitudeTape:
        """Drop the helicities whose amplitude vanishes although their diagrams do not.

        The tape serves other values of the parameters too: zeros are looked for at values in
        general position. Below threshold nothing is dropped, since there are no momenta.
        """
        model = _in_general_position(self._vertices.model)
        masses = [model.mass(leg.pdg) for leg in self.legs]
        n_incoming = len(self.reaction.incoming)
        p = generic_momenta(masses, n_incoming)
        if not np.allclose(p[:, :n_incoming].sum(axis=1), p[:, n_incoming:].sum(axis=1)):
            return tape
        kernel = _core.AmplitudeTape(tape.tape.bound(model), 1.0)
        _, _, helicities = kernel.evaluate(p, np.ones(len(p)), None, False, True, False)
        assert helicities is not None
        sizes = np.abs(helicities)
        kept = (sizes > _VANISHING * sizes.sum(axis=1, keepdims=True)).any(axis=0)
        if kept.all() or not kept.any():
            return tape
        live = np.zeros([len(leg.states) for leg in self.legs], bool)
        for states in tape.helicities[kept].tolist():
            place = [leg.states.index(one) for leg, one in zip(self.legs, states, strict=True)]
            live[tuple(place)] = True
        return builder.tape(live)


def _only_power_of_alpha_s(strong_powers: Collection[int]) -> int | None:
    """The power of alpha_s from those of g_s; None if there are several, or an odd one."""
    first, *others = strong_powers
    return None if others or first % 2 else first // 2


def _in_general_position(model: Model) -> Model:
    """The model with unrelated masses, widths and couplings, zero where they are zero."""
    units = {"MASS": 40.0, "YUKAWA": 20.0, "DECAY": 1.0, "ZPRIME": 0.5}
    values = {
        name: units[parameter.block] * (1 + 0.17 * place)
        for place, (name, parameter) in enumerate(model.parameters.items())
        if parameter.block in units and model[name] != 0 and name != "MZ"
    }
    return Model(model.name, model.values | values)


def _per_event(alpha_s: Array | float, p: Array) -> Array:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(alpha_s, np.float64), (len(p),)))


def _packed(tape: Tape, name: str) -> Arrays:
    constants = json.dumps(
        [(text, factor.numerator, factor.denominator) for text, factor in tape.constants]
    )
    return {
        **{f"{name}.{key}": array for key, array in tape.arrays.items()},
        f"{name}:constants": np.array(constants),
    }


def _unpacked(arrays: Mapping[str, Any], name: str) -> Tape:
    inside = {
        key.removeprefix(f"{name}."): array
        for key, array in arrays.items()
        if key.startswith(f"{name}.")
    }
    constants: Sequence[tuple[str, int, int]] = json.loads(str(arrays[f"{name}:constants"]))
    return Tape(inside, tuple((text, Fraction(over, under)) for text, over, under in constants))
