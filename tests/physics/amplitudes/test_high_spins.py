"""Spin 2 and 3/2: external states, propagators and charge conjugation against closed forms."""

from itertools import product

import numpy as np
import pytest
from dirac import GAMMA, METRIC, SIDES, Matrix, Vector, antiparticles, bar, dot, particles, slash
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex

from madnis_py.physics.model.particles import Particle

GRAVITON = Particle("G", "G", 9000039, 5, 1, 0.0, mass="MG", width="WG")
GRAVITINO = Particle("gvt", "gvt", 9000040, 4, 1, 0.0, mass="MGVT")
DIRAC = Particle("r-", "r+", 9000041, 4, 1, -1.0, mass="MR")
SCALAR = Particle("phi", "phi~", 9000001, 1, 1, -1.0, mass="MPHI")
NEUTRAL = Particle("s", "s", 9000002, 1, 1, 0.0, mass="MS")
HEAVY = Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX")

FFT = "Gamma(1003,1,2)*(P(2003,2) - P(2003,1)) + Gamma(2003,1,2)*(P(1003,2) - P(1003,1))"
MASS_G, WIDTH_G, MASS_R, MASS_PHI = 400.0, 7.0, 150.0, 60.0
COUPLING = 0.013

GRAVITY = small_model(
    [*of("e-", "mu-"), GRAVITON, NEUTRAL, HEAVY],
    [
        vertex("e+ e- G", (FFT, str(COUPLING))),
        vertex("mu+ mu- G", (FFT, str(COUPLING))),
        vertex("e+ e- x", ("FFV", "0.2", "0.3")),
        vertex("G s s", ("P(1001,2)*P(2001,3)", str(COUPLING))),
    ],
    {"MG": MASS_G, "WG": WIDTH_G, "MS": 60.0, "MX": 90.0},
)


def projector(q: Vector, mass: float) -> Matrix:
    """-g + q q / m^2"""
    return np.asarray(-METRIC + np.outer(q, q) / mass**2)


def test_fermions_annihilate_by_a_graviton_as_one_less_three_plus_four() -> None:
    amplitude = amplitude_of(GRAVITY, "e- e+ > mu- mu+")
    p = momenta_of(amplitude)
    a, b, c, _ = np.moveaxis(p, 1, 0)
    metric = np.diag(METRIC)
    s = ((a + b) ** 2 * metric).sum(axis=1)
    cosine = 1 + 2 * ((a - c) ** 2 * metric).sum(axis=1) / s
    # J1^mu D1^nu symmetrised with J2^mu D2^nu: 2 s^2 (1 + cos) (2 cos - 1) for equal helicities
    pole = (s - MASS_G**2) ** 2 + (MASS_G * WIDTH_G) ** 2
    shape = 1 - 3 * cosine**2 + 4 * cosine**4
    expected = 16 * COUPLING**4 * s**4 * shape / pole / 4
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-11)
    assert_invariant(amplitude)


def test_a_graviton_decays_to_scalars_by_the_square_of_their_momentum() -> None:
    amplitude = amplitude_of(GRAVITY, "G > s s")
    p = momenta_of(amplitude)
    momentum2 = MASS_G**2 / 4 - 60.0**2
    expected = COUPLING**2 * (2 / 3) * momentum2**2 / 5 / 2
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "text", ["e- e+ > G x", "G e- > e- x", "e- e+ > G s s", "G G > e- e+", "s s > G G"]
)
def test_amplitudes_with_external_gravitons_are_invariant(text: str) -> None:
    assert_invariant(amplitude_of(GRAVITY, text), 1e-9)


def test_states_of_a_graviton_add_up_to_its_projector() -> None:
    amplitude = amplitude_of(GRAVITY, "e- e+ > G x")
    p = momenta_of(amplitude)
    squares = []
    for p1, p2, k, q in p:
        one, two = projector(k, MASS_G), projector(q, 90.0)
        states = 0.5 * (np.einsum("ac,bd->abcd", one, one) + np.einsum("ad,bc->abcd", one, one))
        states = states - np.einsum("ab,cd->abcd", one, one) / 3
        total = 0.0
        for u, v in product(particles(p1, 0.0), antiparticles(p2, 0.0)):
            parts = _emission(bar(v), u, p1, p2, k, q)
            total += np.einsum(
                "abm,cdn,abcd,mn->", parts, parts.conj(), _lower(states, 4), _lower(two, 2)
            ).real
        squares.append(total / 4)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)


def _lower(tensor: Matrix, indices: int) -> Matrix:
    for axis in range(indices):
        tensor = np.moveaxis(np.tensordot(tensor, METRIC, (axis, 0)), -1, axis)
    return np.asarray(tensor)


