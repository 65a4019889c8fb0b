"""Tapes of a reaction, built, or read from where those of the same pattern are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from madnis_py import _core
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    AmplitudeTape,
    Tape,
    diagram_tape,
)
from madnis_py.physics.amplitudes.tapes.helicities import ExternalLeg, HelicityBasis
from madnis_py.physics.amplitudes.tapes.tape_cache import TapeCache
from madnis_py.physics.amplitudes.tapes.tape_patterns import TapePattern, tape_pattern
from madnis_py.physics.amplitudes.tapes.tape_tables import Arrays
from madnis_py.physics.colour.colour import Closed, String
from madnis_py.physics.diagrams.diagrams import Diagram
from madnis_py.physics.diagrams.recursion import Recursion
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta

_VANISHING = 1e-26
"""Share of |M|^2 of a helicity that vanishes: the square of what rounding leaves, with a margin."""


@dataclass(frozen=True)
class ReactionTapes:
    """The tapes of a reaction, without the values of the model.

    Attributes:
        amplitude: of |M|^2, for the helicities that do not vanish.
        every: of |M|^2, for all helicities that chirality allows.
        squares: of |M_i|^2.
    """

    amplitude: AmplitudeTape
    every: AmplitudeTape
    squares: Tape


@dataclass(frozen=True)
class StoredTapes:
    """The tapes of a reaction and where they are kept.

    Attributes:
        recursion: of the reaction.
        diagrams: of the reaction.
        legs: with their helicities.
        without_width: propagators that have none.
        basis: what helicities refer to.
    """

    recursion: Recursion
    diagrams: tuple[Diagram, ...]
    legs: tuple[ExternalLeg, ...]
    without_width: Set[PropagatorKey]
    basis: HelicityBasis

    def read(self, cache: TapeCache) -> ReactionTapes:
        """The tapes of this pattern that are kept, with the constants of this reaction.

        They may have been built for other particles. Then the same helicities have to vanish, which
        could depend on how couplings are related; else this reaction has tapes of its own.

        Args:
            cache: where tapes are kept; those that are missing are built and kept.
        """
        pattern = self._pattern
        arrays = cache.get(pattern.text, self._arrays)
        tapes = _unpacked(arrays, pattern.names)
        if _names(arrays) == pattern.names or self._has_zeros_of(tapes):
            return tapes
        arrays = cache.get(f"{pattern.text} {pattern.names}", self._arrays)
        return _unpacked(arrays, pattern.names)

    @cached_property
    def _pattern(self) -> TapePattern:
        return tape_pattern(self.recursion, self.legs, self.without_width, self.basis)

    def _arrays(self) -> Arrays:
        return _packed(self.build(), self._pattern.names)

    @property
    def _model(self) -> Model:
        return self.recursion.vertices.model

    def build(self) -> ReactionTapes:
        """The tapes, built anew."""
        builder = AmplitudeBuilder(
            self.recursion, self.legs, self._model, self.without_width, self.basis
        )
        every = builder.tape()
        live = self._live(every)
        squares = diagram_tape(
            self.diagrams, self.recursion.vertices, self.legs, self.without_width, self.basis
        )
        amplitude = every if live.all() else builder.tape(self._selected(every.helicities[live]))
        return ReactionTapes(amplitude, every, squares)

    def _has_zeros_of(self, tapes: ReactionTapes) -> bool:
        """Whether helicities vanish here as they did where the tapes were built."""
        live = self._live(tapes.every)
        return np.array_equal(tapes.every.helicities[live], tapes.amplitude.helicities)

    def _live(self, every: AmplitudeTape) -> NDArray[np.bool_]:
        """Which helicities do not vanish although their diagrams do not.

        The tape serves other values of the parameters too: zeros are looked for at values in
        general position. Below threshold all count, since there are no momenta.
        """
        everything = np.ones(len(every.helicities), bool)
        model = _in_general_position(self._model)
        if model is None:
            return everything
        masses = [model.mass(leg.pdg) for leg in self.legs]
        n_incoming = sum(leg.incoming for leg in self.legs)
        p = generic_momenta(masses, n_incoming)
        if not np.allclose(p[:, :n_incoming].sum(axis=1), p[:, n_incoming:].sum(axis=1)):
            return everything
        kernel = _core.AmplitudeTape(every.tape.bound(model), 1.0)
        _, _, helicities = kernel.evaluate(p, np.ones(len(p)), None, False, True, False)
        assert helicities is not None
        sizes = np.abs(helicities)
        live = (sizes > _VANISHING * sizes.sum(axis=1, keepdims=True)).any(axis=0)
        return live if live.any() else everything

    def _selected(self, helicities: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Helicities, one in a row, as one axis per leg."""
        selected = np.zeros([len(leg.states) for leg in self.legs], bool)
        for states in helicities.tolist():
            place = [leg.states.index(one) for leg, one in zip(self.legs, states, strict=True)]
            selected[tuple(place)] = True
        return selected


