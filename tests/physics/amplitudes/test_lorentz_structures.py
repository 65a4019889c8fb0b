"""Amplitudes of structures that the Standard Model lacks against closed forms and symmetries."""

from itertools import product

import numpy as np
import pytest
from dirac import GAMMA, SIDES, antiparticles, bar, dot, particles, slash
from small_models import amplitude_of, assert_invariant, momenta_of, of, small_model, vertex

from madnis_py import _core
from madnis_py.physics.amplitudes.tapes.amplitude_builder import AmplitudeBuilder, external_legs
from madnis_py.physics.amplitudes.tapes.helicities import MOMENTUM, ExternalLeg
from madnis_py.physics.diagrams.recursion import recursion_of
from madnis_py.physics.diagrams.vertex_table import VertexTable
from madnis_py.physics.model.model import Model
from madnis_py.physics.model.particles import Particle

E = 0.31
PHOTON = of("a")
Z_PRIME = Particle("x", "x", 9000023, 3, 1, 0.0, mass="MX")
SCALAR = Particle("phi", "phi~", 9000001, 1, 1, 1.0, mass="MPHI")


def scalar_qed(*seagull: tuple[str, str], structure: str = "VSS") -> Model:
    """A charged scalar; D = d - i e A, so that the vertex is e (p_phi - p_phi~)."""
    return small_model(
        [*PHOTON, SCALAR],
        [
            vertex("a phi phi~", (structure, str(E))),
            vertex("a a phi phi~", *(seagull or (("VVSS", str(2 * E * E)),))),
        ],
        {"MPHI": 80.0},
    )


SCALAR_MODELS = {
    "kernels": scalar_qed(),
    "programs": scalar_qed(
        ("1*Metric(1,2)*Metric(-1,-1)", str(E * E / 2)), structure="1*P(1,2) + -1*P(1,3)"
    ),
    "mixed": scalar_qed(
        ("VVSS", str(E * E)), ("Metric(1,2)*Metric(-1,-1)", str(E * E / 4)), structure="VSS"
    ),
}
MODELS = pytest.mark.parametrize("model", SCALAR_MODELS.values(), ids=list(SCALAR_MODELS))


@MODELS
def test_scalars_annihilate_to_photons_as_in_scalar_qed(model: Model) -> None:
    amplitude = amplitude_of(model, "phi phi~ > a a")
    p = momenta_of(amplitude)
    a, b, k, _ = np.moveaxis(p, 1, 0)
    metric = np.array([1, -1, -1, -1])
    s = ((a + b) ** 2 * metric).sum(axis=1)
    t = ((a - k) ** 2 * metric).sum(axis=1)
    mass2 = 80.0**2
    x = mass2 * s / ((t - mass2) * (2 * mass2 - s - t - mass2))
    expected = 8 * E**4 * (1 - 2 * x + 2 * x * x) / 2
    np.testing.assert_allclose(amplitude.squared(p, 0.118), expected, rtol=1e-12)
    assert_invariant(amplitude)


@MODELS
@pytest.mark.parametrize("text", ["phi phi > phi phi", "phi phi~ > phi phi~ a", "a a > phi phi~ a"])
def test_kernels_and_programs_of_one_structure_agree(model: Model, text: str) -> None:
    amplitude, kernels = amplitude_of(model, text), amplitude_of(SCALAR_MODELS["kernels"], text)
    p = momenta_of(amplitude)
    squared, diagrams = amplitude.evaluate(p, 0.118)
    expected, expected_diagrams = kernels.evaluate(p, 0.118)
    np.testing.assert_allclose(squared, expected, rtol=1e-11)
    if model is not SCALAR_MODELS["mixed"]:  # the squares of its two terms are added
        np.testing.assert_allclose(diagrams, expected_diagrams, rtol=1e-10)
    assert_invariant(amplitude)


DIPOLE = {"real": (0.002, 0.0), "imaginary": (0.0013j, 0.0007)}


@pytest.mark.parametrize(("left", "right"), DIPOLE.values(), ids=list(DIPOLE))
def test_dipole_operators_agree_with_explicit_matrices(left: complex, right: complex) -> None:
    # d_L sigma^{mu nu} P_L + d_R sigma^{mu nu} P_R, with q the momentum of the photon that comes in
    model = small_model(
        [*of("e-", "ta-"), *PHOTON, Z_PRIME],
        [
            vertex("e+ e- x", ("FFV", "0.3", "0.2")),
            vertex(
                "ta+ ta- x",
                ("FFV", "0.1", "-0.4"),
                ("Sigma(-1,3,1,-2)*P(-1,3)*ProjM(-2,2)", str(left)),
                ("Sigma(-1,3,1,-2)*P(-1,3)*ProjP(-2,2)", str(right)),
            ),
        ],
        {"MX": 250.0, "MTA": 1.777},
    )
    amplitude = amplitude_of(model, "e- e+ > ta- ta+")
    p = momenta_of(amplitude)
    squares = []
    for p1, p2, k1, k2 in p:
        q = p1 + p2
        chiral, tau = 0.3 * SIDES[0] + 0.2 * SIDES[1], 0.1 * SIDES[0] - 0.4 * SIDES[1]
        # i/4 [q-slash, gamma^mu], q into the vertex
        sigma = [0.25j * (slash(q) @ g - g @ slash(q)) for g in GAMMA]
        dipole = left * SIDES[0] + right * SIDES[1]
        total = 0.0
        for u, v, n, a in product(
            particles(p1, 0.0),
            antiparticles(p2, 0.0),
            particles(k1, 1.777),
            antiparticles(k2, 1.777),
        ):
            one = np.array([bar(v) @ g @ chiral @ u for g in GAMMA])
            two = np.array(
                [bar(n) @ (g @ tau + s @ dipole) @ a for g, s in zip(GAMMA, sigma, strict=True)]
            )
            total += abs(dot(one, two) - dot(one, q) * dot(two, q) / 250.0**2) ** 2
        squares.append(total / (dot(q, q).real - 250.0**2) ** 2 / 4)
    np.testing.assert_allclose(amplitude.squared(p, 0.118), squares, rtol=1e-10)
    assert_invariant(amplitude)


def test_photons_of_a_magnetic_moment_have_no_amplitude_along_their_momentum() -> None:
    # e gamma^mu + a sigma^{mu nu} q_nu couplings are gauge invariant with any number of photons
    model = small_model(
        [*of("ta-"), *PHOTON],
        [
            vertex(
                "ta+ ta- a",
                ("FFV", "-0.3", "-0.3"),
                ("Sigma(-1,3,1,2)*P(-1,3)", "0.01j"),
            )
        ],
        {"MTA": 50.0},
    )
    amplitude = amplitude_of(model, "ta- ta+ > a a")
    legs = list(external_legs(amplitude.reaction, model))
    legs[2] = ExternalLeg(22, False, (MOMENTUM,))
    recursion = recursion_of(amplitude.reaction, VertexTable(model))
    tape = AmplitudeBuilder(recursion, legs, model).tape().tape
    p = momenta_of(amplitude)
    vanishing, *_ = _core.AmplitudeTape(tape.bound(model), 1.0).evaluate(
        p, np.ones(len(p)), None, False, False, False
    )
    assert (vanishing < 1e-20 * amplitude.squared(p, 0.118)).all()
    assert_invariant(amplitude)
