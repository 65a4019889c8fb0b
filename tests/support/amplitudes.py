"""Amplitudes by their definitions, and points of phase space to evaluate them at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np

from madnis_py.arrays import Array
from madnis_py.card.card import Card
from madnis_py.card.process_tables import ProcessTable
from madnis_py.physics.amplitudes.tapes.helicities import PLAIN_SPINS, Spins
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.amplitudes.widths import widths_of
from madnis_py.physics.definition.definition_reader import definition_of
from madnis_py.physics.diagrams.diagrams import diagrams_of
from madnis_py.physics.diagrams.reactions import Reaction
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.trees import PropagatorKey
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.mass_limits import MassLimits
from madnis_py.physics.observables.momenta import as_momenta

STABLE = {"WT": 0.0, "WZ": 0.0, "WW": 0.0, "WH": 0.0}
"""All widths zero: amplitudes are exactly gauge invariant."""

ALPHA_S = 0.118
G2 = 4 * np.pi * ALPHA_S


def reactions(text: str, model: Model) -> tuple[Reaction, ...]:
    """The reactions of a definition that have definite particles or several."""
    card = Card.parse({"process": {"definition": text}})
    return definition_of(card, model).reactions(model)


def reaction(text: str, model: Model) -> Reaction:
    """The only reaction of a definition."""
    (one,) = reactions(text, model)
    return one


def without_width(one: Reaction, model: Model, **switches: bool) -> frozenset[PropagatorKey]:
    """The propagators that have no width by the switches of a card, whatever the energy."""
    limits = MassLimits([model.mass(pdg) for pdg in one.legs], (), n_incoming=len(one.incoming))
    table = ProcessTable.model_validate({"definition": "any", **switches})
    return widths_of(
        one, diagrams_of(recursion_of(one, VertexTable(model))), limits, model, table
    ).zero


@cache
def amplitude(text: str, **values: float) -> TreeAmplitude:
    """The amplitude of a definition with values of parameters, built once per session."""
    model = Model("sm", values)
    return TreeAmplitude(reaction(text, model), model)


def points(text: str, count: int = 4, values: Mapping[str, float] = MappingProxyType({})) -> Array:
    """Momenta in general position for a definition, (count, n_legs, 4)."""
    model = Model("sm", values)
    one = reaction(text, model)
    return generic_momenta([model.mass(pdg) for pdg in one.legs], len(one.incoming), count)


def invariant(p: Array, *legs: int) -> Array:
    """(sum of momenta)^2 with incoming ones negative, for massless pairs 2 p_i.p_j up to sign."""
    sign = np.where(np.arange(p.shape[1]) < 2, 1.0, -1.0)
    total = (sign[list(legs), None] * p[:, list(legs)]).sum(axis=1)
    square: Array = total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(axis=1)
    return square


def mandelstam(p: Array) -> tuple[Array, Array, Array]:
    """s, t, u of two to two, t between the first and the third leg."""
    return invariant(p, 0, 1), invariant(p, 0, 2), invariant(p, 0, 3)


def permuted(p: Array, *order: int) -> Array:
    """Momenta with the legs in another order."""
    return as_momenta(p[:, list(order)])


def turned(p: Array, seed: int, rapidity: float = 0.0) -> Array:
    """Momenta after a random rotation and a boost in a random direction."""
    random = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    axis = random.normal(size=3)
    axis /= np.linalg.norm(axis)
    boost = np.eye(4)
    boost[0, 0] = np.cosh(rapidity)
    boost[0, 1:] = boost[1:, 0] = np.sinh(rapidity) * axis
    boost[1:, 1:] += (np.cosh(rapidity) - 1) * np.outer(axis, axis)
    boost[1:, 1:] = boost[1:, 1:] @ rotation
    boost[0, 1:] = boost[0, 1:] @ rotation
    return as_momenta(p @ boost.T)


def numbered(colours: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """(Colour, anticolour) of legs, the lines called 1, 2, ... in the order of the legs."""
    names = {0: 0}
    return tuple(tuple(names.setdefault(line, len(names)) for line in leg) for leg in colours)


def polarised(text: str, spins: Spins = PLAIN_SPINS, **values: float) -> TreeAmplitude:
    """The amplitude of a definition with polarised beams, or helicities of another frame."""
    model = Model("sm", values)
    return TreeAmplitude(reaction(text, model), model, spins=spins)