def _emission(row: Matrix, u: Matrix, p1: Vector, p2: Vector, k: Vector, q: Vector) -> Matrix:
    """e-(p1) e+(p2) > G^{ab}(k) x^m(q), in both orders on the line."""
    chiral = 0.2 * SIDES[0] + 0.3 * SIDES[1]
    parts = np.zeros((4, 4, 4), complex)
    first, second = p1 - k, p1 - q
    for a, b, m in product(range(4), repeat=3):
        vector = GAMMA[m] @ chiral
        line = vector @ slash(first) @ _graviton(a, b, p1 + first) / dot(first, first)
        line = line + _graviton(a, b, second - p2) @ slash(second) @ vector / dot(second, second)
        parts[a, b, m] = row @ line @ u
    return parts


def _graviton(a: int, b: int, difference: Vector) -> Matrix:
    """The vertex of a graviton with psi and psi-bar, whose incoming momenta differ so."""
    return np.asarray(COUPLING * (GAMMA[a] * difference[b] + GAMMA[b] * difference[a]))


SUPER = small_model(
    [*of("e-"), GRAVITINO, DIRAC, SCALAR, NEUTRAL],
    [
        vertex("gvt e- phi~", ("P(1,3)*ProjP(1,2)", str(COUPLING))),
        vertex("e+ gvt phi", ("P(2,3)*ProjM(1,2)", str(COUPLING))),
        vertex("r+ e- s", ("P(1,3)*ProjP(1,2)", str(COUPLING)), ("P(1,3)*ProjM(1,2)", "0.004j")),
        vertex("e+ r- s", ("P(2,3)*ProjM(1,2)", str(COUPLING)), ("P(2,3)*ProjP(1,2)", "-0.004j")),
    ],
    {"MGVT": MASS_R, "MR": MASS_R, "MPHI": MASS_PHI, "MS": 40.0},
)


def propagator(p: Vector, mass: float) -> Matrix:
    """sum u^mu u-bar^nu of spin 3/2, off the mass shell too: (mu, nu, 4, 4)."""
    numerator = np.zeros((4, 4, 4, 4), complex)
    for mu, nu in product(range(4), repeat=2):
        inside = (METRIC[mu, nu] - 2 * p[mu] * p[nu] / (3 * mass**2)) * np.eye(4)
        inside = inside - GAMMA[mu] @ GAMMA[nu] / 3
        inside = inside - (GAMMA[mu] * p[nu] - GAMMA[nu] * p[mu]) / (3 * mass)
        numerator[mu, nu] = -(slash(p) + mass * np.eye(4)) @ inside
    return numerator


def between(a: Vector, b: Vector, p: Vector, mass: float) -> Matrix:
    """a_mu P^{mu nu} b_nu / (p^2 - m^2)."""
    lowered = np.einsum("m,mnij,n->ij", METRIC @ a, propagator(p, mass), METRIC @ b)
    return np.asarray(lowered / (dot(p, p) - mass**2))


def test_a_gravitino_decays_by_the_coupling_of_the_goldstino() -> None:
    amplitude = amplitude_of(SUPER, "gvt > e- phi~")
    p = momenta_of(amplitude)
    momentum = (MASS_R**2 - MASS_PHI**2) / (2 * MASS_R)
    expected = COUPLING**2 * (4 / 3) * momentum**2 * MASS_R * momentum / 4
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-11)
    conjugate = amplitude_of(SUPER, "gvt > e+ phi")
    np.testing.assert_allclose(conjugate.squared(p, 0.118), expected, rtol=1e-11)


@pytest.mark.parametrize("text", ["e- phi~ > e- phi~", "e+ phi > e+ phi"])
def test_a_gravitino_in_the_s_channel_has_the_propagator_of_rarita_and_schwinger(text: str) -> None:
    amplitude = amplitude_of(SUPER, text)
    p = momenta_of(amplitude)
    squares = []
    for p1, q1, p2, q2 in p:
        line = SIDES[0] @ between(q2, q1, p1 + q1, MASS_R) @ SIDES[1]
        elements = [
            bar(one) @ line @ two for one, two in product(particles(p2, 0.0), particles(p1, 0.0))
        ]
        squares.append(COUPLING**4 * sum(abs(one) ** 2 for one in elements) / 2)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)
    assert_invariant(amplitude)


