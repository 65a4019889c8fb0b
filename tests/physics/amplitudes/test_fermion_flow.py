"""Majorana fermions and vertices that violate fermion number, against explicit gamma matrices."""

from collections.abc import Iterator
from itertools import product

import gluino_pairs
import numpy as np
import pytest
from dirac import GAMMA, GAMMA5, METRIC, SIDES, antiparticles, bar, dot, particles
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex

from madnis_py.arrays import Array
from madnis_py.errors import InputError
from madnis_py.physics.model.builtin_models import MODELS as BUILTIN
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle, Vertex, VertexTerm

ALPHA_S = 0.118
AXIAL, LEFT, RIGHT = 0.43, 0.27, -0.36
YUKAWA = 0.5 + 0.2j
MASS_N, MASS_Z, MASS_PHI = 120.0, 300.0, 210.0
P_L, P_R = SIDES

MAJORANA = Particle("n", "n", 9000012, 2, 1, 0.0, mass="MNN", width="WNN")
HEAVY = Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX")
SELECTRON = Particle("phi", "phi~", 9000011, 1, 1, -1.0, mass="MPHI")


def majorana_model(
    mass: float = MASS_N, general: bool = False, coupling: complex = YUKAWA, width: float = 0.0
) -> Model:
    """n couples to x by a gamma^mu gamma5 / 2 and to e phi~ by y P_R; e to x, too.

    Args:
        mass: of n, possibly negative.
        general: structures in place of kernels.
        coupling: y.
        width: of n.
    """
    y, conjugate = str(coupling), str(coupling.conjugate())
    if general:
        noise = "*Metric(-9,-9)"
        axial = vertex("n n x", (f"Gamma(3,1,-1)*Gamma5(-1,2){noise}", str(AXIAL / 4)))
        vector = vertex(
            "e+ e- x",
            (f"Gamma(3,1,-1)*ProjM(-1,2){noise}", str(LEFT / 4)),
            (f"Gamma(3,1,-1)*ProjP(-1,2){noise}", str(RIGHT / 4)),
        )
        one = vertex("n e- phi~", (f"ProjP(1,2){noise}", f"({y})/4"))
        other = vertex("e+ n phi", (f"ProjM(1,2){noise}", f"({conjugate})/4"))
    else:
        axial = vertex("n n x", ("FFV", str(-AXIAL), str(AXIAL)))
        vector = vertex("e+ e- x", ("FFV", str(LEFT), str(RIGHT)))
        one = vertex("n e- phi~", ("FFS", "0", y))
        other = vertex("e+ n phi", ("FFS", conjugate, "0"))
    return small_model(
        [*of("e-"), MAJORANA, HEAVY, SELECTRON],
        [axial, vector, one, other],
        {"MNN": mass, "MX": MASS_Z, "MPHI": MASS_PHI, "WNN": width},
    )


MODELS = {
    "kernels": majorana_model(),
    "programs": majorana_model(general=True),
}
BOTH = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


def pair_production(p: Array, mass: float) -> Iterator[complex]:
    """Amplitudes of e- e+ > n n for all spins: x in the s channel, phi in t and u."""
    p1, p2, k1, k2 = p
    q = p1 + p2
    side = LEFT * P_L + RIGHT * P_R
    first = list(zip(particles(k1, mass), antiparticles(k1, mass), strict=True))
    second = list(zip(particles(k2, mass), antiparticles(k2, mass), strict=True))
    rows = [bar(v) for v in antiparticles(p2, 0.0)]
    for u1, v2, (n1, a1), (n2, a2) in product(particles(p1, 0.0), rows, first, second):
        of_e = np.array([v2 @ g @ side @ u1 for g in GAMMA])
        of_n = AXIAL * np.array([bar(n1) @ g @ GAMMA5 @ a2 for g in GAMMA])
        s_channel = dot(of_e, of_n) - dot(of_e, q) * dot(of_n, q) / MASS_Z**2
        s_channel /= dot(q, q) - MASS_Z**2
        exchanges = []
        for k, one, other in ((k1, n1, a2), (k2, n2, a1)):
            pole = dot(p1 - k, p1 - k) - MASS_PHI**2
            line = (bar(one) @ P_R @ u1) * (v2 @ P_L @ other)
            exchanges.append(-(abs(YUKAWA) ** 2) * line / pole)
        yield s_channel - exchanges[0] + exchanges[1]


@BOTH
def test_pairs_of_majorana_fermions_agree_with_explicit_matrices(model: Model) -> None:
    amplitude = amplitude_of(model, "e- e+ > n n")
    p = momenta_of(amplitude)
    squares = [sum(abs(one) ** 2 for one in pair_production(point, MASS_N)) for point in p]
    np.testing.assert_allclose(amplitude.squared(p, 0.118), np.array(squares) / 8, rtol=1e-11)
    assert_invariant(amplitude)


