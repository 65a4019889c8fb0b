"""Tree amplitude: |M|^2 of a reaction as a function of momenta, from its tapes.

`amplitude_builder` makes the tapes, `stored_tapes` keeps them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.amplitudes.matrix_element import MatrixElement, Weights
from madnis_py.physics.amplitudes.order_parts import OrderParts
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    average_factor,
    external_legs,
)
from madnis_py.physics.amplitudes.tapes.helicities import (
    CHOSEN,
    PLAIN_SPINS,
    ExternalLeg,
    HelicityBasis,
    Spins,
)
from madnis_py.physics.amplitudes.tapes.stored_tapes import ReactionTapes, StoredTapes
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tapes.tape_tables import Arrays
from madnis_py.physics.colour.colour_lines import flow_lines
from madnis_py.physics.diagrams.coupling_orders import SquaredOrders
from madnis_py.physics.diagrams.diagrams import Diagram, diagrams_of
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import Recursion, recursion_of
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import vertex_table
from madnis_py.physics.model.model import Model


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
        told_apart: coupling orders by whose powers in |M|^2 it has `parts`.
        diagrams: those of the reaction by `diagrams_of`, if they have been listed before.

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
        told_apart: tuple[str, ...] = (),
        diagrams: tuple[Diagram, ...] | None = None,
    ) -> None:
        self.reaction, self.legs, self.spins = reaction, reaction.legs, spins
        self._told_apart = told_apart
        self.model, self._without_width, self._cache = model, without_width, cache
        recursion = recursion_of(reaction, vertex_table(model))
        self.diagrams = diagrams_of(recursion) if diagrams is None else diagrams
        self.n_diagrams, self.n_particles = len(self.diagrams), len(self.legs)
        if not self.diagrams:
            raise InputError(
                f"expected a process with tree diagrams; {self.name} has none in model {model.name}"
            )
        self.alpha_s_power = _only_power_of_alpha_s(recursion.strong_powers)
        self._external = external_legs(reaction, model, spins)
        self._basis = HelicityBasis(spins.frame, reaction.polarised_lines)
        self._average = float(average_factor(reaction, model))
        tapes = self._tapes_of(recursion)
        self._amplitude_arrays = tapes.amplitude.tape.bound(model)
        self._square_arrays = tapes.squares.bound(model)
        incoming = [leg.incoming for leg in self._external]
        self.flows = tuple(flow_lines(flow, incoming) for flow in tapes.amplitude.flows)
        self.helicities = tapes.amplitude.helicities

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = self.reaction, self.model, self._without_width, self._cache, self.spins
        return type(self), (*arguments, self._told_apart, self.diagrams)

    def _tapes_of(self, recursion: Recursion) -> ReactionTapes:
        """The tapes of a recursion with the diagrams of this reaction."""
        stored = StoredTapes(
            recursion, self.diagrams, self._external, self._without_width, self._basis
        )
        return stored.build() if self._cache is None else stored.read(self._cache)

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
        return digest.hexdigest(), self._parts.identity if self._told_apart else ()

    def parts(self, p: Array, alpha_s: Array | float) -> dict[SquaredOrders, Array]:
        """See `MatrixElement.parts`."""
        return self._parts.evaluate(p, _per_event(alpha_s, p))

    @cached_property
    def _parts(self) -> OrderParts:
        def tape(recursion: Recursion) -> Arrays:
            return self._tapes_of(recursion).amplitude.tape.bound(self.model)

        recursion = recursion_of(self.reaction, vertex_table(self.model))
        return OrderParts(recursion, self._told_apart, tape, self._average)

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


def _only_power_of_alpha_s(strong_powers: Collection[int]) -> int | None:
    """The power of alpha_s from those of g_s; None if there are several, or an odd one."""
    first, *others = strong_powers
    return None if others or first % 2 else first // 2


def _per_event(alpha_s: Array | float, p: Array) -> Array:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(alpha_s, np.float64), (len(p),)))
