"""Pairs of heavy fermions of any colour: only the Casimir operator distinguishes them.

With tau_k = 2 p_k.p_X / s and a representation of dimension D and Casimir operator C, the colours
of g g > X X~ are D C (C - 3 tau_1 tau_2) and those of q q~ > X X~ are D C, times what is the same
for all of them; for triplets and octets these are the known formulae for heavy quarks (Combridge)
and gluinos (Dawson, Eichten and Quigg).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from madnis_py import _core
from madnis_py.arrays import Array
from madnis_py.physics.amplitudes.tapes.amplitude_builder import (
    AmplitudeBuilder,
    average_factor,
    external_legs,
)
from madnis_py.physics.amplitudes.tapes.helicities import MOMENTUM, ExternalLeg
from madnis_py.physics.amplitudes.tree_amplitude import TreeAmplitude
from madnis_py.physics.diagrams.reactions import reaction_of
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model import model as model_module
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import ModelTables, Particle, Vertex, VertexTerm
from madnis_py.physics.observables.generic_momenta import generic_momenta

TOP, OCTET, SEXTET, ANTITRIPLET = 6, 9000021, 9000006, 9000003
HEAVY = {
    OCTET: ("oct", 8, "f(3,1,2)"),
    SEXTET: ("six", 6, "T6(3,1,2)"),
    ANTITRIPLET: ("ant", -3, "-1*T(3,2,1)"),
}
"""PDG code -> name, representation and generator between the two fermions."""

CASIMIR = {
    TOP: (3, Fraction(4, 3)),
    OCTET: (8, Fraction(3)),
    SEXTET: (6, Fraction(10, 3)),
    ANTITRIPLET: (3, Fraction(4, 3)),
}
"""PDG code -> dimension and Casimir operator."""


@pytest.fixture
def heavy(monkeypatch: pytest.MonkeyPatch) -> Model:
    """The Standard Model with heavy fermions, all with the mass of the top, stable."""
    sm = MODELS["sm"]
    particles = tuple(
        Particle(name, f"{name}~", pdg, 2, colour, 0.0, mass="MT")
        for pdg, (name, colour, _) in HEAVY.items()
    )
    vertices = tuple(
        Vertex((f"{name}~", name, "g"), (VertexTerm(generator, "FFV", ("1", "1")),), (1, 0))
        for name, _, generator in HEAVY.values()
    )
    tables = ModelTables(sm.parameters, sm.particles + particles, sm.vertices + vertices)
    monkeypatch.setattr(model_module, "MODELS", {**MODELS, "heavy": tables})
    return Model("heavy", {"WT": 0.0})


def squared(model: Model, incoming: tuple[int, int], pdg: int, p: Array) -> Array:
    return TreeAmplitude(reaction_of(incoming, (pdg, -pdg)), model).squared(p, 0.118)


@pytest.mark.parametrize("pdg", HEAVY)
def test_gluons_and_quarks_make_pairs_by_their_casimir_operator(pdg: int, heavy: Model) -> None:
    mass = heavy.mass(TOP)
    p = generic_momenta([0.0, 0.0, mass, mass], 2)
    s, first, second = (product(p[:, 0], p[:, k]) for k in (1, 2, 3))
    tau = first * second / s**2
    dimension, casimir = CASIMIR[pdg]
    top, top_casimir = CASIMIR[TOP]

    def colours(size: int, value: Fraction) -> Array:
        return float(size * value) * (float(value) - 3 * tau)

    np.testing.assert_allclose(
        squared(heavy, (21, 21), pdg, p) / squared(heavy, (21, 21), TOP, p),
        colours(dimension, casimir) / colours(top, top_casimir),
        rtol=1e-10,
    )
    np.testing.assert_allclose(
        squared(heavy, (2, -2), pdg, p) / squared(heavy, (2, -2), TOP, p),
        float(dimension * casimir / (top * top_casimir)),
        rtol=1e-10,
    )


def product(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(axis=1))


@pytest.mark.parametrize("pdg", HEAVY)
@pytest.mark.parametrize("incoming", [(21, 21), (2, -2)])
def test_longitudinal_gluons_decouple_from_pairs_of_any_colour(
    incoming: tuple[int, int], pdg: int, heavy: Model
) -> None:
    reaction = reaction_of(incoming, (pdg, -pdg, 21))
    mass = heavy.mass(pdg)
    p = generic_momenta([0.0, 0.0, mass, mass, 0.0], 2)
    legs = list(external_legs(reaction, heavy))
    legs[4] = ExternalLeg(21, False, (MOMENTUM,))
    builder = AmplitudeBuilder(recursion_of(reaction, VertexTable(heavy)), legs, heavy)
    kernel = _core.AmplitudeTape(
        builder.tape().tape.bound(heavy), float(average_factor(reaction, heavy))
    )
    found, _, _ = kernel.evaluate(p, np.full(len(p), 0.118), None, False, False, False)
    assert (found < 1e-20 * TreeAmplitude(reaction, heavy).squared(p, 0.118)).all()