@BOTH
def test_equal_majorana_fermions_may_be_exchanged(model: Model) -> None:
    amplitude = amplitude_of(model, "e- e+ > n n")
    p = momenta_of(amplitude)
    swapped = np.asfortranarray(p[:, [0, 1, 3, 2]])
    swapped = np.moveaxis(np.ascontiguousarray(np.moveaxis(swapped, 0, -1)), -1, 0)
    np.testing.assert_allclose(
        amplitude.squared(swapped, 0.118), amplitude.squared(p, 0.118), rtol=1e-12
    )


@BOTH
@pytest.mark.parametrize("text", ["e+ e- > n n", "n n > e- e+", "n n > n n", "e- n > e- n x"])
def test_amplitudes_with_majorana_fermions_are_invariant(model: Model, text: str) -> None:
    amplitude, kernels = amplitude_of(model, text), amplitude_of(MODELS["kernels"], text)
    assert_invariant(amplitude)
    p = momenta_of(amplitude)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), kernels.squared(p, 0.118), rtol=1e-10)


@BOTH
@pytest.mark.parametrize("mass", [MASS_N, -MASS_N])
def test_two_electrons_become_two_scalars_by_the_mass_of_the_exchanged_particle(
    model: Model, mass: float
) -> None:
    model = majorana_model(mass, general=model is MODELS["programs"])
    amplitude = amplitude_of(model, "e- e- > phi phi")
    p = momenta_of(amplitude)
    a, b, k, _ = np.moveaxis(p, 1, 0)
    s, t = ((x**2 * np.diag(METRIC)).sum(axis=1) for x in (a + b, a - k))
    u = 2 * MASS_PHI**2 - s - t
    poles = 1 / (t - MASS_N**2) + 1 / (u - MASS_N**2)
    expected = abs(YUKAWA) ** 4 * MASS_N**2 * s * poles**2 / 8
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-11)
    assert_invariant(amplitude)


@BOTH
@pytest.mark.parametrize("text", ["e- n > e- n x", "e- e+ > phi phi~ x", "n n > e- e+ x"])
def test_a_negative_mass_is_a_phase_of_couplings_whatever_the_width_is(
    model: Model, text: str
) -> None:
    """n -> i gamma5 n."""
    general = model is MODELS["programs"]
    negative = majorana_model(-MASS_N, general, width=40.0)
    positive = majorana_model(MASS_N, general, 1j * YUKAWA, width=40.0)
    p = momenta_of(amplitude_of(positive, text))
    squared, expected = (amplitude_of(one, text).squared(p, 0.118) for one in (negative, positive))
    np.testing.assert_allclose(squared, expected, rtol=1e-11)
    narrow = amplitude_of(majorana_model(-MASS_N, general), text).squared(p, 0.118)
    assert (np.abs(squared / narrow - 1) > 1e-3).any()


@pytest.mark.parametrize(
    ("terms", "allowed"),
    [
        ([("FFV", "0.3", "0.3")], False),
        ([("FFV", "0.3", "-0.3")], True),
        ([("FFV", "0.3", "-0.2"), ("Gamma(3,1,-1)*ProjP(-1,2)", "-0.1")], True),
        ([("Gamma(3,1,2)", "0.3")], False),
        ([("Sigma(3,-1,1,2)*P(-1,3)", "0.3")], False),
        ([("Identity(1,2)*(P(3,1)+P(3,2))", "0.3")], True),
        ([("Identity(1,2)*(P(3,1)-P(3,2))", "0.3")], False),
    ],
)
def test_vertices_of_two_equal_majorana_fermions_are_symmetric_or_refused(
    terms: list[tuple[str, str]], allowed: bool
) -> None:
    model = small_model(
        [*of("e-"), MAJORANA, HEAVY],
        [vertex("n n x", *terms), vertex("e+ e- x", ("FFV", "0.3", "0.3"))],
        {"MNN": 20.0, "MX": 200.0},
    )
    if allowed:
        assert amplitude_of(model, "e- e+ > n n").diagrams
        return
    with pytest.raises(InputError, match="symmetric in both n, which is its own antiparticle"):
        amplitude_of(model, "e- e+ > n n")


@pytest.mark.parametrize(
    ("colour", "structure", "allowed"),
    [
        ("f(1,2,3)", ("1", "1"), True),
        ("d(1,2,3)", ("1", "1"), False),
        ("f(1,2,3)", ("1", "-1"), False),
        ("d(1,2,3)", ("1", "-1"), True),
    ],
)
def test_vertices_of_two_equal_octets_are_symmetric_with_their_colour(
    colour: str, structure: tuple[str, str], allowed: bool
) -> None:
    rows = {one.name: one for one in BUILTIN["sm"].particles}
    gluino = Particle("go", "go", 1000021, 2, 8, 0.0, mass="MGO")
    heavy = Particle("v8", "v8", 9000021, 3, 8, 0.0, mass="MV8")
    model = small_model(
        [rows["u"], gluino, heavy],
        [
            Vertex(("u~", "u", "v8"), (VertexTerm("T(3,1,2)", "FFV", ("1", "1")),), (1, 0)),
            Vertex(("go", "go", "v8"), (VertexTerm(colour, "FFV", structure),), (1, 0)),
        ],
        {"MGO": 600.0, "MV8": 100.0},
    )
    if allowed:
        assert_invariant(amplitude_of(model, "u u~ > go go"))
        return
    with pytest.raises(InputError, match="symmetric in both go, which is its own antiparticle"):
        amplitude_of(model, "u u~ > go go")