def _in_general_position(model: Model) -> Model | None:
    """The model with unrelated masses, widths and couplings, zero where they are zero.

    None where no such values are possible; M_Z and the inputs of SMINPUTS stay.
    """
    units = {"MASS": 40.0, "YUKAWA": 20.0, "DECAY": 1.0}
    values = {
        name: units.get(parameter.block, 0.5) * (1 + 0.17 * place)
        for place, (name, parameter) in enumerate(model.parameters.items())
        if parameter.block not in ("SMINPUTS", "WOLFENSTEIN")
        and model[name] != 0
        and parameter.place != ("MASS", (23,))
    }
    try:
        return model.with_values(values)
    except ValueError:
        return None


def _packed(tapes: ReactionTapes, names: Sequence[str]) -> Arrays:
    """The arrays that are kept; constants have the numbers of their names."""
    parts = {"amplitude": tapes.amplitude.tape, "squares": tapes.squares}
    arrays: dict[str, Any] = {"helicities": tapes.amplitude.helicities}
    if tapes.every is not tapes.amplitude:
        parts["every"] = tapes.every.tape
        arrays["every_helicities"] = tapes.every.helicities
    for part, tape in parts.items():
        arrays |= {f"{part}.{name}": array for name, array in tape.arrays.items()}
    flows = [
        [(string.antiquark, string.gluons, string.quark) for string in flow]
        for flow in tapes.amplitude.flows
    ]
    constants = {
        part: [
            (names.index(text), factor.numerator, factor.denominator)
            for text, factor in tape.constants
        ]
        for part, tape in parts.items()
    }
    meaning = {"flows": flows, "names": list(names), "constants": constants}
    return {**arrays, "meaning": np.array(json.dumps(meaning))}


def _names(arrays: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the constants where the arrays were made."""
    return tuple(json.loads(str(arrays["meaning"]))["names"])


def _unpacked(arrays: Mapping[str, Any], names: Sequence[str]) -> ReactionTapes:
    """The tapes of arrays that are kept.

    Args:
        arrays: of the pattern.
        names: of the constants of this reaction.
    """
    meaning = json.loads(str(arrays["meaning"]))
    flows: tuple[Closed, ...] = tuple(
        tuple(String(first, tuple(gluons), last) for first, gluons, last in flow)
        for flow in meaning["flows"]
    )

    def tape(part: str) -> Tape:
        inside = {
            key.removeprefix(f"{part}."): array
            for key, array in arrays.items()
            if key.startswith(f"{part}.")
        }
        constants: Sequence[tuple[int, int, int]] = meaning["constants"][part]
        return Tape(
            inside, tuple((names[text], Fraction(over, under)) for text, over, under in constants)
        )

    def amplitude(part: str, helicities: str) -> AmplitudeTape:
        return AmplitudeTape(tape(part), flows, np.asarray(arrays[helicities], np.int8))

    own = amplitude("amplitude", "helicities")
    every = amplitude("every", "every_helicities") if "every_helicities" in arrays else own
    return ReactionTapes(own, every, tape("squares"))
