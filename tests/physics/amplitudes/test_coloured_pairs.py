"""Heavy particles of any colour: pairs, and single ones that violate baryon number.

With tau_k = 2 p_k.p_X / s and a representation of dimension D and Casimir operator C, the colours
of g g > X X~ are D C (C - 3 tau_1 tau_2) and those of q q~ > X X~ are D C, times what is the same
for all particles of one spin; for triplets and octets these are the known formulae for heavy quarks
(Combridge), squarks and gluinos (Dawson, Eichten and Quigg).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from small_models import amplitude_of, momenta_of, of, small_model, with_longitudinal_gluon

from madnis_py.arrays import Array
from madnis_py.physics.model.builtin_models import MODELS
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle, Vertex, VertexTerm

ALPHA_S = 0.118

REPRESENTATIONS = {
    # name of the representation: itself, dimension, Casimir operator, generator between the
    # antiparticle in the first of three places and the particle in the second, gluons third
    "triplet": (3, 3, Fraction(4, 3), "T(3,1,2)"),
    "antitriplet": (-3, 3, Fraction(4, 3), "-1*T(3,2,1)"),
    "octet": (8, 8, Fraction(3), "f(3,1,2)"),
    "sextet": (6, 6, Fraction(10, 3), "T6(3,1,2)"),
}

AFTER_GLUON = {
    # the generator with the gluon first, then the particle and its antiparticle
    "triplet": "T(1,3,2)",
    "antitriplet": "-1*T(1,2,3)",
    "octet": "f(1,3,2)",
    "sextet": "T6(1,3,2)",
}

SEAGULLS = {
    # two generators between antiparticle and particle, third and fourth, in both orders
    "triplet": ("T(1,3,-1)*T(2,-1,4)", "T(2,3,-1)*T(1,-1,4)"),
    "antitriplet": ("T(1,-1,3)*T(2,4,-1)", "T(2,-1,3)*T(1,4,-1)"),
    "octet": ("f(1,3,-1)*f(2,-1,4)", "f(2,3,-1)*f(1,-1,4)"),
    "sextet": ("T6(1,3,-1)*T6(2,-1,4)", "T6(2,3,-1)*T6(1,-1,4)"),
}


def strong(particles: str, lorentz: str, *colours: str) -> Vertex:
    names = tuple(particles.split())
    couplings = ("1",) * (2 if lorentz == "FFV" else 1)
    terms = tuple(VertexTerm(colour, lorentz, couplings) for colour in colours)
    return Vertex(names, terms, (len(names) - 2, 0))


def yukawa(particles: str, colour: str, left: str, right: str) -> Vertex:
    return Vertex(tuple(particles.split()), (VertexTerm(colour, "FFS", (left, right)),), (0, 1))


def heavy_model() -> Model:
    """QCD with heavy fermions F and scalars S of each representation.

    Two quarks become a sextet or an antitriplet, and an electron and a muon a scalar without
    colour, all by one coupling.
    """
    particles, vertices = [], []
    for number, (name, (colour, *_, generator)) in enumerate(REPRESENTATIONS.items()):
        fermion, scalar = f"{name}-f", f"{name}-s"
        particles += [
            Particle(fermion, f"{fermion}~", 9000020 + number, 2, colour, 0.0, mass="MX"),
            Particle(scalar, f"{scalar}~", 9000040 + number, 1, colour, 0.0, mass="MX"),
        ]
        vertices += [
            strong(f"{fermion}~ {fermion} g", "FFV", generator),
            strong(f"g {scalar} {scalar}~", "VSS", AFTER_GLUON[name]),
            strong(f"g g {scalar}~ {scalar}", "VVSS", *SEAGULLS[name]),
        ]
    particles.append(Particle("single-s", "single-s~", 9000060, 1, 1, 0.0, mass="MX"))
    vertices += [
        yukawa("u c sextet-s~", "K6(3,1,2)", "0.2", "0.7"),
        yukawa("u~ c~ sextet-s", "K6Bar(3,1,2)", "0.7", "0.2"),
        yukawa("u c triplet-s", "EpsilonBar(1,2,3)", "0.2", "0.7"),
        yukawa("u~ c~ triplet-s~", "Epsilon(1,2,3)", "0.7", "0.2"),
        yukawa("e- mu- single-s~", "1", "0.2", "0.7"),
        yukawa("e+ mu+ single-s", "1", "0.7", "0.2"),
    ]
    gluons = [
        one for one in MODELS["sm"].vertices if set(one.particles) <= {"u~", "u", "c~", "c", "g"}
    ]
    light = of("u", "c", "e-", "mu-", "g")
    return small_model([*light, *particles], [*gluons, *vertices], {"MX": 173.0})


MODEL = heavy_model()


def squared(text: str, p: Array) -> Array:
    return amplitude_of(MODEL, text).squared(p, ALPHA_S)


@pytest.mark.parametrize("name", ["antitriplet", "octet", "sextet"])
@pytest.mark.parametrize("spin", ["f", "s"])
def test_gluons_and_quarks_make_pairs_by_their_casimir_operator(name: str, spin: str) -> None:
    p = momenta_of(amplitude_of(MODEL, f"g g > {name}-{spin} {name}-{spin}~"))
    s, first, second = (product(p[:, 0], p[:, k]) for k in (1, 2, 3))
    tau = first * second / s**2
    _, dimension, casimir, _ = REPRESENTATIONS[name]
    _, of_triplet, triplet, _ = REPRESENTATIONS["triplet"]

    def colours(size: int, value: Fraction) -> Array:
        return float(size * value) * (float(value) - 3 * tau)

    def ratio(incoming: str) -> Array:
        ours, theirs = (
            squared(f"{incoming} > {one}-{spin} {one}-{spin}~", p) for one in (name, "triplet")
        )
        return ours / theirs

    expected = colours(dimension, casimir) / colours(of_triplet, triplet)
    np.testing.assert_allclose(ratio("g g"), expected, rtol=1e-10)
    expected_of_quarks = float(dimension * casimir / (of_triplet * triplet))
    np.testing.assert_allclose(ratio("u u~"), expected_of_quarks, rtol=1e-10)


def product(a: Array, b: Array) -> Array:
    return np.asarray(a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(axis=1))


@pytest.mark.parametrize(
    ("scalar", "colours"), [("sextet-s", Fraction(6, 9)), ("triplet-s~", Fraction(12, 9))]
)
def test_diquarks_have_the_colours_of_their_clebsch_gordan_coefficients(
    scalar: str, colours: Fraction
) -> None:
    """Tr(P P) = 6 of the symmetric projector; eps_ijk eps_lmk squared is 12; averaged over 9."""
    text = "u c > u c"
    p = momenta_of(amplitude_of(MODEL, "e- mu- > e- mu-"))
    one = amplitude_of(without_others(scalar), text)
    lepton = squared("e- mu- > e- mu-", p)
    np.testing.assert_allclose(one.squared(p, ALPHA_S), float(colours) * lepton, rtol=1e-12)


def without_others(scalar: str) -> Model:
    """The model with one of the scalars between two quarks, and no gluon."""
    name = scalar.removesuffix("~")
    vertices = [one for one in MODEL.vertices if {name, f"{name}~"} & {*one.particles[2:]}]
    return small_model(
        [one for one in MODEL.particles if one.name != "g"],
        [one for one in vertices if "g" not in one.particles],
        {"MX": 173.0},
    )


@pytest.mark.parametrize(
    ("text", "leg"),
    [
        *(
            (f"g g > {name}-{spin} {name}-{spin}~ g", 4)
            for name in REPRESENTATIONS
            for spin in "fs"
        ),
        *(
            (f"u u~ > {name}-{spin} {name}-{spin}~ g", 4)
            for name in REPRESENTATIONS
            for spin in "fs"
        ),
        ("u c > sextet-s g", 3),
        ("u c > triplet-s~ g", 3),
        ("u~ c~ > triplet-s g", 3),
        ("u g > c~ sextet-s", 1),
        ("g triplet-s > u~ c~ g", 4),
        ("u c > sextet-s g g", 4),
        ("u c > triplet-s~ g g", 3),
    ],
)
def test_longitudinal_gluons_decouple_from_particles_of_any_colour(text: str, leg: int) -> None:
    amplitude = amplitude_of(MODEL, text)
    p = momenta_of(amplitude)
    found, flows = with_longitudinal_gluon(amplitude, leg, p, ALPHA_S)
    assert (np.abs(found) < 1e-20 * amplitude.squared(p, ALPHA_S) + 1e-14 * flows).all()