def test_two_electrons_exchange_a_gravitino_that_is_its_own_antiparticle() -> None:
    amplitude = amplitude_of(SUPER, "e- e- > phi phi")
    p = momenta_of(amplitude)
    squares = []
    for p1, p2, k1, k2 in p:
        total = 0.0
        for u, v in product(particles(p1, 0.0), antiparticles(p2, 0.0)):
            line = between(k2, k1, p1 - k1, MASS_R) + between(k1, k2, p1 - k2, MASS_R)
            total += abs(bar(v) @ SIDES[1] @ line @ SIDES[1] @ u) ** 2
        squares.append(COUPLING**4 * total / 4 / 2)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)
    assert_invariant(amplitude)


@pytest.mark.parametrize("text", ["e- s > e- s", "e+ s > e+ s"])
def test_scattering_by_spin_three_halves_is_invariant(text: str) -> None:
    assert_invariant(amplitude_of(SUPER, text))


def test_a_dirac_particle_of_spin_three_halves_is_exchanged_in_both_directions() -> None:
    amplitude = amplitude_of(SUPER, "s s > e- e+")
    p = momenta_of(amplitude)
    inwards = COUPLING * SIDES[1] + 0.004j * SIDES[0]
    outwards = COUPLING * SIDES[0] - 0.004j * SIDES[1]
    squares = []
    for q1, q2, p1, p2 in p:
        line = between(q1, q2, p1 - q1, MASS_R) + between(q2, q1, p1 - q2, MASS_R)
        elements = [
            bar(one) @ outwards @ line @ inwards @ two
            for one, two in product(particles(p1, 0.0), antiparticles(p2, 0.0))
        ]
        squares.append(sum(abs(one) ** 2 for one in elements))
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)


@pytest.mark.parametrize(
    "text",
    ["e- gvt > e- gvt", "e- s > r- s s", "e+ e- > r- r+", "r- r+ > s s", "gvt gvt > phi phi~"],
)
def test_amplitudes_with_external_spin_three_halves_are_invariant(text: str) -> None:
    assert_invariant(amplitude_of(SUPER, text), 1e-9)


def test_states_of_spin_three_halves_add_up_to_their_numerator() -> None:
    amplitude = amplitude_of(SUPER, "e- e+ > r- r+")
    p = momenta_of(amplitude)
    inwards = COUPLING * SIDES[1] + 0.004j * SIDES[0]
    outwards = COUPLING * SIDES[0] - 0.004j * SIDES[1]
    squares = []
    for p1, p2, k1, k2 in p:
        q = p1 - k1
        scale = 1 / (dot(q, q) - 40.0**2)
        lowered = METRIC @ q
        of_r = np.einsum("m,mnij,n->ij", lowered, propagator(k1, MASS_R), lowered)
        # sum v^mu v-bar^nu = C (sum u^mu u-bar^nu)^T C^-1 with indices exchanged: p-slash - m
        against = -np.einsum("m,mnij,n->ij", lowered, propagator(-k2, MASS_R), lowered)
        one = np.trace(of_r @ inwards @ slash(p1) @ outwards)
        two = np.trace(against @ _barred(outwards) @ slash(p2) @ _barred(inwards))
        squares.append((one * two).real * scale**2 / 4)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)


def _barred(matrix: Matrix) -> Matrix:
    return np.asarray(GAMMA[0] @ matrix.conj().T @ GAMMA[0])


def test_a_massless_graviton_bends_light_by_its_own_propagator() -> None:
    massless = Particle("h2", "h2", 9000042, 5, 1, 0.0)
    model = small_model(
        [*of("e-"), massless, NEUTRAL],
        [
            vertex("e+ e- h2", (FFT, "0.01")),
            vertex("h2 s s", ("P(1001,2)*P(2001,3) + P(2001,2)*P(1001,3)", "0.02")),
        ],
        {"MS": 40.0},
    )
    amplitude = amplitude_of(model, "e- s > e- s")
    p = momenta_of(amplitude)
    squares = []
    for p1, q1, p2, q2 in p:
        k = p1 - p2
        of_s = -0.02 * (np.outer(q1, q2) + np.outer(q2, q1))
        total = 0.0
        for u, w in product(particles(p1, 0.0), particles(p2, 0.0)):
            current = np.array([bar(w) @ g @ u for g in GAMMA])
            of_e = 0.01 * (np.outer(current, p1 + p2) + np.outer(p1 + p2, current))
            joined = np.einsum("ab,cd,ac,bd->", of_e, of_s, METRIC, METRIC)
            traces = [np.einsum("ab,ab->", one, METRIC) for one in (of_e, of_s)]
            total += abs((joined - traces[0] * traces[1] / 2) / dot(k, k)) ** 2
        squares.append(total / 2)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)
    assert_invariant(amplitude)