def gluinos() -> Model:
    """QCD with a Majorana octet and, for quarks, the squarks that they exchange."""
    rows = {one.name: one for one in BUILTIN["sm"].particles}
    gluino = Particle("go", "go", 1000021, 2, 8, 0.0, mass="MGO")
    squarks = (
        Particle("ul", "ul~", 1000002, 1, 3, 2 / 3, mass="MSQ"),
        Particle("ur", "ur~", 2000002, 1, 3, 2 / 3, mass="MSQ"),
    )
    strong = [one for one in BUILTIN["sm"].vertices if {*one.particles} <= {"g", "u", "u~"}]
    root = "sqrt(2)"

    def term(colour: str, left: str, right: str) -> tuple[VertexTerm, ...]:
        return (VertexTerm(colour, "FFS", (left, right)),)

    return small_model(
        [rows["g"], rows["u"], gluino, *squarks],
        [
            *strong,
            Vertex(("go", "go", "g"), (VertexTerm("f(1,2,3)", "FFV", ("1", "1")),), (1, 0)),
            Vertex(("go", "u", "ul~"), term("T(1,3,2)", f"-{root}", "0"), (1, 0)),
            Vertex(("u~", "go", "ul"), term("T(2,1,3)", "0", f"-{root}"), (1, 0)),
            Vertex(("go", "u", "ur~"), term("T(1,3,2)", "0", root), (1, 0)),
            Vertex(("u~", "go", "ur"), term("T(2,1,3)", root, "0"), (1, 0)),
        ],
        {"MGO": 600.0, "MSQ": 450.0},
    )


def test_gluons_become_gluinos_as_in_the_closed_form() -> None:
    amplitude = amplitude_of(gluinos(), "g g > go go")
    p = momenta_of(amplitude)
    expected = gluino_pairs.of_gluons(p, 600.0, ALPHA_S)
    np.testing.assert_allclose(amplitude.squared(p, ALPHA_S), expected, rtol=1e-11)
    assert_invariant(amplitude)


def test_quarks_become_gluinos_as_in_the_closed_form() -> None:
    amplitude = amplitude_of(gluinos(), "u u~ > go go")
    p = momenta_of(amplitude)
    expected = gluino_pairs.of_quarks(p, 600.0, (450.0, 450.0), ALPHA_S)
    np.testing.assert_allclose(amplitude.squared(p, ALPHA_S), expected, rtol=1e-11)
    assert_invariant(amplitude)


def doubly_charged(charge: float = -2.0) -> Model:
    """A scalar of two units of charge that couples to two leptons, y (psi^c-bar P_L psi) / 2."""
    lepton = 0.31
    return small_model(
        [*of("e-", "mu-", "a"), Particle("D--", "D++", 9000038, 1, 1, charge, mass="MD")],
        [
            vertex("e- e- D++", ("FFS", "0.4", "0")),
            vertex("e+ e+ D--", ("FFS", "0", "0.4")),
            vertex("mu- mu- D++", ("FFS", "0.4", "0")),
            vertex("mu+ mu+ D--", ("FFS", "0", "0.4")),
            vertex("e+ e- a", ("FFV", str(-lepton), str(-lepton))),
            vertex("mu+ mu- a", ("FFV", str(-lepton), str(-lepton))),
            vertex("a D-- D++", ("VSS", str(charge * lepton))),
            vertex("a a D-- D++", ("VVSS", str(2 * (charge * lepton) ** 2))),
        ],
        {"MD": 70.0, "MM": 20.0},
    )


def test_two_leptons_annihilate_to_a_doubly_charged_scalar_as_in_the_closed_form() -> None:
    amplitude = amplitude_of(doubly_charged(), "e- e- > mu- mu-")
    p = momenta_of(amplitude)
    s = ((p[:, 0] + p[:, 1]) ** 2 * np.diag(METRIC)).sum(axis=1)
    expected = 0.4**4 * s * (s - 2 * 20.0**2) / (s - 70.0**2) ** 2 / 4 / 2
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "text", ["e- e- > mu- mu- a", "e- mu+ > e+ mu- a", "mu- a > mu+ D--", "D-- D++ > mu- mu+ a"]
)
def test_photons_see_that_fermion_number_is_violated_and_charge_is_not(text: str) -> None:
    assert_invariant(amplitude_of(doubly_charged(), text), 1e-9)
    with pytest.raises(AssertionError):
        assert_invariant(amplitude_of(doubly_charged(-1.0), text), 1e-9)
