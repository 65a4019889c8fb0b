"""Small models written in tests: a few particles and vertices, and their amplitudes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

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
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import ModelTables, Parameter, Particle, Vertex, VertexTerm
from madnis_py.physics.observables.generic_momenta import generic_momenta
from madnis_py.physics.observables.momenta import as_momenta


def small_model(
    particles: Sequence[Particle],
    vertices: Sequence[Vertex],
    values: Mapping[str, float] = MappingProxyType({}),
    like: str = "sm",
) -> Model:
    """A model of its own particles, with parameters that a built-in one does not have.

    Args:
        particles: all of them; built-in ones by `of`.
        vertices: all of them.
        values: of the parameters of the particles, in GeV, and of couplings.
        like: the model whose other parameters it has.
    """
    own = tuple(
        Parameter(name, "MASS" if name.startswith("M") else "SMALL", (number,), value, name)
        for number, (name, value) in enumerate(values.items(), 9_000_000)
    )
    kept = tuple(one for one in MODELS[like].parameters if one.name not in values)
    derived = tuple(one for one in MODELS[like].derived if one.name not in values)
    tables = ModelTables(kept + own, tuple(particles), tuple(vertices), derived, strong="aS")
    return Model("small", tables=tables)


def of(*names: str) -> tuple[Particle, ...]:
    """Particles of the Standard Model."""
    rows = {one.name: one for one in MODELS["sm"].particles}
    return tuple(rows[name] for name in names)


def vertex(particles: str, *terms: tuple[str, str] | tuple[str, str, str]) -> Vertex:
    """A vertex without colour: names, then (structure, coupling) or (structure, left, right)."""
    names = tuple(particles.split())
    rows = tuple(VertexTerm("1", structure, tuple(couplings)) for structure, *couplings in terms)
    return Vertex(names, rows, (0, len(names) - 2))


def amplitude_of(model: Model, text: str) -> TreeAmplitude:
    """The amplitude of a reaction, "e- e+ > a a", at the lowest order that it has."""
    incoming, outgoing = ([model.pdg_of[name] for name in side.split()] for side in text.split(">"))
    return TreeAmplitude(reaction_of(incoming, outgoing), model)


def momenta_of(amplitude: TreeAmplitude, count: int = 4) -> Array:
    """Momenta in general position."""
    masses = [abs(amplitude.model.mass(pdg)) for pdg in amplitude.legs]
    return generic_momenta(masses, len(amplitude.reaction.incoming), count)


def boosted(p: Array) -> Array:
    """The momenta after a rotation and a boost with gamma of about 2."""
    random = np.random.default_rng(17)
    rotation, _ = np.linalg.qr(random.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    beta = np.array([0.3, -0.6, 0.5])
    gamma = 1 / np.sqrt(1 - beta @ beta)
    turned = p[..., 1:] @ rotation.T
    along = turned @ beta
    energy = gamma * (p[..., 0] + along)
    shift = (gamma - 1) / (beta @ beta) * along + gamma * p[..., 0]
    moved = np.concatenate([energy[..., None], turned + shift[..., None] * beta], axis=-1)
    return as_momenta(moved)


def assert_invariant(amplitude: TreeAmplitude, tolerance: float = 1e-10) -> None:
    """|M|^2 is the same after a rotation and a boost."""
    p = momenta_of(amplitude)
    np.testing.assert_allclose(
        amplitude.squared(boosted(p), 0.118), amplitude.squared(p, 0.118), rtol=tolerance
    )


def with_longitudinal_gluon(
    amplitude: TreeAmplitude, leg: int, p: Array, alpha_s: float
) -> tuple[Array, Array]:
    """|M|^2 with p / E for the polarisation of a gluon, and the sum over flows of |J_k|^2."""
    model, reaction = amplitude.model, amplitude.reaction
    legs = list(external_legs(reaction, model))
    legs[leg] = ExternalLeg(legs[leg].pdg, legs[leg].incoming, (MOMENTUM,))
    tape = AmplitudeBuilder(recursion_of(reaction, VertexTable(model)), legs, model).tape().tape
    kernel = _core.AmplitudeTape(tape.bound(model), float(average_factor(reaction, model)))
    found, flows, _ = kernel.evaluate(p, np.full(len(p), alpha_s), None, True, False, False)
    assert flows is not None
    return found, flows.sum(axis=1)
